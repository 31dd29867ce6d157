// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/fsck_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/media.h"

// Longer than a fact takes from a worker's file to the index's row.
#define MOMENT_US (2 * GW_SECOND)

// --- what checks use -----------------------------------------------------------------------------

void gw_fsck_suspect(struct gw_fsck *fsck, const struct gw_suspect *suspect)
{
    if (fsck->count == fsck->room) {
        fsck->room = fsck->room ? 2 * fsck->room : 256;
        fsck->suspects = realloc(fsck->suspects, (size_t)fsck->room * sizeof(*fsck->suspects));
        if (!fsck->suspects)
            abort();
    }
    fsck->suspects[fsck->count++] = *suspect;
}

void gw_fsck_progress(struct gw_fsck *fsck, int64_t done, int64_t total)
{
    if (fsck->config->progress)
        fsck->config->progress(fsck->config->opaque, fsck->check->invariant, fsck->check->name,
                               done, total);
}

char *gw_fsck_path(const struct gw_fsck *fsck, const char *below, char buffer[PATH_MAX])
{
    snprintf(buffer, PATH_MAX, "%s/%s", fsck->config->store, below);
    return buffer;
}

int gw_fsck_quarantine(struct gw_fsck *fsck, const char *below)
{
    char from[PATH_MAX], to[PATH_MAX], kept[GW_MEDIA_PATH_SIZE + 96];

    snprintf(kept, sizeof(kept), "quarantine/%s", below);
    int result = gw_media_make_folders(fsck->config->store, kept);
    if (result < 0)
        return result;
    if (rename(gw_fsck_path(fsck, below, from), gw_fsck_path(fsck, kept, to)) < 0)
        return -errno;
    result = gw_media_sync_folder(fsck->config->store, kept);
    return result ? result : gw_media_sync_folder(fsck->config->store, below);
}

bool gw_fsck_is_nonsense(struct gw_fsck *fsck, int error)
{
    const int code = sqlite3_errcode(fsck->index->db);
    return error == GW_ERROR_INDEX &&
           (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE);
}

int gw_fsck_execute(struct gw_fsck *fsck, const char *sql, const struct gw_id *id)
{
    sqlite3_stmt *statement = gw_index_statement(fsck->index, sql);
    if (!statement)
        return GW_ERROR_INDEX;
    if (id)
        gw_index_bind_id(statement, 1, id);
    return gw_index_run(fsck->index, statement);
}

static int tell_event(struct gw_index *index, const struct gw_id *id, int64_t now_us)
{
    char thumbnail[GW_MEDIA_PATH_SIZE] = "";
    struct gw_event_row row;
    const int result = gw_index_event(index, id, &row);
    if (result)
        return result;
    if (row.event.snapshot_us != GW_NO_TIME)
        gw_event_thumbnail_path(thumbnail, &row.event);
    return gw_index_add_fact(
        index, row.event.state == GW_EVENT_OPEN ? GW_FACT_EVENT_UPDATED : GW_FACT_EVENT_CLOSED,
        now_us, row.event.camera, &row.place, gw_event_to_json(&row.event), thumbnail);
}

static int tell_clip(struct gw_index *index, const struct gw_id *id, int64_t now_us)
{
    struct gw_clip_row row;
    const int result = gw_index_clip(index, id, &row);
    if (result)
        return result;
    return gw_index_add_fact(
        index, row.clip.state == GW_CLIP_RECORDING ? GW_FACT_CLIP_OPENED : GW_FACT_CLIP_CLOSED,
        now_us, row.clip.camera, &row.place, gw_clip_to_json(&row.clip), "");
}

static int tell_gap(struct gw_index *index, const struct gw_id *id, int64_t now_us)
{
    struct gw_gap_row row;
    const int result = gw_index_gap(index, id, &row);
    if (result)
        return result;
    return gw_index_add_fact(index, row.gap.open ? GW_FACT_GAP_OPENED : GW_FACT_GAP_CLOSED, now_us,
                             row.gap.camera, &row.place, gw_gap_to_json(&row.gap), "");
}

int gw_fsck_tell_row(struct gw_fsck *fsck, const struct gw_suspect *row)
{
    switch (row->noun) {
    case GW_NOUN_EVENT: return tell_event(fsck->index, &row->id, fsck->now_us);
    case GW_NOUN_CLIP: return tell_clip(fsck->index, &row->id, fsck->now_us);
    case GW_NOUN_GAP: return tell_gap(fsck->index, &row->id, fsck->now_us);
    }
    return GW_ERROR_INVALID;
}

struct change {
    struct gw_fsck *fsck;
    const struct gw_suspect *row;
    const char *sql;
};

static int change_row(void *opaque)
{
    const struct change *change = opaque;
    const int result = gw_fsck_execute(change->fsck, change->sql, &change->row->id);
    return result ? result : gw_fsck_tell_row(change->fsck, change->row);
}

int gw_fsck_change_row(struct gw_fsck *fsck, const struct gw_suspect *row, const char *sql)
{
    struct change change = {fsck, row, sql};
    return gw_index_transaction(fsck->index, change_row, &change);
}

int gw_fsck_suspect_rows(struct gw_fsck *fsck, enum gw_noun noun, const char *sql)
{
    struct gw_suspect suspect = {.noun = noun};
    int result;
    sqlite3_stmt *statement = gw_index_statement(fsck->index, sql);

    if (!statement)
        return GW_ERROR_INDEX;
    while ((result = gw_index_step(fsck->index, statement)) == 1)
        if (gw_index_read_id(statement, 0, &suspect.id))
            gw_fsck_suspect(fsck, &suspect);
    gw_index_reset(statement);
    return result;
}

// --- the frame -----------------------------------------------------------------------------------

static const char *say(const struct gw_fsck *fsck, int error)
{
    const bool engine = error == GW_ERROR_INDEX || error == GW_ERROR_BUSY;
    return engine ? gw_index_error(fsck->index) : gw_strerror(error);
}

static int tell(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                struct gw_fsck_result *result)
{
    struct gw_fsck_finding finding = {.invariant = fsck->check->invariant,
                                      .cure = fsck->check->cure};
    const int judged = fsck->check->judge(fsck, suspect, finding.what);

    if (judged <= 0)
        return judged;
    result->found++;
    if (fsck->config->repair && fsck->check->repair) {
        const int error = fsck->check->repair(fsck, suspect);
        finding.repaired = !error;
        finding.problem = error ? say(fsck, error) : NULL;
        result->repaired += !error;
    }
    fsck->config->found(fsck->config->opaque, &finding);
    return 0;
}

// What is being written now is written in a moment.
static void wait_a_moment(void)
{
    const struct timespec moment = {.tv_sec = MOMENT_US / GW_SECOND};
    nanosleep(&moment, NULL);
}

static int run_check(struct gw_fsck *fsck, const struct gw_fsck_check *check,
                     struct gw_fsck_result *result)
{
    fsck->check = check;
    fsck->count = 0;
    fsck->now_us = gw_wall_us();
    gw_fsck_progress(fsck, 0, 0);
    int error = check->look(fsck);
    if (!error && fsck->count && fsck->config->live)
        wait_a_moment();
    for (int i = 0; !error && i < fsck->count; i++)
        error = tell(fsck, &fsck->suspects[i], result);
    return error;
}

static int run_checks(struct gw_fsck *fsck, const struct gw_fsck_check *checks, int count,
                      struct gw_fsck_result *result)
{
    int error = 0;
    for (int i = 0; !error && i < count; i++)
        error = run_check(fsck, &checks[i], result);
    return error;
}

static int run_all(struct gw_fsck *fsck, struct gw_fsck_result *result)
{
    int error = run_checks(fsck, gw_fsck_index_checks, gw_fsck_index_check_count, result);
    if (!error)
        error = run_checks(fsck, gw_fsck_clip_checks, gw_fsck_clip_check_count, result);
    if (!error)
        error = run_checks(fsck, gw_fsck_file_checks, gw_fsck_file_check_count, result);
    if (!error)
        error = run_checks(fsck, gw_fsck_journal_checks, gw_fsck_journal_check_count, result);
    if (!error)
        error = run_checks(fsck, gw_fsck_fact_checks, gw_fsck_fact_check_count, result);
    return error;
}

int gw_fsck_run(const struct gw_fsck_config *config, struct gw_fsck_result *ret, char error[256])
{
    struct gw_fsck fsck = {.config = config};
    const enum gw_index_mode mode = config->repair ? GW_INDEX_CHANGE : GW_INDEX_READ;

    *ret = (struct gw_fsck_result){0};
    int result = gw_index_open(&fsck.index, config->store, mode, config->division, error);
    if (result < 0)
        return result;
    result = run_all(&fsck, ret);
    if (result < 0)
        snprintf(error, 256, "cannot look at %s (invariant %d): %.180s", fsck.check->name,
                 fsck.check->invariant, say(&fsck, result));
    free(fsck.suspects);
    gw_index_close(&fsck.index);
    return result;
}
