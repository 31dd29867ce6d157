// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Facts in, a batch at a time, each one call of gw_take. The next batch is read and sent while
// Redis works on the one before. That needs no care here: a call says what it follows, and where
// something else was taken meanwhile it changes nothing.
//
// Whatever goes otherwise than expected ends the connection, so that no answer is taken for
// another's; the next use connects again and asks what is taken.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "storage/redis_internal.h"

enum { WAITING_MOST = 1 }; // answers, while the next batch is being read

// --- what Redis has ------------------------------------------------------------------------------

void gw_redis_forget_taken(struct gw_redis *redis)
{
    redis->taken = redis->sent = -1;
    redis->waiting = 0;
    free(redis->told);
    redis->told = NULL;
    redis->told_room = 0;
}

static int need_clearing(struct gw_redis *redis)
{
    snprintf(redis->error, sizeof(redis->error),
             "Redis at %s: what it had of this index is gone or incomplete", redis->address);
    gw_redis_forget_taken(redis);
    return GW_ERROR_LAPPED;
}

// What reply says is taken, when there is (not) anything of this epoch at all.
static int64_t judge_taken(struct gw_redis *redis, const redisReply *reply, bool anything)
{
    char *end;

    if (reply->type == REDIS_REPLY_NIL)
        return anything ? need_clearing(redis) : 0;
    if (reply->type != REDIS_REPLY_STRING)
        return gw_redis_odd(redis, redis->nodes);
    const long long taken = strtoll(reply->str, &end, 10);
    if (end == reply->str || *end)
        return gw_redis_odd(redis, redis->nodes);
    return taken < 0 || !anything ? need_clearing(redis) : (int64_t)taken;
}

int64_t gw_redis_taken(void *self)
{
    struct gw_redis *redis = self;
    struct gw_redis_command exists = {0}, get = {0};
    redisReply *meta, *position;
    char key[GW_REDIS_KEY_SIZE];

    gw_redis_add(&exists, "EXISTS");
    gw_redis_add(&exists, gw_redis_key(redis, key, "meta"));
    gw_redis_add(&get, "HGET");
    gw_redis_add(&get, redis->nodes);
    gw_redis_add(&get, redis->epoch);
    int64_t taken = gw_redis_run(redis, &exists, &meta);
    if (!taken) {
        taken = gw_redis_run(redis, &get, &position);
        if (!taken) {
            taken =
                judge_taken(redis, position, meta->type == REDIS_REPLY_INTEGER && meta->integer);
            freeReplyObject(position);
        }
        freeReplyObject(meta);
    }
    gw_redis_command_finish(&exists);
    gw_redis_command_finish(&get);
    if (taken >= 0)
        redis->taken = redis->sent = taken;
    return taken;
}

// --- batches -------------------------------------------------------------------------------------

// What the answer of gw_take says. Returns 0; 1 when Redis had taken something else meanwhile; or
// an error.
static int judge_take(struct gw_redis *redis, const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->type != REDIS_REPLY_INTEGER ||
        reply->element[1]->type != REDIS_REPLY_STRING)
        return gw_redis_odd(redis, "its function gw_take");
    const int64_t taken = strtoll(reply->element[1]->str, NULL, 10);
    if (taken < redis->taken)
        return need_clearing(redis);
    redis->taken = taken;
    return !reply->element[0]->integer;
}

static int hear(struct gw_redis *redis)
{
    redisReply *reply;

    redis->waiting--;
    int result = gw_redis_receive(redis, &reply);
    if (result)
        return gw_redis_lacks_library(redis, result) ? 1 : result;
    result = judge_take(redis, reply);
    freeReplyObject(reply);
    return result;
}

// Reads answers until so few are awaited.
static int hear_until(struct gw_redis *redis, int waiting)
{
    int result = 0;

    while (!result && redis->waiting > waiting)
        result = hear(redis);
    if (result)
        gw_redis_disconnect(redis);
    return result;
}

int64_t gw_index_redis_sent(struct gw_redis *redis)
{
    const int result = gw_redis_connect(redis);

    if (result)
        return result;
    return redis->sent < 0 ? gw_redis_taken(redis) : redis->sent;
}

// The numbers of facts that left the journal are missing, but none goes back.
static int check_order(struct gw_redis *redis, const struct gw_committed_fact *facts, int count)
{
    for (int i = 1; i < count; i++) {
        if (facts[i].seq > facts[i - 1].seq)
            continue;
        snprintf(redis->error, sizeof(redis->error), "fact %" PRIu64 " cannot follow fact %" PRIu64,
                 facts[i].seq, facts[i - 1].seq);
        return GW_ERROR_INVALID;
    }
    return 0;
}

int gw_index_redis_send(struct gw_redis *redis, const struct gw_committed_fact *facts, int count)
{
    const int64_t sent = gw_index_redis_sent(redis);

    if (sent < 0)
        return (int)sent;
    while (count && (int64_t)facts->seq <= sent) {
        facts++;
        count--;
    }
    int result = check_order(redis, facts, count);
    if (!result && count)
        result = gw_redis_send_take(redis, facts, count);
    if (result || !count)
        return result;
    redis->sent = (int64_t)facts[count - 1].seq;
    redis->waiting++;
    return hear_until(redis, WAITING_MOST);
}

int gw_index_redis_settle(struct gw_redis *redis)
{
    return hear_until(redis, 0);
}

int64_t gw_index_redis_heard(const struct gw_redis *redis)
{
    return redis->taken;
}

int gw_redis_take(void *self, const struct gw_committed_fact *facts, int count)
{
    struct gw_redis *redis = self;
    int result = check_order(redis, facts, count);

    if (result)
        return result;
    do {
        result = gw_index_redis_send(redis, facts, count);
        if (!result)
            result = gw_index_redis_settle(redis);
    } while (result == 1);
    return result;
}
