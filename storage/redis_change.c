// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// From facts to the words of a call of gw_take, which changes rows and position together. A fact
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

// --- a call
// ---------------------------------------------------------------------------------------

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
    gw_redis_add_integer(command, redis->sent);
    gw_redis_add_integer(command, (int64_t)facts[count - 1].committed->seq);
    gw_redis_add_integer(command, redis->day_offset_us);
    for (int i = 0; i < count; i++) {
        if (!was_told(redis, facts[i].place.number))
            add_place(command, gw_fact_camera(&facts[i].fact), &facts[i].place);
        if (!is_outdated(facts, count, i))
            add_change(command, &facts[i]);
    }
}

int gw_redis_send_take(struct gw_redis *redis, const struct gw_committed_fact *facts, int count)
{
    struct gw_redis_command command = {0};
    struct taken_fact *read = calloc((size_t)count, sizeof(*read));

    if (!read)
        abort();
    int result = read_facts(redis, facts, count, read);
    if (!result) {
        build_call(redis, &command, read, count);
        result = gw_redis_send(redis, &command);
    }
    gw_redis_command_finish(&command);
    free(read);
    return result;
}
