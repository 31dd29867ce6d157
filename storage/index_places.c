// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Where cameras were. Rows of table place never change; a camera that is moved, renamed or turned
// gets a new one, and what it recorded before keeps the old one.
//
// There are few (one per camera and change), so each handle keeps them all in memory, and a query's
// filters are asked of all of them.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/index_internal.h"

#define PLACE_COLUMNS                                                                              \
    "number, camera, since_us, camera_name, division, grid, lon, lat, heading_deg, fov_deg, "      \
    "range_m, height_m"

// --- rows ----------------------------------------------------------------------------------------

static void read_place(struct gw_index *index, sqlite3_stmt *statement, struct gw_place *ret)
{
    *ret = (struct gw_place){.number = sqlite3_column_int64(statement, 0),
                             .since_us = sqlite3_column_int64(statement, 2),
                             .lon = gw_index_column_degrees(statement, 6),
                             .lat = gw_index_column_degrees(statement, 7),
                             .view = {.heading_deg = sqlite3_column_double(statement, 8),
                                      .fov_deg = sqlite3_column_double(statement, 9),
                                      .range_m = sqlite3_column_double(statement, 10),
                                      .height_m = sqlite3_column_double(statement, 11)}};
    gw_index_column_text(statement, 3, ret->camera_name, sizeof(ret->camera_name));
    gw_index_column_text(statement, 4, ret->division, sizeof(ret->division));
    gw_index_column_text(statement, 5, ret->grid, sizeof(ret->grid));
    if (!*ret->division)
        snprintf(ret->division, sizeof(ret->division), "%s", index->division);
}

int gw_index_put_place(struct gw_index *index, const char *camera, const struct gw_place *place)
{
    sqlite3_stmt *statement =
        gw_index_statement(index, "INSERT INTO place (" PLACE_COLUMNS ")"
                                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
                                  " ON CONFLICT (number) DO NOTHING");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_known(statement, 1, place->number, 0);
    gw_index_bind_text(statement, 2, camera);
    sqlite3_bind_int64(statement, 3, place->since_us);
    gw_index_bind_text(statement, 4, place->camera_name);
    gw_index_bind_text(statement, 5, place->division);
    gw_index_bind_text(statement, 6, place->grid);
    gw_index_bind_degrees(statement, 7, place->lon);
    gw_index_bind_degrees(statement, 8, place->lat);
    sqlite3_bind_double(statement, 9, place->view.heading_deg);
    sqlite3_bind_double(statement, 10, place->view.fov_deg);
    sqlite3_bind_double(statement, 11, place->view.range_m);
    sqlite3_bind_double(statement, 12, place->view.height_m);
    return gw_index_run(index, statement);
}

// Where a camera was placed last. Returns 1, 0 when it never was, or an error.
static int newest_place(struct gw_index *index, const char *camera, struct gw_place *ret)
{
    sqlite3_stmt *statement =
        gw_index_statement(index, "SELECT " PLACE_COLUMNS " FROM place INDEXED BY place_by_camera"
                                  " WHERE camera = ?1 ORDER BY number DESC LIMIT 1");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, camera);
    int result = gw_index_step(index, statement);
    if (result == 1)
        read_place(index, statement, ret);
    gw_index_reset(statement);
    return result;
}

static int add_place(struct gw_index *index, const char *camera, struct gw_place *place)
{
    place->number = 0;
    int result = gw_index_put_place(index, camera, place);
    if (!result)
        place->number = sqlite3_last_insert_rowid(index->db);
    return result;
}

int gw_index_find_place(struct gw_index *index, const char *camera, struct gw_place *ret)
{
    int result = newest_place(index, camera, ret);

    if (result)
        return result < 0 ? result : 0;
    *ret = gw_place_unknown;
    ret->since_us = gw_wall_us();
    snprintf(ret->division, sizeof(ret->division), "%s", index->division);
    return add_place(index, camera, ret);
}

// --- the registry --------------------------------------------------------------------------------

// What facts tell of a position is told to 1e-7 degrees (1 cm): kept so, it is the same everywhere.
static double round_degrees(double degrees)
{
    return isfinite(degrees) ? round(degrees * 1e7) / 1e7 : NAN;
}

// To a thousandth. What is out of range is not known: no fact could be read that told of it.
static double round_small(double value, double most)
{
    return value >= 0 && value <= most ? round(value * 1e3) / 1e3 : 0;
}

static struct gw_place place_of(const struct gw_index *index, const struct gw_camera *camera,
                                int64_t wall_us)
{
    struct gw_place place = {.since_us = wall_us,
                             .lon = round_degrees(camera->lon),
                             .lat = round_degrees(camera->lat),
                             .view = {.heading_deg = round_small(camera->view.heading_deg, 360),
                                      .fov_deg = round_small(camera->view.fov_deg, 360),
                                      .range_m = round_small(camera->view.range_m, 1e6),
                                      .height_m = round_small(camera->view.height_m, 1e5)}};
    memcpy(place.camera_name, camera->name, sizeof(place.camera_name));
    memcpy(place.grid, camera->grid, sizeof(place.grid));
    snprintf(place.division, sizeof(place.division), "%s",
             *camera->division ? camera->division : index->division);
    return place;
}

int gw_index_place_camera(struct gw_index *index, const struct gw_camera *camera, int64_t wall_us)
{
    struct gw_place newest, place = place_of(index, camera, wall_us);
    int result = newest_place(index, camera->id, &newest);

    if (result < 0 || (result == 1 && gw_place_same(&newest, &place)))
        return result < 0 ? result : 0;
    return add_place(index, camera->id, &place);
}

int gw_index_place_cameras(struct gw_index *index, int64_t wall_us)
{
    struct gw_camera_row *rows;
    int count = gw_index_cameras(index, &rows), result = count < 0 ? count : 0;

    for (int i = 0; !result && i < count; i++)
        result = gw_index_place_camera(index, &rows[i].camera, wall_us);
    if (count >= 0)
        free(rows);
    return result;
}

// --- in memory -----------------------------------------------------------------------------------

void gw_index_forget_places(struct gw_index *index)
{
    free(index->places);
    free(index->newest_places);
    index->places = NULL;
    index->newest_places = NULL;
    index->place_count = 0;
    index->newest_size = 0;
}

static int read_newest_number(struct gw_index *index, int64_t *ret)
{
    sqlite3_stmt *statement = gw_index_statement(index, "SELECT max(number) FROM place");
    if (!statement)
        return GW_ERROR_INDEX;
    int result = gw_index_integer(index, statement, ret);
    return result < 0 ? result : 0;
}

// A slot of the table by camera (open addressing): where its camera's newest place is named, or is
// to be.
static int64_t *find_newest(struct gw_index *index, const char *camera)
{
    uint64_t hash = UINT64_C(14695981039346656037); // FNV-1a

    for (const char *c = camera; *c; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(1099511628211);
    for (size_t i = hash;; i++) {
        int64_t *slot = &index->newest_places[i & (index->newest_size - 1)];
        if (!*slot || !strcmp(index->places[*slot].camera, camera))
            return slot;
    }
}

// The place before this one of the same camera ends where this one begins.
static void end_place_before(struct gw_index *index, const struct gw_index_place *place)
{
    int64_t *newest = find_newest(index, place->camera);

    if (*newest)
        index->places[*newest].until_us = place->place.since_us;
    *newest = place->place.number;
}

// Makes room in the table for places up to a number, and enters those that are known.
static void grow_table(struct gw_index *index, int64_t newest)
{
    size_t size = index->newest_size ? index->newest_size : 64;

    while (size < 2 * (size_t)(newest + 1))
        size *= 2;
    if (size == index->newest_size)
        return;
    free(index->newest_places);
    index->newest_places = calloc(size, sizeof(*index->newest_places));
    if (!index->newest_places)
        abort();
    index->newest_size = size;
    for (int64_t number = 1; number < index->place_count; number++)
        if (index->places[number].place.number)
            *find_newest(index, index->places[number].camera) = number;
}

// Reads places up to a number. Numbers are given in order, so those that are not there never will.
static int read_places(struct gw_index *index, int64_t newest)
{
    const int64_t first = index->place_count;
    sqlite3_stmt *statement = gw_index_statement(index, "SELECT " PLACE_COLUMNS
                                                        " FROM place WHERE number BETWEEN ?1 AND ?2"
                                                        " ORDER BY number");
    if (!statement)
        return GW_ERROR_INDEX;
    index->places = realloc(index->places, (size_t)(newest + 1) * sizeof(*index->places));
    if (!index->places)
        abort();
    memset(index->places + first, 0, (size_t)(newest + 1 - first) * sizeof(*index->places));
    grow_table(index, newest);
    index->place_count = newest + 1;
    sqlite3_bind_int64(statement, 1, first);
    sqlite3_bind_int64(statement, 2, newest);
    int result;
    while ((result = gw_index_step(index, statement)) == 1) {
        struct gw_index_place *place = &index->places[sqlite3_column_int64(statement, 0)];
        gw_index_column_text(statement, 1, place->camera, sizeof(place->camera));
        read_place(index, statement, &place->place);
        place->until_us = GW_NO_TIME;
        end_place_before(index, place);
    }
    gw_index_reset(statement);
    return result;
}

int gw_index_load_places(struct gw_index *index)
{
    int64_t newest = 0;
    int result = read_newest_number(index, &newest);

    if (!result && newest >= index->place_count)
        result = read_places(index, newest);
    if (result)
        gw_index_forget_places(index);
    return result;
}

int gw_index_warm(struct gw_index *index)
{
    return gw_index_load_places(index);
}

const struct gw_index_place *gw_index_place(struct gw_index *index, int64_t number)
{
    if (number >= index->place_count && gw_index_load_places(index) < 0)
        return NULL;
    if (number < 1 || number >= index->place_count || !index->places[number].place.number)
        return NULL;
    return &index->places[number];
}

// --- filters -------------------------------------------------------------------------------------

bool gw_query_has_place(const struct gw_query *query)
{
    return *query->division || *query->camera || query->near || query->polygon_count ||
           query->in_box || query->covers;
}

static bool in_division(const char *wanted, const struct gw_place *place)
{
    const size_t length = strlen(wanted), own = strlen(place->division);

    if (length <= own)
        return !strncmp(place->division, wanted, length);
    return !strncmp(place->division, wanted, own) &&
           !strncmp(place->grid, wanted + own, length - own);
}

static bool is_near(const struct gw_query *query, struct gw_point point)
{
    const struct gw_point middle = {query->near_lon, query->near_lat};

    return !gw_geo_too_far_m(point, middle, query->near_m) &&
           gw_geo_distance_m(point, middle) <= query->near_m;
}

bool gw_query_matches_place(const struct gw_query *query, const struct gw_index_place *place)
{
    const struct gw_place *is = &place->place;
    const struct gw_point point = {is->lon, is->lat};

    if ((*query->camera && strcmp(query->camera, place->camera) != 0) ||
        (*query->division && !in_division(query->division, is)))
        return false;
    if (!query->near && !query->polygon_count && !query->in_box && !query->covers)
        return true;
    if (!isfinite(point.lon) || !isfinite(point.lat))
        return false;
    return (!query->near || is_near(query, point)) &&
           (!query->in_box || gw_geo_in_box(&query->box, point)) &&
           (!query->polygon_count ||
            gw_geo_in_polygon(query->polygon, query->polygon_count, point)) &&
           (!query->covers || gw_geo_sees(point, &is->view, query->seen));
}

static bool was_then(const struct gw_query *query, const struct gw_index_place *place)
{
    return (query->to_us == GW_NO_TIME || place->place.since_us < query->to_us) &&
           (query->from_us == GW_NO_TIME || place->until_us == GW_NO_TIME ||
            place->until_us > query->from_us);
}

static int by_camera(const void *a, const void *b)
{
    const struct gw_placed *left = a, *right = b;
    const int order = strcmp(left->camera, right->camera);
    return order ? order : (left->place.number > right->place.number) * 2 - 1;
}

int gw_index_list_places(const struct gw_index_place *places, int64_t place_count,
                         const struct gw_query *query, struct gw_placed *rows, int limit)
{
    int count = 0, found = 0;
    struct gw_placed *all = calloc((size_t)place_count + 1, sizeof(*all));

    if (!all)
        abort();
    for (int64_t number = 1; number < place_count; number++) {
        const struct gw_index_place *place = &places[number];
        if (!place->place.number || !was_then(query, place) ||
            !gw_query_matches_place(query, place))
            continue;
        all[found] = (struct gw_placed){.place = place->place, .until_us = place->until_us};
        memcpy(all[found++].camera, place->camera, sizeof(place->camera));
    }
    qsort(all, (size_t)found, sizeof(*all), by_camera);
    for (; count < found && count < limit; count++)
        rows[count] = all[count];
    free(all);
    return found;
}

int gw_index_places(struct gw_index *index, const struct gw_query *query, struct gw_placed *rows,
                    int limit)
{
    int result = gw_index_check_query(query);

    if (!result)
        result = gw_index_load_places(index);
    return result ? result
                  : gw_index_list_places(index->places, index->place_count, query, rows, limit);
}
