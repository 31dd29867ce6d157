// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: messages between hub and workers, and the facts in them (app/protocol.h,
// core/fact.h). The input is JSON.

#include <assert.h>

#include "app/protocol.h"
#include "core/error.h"
#include "tests/fuzz/target.h"

// A fact that was read is written as one that is read as the same.
static void check_fact(const json_t *json)
{
    struct gw_fact fact, again;

    if (gw_fact_from_json(json, &fact) < 0)
        return;
    json_t *written = gw_fact_to_json(&fact);
    assert(written && gw_fact_from_json(written, &again) == 0);
    assert(again.kind == fact.kind && again.wall_us == fact.wall_us);
    json_t *twice = gw_fact_to_json(&again);
    assert(json_equal(written, twice));
    json_decref(twice);
    json_decref(written);
}

static void read_as_hub(const json_t *message)
{
    struct gw_camera_metrics *metrics = NULL;
    struct gw_fact fact;
    struct gw_id boot;
    uint64_t seq;
    char worker[32];

    gw_protocol_read_hello(message, &boot, worker);
    gw_protocol_read_fact(message, &seq, &fact);
    int count = gw_protocol_read_status(message, &metrics);
    assert(count == GW_ERROR_INVALID || count >= 0);
    if (count >= 0)
        free(metrics);
}

static void read_as_worker(const json_t *message)
{
    struct gw_camera *cameras = NULL;
    struct gw_clip *clips = NULL;
    struct gw_settings settings;
    uint64_t seq;

    int count = gw_protocol_read_assign(message, &settings, &cameras);
    for (int i = 0; i < count; i++)
        assert(gw_camera_id_valid(cameras[i].id));
    if (count >= 0)
        free(cameras);
    count = gw_protocol_read_repair(message, &clips);
    for (int i = 0; i < count; i++)
        assert(gw_camera_id_valid(clips[i].camera));
    if (count >= 0)
        free(clips);
    gw_protocol_read_ack(message, &seq);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *message = json_loadb((const char *)data, size, 0, NULL);

    if (json_is_object(message)) {
        assert(gw_protocol_type(message));
        read_as_hub(message);
        read_as_worker(message);
        check_fact(json_object_get(message, "fact"));
        check_fact(message);
    }
    json_decref(message);
    return 0;
}
