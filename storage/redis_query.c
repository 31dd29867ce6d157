// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Events, clips and gaps by place and time. The walk and the checks are done by the function
// gw_page in Redis, a bounded part of it in each call, so that nobody else waits long for theirs;
// here the way is chosen and the rows get their places.

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "storage/redis_internal.h"

enum { LOOK_COST = 20 }; // rows of a walk by start, for which one look into a place is as dear
#define BEYOND (INT64_C(1) << 53) // the last score is one less

// --- a walk --------------------------------------------------------------------------------------

// What the calls of one query share.
struct walk {
    struct gw_redis *redis;
    enum gw_noun noun;
    const struct gw_query *query;
    const char *way;
    uint8_t *meant; // numbers of places, four bytes each
    size_t meant_size;
    int64_t before_us; // where the next call begins: rows before this start and id
    struct gw_id id;
    bool no_id;

    void *rows;
    int count;
    bool more; // one more row than the page has
};

static void note_meant(struct walk *walk, int64_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        walk->meant[walk->meant_size++] = (uint8_t)(number >> shift);
}

static bool wants_unfinished(const struct walk *walk)
{
    switch (walk->noun) {
    case GW_NOUN_EVENT: return walk->query->state == GW_EVENT_OPEN;
    case GW_NOUN_CLIP: return walk->query->state == GW_CLIP_RECORDING;
    case GW_NOUN_GAP: return walk->query->state == 1;
    }
    return false;
}

// Finds the places that are meant, and the way. Returns false when no row can be meant.
static bool choose_way(struct walk *walk)
{
    const struct gw_redis *redis = walk->redis;
    const struct gw_query *query = walk->query;

    free(walk->meant);
    walk->meant = NULL;
    walk->meant_size = 0;
    walk->way = "start";
    if (gw_query_has_place(query)) {
        walk->meant = malloc((size_t)redis->place_count * 4 + 4);
        if (!walk->meant)
            abort();
        for (int64_t i = 1; i < redis->place_count; i++)
            if (redis->places[i].place.number && gw_query_matches_place(query, &redis->places[i]))
                note_meant(walk, i);
        const int64_t meant = (int64_t)walk->meant_size / 4;
        if (!meant)
            return false;
        if (meant == 1 || meant * meant * LOOK_COST < query->limit * redis->place_count)
            walk->way = "place";
    }
    if (wants_unfinished(walk))
        walk->way = "unfinished";
    else if (walk->noun == GW_NOUN_EVENT && query->kind > GW_EVENT_MOTION)
        walk->way = "kind";
    return true;
}

// Scores are kept in ten-thousandths: the least that is not below what is asked for.
static int64_t least_score(double min_score)
{
    int64_t score = (int64_t)fmax(0, fmin(10001, floor(min_score * 1e4) - 1));
    while (score <= 10000 && (double)score / 1e4 < min_score)
        score++;
    return score;
}

static void add_page_call(const struct walk *walk, struct gw_redis_command *command)
{
    const struct gw_query *query = walk->query;
    const bool events = walk->noun == GW_NOUN_EVENT;

    gw_redis_add_call(command, "FCALL_RO", "gw_page", walk->redis);
    gw_redis_add(command, gw_redis_noun_names[walk->noun]);
    gw_redis_add(command, walk->redis->places_known);
    gw_redis_add(command, walk->way);
    gw_redis_add_bytes(command, walk->meant ? (const void *)walk->meant : "", walk->meant_size);
    gw_redis_add_integer(command, walk->before_us);
    gw_redis_add_bytes(command, walk->id.bytes, walk->no_id ? 0 : sizeof(walk->id.bytes));
    if (query->from_us == GW_NO_TIME)
        gw_redis_add(command, "");
    else
        gw_redis_add_integer(command, query->from_us < 0 ? 0 : query->from_us);
    gw_redis_add_integer(command, query->state);
    gw_redis_add_integer(command, events ? query->kind : -1);
    gw_redis_add_integer(command, events ? least_score(query->min_score) : 0);
    gw_redis_add_integer(command, query->limit + 1 - walk->count);
    gw_redis_add_integer(command, walk->redis->budget);
}

// --- rows ----------------------------------------------------------------------------------------

static bool read_id(const redisReply *reply, struct gw_id *ret)
{
    if (reply->type != REDIS_REPLY_STRING || reply->len != sizeof(ret->bytes))
        return false;
    memcpy(ret->bytes, reply->str, sizeof(ret->bytes));
    return true;
}

// Fills in the place of a row and the camera that was there.
static int set_place(struct gw_redis *redis, int64_t number, struct gw_place *ret_place,
                     char ret_camera[GW_CAMERA_ID_SIZE])
{
    if (number < 1 || number >= redis->place_count || !redis->places[number].place.number)
        return gw_redis_odd(redis, "one of its rows");
    *ret_place = redis->places[number].place;
    memcpy(ret_camera, redis->places[number].camera, GW_CAMERA_ID_SIZE);
    return 0;
}

// Reads a row's bytes into a row of its noun.
static int read_row(struct gw_redis *redis, enum gw_noun noun, const struct gw_id *id,
                    const redisReply *bytes, void *ret)
{
    struct gw_event_row *event = ret;
    struct gw_clip_row *clip = ret;
    struct gw_gap_row *gap = ret;

    if (bytes->type != REDIS_REPLY_STRING)
        return gw_redis_odd(redis, "one of its rows");
    switch (noun) {
    case GW_NOUN_EVENT:
        event->event.id = *id;
        return set_place(redis, gw_redis_unpack_event(bytes->str, bytes->len, &event->event),
                         &event->place, event->event.camera);
    case GW_NOUN_CLIP:
        clip->clip.id = *id;
        return set_place(redis, gw_redis_unpack_clip(bytes->str, bytes->len, &clip->clip),
                         &clip->place, clip->clip.camera);
    case GW_NOUN_GAP:
        gap->gap.id = *id;
        return set_place(redis, gw_redis_unpack_gap(bytes->str, bytes->len, &gap->gap), &gap->place,
                         gap->gap.camera);
    }
    return GW_ERROR_INVALID;
}

static size_t size_of(enum gw_noun noun)
{
    return noun == GW_NOUN_EVENT  ? sizeof(struct gw_event_row)
           : noun == GW_NOUN_CLIP ? sizeof(struct gw_clip_row)
                                  : sizeof(struct gw_gap_row);
}

static void *row_at(const struct walk *walk, int i)
{
    return (char *)walk->rows + (size_t)i * size_of(walk->noun);
}

static int64_t start_of(const struct walk *walk, int i, struct gw_id *ret_id)
{
    const struct gw_event_row *event = row_at(walk, i);
    const struct gw_clip_row *clip = row_at(walk, i);
    const struct gw_gap_row *gap = row_at(walk, i);

    *ret_id = walk->noun == GW_NOUN_EVENT  ? event->event.id
              : walk->noun == GW_NOUN_CLIP ? clip->clip.id
                                           : gap->gap.id;
    return walk->noun == GW_NOUN_EVENT  ? event->event.start_us
           : walk->noun == GW_NOUN_CLIP ? clip->clip.start_us
                                        : gap->gap.from_us;
}

static int read_rows(struct walk *walk, const redisReply *found)
{
    struct gw_id id;
    int result = 0;

    for (size_t i = 0; !result && i + 1 < found->elements; i += 2) {
        if (walk->count == walk->query->limit) {
            walk->more = true;
            return 0;
        }
        if (!read_id(found->element[i], &id))
            return gw_redis_odd(walk->redis, "one of its rows");
        result = read_row(walk->redis, walk->noun, &id, found->element[i + 1],
                          row_at(walk, walk->count));
        walk->count++;
    }
    return result;
}

// --- pages ---------------------------------------------------------------------------------------

static bool is_page(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 4 &&
           reply->element[0]->type == REDIS_REPLY_INTEGER &&
           reply->element[1]->type == REDIS_REPLY_STRING &&
           reply->element[2]->type == REDIS_REPLY_STRING &&
           reply->element[3]->type == REDIS_REPLY_ARRAY;
}

// Takes what one call found. Returns 1 when there may be more, 0 when not, or an error.
static int read_answer(struct walk *walk, const redisReply *reply)
{
    if (!is_page(reply))
        return gw_redis_odd(walk->redis, "its function gw_page");
    walk->before_us = strtoll(reply->element[1]->str, NULL, 10);
    walk->no_id = !read_id(reply->element[2], &walk->id);
    int result = read_rows(walk, reply->element[3]);
    return result ? result : reply->element[0]->integer != 0;
}

// One call. Returns as above; also 1 when the places have to be looked at again.
static int step(struct walk *walk)
{
    struct gw_redis_command command = {0};
    redisReply *reply;

    add_page_call(walk, &command);
    int result = gw_redis_run(walk->redis, &command, &reply);
    gw_redis_command_finish(&command);
    if (result)
        return result;
    if (reply->type == REDIS_REPLY_NIL) {
        result = gw_redis_load_places(walk->redis);
        if (!result)
            result = choose_way(walk);
    } else {
        result = read_answer(walk, reply);
        // By start it looked at many rows of places that are not meant: those that are, then.
        if (result == 1 && walk->meant && !strcmp(walk->way, "start"))
            walk->way = "place";
    }
    freeReplyObject(reply);
    return result;
}

static void format_end(const struct walk *walk, char ret_cursor[64])
{
    struct gw_index_key last;

    last.start_us = start_of(walk, walk->count - 1, &last.id);
    gw_index_format_cursor(ret_cursor, &last);
}

static int begin(struct walk *walk)
{
    const struct gw_query *query = walk->query;
    struct gw_index_key key = {.start_us = query->to_us == GW_NO_TIME ? BEYOND : query->to_us};
    int result = gw_index_check_query(query);

    if (!result && *query->cursor)
        result = gw_index_parse_cursor(query->cursor, &key);
    if (!result)
        result = gw_redis_connect(walk->redis);
    if (!result && !*walk->redis->places_known)
        result = gw_redis_load_places(walk->redis);
    if (result)
        return result;
    walk->id = key.id;
    walk->no_id = !*query->cursor;
    const int64_t latest_us = walk->no_id ? BEYOND : BEYOND - 1;
    walk->before_us = key.start_us < 0 ? 0 : key.start_us > latest_us ? latest_us : key.start_us;
    return choose_way(walk);
}

static int read_page(struct gw_redis *redis, enum gw_noun noun, const struct gw_query *query,
                     void *rows, char ret_cursor[64])
{
    struct walk walk = {.redis = redis, .noun = noun, .query = query, .rows = rows};
    int result = begin(&walk);

    *ret_cursor = 0;
    while (result == 1 && !walk.more)
        result = step(&walk);
    if (result >= 0 && walk.more)
        format_end(&walk, ret_cursor);
    free(walk.meant);
    return result < 0 ? result : walk.count;
}

int gw_redis_events(void *self, const struct gw_query *query, struct gw_event_row *rows,
                    char ret_cursor[64])
{
    return read_page(self, GW_NOUN_EVENT, query, rows, ret_cursor);
}

int gw_redis_clips(void *self, const struct gw_query *query, struct gw_clip_row *rows,
                   char ret_cursor[64])
{
    return read_page(self, GW_NOUN_CLIP, query, rows, ret_cursor);
}

int gw_redis_gaps(void *self, const struct gw_query *query, struct gw_gap_row *rows,
                  char ret_cursor[64])
{
    return read_page(self, GW_NOUN_GAP, query, rows, ret_cursor);
}

// --- one row -------------------------------------------------------------------------------------

static int find_row(struct gw_redis *redis, enum gw_noun noun, const struct gw_id *id, void *ret)
{
    const uint8_t *bytes = id->bytes;
    struct gw_redis_command command = {0};
    char key[GW_REDIS_KEY_SIZE];
    redisReply *reply;

    gw_redis_key(redis, key, "%s:rows:%02x%02x%02x%02x", gw_redis_noun_names[noun], bytes[0],
                 bytes[1], bytes[2], bytes[3]);
    gw_redis_add(&command, "HGET");
    gw_redis_add(&command, key);
    gw_redis_add_bytes(&command, bytes, sizeof(id->bytes));
    int result = gw_redis_run(redis, &command, &reply);
    gw_redis_command_finish(&command);
    if (result)
        return result;
    if (reply->type == REDIS_REPLY_NIL) {
        result = GW_ERROR_NOT_FOUND;
    } else {
        // Its place came before the row, so it is there by now.
        result = *redis->places_known ? read_row(redis, noun, id, reply, ret) : GW_ERROR_INDEX;
        if (result == GW_ERROR_INDEX && (result = gw_redis_load_places(redis)) == 0)
            result = read_row(redis, noun, id, reply, ret);
    }
    freeReplyObject(reply);
    return result;
}

int gw_redis_event(void *self, const struct gw_id *id, struct gw_event_row *ret)
{
    return find_row(self, GW_NOUN_EVENT, id, ret);
}

int gw_redis_clip(void *self, const struct gw_id *id, struct gw_clip_row *ret)
{
    return find_row(self, GW_NOUN_CLIP, id, ret);
}

int gw_redis_gap(void *self, const struct gw_id *id, struct gw_gap_row *ret)
{
    return find_row(self, GW_NOUN_GAP, id, ret);
}
