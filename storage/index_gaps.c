// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Coverage in, gaps out. Why this is right is in docs/design/gaps.md.
//
// A camera that is to be recorded has either one open gap or a run that nothing follows: a row of
// table coverage, from the first covered picture on that one run of a worker told. A run that was
// lost with its worker stays until its clips are repaired, because only they say where it ended; by
// then its successor may have begun, which is its next_us. All that a fact changes here is one
// transaction with it.

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/index_internal.h"

// A new camera counts from its first picture, when that comes within this time and at the first
// try.
#define FIRST_CONNECT_US (5 * GW_SECOND)

enum { MOST_RUNS = 16 }; // of one camera that are looked at together

// --- what is there -------------------------------------------------------------------------------

struct run {
    int64_t run;
    struct gw_id boot; // null: nobody has covered it yet
    bool lost;         // its worker is gone
    int64_t start_us;  // of its first picture; of a new camera, since when it shall be recorded
    int64_t end_us;    // covered at least until then
    int64_t next_us;   // when a later run began; GW_NO_TIME: none has
};

// The newest runs of a camera, the newest first. Returns how many, or an error.
static int read_runs(struct gw_index *index, const char *camera, struct run runs[MOST_RUNS])
{
    int count = 0, result;
    sqlite3_stmt *statement =
        gw_index_statement(index, "SELECT run, boot, state, start_us, end_us, next_us FROM coverage"
                                  " WHERE camera = ?1 ORDER BY run DESC LIMIT 16");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, camera);
    while ((result = gw_index_step(index, statement)) == 1) {
        const void *boot = sqlite3_column_blob(statement, 1);
        struct run *run = &runs[count++];
        *run =
            (struct run){.run = sqlite3_column_int64(statement, 0),
                         .lost = !strcmp((const char *)sqlite3_column_text(statement, 2), "lost"),
                         .start_us = sqlite3_column_int64(statement, 3),
                         .end_us = sqlite3_column_int64(statement, 4),
                         .next_us = GW_NO_TIME};
        if (boot && sqlite3_column_bytes(statement, 1) == sizeof(run->boot.bytes))
            memcpy(run->boot.bytes, boot, sizeof(run->boot.bytes));
        if (sqlite3_column_type(statement, 5) != SQLITE_NULL)
            run->next_us = sqlite3_column_int64(statement, 5);
    }
    gw_index_reset(statement);
    return result < 0 ? result : count;
}

// The run that nothing follows: of this boot, or (boot null) of a new camera. NULL when there is
// none.
static struct run *find_last(struct run *runs, int count, const struct gw_id *boot)
{
    for (int i = 0; i < count; i++)
        if (runs[i].next_us == GW_NO_TIME && gw_id_equal(&runs[i].boot, boot))
            return &runs[i];
    return NULL;
}

static int add_run(struct gw_index *index, const char *camera, const struct gw_id *boot,
                   int64_t start_us, int64_t end_us)
{
    sqlite3_stmt *statement =
        gw_index_statement(index, "INSERT INTO coverage (camera, boot, state, start_us, end_us)"
                                  " VALUES (?1, ?2, 'live', ?3, ?4)");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, camera);
    sqlite3_bind_blob(statement, 2, boot->bytes, sizeof(boot->bytes), SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, start_us);
    sqlite3_bind_int64(statement, 4, end_us);
    return gw_index_run(index, statement);
}

static int extend_run(struct gw_index *index, int64_t run, int64_t end_us)
{
    sqlite3_stmt *statement =
        gw_index_statement(index, "UPDATE coverage SET end_us = ?2 WHERE run = ?1 AND end_us < ?2");
    if (!statement)
        return GW_ERROR_INDEX;
    sqlite3_bind_int64(statement, 1, run);
    sqlite3_bind_int64(statement, 2, end_us);
    return gw_index_run(index, statement);
}

static int remove_run(struct gw_index *index, int64_t run)
{
    sqlite3_stmt *statement = gw_index_statement(index, "DELETE FROM coverage WHERE run = ?1");
    if (!statement)
        return GW_ERROR_INDEX;
    sqlite3_bind_int64(statement, 1, run);
    return gw_index_run(index, statement);
}

// What the registry wants of a camera.
struct duty {
    bool record, enabled;
    bool events; // only them: what was received is covered
};

static int read_duty(struct gw_index *index, const char *camera, struct duty *ret)
{
    sqlite3_stmt *statement =
        gw_index_statement(index, "SELECT enabled + 2 * (record = 'events') FROM camera"
                                  " WHERE id = ?1 AND record <> 'off'");
    if (!statement)
        return GW_ERROR_INDEX;
    int64_t bits = 0;
    gw_index_bind_text(statement, 1, camera);
    int result = gw_index_integer(index, statement, &bits);
    *ret = (struct duty){.record = result == 1, .enabled = bits & 1, .events = bits & 2};
    return result < 0 ? result : 0;
}

// --- gaps ----------------------------------------------------------------------------------------

// Returns 1 with the camera's open gap, 0 when it has none, or an error.
static int find_open_gap(struct gw_index *index, const char *camera, struct gw_gap_row *ret)
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
        result = gw_index_note_length(index, "longest_gap_us", gap->to_us - gap->from_us);
    if (!result)
        result = gw_index_add_fact(commit, gap->open ? GW_FACT_GAP_OPENED : GW_FACT_GAP_CLOSED,
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

// What this interval has beyond the gaps that are known becomes gaps, so that no two ever overlap.
// to_us INT64_MAX: the last of them is open.
static int add_gap(struct gw_commit *commit, const char *camera, enum gw_gap_cause cause,
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

static int open_gap(struct gw_commit *commit, const char *camera, enum gw_gap_cause cause,
                    int64_t from_us, int64_t wall_us)
{
    return add_gap(commit, camera, cause, from_us, INT64_MAX, wall_us);
}

// Coverage that goes on before the gap began (the clock was put back) leaves a gap without length.
static int close_gap(struct gw_commit *commit, struct gw_gap_row *row, int64_t to_us,
                     int64_t wall_us)
{
    row->gap.open = false;
    row->gap.to_us = to_us > row->gap.from_us ? to_us : row->gap.from_us;
    return put_gap(commit, row, wall_us);
}

// --- runs that were lost with their worker -------------------------------------------------------

// Whether a clip of this run waits for its repair: it alone says how far the run went. Returns 1,
// 0, or an error.
static int awaits_repair(struct gw_index *index, const char *camera, const struct run *run)
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

static int settle_run(struct gw_commit *commit, const char *camera, const struct run *run,
                      int64_t wall_us)
{
    struct duty duty;
    int result = awaits_repair(commit->index, camera, run);
    if (result)
        return result < 0 ? result : 0;
    result = read_duty(commit->index, camera, &duty);
    if (!result && duty.record)
        result = add_gap(commit, camera, GW_GAP_WORKER_RESTARTED, run->end_us,
                         run->next_us == GW_NO_TIME ? INT64_MAX : run->next_us, wall_us);
    return result ? result : remove_run(commit->index, run->run);
}

static int settle_lost(struct gw_commit *commit, const char *camera, int64_t wall_us)
{
    struct run runs[MOST_RUNS];
    int count = read_runs(commit->index, camera, runs), result = count < 0 ? count : 0;

    for (int i = 0; !result && i < count; i++)
        if (runs[i].lost)
            result = settle_run(commit, camera, &runs[i], wall_us);
    return result;
}

int gw_index_take_clip_end(struct gw_commit *commit, const struct gw_clip *clip, int64_t wall_us)
{
    struct run runs[MOST_RUNS];
    const struct run *of = NULL;
    int count = read_runs(commit->index, clip->camera, runs), result = count < 0 ? count : 0;

    for (int i = 0; i < count; i++)
        if (!of && !gw_id_is_null(&runs[i].boot) && runs[i].start_us <= clip->start_us)
            of = &runs[i];
    if (!result && of && clip->state != GW_CLIP_LOST)
        result = extend_run(commit->index, of->run, clip->end_us);
    return result ? result : settle_lost(commit, clip->camera, wall_us);
}

// --- news ----------------------------------------------------------------------------------------

struct news {
    struct gw_commit *commit;
    const struct gw_fact_entry *entry;
    const struct gw_coverage_news *said;
    struct duty duty;
    struct run runs[MOST_RUNS];
    int count;
    struct run *mine, *new; // NULL when there is none
};

// Others that nothing followed are followed by this.
static int follow_others(struct gw_index *index, const char *camera, int64_t start_us)
{
    sqlite3_stmt *statement = gw_index_statement(
        index, "UPDATE coverage SET next_us = ?2 WHERE camera = ?1 AND next_us IS NULL");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, camera);
    sqlite3_bind_int64(statement, 2, start_us);
    return gw_index_run(index, statement);
}

// The first picture of a camera that was never covered.
static int begin_new(struct news *news)
{
    const struct gw_coverage_news *said = news->said;
    enum gw_gap_cause cause = said->cause ? said->cause : GW_GAP_WORKER_RESTARTED;
    int result = 0;

    if (said->from_us - news->new->end_us > FIRST_CONNECT_US)
        result = add_gap(news->commit, said->camera, cause, news->new->end_us, said->from_us,
                         news->entry->fact.wall_us);
    return result ? result : remove_run(news->commit->index, news->new->run);
}

static int take_began(struct news *news)
{
    const struct gw_coverage_news *said = news->said;
    struct gw_index *index = news->commit->index;
    struct gw_gap_row open;
    int64_t end_us = said->from_us;

    if (news->mine)
        return 0;
    int result = find_open_gap(index, said->camera, &open);
    if (result == 1) {
        result = close_gap(news->commit, &open, said->from_us, news->entry->fact.wall_us);
        end_us = open.gap.to_us;
    } else if (!result && news->new) {
        result = begin_new(news);
    }
    if (!result)
        result = follow_others(index, said->camera, said->from_us);
    if (!result)
        result = add_run(index, said->camera, &news->entry->boot, said->from_us, end_us);
    return result ? result : settle_lost(news->commit, said->camera, news->entry->fact.wall_us);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// Opens a gap where this run, which is over, ended.
static int end_run(struct news *news, const struct run *run, enum gw_gap_cause cause,
                   int64_t from_us)
{
    int result =
        open_gap(news->commit, news->said->camera, cause, from_us, news->entry->fact.wall_us);
    return result ? result : remove_run(news->commit->index, run->run);
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
    return open_gap(news->commit, said->camera, said->cause, said->from_us,
                    news->entry->fact.wall_us);
}

static int take_hole(struct news *news)
{
    const struct gw_coverage_news *said = news->said;
    int result = add_gap(news->commit, said->camera, said->cause, said->from_us, said->to_us,
                         news->entry->fact.wall_us);
    // It is told before the picture behind it is in a clip, which that then may never be.
    if (!result && news->mine && news->duty.events)
        result = extend_run(news->commit->index, news->mine->run, said->to_us);
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

    int result = read_duty(commit->index, news.said->camera, &news.duty);
    if (result < 0 || !news.duty.record)
        return result; // gw_index_settle_coverage does what is left to do
    news.count = read_runs(commit->index, news.said->camera, news.runs);
    if (news.count < 0)
        return news.count;
    if (!gw_id_is_null(&entry->boot))
        news.mine = find_last(news.runs, news.count, &entry->boot);
    news.new = find_last(news.runs, news.count, &nobody);
    switch (news.said->change) {
    case GW_COVERAGE_BEGAN: return take_began(&news);
    case GW_COVERAGE_BROKE: return take_broke(&news);
    case GW_COVERAGE_HOLE: return take_hole(&news);
    case GW_COVERAGE_ENDED: return take_ended(&news);
    }
    return GW_ERROR_INVALID;
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
        sqlite3_bind_blob(statement, 2, stamping->boot->bytes, sizeof(stamping->boot->bytes),
                          SQLITE_STATIC);
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
                    int (*callback)(struct settling *settling, const char *camera))
{
    struct names names;
    int result = read_names(settling->commit.index, sql, &names);

    for (int i = 0; !result && i < names.count; i++)
        result = callback(settling, names.ids[i]);
    free(names.ids);
    return result;
}

static bool is_running(const struct settling *settling, const struct gw_id *boot)
{
    for (int i = 0; i < settling->count; i++)
        if (gw_id_equal(&settling->running[i], boot))
            return true;
    return false;
}

static int lose_runs(struct gw_index *index, const struct gw_id *boot)
{
    sqlite3_stmt *statement =
        gw_index_statement(index, "UPDATE coverage SET state = 'lost' WHERE boot = ?1");
    if (!statement)
        return GW_ERROR_INDEX;
    sqlite3_bind_blob(statement, 1, boot->bytes, sizeof(boot->bytes), SQLITE_STATIC);
    return gw_index_run(index, statement);
}

// One boot at a time, because each changes what the next one is looked for in.
static int lose_stray_runs(struct settling *settling)
{
    struct gw_index *index = settling->commit.index;
    struct gw_id boot = {0};
    int result;

    do {
        sqlite3_stmt *statement = gw_index_statement(
            index, "SELECT min(boot) FROM coverage WHERE state = 'live' AND boot > ?1");
        if (!statement)
            return GW_ERROR_INDEX;
        sqlite3_bind_blob(statement, 1, boot.bytes, sizeof(boot.bytes), SQLITE_TRANSIENT);
        result = gw_index_step(index, statement);
        const bool found = result == 1 && sqlite3_column_bytes(statement, 0) == sizeof(boot.bytes);
        if (found)
            memcpy(boot.bytes, sqlite3_column_blob(statement, 0), sizeof(boot.bytes));
        gw_index_reset(statement);
        if (result < 0 || !found)
            return result < 0 ? result : 0;
        result = is_running(settling, &boot) ? 0 : lose_runs(index, &boot);
    } while (!result);
    return result;
}

static int settle_lost_runs(struct settling *settling, const char *camera)
{
    return settle_lost(&settling->commit, camera, settling->now_us);
}

static int close_undue_gap(struct settling *settling, const char *camera)
{
    struct gw_gap_row row;
    int result = find_open_gap(settling->commit.index, camera, &row);
    if (result == 1)
        result = close_gap(&settling->commit, &row, settling->now_us, settling->now_us);
    return result;
}

// Switched off before anybody connected to it.
static int open_disabled_gap(struct settling *settling, const char *camera)
{
    static const struct gw_id nobody;
    struct run runs[MOST_RUNS];
    int count = read_runs(settling->commit.index, camera, runs);
    const struct run *new = count > 0 ? find_last(runs, count, &nobody) : NULL;

    if (!new)
        return count < 0 ? count : 0;
    int result =
        open_gap(&settling->commit, camera, GW_GAP_DISABLED, new->end_us, settling->now_us);
    return result ? result : remove_run(settling->commit.index, new->run);
}

static int forget_undue_runs(struct gw_index *index)
{
    sqlite3_stmt *statement =
        gw_index_statement(index, "DELETE FROM coverage WHERE camera NOT IN"
                                  " (SELECT id FROM camera WHERE record <> 'off')");
    return statement ? gw_index_run(index, statement) : GW_ERROR_INDEX;
}

static int add_new_cameras(struct gw_index *index, int64_t now_us)
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

static int settle(void *opaque)
{
    struct settling *settling = opaque;
    struct gw_index *index = settling->commit.index;

    settling->commit.head = gw_index_head(index);
    if (settling->commit.head < 0)
        return (int)settling->commit.head;
    int result = forget_undue_runs(index);
    if (!result)
        result = for_each(settling,
                          "SELECT camera FROM gap WHERE state = 'open' AND camera NOT IN"
                          " (SELECT id FROM camera WHERE record <> 'off')",
                          close_undue_gap);
    if (!result)
        result = lose_stray_runs(settling);
    if (!result)
        result = for_each(settling, "SELECT DISTINCT camera FROM coverage WHERE state = 'lost'",
                          settle_lost_runs);
    if (!result)
        result = for_each(settling,
                          "SELECT camera FROM coverage JOIN camera ON camera.id = coverage.camera"
                          " WHERE state = 'new' AND NOT enabled",
                          open_disabled_gap);
    return result ? result : add_new_cameras(index, settling->now_us);
}

int gw_index_settle_coverage(struct gw_index *index, const struct gw_id *running, int count,
                             int64_t now_us)
{
    assert(index->mode != GW_INDEX_READ);
    struct settling settling = {
        .commit = {.index = index}, .running = running, .count = count, .now_us = now_us};
    return gw_index_transaction(index, settle, &settling);
}
