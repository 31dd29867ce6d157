// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The book of gaps: rows of table gap with the facts that tell of them, and what the runs that were
// lost with their worker leave behind in it.

#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/index_coverage.h"

// --- gaps ----------------------------------------------------------------------------------------

int gw_index_find_open_gap(struct gw_index *index, const char *camera, struct gw_gap_row *ret)
{
    sqlite3_stmt *statement =
        gw_index_statement(index, "SELECT " GW_GAP_COLUMNS " FROM gap INDEXED BY gap_open"
                                  " WHERE camera = ?1 AND state = 'open'");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, camera);
    int result = gw_index_step(index, statement);
    if (result == 1 && gw_index_read_gap(index, statement, ret) < 0)
        result = GW_ERROR_INDEX;
    gw_index_reset(statement);
    return result;
}

// The end of the gap that begins at or before a moment, the start of the next one behind it.
static int find_neighbours(struct gw_index *index, const char *camera, int64_t at_us,
                           int64_t *ret_end_us, int64_t *ret_start_us)
{
    sqlite3_stmt *before = gw_index_statement(
        index, "SELECT CASE state WHEN 'open' THEN 9223372036854775807 ELSE end_us END FROM gap"
               " INDEXED BY gap_by_camera WHERE camera = ?1 AND start_us <= ?2"
               " ORDER BY start_us DESC, id DESC LIMIT 1");
    sqlite3_stmt *after =
        gw_index_statement(index, "SELECT start_us FROM gap INDEXED BY gap_by_camera"
                                  " WHERE camera = ?1 AND start_us > ?2 ORDER BY start_us LIMIT 1");
    *ret_end_us = INT64_MIN;
    *ret_start_us = INT64_MAX;
    if (!before || !after)
        return GW_ERROR_INDEX;
    gw_index_bind_text(before, 1, camera);
    sqlite3_bind_int64(before, 2, at_us);
    int result = gw_index_integer(index, before, ret_end_us);
    if (result < 0)
        return result;
    gw_index_bind_text(after, 1, camera);
    sqlite3_bind_int64(after, 2, at_us);
    result = gw_index_integer(index, after, ret_start_us);
    return result < 0 ? result : 0;
}

// Writes a gap and tells of it.
static int put_gap(struct gw_commit *commit, struct gw_gap_row *row, int64_t wall_us)
{
    struct gw_index *index = commit->index;
    struct gw_gap *gap = &row->gap;

    int result = gw_index_write_gap(index, row);
    if (!result)
        result = gw_index_add_fact(index, gap->open ? GW_FACT_GAP_OPENED : GW_FACT_GAP_CLOSED,
                                   wall_us, gap->camera, &row->place, gw_gap_to_json(gap), "");
    return result;
}

static int add_piece(struct gw_commit *commit, const char *camera, enum gw_gap_cause cause,
                     int64_t from_us, int64_t to_us, int64_t wall_us)
{
    const bool open = to_us == INT64_MAX;
    struct gw_gap_row row = {.gap = {.id = gw_id_make(gw_wall_us()),
                                     .cause = cause,
                                     .open = open,
                                     .from_us = from_us,
                                     .to_us = open ? from_us : to_us}};

    memcpy(row.gap.camera, camera, strlen(camera) + 1);
    int result = gw_index_find_place(commit->index, camera, &row.place);
    return result < 0 ? result : put_gap(commit, &row, wall_us);
}

int gw_index_add_gap(struct gw_commit *commit, const char *camera, enum gw_gap_cause cause,
                     int64_t from_us, int64_t to_us, int64_t wall_us)
{
    int result = 0;

    while (!result && from_us < to_us) {
        int64_t end_us, start_us;
        result = find_neighbours(commit->index, camera, from_us, &end_us, &start_us);
        if (result < 0)
            return result;
        if (end_us > from_us) {
            from_us = end_us;
            continue;
        }
        if (start_us > to_us)
            start_us = to_us;
        result = add_piece(commit, camera, cause, from_us, start_us, wall_us);
        from_us = start_us;
    }
    return result;
}

int gw_index_open_gap(struct gw_commit *commit, const char *camera, enum gw_gap_cause cause,
                      int64_t from_us, int64_t wall_us)
{
    return gw_index_add_gap(commit, camera, cause, from_us, INT64_MAX, wall_us);
}

int gw_index_close_gap(struct gw_commit *commit, struct gw_gap_row *row, int64_t to_us,
                       int64_t wall_us)
{
    row->gap.open = false;
    row->gap.to_us = to_us > row->gap.from_us ? to_us : row->gap.from_us;
    return put_gap(commit, row, wall_us);
}

// --- runs that were lost with their worker -------------------------------------------------------

// Whether a clip of this run waits for its repair: it alone says how far the run went. Returns 1,
// 0, or an error.
static int awaits_repair(struct gw_index *index, const char *camera,
                         const struct gw_coverage_run *run)
{
    int64_t one;
    sqlite3_stmt *statement =
        gw_index_statement(index, "SELECT 1 FROM clip INDEXED BY clip_recording WHERE"
                                  " state = 'recording' AND camera = ?1 AND start_us < ?2 LIMIT 1");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, camera);
    sqlite3_bind_int64(statement, 2, run->next_us == GW_NO_TIME ? INT64_MAX : run->next_us);
    return gw_index_integer(index, statement, &one);
}

static int settle_run(struct gw_commit *commit, const char *camera,
                      const struct gw_coverage_run *run, int64_t wall_us)
{
    struct gw_coverage_duty duty;
    int result = awaits_repair(commit->index, camera, run);
    if (result)
        return result < 0 ? result : 0;
    result = gw_index_read_duty(commit->index, camera, &duty);
    if (!result && duty.record)
        result = gw_index_add_gap(commit, camera, GW_GAP_WORKER_RESTARTED, run->end_us,
                                  run->next_us == GW_NO_TIME ? INT64_MAX : run->next_us, wall_us);
    return result ? result : gw_index_remove_run(commit->index, run->run);
}

int gw_index_settle_lost_runs(struct gw_commit *commit, const char *camera, int64_t wall_us)
{
    struct gw_coverage_run runs[GW_COVERAGE_RUNS];
    int count = gw_index_read_runs(commit->index, camera, runs);
    int result = count < 0 ? count : 0;

    for (int i = 0; !result && i < count; i++)
        if (runs[i].lost)
            result = settle_run(commit, camera, &runs[i], wall_us);
    return result;
}

int gw_index_take_clip_end(struct gw_commit *commit, const struct gw_clip *clip, int64_t wall_us)
{
    struct gw_coverage_run runs[GW_COVERAGE_RUNS];
    const struct gw_coverage_run *of = NULL;
    int count = gw_index_read_runs(commit->index, clip->camera, runs);
    int result = count < 0 ? count : 0;

    for (int i = 0; i < count; i++)
        if (!of && !gw_id_is_null(&runs[i].boot) && runs[i].start_us <= clip->start_us)
            of = &runs[i];
    if (!result && of && clip->state != GW_CLIP_LOST)
        result = gw_index_extend_run(commit->index, of->run, clip->end_us);
    return result ? result : gw_index_settle_lost_runs(commit, clip->camera, wall_us);
}
