// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/protocol.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "core/error.h"

// --- hello, ack, stop ----------------------------------------------------------------------------

json_t *gw_protocol_hello(const struct gw_id *boot, const char *worker)
{
    char text[GW_ID_TEXT_SIZE];
    return json_pack("{ss ss ss}", "type", "hello", "boot", gw_id_format(text, boot), "worker",
                     worker);
}

json_t *gw_protocol_fact(uint64_t seq, const struct gw_fact *fact)
{
    return json_pack("{ss sI so}", "type", "fact", "seq", (json_int_t)seq, "fact",
                     gw_fact_to_json(fact));
}

json_t *gw_protocol_ack(uint64_t seq)
{
    return json_pack("{ss sI}", "type", "ack", "seq", (json_int_t)seq);
}

json_t *gw_protocol_stop(void)
{
    return json_pack("{ss}", "type", "stop");
}

const char *gw_protocol_type(const json_t *message)
{
    const char *type = json_string_value(json_object_get(message, "type"));
    return type ? type : "";
}

int gw_protocol_read_hello(const json_t *message, struct gw_id *ret_boot, char worker[32])
{
    const char *boot = json_string_value(json_object_get(message, "boot"));
    const char *name = json_string_value(json_object_get(message, "worker"));
    if (!boot || !name || strlen(name) >= 32 || gw_id_parse(boot, ret_boot) < 0)
        return GW_ERROR_INVALID;
    strcpy(worker, name);
    return 0;
}

int gw_protocol_read_ack(const json_t *message, uint64_t *ret_seq)
{
    const json_t *seq = json_object_get(message, "seq");
    if (!json_is_integer(seq) || json_integer_value(seq) < 0)
        return GW_ERROR_INVALID;
    *ret_seq = (uint64_t)json_integer_value(seq);
    return 0;
}

int gw_protocol_read_fact(const json_t *message, uint64_t *ret_seq, struct gw_fact *ret)
{
    // The number is given even when the fact is bad, so that a bad fact can be acked and dropped
    // instead of being resent for ever.
    if (gw_protocol_read_ack(message, ret_seq) < 0)
        return GW_ERROR_INVALID;
    return gw_fact_from_json(json_object_get(message, "fact"), ret);
}

// --- assignments ---------------------------------------------------------------------------------

// The URL travels with its credentials, percent-encoded, because a password need not be UTF-8.
static json_t *camera_to_json(const struct gw_camera *camera)
{
    char url[GW_URL_SIZE + 3 * (GW_USERNAME_SIZE + GW_PASSWORD_SIZE)];

    if (gw_url_join(camera->record_url, camera->username, camera->password, url, sizeof(url)) < 0)
        return NULL;
    // The other stream has the same credentials; they travel once.
    return json_pack("{ss ss ss ss ss}", "id", camera->id, "url", url, "detect", camera->detect_url,
                     "record", gw_record_mode_name(camera->record), "zones", camera->zones);
}

static bool camera_from_json(const json_t *json, struct gw_camera *ret)
{
    const char *id = json_string_value(json_object_get(json, "id"));
    const char *url = json_string_value(json_object_get(json, "url"));
    const char *detect = json_string_value(json_object_get(json, "detect"));
    // Not "none" when it is missing: a mask must not get lost.
    const char *zones = json_string_value(json_object_get(json, "zones"));
    int mode = gw_record_mode_from_name(json_string_value(json_object_get(json, "record")));

    if (mode < 0 || !id || !url || !gw_camera_id_valid(id) || !detect ||
        strlen(detect) >= sizeof(ret->detect_url) || !zones || strlen(zones) >= sizeof(ret->zones))
        return false;
    *ret = (struct gw_camera){
        .record = (enum gw_record_mode)mode, .enabled = true, .lon = NAN, .lat = NAN};
    strcpy(ret->id, id);
    strcpy(ret->detect_url, detect);
    strcpy(ret->zones, zones);
    return gw_url_split(url, ret->record_url, ret->username, ret->password) == 0;
}

static const struct {
    const char *name;
    size_t offset;
} settings_fields[] = {
    {"preroll_us", offsetof(struct gw_settings, preroll_us)},
    {"postroll_us", offsetof(struct gw_settings, postroll_us)},
    {"split_us", offsetof(struct gw_settings, split_us)},
    {"ring_bytes", offsetof(struct gw_settings, ring_bytes)},
    {"ring_total_bytes", offsetof(struct gw_settings, ring_total_bytes)},
    {"stall_us", offsetof(struct gw_settings, stall_us)},
    {"level", offsetof(struct gw_settings, level)},
    {"transport", offsetof(struct gw_settings, transport)},
};
static_assert(sizeof(struct gw_settings) ==
                  sizeof(settings_fields) / sizeof(settings_fields[0]) * sizeof(int64_t),
              "each setting travels");

static json_t *settings_to_json(const struct gw_settings *settings)
{
    json_t *json = json_object();
    for (size_t i = 0; i < sizeof(settings_fields) / sizeof(settings_fields[0]); i++) {
        const int64_t *value =
            (const int64_t *)((const char *)settings + settings_fields[i].offset);
        json_object_set_new(json, settings_fields[i].name, json_integer(*value));
    }
    return json;
}

json_t *gw_protocol_assign(const struct gw_settings *settings, const struct gw_camera *cameras,
                           int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        json_t *camera = camera_to_json(&cameras[i]);
        if (camera) // the registry holds only URLs that gw_url_split gave
            json_array_append_new(list, camera);
    }
    return json_pack("{ss so so}", "type", "assign", "settings", settings_to_json(settings),
                     "cameras", list);
}

static int read_settings(const json_t *json, struct gw_settings *ret)
{
    struct gw_settings read;

    for (size_t i = 0; i < sizeof(settings_fields) / sizeof(settings_fields[0]); i++) {
        const json_t *value = json_object_get(json, settings_fields[i].name);
        if (!json_is_integer(value))
            return GW_ERROR_INVALID;
        *(int64_t *)((char *)&read + settings_fields[i].offset) = json_integer_value(value);
    }
    if (read.level < 0 || read.level >= GW_LEVEL_COUNT || read.transport < 0 ||
        read.transport > GW_TRANSPORT_UDP)
        return GW_ERROR_INVALID;
    *ret = read;
    return 0;
}

int gw_protocol_read_assign(const json_t *message, struct gw_settings *ret_settings,
                            struct gw_camera **ret_cameras)
{
    const json_t *list = json_object_get(message, "cameras");
    size_t count = json_array_size(list);
    struct gw_settings settings;
    if (!json_is_array(list) || read_settings(json_object_get(message, "settings"), &settings) < 0)
        return GW_ERROR_INVALID;
    struct gw_camera *cameras = calloc(count + 1, sizeof(*cameras));
    if (!cameras)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        if (!camera_from_json(json_array_get(list, i), &cameras[i])) {
            free(cameras);
            return GW_ERROR_INVALID;
        }
    *ret_settings = settings;
    *ret_cameras = cameras;
    return (int)count;
}

// --- repairs: clips travel as the facts they will become -----------------------------------------

json_t *gw_protocol_repair(const struct gw_clip *clips, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        struct gw_fact fact = {
            .kind = GW_FACT_CLIP_OPENED, .wall_us = clips[i].start_us, .clip = clips[i]};
        json_array_append_new(list, gw_fact_to_json(&fact));
    }
    return json_pack("{ss so}", "type", "repair", "clips", list);
}

int gw_protocol_read_repair(const json_t *message, struct gw_clip **ret_clips)
{
    const json_t *list = json_object_get(message, "clips");
    size_t count = json_array_size(list);
    struct gw_clip *clips = calloc(count + 1, sizeof(*clips));
    if (!clips)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct gw_fact fact;
        if (gw_fact_from_json(json_array_get(list, i), &fact) < 0 ||
            fact.kind != GW_FACT_CLIP_OPENED) {
            free(clips);
            return GW_ERROR_INVALID;
        }
        clips[i] = fact.clip;
    }
    *ret_clips = clips;
    return (int)count;
}

// --- status: one array of numbers per camera, in this order --------------------------------------

static json_t *signs_to_json(const struct gw_camera_metrics *m)
{
    const struct gw_camera_signs *signs = &m->signs;
    return json_pack("[i f f I I f I I I I]", (int)m->status, signs->frame_rate, signs->bit_rate,
                     (json_int_t)signs->key_age_us, (json_int_t)signs->longest_gop_us, signs->loss,
                     (json_int_t)signs->clock_offset_us, (json_int_t)signs->lost_packets,
                     (json_int_t)signs->skipped, (json_int_t)signs->reconnects);
}

json_t *gw_protocol_status(const struct gw_camera_metrics *metrics, int count)
{
    json_t *list = json_array();
    for (const struct gw_camera_metrics *m = metrics; m < metrics + count; m++)
        json_array_append_new(
            list,
            json_pack("[s b b I I I I I I I I I I I i I I I I f f o]", m->camera, (int)m->online,
                      (int)m->detect_online, (json_int_t)m->packets, (json_int_t)m->bytes,
                      (json_int_t)m->reconnects, (json_int_t)m->decoded,
                      (json_int_t)m->analysis_dropped, (json_int_t)m->events, (json_int_t)m->clips,
                      (json_int_t)m->clips_truncated, (json_int_t)m->ring_bytes,
                      (json_int_t)m->ring_shed, (json_int_t)m->last_packet_age_us, (int)m->level,
                      (json_int_t)m->analysis_packets, (json_int_t)m->analysis_cpu_us,
                      (json_int_t)m->audits, (json_int_t)m->judged, m->miss_rate, m->miss_high,
                      signs_to_json(m)));
    return json_pack("{ss so}", "type", "status", "cameras", list);
}

static bool signs_from_json(json_t *json, struct gw_camera_metrics *ret)
{
    int status;
    double frame_rate, bit_rate, loss;
    json_int_t n[6];
    if (json_unpack(json, "[i F F I I F I I I I]", &status, &frame_rate, &bit_rate, &n[0], &n[1],
                    &loss, &n[2], &n[3], &n[4], &n[5]) < 0 ||
        status < GW_CAMERA_OFFLINE || status > GW_CAMERA_DEGRADED)
        return false;
    ret->status = (enum gw_camera_status)status;
    ret->signs = (struct gw_camera_signs){.frame_rate = frame_rate,
                                          .bit_rate = bit_rate,
                                          .key_age_us = n[0],
                                          .longest_gop_us = n[1],
                                          .loss = loss,
                                          .clock_offset_us = n[2],
                                          .lost_packets = (uint64_t)n[3],
                                          .skipped = (uint64_t)n[4],
                                          .reconnects = (uint64_t)n[5]};
    return true;
}

static bool metrics_from_json(const json_t *json, struct gw_camera_metrics *ret)
{
    const char *camera;
    int online, detect_online, level;
    json_int_t n[15];
    double rate, high;
    json_t *signs;
    if (json_unpack((json_t *)json, "[s b b I I I I I I I I I I I i I I I I F F o]", &camera,
                    &online, &detect_online, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7],
                    &n[8], &n[9], &n[10], &level, &n[11], &n[12], &n[13], &n[14], &rate, &high,
                    &signs) < 0 ||
        !gw_camera_id_valid(camera) || level <= GW_LEVEL_AUTO || level >= GW_LEVEL_COUNT)
        return false;
    *ret = (struct gw_camera_metrics){.online = online,
                                      .detect_online = detect_online,
                                      .packets = (uint64_t)n[0],
                                      .bytes = (uint64_t)n[1],
                                      .reconnects = (uint64_t)n[2],
                                      .decoded = (uint64_t)n[3],
                                      .analysis_dropped = (uint64_t)n[4],
                                      .events = (uint64_t)n[5],
                                      .clips = (uint64_t)n[6],
                                      .clips_truncated = (uint64_t)n[7],
                                      .ring_bytes = (uint64_t)n[8],
                                      .ring_shed = (uint64_t)n[9],
                                      .last_packet_age_us = n[10],
                                      .level = (enum gw_level)level,
                                      .analysis_packets = (uint64_t)n[11],
                                      .analysis_cpu_us = (uint64_t)n[12],
                                      .audits = (uint64_t)n[13],
                                      .judged = (uint64_t)n[14],
                                      .miss_rate = rate,
                                      .miss_high = high};
    strcpy(ret->camera, camera);
    return signs_from_json(signs, ret);
}

int gw_protocol_read_status(const json_t *message, struct gw_camera_metrics **ret_metrics)
{
    const json_t *list = json_object_get(message, "cameras");
    size_t count = json_array_size(list);
    struct gw_camera_metrics *metrics = calloc(count + 1, sizeof(*metrics));
    if (!metrics)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        if (!metrics_from_json(json_array_get(list, i), &metrics[i])) {
            free(metrics);
            return GW_ERROR_INVALID;
        }
    *ret_metrics = metrics;
    return (int)count;
}

// --- coverage: camera ids and times --------------------------------------------------------------

json_t *gw_protocol_covered(const struct gw_coverage_stamp *stamps, int count)
{
    json_t *cameras = json_object();
    for (int i = 0; i < count; i++)
        json_object_set_new(cameras, stamps[i].camera, json_integer(stamps[i].until_us));
    return json_pack("{ss so}", "type", "covered", "cameras", cameras);
}

int gw_protocol_read_covered(const json_t *message, struct gw_coverage_stamp **ret_stamps)
{
    json_t *cameras = json_object_get(message, "cameras"), *until;
    const char *camera;
    int count = 0;

    if (!json_is_object(cameras))
        return GW_ERROR_INVALID;
    struct gw_coverage_stamp *stamps = calloc(json_object_size(cameras) + 1, sizeof(*stamps));
    if (!stamps)
        return -ENOMEM;
    json_object_foreach(cameras, camera, until)
    {
        if (!gw_camera_id_valid(camera) || !json_is_integer(until) ||
            json_integer_value(until) < 0) {
            free(stamps);
            return GW_ERROR_INVALID;
        }
        stamps[count].until_us = json_integer_value(until);
        strcpy(stamps[count++].camera, camera);
    }
    *ret_stamps = stamps;
    return count;
}

// --- the socket ----------------------------------------------------------------------------------

int gw_protocol_send(void *socket, const struct gw_id *route, json_t *message)
{
    char *text = json_dumps(message, JSON_COMPACT);
    int error = 0;

    json_decref(message);
    if (!text)
        return -ENOMEM;
    if (route &&
        zmq_send(socket, route->bytes, sizeof(route->bytes), ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
        error = -zmq_errno();
    if (!error && zmq_send(socket, text, strlen(text), ZMQ_DONTWAIT) < 0)
        error = -zmq_errno();
    free(text);
    return error;
}

// Reads the frames that are left of a message nobody understands.
static void skip_rest(void *socket)
{
    int more = 1;
    size_t size = sizeof(more);
    while (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) == 0 && more) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT);
        zmq_msg_close(&frame);
    }
}

int gw_protocol_receive(void *socket, struct gw_id *ret_route, json_t **ret_message)
{
    zmq_msg_t frame;
    json_t *message = NULL;

    zmq_msg_init(&frame);
    if (zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&frame);
        return 0;
    }
    if (ret_route) {
        bool good = zmq_msg_size(&frame) == sizeof(ret_route->bytes) && zmq_msg_more(&frame);
        if (good)
            memcpy(ret_route->bytes, zmq_msg_data(&frame), sizeof(ret_route->bytes));
        if (!good || zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&frame);
            skip_rest(socket);
            return GW_ERROR_INVALID;
        }
    }
    message = json_loadb(zmq_msg_data(&frame), zmq_msg_size(&frame), 0, NULL);
    zmq_msg_close(&frame);
    skip_rest(socket);
    if (!json_is_object(message)) {
        json_decref(message);
        return GW_ERROR_INVALID;
    }
    *ret_message = message;
    return 1;
}
