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
            cameras[i].lon = round((106 + 0.001 * i) * 1e7) / 1e7; // as positions are kept
            cameras[i].lat = round((37.5 + 0.0005 * i) * 1e7) / 1e7;
            cameras[i].view = (struct gw_view){30 * i, i % 3 ? 90 : 0, i % 5 ? 400 : 0, 4};
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
        events[i].kind = i % 7 ? GW_EVENT_MOTION : (enum gw_event_kind)(1 + i % 2);
        events[i].score = round(i % 101 * 100) / 1e4;
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

static double distance(double lon_a, double lat_a, double lon_b, double lat_b)
{
    return gw_geo_distance_m((struct gw_point){lon_a, lat_a}, (struct gw_point){lon_b, lat_b});
}

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
    const struct gw_point at = {camera->lon, camera->lat};
    if (!query->near && !query->in_box && !query->polygon_count && !query->covers)
        return true;
    return isfinite(at.lon) &&
           (!query->near ||
            distance(at.lon, at.lat, query->near_lon, query->near_lat) <= query->near_m) &&
           (!query->in_box || gw_geo_in_box(&query->box, at)) &&
           (!query->polygon_count || gw_geo_in_polygon(query->polygon, query->polygon_count, at)) &&
           (!query->covers || gw_geo_sees(at, &camera->view, query->seen));
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
           (query->kind < 0 || query->kind == (int)event->kind) &&
           event->score >= query->min_score && place_matches(query, event->camera) &&
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
    if (rand() % 4 == 0) {
        query.in_box = true;
        query.box = (struct gw_geo_box){106 + rand() % 6 * 0.001, 37.5 + rand() % 3 * 0.001,
                                        106.006 + rand() % 6 * 0.001, 37.504 + rand() % 3 * 0.001};
    }
    if (rand() % 4 == 0) {
        query.polygon_count = 3 + rand() % 3;
        for (int i = 0; i < query.polygon_count; i++)
            query.polygon[i] =
                (struct gw_point){106 + rand() % 120 * 0.0001, 37.5 + rand() % 60 * 0.0001};
    }
    if (rand() % 4 == 0) {
        query.covers = true;
        query.seen = (struct gw_point){106 + rand() % 120 * 0.0001, 37.5 + rand() % 60 * 0.0001};
    }
    if (rand() % 4 == 0)
        query.kind = rand() % 3;
    if (rand() % 4 == 0)
        query.min_score = rand() % 100 * 0.01;
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

static void a_walk_that_loses_patience_finds_the_same(void **state)
{
    idx->walk_patience = 15;
    every_query_finds_what_a_look_at_every_row_finds(state);
}

static void a_moved_camera_is_found_where_it_was(void **state)
{
    struct gw_event_row row;
    struct gw_query query;
    struct gw_placed placed[4];
    struct gw_camera camera = make_camera("m", "640323101", "001");
    gw_query_init(&query);
    camera.lon = 106.4;
    camera.lat = 37.7;
    gw_index_put_camera(idx, &camera);
    struct gw_event before = make_event("m", TEST_START_US, TEST_START_US + 5);
    commit_event(GW_FACT_EVENT_OPENED, &before);
    camera.lon = 106.5;
    gw_index_put_camera(idx, &camera);
    gw_index_put_camera(idx, &camera); // says nothing new
    struct gw_event after = make_event("m", TEST_START_US + 10, TEST_START_US + 15);
    commit_event(GW_FACT_EVENT_OPENED, &after);

    query.near = true;
    query.near_lon = 106.4;
    query.near_lat = 37.7;
    query.near_m = 100;
    assert_int_equal(gw_index_events(idx, &query, &row, query.cursor), 1);
    assert_true(gw_id_equal(&row.event.id, &before.id));
    query.near_lon = 106.5;
    assert_int_equal(gw_index_events(idx, &query, &row, query.cursor), 1);
    assert_true(gw_id_equal(&row.event.id, &after.id));

    query.near = false;
    strcpy(query.camera, "m");
    assert_int_equal(gw_index_places(idx, &query, placed, 4), 2);
    assert_true(placed[0].until_us == placed[1].place.since_us);
    assert_true(placed[1].until_us == GW_NO_TIME && placed[1].place.lon == 106.5);
}

static int64_t count_all(const struct gw_query *query, enum gw_noun noun)
{
    struct gw_day_count days[64];
    struct gw_cell_count cells[64];
    int64_t by_day = 0, by_cell = 0;
    int day_count = gw_index_count_days(idx, noun, query, days, 64);
    int cell_count = gw_index_count_cells(idx, noun, query, cells, 64);
    assert_true(day_count >= 0 && day_count <= 64 && cell_count >= 0 && cell_count <= 64);
    for (int i = 0; i < day_count; i++)
        by_day += days[i].count;
    for (int i = 0; i < cell_count; i++)
        by_cell += cells[i].count;
    assert_int_equal(by_day, by_cell);
    return by_day;
}

static void counts_are_those_of_the_rows(void **state)
{
    for (int i = 0; i < 100; i++) {
        struct gw_query query = pick_query(2);
        // Whole days, and what counts do not ask.
        query.from_us = query.to_us = GW_NO_TIME;
        query.state = -1;
        query.min_score = 0;
        assert_int_equal(count_all(&query, GW_NOUN_EVENT), count_matching_events(&query));
        query.kind = -1;
        assert_int_equal(count_all(&query, GW_NOUN_CLIP), count_matching_clips(&query));
    }
    struct gw_query query;
    struct gw_day_count day;
    gw_query_init(&query);
    query.from_us = gw_index_day_start_us(idx, gw_index_day(idx, TEST_START_US));
    query.to_us = query.from_us + 1;
    assert_int_equal(gw_index_count_days(idx, GW_NOUN_EVENT, &query, &day, 1), 1);
    assert_int_equal(day.day, gw_index_day(idx, TEST_START_US));
    query.from_us -= 2;
    query.to_us -= 2;
    assert_int_equal(gw_index_count_days(idx, GW_NOUN_EVENT, &query, &day, 1), 0);
}

static void a_removed_row_is_counted_no_more(void **state)
{
    struct gw_query query;
    gw_query_init(&query);
    assert_int_equal(gw_index_remove_row(idx, GW_NOUN_EVENT, &events[0].id), 1);
    assert_int_equal(gw_index_remove_row(idx, GW_NOUN_EVENT, &events[0].id), 0);
    assert_int_equal(count_all(&query, GW_NOUN_EVENT), EVENTS - 1);
    assert_int_equal(walk_events(query), EVENTS - 1);
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

// Asks the engine how it would run a statement: one search in an index, no sort.
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
    if (!strstr(detail, index_name))
        print_error("%s\n", detail);
    assert_non_null(strstr(detail, index_name));
}

static void every_query_walks_an_index_and_sorts_nothing(void **state)
{
    static const char *const tables[] = {"event", "clip", "gap"};
    char name[64];
    for (int i = 0; i < 3; i++) {
        const struct gw_index_noun *noun = &gw_index_nouns[i];
        snprintf(name, sizeof(name), "%s_by_start (start_us>? AND (start_us,id)<(?,?))", tables[i]);
        assert_plan(noun->by_start, name);
        snprintf(name, sizeof(name), "%s_by_place (place=? AND start_us>? AND (start_us,id)<(?,?))",
                 tables[i]);
        assert_plan(noun->by_place, name);
        snprintf(name, sizeof(name), "%s_unfinished (start_us>? AND (start_us,id)<(?,?))",
                 tables[i]);
        assert_plan(noun->by_unfinished, name);
        snprintf(name, sizeof(name), "%s USING PRIMARY KEY (id=?)", tables[i]);
        assert_plan(noun->row, name);
    }
    assert_plan(gw_index_nouns[GW_NOUN_EVENT].by_kind,
                "event_by_kind (kind=? AND start_us>? AND (start_us,id)<(?,?))");
}

static const char *way_of(const struct gw_query *query)
{
    struct gw_index_walk *walk;
    const struct gw_index_key from = {.start_us = INT64_MAX};
    assert_int_equal(gw_index_walk_start(&walk, idx, GW_NOUN_EVENT, query, &from, true), 0);
    const char *way = gw_index_walk_way(walk);
    gw_index_walk_stop(&walk);
    return way;
}

static void few_places_are_asked_one_by_one_and_many_by_time(void **state)
{
    struct gw_query query;
    gw_query_init(&query);
    assert_string_equal(way_of(&query), "start");
    query.min_score = 0.5;
    assert_string_equal(way_of(&query), "start");
    strcpy(query.camera, "cam-1");
    assert_string_equal(way_of(&query), "place");
    *query.camera = 0;
    strcpy(query.division, "6403");
    query.limit = 2;
    assert_string_equal(way_of(&query), "start");
    query.kind = GW_EVENT_COVERED;
    assert_string_equal(way_of(&query), "kind");
    query.state = GW_EVENT_OPEN;
    assert_string_equal(way_of(&query), "unfinished");
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

static void a_warm_handle_reads_no_places_for_its_first_question(void **state)
{
    char error[GW_INDEX_ERROR_SIZE];
    struct gw_event_row rows[10];
    struct gw_index *reader;
    struct gw_query query;
    assert_int_equal(gw_index_open(&reader, store, GW_INDEX_READ, "640323", error), 0);
    assert_null(reader->places);
    assert_int_equal(gw_index_warm(reader), 0);
    const struct gw_index_place *places = reader->places;
    assert_non_null(places);
    gw_query_init(&query);
    query.limit = 10;
    strcpy(query.division, "640323");
    assert_int_equal(gw_index_events(reader, &query, rows, query.cursor), 10);
    assert_ptr_equal(reader->places, places);
    gw_index_close(&reader);
}

#define FULL(name)  cmocka_unit_test_setup_teardown(name, make_full_store, remove_store)
#define EMPTY(name) cmocka_unit_test_setup_teardown(name, make_store, remove_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FULL(every_query_finds_what_a_look_at_every_row_finds),
        FULL(a_walk_that_loses_patience_finds_the_same),
        EMPTY(a_moved_camera_is_found_where_it_was),
        FULL(counts_are_those_of_the_rows),
        FULL(a_removed_row_is_counted_no_more),
        FULL(few_places_are_asked_one_by_one_and_many_by_time),
        FULL(an_overlap_reaches_back_over_the_longest_row),
        FULL(pages_stay_the_same_while_rows_are_added),
        EMPTY(what_is_no_query_is_refused),
        EMPTY(every_query_walks_an_index_and_sorts_nothing),
        FULL(a_warm_handle_reads_no_places_for_its_first_question),
        EMPTY(a_circle_may_lie_across_the_date_line_or_a_pole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
