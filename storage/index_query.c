// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Events, clips and gaps by place and time: pages of rows.
//
// A walk (index_walk.c) finds the rows that may be meant, newest first; here each is read and what
// else was asked for is checked, until the page is full.

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/index_internal.h"

#define LIMIT_MAX 1000

// --- the tables ----------------------------------------------------------------------------------

#define WALK(table, index, condition)                                                              \
    "SELECT start_us, id, place FROM " table " INDEXED BY " table index " WHERE " condition        \
    " start_us >= ?1 AND (start_us, id) < (?2, ?3)"                                                \
    " ORDER BY start_us DESC, id DESC"
#define NOUN(table, unfinished_state, columns)                                                     \
    .unfinished = unfinished_state,                                                                \
    .longest = "SELECT value FROM meta WHERE key = 'longest_" table "_us'",                        \
    .oldest_unfinished = "SELECT start_us FROM " table " INDEXED BY " table "_unfinished"          \
                         " WHERE state = '" unfinished_state "' ORDER BY start_us LIMIT 1",        \
    .by_start = WALK(table, "_by_start", ""),                                                      \
    .by_unfinished = WALK(table, "_unfinished", "state = '" unfinished_state "' AND"),             \
    .by_place = WALK(table, "_by_place", "place = ?4 AND") " LIMIT ?5",                            \
    .row = "SELECT " columns " FROM " table " WHERE id = ?1"

const struct gw_index_noun gw_index_nouns[] = {
    [GW_NOUN_EVENT] = {NOUN("event", "open", GW_EVENT_COLUMNS),
                       .by_kind = WALK("event", "_by_kind", "kind <> 'motion' AND kind = ?4 AND")},
    [GW_NOUN_CLIP] = {NOUN("clip", "recording", GW_CLIP_COLUMNS)},
    [GW_NOUN_GAP] = {NOUN("gap", "open", GW_GAP_COLUMNS)},
};

void gw_query_init(struct gw_query *query)
{
    *query = (struct gw_query){
        .from_us = GW_NO_TIME, .to_us = GW_NO_TIME, .kind = -1, .state = -1, .limit = 100};
}

static bool is_point(struct gw_point point)
{
    return fabs(point.lat) <= 90 && fabs(point.lon) <= 180;
}

int gw_index_check_query(const struct gw_query *query)
{
    const struct gw_geo_box *box = &query->box;
    bool good = query->limit >= 1 && query->limit <= LIMIT_MAX;

    if (query->near)
        good = good && query->near_m >= 0 &&
               is_point((struct gw_point){query->near_lon, query->near_lat});
    if (query->in_box)
        good = good && is_point((struct gw_point){box->west, box->south}) &&
               is_point((struct gw_point){box->east, box->north}) && box->south <= box->north;
    if (query->covers)
        good = good && is_point(query->seen);
    if (query->polygon_count)
        good = good && query->polygon_count >= 3 && query->polygon_count <= GW_QUERY_POINTS;
    for (int i = 0; good && i < query->polygon_count; i++)
        good = is_point(query->polygon[i]);
    return good ? 0 : GW_ERROR_INVALID;
}

// --- cursor --------------------------------------------------------------------------------------

// A page ends with a row; the next one begins behind it: its start and id, in hexadecimal.
void gw_index_format_cursor(char ret[64], const struct gw_index_key *last)
{
    int length = snprintf(ret, 64, "%016" PRIx64, (uint64_t)last->start_us);
    for (int i = 0; i < 16; i++)
        length += snprintf(ret + length, (size_t)(64 - length), "%02x", last->id.bytes[i]);
}

int gw_index_parse_cursor(const char *cursor, struct gw_index_key *ret)
{
    unsigned byte;
    uint64_t start;
    if (strlen(cursor) != 48 || strspn(cursor, "0123456789abcdef") != 48)
        return GW_ERROR_INVALID;
    sscanf(cursor, "%16" SCNx64, &start);
    ret->start_us = (int64_t)start;
    for (int i = 0; i < 16; i++) {
        sscanf(cursor + 16 + 2 * i, "%2x", &byte);
        ret->id.bytes[i] = (uint8_t)byte;
    }
    return 0;
}

// --- rows ----------------------------------------------------------------------------------------

static int read_event(struct gw_index *index, sqlite3_stmt *statement, void *row)
{
    return gw_index_read_event(index, statement, row);
}

static int read_clip(struct gw_index *index, sqlite3_stmt *statement, void *row)
{
    return gw_index_read_clip(index, statement, row);
}

static int read_gap(struct gw_index *index, sqlite3_stmt *statement, void *row)
{
    return gw_index_read_gap(index, statement, row);
}

static const struct {
    size_t size;
    int (*read)(struct gw_index *index, sqlite3_stmt *statement, void *row);
} rows_of[] = {
    [GW_NOUN_EVENT] = {sizeof(struct gw_event_row), read_event},
    [GW_NOUN_CLIP] = {sizeof(struct gw_clip_row), read_clip},
    [GW_NOUN_GAP] = {sizeof(struct gw_gap_row), read_gap},
};

static int find_row(struct gw_index *index, enum gw_noun noun, const struct gw_id *id, void *ret)
{
    sqlite3_stmt *statement = gw_index_statement(index, gw_index_nouns[noun].row);
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_id(statement, 1, id);
    int result = gw_index_step(index, statement);
    if (result == 1)
        result = rows_of[noun].read(index, statement, ret);
    else if (result == 0)
        result = GW_ERROR_NOT_FOUND;
    gw_index_reset(statement);
    return result;
}

int gw_index_event(struct gw_index *index, const struct gw_id *id, struct gw_event_row *ret)
{
    return find_row(index, GW_NOUN_EVENT, id, ret);
}

int gw_index_clip(struct gw_index *index, const struct gw_id *id, struct gw_clip_row *ret)
{
    return find_row(index, GW_NOUN_CLIP, id, ret);
}

int gw_index_gap(struct gw_index *index, const struct gw_id *id, struct gw_gap_row *ret)
{
    return find_row(index, GW_NOUN_GAP, id, ret);
}

// --- pages ---------------------------------------------------------------------------------------

// A row that goes on reaches to the end of time; one without length counts where it starts.
static bool reaches(const struct gw_query *query, int64_t start_us, int64_t end_us, bool unfinished)
{
    return query->from_us == GW_NO_TIME || unfinished || end_us > query->from_us ||
           start_us >= query->from_us;
}

static bool event_is_meant(const struct gw_query *query, const struct gw_event *event)
{
    return (query->kind < 0 || query->kind == (int)event->kind) &&
           (query->state < 0 || query->state == (int)event->state) &&
           event->score >= query->min_score &&
           reaches(query, event->start_us, event->end_us, event->state == GW_EVENT_OPEN);
}

static bool clip_is_meant(const struct gw_query *query, const struct gw_clip *clip)
{
    return (query->state < 0 || query->state == (int)clip->state) &&
           reaches(query, clip->start_us, clip->end_us, clip->state == GW_CLIP_RECORDING);
}

static bool gap_is_meant(const struct gw_query *query, const struct gw_gap *gap)
{
    return (query->state < 0 || query->state == gap->open) &&
           reaches(query, gap->from_us, gap->to_us, gap->open);
}

static bool is_meant(const struct gw_query *query, enum gw_noun noun, const void *row)
{
    switch (noun) {
    case GW_NOUN_EVENT: return event_is_meant(query, &((const struct gw_event_row *)row)->event);
    case GW_NOUN_CLIP: return clip_is_meant(query, &((const struct gw_clip_row *)row)->clip);
    case GW_NOUN_GAP: return gap_is_meant(query, &((const struct gw_gap_row *)row)->gap);
    }
    return false;
}

struct page {
    struct gw_index *index;
    enum gw_noun noun;
    const struct gw_query *query;
    void *rows;
    char *ret_cursor;
};

// Reads rows of a walk until the page is full, and one more to know whether there is a next page:
// it is read over the last, or into room of its own.
static int fill_page(struct page *page, struct gw_index_walk *walk)
{
    const size_t size = rows_of[page->noun].size;
    struct gw_event_row largest; // the largest of the three
    struct gw_index_key key, last = {0};
    int count = 0, result;

    static_assert(sizeof(largest) >= sizeof(struct gw_clip_row) &&
                      sizeof(largest) >= sizeof(struct gw_gap_row),
                  "an event's row is the largest");
    while ((result = gw_index_walk_next(walk, &key)) == 1) {
        const bool full = count == page->query->limit;
        void *row = full ? (void *)&largest : (char *)page->rows + (size_t)count * size;
        result = find_row(page->index, page->noun, &key.id, row);
        if (result < 0)
            return result;
        if (!is_meant(page->query, page->noun, row))
            continue;
        if (full) {
            gw_index_format_cursor(page->ret_cursor, &last);
            break;
        }
        last = key;
        count++;
    }
    return result < 0 ? result : count;
}

static int read_page(void *opaque)
{
    struct page *page = opaque;
    const struct gw_query *query = page->query;
    struct gw_index_key from = {.start_us = query->to_us == GW_NO_TIME ? INT64_MAX : query->to_us};
    struct gw_index_walk *walk;

    int result = gw_index_check_query(query);
    if (!result && *query->cursor)
        result = gw_index_parse_cursor(query->cursor, &from);
    if (!result)
        result = gw_index_walk_start(&walk, page->index, page->noun, query, &from, !*query->cursor);
    *page->ret_cursor = 0; // may be the query's
    if (result)
        return result;
    result = fill_page(page, walk);
    gw_index_walk_stop(&walk);
    return result;
}

int gw_index_events(struct gw_index *index, const struct gw_query *query, struct gw_event_row *rows,
                    char ret_cursor[64])
{
    struct page page = {index, GW_NOUN_EVENT, query, rows, ret_cursor};
    return gw_index_snapshot(index, read_page, &page);
}

int gw_index_clips(struct gw_index *index, const struct gw_query *query, struct gw_clip_row *rows,
                   char ret_cursor[64])
{
    struct page page = {index, GW_NOUN_CLIP, query, rows, ret_cursor};
    return gw_index_snapshot(index, read_page, &page);
}

int gw_index_gaps(struct gw_index *index, const struct gw_query *query, struct gw_gap_row *rows,
                  char ret_cursor[64])
{
    struct page page = {index, GW_NOUN_GAP, query, rows, ret_cursor};
    return gw_index_snapshot(index, read_page, &page);
}

// --- the unfinished ------------------------------------------------------------------------------

int gw_index_count_open_gaps(struct gw_index *index, int ret_counts[GW_GAP_CAUSE_COUNT])
{
    int result;
    sqlite3_stmt *statement = gw_index_statement(
        index, "SELECT cause, count(*) FROM gap INDEXED BY gap_unfinished WHERE state = 'open'"
               " GROUP BY cause");
    if (!statement)
        return GW_ERROR_INDEX;
    memset(ret_counts, 0, GW_GAP_CAUSE_COUNT * sizeof(*ret_counts));
    while ((result = gw_index_step(index, statement)) == 1) {
        int cause = gw_gap_cause_from_name((const char *)sqlite3_column_text(statement, 0));
        if (cause >= 0)
            ret_counts[cause] = sqlite3_column_int(statement, 1);
    }
    gw_index_reset(statement);
    return result;
}

static sqlite3_stmt *statement_for_camera(struct gw_index *index, const char *sql,
                                          const char *camera, int limit)
{
    sqlite3_stmt *statement = gw_index_statement(index, sql);
    if (!statement)
        return NULL;
    if (camera)
        gw_index_bind_text(statement, 1, camera);
    sqlite3_bind_int(statement, 2, limit);
    return statement;
}

int gw_index_unfinished_clips(struct gw_index *index, const char *camera, struct gw_clip *ret,
                              int limit)
{
    struct gw_clip_row row;
    sqlite3_stmt *statement = statement_for_camera(
        index,
        "SELECT " GW_CLIP_COLUMNS " FROM clip INDEXED BY clip_unfinished WHERE state = 'recording'"
        " AND (?1 IS NULL OR camera = ?1) ORDER BY start_us, id LIMIT ?2",
        camera, limit);
    if (!statement)
        return GW_ERROR_INDEX;
    int count = 0, result;
    while ((result = gw_index_step(index, statement)) == 1) {
        result = gw_index_read_clip(index, statement, &row);
        if (result < 0)
            break;
        ret[count++] = row.clip;
    }
    gw_index_reset(statement);
    return result < 0 ? result : count;
}

int gw_index_unfinished_events(struct gw_index *index, const char *camera, struct gw_event *ret,
                               int limit)
{
    struct gw_event_row row;
    sqlite3_stmt *statement = statement_for_camera(
        index,
        "SELECT " GW_EVENT_COLUMNS " FROM event INDEXED BY event_unfinished WHERE state = 'open'"
        " AND (?1 IS NULL OR camera = ?1) ORDER BY start_us, id LIMIT ?2",
        camera, limit);
    if (!statement)
        return GW_ERROR_INDEX;
    int count = 0, result;
    while ((result = gw_index_step(index, statement)) == 1) {
        result = gw_index_read_event(index, statement, &row);
        if (result < 0)
            break;
        ret[count++] = row.event;
    }
    gw_index_reset(statement);
    return result < 0 ? result : count;
}
