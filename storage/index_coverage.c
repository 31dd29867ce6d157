// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The book of coverage: rows of table coverage, one for each run of which something is still to be
// said.

#include <assert.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/index_coverage.h"

// --- reading -------------------------------------------------------------------------------------

int gw_index_read_runs(struct gw_index *index, const char *camera,
                       struct gw_coverage_run runs[GW_COVERAGE_RUNS])
{
    int count = 0, result;
    sqlite3_stmt *statement =
        gw_index_statement(index, "SELECT run, boot, state, start_us, end_us, next_us FROM coverage"
                                  " WHERE camera = ?1 ORDER BY run DESC LIMIT 16");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, camera);
    while ((result = gw_index_step(index, statement)) == 1) {
        struct gw_coverage_run *run = &runs[count++];
        *run = (struct gw_coverage_run){
            .run = sqlite3_column_int64(statement, 0),
            .lost = !strcmp((const char *)sqlite3_column_text(statement, 2), "lost"),
            .start_us = sqlite3_column_int64(statement, 3),
            .end_us = sqlite3_column_int64(statement, 4),
            .next_us = gw_index_column_known(statement, 5, GW_NO_TIME)};
        gw_index_read_id(statement, 1, &run->boot);
    }
    gw_index_reset(statement);
    return result < 0 ? result : count;
}

struct gw_coverage_run *gw_index_find_last_run(struct gw_coverage_run *runs, int count,
                                               const struct gw_id *boot)
{
    for (int i = 0; i < count; i++)
        if (runs[i].next_us == GW_NO_TIME && gw_id_equal(&runs[i].boot, boot))
            return &runs[i];
    return NULL;
}

int gw_index_read_duty(struct gw_index *index, const char *camera, struct gw_coverage_duty *ret)
{
    sqlite3_stmt *statement =
        gw_index_statement(index, "SELECT enabled + 2 * (record = 'events') FROM camera"
                                  " WHERE id = ?1 AND record <> 'off'");
    if (!statement)
        return GW_ERROR_INDEX;
    int64_t bits = 0;
    gw_index_bind_text(statement, 1, camera);
    int result = gw_index_integer(index, statement, &bits);
    *ret =
        (struct gw_coverage_duty){.record = result == 1, .enabled = bits & 1, .events = bits & 2};
    return result < 0 ? result : 0;
}

// --- one run -------------------------------------------------------------------------------------

int gw_index_add_run(struct gw_index *index, const char *camera, const struct gw_id *boot,
                     int64_t start_us, int64_t end_us)
{
    sqlite3_stmt *statement =
        gw_index_statement(index, "INSERT INTO coverage (camera, boot, state, start_us, end_us)"
                                  " VALUES (?1, ?2, 'live', ?3, ?4)");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, camera);
    gw_index_bind_id(statement, 2, boot);
    sqlite3_bind_int64(statement, 3, start_us);
    sqlite3_bind_int64(statement, 4, end_us);
    return gw_index_run(index, statement);
}

int gw_index_extend_run(struct gw_index *index, int64_t run, int64_t end_us)
{
    sqlite3_stmt *statement =
        gw_index_statement(index, "UPDATE coverage SET end_us = ?2 WHERE run = ?1 AND end_us < ?2");
    if (!statement)
        return GW_ERROR_INDEX;
    sqlite3_bind_int64(statement, 1, run);
    sqlite3_bind_int64(statement, 2, end_us);
    return gw_index_run(index, statement);
}

int gw_index_remove_run(struct gw_index *index, int64_t run)
{
    sqlite3_stmt *statement = gw_index_statement(index, "DELETE FROM coverage WHERE run = ?1");
    if (!statement)
        return GW_ERROR_INDEX;
    sqlite3_bind_int64(statement, 1, run);
    return gw_index_run(index, statement);
}

int gw_index_follow_runs(struct gw_index *index, const char *camera, int64_t start_us)
{
    sqlite3_stmt *statement = gw_index_statement(
        index, "UPDATE coverage SET next_us = ?2 WHERE camera = ?1 AND next_us IS NULL");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, camera);
    sqlite3_bind_int64(statement, 2, start_us);
    return gw_index_run(index, statement);
}

// --- many runs -----------------------------------------------------------------------------------

static bool is_among(const struct gw_id *boots, int count, const struct gw_id *boot)
{
    for (int i = 0; i < count; i++)
        if (gw_id_equal(&boots[i], boot))
            return true;
    return false;
}

static int lose_runs_of(struct gw_index *index, const struct gw_id *boot)
{
    sqlite3_stmt *statement =
        gw_index_statement(index, "UPDATE coverage SET state = 'lost' WHERE boot = ?1");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_id(statement, 1, boot);
    return gw_index_run(index, statement);
}

// One boot at a time, because each changes what the next one is looked for in.
int gw_index_lose_runs(struct gw_index *index, const struct gw_id *running, int count)
{
    struct gw_id boot = {0};
    int result;

    do {
        sqlite3_stmt *statement = gw_index_statement(
            index, "SELECT min(boot) FROM coverage WHERE state = 'live' AND boot > ?1");
        if (!statement)
            return GW_ERROR_INDEX;
        const struct gw_id last = boot;
        gw_index_bind_id(statement, 1, &last);
        result = gw_index_step(index, statement);
        const bool found = result == 1 && gw_index_read_id(statement, 0, &boot);
        gw_index_reset(statement);
        if (result < 0 || !found)
            return result < 0 ? result : 0;
        result = is_among(running, count, &boot) ? 0 : lose_runs_of(index, &boot);
    } while (!result);
    return result;
}

int gw_index_forget_runs(struct gw_index *index)
{
    sqlite3_stmt *statement =
        gw_index_statement(index, "DELETE FROM coverage WHERE camera NOT IN"
                                  " (SELECT id FROM camera WHERE record <> 'off')");
    return statement ? gw_index_run(index, statement) : GW_ERROR_INDEX;
}

int gw_index_add_new_runs(struct gw_index *index, int64_t now_us)
{
    sqlite3_stmt *statement =
        gw_index_statement(index, "INSERT INTO coverage (camera, state, start_us, end_us)"
                                  " SELECT id, 'new', ?1, ?1 FROM camera"
                                  " WHERE enabled AND record <> 'off'"
                                  " AND id NOT IN (SELECT camera FROM coverage)"
                                  " AND id NOT IN (SELECT camera FROM gap WHERE state = 'open')");
    if (!statement)
        return GW_ERROR_INDEX;
    sqlite3_bind_int64(statement, 1, now_us);
    return gw_index_run(index, statement);
}

// --- stamps --------------------------------------------------------------------------------------

struct stamping {
    struct gw_index *index;
    const struct gw_id *boot;
    const struct gw_coverage_stamp *stamps;
    int count;
};

static int put_stamps(void *opaque)
{
    const struct stamping *stamping = opaque;
    sqlite3_stmt *statement =
        gw_index_statement(stamping->index, "UPDATE coverage SET end_us = ?3 WHERE camera = ?1"
                                            " AND boot = ?2 AND start_us <= ?3 AND end_us < ?3");
    int result = statement ? 0 : GW_ERROR_INDEX;

    for (int i = 0; !result && i < stamping->count; i++) {
        gw_index_bind_text(statement, 1, stamping->stamps[i].camera);
        gw_index_bind_id(statement, 2, stamping->boot);
        sqlite3_bind_int64(statement, 3, stamping->stamps[i].until_us);
        result = gw_index_run(stamping->index, statement);
    }
    return result;
}

int gw_index_stamp_coverage(struct gw_index *index, const struct gw_id *boot,
                            const struct gw_coverage_stamp *stamps, int count)
{
    assert(index->mode != GW_INDEX_READ);
    struct stamping stamping = {index, boot, stamps, count};
    return count ? gw_index_transaction(index, put_stamps, &stamping) : 0;
}
