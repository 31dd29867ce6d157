// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// How many events, clips and gaps began on each day and at each cell: sums of table tally, which
// has one row per day, place and noun (of events: kind), kept with every row that comes and goes.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/index_internal.h"

#define DAY_US (INT64_C(86400) * GW_SECOND)

// --- days ----------------------------------------------------------------------------------------

int64_t gw_index_day(const struct gw_index *index, int64_t wall_us)
{
    const int64_t local_us = wall_us + index->day_offset_us;
    return local_us / DAY_US - (local_us % DAY_US < 0);
}

int64_t gw_index_day_start_us(const struct gw_index *index, int64_t day)
{
    return day * DAY_US - index->day_offset_us;
}

int gw_index_tally(struct gw_index *index, const char *what, int64_t place, int64_t start_us,
                   int count)
{
    sqlite3_stmt *statement = gw_index_statement(
        index, "INSERT INTO tally (day, place, what, count) VALUES (?1, ?2, ?3, ?4)"
               " ON CONFLICT (day, place, what) DO UPDATE SET count = count + excluded.count");
    sqlite3_stmt *empty = gw_index_statement(
        index, "DELETE FROM tally WHERE day = ?1 AND place = ?2 AND what = ?3 AND count = 0");
    if (!statement || !empty)
        return GW_ERROR_INDEX;
    const int64_t day = gw_index_day(index, start_us);
    sqlite3_bind_int64(statement, 1, day);
    sqlite3_bind_int64(statement, 2, place);
    gw_index_bind_text(statement, 3, what);
    sqlite3_bind_int(statement, 4, count);
    int result = gw_index_run(index, statement);
    if (result || count > 0)
        return result;
    sqlite3_bind_int64(empty, 1, day);
    sqlite3_bind_int64(empty, 2, place);
    gw_index_bind_text(empty, 3, what);
    return gw_index_run(index, empty);
}

// --- sums ----------------------------------------------------------------------------------------

static const char *what_of(enum gw_noun noun, const struct gw_query *query)
{
    switch (noun) {
    case GW_NOUN_EVENT:
        return query->kind < 0 ? NULL : gw_event_kind_name((enum gw_event_kind)query->kind);
    case GW_NOUN_CLIP: return "clip";
    case GW_NOUN_GAP: return "gap";
    }
    return NULL;
}

struct sum {
    struct gw_index *index;
    enum gw_noun noun;
    const struct gw_query *query;
    void *opaque;
    void (*add)(void *opaque, int64_t day, const struct gw_index_place *place, int64_t count);
};

static void bind_days(const struct sum *sum, sqlite3_stmt *statement)
{
    const struct gw_query *query = sum->query;

    sqlite3_bind_int64(statement, 1,
                       query->from_us == GW_NO_TIME ? INT64_MIN
                                                    : gw_index_day(sum->index, query->from_us));
    sqlite3_bind_int64(statement, 2,
                       query->to_us == GW_NO_TIME ? INT64_MAX
                                                  : gw_index_day(sum->index, query->to_us - 1));
}

// Gives each count of the days and places that the query means.
static int add_up(void *opaque)
{
    struct sum *sum = opaque;
    struct gw_index *index = sum->index;
    const char *what = what_of(sum->noun, sum->query);
    bool *meant;
    int result = gw_index_check_query(sum->query);

    if (!result)
        result = gw_index_load_places(index);
    if (result)
        return result;
    sqlite3_stmt *statement = gw_index_statement(
        index, "SELECT day, place, count FROM tally WHERE day BETWEEN ?1 AND ?2"
               " AND (what = ?3 OR (?3 IS NULL AND what NOT IN ('clip', 'gap')))");
    meant = calloc((size_t)index->place_count + 1, sizeof(*meant));
    if (!meant)
        abort();
    for (int64_t i = 1; i < index->place_count; i++)
        meant[i] =
            index->places[i].place.number && gw_query_matches_place(sum->query, &index->places[i]);
    if (!statement) {
        free(meant);
        return GW_ERROR_INDEX;
    }
    bind_days(sum, statement);
    if (what)
        gw_index_bind_text(statement, 3, what);
    while ((result = gw_index_step(index, statement)) == 1) {
        const int64_t place = sqlite3_column_int64(statement, 1);
        if (place > 0 && place < index->place_count && meant[place])
            sum->add(sum->opaque, sqlite3_column_int64(statement, 0), &index->places[place],
                     sqlite3_column_int64(statement, 2));
    }
    gw_index_reset(statement);
    free(meant);
    return result;
}

// --- by day --------------------------------------------------------------------------------------

struct days {
    struct gw_day_count *rows;
    int limit, count;
    int64_t last;
};

// Rows of tally come by day.
static void add_day(void *opaque, int64_t day, const struct gw_index_place *place, int64_t count)
{
    struct days *days = opaque;

    if (!days->count || days->last != day)
        if (days->count++ < days->limit)
            days->rows[days->count - 1] = (struct gw_day_count){.day = day};
    days->last = day;
    if (days->count <= days->limit)
        days->rows[days->count - 1].count += count;
}

int gw_index_count_days(struct gw_index *index, enum gw_noun noun, const struct gw_query *query,
                        struct gw_day_count *rows, int limit)
{
    struct days days = {.rows = rows, .limit = limit};
    struct sum sum = {index, noun, query, &days, add_day};
    int result = gw_index_snapshot(index, add_up, &sum);
    return result < 0 ? result : days.count;
}

// --- by cell -------------------------------------------------------------------------------------

static void add_place(void *opaque, int64_t day, const struct gw_index_place *place, int64_t count)
{
    int64_t *counts = opaque;
    counts[place->place.number] += count;
}

struct cell {
    struct gw_cell_count count;
    int positions;
};

static int by_area(const void *a, const void *b)
{
    const struct gw_cell_count *left = &((const struct cell *)a)->count,
                               *right = &((const struct cell *)b)->count;
    const int order = strcmp(left->division, right->division);
    return order ? order : strcmp(left->grid, right->grid);
}

static void add_position(struct cell *cell, double lon, double lat)
{
    if (!isfinite(lon) || !isfinite(lat))
        return;
    const double share = 1.0 / ++cell->positions;
    if (cell->positions == 1)
        cell->count.lon = cell->count.lat = 0;
    cell->count.lon += (lon - cell->count.lon) * share;
    cell->count.lat += (lat - cell->count.lat) * share;
}

// Makes one cell of those that are the same; cells are in order. Returns how many are left.
static int join_cells(struct cell *cells, int count)
{
    int left = 0;

    for (int i = 0; i < count; i++) {
        const struct cell one = cells[i];
        if (!left || by_area(&cells[left - 1], &one) != 0) {
            cells[left] = one;
            cells[left].count.count = 0;
            cells[left].positions = 0;
            cells[left].count.lon = cells[left].count.lat = NAN;
            left++;
        }
        cells[left - 1].count.count += one.count.count;
        add_position(&cells[left - 1], one.count.lon, one.count.lat);
    }
    return left;
}

// One cell per place that has a count.
static int collect_cells(const struct gw_index_place *places, int64_t place_count,
                         const int64_t *counts, struct cell *ret)
{
    int count = 0;

    for (int64_t i = 1; i < place_count; i++) {
        const struct gw_place *place = &places[i].place;
        if (!counts[i])
            continue;
        struct gw_cell_count *cell = &ret[count++].count;
        *cell = (struct gw_cell_count){.lon = place->lon, .lat = place->lat, .count = counts[i]};
        memcpy(cell->division, place->division, sizeof(cell->division));
        memcpy(cell->grid, place->grid, sizeof(cell->grid));
    }
    return count;
}

int gw_index_list_cells(const struct gw_index_place *places, int64_t place_count,
                        const int64_t *counts, struct gw_cell_count *rows, int limit)
{
    struct cell *found = calloc((size_t)place_count + 1, sizeof(*found));

    if (!found)
        abort();
    const int count = collect_cells(places, place_count, counts, found);
    qsort(found, (size_t)count, sizeof(*found), by_area);
    const int cells = join_cells(found, count);
    for (int i = 0; i < cells && i < limit; i++)
        rows[i] = found[i].count;
    free(found);
    return cells;
}

int gw_index_count_cells(struct gw_index *index, enum gw_noun noun, const struct gw_query *query,
                         struct gw_cell_count *rows, int limit)
{
    int result = gw_index_load_places(index);
    if (result)
        return result;
    int64_t *counts = calloc((size_t)index->place_count + 1, sizeof(*counts));
    struct sum sum = {index, noun, query, counts, add_place};
    if (!counts)
        abort();
    result = gw_index_snapshot(index, add_up, &sum);
    if (!result)
        result = gw_index_list_cells(index->places, index->place_count, counts, rows, limit);
    free(counts);
    return result;
}
