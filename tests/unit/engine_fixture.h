// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// An index engine that was fed with a county's facts, questions to it, and what the answers should
// be: a look at every row of the list.
#pragma once

#include <sys/stat.h>

#include "storage/redis_internal.h"
#include "tests/unit/engine_facts.h"
#include "tests/unit/redis_server.h"

enum { BATCH = 100 };

static const struct gw_index_engine *engine;
static void *self; // NULL: there is no such engine here
static struct redis_server server;

// --- engines -------------------------------------------------------------------------------------

static struct gw_redis_config redis_config(void)
{
    return (struct gw_redis_config){.address = server.address,
                                    .division = "640323",
                                    .epoch = gw_index_epoch(idx),
                                    .day_offset_us = idx->day_offset_us};
}

static void open_redis(void)
{
    char error[GW_INDEX_ERROR_SIZE];
    struct gw_redis *redis;
    const struct gw_redis_config config = redis_config();
    if (gw_index_redis_open(&redis, &config, error) < 0)
        fail_msg("%s", error);
    redis->budget = 50; // so that most queries take several calls
    engine = &gw_index_redis;
    self = redis;
}

static void feed_from(int first)
{
    for (int i = first; i < fact_count; i += BATCH) {
        const int count = fact_count - i < BATCH ? fact_count - i : BATCH;
        if (engine->take(self, facts + i, count) < 0)
            fail_msg("%s", engine->error(self));
    }
}

static int set_up_redis(void **state)
{
    if (!server.pid)
        return 0;
    open_redis();
    feed_from(0);
    return 0;
}

static int tear_down(void **state)
{
    if (self)
        engine->close(self);
    self = NULL;
    for (int i = 0; i < truth_count; i++)
        truths[i].gone = false;
    return 0;
}

static int tear_down_redis(void **state)
{
    if (self)
        assert_int_equal(gw_index_redis_clear(self), 0);
    return tear_down(state);
}

// --- a look at every row -------------------------------------------------------------------------

static bool place_matches(const struct gw_query *query, const char *camera,
                          const struct gw_place *place)
{
    char area[64];
    const struct gw_point point = {place->lon, place->lat};
    snprintf(area, sizeof(area), "%s%s", place->division, place->grid);
    if (*query->camera && strcmp(query->camera, camera) != 0)
        return false;
    if (strncmp(area, query->division, strlen(query->division)) != 0)
        return false;
    if (!query->near && !query->polygon_count && !query->in_box && !query->covers)
        return true;
    const struct gw_point middle = {query->near_lon, query->near_lat};
    return isfinite(point.lon) &&
           (!query->near || gw_geo_distance_m(point, middle) <= query->near_m) &&
           (!query->polygon_count ||
            gw_geo_in_polygon(query->polygon, query->polygon_count, point)) &&
           (!query->in_box || gw_geo_in_box(&query->box, point)) &&
           (!query->covers || gw_geo_sees(point, &place->view, query->seen));
}

static int64_t start_of(const struct truth *truth)
{
    return truth->noun == GW_NOUN_EVENT  ? truth->fact.event.start_us
           : truth->noun == GW_NOUN_CLIP ? truth->fact.clip.start_us
                                         : truth->fact.gap.from_us;
}

static bool truth_matches(const struct gw_query *query, enum gw_noun noun,
                          const struct truth *truth)
{
    const struct gw_fact *fact = &truth->fact;
    const bool event = noun == GW_NOUN_EVENT, clip = noun == GW_NOUN_CLIP;
    const int state = event  ? (int)fact->event.state
                      : clip ? (int)fact->clip.state
                             : (int)fact->gap.open;
    const bool goes_on = state == (event ? (int)GW_EVENT_OPEN : clip ? (int)GW_CLIP_RECORDING : 1);
    const int64_t start_us = start_of(truth), end_us = event  ? fact->event.end_us
                                                       : clip ? fact->clip.end_us
                                                              : fact->gap.to_us;
    if (truth->noun != noun || truth->gone || (query->state >= 0 && query->state != state))
        return false;
    if (event && ((query->kind >= 0 && query->kind != (int)fact->event.kind) ||
                  fact->event.score < query->min_score))
        return false;
    if (query->to_us != GW_NO_TIME && start_us >= query->to_us)
        return false;
    if (query->from_us != GW_NO_TIME && !goes_on && end_us <= query->from_us &&
        start_us < query->from_us)
        return false;
    return place_matches(query, gw_fact_camera(fact), &truth->place);
}

static int count_truths(const struct gw_query *query, enum gw_noun noun)
{
    int count = 0;
    for (int i = 0; i < truth_count; i++)
        count += truth_matches(query, noun, &truths[i]);
    return count;
}

// --- questions -----------------------------------------------------------------------------------

static void pick_time(struct gw_query *query)
{
    if (rand() % 3)
        query->from_us = TEST_START_US + rand() % (SPAN_US / GW_SECOND) * GW_SECOND;
    if (rand() % 3)
        query->to_us = TEST_START_US + rand() % (SPAN_US / GW_SECOND) * GW_SECOND;
}

static void pick_place(struct gw_query *query)
{
    static const char *const prefixes[] = {
        "6403",         "640323",          "640323101",    "640323101004",
        "640323101201", "640323101201002", "640323102003", "99"};
    const struct gw_point point = {106 + rand() % 12 * 0.001, 37.5 + rand() % 12 * 0.0005};

    switch (rand() % 9) {
    case 0: snprintf(query->camera, sizeof(query->camera), "cam-%d", rand() % (CAMERAS + 1)); break;
    case 1:
    case 2: snprintf(query->division, sizeof(query->division), "%s", prefixes[rand() % 8]); break;
    case 3:
        query->near = true;
        query->near_lon = point.lon;
        query->near_lat = point.lat;
        query->near_m = rand() % 800;
        break;
    case 4:
        query->in_box = true;
        query->box = (struct gw_geo_box){point.lon - 0.002, point.lat - 0.001, point.lon + 0.002,
                                         point.lat + 0.001};
        break;
    case 5:
        query->polygon_count = 3;
        query->polygon[0] = point;
        query->polygon[1] = (struct gw_point){point.lon + 0.005, point.lat};
        query->polygon[2] = (struct gw_point){point.lon + 0.005, point.lat + 0.005};
        break;
    case 6:
        query->covers = true;
        query->seen = (struct gw_point){106 + 0.0007 * (rand() % CAMERAS) + 0.0001,
                                        37.5 + 0.0004 * (rand() % CAMERAS)};
        break;
    default: break;
    }
}

static inline struct gw_query pick_query(enum gw_noun noun)
{
    struct gw_query query;
    gw_query_init(&query);
    query.limit = 1 + rand() % 100;
    pick_time(&query);
    pick_place(&query);
    if (rand() % 3 == 0)
        query.state = rand() % (noun == GW_NOUN_CLIP ? 4 : 2);
    if (noun == GW_NOUN_EVENT && rand() % 4 == 0)
        query.kind = rand() % GW_EVENT_KIND_COUNT;
    if (noun == GW_NOUN_EVENT && rand() % 4 == 0)
        query.min_score = rand() % 11 / 10.0;
    return query;
}

// --- answers -------------------------------------------------------------------------------------

// A row of any noun, read into the form of the list.
static int ask(const struct gw_index_engine *who, void *whom, enum gw_noun noun,
               const struct gw_query *query, struct truth *ret, char ret_cursor[64])
{
    static struct gw_event_row events[1000];
    static struct gw_clip_row clips[1000];
    static struct gw_gap_row gaps[1000];
    const int count = noun == GW_NOUN_EVENT  ? who->events(whom, query, events, ret_cursor)
                      : noun == GW_NOUN_CLIP ? who->clips(whom, query, clips, ret_cursor)
                                             : who->gaps(whom, query, gaps, ret_cursor);
    for (int i = 0; i < count; i++) {
        ret[i] = (struct truth){.noun = noun};
        if (noun == GW_NOUN_EVENT) {
            ret[i].fact = (struct gw_fact){.kind = GW_FACT_EVENT_OPENED, .event = events[i].event};
            ret[i].place = events[i].place;
        } else if (noun == GW_NOUN_CLIP) {
            ret[i].fact = (struct gw_fact){.kind = GW_FACT_CLIP_OPENED, .clip = clips[i].clip};
            ret[i].place = clips[i].place;
        } else {
            ret[i].fact = (struct gw_fact){.kind = GW_FACT_GAP_OPENED, .gap = gaps[i].gap};
            ret[i].place = gaps[i].place;
        }
    }
    return count;
}

static bool in_order(const struct truth *a, const struct truth *b)
{
    if (start_of(a) != start_of(b))
        return start_of(a) > start_of(b);
    return memcmp(id_of(a), id_of(b), sizeof(struct gw_id)) > 0;
}

static char *text_of(const struct truth *truth)
{
    json_t *json = truth->noun == GW_NOUN_EVENT  ? gw_event_to_json(&truth->fact.event)
                   : truth->noun == GW_NOUN_CLIP ? gw_clip_to_json(&truth->fact.clip)
                                                 : gw_gap_to_json(&truth->fact.gap);
    gw_place_to_json_numbered(json, &truth->place);
    char *text = json_dumps(json, JSON_SORT_KEYS);
    json_decref(json);
    return text;
}

static void assert_same(const struct truth *a, const struct truth *b)
{
    char *left = text_of(a), *right = text_of(b);
    assert_string_equal(left, right);
    free(left);
    free(right);
}

// Walks all pages; every row must be meant, in order, and as it was told when `whole`.
static int walk(enum gw_noun noun, struct gw_query query, bool whole)
{
    static struct truth rows[1000];
    struct truth last;
    int total = 0, count;
    do {
        count = ask(engine, self, noun, &query, rows, query.cursor);
        if (count < 0)
            fail_msg("%s", engine->error(self));
        for (int i = 0; i < count; i++) {
            const struct truth *truth = truth_of(noun, id_of(&rows[i]));
            assert_non_null(truth);
            assert_true(truth_matches(&query, noun, truth));
            assert_true(total == 0 || in_order(&last, &rows[i]));
            if (whole)
                assert_same(truth, &rows[i]);
            last = rows[i];
            total++;
        }
        assert_true(!*query.cursor || count == query.limit);
    } while (*query.cursor);
    return total;
}

static void assert_all_rows_are_there(void)
{
    for (int noun = GW_NOUN_EVENT; noun <= GW_NOUN_GAP; noun++) {
        struct gw_query query;
        gw_query_init(&query);
        query.limit = 70;
        const int count = walk((enum gw_noun)noun, query, true);
        assert_int_equal(count, count_truths(&query, (enum gw_noun)noun));
    }
}

static void skip_without_engine(void)
{
    if (!self)
        skip();
}

// --- counts and places ---------------------------------------------------------------------------

// Counts rather than rows: a query's place and kind, and whole days.
static struct gw_query pick_count(enum gw_noun noun)
{
    struct gw_query query;
    gw_query_init(&query);
    pick_time(&query);
    pick_place(&query);
    if (noun == GW_NOUN_EVENT && rand() % 3 == 0)
        query.kind = rand() % GW_EVENT_KIND_COUNT;
    return query;
}

static bool counts(const struct gw_query *query, enum gw_noun noun, const struct truth *truth)
{
    struct gw_query days = *query;
    const int64_t day = gw_index_day(idx, start_of(truth));
    days.from_us = days.to_us = GW_NO_TIME;
    return truth_matches(&days, noun, truth) &&
           (query->from_us == GW_NO_TIME || day >= gw_index_day(idx, query->from_us)) &&
           (query->to_us == GW_NO_TIME || day <= gw_index_day(idx, query->to_us - 1));
}

static void assert_days_are_true(const struct gw_query *query, enum gw_noun noun)
{
    struct gw_day_count days[10];
    int64_t sum = 0, all = 0;
    const int count = engine->count_days(self, noun, query, days, 10);
    assert_true(count >= 0 && count <= 10);
    for (int i = 0; i < truth_count; i++)
        all += counts(query, noun, &truths[i]);
    for (int day = 0; day < count; day++) {
        int64_t expected = 0;
        for (int i = 0; i < truth_count; i++)
            expected += counts(query, noun, &truths[i]) &&
                        gw_index_day(idx, start_of(&truths[i])) == days[day].day;
        assert_int_equal(days[day].count, expected);
        assert_true(expected > 0 && (day == 0 || days[day].day > days[day - 1].day));
        sum += days[day].count;
    }
    assert_int_equal(sum, all);
}

static void assert_cells_are_true(const struct gw_query *query, enum gw_noun noun)
{
    struct gw_cell_count cells[CAMERAS * 2];
    int64_t sum = 0, all = 0;
    const int count = engine->count_cells(self, noun, query, cells, CAMERAS * 2);
    assert_true(count >= 0 && count <= CAMERAS * 2);
    for (int i = 0; i < truth_count; i++)
        all += counts(query, noun, &truths[i]);
    for (int cell = 0; cell < count; cell++) {
        int64_t expected = 0;
        for (int i = 0; i < truth_count; i++)
            expected += counts(query, noun, &truths[i]) &&
                        !strcmp(truths[i].place.division, cells[cell].division) &&
                        !strcmp(truths[i].place.grid, cells[cell].grid);
        assert_int_equal(cells[cell].count, expected);
        assert_true(expected > 0);
        sum += expected;
    }
    assert_int_equal(sum, all);
}

static void assert_counts_are_true(void)
{
    for (int i = 0; i < 60; i++) {
        const enum gw_noun noun = (enum gw_noun)(i % 3);
        const struct gw_query query = pick_count(noun);
        assert_days_are_true(&query, noun);
        assert_cells_are_true(&query, noun);
    }
}

// --- the group -----------------------------------------------------------------------------------

static int set_up(void **state)
{
    signal(SIGPIPE, SIG_IGN); // as the hub does
    if (make_county(state) < 0 || make_redis_folder(&server) < 0)
        return -1;
    return have_redis_server() ? start_redis(&server, "") : 0;
}

static int clean_up(void **state)
{
    const int result = remove_county(state);
    return remove_redis_folder(&server) || result;
}

#define REDIS_FACT(name)                                                                           \
    {                                                                                              \
        "redis: " #name, name, set_up_redis, tear_down_redis, NULL                                 \
    }
