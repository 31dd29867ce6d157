// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Where cameras were, as Redis knows it. All of it is kept in memory, as the embedded engine does,
// and asked with the same functions; a query says how many places it knows, and is told when there
// are more.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "storage/redis_internal.h"

void gw_redis_forget_places(struct gw_redis *redis)
{
    free(redis->places);
    redis->places = NULL;
    redis->place_count = 0;
    *redis->places_known = 0;
}

static void make_room(struct gw_redis *redis, int64_t number)
{
    if (number < redis->place_count)
        return;
    redis->places = realloc(redis->places, (size_t)(number + 1) * sizeof(*redis->places));
    if (!redis->places)
        abort();
    memset(redis->places + redis->place_count, 0,
           (size_t)(number + 1 - redis->place_count) * sizeof(*redis->places));
    redis->place_count = number + 1;
}

static int read_place(struct gw_redis *redis, const redisReply *text)
{
    json_t *json = text->type == REDIS_REPLY_STRING ? json_loads(text->str, 0, NULL) : NULL;
    const char *camera = json_string_value(json_object_get(json, "camera"));
    struct gw_place place;
    int result = GW_ERROR_INVALID;

    if (json && camera && gw_camera_id_valid(camera))
        result = gw_place_from_json(json, &place);
    if (!result) {
        make_room(redis, place.number);
        struct gw_index_place *kept = &redis->places[place.number];
        *kept = (struct gw_index_place){.place = place, .until_us = GW_NO_TIME};
        snprintf(kept->camera, sizeof(kept->camera), "%s", camera);
    }
    json_decref(json);
    return result;
}

static int by_camera(const void *a, const void *b)
{
    const struct gw_index_place *left = *(struct gw_index_place *const *)a,
                                *right = *(struct gw_index_place *const *)b;
    const int order = strcmp(left->camera, right->camera);
    return order ? order : (left->place.number > right->place.number) * 2 - 1;
}

// A place ends where the next one of its camera begins.
static void end_places(struct gw_redis *redis)
{
    int count = 0;
    struct gw_index_place **sorted = calloc((size_t)redis->place_count + 1, sizeof(*sorted));

    if (!sorted)
        abort();
    for (int64_t i = 1; i < redis->place_count; i++)
        if (redis->places[i].place.number)
            sorted[count++] = &redis->places[i];
    qsort(sorted, (size_t)count, sizeof(struct gw_index_place *), by_camera);
    for (int i = 0; i + 1 < count; i++)
        if (!strcmp(sorted[i]->camera, sorted[i + 1]->camera))
            sorted[i]->until_us = sorted[i + 1]->place.since_us;
    free(sorted);
}

static bool is_places(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
           reply->element[0]->type == REDIS_REPLY_STRING &&
           reply->element[0]->len < sizeof(((struct gw_redis *)0)->places_known) &&
           reply->element[1]->type == REDIS_REPLY_ARRAY;
}

int gw_redis_load_places(struct gw_redis *redis)
{
    struct gw_redis_command command = {0};
    redisReply *reply;

    gw_redis_forget_places(redis);
    gw_redis_add_call(&command, "FCALL_RO", "gw_places", redis);
    int result = gw_redis_run(redis, &command, &reply);
    gw_redis_command_finish(&command);
    if (result)
        return result;
    if (!is_places(reply))
        result = GW_ERROR_INVALID;
    for (size_t i = 1; !result && i < reply->element[1]->elements; i += 2)
        result = read_place(redis, reply->element[1]->element[i]);
    if (result) {
        gw_redis_forget_places(redis);
        result = gw_redis_odd(redis, "its list of places");
    } else {
        end_places(redis);
        strcpy(redis->places_known, reply->element[0]->str);
    }
    freeReplyObject(reply);
    return result;
}

int gw_redis_places(void *self, const struct gw_query *query, struct gw_placed *rows, int limit)
{
    struct gw_redis *redis = self;
    int result = gw_index_check_query(query);

    if (!result)
        result = gw_redis_load_places(redis);
    return result ? result
                  : gw_index_list_places(redis->places, redis->place_count, query, rows, limit);
}
