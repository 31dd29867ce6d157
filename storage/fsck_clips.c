// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Invariants 8 to 10: clips have their files. No picture is decoded: of a clip's file only the
// boxes' heads are read.

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/fsck_internal.h"
#include "storage/media.h"
#include "storage/mp4_box.h"

enum { STEP = 1000 };

// --- walking rows --------------------------------------------------------------------------------

static int64_t count_rows(struct gw_fsck *fsck, const char *sql)
{
    int64_t count = 0;
    sqlite3_stmt *statement = gw_index_statement(fsck->index, sql);
    if (!statement)
        return GW_ERROR_INDEX;
    const int result = gw_index_integer(fsck->index, statement, &count);
    return result < 0 ? result : count;
}

// Ids of a table in steps, so that no reader keeps the log from being checkpointed for long.
static int next_ids(struct gw_fsck *fsck, const char *sql, struct gw_id ids[STEP])
{
    int count = 0, result;
    const struct gw_id after = ids[STEP - 1];
    sqlite3_stmt *statement = gw_index_statement(fsck->index, sql);
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_id(statement, 1, &after);
    while ((result = gw_index_step(fsck->index, statement)) == 1 && count < STEP)
        count += gw_index_read_id(statement, 0, &ids[count]);
    gw_index_reset(statement);
    if (count)
        ids[STEP - 1] = ids[count - 1];
    return result < 0 ? result : count;
}

#define AFTER(table) "SELECT id FROM " table " WHERE id > ?1 ORDER BY id LIMIT 1000"

int gw_fsck_look_at_rows(struct gw_fsck *fsck, enum gw_noun noun)
{
    static const char clips[] = AFTER("clip"), events[] = AFTER("event"),
                      clip_count[] = "SELECT count(*) FROM clip",
                      event_count[] = "SELECT count(*) FROM event";
    const bool is_clip = noun == GW_NOUN_CLIP;
    const int64_t total = count_rows(fsck, is_clip ? clip_count : event_count);
    struct gw_id *ids = calloc(STEP, sizeof(*ids));
    char what[GW_FSCK_TEXT_SIZE];
    int64_t done = 0;
    int result = total < 0 ? (int)total : 0, count = 1;

    if (!ids)
        abort();
    while (!result && count > 0) {
        count = next_ids(fsck, is_clip ? clips : events, ids);
        result = count < 0 ? count : 0;
        for (int i = 0; !result && i < count; i++) {
            const struct gw_suspect suspect = {.noun = noun, .id = ids[i]};
            const int judged = fsck->check->judge(fsck, &suspect, what);
            if (judged > 0)
                gw_fsck_suspect(fsck, &suspect);
            result = judged < 0 ? judged : 0;
        }
        gw_fsck_progress(fsck, done += count > 0 ? count : 0, total);
    }
    free(ids);
    return result;
}

static int look_at_clips(struct gw_fsck *fsck)
{
    return gw_fsck_look_at_rows(fsck, GW_NOUN_CLIP);
}

// Fills path and what stat says of it. Returns 1 when the row is there, 0 when not, or an error;
// *ret_size is -1 when the file is not there.
static int find_clip(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                     struct gw_clip_row *row, char path[GW_MEDIA_PATH_SIZE], int64_t *ret_size)
{
    char full[PATH_MAX];
    struct stat file;
    const int result = gw_index_clip(fsck->index, &suspect->id, row);

    if (gw_fsck_is_nonsense(fsck, result))
        return 0;
    if (result)
        return result == GW_ERROR_NOT_FOUND ? 0 : result;
    gw_clip_path(path, &row->clip);
    *ret_size = -1;
    if (stat(gw_fsck_path(fsck, path, full), &file) == 0)
        *ret_size = file.st_size;
    else if (errno != ENOENT && errno != ENOTDIR)
        return -errno;
    return 1;
}

static bool has_file(const struct gw_clip *clip)
{
    return clip->state == GW_CLIP_CLOSED || clip->state == GW_CLIP_REPAIRED;
}

// What a clip's row promises is not there: the row goes, and what is there is kept aside.
static int give_up_clip(struct gw_fsck *fsck, const struct gw_suspect *suspect)
{
    struct gw_clip_row row;
    char path[GW_MEDIA_PATH_SIZE];
    int64_t size = -1;
    const struct gw_victim victim = {GW_NOUN_CLIP, suspect->id};

    int result = find_clip(fsck, suspect, &row, path, &size);
    if (result == 1 && size >= 0)
        result = gw_fsck_quarantine(fsck, path);
    if (result < 0)
        return result;
    result = gw_index_delete(fsck->index, &victim, 1, GW_DELETED_MISSING, fsck->now_us, NULL);
    return result < 0 ? result : 0;
}

// --- 8: clips have their files -------------------------------------------------------------------

static int judge_size(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                      char what[GW_FSCK_TEXT_SIZE])
{
    struct gw_clip_row row;
    char path[GW_MEDIA_PATH_SIZE];
    int64_t size = -1;
    const int result = find_clip(fsck, suspect, &row, path, &size);

    if (result != 1 || !has_file(&row.clip) || size == row.clip.size_bytes)
        return result < 0 ? result : 0;
    // What lies behind a clip that a failing disk cut short is nobody's.
    if (row.clip.truncated && size > row.clip.size_bytes)
        return 0;
    if (size < 0)
        snprintf(what, GW_FSCK_TEXT_SIZE, "%s is missing; its clip is in the index", path);
    else
        snprintf(what, GW_FSCK_TEXT_SIZE, "%s has %" PRId64 " bytes, its row says %" PRId64, path,
                 size, row.clip.size_bytes);
    return 1;
}

// --- 9: and these are clips ----------------------------------------------------------------------

// The boxes from the beginning to the end, or the first two. Returns whether they make a clip.
static bool has_boxes(int fd, int64_t size, bool deep)
{
    struct gw_mp4_box box;
    int64_t offset = 0;
    const uint32_t first[] = {GW_MP4_TYPE('f', 't', 'y', 'p'), GW_MP4_TYPE('m', 'o', 'o', 'v')};

    for (int i = 0; offset < size && (deep || i < 2); i++) {
        if (gw_mp4_read_box(fd, offset, size, &box) != 1 || (i < 2 && box.type != first[i]))
            return false;
        offset += box.size;
    }
    return offset > 0 && (!deep || offset == size);
}

static int judge_boxes(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                       char what[GW_FSCK_TEXT_SIZE])
{
    struct gw_clip_row row;
    char path[GW_MEDIA_PATH_SIZE], full[PATH_MAX];
    int64_t size = -1;
    const int result = find_clip(fsck, suspect, &row, path, &size);

    if (result != 1 || !has_file(&row.clip) || size != row.clip.size_bytes)
        return result < 0 ? result : 0; // what is missing is invariant 8
    const int fd = open(gw_fsck_path(fsck, path, full), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    const bool good = has_boxes(fd, size, fsck->config->deep);
    close(fd);
    if (!good)
        snprintf(what, GW_FSCK_TEXT_SIZE, "%s is no clip that was written whole", path);
    return !good;
}

// --- 10: what is lost has no file ----------------------------------------------------------------

static int judge_lost(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                      char what[GW_FSCK_TEXT_SIZE])
{
    struct gw_clip_row row;
    char path[GW_MEDIA_PATH_SIZE];
    int64_t size = -1;
    const int result = find_clip(fsck, suspect, &row, path, &size);

    if (result != 1 || row.clip.state != GW_CLIP_LOST || size < 0)
        return result < 0 ? result : 0;
    snprintf(what, GW_FSCK_TEXT_SIZE, "%s is there, its row says that the clip is lost", path);
    return 1;
}

static int quarantine_lost(struct gw_fsck *fsck, const struct gw_suspect *suspect)
{
    struct gw_clip_row row;
    char path[GW_MEDIA_PATH_SIZE];
    int64_t size = -1;
    const int result = find_clip(fsck, suspect, &row, path, &size);
    return result == 1 ? gw_fsck_quarantine(fsck, path) : result;
}

const struct gw_fsck_check gw_fsck_clip_checks[] = {
    {8, "clips and their files",
     "its row is deleted; a file of another size goes to STORE/quarantine", look_at_clips,
     judge_size, give_up_clip},
    {9, "clips by their boxes", "its row is deleted, the file goes to STORE/quarantine",
     look_at_clips, judge_boxes, give_up_clip},
    {10, "lost clips", "the file goes to STORE/quarantine", look_at_clips, judge_lost,
     quarantine_lost},
};
const int gw_fsck_clip_check_count = sizeof(gw_fsck_clip_checks) / sizeof(gw_fsck_clip_checks[0]);
