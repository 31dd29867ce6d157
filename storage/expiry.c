// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/expiry.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/index_internal.h"

enum {
    STEP = 256,      // rows of one statement
    READ_MOST = 4096 // rows and cameras of one call
};

// --- rows ----------------------------------------------------------------------------------------

// What a candidate needs, in the order in which read_candidate() reads it.
static const char *const of_place[] = {
    [GW_NOUN_EVENT] = "SELECT id, camera, start_us, end_us, state, kind, 0 FROM event"
                      " WHERE place = ?1 AND (start_us, id) > (?2, ?3) AND start_us < ?4"
                      " ORDER BY start_us, id LIMIT ?5",
    [GW_NOUN_CLIP] = "SELECT id, camera, start_us, end_us, state, '', size_bytes FROM clip"
                     " WHERE place = ?1 AND (start_us, id) > (?2, ?3) AND start_us < ?4"
                     " ORDER BY start_us, id LIMIT ?5",
    [GW_NOUN_GAP] = "SELECT id, camera, start_us, end_us, state, '', 0 FROM gap"
                    " WHERE place = ?1 AND (start_us, id) > (?2, ?3) AND start_us < ?4"
                    " ORDER BY start_us, id LIMIT ?5",
};

static const char *const of_all[] = {
    [GW_NOUN_EVENT] = "SELECT id, camera, start_us, end_us, state, kind, 0 FROM event"
                      " WHERE (start_us, id) > (?2, ?3) ORDER BY start_us, id LIMIT ?5",
    [GW_NOUN_CLIP] = "SELECT id, camera, start_us, end_us, state, '', size_bytes FROM clip"
                     " WHERE (start_us, id) > (?2, ?3) ORDER BY start_us, id LIMIT ?5",
};

static bool is_finished(enum gw_noun noun, const char *state)
{
    switch (noun) {
    case GW_NOUN_EVENT: return !strcmp(state, gw_event_state_name(GW_EVENT_CLOSED));
    case GW_NOUN_CLIP: return strcmp(state, gw_clip_state_name(GW_CLIP_RECORDING)) != 0;
    case GW_NOUN_GAP: return !strcmp(state, gw_gap_state_name(false));
    }
    return false;
}

static int read_candidate(struct gw_index *index, sqlite3_stmt *statement, enum gw_noun noun,
                          struct gw_candidate *ret)
{
    char state[16], kind[16];

    *ret = (struct gw_candidate){.victim.noun = noun};
    if (!gw_index_read_id(statement, 0, &ret->victim.id)) {
        snprintf(index->error, sizeof(index->error), "a row has no id");
        return GW_ERROR_INDEX;
    }
    gw_index_column_text(statement, 1, ret->camera, sizeof(ret->camera));
    ret->start_us = sqlite3_column_int64(statement, 2);
    ret->end_us = sqlite3_column_int64(statement, 3);
    gw_index_column_text(statement, 4, state, sizeof(state));
    gw_index_column_text(statement, 5, kind, sizeof(kind));
    ret->kind = gw_event_kind_from_name(kind);
    ret->size_bytes = sqlite3_column_int64(statement, 6);
    ret->finished = is_finished(noun, state);
    return 0;
}

struct range {
    int64_t place;    // 0: of all
    int64_t start_us; // behind this row
    const struct gw_id *id;
    int64_t before_us;
    int limit;
};

static int read_rows(struct gw_index *index, enum gw_noun noun, const struct range *range,
                     struct gw_candidate *ret)
{
    int count = 0, result;
    sqlite3_stmt *statement =
        gw_index_statement(index, range->place ? of_place[noun] : of_all[noun]);

    if (!statement)
        return GW_ERROR_INDEX;
    if (range->place) {
        sqlite3_bind_int64(statement, 1, range->place);
        sqlite3_bind_int64(statement, 4, range->before_us);
    }
    sqlite3_bind_int64(statement, 2, range->start_us);
    gw_index_bind_id(statement, 3, range->id);
    sqlite3_bind_int(statement, 5, range->limit);
    while ((result = gw_index_step(index, statement)) == 1)
        if ((result = read_candidate(index, statement, noun, &ret[count++])) < 0)
            break;
    gw_index_reset(statement);
    return result < 0 ? result : count;
}

// --- what stays ----------------------------------------------------------------------------------

// Holds of a division are left to the deletion, which knows the place.
static bool is_held(const struct gw_hold *holds, int count, const struct gw_candidate *candidate,
                    int64_t now_us)
{
    for (int i = 0; i < count; i++)
        if (!*holds[i].division && gw_hold_lasts(&holds[i], now_us) &&
            gw_hold_covers(&holds[i], candidate->camera, NULL, candidate->start_us,
                           candidate->end_us))
            return true;
    return false;
}

// A clip stays as long as an event in it does: without its pictures it would be a claim. Returns 1,
// 0 or an error.
static int shows_event(struct gw_index *index, const struct gw_candidate *clip)
{
    struct gw_query query;
    struct gw_event_row row;
    char cursor[64];

    gw_query_init(&query);
    snprintf(query.camera, sizeof(query.camera), "%s", clip->camera);
    query.from_us = clip->start_us;
    query.to_us = clip->end_us > clip->start_us ? clip->end_us : clip->start_us + 1;
    query.limit = 1;
    return gw_index_events(index, &query, &row, cursor);
}

static struct gw_retention_span span_of(const struct gw_expiry_config *config, enum gw_noun noun,
                                        int kind, const char *camera)
{
    return gw_retention_span(&config->rules, noun, kind,
                             config->camera_days(config->opaque, camera));
}

// --- by age --------------------------------------------------------------------------------------

void gw_expiry_begin(struct gw_expiry_walk *walk)
{
    *walk = (struct gw_expiry_walk){.noun = GW_NOUN_EVENT};
}

// Goes to the next place, or to the next noun. Returns 0 or an error.
static int next_place(struct gw_index *index, struct gw_expiry_walk *walk)
{
    const int result = gw_index_load_places(index);

    walk->start_us = INT64_MIN;
    walk->id = (struct gw_id){{0}};
    walk->more = !result && ++walk->place < index->place_count;
    if (result || walk->more)
        return result;
    walk->place = 0;
    walk->done = walk->noun == GW_NOUN_GAP;
    walk->noun = walk->noun == GW_NOUN_EVENT ? GW_NOUN_CLIP : GW_NOUN_GAP;
    return 0;
}

struct search {
    struct gw_index *index;
    const struct gw_expiry_config *config;
    int64_t now_us;
    struct gw_hold *holds;
    int hold_count;
    struct gw_candidate rows[STEP];
};

// Returns 1, 0 or an error.
static int is_due(const struct search *search, const struct gw_candidate *row)
{
    const struct gw_retention_span span =
        span_of(search->config, row->victim.noun, row->kind, row->camera);

    if (!row->finished || gw_retention_due_us(span, row->start_us, row->end_us) > search->now_us ||
        is_held(search->holds, search->hold_count, row, search->now_us))
        return 0;
    if (row->victim.noun != GW_NOUN_CLIP)
        return 1;
    const int shows = shows_event(search->index, row);
    return shows < 0 ? shows : !shows;
}

// Looks at some rows of the walk's camera. Returns how many of them it gave; *looked counts those
// it looked at.
static int look_at_place(struct search *search, struct gw_expiry_walk *walk,
                         struct gw_candidate *ret, int limit, int *looked)
{
    const struct gw_index_place *place = gw_index_place(search->index, walk->place);
    if (!place) { // numbers have holes when an index was made again
        walk->more = false;
        return 0;
    }
    const int64_t shortest_us = gw_retention_shortest_us(
        &search->config->rules, walk->noun,
        search->config->camera_days(search->config->opaque, place->camera));
    const struct range range = {.place = walk->place,
                                .start_us = walk->start_us,
                                .id = &walk->id,
                                .before_us = search->now_us - shortest_us + 1,
                                .limit = STEP};
    int given = 0, i = 0;

    const int count = shortest_us ? read_rows(search->index, walk->noun, &range, search->rows) : 0;
    if (count < 0)
        return count;
    for (; i < count && given < limit; i++) {
        const struct gw_candidate *row = &search->rows[i];
        const int due = is_due(search, row);
        if (due < 0)
            return due;
        if (due)
            ret[given++] = *row;
        walk->start_us = row->start_us;
        walk->id = row->victim.id;
    }
    walk->more = i < count || count == STEP;
    *looked += count;
    return given;
}

static int search_due(struct search *search, struct gw_expiry_walk *walk, struct gw_candidate *ret,
                      int limit)
{
    const enum gw_noun noun = walk->noun;
    int given = 0, looked = 0;

    // Events that are given are still there: whether a clip shows one is asked when they are gone.
    while (!walk->done && given < limit && looked < READ_MOST && (walk->noun == noun || !given)) {
        const int result = walk->more
                               ? look_at_place(search, walk, ret + given, limit - given, &looked)
                               : next_place(search->index, walk);
        if (result < 0)
            return result;
        given += result;
        looked++;
    }
    return given;
}

int gw_expiry_next(struct gw_index *index, const struct gw_expiry_config *config,
                   struct gw_expiry_walk *walk, int64_t now_us, struct gw_candidate *ret, int limit)
{
    struct search *search = calloc(1, sizeof(*search));
    if (!search)
        abort();
    search->index = index;
    search->config = config;
    search->now_us = now_us;
    search->hold_count = gw_index_holds(index, &search->holds);
    int result = search->hold_count;
    if (result >= 0)
        result = search_due(search, walk, ret, limit);
    free(search->holds);
    free(search);
    return result;
}

// --- for room ------------------------------------------------------------------------------------

void gw_oldest_begin(struct gw_oldest_walk *walk, bool in_floor)
{
    *walk = (struct gw_oldest_walk){.in_floor = in_floor, .start_us = {INT64_MIN, INT64_MIN}};
}

static bool may_go(const struct search *search, const struct gw_oldest_walk *walk,
                   const struct gw_candidate *row)
{
    const struct gw_retention_span span =
        span_of(search->config, row->victim.noun, row->kind, row->camera);

    if (!row->finished || is_held(search->holds, search->hold_count, row, search->now_us))
        return false;
    return walk->in_floor || !gw_retention_in_floor(span, row->end_us, search->now_us);
}

// Whether all rows from this one on are in their floor.
static bool is_too_young(const struct search *search, const struct gw_oldest_walk *walk,
                         const struct gw_candidate *row)
{
    return !walk->in_floor && row->start_us > search->now_us - search->config->shortest_floor_us;
}

// Rows of both nouns, read from where the walk is, and merged by start.
struct merge {
    struct gw_candidate rows[2][STEP];
    int counts[2], at[2];
};

static int fill(struct gw_index *index, const struct gw_oldest_walk *walk, struct merge *merge)
{
    static const enum gw_noun nouns[2] = {GW_NOUN_EVENT, GW_NOUN_CLIP};
    for (int i = 0; i < 2; i++) {
        const struct range range = {
            .start_us = walk->start_us[i], .id = &walk->id[i], .limit = STEP};
        merge->at[i] = 0;
        merge->counts[i] = read_rows(index, nouns[i], &range, merge->rows[i]);
        if (merge->counts[i] < 0)
            return merge->counts[i];
    }
    return 0;
}

// The older one of both heads; NULL when a noun has no more that was read, but may have more.
static const struct gw_candidate *take_older(struct merge *merge, struct gw_oldest_walk *walk)
{
    const bool ended[2] = {merge->at[0] == merge->counts[0], merge->at[1] == merge->counts[1]};
    for (int i = 0; i < 2; i++)
        if (ended[i] && (merge->counts[i] == STEP || ended[!i]))
            return NULL;
    int older = ended[0];
    if (!ended[0] && !ended[1])
        older = merge->rows[1][merge->at[1]].start_us < merge->rows[0][merge->at[0]].start_us;
    const struct gw_candidate *row = &merge->rows[older][merge->at[older]++];
    walk->start_us[older] = row->start_us;
    walk->id[older] = row->victim.id;
    return row;
}

static int search_oldest(struct search *search, struct gw_oldest_walk *walk, int64_t size_bytes,
                         struct gw_candidate *ret, int limit)
{
    struct merge *merge = calloc(1, sizeof(*merge));
    int given = 0, looked = 0, result = 0;

    if (!merge)
        abort();
    while (!result && !walk->done && given < limit && looked < READ_MOST && size_bytes > 0) {
        const struct gw_candidate *row;
        result = fill(search->index, walk, merge);
        const bool last = !result && merge->counts[0] < STEP && merge->counts[1] < STEP;
        while (!result && given < limit && size_bytes > 0 && (row = take_older(merge, walk))) {
            looked++;
            if (is_too_young(search, walk, row)) {
                walk->done = true;
                break;
            }
            if (!may_go(search, walk, row))
                continue;
            ret[given++] = *row;
            size_bytes -= row->size_bytes;
        }
        if (last && merge->at[0] == merge->counts[0] && merge->at[1] == merge->counts[1])
            walk->done = true;
    }
    free(merge);
    return result < 0 ? result : given;
}

int gw_oldest_next(struct gw_index *index, const struct gw_expiry_config *config,
                   struct gw_oldest_walk *walk, int64_t now_us, int64_t size_bytes,
                   struct gw_candidate *ret, int limit)
{
    struct search *search = calloc(1, sizeof(*search));
    if (!search)
        abort();
    search->index = index;
    search->config = config;
    search->now_us = now_us;
    search->hold_count = gw_index_holds(index, &search->holds);
    int result = search->hold_count;
    if (result >= 0)
        result = search_oldest(search, walk, size_bytes, ret, limit);
    free(search->holds);
    free(search);
    return result;
}

int gw_oldest_clip(struct gw_index *index, int64_t *ret_start_us)
{
    *ret_start_us = GW_NO_TIME;
    sqlite3_stmt *statement =
        gw_index_statement(index, "SELECT start_us FROM clip ORDER BY start_us, id LIMIT 1");
    if (!statement)
        return GW_ERROR_INDEX;
    int result = gw_index_integer(index, statement, ret_start_us);
    return result < 0 ? result : 0;
}
