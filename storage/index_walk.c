// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// In which order rows are found: newest start first, by one of four ways.
//
//   start        all rows backwards in time; of a place that is not meant: passed over
//   unfinished   the same, of rows that go on
//   kind         the same, of one kind of event that is not motion
//   place        one cursor per place that is meant, merged: a heap of their newest rows
//
// The first three look at rows of every place, the last at no row that is not meant but at every
// place that is: so it is right for few places, and the first for many. When start has passed over
// many rows and found few, it becomes place on the way.

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/index_internal.h"

enum { FETCH_MAX = 16 }; // rows of one place that are read at once

// One look into a place costs about as much as this many rows of a walk by start.
#define LOOK_COST 60

// A place's next rows.
struct cursor {
    int64_t place;
    int count, next;
    bool more; // behind these
    struct gw_index_key keys[FETCH_MAX];
};

struct gw_index_walk {
    struct gw_index *index;
    const struct gw_index_noun *noun;
    int64_t low_us;           // no row that starts before can be meant
    struct gw_index_key last; // the last one found
    bool no_id;               // and it has no id
    sqlite3_stmt *statement;  // of start, unfinished and kind
    const char *kind, *way;
    bool *meant; // by place number; NULL: all
    int64_t place_count, meant_count;
    int64_t looked; // rows of a walk by start
    int found;      // of them
    int limit;

    struct cursor *cursors; // of place
    struct cursor **heap;
    int heap_count, fetch;
};

// --- order ---------------------------------------------------------------------------------------

static bool newer(const struct gw_index_key *a, const struct gw_index_key *b)
{
    if (a->start_us != b->start_us)
        return a->start_us > b->start_us;
    return memcmp(&a->id, &b->id, sizeof(a->id)) > 0;
}

static const struct gw_index_key *head_of(const struct cursor *cursor)
{
    return &cursor->keys[cursor->next];
}

static void sift_down(struct gw_index_walk *walk, int i)
{
    for (;;) {
        int newest = i;
        for (int child = 2 * i + 1; child <= 2 * i + 2 && child < walk->heap_count; child++)
            if (newer(head_of(walk->heap[child]), head_of(walk->heap[newest])))
                newest = child;
        if (newest == i)
            return;
        struct cursor *swap = walk->heap[i];
        walk->heap[i] = walk->heap[newest];
        walk->heap[newest] = swap;
        i = newest;
    }
}

// --- place ---------------------------------------------------------------------------------------

// Binds the part that all walks have, and where this one begins.
static void bind(const struct gw_index_walk *walk, sqlite3_stmt *statement,
                 const struct gw_index_key *before, bool no_id)
{
    sqlite3_bind_int64(statement, 1, walk->low_us);
    sqlite3_bind_int64(statement, 2, before->start_us);
    sqlite3_bind_blob(statement, 3, before->id.bytes, no_id ? 0 : sizeof(before->id.bytes),
                      SQLITE_STATIC);
}

static int read_key(struct gw_index *index, sqlite3_stmt *statement, struct gw_index_key *ret)
{
    ret->start_us = sqlite3_column_int64(statement, 0);
    if (gw_index_read_id(statement, 1, &ret->id))
        return 0;
    snprintf(index->error, sizeof(index->error), "an index of it holds what no gridwatch wrote");
    return GW_ERROR_INDEX;
}

// Reads a place's rows before a key.
static int fetch(struct gw_index_walk *walk, struct cursor *cursor,
                 const struct gw_index_key *before, bool no_id)
{
    struct gw_index *index = walk->index;
    sqlite3_stmt *statement = gw_index_statement(index, walk->noun->by_place);
    const struct gw_index_key from = *before; // may be one of those that are written over
    int result;

    if (!statement)
        return GW_ERROR_INDEX;
    cursor->count = cursor->next = 0;
    bind(walk, statement, &from, no_id);
    sqlite3_bind_int64(statement, 4, cursor->place);
    sqlite3_bind_int(statement, 5, walk->fetch);
    while ((result = gw_index_step(index, statement)) == 1) {
        result = read_key(index, statement, &cursor->keys[cursor->count]);
        if (result)
            break;
        cursor->count++;
    }
    gw_index_reset(statement);
    cursor->more = cursor->count == walk->fetch;
    return result;
}

static int begin_place(struct gw_index_walk *walk)
{
    const int64_t fetch_fair = 2 * walk->limit / (walk->meant_count + 1) + 1;
    int count = 0;

    walk->way = "place";
    walk->fetch = fetch_fair < FETCH_MAX ? (int)fetch_fair : FETCH_MAX;
    walk->cursors = calloc((size_t)walk->meant_count + 1, sizeof(*walk->cursors));
    walk->heap = calloc((size_t)walk->meant_count + 1, sizeof(*walk->heap));
    if (!walk->cursors || !walk->heap)
        abort();
    for (int64_t place = 1; place < walk->place_count; place++) {
        if (!walk->meant[place])
            continue;
        struct cursor *cursor = &walk->cursors[count++];
        cursor->place = place;
        const int result = fetch(walk, cursor, &walk->last, walk->no_id);
        if (result)
            return result;
        if (cursor->count)
            walk->heap[walk->heap_count++] = cursor;
    }
    for (int i = walk->heap_count / 2 - 1; i >= 0; i--)
        sift_down(walk, i);
    return 0;
}

static int next_by_place(struct gw_index_walk *walk, struct gw_index_key *ret)
{
    if (!walk->heap_count)
        return 0;
    struct cursor *cursor = walk->heap[0];
    *ret = cursor->keys[cursor->next++];
    if (cursor->next == cursor->count && cursor->more) {
        const int result = fetch(walk, cursor, ret, false);
        if (result)
            return result;
    }
    if (cursor->next == cursor->count)
        walk->heap[0] = walk->heap[--walk->heap_count];
    sift_down(walk, 0);
    return 1;
}

// --- start, unfinished, kind ---------------------------------------------------------------------

static int begin_statement(struct gw_index_walk *walk, const char *way, const char *sql)
{
    walk->way = way;
    walk->statement = gw_index_statement(walk->index, sql);
    if (!walk->statement)
        return GW_ERROR_INDEX;
    bind(walk, walk->statement, &walk->last, walk->no_id);
    if (walk->kind)
        gw_index_bind_text(walk->statement, 4, walk->kind);
    return 0;
}

static void end_statement(struct gw_index_walk *walk)
{
    if (walk->statement)
        gw_index_reset(walk->statement);
    walk->statement = NULL;
}

static bool is_meant(const struct gw_index_walk *walk, int64_t place)
{
    return !walk->meant || (place > 0 && place < walk->place_count && walk->meant[place]);
}

// Whether by start has looked long enough.
static bool out_of_patience(const struct gw_index_walk *walk)
{
    const int64_t patience = walk->index->walk_patience;

    return walk->meant && !strcmp(walk->way, "start") && walk->looked >= patience &&
           walk->looked > patience / 10 * (int64_t)(walk->found + 1);
}

static int next_by_statement(struct gw_index_walk *walk, struct gw_index_key *ret)
{
    int result;

    while ((result = gw_index_step(walk->index, walk->statement)) == 1) {
        walk->looked++;
        const int64_t place = sqlite3_column_int64(walk->statement, 2);
        if (is_meant(walk, place)) {
            walk->found++;
            return read_key(walk->index, walk->statement, ret) < 0 ? GW_ERROR_INDEX : 1;
        }
        if (out_of_patience(walk)) {
            struct gw_index_key here;
            result = read_key(walk->index, walk->statement, &here);
            end_statement(walk);
            walk->last = here;
            walk->no_id = false;
            if (!result)
                result = begin_place(walk);
            return result ? result : next_by_place(walk, ret);
        }
    }
    return result;
}

// --- all -----------------------------------------------------------------------------------------

// Marks the places that are meant.
static void mark_places(struct gw_index_walk *walk, const struct gw_query *query)
{
    const struct gw_index *index = walk->index;

    walk->place_count = index->place_count;
    walk->meant = calloc((size_t)walk->place_count + 1, sizeof(*walk->meant));
    if (!walk->meant)
        abort();
    for (int64_t i = 1; i < walk->place_count; i++) {
        walk->meant[i] =
            index->places[i].place.number && gw_query_matches_place(query, &index->places[i]);
        walk->meant_count += walk->meant[i];
    }
}

// Rows that start before this cannot reach to from_us: the longest row before it or, when that is
// earlier, the oldest that goes on.
static int find_low(struct gw_index_walk *walk, int64_t from_us)
{
    struct gw_index *index = walk->index;
    int64_t longest = 0, oldest = INT64_MAX;

    walk->low_us = INT64_MIN;
    if (from_us == GW_NO_TIME)
        return 0;
    sqlite3_stmt *longest_statement = gw_index_statement(index, walk->noun->longest);
    sqlite3_stmt *oldest_statement = gw_index_statement(index, walk->noun->oldest_unfinished);
    if (!longest_statement || !oldest_statement)
        return GW_ERROR_INDEX;
    int result = gw_index_integer(index, longest_statement, &longest);
    if (result >= 0)
        result = gw_index_integer(index, oldest_statement, &oldest);
    if (result < 0)
        return result;
    const int64_t low_us = from_us < INT64_MIN + longest ? INT64_MIN : from_us - longest;
    walk->low_us = low_us < oldest ? low_us : oldest;
    return 0;
}

static bool wants_unfinished(enum gw_noun noun, const struct gw_query *query)
{
    return (noun == GW_NOUN_EVENT && query->state == GW_EVENT_OPEN) ||
           (noun == GW_NOUN_CLIP && query->state == GW_CLIP_RECORDING) ||
           (noun == GW_NOUN_GAP && query->state == 1);
}

static int begin(struct gw_index_walk *walk, enum gw_noun noun, const struct gw_query *query)
{
    const int64_t few = walk->limit * walk->place_count;

    if (walk->meant && !walk->meant_count) {
        walk->way = "place"; // none
        return 0;
    }
    if (wants_unfinished(noun, query))
        return begin_statement(walk, "unfinished", walk->noun->by_unfinished);
    if (noun == GW_NOUN_EVENT && query->kind > GW_EVENT_MOTION) {
        walk->kind = gw_event_kind_name((enum gw_event_kind)query->kind);
        return begin_statement(walk, "kind", walk->noun->by_kind);
    }
    if (walk->meant && walk->meant_count * walk->meant_count * LOOK_COST < few)
        return begin_place(walk);
    return begin_statement(walk, "start", walk->noun->by_start);
}

int gw_index_walk_start(struct gw_index_walk **ret, struct gw_index *index, enum gw_noun noun,
                        const struct gw_query *query, const struct gw_index_key *from, bool no_id)
{
    struct gw_index_walk *walk = calloc(1, sizeof(*walk));

    if (!walk)
        abort();
    *walk = (struct gw_index_walk){.index = index,
                                   .noun = &gw_index_nouns[noun],
                                   .last = *from,
                                   .no_id = no_id,
                                   .limit = query->limit};
    int result = gw_index_load_places(index);
    if (!result && gw_query_has_place(query))
        mark_places(walk, query);
    if (!result)
        result = find_low(walk, query->from_us);
    if (!result)
        result = begin(walk, noun, query);
    if (result)
        gw_index_walk_stop(&walk);
    *ret = walk;
    return result;
}

int gw_index_walk_next(struct gw_index_walk *walk, struct gw_index_key *ret)
{
    return walk->statement ? next_by_statement(walk, ret) : next_by_place(walk, ret);
}

void gw_index_walk_stop(struct gw_index_walk **walk)
{
    struct gw_index_walk *gone = *walk;

    *walk = NULL;
    if (!gone)
        return;
    end_statement(gone);
    free(gone->meant);
    free(gone->cursors);
    free(gone->heap);
    free(gone);
}

const char *gw_index_walk_way(const struct gw_index_walk *walk)
{
    return walk->way;
}
