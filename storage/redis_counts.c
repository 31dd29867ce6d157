// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// How many events, clips and gaps began on each day and at each cell: sums of one hash per noun and
// day, which has a field per kind and place, kept with every row that comes and goes.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "storage/redis_internal.h"

#define DAY_US     (INT64_C(86400) * GW_SECOND)
#define FIELD_SIZE 5 // kind and place

struct sum {
    struct gw_redis *redis;
    enum gw_noun noun;
    const struct gw_query *query;
    bool *meant; // by place number
    int64_t known;
    void *opaque;
    void (*add)(void *opaque, int64_t day, int64_t place, int64_t count);
};

static int64_t day_of(const struct gw_redis *redis, int64_t wall_us)
{
    const int64_t local_us = wall_us + redis->day_offset_us;
    return local_us / DAY_US - (local_us % DAY_US < 0);
}

// --- days ----------------------------------------------------------------------------------------

static int compare_days(const void *a, const void *b)
{
    const struct gw_day_count *left = a, *right = b;
    return (left->day > right->day) - (left->day < right->day);
}

static bool is_asked(const struct sum *sum, int64_t day)
{
    const struct gw_query *query = sum->query;
    return (query->from_us == GW_NO_TIME || day >= day_of(sum->redis, query->from_us)) &&
           (query->to_us == GW_NO_TIME || day <= day_of(sum->redis, query->to_us - 1));
}

// The days of the query that have anything, and how many of all places and kinds, the oldest first.
// The caller frees *ret. Returns how many, or an error.
static int list_days(const struct sum *sum, struct gw_day_count **ret)
{
    struct gw_redis_command command = {0};
    char key[GW_REDIS_KEY_SIZE];
    redisReply *reply;
    int count = 0;

    gw_redis_add(&command, "HGETALL");
    gw_redis_add(&command,
                 gw_redis_key(sum->redis, key, "%s:days", gw_redis_noun_names[sum->noun]));
    int result = gw_redis_run(sum->redis, &command, &reply);
    gw_redis_command_finish(&command);
    if (result)
        return result;
    *ret = calloc(reply->elements / 2 + 1, sizeof(**ret));
    if (!*ret)
        abort();
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        const int64_t day = strtoll(reply->element[i]->str, NULL, 10);
        if (is_asked(sum, day))
            (*ret)[count++] = (struct gw_day_count){
                .day = day, .count = strtoll(reply->element[i + 1]->str, NULL, 10)};
    }
    freeReplyObject(reply);
    qsort(*ret, (size_t)count, sizeof(**ret), compare_days);
    return count;
}

// --- sums ----------------------------------------------------------------------------------------

static void mark_meant(struct sum *sum)
{
    const struct gw_redis *redis = sum->redis;

    free(sum->meant);
    sum->known = redis->place_count;
    sum->meant = calloc((size_t)sum->known + 1, sizeof(*sum->meant));
    if (!sum->meant)
        abort();
    for (int64_t i = 1; i < sum->known; i++)
        sum->meant[i] =
            redis->places[i].place.number && gw_query_matches_place(sum->query, &redis->places[i]);
}

static int add_field(struct sum *sum, int64_t day, const redisReply *field, const redisReply *value)
{
    const uint8_t *bytes = (const uint8_t *)field->str;
    const int kind = sum->noun == GW_NOUN_EVENT ? sum->query->kind : -1;

    if (field->type != REDIS_REPLY_STRING || field->len != FIELD_SIZE ||
        value->type != REDIS_REPLY_STRING)
        return gw_redis_odd(sum->redis, "one of its counts");
    const int64_t place = (int64_t)bytes[1] << 24 | bytes[2] << 16 | bytes[3] << 8 | bytes[4];
    if (place >= sum->known) { // it came while we were counting
        const int result = gw_redis_load_places(sum->redis);
        if (result)
            return result;
        mark_meant(sum);
        if (place >= sum->known)
            return gw_redis_odd(sum->redis, "one of its counts");
    }
    if (sum->meant[place] && (kind < 0 || kind == bytes[0]))
        sum->add(sum->opaque, day, place, strtoll(value->str, NULL, 10));
    return 0;
}

static int add_day(struct sum *sum, int64_t day)
{
    struct gw_redis_command command = {0};
    char key[GW_REDIS_KEY_SIZE];
    redisReply *reply;

    gw_redis_add(&command, "HGETALL");
    gw_redis_add(&command, gw_redis_key(sum->redis, key, "%s:day:%" PRId64,
                                        gw_redis_noun_names[sum->noun], day));
    int result = gw_redis_run(sum->redis, &command, &reply);
    gw_redis_command_finish(&command);
    if (result)
        return result;
    for (size_t i = 0; !result && i + 1 < reply->elements; i += 2)
        result = add_field(sum, day, reply->element[i], reply->element[i + 1]);
    freeReplyObject(reply);
    return result;
}

// Gives each count of the days and places that the query means.
static int add_up(struct sum *sum)
{
    struct gw_day_count *days = NULL;
    int result = gw_index_check_query(sum->query);

    if (!result)
        result = gw_redis_load_places(sum->redis);
    if (result)
        return result;
    mark_meant(sum);
    const int count = list_days(sum, &days);
    result = count < 0 ? count : 0;
    for (int i = 0; !result && i < count; i++)
        result = add_day(sum, days[i].day);
    free(days);
    free(sum->meant);
    return result;
}

// --- by day and by cell --------------------------------------------------------------------------

struct days {
    struct gw_day_count *rows;
    int limit, count;
    int64_t last;
};

static void count_day(void *opaque, int64_t day, int64_t place, int64_t count)
{
    struct days *days = opaque;

    if (!days->count || days->last != day)
        if (days->count++ < days->limit)
            days->rows[days->count - 1] = (struct gw_day_count){.day = day};
    days->last = day;
    if (days->count <= days->limit)
        days->rows[days->count - 1].count += count;
}

// Of all places and kinds the sums are there already.
static int copy_days(const struct sum *sum, struct gw_day_count *rows, int limit)
{
    struct gw_day_count *days;
    const int count = list_days(sum, &days);

    if (count < 0)
        return count;
    for (int i = 0; i < count && i < limit; i++)
        rows[i] = days[i];
    free(days);
    return count;
}

int gw_redis_count_days(void *self, enum gw_noun noun, const struct gw_query *query,
                        struct gw_day_count *rows, int limit)
{
    struct days days = {.rows = rows, .limit = limit};
    struct sum sum = {
        .redis = self, .noun = noun, .query = query, .opaque = &days, .add = count_day};
    int result = gw_index_check_query(query);

    if (result)
        return result;
    if (!gw_query_has_place(query) && (noun != GW_NOUN_EVENT || query->kind < 0))
        return copy_days(&sum, rows, limit);
    result = add_up(&sum);
    return result < 0 ? result : days.count;
}

struct places {
    int64_t *counts; // by number
    int64_t room;
};

static void count_place(void *opaque, int64_t day, int64_t place, int64_t count)
{
    struct places *places = opaque;

    if (place >= places->room) {
        const int64_t room = 2 * place + 64;
        places->counts = realloc(places->counts, (size_t)room * sizeof(*places->counts));
        if (!places->counts)
            abort();
        memset(places->counts + places->room, 0,
               (size_t)(room - places->room) * sizeof(*places->counts));
        places->room = room;
    }
    places->counts[place] += count;
}

int gw_redis_count_cells(void *self, enum gw_noun noun, const struct gw_query *query,
                         struct gw_cell_count *rows, int limit)
{
    struct gw_redis *redis = self;
    struct places places = {0};
    struct sum sum = {
        .redis = redis, .noun = noun, .query = query, .opaque = &places, .add = count_place};
    int result = add_up(&sum);

    if (!result) {
        count_place(&places, 0, redis->place_count, 0); // room for all
        result = gw_index_list_cells(redis->places, redis->place_count, places.counts, rows, limit);
    }
    free(places.counts);
    return result;
}
