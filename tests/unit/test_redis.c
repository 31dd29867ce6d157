// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What is particular to the Redis engine: it can be lost, emptied, guarded, shared.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/engine_fixture.h"

static void run(const char *first, const char *second, const char *third)
{
    struct gw_redis_command command = {0};
    struct redisReply *reply;
    gw_redis_add(&command, first);
    gw_redis_add(&command, second);
    if (third)
        gw_redis_add(&command, third);
    assert_int_equal(gw_redis_run(self, &command, &reply), 0);
    freeReplyObject(reply);
    gw_redis_command_finish(&command);
}

static void an_emptied_redis_is_filled_again(void **state)
{
    skip_without_engine();
    run("FLUSHALL", "SYNC", NULL);
    struct gw_committed_fact next = facts[fact_count - 1];
    next.seq++;
    assert_int_equal(engine->take(self, &next, 1), GW_ERROR_LAPPED);
    assert_int_equal(engine->taken(self), 0);
    feed_from(0);
    assert_all_rows_are_there();
    assert_counts_are_true();
}

static void a_redis_that_came_back_is_connected_again(void **state)
{
    skip_without_engine();
    stop_redis(&server);
    assert_int_equal(engine->taken(self), -ENOTCONN);
    assert_non_null(strstr(engine->error(self), server.address));
    assert_int_equal(start_redis(&server, ""), 0);
    assert_int_equal(engine->taken(self), 0);
    feed_from(0);
    assert_all_rows_are_there();
}

static void functions_that_somebody_removed_come_back(void **state)
{
    skip_without_engine();
    run("FUNCTION", "FLUSH", NULL);
    assert_all_rows_are_there();
}

// Feeds as app/feeder.c does: behind what was sent, until all is answered.
static int feed_ahead(struct gw_redis *redis)
{
    for (;;) {
        const int64_t sent = gw_index_redis_sent(redis);
        int first = 0, result;
        if (sent < 0)
            return (int)sent;
        while (first < fact_count && (int64_t)facts[first].seq <= sent)
            first++;
        const int rest = fact_count - first;
        result = rest ? gw_index_redis_send(redis, facts + first, rest < 40 ? rest : 40)
                      : gw_index_redis_settle(redis);
        if (result < 0 || (!result && !rest))
            return result;
    }
}

static void facts_sent_ahead_are_all_taken(void **state)
{
    skip_without_engine();
    assert_int_equal(gw_index_redis_clear(self), 0);
    assert_int_equal(gw_index_redis_sent(self), 0);
    assert_int_equal(gw_index_redis_send(self, facts, 40), 0);
    assert_int_equal(gw_index_redis_sent(self), facts[39].seq);
    assert_true(gw_index_redis_heard(self) < gw_index_redis_sent(self));
    assert_int_equal(feed_ahead(self), 0);
    assert_int_equal(gw_index_redis_heard(self), facts[fact_count - 1].seq);
    assert_int_equal(engine->taken(self), facts[fact_count - 1].seq);
    assert_all_rows_are_there();
    assert_counts_are_true();
}

static struct gw_redis *open_another(void)
{
    const struct gw_redis_config config = redis_config();
    char error[GW_INDEX_ERROR_SIZE];
    struct gw_redis *redis;
    if (gw_index_redis_open(&redis, &config, error))
        fail_msg("%s", error);
    return redis;
}

static void what_another_feeder_took_meanwhile_is_gone_on_behind(void **state)
{
    skip_without_engine();
    assert_int_equal(gw_index_redis_clear(self), 0);
    assert_int_equal(gw_index_redis_sent(self), 0);
    struct gw_redis *other = open_another();
    assert_int_equal(gw_index_redis.take(other, facts, 100), 0);
    assert_int_equal(gw_index_redis_send(self, facts, 40), 0);
    assert_int_equal(gw_index_redis_send(self, facts + 40, 40), 1);
    assert_int_equal(gw_index_redis_sent(self), facts[99].seq);
    gw_index_redis.close(other);
    assert_int_equal(feed_ahead(self), 0);
    assert_all_rows_are_there();
    assert_counts_are_true();
}

static void functions_removed_between_two_batches_come_back(void **state)
{
    struct gw_redis_command command = {0};
    struct redisReply *reply;
    skip_without_engine();
    assert_int_equal(gw_index_redis_clear(self), 0);
    assert_int_equal(gw_index_redis_send(self, facts, 40), 0);
    struct gw_redis *other = open_another();
    gw_redis_add(&command, "FUNCTION");
    gw_redis_add(&command, "FLUSH");
    assert_int_equal(gw_redis_run(other, &command, &reply), 0);
    freeReplyObject(reply);
    gw_redis_command_finish(&command);
    gw_index_redis.close(other);
    assert_int_equal(feed_ahead(self), 0);
    assert_all_rows_are_there();
}

static void a_redis_emptied_between_two_batches_has_to_be_cleared(void **state)
{
    struct gw_redis_command command = {0};
    struct redisReply *reply;
    skip_without_engine();
    assert_int_equal(gw_index_redis_clear(self), 0);
    assert_int_equal(gw_index_redis_send(self, facts, 40), 0);
    assert_int_equal(gw_index_redis_settle(self), 0);
    struct gw_redis *other = open_another();
    gw_redis_add(&command, "FLUSHALL");
    assert_int_equal(gw_redis_run(other, &command, &reply), 0);
    freeReplyObject(reply);
    gw_redis_command_finish(&command);
    gw_index_redis.close(other);
    assert_int_equal(feed_ahead(self), GW_ERROR_LAPPED);
    assert_int_equal(gw_index_redis_clear(self), 0);
    assert_int_equal(feed_ahead(self), 0);
    assert_all_rows_are_there();
}

static void clearing_removes_all_of_this_epoch_and_nothing_else(void **state)
{
    struct gw_redis_command command = {0};
    struct redisReply *reply;
    skip_without_engine();
    run("SET", "gw:{640323}:another:meta", "1");
    assert_int_equal(gw_index_redis_clear(self), 0);
    assert_int_equal(engine->taken(self), 0);
    gw_redis_add(&command, "KEYS");
    gw_redis_add(&command, "*");
    assert_int_equal(gw_redis_run(self, &command, &reply), 0);
    assert_int_equal(reply->elements, 1);
    assert_string_equal(reply->element[0]->str, "gw:{640323}:another:meta");
    freeReplyObject(reply);
    gw_redis_command_finish(&command);
    run("DEL", "gw:{640323}:another:meta", NULL);
}

static void a_clearing_that_was_interrupted_has_to_be_done_again(void **state)
{
    struct gw_redis *redis = self;
    struct gw_redis_command command = {0};
    struct redisReply *reply;
    skip_without_engine();
    gw_redis_add(&command, "HSET");
    gw_redis_add(&command, redis->nodes);
    gw_redis_add(&command, redis->epoch);
    gw_redis_add(&command, "-1");
    assert_int_equal(gw_redis_run(self, &command, &reply), 0);
    freeReplyObject(reply);
    gw_redis_command_finish(&command);
    assert_int_equal(engine->taken(self), GW_ERROR_LAPPED);
    assert_int_equal(engine->take(self, facts, 1), GW_ERROR_LAPPED);
    assert_int_equal(gw_index_redis_clear(self), 0);
    feed_from(0);
    assert_all_rows_are_there();
}

static void two_indexes_do_not_meet_in_one_redis(void **state)
{
    char error[GW_INDEX_ERROR_SIZE];
    struct gw_redis_config config = redis_config();
    struct gw_query query;
    struct gw_event_row row;
    char cursor[64];
    struct gw_redis *other;
    skip_without_engine();
    config.epoch++;
    assert_int_equal(gw_index_redis_open(&other, &config, error), 0);
    assert_int_equal(gw_index_redis.taken(other), 0);
    assert_int_equal(gw_index_redis.take(other, facts, 40), 0);
    gw_query_init(&query);
    query.limit = 1;
    assert_int_equal(gw_index_redis.events(other, &query, &row, cursor), 1);
    assert_int_equal(gw_index_redis_clear(other), 0);
    assert_int_equal(gw_index_redis.events(other, &query, &row, cursor), 0);
    gw_index_redis.close(other);
    assert_all_rows_are_there();
}

static void each_alert_is_in_the_queue_once(void **state)
{
    struct gw_redis *redis = self;
    struct gw_redis_command command = {0};
    struct redisReply *reply;
    char key[GW_REDIS_KEY_SIZE], id[32];
    int alerts = 0;
    const struct gw_committed_fact *last = NULL;
    skip_without_engine();
    feed_from(0);
    for (int i = 0; i < fact_count; i++)
        if (!strcmp(facts[i].kind, "alert.raised")) {
            last = &facts[i];
            alerts++;
        }
    gw_redis_add(&command, "XREADGROUP");
    gw_redis_add(&command, "GROUP");
    gw_redis_add(&command, "review");
    gw_redis_add(&command, "somebody");
    gw_redis_add(&command, "STREAMS");
    gw_redis_add(&command, gw_redis_key(redis, key, "queue"));
    gw_redis_add(&command, ">");
    assert_int_equal(gw_redis_run(self, &command, &reply), 0);
    const struct redisReply *entries = reply->element[0]->element[1];
    assert_int_equal(entries->elements, alerts);
    const struct redisReply *newest = entries->element[alerts - 1];
    snprintf(id, sizeof(id), "%llu-0", (unsigned long long)last->seq);
    assert_string_equal(newest->element[0]->str, id);
    assert_string_equal(newest->element[1]->element[3]->str, last->data);
    freeReplyObject(reply);
    gw_redis_command_finish(&command);
}

static void a_password_is_read_from_its_file(void **state)
{
    struct redis_server guarded = {0};
    struct gw_redis_config config;
    struct gw_redis *redis;
    char error[GW_INDEX_ERROR_SIZE], path[PATH_MAX];
    skip_without_engine();
    assert_int_equal(make_redis_folder(&guarded), 0);
    assert_int_equal(start_redis(&guarded, "open-sesame"), 0);
    config = redis_config();
    config.address = guarded.address;
    assert_int_equal(gw_index_redis_open(&redis, &config, error), GW_ERROR_UNAUTHORIZED);
    snprintf(path, sizeof(path), "%s/password", guarded.folder);
    config.password_file = path;
    assert_int_equal(gw_index_redis_open(&redis, &config, error), GW_ERROR_UNAUTHORIZED);
    FILE *file = fopen(path, "w");
    fputs("wrong\n", file);
    fclose(file);
    assert_int_equal(gw_index_redis_open(&redis, &config, error), GW_ERROR_UNAUTHORIZED);
    assert_null(strstr(error, "wrong\n"));
    file = fopen(path, "w");
    fputs("open-sesame\n", file);
    fclose(file);
    assert_int_equal(gw_index_redis_open(&redis, &config, error), 0);
    gw_index_redis.close(redis);
    remove_redis_folder(&guarded);
}

static void a_redis_that_may_throw_rows_away_is_refused(void **state)
{
    struct gw_redis_config config = redis_config();
    struct gw_redis *redis;
    char error[GW_INDEX_ERROR_SIZE];
    skip_without_engine();
    struct gw_redis_command command = {0};
    struct redisReply *reply;
    const char *const words[] = {"CONFIG",           "SET",        "maxmemory", "100mb",
                                 "maxmemory-policy", "allkeys-lru"};
    for (int i = 0; i < 6; i++)
        gw_redis_add(&command, words[i]);
    assert_int_equal(gw_redis_run(self, &command, &reply), 0);
    freeReplyObject(reply);
    assert_int_equal(gw_index_redis_open(&redis, &config, error), GW_ERROR_INDEX);
    assert_non_null(strstr(error, "allkeys-lru"));
    command.words[5] = "noeviction";
    command.lengths[5] = strlen("noeviction");
    assert_int_equal(gw_redis_run(self, &command, &reply), 0);
    freeReplyObject(reply);
    gw_redis_command_finish(&command);
    assert_int_equal(gw_index_redis_open(&redis, &config, error), 0);
    gw_index_redis.close(redis);
}

// What a program of the future would load.
static const char newer[] =
    "#!lua name=gridwatch\n"
    "redis.register_function{function_name = 'gw_version', flags = {'no-writes'},"
    " callback = function() return {1000, 'x'} end}";

static void functions_of_a_newer_gridwatch_stay(void **state)
{
    struct gw_redis_command command = {0};
    struct redisReply *reply;
    struct gw_redis *redis;
    char error[GW_INDEX_ERROR_SIZE];
    const struct gw_redis_config config = redis_config();
    skip_without_engine();
    gw_redis_add(&command, "FUNCTION");
    gw_redis_add(&command, "LOAD");
    gw_redis_add(&command, "REPLACE");
    gw_redis_add(&command, newer);
    assert_int_equal(gw_redis_run(self, &command, &reply), 0);
    freeReplyObject(reply);
    gw_redis_command_finish(&command);
    assert_int_equal(gw_index_redis_open(&redis, &config, error), GW_ERROR_INDEX);
    assert_non_null(strstr(error, "newer"));
    run("FUNCTION", "FLUSH", NULL);
}

static void nothing_but_a_socket_or_loopback_is_an_address(void **state)
{
    static const char *const good[] = {"unix:/run/redis/redis.sock", "tcp://127.0.0.1:6379",
                                       "tcp://[::1]:6379"};
    static const char *const bad[] = {"",
                                      "redis.sock",
                                      "unix:redis.sock",
                                      "tcp://192.0.2.1:6379",
                                      "tcp://127.0.0.1",
                                      "tcp://127.0.0.1:0",
                                      "tcp://redis:6379",
                                      "redis://127.0.0.1:6379"};
    char problem[160];
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(gw_index_redis_address_valid(good[i], problem));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(gw_index_redis_address_valid(bad[i], problem));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REDIS_FACT(an_emptied_redis_is_filled_again),
        REDIS_FACT(a_redis_that_came_back_is_connected_again),
        REDIS_FACT(functions_that_somebody_removed_come_back),
        REDIS_FACT(facts_sent_ahead_are_all_taken),
        REDIS_FACT(what_another_feeder_took_meanwhile_is_gone_on_behind),
        REDIS_FACT(functions_removed_between_two_batches_come_back),
        REDIS_FACT(a_redis_emptied_between_two_batches_has_to_be_cleared),
        REDIS_FACT(clearing_removes_all_of_this_epoch_and_nothing_else),
        REDIS_FACT(a_clearing_that_was_interrupted_has_to_be_done_again),
        REDIS_FACT(two_indexes_do_not_meet_in_one_redis),
        REDIS_FACT(each_alert_is_in_the_queue_once),
        REDIS_FACT(a_password_is_read_from_its_file),
        REDIS_FACT(a_redis_that_may_throw_rows_away_is_refused),
        REDIS_FACT(functions_of_a_newer_gridwatch_stay),
        cmocka_unit_test(nothing_but_a_socket_or_loopback_is_an_address),
    };
    return cmocka_run_group_tests(tests, set_up, clean_up);
}
