// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/error.h"
#include "storage/index_internal.h"
#include "tests/unit/index_store.h"

#define CAMERAS 12
#define EVENTS  600
#define SPAN_US (3600 * GW_SECOND)

static struct gw_camera cameras[CAMERAS];
static struct gw_event events[EVENTS];
static struct gw_clip clips[EVENTS];

// --- a county ------------------------------------------------------------------------------------

static void make_county(void)
{
    static const char *const divisions[] = {"640323", "640323101", "640323101201", "640323102",
                                            "640324"};
    for (int i = 0; i < CAMERAS; i++) {
        char id[16], grid[16] = "";
        snprintf(id, sizeof(id), "cam-%d", i);
        if (i % 3)
            snprintf(grid, sizeof(grid), "%03d", i);
        cameras[i] = make_camera(id, divisions[i % 5], grid);
        if (i % 4) {
            cameras[i].lon = 106 + 0.001 * i;
            cameras[i].lat = 37.5 + 0.0005 * i;
        }
        assert_int_equal(gw_index_put_camera(idx, &cameras[i]), 1);
    }
}

// Durations: mostly seconds, some none at all, few of half an hour; every 20th never ended.
static int64_t pick_duration(void)
{
    int64_t choice = rand() % 20;
    return choice == 0 ? 0 : choice == 1 ? 1800 * GW_SECOND : rand() % 20000000;
}

static int fill(void *opaque)
{
    for (int i = 0; i < EVENTS; i++) {
        const char *camera = cameras[rand() % CAMERAS].id;
        int64_t start =
            TEST_START_US + rand() % SPAN_US / GW_SECOND * GW_SECOND; // many start together
        events[i] = make_event(camera, start, start + pick_duration());
        events[i].state = i % 20 ? GW_EVENT_CLOSED : GW_EVENT_OPEN;
        assert_int_equal(commit_event(GW_FACT_EVENT_OPENED, &events[i]), 0);
        if (i % 20)
            assert_int_equal(commit_event(GW_FACT_EVENT_CLOSED, &events[i]), 0);
        clips[i] = make_clip(camera, start, events[i].end_us);
        clips[i].state = i % 20 ? (i % 3 ? GW_CLIP_CLOSED : GW_CLIP_REPAIRED) : GW_CLIP_RECORDING;
        assert_int_equal(commit_clip(GW_FACT_CLIP_OPENED, &clips[i]), 0);
        if (i % 20)
            assert_int_equal(commit_clip(GW_FACT_CLIP_CLOSED, &clips[i]), 0);
    }
    return 0;
}

static int make_full_store(void **state)
{
    int result = make_store(state);
    srand(7);
    make_county();
    return result ? result : gw_index_transaction(idx, fill, NULL);
}

// --- what the answer should be -------------------------------------------------------------------

static const struct gw_camera *camera_of(const char *id)
{
    for (int i = 0; i < CAMERAS; i++)
        if (!strcmp(cameras[i].id, id))
            return &cameras[i];
    return NULL;
}

static bool place_matches(const struct gw_query *query, const char *id)
{
    char area[64];
    const struct gw_camera *camera = camera_of(id);
    snprintf(area, sizeof(area), "%s%s", camera->division, camera->grid);
    if (*query->camera && strcmp(query->camera, id))
        return false;
    if (strncmp(area, query->division, strlen(query->division)))
        return false;
    return !query->near ||
           (isfinite(camera->lon) && gw_index_distance_m(camera->lon, camera->lat, query->near_lon,
                                                         query->near_lat) <= query->near_m);
}

static bool time_matches(const struct gw_query *query, int64_t start, int64_t end, bool unfinished)
{
    if (query->to_us != GW_NO_TIME && start >= query->to_us)
        return false;
    return query->from_us == GW_NO_TIME || unfinished || end > query->from_us ||
           start >= query->from_us;
}

static bool event_matches(const struct gw_query *query, const struct gw_event *event)
{
    return (query->state < 0 || query->state == (int)event->state) &&
           place_matches(query, event->camera) &&
           time_matches(query, event->start_us, event->end_us, event->state == GW_EVENT_OPEN);
}

static bool clip_matches(const struct gw_query *query, const struct gw_clip *clip)
{
    return (query->state < 0 || query->state == (int)clip->state) &&
           place_matches(query, clip->camera) &&
           time_matches(query, clip->start_us, clip->end_us, clip->state == GW_CLIP_RECORDING);
}

static int count_matching_events(const struct gw_query *query)
{
    int count = 0;
    for (int i = 0; i < EVENTS; i++)
        count += event_matches(query, &events[i]);
    return count;
}

static int count_matching_clips(const struct gw_query *query)
{
    int count = 0;
    for (int i = 0; i < EVENTS; i++)
        count += clip_matches(query, &clips[i]);
    return count;
}

// --- walking pages -------------------------------------------------------------------------------

static bool in_order(int64_t start_a, const struct gw_id *a, int64_t start_b, const struct gw_id *b)
{
    return start_a > start_b || (start_a == start_b && memcmp(a, b, sizeof(*a)) > 0);
}

static int walk_events(struct gw_query query)
{
    struct gw_event_row rows[100], last;
    int total = 0, count;
    do {
        count = gw_index_events(idx, &query, rows, query.cursor);
        assert_true(count >= 0);
        for (int i = 0; i < count; i++) {
            assert_true(event_matches(&query, &rows[i].event));
            assert_true(total == 0 || in_order(last.event.start_us, &last.event.id,
                                               rows[i].event.start_us, &rows[i].event.id));
            last = rows[i];
            total++;
        }
        assert_true(!*query.cursor || count == query.limit);
    } while (*query.cursor);
    return total;
}

static int walk_clips(struct gw_query query)
{
    struct gw_clip_row rows[100], last;
    int total = 0, count;
    do {
        count = gw_index_clips(idx, &query, rows, query.cursor);
        assert_true(count >= 0);
        for (int i = 0; i < count; i++) {
            assert_true(clip_matches(&query, &rows[i].clip));
            assert_true(total == 0 || in_order(last.clip.start_us, &last.clip.id,
                                               rows[i].clip.start_us, &rows[i].clip.id));
            last = rows[i];
            total++;
        }
    } while (*query.cursor);
    return total;
}

static struct gw_query pick_query(int states)
{
    static const char *const prefixes[] = {"",
                                           "6403",
                                           "640323",
                                           "640323101",
                                           "640323101004",
                                           "640323101201",
                                           "640323101201007",
                                           "640323102003",
                                           "99"};
    struct gw_query query;
    gw_query_init(&query);
    query.limit = 1 + rand() % 100;
    if (rand() % 3)
        query.from_us = TEST_START_US + rand() % SPAN_US;
    if (rand() % 3)
        query.to_us = TEST_START_US + rand() % SPAN_US;
    if (rand() % 3 == 0)
        snprintf(query.camera, sizeof(query.camera), "cam-%d", rand() % (CAMERAS + 1));
    if (rand() % 2)
        snprintf(query.division, sizeof(query.division), "%s", prefixes[rand() % 9]);
    if (rand() % 3 == 0)
        query.state = rand() % states;
    if (rand() % 3 == 0) {
        query.near = true;
        query.near_lon = 106 + rand() % 12 * 0.001;
        query.near_lat = 37.5 + rand() % 12 * 0.0005;
        query.near_m = rand() % 800;
    }
    return query;
}

// --- facts ---------------------------------------------------------------------------------------

static void every_query_finds_what_a_look_at_every_row_finds(void **state)
{
    int found = 0;
    for (int i = 0; i < 500; i++) {
        struct gw_query query = pick_query(2);
        int count = walk_events(query);
        assert_int_equal(count, count_matching_events(&query));
        found += count;
        query = pick_query(4);
        assert_int_equal(walk_clips(query), count_matching_clips(&query));
    }
    assert_true(found > 5000); // they were no empty questions
}

static void an_overlap_reaches_back_over_the_longest_row(void **state)
{
    struct gw_query query;
    struct gw_event_row row;
    gw_query_init(&query);
    struct gw_event event =
        make_event("cam-1", TEST_START_US - 86400 * GW_SECOND, TEST_START_US - 10);
    commit_event(GW_FACT_EVENT_OPENED, &event);
    commit_event(GW_FACT_EVENT_CLOSED, &event);
    query.from_us = TEST_START_US - 11;
    query.to_us = TEST_START_US - 10;
    query.limit = 1;
    assert_int_equal(gw_index_events(idx, &query, &row, query.cursor), 1);
    assert_true(gw_id_equal(&row.event.id, &event.id));
    query.from_us = TEST_START_US - 10; // its end is not part of it
    query.to_us = TEST_START_US - 9;
    assert_int_equal(gw_index_events(idx, &query, &row, query.cursor), 0);
}

static void pages_stay_the_same_while_rows_are_added(void **state)
{
    struct gw_query query;
    struct gw_event_row first[50], second[50], again[50];
    char cursor[64], ignored[64];
    gw_query_init(&query);
    query.limit = 50;
    assert_int_equal(gw_index_events(idx, &query, first, cursor), 50);
    strcpy(query.cursor, cursor);
    assert_int_equal(gw_index_events(idx, &query, second, ignored), 50);
    for (int i = 0; i < 30; i++) {
        struct gw_event event =
            make_event("cam-1", TEST_START_US + 2 * SPAN_US + i, TEST_START_US + i);
        commit_event(GW_FACT_EVENT_OPENED, &event);
    }
    assert_int_equal(gw_index_events(idx, &query, again, ignored), 50);
    for (int i = 0; i < 50; i++)
        assert_true(gw_id_equal(&second[i].event.id, &again[i].event.id));
}

static void what_is_no_query_is_refused(void **state)
{
    static const char *const cursors[] = {"x", "00",
                                          "zz06511dfd0aa4800190a5c2000000000000000000000000",
                                          "0006511dfd0aa4800190a5c20000000000000000000000001"};
    struct gw_event_row row;
    struct gw_query query;
    char cursor[64];
    for (int i = 0; i < 4; i++) {
        gw_query_init(&query);
        query.limit = 1;
        strcpy(query.cursor, cursors[i]);
        assert_int_equal(gw_index_events(idx, &query, &row, cursor), GW_ERROR_INVALID);
    }
    gw_query_init(&query);
    query.limit = 0;
    assert_int_equal(gw_index_events(idx, &query, &row, cursor), GW_ERROR_INVALID);
    query.limit = 1001;
    assert_int_equal(gw_index_events(idx, &query, &row, cursor), GW_ERROR_INVALID);
    query.limit = 1;
    query.near = true;
    query.near_lat = 91;
    assert_int_equal(gw_index_events(idx, &query, &row, cursor), GW_ERROR_INVALID);
    query.near_lat = NAN;
    assert_int_equal(gw_index_events(idx, &query, &row, cursor), GW_ERROR_INVALID);
}

// Asks the engine how it would run a statement: one search in an index, bounded by start_us, no
// sort.
static void assert_plan(const char *sql, const char *index_name)
{
    char explain[4096], detail[512] = "";
    sqlite3_stmt *statement;
    int steps = 0;
    snprintf(explain, sizeof(explain), "EXPLAIN QUERY PLAN %s", sql);
    assert_int_equal(sqlite3_prepare_v2(idx->db, explain, -1, &statement, NULL), SQLITE_OK);
    for (; sqlite3_step(statement) == SQLITE_ROW; steps++)
        gw_index_column_text(statement, 3, detail, sizeof(detail));
    sqlite3_finalize(statement);
    assert_int_equal(steps, 1);
    assert_non_null(strstr(detail, "SEARCH"));
    assert_non_null(strstr(detail, index_name));
    assert_non_null(strstr(detail, "start_us"));
}

static void every_query_walks_an_index_and_sorts_nothing(void **state)
{
    struct gw_query query;
    gw_query_init(&query);
    assert_plan(gw_index_event_sql(&query), "event_by_start");
    assert_plan(gw_index_clip_sql(&query), "clip_by_start");
    strcpy(query.division, "640323");
    assert_plan(gw_index_event_sql(&query), "event_by_start");
    strcpy(query.division, "640323101");
    assert_plan(gw_index_event_sql(&query), "event_by_township (township=?");
    assert_plan(gw_index_clip_sql(&query), "clip_by_township (township=?");
    strcpy(query.division, "640323101201");
    assert_plan(gw_index_event_sql(&query), "event_by_village (village=?");
    assert_plan(gw_index_clip_sql(&query), "clip_by_village (village=?");
    strcpy(query.camera, "cam-1");
    assert_plan(gw_index_event_sql(&query), "event_by_camera (camera=?");
    assert_plan(gw_index_clip_sql(&query), "clip_by_camera (camera=?");
    query.state = GW_EVENT_OPEN;
    assert_plan(gw_index_event_sql(&query), "event_unfinished");
    query.state = GW_CLIP_RECORDING;
    assert_plan(gw_index_clip_sql(&query), "clip_unfinished");
}

static void distances_are_those_of_a_globe(void **state)
{
    assert_true(fabs(gw_index_distance_m(106, 37, 106, 38) - 111195) < 1);
    assert_true(fabs(gw_index_distance_m(106, 60, 107, 60) - 55597) < 10);
    assert_true(fabs(gw_index_distance_m(0, 0, 180, 0) - 20015115) < 1);
    assert_true(gw_index_distance_m(106, 37, 106, 37) == 0);
}

static int count_near(double lon, double lat, double metres)
{
    struct gw_event_row rows[10];
    struct gw_query query;
    gw_query_init(&query);
    query.limit = 10;
    query.near = true;
    query.near_lon = lon;
    query.near_lat = lat;
    query.near_m = metres;
    return gw_index_events(idx, &query, rows, query.cursor);
}

static void a_circle_may_lie_across_the_date_line_or_a_pole(void **state)
{
    struct gw_camera east = make_camera("east", "", ""), pole = make_camera("pole", "", "");
    east.lon = 179.999;
    east.lat = 10;
    pole.lon = 12;
    pole.lat = 89.9999;
    gw_index_put_camera(idx, &east);
    gw_index_put_camera(idx, &pole);
    struct gw_event a = make_event("east", 1, 2), b = make_event("pole", 1, 2);
    commit_event(GW_FACT_EVENT_OPENED, &a);
    commit_event(GW_FACT_EVENT_OPENED, &b);
    assert_int_equal(count_near(-179.999, 10, 300), 1);
    assert_int_equal(count_near(-179.999, 10, 200), 0);
    assert_int_equal(count_near(-150, 89.9999, 30), 1);
}

#define FULL(name)  cmocka_unit_test_setup_teardown(name, make_full_store, remove_store)
#define EMPTY(name) cmocka_unit_test_setup_teardown(name, make_store, remove_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FULL(every_query_finds_what_a_look_at_every_row_finds),
        FULL(an_overlap_reaches_back_over_the_longest_row),
        FULL(pages_stay_the_same_while_rows_are_added),
        EMPTY(what_is_no_query_is_refused),
        EMPTY(every_query_walks_an_index_and_sorts_nothing),
        EMPTY(distances_are_those_of_a_globe),
        EMPTY(a_circle_may_lie_across_the_date_line_or_a_pole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
