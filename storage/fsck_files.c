// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Invariants 11 to 14: files have their rows, and events their files.

#include <dirent.h>
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

// Beside a hub, a file that is younger may be waiting for its fact.
#define YOUNG_US (120 * GW_SECOND)

enum { STEP = 1000 };

// --- walking files -------------------------------------------------------------------------------

// Calls back for each file below a folder of the store. Returns 0 or an error.
typedef int (*visit_file)(struct gw_fsck *fsck, const char *path);

static int walk_folder(struct gw_fsck *fsck, const char *below, int depth, visit_file visit,
                       int64_t *done)
{
    char full[PATH_MAX], path[GW_MEDIA_PATH_SIZE + 64];
    struct dirent *entry;
    int result = 0;
    DIR *folder = opendir(gw_fsck_path(fsck, below, full));

    if (!folder) // retention removes empty days
        return errno == ENOENT ? 0 : -errno;
    while (!result && (entry = readdir(folder))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        if (snprintf(path, sizeof(path), "%s/%s", below, entry->d_name) >= (int)sizeof(path))
            continue; // no name of ours
        if (depth > 0 && entry->d_type == DT_DIR)
            result = walk_folder(fsck, path, depth - 1, visit, done);
        else
            result = visit(fsck, path);
        if (++*done % STEP == 0)
            gw_fsck_progress(fsck, *done, 0);
    }
    closedir(folder);
    return result;
}

static int walk_media(struct gw_fsck *fsck, visit_file visit)
{
    int64_t done = 0;
    return walk_folder(fsck, "media", 2, visit, &done);
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && !strcmp(text + length - end_length, end);
}

// Whether it is there and, beside a hub, no longer young.
static bool is_settled(struct gw_fsck *fsck, const char *path)
{
    char full[PATH_MAX];
    struct stat file;

    if (lstat(gw_fsck_path(fsck, path, full), &file) < 0)
        return false;
    return !fsck->config->live || fsck->now_us - file.st_mtime * GW_SECOND > YOUNG_US;
}

// --- 11: files have their rows -------------------------------------------------------------------

// "…/HHMMSS-<id>.mp4": the id, and what follows it.
static bool parse_name(const char *path, struct gw_id *ret, const char **ret_suffix)
{
    char id[GW_ID_TEXT_SIZE];
    const char *name = strrchr(path, '/'), *dash = name ? strchr(name, '-') : NULL;

    if (!dash || strlen(dash + 1) < GW_ID_TEXT_SIZE - 1)
        return false;
    snprintf(id, sizeof(id), "%s", dash + 1);
    *ret_suffix = dash + GW_ID_TEXT_SIZE;
    return gw_id_parse(id, ret) == 0;
}

// Whether a row says that its file is just there. Returns 1, 0 or an error.
static int has_row(struct gw_fsck *fsck, const char *path)
{
    struct gw_clip_row clip;
    struct gw_event_row event;
    char expected[GW_MEDIA_PATH_SIZE];
    const char *suffix;
    struct gw_id id;
    int result;

    if (!parse_name(path, &id, &suffix))
        return 0;
    if (!strcmp(suffix, ".mp4")) {
        result = gw_index_clip(fsck->index, &id, &clip);
        if (!result)
            gw_clip_path(expected, &clip.clip);
    } else {
        result = gw_index_event(fsck->index, &id, &event);
        if (!result && !strcmp(suffix, ".jpg"))
            gw_event_snapshot_path(expected, &event.event);
        else if (!result)
            gw_event_thumbnail_path(expected, &event.event);
    }
    if (gw_fsck_is_nonsense(fsck, result))
        return 1; // and who knows where its file is
    if (result)
        return result == GW_ERROR_NOT_FOUND ? 0 : result;
    return !strcmp(expected, path);
}

static int is_garbage(struct gw_fsck *fsck, const char *path)
{
    static const char sql[] = "SELECT 1 FROM garbage WHERE path = ?1";
    int64_t one;
    sqlite3_stmt *statement = gw_index_statement(fsck->index, sql);
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, path);
    return gw_index_integer(fsck->index, statement, &one);
}

static int judge_stray(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                       char what[GW_FSCK_TEXT_SIZE])
{
    int result = has_row(fsck, suspect->path);
    if (!result)
        result = is_garbage(fsck, suspect->path);
    if (result || !is_settled(fsck, suspect->path))
        return result < 0 ? result : 0;
    snprintf(what, GW_FSCK_TEXT_SIZE, "%s belongs to no row", suspect->path);
    return 1;
}

static int visit_for_row(struct gw_fsck *fsck, const char *path)
{
    char what[GW_FSCK_TEXT_SIZE];
    struct gw_suspect suspect = {0};

    if (ends_with(path, ".part"))
        return 0; // invariant 12
    snprintf(suspect.path, sizeof(suspect.path), "%s", path);
    const int result = judge_stray(fsck, &suspect, what);
    if (result == 1)
        gw_fsck_suspect(fsck, &suspect);
    return result < 0 ? result : 0;
}

static int look_for_strays(struct gw_fsck *fsck)
{
    return walk_media(fsck, visit_for_row);
}

static int quarantine_file(struct gw_fsck *fsck, const struct gw_suspect *suspect)
{
    return gw_fsck_quarantine(fsck, suspect->path);
}

// --- 12: nothing is left half-written ------------------------------------------------------------

static int judge_part(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                      char what[GW_FSCK_TEXT_SIZE])
{
    if (!is_settled(fsck, suspect->path))
        return 0;
    snprintf(what, GW_FSCK_TEXT_SIZE, "%s is half of a file that nobody finishes", suspect->path);
    return 1;
}

static int visit_for_part(struct gw_fsck *fsck, const char *path)
{
    struct gw_suspect suspect = {0};

    snprintf(suspect.path, sizeof(suspect.path), "%s", path);
    if (ends_with(path, ".part") && is_settled(fsck, path))
        gw_fsck_suspect(fsck, &suspect);
    return 0;
}

static int look_for_parts(struct gw_fsck *fsck)
{
    return walk_media(fsck, visit_for_part);
}

static int remove_part(struct gw_fsck *fsck, const struct gw_suspect *suspect)
{
    char full[PATH_MAX];
    return unlink(gw_fsck_path(fsck, suspect->path, full)) < 0 ? -errno : 0;
}

// --- 13: events have their pictures --------------------------------------------------------------

static int look_at_events(struct gw_fsck *fsck)
{
    return gw_fsck_look_at_rows(fsck, GW_NOUN_EVENT);
}

static int judge_pictures(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                          char what[GW_FSCK_TEXT_SIZE])
{
    struct gw_event_row row;
    char paths[2][GW_MEDIA_PATH_SIZE], full[PATH_MAX];
    const int result = gw_index_event(fsck->index, &suspect->id, &row);

    if (gw_fsck_is_nonsense(fsck, result))
        return 0;
    if (result || row.event.snapshot_us == GW_NO_TIME)
        return result == GW_ERROR_NOT_FOUND ? 0 : result;
    gw_event_snapshot_path(paths[0], &row.event);
    gw_event_thumbnail_path(paths[1], &row.event);
    for (int i = 0; i < 2; i++)
        if (access(gw_fsck_path(fsck, paths[i], full), F_OK) < 0) {
            snprintf(what, GW_FSCK_TEXT_SIZE, "%s is missing; its event says that it has one",
                     paths[i]);
            return 1;
        }
    return 0;
}

static int forget_pictures(struct gw_fsck *fsck, const struct gw_suspect *suspect)
{
    static const char sql[] = "UPDATE event SET snapshot_us = NULL WHERE id = ?1";
    return gw_fsck_change_row(fsck, suspect, sql);
}

// --- 14: garbage is garbage ----------------------------------------------------------------------

static int look_at_garbage(struct gw_fsck *fsck)
{
    static const char sql[] = "SELECT path FROM garbage ORDER BY path";
    struct gw_suspect suspect = {0};
    int result;
    sqlite3_stmt *statement = gw_index_statement(fsck->index, sql);

    if (!statement)
        return GW_ERROR_INDEX;
    while ((result = gw_index_step(fsck->index, statement)) == 1) {
        gw_index_column_text(statement, 0, suspect.path, sizeof(suspect.path));
        const int row = has_row(fsck, suspect.path);
        if (row == 1)
            gw_fsck_suspect(fsck, &suspect);
        if (row < 0) {
            result = row;
            break;
        }
    }
    gw_index_reset(statement);
    return result;
}

static int judge_garbage(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                         char what[GW_FSCK_TEXT_SIZE])
{
    const int row = has_row(fsck, suspect->path);
    const int result = row == 1 ? is_garbage(fsck, suspect->path) : row;
    if (result == 1)
        snprintf(what, GW_FSCK_TEXT_SIZE, "%s is about to be unlinked, and its row is there",
                 suspect->path);
    return result;
}

static int keep_garbage(struct gw_fsck *fsck, const struct gw_suspect *suspect)
{
    static const char sql[] = "DELETE FROM garbage WHERE path = ?1";
    sqlite3_stmt *statement = gw_index_statement(fsck->index, sql);
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, suspect->path);
    return gw_index_run(fsck->index, statement);
}

const struct gw_fsck_check gw_fsck_file_checks[] = {
    {11, "files and their rows", "it goes to STORE/quarantine", look_for_strays, judge_stray,
     quarantine_file},
    {12, "half-written files", "it is removed", look_for_parts, judge_part, remove_part},
    {13, "events and their pictures", "the event has no picture any more", look_at_events,
     judge_pictures, forget_pictures},
    {14, "garbage", "it is no garbage any more", look_at_garbage, judge_garbage, keep_garbage},
};
const int gw_fsck_file_check_count = sizeof(gw_fsck_file_checks) / sizeof(gw_fsck_file_checks[0]);
