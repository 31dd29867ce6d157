// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Events, clips and gaps by place and time.
//
// Every query walks one index backwards in time from the cursor, and stops at its limit or where no
// row can reach into [from, to) any more: `low`, the longest row before `from`, or the start of the
// oldest row that still goes on (which reaches to the end of time). What else was asked for is
// checked row by row. Which index: the narrowest that the filters name.

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/index_internal.h"

#define EARTH_RADIUS_M    6371008.8
#define METRES_PER_DEGREE (EARTH_RADIUS_M * M_PI / 180)
#define LIMIT_MAX         1000

// ?1 low, ?2 ?3 cursor, ?4 from, ?5 limit, ?6 camera, ?7 division, ?8 state, ?9 kind,
// ?10-?13 box around the circle (west, east, south, north), ?14 ?15 its middle, ?16 its radius;
// NULL when not asked for.
#define QUERY(columns, table, unfinished, index, condition, more)                                  \
    "SELECT " columns " FROM " table " INDEXED BY " table index " WHERE " condition                \
    " start_us >= ?1 AND (start_us, id) < (?2, ?3)"                                                \
    " AND (end_us > ?4 OR start_us >= ?4 OR state = '" unfinished "')"                             \
    " AND (?6 IS NULL OR camera = ?6) AND (?7 IS NULL OR substr(area, 1, length(?7)) = ?7)"        \
    " AND (?8 IS NULL OR state = ?8)" more                                                         \
    " AND (?16 IS NULL OR (lat BETWEEN ?12 AND ?13 AND lon BETWEEN ?10 AND ?11"                    \
    " AND gw_distance_m(lon, lat, ?14, ?15) <= ?16))"                                              \
    " ORDER BY start_us DESC, id DESC LIMIT ?5"
#define EVENT_QUERY(index, condition)                                                              \
    QUERY(GW_EVENT_COLUMNS, "event", "open", index, condition, " AND (?9 IS NULL OR kind = ?9)")
#define CLIP_QUERY(index, condition)                                                               \
    QUERY(GW_CLIP_COLUMNS, "clip", "recording", index, condition, "")

#define GAP_QUERY(index, condition) QUERY(GW_GAP_COLUMNS, "gap", "open", index, condition, "")

enum path { BY_START, BY_CAMERA, BY_TOWNSHIP, BY_VILLAGE, UNFINISHED };

static const char *const event_queries[] = {
    [BY_START] = EVENT_QUERY("_by_start", ""),
    [BY_CAMERA] = EVENT_QUERY("_by_camera", "camera = ?6 AND"),
    [BY_TOWNSHIP] = EVENT_QUERY("_by_township", "township = substr(?7, 1, 9) AND"),
    [BY_VILLAGE] = EVENT_QUERY("_by_village", "village = substr(?7, 1, 12) AND"),
    [UNFINISHED] = EVENT_QUERY("_unfinished", "state = 'open' AND"),
};
static const char *const clip_queries[] = {
    [BY_START] = CLIP_QUERY("_by_start", ""),
    [BY_CAMERA] = CLIP_QUERY("_by_camera", "camera = ?6 AND"),
    [BY_TOWNSHIP] = CLIP_QUERY("_by_township", "township = substr(?7, 1, 9) AND"),
    [BY_VILLAGE] = CLIP_QUERY("_by_village", "village = substr(?7, 1, 12) AND"),
    [UNFINISHED] = CLIP_QUERY("_unfinished", "state = 'recording' AND"),
};

static const char *const gap_queries[] = {
    [BY_START] = GAP_QUERY("_by_start", ""),
    [BY_CAMERA] = GAP_QUERY("_by_camera", "camera = ?6 AND"),
    [BY_TOWNSHIP] = GAP_QUERY("_by_township", "township = substr(?7, 1, 9) AND"),
    [BY_VILLAGE] = GAP_QUERY("_by_village", "village = substr(?7, 1, 12) AND"),
    [UNFINISHED] = GAP_QUERY("_unfinished", "state = 'open' AND"),
};

static enum path choose_path(const struct gw_query *query, int unfinished)
{
    if (query->state == unfinished)
        return UNFINISHED;
    if (*query->camera)
        return BY_CAMERA;
    size_t digits = strlen(query->division);
    return digits >= 12 ? BY_VILLAGE : digits >= 9 ? BY_TOWNSHIP : BY_START;
}

const char *gw_index_event_sql(const struct gw_query *query)
{
    return event_queries[choose_path(query, GW_EVENT_OPEN)];
}

const char *gw_index_clip_sql(const struct gw_query *query)
{
    return clip_queries[choose_path(query, GW_CLIP_RECORDING)];
}

const char *gw_index_gap_sql(const struct gw_query *query)
{
    return gap_queries[choose_path(query, true)];
}

void gw_query_init(struct gw_query *query)
{
    *query = (struct gw_query){
        .from_us = GW_NO_TIME, .to_us = GW_NO_TIME, .kind = -1, .state = -1, .limit = 100};
}

// --- distance ------------------------------------------------------------------------------------

double gw_index_distance_m(double lon_a, double lat_a, double lon_b, double lat_b)
{
    const double radians = M_PI / 180;
    double half_lat = sin((lat_b - lat_a) * radians / 2),
           half_lon = sin((lon_b - lon_a) * radians / 2);
    double haversine =
        half_lat * half_lat + cos(lat_a * radians) * cos(lat_b * radians) * half_lon * half_lon;
    return 2 * EARTH_RADIUS_M * asin(fmin(1, sqrt(haversine)));
}

static void distance_function(sqlite3_context *context, int count, sqlite3_value **values)
{
    double degrees[4];
    for (int i = 0; i < count; i++) {
        if (sqlite3_value_type(values[i]) == SQLITE_NULL)
            return;
        degrees[i] = sqlite3_value_double(values[i]);
    }
    sqlite3_result_double(context,
                          gw_index_distance_m(degrees[0], degrees[1], degrees[2], degrees[3]));
}

int gw_index_add_functions(sqlite3 *db)
{
    return sqlite3_create_function(db, "gw_distance_m", 4, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                                   distance_function, NULL, NULL);
}

// The box in which the circle lies; at a pole or across the date line, all longitudes.
static void bind_circle(sqlite3_stmt *statement, const struct gw_query *query)
{
    // A little more than the circle, so that rounding loses nobody at its edge.
    double lat_reach = query->near_m / METRES_PER_DEGREE * 1.0001 + 1e-7;
    double south = query->near_lat - lat_reach, north = query->near_lat + lat_reach;
    double west = -180, east = 180;
    if (south > -89 && north < 89) {
        double widest = fmax(fabs(south), fabs(north));
        double lon_reach = lat_reach / cos(widest * M_PI / 180);
        if (query->near_lon - lon_reach >= -180 && query->near_lon + lon_reach <= 180) {
            west = query->near_lon - lon_reach;
            east = query->near_lon + lon_reach;
        }
    }
    const double values[] = {west,         east, south, north, query->near_lon, query->near_lat,
                             query->near_m};
    for (int i = 0; i < 7; i++)
        sqlite3_bind_double(statement, 10 + i, values[i]);
}

// --- cursor --------------------------------------------------------------------------------------

// A page ends with a row; the next one begins behind it: its start and id, in hexadecimal.
static void format_cursor(char ret[64], int64_t start_us, const struct gw_id *id)
{
    int length = snprintf(ret, 64, "%016" PRIx64, (uint64_t)start_us);
    for (int i = 0; i < 16; i++)
        length += snprintf(ret + length, (size_t)(64 - length), "%02x", id->bytes[i]);
}

static int parse_cursor(const char *cursor, int64_t *ret_start_us, struct gw_id *ret_id)
{
    unsigned byte;
    uint64_t start;
    if (strlen(cursor) != 48 || strspn(cursor, "0123456789abcdef") != 48)
        return GW_ERROR_INVALID;
    sscanf(cursor, "%16" SCNx64, &start);
    *ret_start_us = (int64_t)start;
    for (int i = 0; i < 16; i++) {
        sscanf(cursor + 16 + 2 * i, "%2x", &byte);
        ret_id->bytes[i] = (uint8_t)byte;
    }
    return 0;
}

// --- queries -------------------------------------------------------------------------------------

// The SQL that differs between the tables.
struct table {
    const char *longest, *oldest_unfinished;
};
static const struct table events = {
    "SELECT value FROM meta WHERE key = 'longest_event_us'",
    "SELECT start_us FROM event INDEXED BY event_unfinished WHERE state = 'open'"
    " ORDER BY start_us LIMIT 1",
};
static const struct table clips = {
    "SELECT value FROM meta WHERE key = 'longest_clip_us'",
    "SELECT start_us FROM clip INDEXED BY clip_unfinished WHERE state = 'recording'"
    " ORDER BY start_us LIMIT 1",
};

static const struct table gaps = {
    "SELECT value FROM meta WHERE key = 'longest_gap_us'",
    "SELECT start_us FROM gap INDEXED BY gap_unfinished WHERE state = 'open'"
    " ORDER BY start_us LIMIT 1",
};

// Rows that start before this cannot reach to from_us.
static int find_low(struct gw_index *index, const struct table *table, int64_t from_us,
                    int64_t *ret)
{
    int64_t longest = 0, oldest = INT64_MAX;
    *ret = INT64_MIN;
    if (from_us == GW_NO_TIME)
        return 0;
    sqlite3_stmt *longest_statement = gw_index_statement(index, table->longest);
    sqlite3_stmt *oldest_statement = gw_index_statement(index, table->oldest_unfinished);
    if (!longest_statement || !oldest_statement)
        return GW_ERROR_INDEX;
    int result = gw_index_integer(index, longest_statement, &longest);
    if (result >= 0)
        result = gw_index_integer(index, oldest_statement, &oldest);
    if (result < 0)
        return result;
    int64_t low = from_us < INT64_MIN + longest ? INT64_MIN : from_us - longest;
    *ret = low < oldest ? low : oldest;
    return 0;
}

static int check_query(const struct gw_query *query)
{
    bool good = query->limit >= 1 && query->limit <= LIMIT_MAX;
    if (query->near)
        good = good && query->near_m >= 0 && fabs(query->near_lat) <= 90 &&
               fabs(query->near_lon) <= 180;
    return good ? 0 : GW_ERROR_INVALID;
}

static void bind_text_if(sqlite3_stmt *statement, int parameter, const char *text)
{
    if (text && *text)
        gw_index_bind_text(statement, parameter, text);
}

// Binds all but state and kind. id is the cursor's and must outlive the statement's use.
static int bind_query(struct gw_index *index, sqlite3_stmt *statement, const struct table *table,
                      const struct gw_query *query, struct gw_id *id)
{
    int64_t low, start_us = query->to_us == GW_NO_TIME ? INT64_MAX : query->to_us;
    int result = check_query(query);
    if (!result && *query->cursor)
        result = parse_cursor(query->cursor, &start_us, id);
    if (!result)
        result = find_low(index, table, query->from_us, &low);
    if (result < 0)
        return result;
    sqlite3_bind_int64(statement, 1, low);
    sqlite3_bind_int64(statement, 2, start_us);
    sqlite3_bind_blob(statement, 3, id->bytes, *query->cursor ? sizeof(id->bytes) : 0,
                      SQLITE_STATIC);
    sqlite3_bind_int64(statement, 4, query->from_us);
    sqlite3_bind_int(statement, 5, query->limit + 1); // one more tells whether there is a next page
    bind_text_if(statement, 6, query->camera);
    bind_text_if(statement, 7, query->division);
    if (query->near)
        bind_circle(statement, query);
    return 0;
}

// --- pages ---------------------------------------------------------------------------------------

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

struct page {
    const struct table *table;
    const char *sql;
    const char *state; // that rows must be in; NULL: any
    const char *kind;  // likewise
    size_t row_size;
    int (*read)(struct gw_index *index, sqlite3_stmt *statement, void *row);
};

// Fills rows, and says where the next page begins. All three tables have id and start_us as their
// first and fourth column.
static int read_page(struct gw_index *index, const struct page *page, const struct gw_query *query,
                     void *rows, char ret_cursor[64])
{
    struct gw_id id, last = {0};
    int64_t last_us = 0;
    sqlite3_stmt *statement = gw_index_statement(index, page->sql);
    if (!statement)
        return GW_ERROR_INDEX;
    int count = 0, result = bind_query(index, statement, page->table, query, &id);
    bind_text_if(statement, 8, page->state);
    bind_text_if(statement, 9, page->kind);
    *ret_cursor = 0;
    while (result >= 0 && (result = gw_index_step(index, statement)) == 1) {
        if (count == query->limit) {
            format_cursor(ret_cursor, last_us, &last);
            break;
        }
        result = page->read(index, statement, (char *)rows + (size_t)count++ * page->row_size);
        if (result >= 0) { // then the id is one
            memcpy(last.bytes, sqlite3_column_blob(statement, 0), sizeof(last.bytes));
            last_us = sqlite3_column_int64(statement, 3);
        }
    }
    gw_index_reset(statement);
    return result < 0 ? result : count;
}

int gw_index_events(struct gw_index *index, const struct gw_query *query, struct gw_event_row *rows,
                    char ret_cursor[64])
{
    const struct page page = {
        .table = &events,
        .sql = gw_index_event_sql(query),
        .state = query->state < 0 ? NULL : gw_event_state_name((enum gw_event_state)query->state),
        .kind = query->kind < 0 ? NULL : gw_event_kind_name((enum gw_event_kind)query->kind),
        .row_size = sizeof(*rows),
        .read = read_event};
    return read_page(index, &page, query, rows, ret_cursor);
}

int gw_index_clips(struct gw_index *index, const struct gw_query *query, struct gw_clip_row *rows,
                   char ret_cursor[64])
{
    const struct page page = {
        .table = &clips,
        .sql = gw_index_clip_sql(query),
        .state = query->state < 0 ? NULL : gw_clip_state_name((enum gw_clip_state)query->state),
        .row_size = sizeof(*rows),
        .read = read_clip};
    return read_page(index, &page, query, rows, ret_cursor);
}

int gw_index_gaps(struct gw_index *index, const struct gw_query *query, struct gw_gap_row *rows,
                  char ret_cursor[64])
{
    const struct page page = {.table = &gaps,
                              .sql = gw_index_gap_sql(query),
                              .state = query->state < 0 ? NULL : gw_gap_state_name(query->state),
                              .row_size = sizeof(*rows),
                              .read = read_gap};
    return read_page(index, &page, query, rows, ret_cursor);
}

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

// --- one row, and the unfinished -----------------------------------------------------------------

static sqlite3_stmt *statement_for_id(struct gw_index *index, const char *sql,
                                      const struct gw_id *id)
{
    sqlite3_stmt *statement = gw_index_statement(index, sql);
    if (statement)
        gw_index_bind_id(statement, 1, id);
    return statement;
}

int gw_index_event(struct gw_index *index, const struct gw_id *id, struct gw_event_row *ret)
{
    sqlite3_stmt *statement =
        statement_for_id(index, "SELECT " GW_EVENT_COLUMNS " FROM event WHERE id = ?1", id);
    if (!statement)
        return GW_ERROR_INDEX;
    int result = gw_index_step(index, statement);
    if (result == 1)
        result = gw_index_read_event(index, statement, ret);
    else if (result == 0)
        result = GW_ERROR_NOT_FOUND;
    gw_index_reset(statement);
    return result;
}

int gw_index_clip(struct gw_index *index, const struct gw_id *id, struct gw_clip_row *ret)
{
    sqlite3_stmt *statement =
        statement_for_id(index, "SELECT " GW_CLIP_COLUMNS " FROM clip WHERE id = ?1", id);
    if (!statement)
        return GW_ERROR_INDEX;
    int result = gw_index_step(index, statement);
    if (result == 1)
        result = gw_index_read_clip(index, statement, ret);
    else if (result == 0)
        result = GW_ERROR_NOT_FOUND;
    gw_index_reset(statement);
    return result;
}

static sqlite3_stmt *statement_for_camera(struct gw_index *index, const char *sql,
                                          const char *camera, int limit)
{
    sqlite3_stmt *statement = gw_index_statement(index, sql);
    if (!statement)
        return NULL;
    bind_text_if(statement, 1, camera);
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
