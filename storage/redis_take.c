// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Facts in: a batch becomes one call of gw_take, which changes rows and position together. A fact
// says all that its row holds, so of several about one row only the last is sent.

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "storage/redis_internal.h"

enum {
    HEAVY_LAT = 85,        // GEOADD takes no position nearer to a pole
    PLACES_MOST = 1 << 24, // far more than there are
};

struct taken_fact {
    const struct gw_committed_fact *committed;
    struct gw_fact fact;
    struct gw_place place;
};

// --- what Redis has ------------------------------------------------------------------------------

void gw_redis_forget_taken(struct gw_redis *redis)
{
    redis->taken = -1;
    free(redis->told);
    redis->told = NULL;
    redis->told_room = 0;
}

// Whether a place was sent on this connection before; from now on it was.
static bool was_told(struct gw_redis *redis, int64_t number)
{
    if (number >= redis->told_room) {
        const int64_t room = 2 * number + 64;
        redis->told = realloc(redis->told, (size_t)room);
        if (!redis->told)
            abort();
        memset(redis->told + redis->told_room, 0, (size_t)(room - redis->told_room));
        redis->told_room = room;
    }
    const bool told = redis->told[number];
    redis->told[number] = true;
    return told;
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
        redis->taken = taken;
    return taken;
}

// --- changes -------------------------------------------------------------------------------------

static void add_place(struct gw_redis_command *command, const char *camera,
                      const struct gw_place *place)
{
    const bool on_map = isfinite(place->lon) && fabs(place->lat) <= HEAVY_LAT;
    json_t *json = json_object();
    char lon[32] = "", lat[32] = "";

    gw_place_to_json_numbered(json, place);
    json_object_set_new(json, "camera", json_string(camera));
    if (on_map) {
        snprintf(lon, sizeof(lon), "%.8f", place->lon);
        snprintf(lat, sizeof(lat), "%.8f", place->lat);
    }
    gw_redis_add(command, "place");
    gw_redis_add_integer(command, place->number);
    gw_redis_add_owned(command, strdup(camera));
    gw_redis_add_owned(command, json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17)));
    gw_redis_add_owned(command, strdup(lon));
    gw_redis_add_owned(command, strdup(lat));
    json_decref(json);
}

static void add_row(struct gw_redis_command *command, const char *noun, const struct gw_id *id,
                    const uint8_t *bytes, size_t size)
{
    char *copy = malloc(size);

    if (!copy)
        abort();
    memcpy(copy, bytes, size);
    gw_redis_add(command, "put");
    gw_redis_add(command, noun);
    gw_redis_add_bytes(command, id->bytes, sizeof(id->bytes));
    gw_redis_add_owned_bytes(command, copy, size);
}

static void add_removal(struct gw_redis_command *command, const char *noun, const struct gw_id *id)
{
    gw_redis_add(command, "remove");
    gw_redis_add(command, noun);
    gw_redis_add_bytes(command, id->bytes, sizeof(id->bytes));
}

static void add_camera(struct gw_redis_command *command, const struct taken_fact *fact)
{
    const struct gw_camera_state *state = &fact->fact.camera;

    gw_redis_add(command, "camera");
    gw_redis_add(command, state->camera);
    gw_redis_add(command, gw_camera_status_name(state->status));
    gw_redis_add(command, state->reason);
    gw_redis_add_integer(command, state->since_us);
    gw_redis_add(command, fact->committed->data);
}

static void add_alert(struct gw_redis_command *command, const struct taken_fact *fact)
{
    gw_redis_add(command, "alert");
    gw_redis_add_integer(command, (int64_t)fact->committed->seq);
    gw_redis_add(command, fact->fact.event.camera);
    gw_redis_add(command, fact->committed->data);
}

// The row that a fact is about. Returns its noun's letter, or NULL for a fact of no row.
static const char *row_of(const struct gw_fact *fact, const struct gw_id **ret)
{
    switch (fact->kind) {
    case GW_FACT_EVENT_OPENED:
    case GW_FACT_EVENT_UPDATED:
    case GW_FACT_EVENT_CLOSED: *ret = &fact->event.id; return "e";
    case GW_FACT_CLIP_OPENED:
    case GW_FACT_CLIP_CLOSED: *ret = &fact->clip.id; return "c";
    case GW_FACT_GAP_OPENED:
    case GW_FACT_GAP_CLOSED: *ret = &fact->gap.id; return "g";
    case GW_FACT_EVENT_DELETED: *ret = &fact->deletion.id; return "e";
    case GW_FACT_CLIP_DELETED: *ret = &fact->deletion.id; return "c";
    case GW_FACT_GAP_DELETED: *ret = &fact->deletion.id; return "g";
    default: return NULL;
    }
}

static void add_change(struct gw_redis_command *command, const struct taken_fact *taken)
{
    const struct gw_fact *fact = &taken->fact;
    const int64_t place = taken->place.number;
    uint8_t bytes[GW_REDIS_ROW_SIZE];
    const struct gw_id *id;
    const char *noun = row_of(fact, &id);

    if (!noun) {
        if (fact->kind == GW_FACT_ALERT_RAISED)
            add_alert(command, taken);
        else
            add_camera(command, taken);
    } else if (*noun == 'e' && fact->kind != GW_FACT_EVENT_DELETED) {
        add_row(command, noun, id, bytes, gw_redis_pack_event(bytes, &fact->event, place));
    } else if (*noun == 'c' && fact->kind != GW_FACT_CLIP_DELETED) {
        add_row(command, noun, id, bytes, gw_redis_pack_clip(bytes, &fact->clip, place));
    } else if (*noun == 'g' && fact->kind != GW_FACT_GAP_DELETED) {
        add_row(command, noun, id, bytes, gw_redis_pack_gap(bytes, &fact->gap, place));
    } else {
        add_removal(command, noun, id);
    }
}

// Whether a later fact of the batch is about the same row.
static bool is_outdated(const struct taken_fact *facts, int count, int i)
{
    const struct gw_id *id, *other;
    const char *noun = row_of(&facts[i].fact, &id);

    for (int j = i + 1; noun && j < count; j++) {
        const char *later = row_of(&facts[j].fact, &other);
        if (later && *later == *noun && gw_id_equal(id, other))
            return true;
    }
    return false;
}

// --- batches -------------------------------------------------------------------------------------

static int read_facts(struct gw_redis *redis, const struct gw_committed_fact *committed, int count,
                      struct taken_fact *ret)
{
    for (int i = 0; i < count; i++) {
        struct taken_fact *fact = &ret[i];
        fact->committed = &committed[i];
        int error = gw_fact_from_committed(&committed[i], &fact->fact, &fact->place);
        if (!error && (fact->fact.kind == GW_FACT_COVERAGE || fact->place.number >= PLACES_MOST))
            error = GW_ERROR_INVALID;
        if (error) {
            snprintf(redis->error, sizeof(redis->error),
                     "fact %" PRIu64 " (%s) holds what no gridwatch wrote", committed[i].seq,
                     committed[i].kind);
            return error;
        }
    }
    return 0;
}

static void build_call(struct gw_redis *redis, struct gw_redis_command *command,
                       const struct taken_fact *facts, int count)
{
    gw_redis_add(command, "FCALL");
    gw_redis_add(command, "gw_take");
    gw_redis_add(command, "2");
    gw_redis_add(command, redis->node);
    gw_redis_add(command, redis->nodes);
    gw_redis_add(command, redis->epoch);
    gw_redis_add_integer(command, redis->taken);
    gw_redis_add_integer(command, (int64_t)facts[count - 1].committed->seq);
    gw_redis_add_integer(command, redis->day_offset_us);
    for (int i = 0; i < count; i++) {
        if (!was_told(redis, facts[i].place.number))
            add_place(command, gw_fact_camera(&facts[i].fact), &facts[i].place);
        if (!is_outdated(facts, count, i))
            add_change(command, &facts[i]);
    }
}

// Sends facts that follow what is taken. Returns 1; 0 when more was taken already, as is known now;
// or an error.
static int send_facts(struct gw_redis *redis, const struct taken_fact *facts, int count)
{
    struct gw_redis_command command = {0};
    redisReply *reply;
    const int64_t before = redis->taken;

    build_call(redis, &command, facts, count);
    int result = gw_redis_run(redis, &command, &reply);
    gw_redis_command_finish(&command);
    if (result) {
        gw_redis_forget_taken(redis);
        return result;
    }
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->type != REDIS_REPLY_INTEGER ||
        reply->element[1]->type != REDIS_REPLY_STRING) {
        result = gw_redis_odd(redis, "its function gw_take");
    } else {
        redis->taken = strtoll(reply->element[1]->str, NULL, 10);
        result = reply->element[0]->integer ? 1 : 0;
        if (!result && redis->taken < before)
            result = need_clearing(redis);
    }
    freeReplyObject(reply);
    return result;
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

static int take_rest(struct gw_redis *redis, const struct taken_fact *facts, int count)
{
    int result = 0;

    while (!result) {
        int first = 0;
        while (first < count && (int64_t)facts[first].committed->seq <= redis->taken)
            first++;
        if (first == count)
            return 0;
        result = send_facts(redis, facts + first, count - first);
    }
    return result < 0 ? result : 0;
}

int gw_redis_take(void *self, const struct gw_committed_fact *facts, int count)
{
    struct gw_redis *redis = self;
    int result = check_order(redis, facts, count);

    // A connection that broke is made again first, because then nothing is known of what is there.
    if (!result)
        result = gw_redis_connect(redis);
    if (!result && redis->taken < 0) {
        const int64_t taken = gw_redis_taken(redis);
        result = taken < 0 ? (int)taken : 0;
    }
    if (result || !count)
        return result;
    struct taken_fact *read = calloc((size_t)count, sizeof(*read));
    if (!read)
        abort();
    result = read_facts(redis, facts, count, read);
    if (!result)
        result = take_rest(redis, read, count);
    free(read);
    return result;
}
