// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/index_rebuild.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/clip_identity.h"
#include "storage/index_internal.h"
#include "storage/media.h"

enum { BATCH = 512 }; // facts in one transaction
#define NEW_FOLDER "index.new"

struct work {
    const struct gw_rebuild *how;
    struct gw_rebuild_result *result;
    char *error;
    char folder[PATH_MAX]; // of the new index
    struct gw_index *index;
    struct gw_journal_end end;
    uint64_t epoch;

    // Facts on their way: the journal's are only lent.
    struct gw_committed_fact batch[BATCH];
    int count;

    struct gw_id *deleted; // clips
    int deleted_count;
};

static int complain(struct work *work, int error, const char *what, const char *why)
{
    snprintf(work->error, GW_INDEX_ERROR_SIZE, "cannot make the index again: %.60s: %.160s", what,
             why);
    return error;
}

static int complain_index(struct work *work, int error)
{
    return complain(work, error, "the new index", gw_index_error(work->index));
}

static void report(struct work *work, const char *what, int64_t done, int64_t total)
{
    if (work->how->progress)
        work->how->progress(work->how->opaque, what, done, total);
}

// --- facts ---------------------------------------------------------------------------------------

static char *copy(const char *text)
{
    char *own = strdup(text);
    if (!own)
        abort();
    return own;
}

static int flush(struct work *work)
{
    int result = gw_index_take(work->index, work->batch, work->count);

    for (int i = 0; i < work->count; i++) {
        free((char *)work->batch[i].kind);
        free((char *)work->batch[i].topic);
        free((char *)work->batch[i].data);
    }
    work->count = 0;
    return result < 0 ? complain_index(work, result) : 0;
}

// Clips that were deleted: a file that is still there was about to be unlinked.
static void note_deletion(struct work *work, const struct gw_committed_fact *committed)
{
    struct gw_fact fact;
    struct gw_place place;

    if (strcmp(committed->kind, gw_fact_kind_name(GW_FACT_CLIP_DELETED)) != 0 ||
        gw_fact_from_committed(committed, &fact, &place) < 0)
        return;
    if (work->deleted_count % 4096 == 0) {
        work->deleted =
            realloc(work->deleted, ((size_t)work->deleted_count + 4096) * sizeof(*work->deleted));
        if (!work->deleted)
            abort();
    }
    work->deleted[work->deleted_count++] = fact.deletion.id;
}

struct reading {
    struct work *work;
    int result;
};

static int take_fact(void *opaque, const struct gw_committed_fact *fact)
{
    struct reading *reading = opaque;
    struct work *work = reading->work;

    note_deletion(work, fact);
    work->batch[work->count++] = (struct gw_committed_fact){.seq = fact->seq,
                                                            .wall_us = fact->wall_us,
                                                            .kind = copy(fact->kind),
                                                            .topic = copy(fact->topic),
                                                            .camera = "",
                                                            .data = copy(fact->data),
                                                            .thumbnail = ""};
    if (work->count == BATCH) {
        reading->result = flush(work);
        report(work, "facts", (int64_t)fact->seq, (int64_t)work->end.head);
    }
    return reading->result;
}

static int take_facts(struct work *work)
{
    struct gw_journal *journal = gw_journal_open(work->how->store, work->epoch);
    struct reading reading = {work, 0};
    uint64_t since = 0;
    int calls = 0, result = 0;

    while (!result && since < work->end.head) {
        calls = gw_journal_read(journal, &work->end, since, 1 << 20, take_fact, &reading);
        result = reading.result;
        if (calls < 0)
            result = complain(work, calls, "the fact journal", gw_journal_error(journal));
        if (calls <= 0)
            break;
        work->result->facts += (uint64_t)calls;
        since =
            work->count ? work->batch[work->count - 1].seq : (uint64_t)gw_index_head(work->index);
    }
    gw_journal_close(&journal);
    return result ? result : flush(work);
}

// --- the old index -------------------------------------------------------------------------------

static int run_sql(struct work *work, const char *sql)
{
    if (sqlite3_exec(work->index->db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    return gw_index_fail(work->index);
}

// All tables but those that facts make; and when days begin.
static int copy_tables(struct work *work)
{
    sqlite3_stmt *statement;
    char sql[256], name[64];
    int result = 0;

    if (sqlite3_prepare_v2(
            work->index->db,
            "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT IN"
            " ('meta', 'event', 'clip', 'gap', 'tally', 'camera_state')",
            -1, &statement, NULL) != SQLITE_OK)
        return gw_index_fail(work->index);
    while (!result && sqlite3_step(statement) == SQLITE_ROW) {
        gw_index_column_text(statement, 0, name, sizeof(name));
        snprintf(sql, sizeof(sql), "INSERT OR IGNORE INTO main.%s SELECT * FROM old.%s", name,
                 name);
        result = run_sql(work, sql);
    }
    sqlite3_finalize(statement);
    // A state belongs to a camera.
    if (!result)
        result = run_sql(work, "INSERT OR REPLACE INTO main.camera_state"
                               " SELECT * FROM old.camera_state");
    return result;
}

static int64_t old_version(struct work *work)
{
    sqlite3_stmt *statement;
    int64_t version = -1;

    if (sqlite3_prepare_v2(work->index->db, "PRAGMA old.user_version", -1, &statement, NULL) !=
        SQLITE_OK)
        return -1;
    if (sqlite3_step(statement) == SQLITE_ROW)
        version = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return version;
}

// Takes over what only the old index knows. Not being able to is no reason to stop.
static void take_registry(struct work *work)
{
    struct gw_rebuild_result *result = work->result;
    char path[PATH_MAX + 16];
    char *sql;

    snprintf(path, sizeof(path), "%s/index.db", work->how->store);
    if (access(path, F_OK) < 0) {
        snprintf(result->why_not, sizeof(result->why_not), "there is no old index");
        return;
    }
    sql = sqlite3_mprintf("ATTACH %Q AS old", path);
    int failed = run_sql(work, sql);
    sqlite3_free(sql);
    if (!failed && old_version(work) != GW_INDEX_SCHEMA_VERSION) {
        snprintf(result->why_not, sizeof(result->why_not),
                 "the old index is of another version, or is none");
        failed = 1;
    } else if (!failed) {
        failed = run_sql(work, "BEGIN");
        if (!failed)
            failed = copy_tables(work);
        result->registry = !failed && run_sql(work, "COMMIT") == 0;
        if (!result->registry) {
            snprintf(result->why_not, sizeof(result->why_not), "%s", gw_index_error(work->index));
            sqlite3_exec(work->index->db, "ROLLBACK", NULL, NULL, NULL);
        }
    } else
        snprintf(result->why_not, sizeof(result->why_not), "%s", gw_index_error(work->index));
    sqlite3_exec(work->index->db, "DETACH old", NULL, NULL, NULL);
}

// Before any row: days are counted by the old index's clock.
static void take_day_offset(struct work *work)
{
    struct gw_index *old;
    char ignored[GW_INDEX_ERROR_SIZE], sql[128];

    if (gw_index_open(&old, work->how->store, GW_INDEX_READ, work->how->division, ignored) < 0)
        return;
    work->index->day_offset_us = old->day_offset_us;
    if (!work->epoch)
        work->epoch = old->epoch;
    gw_index_close(&old);
    snprintf(sql, sizeof(sql), "UPDATE meta SET value = %lld WHERE key = 'day_offset_us'",
             (long long)work->index->day_offset_us);
    run_sql(work, sql);
}

// --- taking its place ----------------------------------------------------------------------------

static int move(struct work *work, const char *from, const char *to)
{
    char old_path[PATH_MAX + 32], new_path[PATH_MAX + 32];

    snprintf(old_path, sizeof(old_path), "%s/%s", work->how->store, from);
    snprintf(new_path, sizeof(new_path), "%s/%s", work->how->store, to);
    if (rename(old_path, new_path) == 0 || errno == ENOENT)
        return 0;
    return complain(work, -errno, from, gw_strerror(-errno));
}

static int finish_index(struct work *work)
{
    char sql[160];
    int result;

    snprintf(sql, sizeof(sql), "UPDATE meta SET value = %llu WHERE key = 'epoch'",
             (unsigned long long)work->epoch);
    result = work->epoch ? run_sql(work, sql) : 0;
    if (!result)
        result = gw_index_write_end(work->index, &work->end);
    // One file, with everything in it.
    if (!result)
        result = run_sql(work, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE");
    return result ? complain_index(work, result) : 0;
}

static int switch_over(struct work *work)
{
    char folder[PATH_MAX + 16];
    int result = move(work, "index.db", "index.db.old");

    gw_index_close(&work->index);
    if (!result)
        result = move(work, "index.db-wal", "index.db.old-wal");
    if (!result)
        result = move(work, "index.db-shm", "index.db.old-shm");
    if (!result)
        result = gw_media_sync_folder(work->how->store, "index.db");
    if (!result)
        result = move(work, NEW_FOLDER "/index.db", "index.db");
    if (!result)
        result = gw_media_sync_folder(work->how->store, "index.db");
    snprintf(folder, sizeof(folder), "%s/" NEW_FOLDER, work->how->store);
    rmdir(folder);
    return result;
}

// --- clips that no fact tells of -----------------------------------------------------------------

static int by_id(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct gw_id));
}

static int commit_clip(struct work *work, const struct gw_clip *clip)
{
    struct gw_fact_entry entry = {.fact = {.kind = clip->state == GW_CLIP_RECORDING
                                                       ? GW_FACT_CLIP_OPENED
                                                       : GW_FACT_CLIP_CLOSED,
                                           .wall_us = gw_wall_us()}};

    entry.fact.clip = *clip;
    int result = gw_index_commit(work->index, &entry, 1);
    return result < 0 ? complain_index(work, result) : 0;
}

// Takes over one file, unless the index knows its clip.
static int look_at_file(struct work *work, const char *path, const char *below)
{
    struct gw_clip clip;
    struct gw_clip_row row;
    char expected[GW_MEDIA_PATH_SIZE];
    int result = gw_clip_identify(work->how->store, below, &clip);

    if (result < 0 || strcmp(gw_clip_path(expected, &clip), below) != 0) {
        work->result->unreadable++;
        return 0;
    }
    result = gw_index_clip(work->index, &clip.id, &row);
    if (result != GW_ERROR_NOT_FOUND)
        return result < 0 ? complain_index(work, result) : 0;
    if (work->deleted_count &&
        bsearch(&clip.id, work->deleted, (size_t)work->deleted_count, sizeof(clip.id), by_id)) {
        unlink(path); // as was about to happen
        return 0;
    }
    result = commit_clip(work, &clip);
    work->result->found += !result;
    return result;
}

static bool is_clip_file(const FTSENT *entry)
{
    const size_t length = entry->fts_namelen;
    return entry->fts_info == FTS_F && length > 4 && !strcmp(entry->fts_name + length - 4, ".mp4");
}

static int look_at_files(struct work *work)
{
    char media[PATH_MAX + 8];
    char *const roots[] = {media, NULL};
    int64_t count = 0;
    int result = 0;

    snprintf(media, sizeof(media), "%s/media", work->how->store);
    if (access(media, F_OK) < 0)
        return 0;
    if (work->deleted_count)
        qsort(work->deleted, (size_t)work->deleted_count, sizeof(*work->deleted), by_id);
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    if (!tree)
        return complain(work, -errno, media, gw_strerror(-errno));
    for (FTSENT *entry; !result && (entry = fts_read(tree));) {
        if (!is_clip_file(entry))
            continue;
        result =
            look_at_file(work, entry->fts_path, entry->fts_path + strlen(work->how->store) + 1);
        if (++count % 1000 == 0)
            report(work, "clip files", count, 0);
    }
    fts_close(tree);
    return result;
}

// --- all -----------------------------------------------------------------------------------------

static int remove_leftovers(struct work *work)
{
    static const char *const names[] = {"index.db", "index.db-wal", "index.db-shm", "registry.key"};
    char path[PATH_MAX + 32];

    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "%s/%s", work->folder, names[i]);
        if (unlink(path) < 0 && errno != ENOENT)
            return complain(work, -errno, path, gw_strerror(-errno));
    }
    return 0;
}

static int make_rows(struct work *work)
{
    char why[GW_INDEX_ERROR_SIZE] = "";
    int result =
        gw_index_open(&work->index, work->folder, GW_INDEX_WRITE, work->how->division, why);

    if (result < 0)
        return complain(work, result, work->folder, why);
    take_day_offset(work);
    // It is nothing until it is whole, so need not survive a power cut before.
    result = run_sql(work, "PRAGMA synchronous=OFF");
    if (!result)
        result = take_facts(work);
    if (result)
        return result;
    take_registry(work);
    result = run_sql(work, "PRAGMA synchronous=FULL");
    return result ? complain_index(work, result) : finish_index(work);
}

static int add_files(struct work *work)
{
    char why[GW_INDEX_ERROR_SIZE] = "";
    int result =
        gw_index_open(&work->index, work->how->store, GW_INDEX_WRITE, work->how->division, why);
    if (result < 0)
        return complain(work, result, "the new index", why);
    return look_at_files(work);
}

int gw_index_rebuild(const struct gw_rebuild *rebuild, struct gw_rebuild_result *ret,
                     char error[GW_INDEX_ERROR_SIZE])
{
    struct work *work = calloc(1, sizeof(*work));

    if (!work)
        abort();
    *ret = (struct gw_rebuild_result){0};
    work->how = rebuild;
    work->result = ret;
    work->error = error;
    snprintf(work->folder, sizeof(work->folder), "%s/" NEW_FOLDER, rebuild->store);
    int result = gw_journal_find_end(rebuild->store, &work->end, &work->epoch);
    if (result < 0)
        complain(work, result, "the fact journal", gw_strerror(result));
    if (!result)
        result = remove_leftovers(work);
    if (!result)
        result = make_rows(work);
    if (!result)
        result = switch_over(work);
    if (!result)
        result = add_files(work);
    gw_index_close(&work->index);
    free(work->deleted);
    free(work);
    return result;
}
