// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: rows that another program may have written into the shared index
// (storage/redis_row.c).

#include <assert.h>

#include "storage/redis_internal.h"
#include "tests/fuzz/target.h"

// What was read can be written, and is read again as the same.
static void try_event(const uint8_t *data, size_t size)
{
    struct gw_event event = {.id = {{1}}}, again = {.id = {{1}}};
    uint8_t bytes[GW_REDIS_ROW_SIZE];
    const int64_t place = gw_redis_unpack_event(data, size, &event);

    if (place < 0)
        return;
    assert(event.zone_count <= GW_EVENT_ZONES && event.score <= 1 && event.box.w <= 1);
    size = gw_redis_pack_event(bytes, &event, place);
    assert(gw_redis_unpack_event(bytes, size, &again) == place);
    json_t *before = gw_event_to_json(&event), *after = gw_event_to_json(&again);
    assert(json_equal(before, after));
    json_decref(before);
    json_decref(after);
}

static void try_clip(const uint8_t *data, size_t size)
{
    struct gw_clip clip = {.id = {{1}}}, again = {.id = {{1}}};
    uint8_t bytes[GW_REDIS_ROW_SIZE];
    const int64_t place = gw_redis_unpack_clip(data, size, &clip);

    if (place < 0)
        return;
    size = gw_redis_pack_clip(bytes, &clip, place);
    assert(gw_redis_unpack_clip(bytes, size, &again) == place);
    assert(clip.size_bytes == again.size_bytes && clip.frames == again.frames);
    assert(clip.clock_offset_us == again.clock_offset_us && clip.width == again.width);
}

static void try_gap(const uint8_t *data, size_t size)
{
    struct gw_gap gap = {.id = {{1}}}, again = {.id = {{1}}};
    uint8_t bytes[GW_REDIS_ROW_SIZE];
    const int64_t place = gw_redis_unpack_gap(data, size, &gap);

    if (place < 0)
        return;
    size = gw_redis_pack_gap(bytes, &gap, place);
    assert(gw_redis_unpack_gap(bytes, size, &again) == place);
    assert(gap.from_us == again.from_us && gap.cause == again.cause && gap.open == again.open);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_event(data, size);
    try_clip(data, size);
    try_gap(data, size);
    return 0;
}
