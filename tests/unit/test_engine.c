// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// One suite for both index engines: what either answers is what a look at every row finds.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/engine_fixture.h"

// --- the embedded engine -------------------------------------------------------------------------

static void open_sqlite(void)
{
    static char copy[PATH_MAX]; // its store
    static int copies;
    char error[GW_INDEX_ERROR_SIZE];
    struct gw_index *index;
    snprintf(copy, sizeof(copy), "%s/copy-%d", store, copies++);
    assert_int_equal(mkdir(copy, 0700), 0);
    if (gw_index_open(&index, copy, GW_INDEX_WRITE, "640323", error) < 0)
        fail_msg("%s", error);
    sqlite3_exec(index->db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
    engine = &gw_index_sqlite;
    self = index;
}

static int set_up_sqlite(void **state)
{
    open_sqlite();
    feed_from(0);
    return 0;
}

// --- rows and facts ------------------------------------------------------------------------------

static void every_row_is_as_it_was_told(void **state)
{
    skip_without_engine();
    assert_all_rows_are_there();
    for (int i = 0; i < truth_count; i += 7) {
        const struct truth *truth = &truths[i];
        struct truth found = *truth;
        struct gw_event_row event;
        struct gw_clip_row clip;
        struct gw_gap_row gap;
        if (truth->noun == GW_NOUN_EVENT) {
            assert_int_equal(engine->event(self, id_of(truth), &event), 0);
            found.fact.event = event.event;
            found.place = event.place;
        } else if (truth->noun == GW_NOUN_CLIP) {
            assert_int_equal(engine->clip(self, id_of(truth), &clip), 0);
            found.fact.clip = clip.clip;
            found.place = clip.place;
        } else {
            assert_int_equal(engine->gap(self, id_of(truth), &gap), 0);
            found.fact.gap = gap.gap;
            found.place = gap.place;
        }
        assert_same(truth, &found);
        if (truth->noun != GW_NOUN_EVENT)
            assert_int_equal(engine->event(self, id_of(truth), &event), GW_ERROR_NOT_FOUND);
    }
}

static void every_query_finds_what_a_look_at_every_row_finds(void **state)
{
    int found = 0;
    skip_without_engine();
    for (int i = 0; i < 400; i++) {
        const enum gw_noun noun = (enum gw_noun)(i % 3);
        const struct gw_query query = pick_query(noun);
        const int count = walk(noun, query, false);
        assert_int_equal(count, count_truths(&query, noun));
        found += count;
    }
    assert_true(found > 4000); // they were no empty questions
}

static void rows_that_start_together_are_paged_without_loss(void **state)
{
    skip_without_engine();
    const int first = fact_count;
    struct gw_event events[150];
    for (int i = 0; i < 150; i++)
        events[i] = make_event(cameras[i % 3 + 5].id, TEST_START_US + 5 * GW_SECOND,
                               TEST_START_US + 6 * GW_SECOND);
    open_events(events, 150);
    collect_facts();
    feed_from(first);
    for (int limit = 1; limit < 40; limit += 6) {
        struct gw_query query;
        gw_query_init(&query);
        query.limit = limit;
        query.to_us = TEST_START_US + 60 * GW_SECOND;
        assert_int_equal(walk(GW_NOUN_EVENT, query, false), count_truths(&query, GW_NOUN_EVENT));
        query.near = true; // of three cameras
        query.near_lon = cameras[6].lon;
        query.near_lat = cameras[6].lat;
        query.near_m = 150;
        assert_int_equal(walk(GW_NOUN_EVENT, query, false), count_truths(&query, GW_NOUN_EVENT));
        assert_true(count_truths(&query, GW_NOUN_EVENT) >= 150);
    }
}

static void an_overlap_reaches_back_over_the_longest_row(void **state)
{
    struct gw_query query;
    skip_without_engine();
    const int first = fact_count;
    struct gw_event event = make_event(cameras[1].id, TEST_START_US - 90000 * GW_SECOND,
                                       TEST_START_US - 10 * GW_SECOND);
    assert_int_equal(commit_event(GW_FACT_EVENT_OPENED, &event), 0);
    assert_int_equal(commit_event(GW_FACT_EVENT_CLOSED, &event), 0);
    collect_facts();
    feed_from(first);
    gw_query_init(&query);
    query.from_us = event.end_us - 1;
    query.to_us = event.end_us;
    assert_int_equal(walk(GW_NOUN_EVENT, query, true), count_truths(&query, GW_NOUN_EVENT));
    assert_true(count_truths(&query, GW_NOUN_EVENT) > 0);
    query.from_us = event.end_us; // its end is not part of it
    query.to_us = event.end_us + 1;
    assert_int_equal(walk(GW_NOUN_EVENT, query, true), 0);
}

static void pages_stay_the_same_while_rows_are_added(void **state)
{
    static struct truth second[50], again[50];
    char cursor[64], ignored[64];
    struct gw_query query;
    skip_without_engine();
    gw_query_init(&query);
    query.limit = 50;
    assert_int_equal(ask(engine, self, GW_NOUN_EVENT, &query, second, cursor), 50);
    strcpy(query.cursor, cursor);
    assert_int_equal(ask(engine, self, GW_NOUN_EVENT, &query, second, ignored), 50);
    const int first = fact_count;
    struct gw_event events[30];
    for (int i = 0; i < 30; i++)
        events[i] = make_event(cameras[1].id, TEST_START_US + 2 * SPAN_US + i,
                               TEST_START_US + 2 * SPAN_US + i);
    open_events(events, 30);
    collect_facts();
    feed_from(first);
    assert_int_equal(ask(engine, self, GW_NOUN_EVENT, &query, again, ignored), 50);
    for (int i = 0; i < 50; i++)
        assert_true(gw_id_equal(id_of(&second[i]), id_of(&again[i])));
}

static void a_cursor_of_one_index_is_good_in_the_other(void **state)
{
    static struct truth here[40], there[40];
    struct gw_query query;
    char cursor[64];
    skip_without_engine();
    gw_query_init(&query);
    query.limit = 40;
    for (int page = 0; page < 5; page++) {
        const int count = ask(engine, self, GW_NOUN_CLIP, &query, here, cursor);
        assert_int_equal(ask(&gw_index_sqlite, idx, GW_NOUN_CLIP, &query, there, query.cursor), 40);
        assert_int_equal(count, 40);
        assert_string_equal(cursor, query.cursor);
        for (int i = 0; i < count; i++)
            assert_true(gw_id_equal(id_of(&here[i]), id_of(&there[i])));
    }
}

static void what_is_no_query_is_refused(void **state)
{
    static const char *const cursors[] = {"x", "00",
                                          "zz06511dfd0aa4800190a5c2000000000000000000000000",
                                          "0006511dfd0aa4800190a5c20000000000000000000000001"};
    struct gw_event_row row;
    struct gw_query query;
    char cursor[64];
    skip_without_engine();
    for (int i = 0; i < 4; i++) {
        gw_query_init(&query);
        query.limit = 1;
        strcpy(query.cursor, cursors[i]);
        assert_int_equal(engine->events(self, &query, &row, cursor), GW_ERROR_INVALID);
    }
    gw_query_init(&query);
    query.limit = 0;
    assert_int_equal(engine->events(self, &query, &row, cursor), GW_ERROR_INVALID);
    query.limit = 1;
    query.polygon_count = 2;
    assert_int_equal(engine->events(self, &query, &row, cursor), GW_ERROR_INVALID);
}

static void facts_that_are_taken_twice_change_nothing(void **state)
{
    skip_without_engine();
    const int64_t taken = engine->taken(self);
    assert_int_equal(taken, facts[fact_count - 1].seq);
    feed_from(0);
    feed_from(fact_count / 2 + 3);
    assert_int_equal(engine->taken(self), taken);
    assert_all_rows_are_there();
}

static void facts_out_of_order_are_refused(void **state)
{
    skip_without_engine();
    struct gw_committed_fact wrong[2] = {facts[fact_count - 1], facts[fact_count - 2]};
    wrong[0].seq += 2;
    wrong[1].seq += 2;
    assert_int_equal(engine->take(self, wrong, 2), GW_ERROR_INVALID);
    assert_non_null(strstr(engine->error(self), "follow"));
    assert_int_equal(engine->taken(self), facts[fact_count - 1].seq);
    assert_all_rows_are_there();
}

// An engine that was fed with nothing yet.
static void begin_anew(void)
{
    if (engine == &gw_index_redis) {
        assert_int_equal(gw_index_redis_clear(self), 0);
        return;
    }
    engine->close(self);
    open_sqlite();
}

static void facts_that_left_the_journal_are_not_missed(void **state)
{
    skip_without_engine();
    begin_anew();
    struct gw_committed_fact *some = calloc((size_t)fact_count, sizeof(*some));
    int count = 0;
    for (int i = 7; i < fact_count; i++) // the first ones are gone, and those of no row
        if (strcmp(facts[i].kind, "alert.raised") != 0)
            some[count++] = facts[i];
    for (int i = 0; i < count; i += BATCH)
        if (engine->take(self, some + i, count - i < BATCH ? count - i : BATCH) < 0)
            fail_msg("%s", engine->error(self));
    const int64_t last = (int64_t)some[count - 1].seq;
    free(some);
    assert_int_equal(engine->taken(self), last);
    struct gw_query query;
    gw_query_init(&query);
    assert_true(walk(GW_NOUN_EVENT, query, true) >= ROWS - 7);
    assert_int_equal(walk(GW_NOUN_GAP, query, true), count_truths(&query, GW_NOUN_GAP));
}

static void a_fact_that_cannot_be_read_takes_its_batch_along(void **state)
{
    skip_without_engine();
    struct gw_committed_fact wrong[2] = {facts[fact_count - 1], facts[fact_count - 1]};
    struct gw_event event = make_event(cameras[1].id, TEST_START_US, TEST_START_US + 1);
    json_t *json = gw_event_to_json(&event);
    gw_place_to_json_numbered(json, &truths[0].place);
    char *data = json_dumps(json, 0);
    struct gw_event_row row;
    wrong[0].seq += 1;
    wrong[0].kind = "event.opened";
    wrong[0].data = data;
    wrong[1].seq += 2;
    wrong[1].data = "{}";
    assert_int_equal(engine->take(self, wrong, 2), GW_ERROR_INVALID);
    assert_int_equal(engine->event(self, &event.id, &row), GW_ERROR_NOT_FOUND);
    assert_int_equal(engine->taken(self), facts[fact_count - 1].seq);
    free(data);
    json_decref(json);
}

// A deletion as the index tells of it.
static void feed_deletion(struct truth *truth, enum gw_fact_kind kind, uint64_t seq)
{
    struct gw_deletion deletion = {
        .id = *id_of(truth), .start_us = start_of(truth), .reason = GW_DELETED_EXPIRED};
    strcpy(deletion.camera, gw_fact_camera(&truth->fact));
    json_t *json = gw_deletion_to_json(&deletion);
    gw_place_to_json_numbered(json, &truth->place);
    char *data = json_dumps(json, JSON_COMPACT);
    const struct gw_committed_fact fact = {.seq = seq,
                                           .wall_us = TEST_START_US,
                                           .kind = gw_fact_kind_name(kind),
                                           .topic = "event/640323/x",
                                           .camera = deletion.camera,
                                           .data = data,
                                           .thumbnail = ""};
    if (engine->take(self, &fact, 1) < 0)
        fail_msg("%s", engine->error(self));
    truth->gone = true;
    free(data);
    json_decref(json);
}

static void what_is_deleted_is_found_nowhere(void **state)
{
    static const enum gw_fact_kind kinds[] = {
        [GW_NOUN_EVENT] = GW_FACT_EVENT_DELETED,
        [GW_NOUN_CLIP] = GW_FACT_CLIP_DELETED,
        [GW_NOUN_GAP] = GW_FACT_GAP_DELETED,
    };
    skip_without_engine();
    uint64_t seq = facts[fact_count - 1].seq;
    for (int i = 0; i < truth_count; i += 3) {
        feed_deletion(&truths[i], kinds[truths[i].noun], ++seq);
        feed_deletion(&truths[i], kinds[truths[i].noun], ++seq); // and once more
    }
    assert_all_rows_are_there();
    assert_counts_are_true();
    for (int i = 0; i < 150; i++) {
        const enum gw_noun noun = (enum gw_noun)(i % 3);
        const struct gw_query query = pick_query(noun);
        assert_int_equal(walk(noun, query, false), count_truths(&query, noun));
    }
}

// --- counts and places -----------------------------------------------------------------------

static void counts_are_those_of_a_look_at_every_row(void **state)
{
    skip_without_engine();
    assert_counts_are_true();
}

static void assert_same_places(const struct gw_query *query)
{
    static struct gw_placed here[CAMERAS * 2], there[CAMERAS * 2];
    const int count = engine->places(self, query, here, CAMERAS * 2);
    assert_int_equal(count, gw_index_places(idx, query, there, CAMERAS * 2));
    for (int i = 0; i < count; i++) {
        assert_string_equal(here[i].camera, there[i].camera);
        assert_true(gw_place_same(&here[i].place, &there[i].place));
        assert_int_equal(here[i].place.number, there[i].place.number);
        assert_int_equal(here[i].place.since_us, there[i].place.since_us);
        assert_int_equal(here[i].until_us, there[i].until_us);
    }
}

static void places_are_those_of_the_index(void **state)
{
    int found = 0;
    skip_without_engine();
    for (int i = 0; i < 100; i++) {
        struct gw_placed rows[1];
        struct gw_query query;
        gw_query_init(&query);
        pick_place(&query);
        assert_same_places(&query);
        found += engine->places(self, &query, rows, 1);
    }
    assert_true(found > 100);
}

#define SQLITE_FACT(name)                                                                          \
    {                                                                                              \
        "sqlite: " #name, name, set_up_sqlite, tear_down, NULL                                     \
    }
#define FACT(name) SQLITE_FACT(name), REDIS_FACT(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(every_row_is_as_it_was_told),
        FACT(every_query_finds_what_a_look_at_every_row_finds),
        FACT(rows_that_start_together_are_paged_without_loss),
        FACT(an_overlap_reaches_back_over_the_longest_row),
        FACT(pages_stay_the_same_while_rows_are_added),
        FACT(a_cursor_of_one_index_is_good_in_the_other),
        FACT(what_is_no_query_is_refused),
        FACT(facts_that_are_taken_twice_change_nothing),
        FACT(facts_out_of_order_are_refused),
        FACT(facts_that_left_the_journal_are_not_missed),
        FACT(a_fact_that_cannot_be_read_takes_its_batch_along),
        FACT(what_is_deleted_is_found_nowhere),
        FACT(counts_are_those_of_a_look_at_every_row),
        FACT(places_are_those_of_the_index),
    };
    return cmocka_run_group_tests(tests, set_up, clean_up);
}
