// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The Redis engine: opened, cleared, and its functions as the table names them.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "storage/redis_internal.h"

enum { BUDGET = 5000 }; // some milliseconds of Redis's time

// --- open, close ---------------------------------------------------------------------------------

static void close_redis(void *self)
{
    struct gw_redis *redis = self;

    gw_redis_disconnect(redis);
    gw_redis_forget_places(redis);
    free(redis->address);
    free(redis->password_file);
    free(redis);
}

static const char *error_of(const void *self)
{
    return ((const struct gw_redis *)self)->error;
}

static struct gw_redis *make(const struct gw_redis_config *config)
{
    struct gw_redis *redis = calloc(1, sizeof(*redis));

    if (!redis)
        abort();
    redis->address = strdup(config->address);
    redis->password_file = strdup(config->password_file ? config->password_file : "");
    if (!redis->address || !redis->password_file)
        abort();
    snprintf(redis->county, sizeof(redis->county), "%.6s",
             *config->division ? config->division : "site");
    snprintf(redis->epoch, sizeof(redis->epoch), "%" PRIx64, config->epoch);
    snprintf(redis->node, sizeof(redis->node), "gw:{%s}:%s", redis->county, redis->epoch);
    snprintf(redis->nodes, sizeof(redis->nodes), "gw:{%s}:nodes", redis->county);
    redis->day_offset_us = config->day_offset_us;
    redis->taken = redis->sent = -1;
    redis->budget = BUDGET;
    return redis;
}

int gw_index_redis_open(struct gw_redis **ret, const struct gw_redis_config *config,
                        char error[GW_INDEX_ERROR_SIZE])
{
    char problem[160];

    if (!gw_index_redis_address_valid(config->address, problem)) {
        snprintf(error, GW_INDEX_ERROR_SIZE, "%s", problem);
        return GW_ERROR_INVALID;
    }
    struct gw_redis *redis = make(config);
    const int result = gw_redis_connect(redis);
    if (result) {
        snprintf(error, GW_INDEX_ERROR_SIZE, "%s", redis->error);
        close_redis(redis);
        return result;
    }
    *ret = redis;
    return 0;
}

// --- clear ---------------------------------------------------------------------------------------

// Runs a command whose answer says nothing that is wanted.
static int run(struct gw_redis *redis, struct gw_redis_command *command)
{
    redisReply *reply;
    const int result = gw_redis_run(redis, command, &reply);

    gw_redis_command_finish(command);
    if (!result)
        freeReplyObject(reply);
    return result;
}

static int unlink_keys(struct gw_redis *redis, const redisReply *keys)
{
    struct gw_redis_command command = {0};

    if (!keys->elements)
        return 0;
    gw_redis_add(&command, "UNLINK");
    for (size_t i = 0; i < keys->elements; i++)
        gw_redis_add_bytes(&command, keys->element[i]->str, keys->element[i]->len);
    return run(redis, &command);
}

// Removes what one step of a scan finds. Returns 1 when there is more, 0 at the end, or an error.
static int clear_step(struct gw_redis *redis, char cursor[32])
{
    struct gw_redis_command command = {0};
    char pattern[GW_REDIS_KEY_SIZE];
    redisReply *reply;

    gw_redis_add(&command, "SCAN");
    gw_redis_add(&command, cursor);
    gw_redis_add(&command, "MATCH");
    gw_redis_add(&command, gw_redis_key(redis, pattern, "*"));
    gw_redis_add(&command, "COUNT");
    gw_redis_add(&command, "1000");
    int result = gw_redis_run(redis, &command, &reply);
    gw_redis_command_finish(&command);
    if (result)
        return result;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[1]->type != REDIS_REPLY_ARRAY) {
        result = gw_redis_odd(redis, "its answer to SCAN");
    } else {
        snprintf(cursor, 32, "%s", reply->element[0]->str);
        result = unlink_keys(redis, reply->element[1]);
    }
    freeReplyObject(reply);
    return result ? result : strcmp(cursor, "0") != 0;
}

// The mark that stands while there may be remains.
static int mark_clearing(struct gw_redis *redis)
{
    struct gw_redis_command command = {0};

    gw_redis_add(&command, "HSET");
    gw_redis_add(&command, redis->nodes);
    gw_redis_add(&command, redis->epoch);
    gw_redis_add(&command, "-1");
    return run(redis, &command);
}

static int unmark_clearing(struct gw_redis *redis)
{
    struct gw_redis_command command = {0};

    gw_redis_add(&command, "HDEL");
    gw_redis_add(&command, redis->nodes);
    gw_redis_add(&command, redis->epoch);
    return run(redis, &command);
}

static int begin_clearing(struct gw_redis *redis)
{
    gw_redis_forget_taken(redis);
    gw_redis_forget_places(redis);
    strcpy(redis->clearing, "0");
    return mark_clearing(redis);
}

int gw_index_redis_clear_part(struct gw_redis *redis)
{
    int result = *redis->clearing ? 0 : begin_clearing(redis);

    if (!result)
        result = clear_step(redis, redis->clearing);
    if (!result)
        result = unmark_clearing(redis);
    if (result != 1)
        *redis->clearing = 0;
    return result;
}

int gw_index_redis_clear(struct gw_redis *redis)
{
    int result = 1;

    while (result == 1)
        result = gw_index_redis_clear_part(redis);
    return result;
}

// --- the table -----------------------------------------------------------------------------------

const struct gw_index_engine gw_index_redis = {
    .name = "redis",
    .close = close_redis,
    .error = error_of,
    .taken = gw_redis_taken,
    .take = gw_redis_take,
    .events = gw_redis_events,
    .clips = gw_redis_clips,
    .gaps = gw_redis_gaps,
    .event = gw_redis_event,
    .clip = gw_redis_clip,
    .gap = gw_redis_gap,
    .places = gw_redis_places,
    .count_days = gw_redis_count_days,
    .count_cells = gw_redis_count_cells,
};
