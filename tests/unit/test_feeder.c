// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The feeder with a real index at one end and a real Redis at the other.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/feeder.h"
#include "storage/index_redis.h"
#include "tests/unit/index_store.h"
#include "tests/unit/redis_server.h"

static const struct gw_log quiet = {.name = "test"};

static struct redis_server server;
static struct gw_feeder *feeder;

static int set_up(void **state)
{
    signal(SIGPIPE, SIG_IGN); // as the hub does
    gw_log_setup(GW_LOG_ERROR, false);
    if (make_store(state) < 0 || make_redis_folder(&server) < 0)
        return -1;
    return have_redis_server() ? start_redis(&server, "") : 0;
}

static int clean_up(void **state)
{
    gw_feeder_destroy(&feeder);
    const int result = remove_store(state);
    return remove_redis_folder(&server) || result;
}

static void skip_without_redis(void)
{
    if (!server.pid)
        skip();
}

// --- what is fed ---------------------------------------------------------------------------------

static void commit_events(int count, int64_t start_us)
{
    struct gw_fact_entry entries[20];
    assert_true(count <= 20);
    for (int i = 0; i < count; i++) {
        entries[i] = (struct gw_fact_entry){
            .fact = {.kind = GW_FACT_EVENT_OPENED,
                     .wall_us = start_us + i,
                     .event = make_event("gate", start_us + i, start_us + GW_SECOND)}};
    }
    assert_int_equal(gw_index_commit(idx, entries, count), 0);
}

static struct gw_redis *open_redis(void)
{
    struct gw_redis *redis;
    char error[GW_INDEX_ERROR_SIZE];
    const struct gw_redis_config config = {.address = server.address,
                                           .division = "640323",
                                           .epoch = gw_index_epoch(idx),
                                           .day_offset_us = -gw_index_day_start_us(idx, 0)};
    if (gw_index_redis_open(&redis, &config, error) < 0)
        fail_msg("%s", error);
    return redis;
}

static int take_one(void *opaque, const struct gw_committed_fact *fact)
{
    return gw_index_redis.take(opaque, fact, 1);
}

// What an earlier run of the site fed.
static void feed_by_hand(int count)
{
    struct gw_redis *redis = open_redis();
    assert_int_equal(gw_index_facts(idx, 0, count, take_one, redis), count);
    gw_index_redis.close(redis);
}

static void start_feeder(void)
{
    const struct gw_feeder_config config = {.store = store,
                                            .division = "640323",
                                            .address = server.address,
                                            .password_file = "",
                                            .log = &quiet};
    assert_int_equal(gw_feeder_create(&feeder, &config), 0);
    gw_feeder_wake(feeder, (uint64_t)gw_index_head(idx));
}

// Waits until the feeder's problem contains these words, or until there is none (NULL).
static struct gw_feeder_state wait_for_problem(const char *words)
{
    struct gw_feeder_state state;
    for (int i = 0; i < 1000; i++) {
        gw_feeder_read(feeder, &state);
        if (words ? state.problem && strstr(state.problem, words)
                  : !state.problem && state.taken == (uint64_t)gw_index_head(idx))
            return state;
        usleep(10000);
    }
    fail_msg("still: %s", state.problem ? state.problem : "no problem");
    return state;
}

static int count_shared(void)
{
    static struct gw_event_row rows[1000];
    char cursor[64];
    struct gw_query query;
    struct gw_redis *redis = open_redis();
    gw_query_init(&query);
    query.limit = 1000;
    const int count = gw_index_redis.events(redis, &query, rows, cursor);
    gw_index_redis.close(redis);
    return count;
}

// --- facts ---------------------------------------------------------------------------------------

static void a_new_redis_is_filled_and_then_follows(void **state)
{
    skip_without_redis();
    commit_events(20, gw_wall_us());
    start_feeder();
    struct gw_feeder_state fed = wait_for_problem(NULL);
    assert_int_equal(fed.refills, 1);
    assert_int_equal(fed.fed, 40); // each event with its alert
    commit_events(5, gw_wall_us());
    gw_feeder_wake(feeder, (uint64_t)gw_index_head(idx));
    fed = wait_for_problem(NULL);
    assert_int_equal(fed.fed, 50);
    assert_int_equal(count_shared(), 25);
}

static void a_redis_that_was_away_a_moment_goes_on_where_it_was(void **state)
{
    skip_without_redis();
    commit_events(20, gw_wall_us());
    feed_by_hand(30);
    start_feeder();
    const struct gw_feeder_state fed = wait_for_problem(NULL);
    assert_int_equal(fed.refills, 0);
    assert_int_equal(fed.fed, 10);
    assert_int_equal(count_shared(), 20);
}

static void a_redis_that_was_away_for_days_is_filled_anew(void **state)
{
    skip_without_redis();
    commit_events(20, gw_wall_us() - 2 * 86400 * GW_SECOND);
    feed_by_hand(30);
    start_feeder();
    const struct gw_feeder_state fed = wait_for_problem(NULL);
    assert_int_equal(fed.refills, 1);
    assert_int_equal(fed.fed, 40);
    assert_int_equal(count_shared(), 20);
}

static void a_redis_that_knows_more_than_there_is_is_filled_anew(void **state)
{
    struct gw_committed_fact facts[1];
    skip_without_redis();
    commit_events(20, gw_wall_us());
    feed_by_hand(40);
    struct gw_redis *redis = open_redis();
    struct gw_event event = make_event("gate", TEST_START_US, TEST_START_US + 1);
    json_t *json = gw_event_to_json(&event);
    const struct gw_place place = {.number = 1, .since_us = 1, .lon = NAN, .lat = NAN};
    gw_place_to_json_numbered(json, &place);
    char *data = json_dumps(json, 0);
    facts[0] = (struct gw_committed_fact){.seq = 41,
                                          .wall_us = TEST_START_US,
                                          .kind = "event.opened",
                                          .topic = "",
                                          .camera = "gate",
                                          .data = data,
                                          .thumbnail = ""};
    assert_int_equal(gw_index_redis.take(redis, facts, 1), 0); // of a store that was set back
    gw_index_redis.close(redis);
    assert_int_equal(count_shared(), 21);
    start_feeder();
    assert_int_equal(wait_for_problem(NULL).refills, 1);
    assert_int_equal(count_shared(), 20);
    free(data);
    json_decref(json);
}

static void what_is_wrong_is_said_in_words(void **state)
{
    skip_without_redis();
    commit_events(3, gw_wall_us());
    stop_redis(&server);
    start_feeder();
    assert_true(wait_for_problem("cannot be reached").failures > 0);
    assert_int_equal(start_redis(&server, "secret"), 0);
    wait_for_problem("refuses the site's password");
    stop_redis(&server);
    assert_int_equal(start_redis(&server, ""), 0);
    wait_for_problem(NULL);
    assert_int_equal(count_shared(), 3);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, set_up, clean_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(a_new_redis_is_filled_and_then_follows),
        FACT(a_redis_that_was_away_a_moment_goes_on_where_it_was),
        FACT(a_redis_that_was_away_for_days_is_filled_anew),
        FACT(a_redis_that_knows_more_than_there_is_is_filled_anew),
        FACT(what_is_wrong_is_said_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
