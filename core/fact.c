// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/fact.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/names.h"

static const char *const kinds[] = {
    "event.opened", "event.updated", "event.closed",   "alert.raised",    "clip.opened",
    "clip.closed",  "camera.online", "camera.offline", "camera.degraded", "gap.opened",
    "gap.closed",   "coverage",      "event.deleted",  "clip.deleted",    "gap.deleted"};

const char *gw_fact_kind_name(enum gw_fact_kind kind)
{
    return kinds[kind];
}

const char *gw_fact_topic_class(enum gw_fact_kind kind)
{
    switch (kind) {
    case GW_FACT_ALERT_RAISED: return "alert";
    case GW_FACT_CAMERA_ONLINE:
    case GW_FACT_CAMERA_OFFLINE:
    case GW_FACT_CAMERA_DEGRADED:
    case GW_FACT_GAP_OPENED:
    case GW_FACT_GAP_CLOSED:
    case GW_FACT_GAP_DELETED: return "camera";
    default: return "event";
    }
}

static bool is_clip(enum gw_fact_kind kind)
{
    return kind == GW_FACT_CLIP_OPENED || kind == GW_FACT_CLIP_CLOSED;
}

static bool is_camera(enum gw_fact_kind kind)
{
    return kind == GW_FACT_CAMERA_ONLINE || kind == GW_FACT_CAMERA_OFFLINE ||
           kind == GW_FACT_CAMERA_DEGRADED;
}

enum gw_fact_kind gw_fact_of_status(enum gw_camera_status status)
{
    switch (status) {
    case GW_CAMERA_ONLINE: return GW_FACT_CAMERA_ONLINE;
    case GW_CAMERA_DEGRADED: return GW_FACT_CAMERA_DEGRADED;
    case GW_CAMERA_OFFLINE: break;
    }
    return GW_FACT_CAMERA_OFFLINE;
}

static bool is_gap(enum gw_fact_kind kind)
{
    return kind == GW_FACT_GAP_OPENED || kind == GW_FACT_GAP_CLOSED;
}

static bool is_deletion(enum gw_fact_kind kind)
{
    return kind == GW_FACT_EVENT_DELETED || kind == GW_FACT_CLIP_DELETED ||
           kind == GW_FACT_GAP_DELETED;
}

const char *gw_fact_camera(const struct gw_fact *fact)
{
    if (fact->kind == GW_FACT_COVERAGE)
        return fact->coverage.camera;
    if (is_gap(fact->kind))
        return fact->gap.camera;
    if (is_deletion(fact->kind))
        return fact->deletion.camera;
    if (is_clip(fact->kind))
        return fact->clip.camera;
    return is_camera(fact->kind) ? fact->camera.camera : fact->event.camera;
}

// --- writing -------------------------------------------------------------------------------------

static void set(json_t *object, const char *key, json_t *value)
{
    // jansson fails only without memory or on text that is not UTF-8, which ids and names here are.
    if (json_object_set_new(object, key, value) < 0)
        abort();
}

static void set_time(json_t *object, const char *key, const char *key_us, int64_t wall_us)
{
    char text[GW_RFC3339_SIZE];
    set(object, key, json_string(gw_format_rfc3339(text, wall_us)));
    set(object, key_us, json_integer(wall_us));
}

// A duration or difference that may not be known.
static void set_if_known(json_t *object, const char *key, bool known, int64_t value)
{
    set(object, key, known ? json_integer(value) : json_null());
}

static void set_clock_offset(json_t *object, int64_t offset_us)
{
    set_if_known(object, "clock_offset_us", offset_us != GW_NO_TIME, offset_us);
}

static void set_id(json_t *object, const struct gw_id *id)
{
    char text[GW_ID_TEXT_SIZE];
    set(object, "id", json_string(gw_id_format(text, id)));
}

// Four decimals: a tenth of a pixel on a 1000-pixel picture, and readable.
static double round_fraction(double value)
{
    return isfinite(value) ? round(value * 1e4) / 1e4 : 0;
}

static json_t *rounded(double value)
{
    return json_real(round_fraction(value));
}

void gw_event_round(struct gw_event *event)
{
    event->score = round_fraction(event->score);
    event->box.x = round_fraction(event->box.x);
    event->box.y = round_fraction(event->box.y);
    event->box.w = round_fraction(event->box.w);
    event->box.h = round_fraction(event->box.h);
}

json_t *gw_event_to_json(const struct gw_event *event)
{
    json_t *json = json_object(), *zones = json_array(), *box = json_array();

    set_id(json, &event->id);
    set(json, "camera", json_string(event->camera));
    set(json, "kind", json_string(gw_event_kind_name(event->kind)));
    set(json, "state", json_string(gw_event_state_name(event->state)));
    set_time(json, "start", "start_us", event->start_us);
    set_time(json, "end", "end_us", event->end_us);
    set_time(json, "confirmed", "confirmed_us", event->confirmed_us);
    set(json, "score", rounded(event->score));
    json_array_append_new(box, rounded(event->box.x));
    json_array_append_new(box, rounded(event->box.y));
    json_array_append_new(box, rounded(event->box.w));
    json_array_append_new(box, rounded(event->box.h));
    set(json, "box", box);
    for (int i = 0; i < event->zone_count; i++)
        json_array_append_new(zones, json_string(event->zones[i]));
    set(json, "zones", zones);
    set(json, "interrupted", json_boolean(event->interrupted));
    set(json, "has_snapshot", json_boolean(event->snapshot_us != GW_NO_TIME));
    if (event->snapshot_us != GW_NO_TIME)
        set(json, "snapshot_us", json_integer(event->snapshot_us));
    set_clock_offset(json, event->clock_offset_us);
    return json;
}

json_t *gw_clip_to_json(const struct gw_clip *clip)
{
    json_t *json = json_object();

    set_id(json, &clip->id);
    set(json, "camera", json_string(clip->camera));
    set(json, "state", json_string(gw_clip_state_name(clip->state)));
    set_time(json, "start", "start_us", clip->start_us);
    set_time(json, "end", "end_us", clip->end_us);
    set(json, "size_bytes", json_integer(clip->size_bytes));
    set(json, "frames", json_integer(clip->frames));
    set(json, "codec", json_string(clip->codec));
    set(json, "width", json_integer(clip->width));
    set(json, "height", json_integer(clip->height));
    set(json, "truncated", json_boolean(clip->truncated));
    set_clock_offset(json, clip->clock_offset_us);
    return json;
}

// Two decimals of a rate, and no fraction of a bit.
void gw_camera_signs_to_json(json_t *object, const struct gw_camera_signs *signs)
{
    set(object, "frame_rate", json_real(round(signs->frame_rate * 100) / 100));
    set(object, "bit_rate", json_real(round(signs->bit_rate)));
    set_if_known(object, "key_age_us", signs->key_age_us >= 0, signs->key_age_us);
    set(object, "reconnects", json_integer((json_int_t)signs->reconnects));
    set_clock_offset(object, signs->clock_offset_us);
}

json_t *gw_camera_state_to_json(const struct gw_camera_state *state)
{
    json_t *json = json_object();

    set(json, "camera", json_string(state->camera));
    set(json, "status", json_string(gw_camera_status_name(state->status)));
    set(json, "reason", json_string(state->reason));
    set_time(json, "since", "since_us", state->since_us);
    gw_camera_signs_to_json(json, &state->signs);
    return json;
}

json_t *gw_gap_to_json(const struct gw_gap *gap)
{
    json_t *json = json_object();

    set_id(json, &gap->id);
    set(json, "camera", json_string(gap->camera));
    set(json, "cause", json_string(gw_gap_cause_name(gap->cause)));
    set(json, "state", json_string(gw_gap_state_name(gap->open)));
    set_time(json, "from", "from_us", gap->from_us);
    if (!gap->open)
        set_time(json, "to", "to_us", gap->to_us);
    return json;
}

json_t *gw_deletion_to_json(const struct gw_deletion *deletion)
{
    json_t *json = json_object();

    set_id(json, &deletion->id);
    set(json, "camera", json_string(deletion->camera));
    set_time(json, "start", "start_us", deletion->start_us);
    set(json, "reason", json_string(gw_deletion_reason_name(deletion->reason)));
    return json;
}

static json_t *coverage_to_json(const struct gw_coverage_news *news)
{
    json_t *json = json_object();

    set(json, "camera", json_string(news->camera));
    set(json, "change", json_string(gw_coverage_change_name(news->change)));
    set(json, "cause", json_string(gw_gap_cause_name(news->cause)));
    set(json, "from_us", json_integer(news->from_us));
    set(json, "to_us", json_integer(news->to_us));
    return json;
}

json_t *gw_fact_to_json(const struct gw_fact *fact)
{
    json_t *json = json_object();

    set(json, "kind", json_string(gw_fact_kind_name(fact->kind)));
    set(json, "wall_us", json_integer(fact->wall_us));
    if (is_clip(fact->kind))
        set(json, "data", gw_clip_to_json(&fact->clip));
    else if (is_camera(fact->kind))
        set(json, "data", gw_camera_state_to_json(&fact->camera));
    else if (is_gap(fact->kind))
        set(json, "data", gw_gap_to_json(&fact->gap));
    else if (fact->kind == GW_FACT_COVERAGE)
        set(json, "data", coverage_to_json(&fact->coverage));
    else if (is_deletion(fact->kind))
        set(json, "data", gw_deletion_to_json(&fact->deletion));
    else
        set(json, "data", gw_event_to_json(&fact->event));
    return json;
}

// --- reading -------------------------------------------------------------------------------------
// Each getter returns whether the member is there, of the right type and in range.

static bool get_integer(const json_t *object, const char *key, int64_t min, int64_t max,
                        int64_t *ret)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value) || json_integer_value(value) < min ||
        json_integer_value(value) > max)
        return false;
    *ret = json_integer_value(value);
    return true;
}

// Any moment of the years 1970 to 9999.
static bool get_time(const json_t *object, const char *key, int64_t *ret)
{
    return get_integer(object, key, 0, INT64_C(253402300799) * GW_SECOND, ret);
}

// Null, which gives unknown, or an integer from min on.
static bool get_known(const json_t *object, const char *key, int64_t min, int64_t unknown,
                      int64_t *ret)
{
    *ret = unknown;
    return json_is_null(json_object_get(object, key)) ||
           get_integer(object, key, min, INT64_MAX, ret);
}

static bool get_clock_offset(const json_t *object, int64_t *ret)
{
    return get_known(object, "clock_offset_us", GW_NO_TIME + 1, GW_NO_TIME, ret);
}

static bool get_rate(const json_t *object, const char *key, double *ret)
{
    const json_t *value = json_object_get(object, key);
    *ret = json_number_value(value);
    return json_is_number(value) && *ret >= 0;
}

static bool get_text(const json_t *object, const char *key, char *ret, size_t size)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value) || json_string_length(value) >= size)
        return false;
    memcpy(ret, json_string_value(value), json_string_length(value) + 1);
    return strlen(ret) == json_string_length(value);
}

static bool get_flag(const json_t *object, const char *key, bool *ret)
{
    const json_t *value = json_object_get(object, key);
    *ret = json_is_true(value);
    return json_is_boolean(value);
}

static bool get_fraction(const json_t *value, double *ret)
{
    *ret = json_number_value(value);
    return json_is_number(value) && *ret >= 0 && *ret <= 1;
}

static bool get_identity(const json_t *object, struct gw_id *ret_id, char camera[GW_CAMERA_ID_SIZE])
{
    const char *id = json_string_value(json_object_get(object, "id"));
    return id && gw_id_parse(id, ret_id) == 0 &&
           get_text(object, "camera", camera, GW_CAMERA_ID_SIZE) && gw_camera_id_valid(camera);
}

static bool get_name(const json_t *object, const char *key, int (*from_name)(const char *),
                     int *ret)
{
    *ret = from_name(json_string_value(json_object_get(object, key)));
    return *ret >= 0;
}

static bool get_box(const json_t *object, struct gw_box *ret)
{
    const json_t *box = json_object_get(object, "box");
    return json_array_size(box) == 4 && get_fraction(json_array_get(box, 0), &ret->x) &&
           get_fraction(json_array_get(box, 1), &ret->y) &&
           get_fraction(json_array_get(box, 2), &ret->w) &&
           get_fraction(json_array_get(box, 3), &ret->h);
}

static bool get_zones(const json_t *object, struct gw_event *ret)
{
    const json_t *zones = json_object_get(object, "zones");
    if (!json_is_array(zones) || json_array_size(zones) > GW_EVENT_ZONES)
        return false;
    ret->zone_count = (int)json_array_size(zones);
    for (int i = 0; i < ret->zone_count; i++) {
        const json_t *zone = json_array_get(zones, (size_t)i);
        if (!json_is_string(zone) || json_string_length(zone) >= GW_ZONE_NAME_SIZE)
            return false;
        strcpy(ret->zones[i], json_string_value(zone));
    }
    return true;
}

static bool parse_event(const json_t *json, struct gw_event *ret)
{
    int kind, state;
    bool has_snapshot;

    if (!get_identity(json, &ret->id, ret->camera) ||
        !get_name(json, "kind", gw_event_kind_from_name, &kind) ||
        !get_name(json, "state", gw_event_state_from_name, &state) ||
        !get_time(json, "start_us", &ret->start_us) || !get_time(json, "end_us", &ret->end_us) ||
        !get_time(json, "confirmed_us", &ret->confirmed_us) ||
        !get_fraction(json_object_get(json, "score"), &ret->score) || !get_box(json, &ret->box) ||
        !get_zones(json, ret) || !get_flag(json, "interrupted", &ret->interrupted) ||
        !get_flag(json, "has_snapshot", &has_snapshot) ||
        !get_clock_offset(json, &ret->clock_offset_us))
        return false;
    ret->kind = (enum gw_event_kind)kind;
    ret->state = (enum gw_event_state)state;
    ret->snapshot_us = GW_NO_TIME;
    return ret->end_us >= ret->start_us &&
           (!has_snapshot || get_time(json, "snapshot_us", &ret->snapshot_us));
}

static bool parse_clip(const json_t *json, struct gw_clip *ret)
{
    int state;
    int64_t width, height;

    if (!get_identity(json, &ret->id, ret->camera) ||
        !get_name(json, "state", gw_clip_state_from_name, &state) ||
        !get_time(json, "start_us", &ret->start_us) || !get_time(json, "end_us", &ret->end_us) ||
        !get_integer(json, "size_bytes", 0, INT64_MAX, &ret->size_bytes) ||
        !get_integer(json, "frames", 0, INT64_MAX, &ret->frames) ||
        !get_text(json, "codec", ret->codec, sizeof(ret->codec)) ||
        !get_integer(json, "width", 0, 65535, &width) ||
        !get_integer(json, "height", 0, 65535, &height) ||
        !get_flag(json, "truncated", &ret->truncated) ||
        !get_clock_offset(json, &ret->clock_offset_us))
        return false;
    ret->state = (enum gw_clip_state)state;
    ret->width = (int)width;
    ret->height = (int)height;
    return ret->end_us >= ret->start_us;
}

static bool parse_camera_signs(const json_t *json, struct gw_camera_signs *ret)
{
    int64_t reconnects;

    if (!get_rate(json, "frame_rate", &ret->frame_rate) ||
        !get_rate(json, "bit_rate", &ret->bit_rate) ||
        !get_known(json, "key_age_us", 0, -1, &ret->key_age_us) ||
        !get_integer(json, "reconnects", 0, INT64_MAX, &reconnects) ||
        !get_clock_offset(json, &ret->clock_offset_us))
        return false;
    ret->reconnects = (uint64_t)reconnects;
    return true;
}

static bool parse_camera_state(const json_t *json, struct gw_camera_state *ret)
{
    int status;

    if (!get_text(json, "camera", ret->camera, sizeof(ret->camera)) ||
        !gw_camera_id_valid(ret->camera) ||
        !get_name(json, "status", gw_camera_status_from_name, &status) ||
        !get_text(json, "reason", ret->reason, sizeof(ret->reason)) ||
        !get_time(json, "since_us", &ret->since_us) || !parse_camera_signs(json, &ret->signs))
        return false;
    ret->status = (enum gw_camera_status)status;
    return true;
}

static bool parse_gap(const json_t *json, struct gw_gap *ret)
{
    int cause, state;

    if (!get_identity(json, &ret->id, ret->camera) ||
        !get_name(json, "cause", gw_gap_cause_from_name, &cause) ||
        !get_name(json, "state", gw_gap_state_from_name, &state) ||
        !get_time(json, "from_us", &ret->from_us))
        return false;
    ret->cause = (enum gw_gap_cause)cause;
    ret->open = state;
    ret->to_us = ret->from_us;
    return cause != GW_GAP_NONE &&
           (ret->open || (get_time(json, "to_us", &ret->to_us) && ret->to_us >= ret->from_us));
}

static bool parse_coverage(const json_t *json, struct gw_coverage_news *ret)
{
    int cause, change;

    if (!get_text(json, "camera", ret->camera, sizeof(ret->camera)) ||
        !gw_camera_id_valid(ret->camera) ||
        !get_name(json, "change", gw_coverage_change_from_name, &change) ||
        !get_name(json, "cause", gw_gap_cause_from_name, &cause) ||
        !get_time(json, "from_us", &ret->from_us) || !get_time(json, "to_us", &ret->to_us))
        return false;
    ret->change = (enum gw_coverage_change)change;
    ret->cause = (enum gw_gap_cause)cause;
    bool needs_cause = change == GW_COVERAGE_BROKE || change == GW_COVERAGE_HOLE;
    return ret->to_us >= ret->from_us && (cause != GW_GAP_NONE || !needs_cause);
}

static bool parse_deletion(const json_t *json, struct gw_deletion *ret)
{
    int reason;

    if (!get_identity(json, &ret->id, ret->camera) || !get_time(json, "start_us", &ret->start_us) ||
        !get_name(json, "reason", gw_deletion_reason_from_name, &reason))
        return false;
    ret->reason = (enum gw_deletion_reason)reason;
    return true;
}

int gw_fact_from_json(const json_t *json, struct gw_fact *ret)
{
    struct gw_fact fact = {0};
    const json_t *data = json_object_get(json, "data");
    int kind =
        gw_find_name(kinds, GW_COUNT(kinds), json_string_value(json_object_get(json, "kind")));
    bool good;

    if (kind < 0 || !json_is_object(data) || !get_time(json, "wall_us", &fact.wall_us))
        return GW_ERROR_INVALID;
    fact.kind = (enum gw_fact_kind)kind;
    if (is_clip(fact.kind))
        good = parse_clip(data, &fact.clip);
    else if (is_camera(fact.kind))
        good = parse_camera_state(data, &fact.camera);
    else if (is_gap(fact.kind))
        good = parse_gap(data, &fact.gap);
    else if (fact.kind == GW_FACT_COVERAGE)
        good = parse_coverage(data, &fact.coverage);
    else if (is_deletion(fact.kind))
        good = parse_deletion(data, &fact.deletion);
    else
        good = parse_event(data, &fact.event);
    if (!good)
        return GW_ERROR_INVALID;
    *ret = fact;
    return 0;
}

int gw_fact_from_committed(const struct gw_committed_fact *committed, struct gw_fact *ret,
                           struct gw_place *ret_place)
{
    json_t *json = json_object(), *data = json_loads(committed->data, 0, NULL);
    struct gw_fact fact;
    struct gw_place place;
    int result = GW_ERROR_INVALID;

    if (!json)
        abort();
    set(json, "kind", json_string(committed->kind));
    set(json, "wall_us", json_integer(committed->wall_us));
    if (data) {
        set(json, "data", data);
        result = gw_place_from_json(data, &place);
    }
    if (!result)
        result = gw_fact_from_json(json, &fact);
    json_decref(json);
    if (result)
        return result;
    *ret = fact;
    *ret_place = place;
    return 0;
}
