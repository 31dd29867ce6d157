// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Rows as bytes, because there are millions of them in memory. The first 23 are the same for all
// three nouns and are read by redis_functions.lua, too; docs/ref/redis.md has the layout.

#include <math.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/redis_internal.h"

const char *const gw_redis_noun_names[] = {
    [GW_NOUN_EVENT] = "event", [GW_NOUN_CLIP] = "clip", [GW_NOUN_GAP] = "gap"};

enum {
    UNFINISHED = 1,
    HAS_SNAPSHOT = 2,
    HAS_CLOCK_OFFSET = 4,
    MARKED = 8, // of an event: interrupted; of a clip: truncated
};
#define FRACTIONS 1e4                                 // what gw_event_round rounds to
#define LAST_US   (INT64_C(253402300799) * GW_SECOND) // the end of the year 9999

// --- writing -------------------------------------------------------------------------------------

struct writer {
    uint8_t *bytes;
    size_t size;
};

static void put_number(struct writer *writer, uint64_t value, int size)
{
    while (size--)
        writer->bytes[writer->size++] = (uint8_t)(value >> (8 * size));
}

// Seven bits a byte, the lowest first; few bytes for small numbers of either sign.
static void put_small(struct writer *writer, int64_t value)
{
    uint64_t rest = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    for (; rest >= 128; rest >>= 7)
        writer->bytes[writer->size++] = (uint8_t)(rest | 128);
    writer->bytes[writer->size++] = (uint8_t)rest;
}

static void put_text(struct writer *writer, const char *text)
{
    const size_t length = strlen(text);
    writer->bytes[writer->size++] = (uint8_t)length;
    memcpy(writer->bytes + writer->size, text, length);
    writer->size += length;
}

static void put_fraction(struct writer *writer, double value)
{
    put_number(writer, (uint64_t)lround(value * FRACTIONS), 2);
}

static void put_head(struct writer *writer, int state, int kind, int flags, int64_t place,
                     int64_t start_us, int64_t end_us)
{
    put_number(writer, (uint64_t)state, 1);
    put_number(writer, (uint64_t)kind, 1);
    put_number(writer, (uint64_t)flags, 1);
    put_number(writer, (uint64_t)place, 4);
    put_number(writer, (uint64_t)start_us, 8);
    put_number(writer, (uint64_t)end_us, 8);
}

size_t gw_redis_pack_event(uint8_t ret[GW_REDIS_ROW_SIZE], const struct gw_event *event,
                           int64_t place)
{
    struct writer writer = {.bytes = ret};
    const int flags = (event->state == GW_EVENT_OPEN ? UNFINISHED : 0) |
                      (event->snapshot_us != GW_NO_TIME ? HAS_SNAPSHOT : 0) |
                      (event->clock_offset_us != GW_NO_TIME ? HAS_CLOCK_OFFSET : 0) |
                      (event->interrupted ? MARKED : 0);

    put_head(&writer, event->state, event->kind, flags, place, event->start_us, event->end_us);
    put_fraction(&writer, event->score);
    put_fraction(&writer, event->box.x);
    put_fraction(&writer, event->box.y);
    put_fraction(&writer, event->box.w);
    put_fraction(&writer, event->box.h);
    put_small(&writer, event->confirmed_us - event->start_us);
    if (flags & HAS_SNAPSHOT)
        put_small(&writer, event->snapshot_us - event->start_us);
    if (flags & HAS_CLOCK_OFFSET)
        put_small(&writer, event->clock_offset_us);
    for (int i = 0; i < event->zone_count; i++)
        put_text(&writer, event->zones[i]);
    return writer.size;
}

size_t gw_redis_pack_clip(uint8_t ret[GW_REDIS_ROW_SIZE], const struct gw_clip *clip, int64_t place)
{
    struct writer writer = {.bytes = ret};
    const int flags = (clip->state == GW_CLIP_RECORDING ? UNFINISHED : 0) |
                      (clip->clock_offset_us != GW_NO_TIME ? HAS_CLOCK_OFFSET : 0) |
                      (clip->truncated ? MARKED : 0);

    put_head(&writer, clip->state, 0, flags, place, clip->start_us, clip->end_us);
    put_small(&writer, clip->size_bytes);
    put_small(&writer, clip->frames);
    put_small(&writer, clip->width);
    put_small(&writer, clip->height);
    if (flags & HAS_CLOCK_OFFSET)
        put_small(&writer, clip->clock_offset_us);
    put_text(&writer, clip->codec);
    return writer.size;
}

size_t gw_redis_pack_gap(uint8_t ret[GW_REDIS_ROW_SIZE], const struct gw_gap *gap, int64_t place)
{
    struct writer writer = {.bytes = ret};

    // What an open one's end means nothing for is its beginning, as in the other engine.
    put_head(&writer, gap->open, gap->cause, gap->open ? UNFINISHED : 0, place, gap->from_us,
             gap->open ? gap->from_us : gap->to_us);
    return writer.size;
}

// --- reading -------------------------------------------------------------------------------------

struct reader {
    const uint8_t *bytes;
    size_t size, at;
    bool good;
};

static uint64_t get_number(struct reader *reader, int size)
{
    uint64_t value = 0;

    reader->good = reader->good && reader->size - reader->at >= (size_t)size;
    while (reader->good && size--)
        value = value << 8 | reader->bytes[reader->at++];
    return value;
}

static int64_t get_small(struct reader *reader)
{
    uint64_t value = 0, byte = 128;

    for (int shift = 0; reader->good && byte & 128; shift += 7) {
        byte = get_number(reader, 1);
        reader->good = reader->good && shift < 64;
        if (reader->good)
            value |= (byte & 127) << shift;
    }
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static void get_text(struct reader *reader, char *ret, size_t size)
{
    const size_t length = get_number(reader, 1);

    reader->good = reader->good && length < size && reader->size - reader->at >= length;
    if (!reader->good)
        return;
    memcpy(ret, reader->bytes + reader->at, length);
    ret[length] = 0;
    reader->at += length;
}

static double get_fraction(struct reader *reader)
{
    const double value = (double)get_number(reader, 2) / FRACTIONS;
    reader->good = reader->good && value <= 1;
    return value;
}

// A small number that is not negative.
static int64_t get_size(struct reader *reader, int64_t most)
{
    const int64_t value = get_small(reader);
    reader->good = reader->good && value >= 0 && value <= most;
    return value;
}

struct head {
    int state, kind, flags;
    int64_t place, start_us, end_us;
};

static struct head get_head(struct reader *reader, int states, int kinds)
{
    struct head head;

    head.state = (int)get_number(reader, 1);
    head.kind = (int)get_number(reader, 1);
    head.flags = (int)get_number(reader, 1);
    head.place = (int64_t)get_number(reader, 4);
    head.start_us = (int64_t)get_number(reader, 8);
    head.end_us = (int64_t)get_number(reader, 8);
    reader->good = reader->good && head.state < states && head.kind < kinds && head.place > 0 &&
                   head.start_us >= 0 && head.end_us >= head.start_us && head.end_us <= LAST_US;
    return head;
}

// So much after from_us, if it is there.
static int64_t get_if(struct reader *reader, bool there, int64_t from_us)
{
    int64_t value = GW_NO_TIME;

    if (there && __builtin_add_overflow(from_us, get_small(reader), &value))
        reader->good = false;
    return value;
}

int64_t gw_redis_unpack_event(const void *bytes, size_t size, struct gw_event *ret)
{
    struct reader reader = {.bytes = bytes, .size = size, .good = true};
    const struct head head = get_head(&reader, GW_EVENT_CLOSED + 1, GW_EVENT_KIND_COUNT);

    ret->state = (enum gw_event_state)head.state;
    ret->kind = (enum gw_event_kind)head.kind;
    ret->start_us = head.start_us;
    ret->end_us = head.end_us;
    ret->interrupted = head.flags & MARKED;
    ret->score = get_fraction(&reader);
    ret->box.x = get_fraction(&reader);
    ret->box.y = get_fraction(&reader);
    ret->box.w = get_fraction(&reader);
    ret->box.h = get_fraction(&reader);
    ret->confirmed_us = get_if(&reader, true, head.start_us);
    ret->snapshot_us = get_if(&reader, head.flags & HAS_SNAPSHOT, head.start_us);
    reader.good = reader.good && ret->confirmed_us >= 0 && ret->confirmed_us <= LAST_US &&
                  (ret->snapshot_us >= 0) == ((head.flags & HAS_SNAPSHOT) != 0) &&
                  ret->snapshot_us <= LAST_US;
    ret->clock_offset_us = get_if(&reader, head.flags & HAS_CLOCK_OFFSET, 0);
    memset(ret->zones, 0, sizeof(ret->zones));
    for (ret->zone_count = 0; reader.good && reader.at < size; ret->zone_count++) {
        reader.good = ret->zone_count < GW_EVENT_ZONES;
        if (reader.good)
            get_text(&reader, ret->zones[ret->zone_count], GW_ZONE_NAME_SIZE);
    }
    return reader.good ? head.place : GW_ERROR_INVALID;
}

int64_t gw_redis_unpack_clip(const void *bytes, size_t size, struct gw_clip *ret)
{
    struct reader reader = {.bytes = bytes, .size = size, .good = true};
    const struct head head = get_head(&reader, GW_CLIP_LOST + 1, 1);

    ret->state = (enum gw_clip_state)head.state;
    ret->start_us = head.start_us;
    ret->end_us = head.end_us;
    ret->truncated = head.flags & MARKED;
    ret->size_bytes = get_size(&reader, INT64_MAX);
    ret->frames = get_size(&reader, INT64_MAX);
    ret->width = (int)get_size(&reader, UINT16_MAX);
    ret->height = (int)get_size(&reader, UINT16_MAX);
    ret->clock_offset_us = get_if(&reader, head.flags & HAS_CLOCK_OFFSET, 0);
    get_text(&reader, ret->codec, sizeof(ret->codec));
    return reader.good && reader.at == size ? head.place : GW_ERROR_INVALID;
}

int64_t gw_redis_unpack_gap(const void *bytes, size_t size, struct gw_gap *ret)
{
    struct reader reader = {.bytes = bytes, .size = size, .good = true};
    const struct head head = get_head(&reader, 2, GW_GAP_CAUSE_COUNT);

    ret->open = head.state;
    ret->cause = (enum gw_gap_cause)head.kind;
    ret->from_us = head.start_us;
    ret->to_us = head.end_us;
    return reader.good && reader.at == size ? head.place : GW_ERROR_INVALID;
}
