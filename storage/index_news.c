// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Coverage in: changes the books of coverage and of gaps by what workers tell, what the registry
// wants and which workers are gone.

#include <assert.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/index_coverage.h"

// A new camera counts from its first picture, when that comes within this time and at the first
// try.
#define FIRST_CONNECT_US (5 * GW_SECOND)

// --- news ----------------------------------------------------------------------------------------

struct news {
    struct gw_commit *commit;
    const struct gw_fact_entry *entry;
    const struct gw_coverage_news *said;
    struct gw_coverage_duty duty;
    struct gw_coverage_run runs[GW_COVERAGE_RUNS];
    int count;
    struct gw_coverage_run *mine, *new; // NULL when there is none
};

// The first picture of a camera that was never covered.
static int begin_new(struct news *news)
{
    const struct gw_coverage_news *said = news->said;
    enum gw_gap_cause cause = said->cause ? said->cause : GW_GAP_WORKER_RESTARTED;
    int result = 0;

    if (said->from_us - news->new->end_us > FIRST_CONNECT_US)
        result = gw_index_add_gap(news->commit, said->camera, cause, news->new->end_us,
                                  said->from_us, news->entry->fact.wall_us);
    return result ? result : gw_index_remove_run(news->commit->index, news->new->run);
}

static int take_began(struct news *news)
{
    const struct gw_coverage_news *said = news->said;
    struct gw_index *index = news->commit->index;
    struct gw_gap_row open;
    int64_t end_us = said->from_us;

    if (news->mine)
        return 0;
    int result = gw_index_find_open_gap(index, said->camera, &open);
    if (result == 1) {
        result = gw_index_close_gap(news->commit, &open, said->from_us, news->entry->fact.wall_us);
        end_us = open.gap.to_us;
    } else if (!result && news->new) {
        result = begin_new(news);
    }
    if (!result)
        result = gw_index_follow_runs(index, said->camera, said->from_us);
    if (!result)
        result = gw_index_add_run(index, said->camera, &news->entry->boot, said->from_us, end_us);
    return result
               ? result
               : gw_index_settle_lost_runs(news->commit, said->camera, news->entry->fact.wall_us);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// Opens a gap where this run, which is over, ended.
static int end_run(struct news *news, const struct gw_coverage_run *run, enum gw_gap_cause cause,
                   int64_t from_us)
{
    int result = gw_index_open_gap(news->commit, news->said->camera, cause, from_us,
                                   news->entry->fact.wall_us);
    return result ? result : gw_index_remove_run(news->commit->index, run->run);
}

static int take_broke(struct news *news)
{
    const struct gw_coverage_news *said = news->said;

    if (news->mine)
        return end_run(news, news->mine, said->cause, later(said->from_us, news->mine->start_us));
    if (news->new)
        return end_run(news, news->new, said->cause, news->new->end_us);
    // Else it has an open gap, or one will begin where a lost run ended. If neither, this is the
    // first that is heard of it.
    for (int i = 0; i < news->count; i++)
        if (news->runs[i].next_us == GW_NO_TIME)
            return 0;
    return gw_index_open_gap(news->commit, said->camera, said->cause, said->from_us,
                             news->entry->fact.wall_us);
}

static int take_hole(struct news *news)
{
    const struct gw_coverage_news *said = news->said;
    int result = gw_index_add_gap(news->commit, said->camera, said->cause, said->from_us,
                                  said->to_us, news->entry->fact.wall_us);
    // It is told before the picture behind it is in a clip, which that then may never be.
    if (!result && news->mine && news->duty.events)
        result = gw_index_extend_run(news->commit->index, news->mine->run, said->to_us);
    return result;
}

static int take_ended(struct news *news)
{
    enum gw_gap_cause cause = news->duty.enabled ? GW_GAP_WORKER_RESTARTED : GW_GAP_DISABLED;

    if (news->mine)
        return end_run(news, news->mine, cause, later(news->said->from_us, news->mine->end_us));
    if (news->new)
        return end_run(news, news->new, cause, news->new->end_us);
    return 0;
}

int gw_index_take_coverage(struct gw_commit *commit, const struct gw_fact_entry *entry)
{
    static const struct gw_id nobody;
    struct news news = {.commit = commit, .entry = entry, .said = &entry->fact.coverage};

    int result = gw_index_read_duty(commit->index, news.said->camera, &news.duty);
    if (result < 0 || !news.duty.record)
        return result; // gw_index_settle_coverage does what is left to do
    news.count = gw_index_read_runs(commit->index, news.said->camera, news.runs);
    if (news.count < 0)
        return news.count;
    if (!gw_id_is_null(&entry->boot))
        news.mine = gw_index_find_last_run(news.runs, news.count, &entry->boot);
    news.new = gw_index_find_last_run(news.runs, news.count, &nobody);
    switch (news.said->change) {
    case GW_COVERAGE_BEGAN: return take_began(&news);
    case GW_COVERAGE_BROKE: return take_broke(&news);
    case GW_COVERAGE_HOLE: return take_hole(&news);
    case GW_COVERAGE_ENDED: return take_ended(&news);
    }
    return GW_ERROR_INVALID;
}

// --- settling ------------------------------------------------------------------------------------

struct settling {
    struct gw_commit commit;
    const struct gw_id *running;
    int count;
    int64_t now_us;
};

struct names {
    char (*ids)[GW_CAMERA_ID_SIZE];
    int count;
};

// The cameras that a query names. The caller frees ret->ids. Returns 0 or an error.
static int read_names(struct gw_index *index, const char *sql, struct names *ret)
{
    sqlite3_stmt *statement = gw_index_statement(index, sql);
    int result = GW_ERROR_INDEX;

    *ret = (struct names){0};
    while (statement && (result = gw_index_step(index, statement)) == 1) {
        if (ret->count % 256 == 0) {
            ret->ids = realloc(ret->ids, ((size_t)ret->count + 256) * sizeof(*ret->ids));
            if (!ret->ids)
                abort();
        }
        gw_index_column_text(statement, 0, ret->ids[ret->count++], GW_CAMERA_ID_SIZE);
    }
    if (statement)
        gw_index_reset(statement);
    return result;
}

// Calls back for every camera that a query names.
static int for_each(struct settling *settling, const char *sql,
                    int (*callback)(struct gw_commit *commit, const char *camera, int64_t now_us))
{
    struct names names;
    int result = read_names(settling->commit.index, sql, &names);

    for (int i = 0; !result && i < names.count; i++)
        result = callback(&settling->commit, names.ids[i], settling->now_us);
    free(names.ids);
    return result;
}

static int close_undue_gap(struct gw_commit *commit, const char *camera, int64_t now_us)
{
    struct gw_gap_row row;
    int result = gw_index_find_open_gap(commit->index, camera, &row);
    if (result == 1)
        result = gw_index_close_gap(commit, &row, now_us, now_us);
    return result;
}

// Switched off before anybody connected to it.
static int open_disabled_gap(struct gw_commit *commit, const char *camera, int64_t now_us)
{
    static const struct gw_id nobody;
    struct gw_coverage_run runs[GW_COVERAGE_RUNS];
    int count = gw_index_read_runs(commit->index, camera, runs);
    const struct gw_coverage_run *new =
        count > 0 ? gw_index_find_last_run(runs, count, &nobody) : NULL;

    if (!new)
        return count < 0 ? count : 0;
    int result = gw_index_open_gap(commit, camera, GW_GAP_DISABLED, new->end_us, now_us);
    return result ? result : gw_index_remove_run(commit->index, new->run);
}

static int settle(void *opaque)
{
    struct settling *settling = opaque;
    struct gw_index *index = settling->commit.index;

    int result = gw_index_forget_runs(index);
    if (!result)
        result = for_each(settling,
                          "SELECT camera FROM gap WHERE state = 'open' AND camera NOT IN"
                          " (SELECT id FROM camera WHERE record <> 'off')",
                          close_undue_gap);
    if (!result)
        result = gw_index_lose_runs(index, settling->running, settling->count);
    if (!result)
        result = for_each(settling, "SELECT DISTINCT camera FROM coverage WHERE state = 'lost'",
                          gw_index_settle_lost_runs);
    if (!result)
        result = for_each(settling,
                          "SELECT camera FROM coverage JOIN camera ON camera.id = coverage.camera"
                          " WHERE state = 'new' AND NOT enabled",
                          open_disabled_gap);
    return result ? result : gw_index_add_new_runs(index, settling->now_us);
}

int gw_index_settle_coverage(struct gw_index *index, const struct gw_id *running, int count,
                             int64_t now_us)
{
    assert(index->mode != GW_INDEX_READ);
    struct settling settling = {
        .commit = {.index = index}, .running = running, .count = count, .now_us = now_us};
    return gw_index_transaction(index, settle, &settling);
}
