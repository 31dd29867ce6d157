// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gw_garbage_…() of index_delete.h: what has no row any more, and what is left of it on the disk.

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/index_delete.h"
#include "storage/index_internal.h"
#include "storage/media.h"

#define DAY_US (86400 * GW_SECOND)

struct batch {
    struct gw_index *index;
    int count;
    char (*paths)[GW_MEDIA_PATH_SIZE];
    bool *gone;
};

static int read_batch(struct batch *batch, const char *after)
{
    int result;
    sqlite3_stmt *statement = gw_index_statement(
        batch->index, "SELECT path FROM garbage WHERE path > ?1 ORDER BY path LIMIT ?2");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, after);
    sqlite3_bind_int(statement, 2, GW_DELETE_BATCH);
    while ((result = gw_index_step(batch->index, statement)) == 1)
        gw_index_column_text(statement, 0, batch->paths[batch->count++], GW_MEDIA_PATH_SIZE);
    gw_index_reset(statement);
    return result;
}

static bool same_folder(const char *a, const char *b)
{
    const size_t length = (size_t)(strrchr(a, '/') - a);
    return !strncmp(a, b, length + 1) && !strchr(b + length + 1, '/');
}

// Returns whether the file is not there (any more).
static bool unlink_one(const char *store, const char *path)
{
    char full[PATH_MAX];
    const int length = snprintf(full, sizeof(full), "%s/%s", store, path);
    return length < (int)sizeof(full) && (unlink(full) == 0 || errno == ENOENT);
}

// A day folder is "media/<camera>/<UTC day>". One of yesterday may be about to get a file.
static void remove_empty_day(const char *store, const char *path, int64_t wall_us)
{
    char full[PATH_MAX], long_past[GW_RFC3339_SIZE];
    const char *end = strrchr(path, '/');

    gw_format_rfc3339(long_past, wall_us - 2 * DAY_US);
    if (end - path < 11 || end[-11] != '/' || strncmp(end - 10, long_past, 10) >= 0)
        return;
    if (snprintf(full, sizeof(full), "%s/%.*s", store, (int)(end - path), path) < (int)sizeof(full))
        rmdir(full); // fails while there is something in it
}

// The files of one folder, from first to before end. What was unlinked is gone when its folder was
// synced.
static void clear_folder(struct batch *batch, const char *store, int first, int end,
                         int64_t wall_us)
{
    for (int i = first; i < end; i++)
        batch->gone[i] = unlink_one(store, batch->paths[i]);
    const int synced = gw_media_sync_folder(store, batch->paths[first]);
    if (synced < 0 && synced != -ENOENT)
        memset(&batch->gone[first], 0, (size_t)(end - first) * sizeof(bool));
    remove_empty_day(store, batch->paths[first], wall_us);
}

static int forget_gone(void *opaque)
{
    struct batch *batch = opaque;
    sqlite3_stmt *statement =
        gw_index_statement(batch->index, "DELETE FROM garbage WHERE path = ?1");
    int result = statement ? 0 : GW_ERROR_INDEX;
    for (int i = 0; !result && i < batch->count; i++) {
        if (!batch->gone[i])
            continue;
        gw_index_bind_text(statement, 1, batch->paths[i]);
        result = gw_index_run(batch->index, statement);
    }
    return result;
}

static int collect(struct batch *batch, const char *store, char after[GW_MEDIA_PATH_SIZE],
                   int64_t wall_us, int *ret_failed)
{
    int failed = 0, result = read_batch(batch, after);
    if (result < 0 || !batch->count)
        return result;
    for (int first = 0, end; first < batch->count; first = end) {
        for (end = first + 1; end < batch->count; end++)
            if (!same_folder(batch->paths[first], batch->paths[end]))
                break;
        clear_folder(batch, store, first, end, wall_us);
    }
    result = gw_index_transaction(batch->index, forget_gone, batch);
    if (result < 0)
        return result;
    for (int i = 0; i < batch->count; i++)
        failed += !batch->gone[i];
    memcpy(after, batch->paths[batch->count - 1], GW_MEDIA_PATH_SIZE);
    if (ret_failed)
        *ret_failed += failed;
    return batch->count;
}

int gw_garbage_collect(struct gw_index *index, const char *store, char after[GW_MEDIA_PATH_SIZE],
                       int64_t wall_us, int *ret_failed)
{
    struct batch batch = {.index = index,
                          .paths = calloc(GW_DELETE_BATCH, sizeof(*batch.paths)),
                          .gone = calloc(GW_DELETE_BATCH, sizeof(*batch.gone))};
    if (!batch.paths || !batch.gone)
        abort();
    int result = collect(&batch, store, after, wall_us, ret_failed);
    free(batch.paths);
    free(batch.gone);
    return result;
}

int64_t gw_garbage_count(struct gw_index *index)
{
    int64_t count = 0;
    sqlite3_stmt *statement = gw_index_statement(index, "SELECT count(*) FROM garbage");
    if (!statement)
        return GW_ERROR_INDEX;
    int result = gw_index_integer(index, statement, &count);
    return result < 0 ? result : count;
}
