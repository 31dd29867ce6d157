// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/mp4_header.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/clip_muxer.h"
#include "storage/mp4_box.h"
#include "storage/mp4_bytes.h"

#define TEXT_LIMIT 128 // of an identity's value
#define KEY_LIMIT  16  // of metadata; ours are a handful

// The bytes of a box that are not read yet.
struct part {
    const uint8_t *at, *end;
};

struct key {
    const uint8_t *name;
    int size;
};

static int64_t left(const struct part *part)
{
    return part->end - part->at;
}

// The next box within part: its type, and what is in it. False when no whole one follows.
static bool next_box(struct part *part, uint32_t *type, struct part *ret)
{
    if (left(part) < 8)
        return false;
    int64_t size = (int64_t)gw_read_big_endian(part->at, 4);
    if (size < 8 || size > left(part))
        return false;
    *type = (uint32_t)gw_read_big_endian(part->at + 4, 4);
    *ret = (struct part){part->at + 8, part->at + size};
    part->at += size;
    return true;
}

// The first box of this type within part.
static bool find_box(struct part part, uint32_t wanted, struct part *ret)
{
    uint32_t type;
    while (next_box(&part, &type, ret))
        if (type == wanted)
            return true;
    return false;
}

static bool skip(struct part *part, int64_t count)
{
    if (left(part) < count)
        return false;
    part->at += count;
    return true;
}

static uint64_t take(struct part *part, int size)
{
    uint64_t value = gw_read_big_endian(part->at, size);
    part->at += size;
    return value;
}

// --- the track -----------------------------------------------------------------------------------

// mdhd: version and flags, creation and modification time, time scale, duration. Version 1 has
// times of 64 bits.
static bool read_media_header(struct part mdhd, struct gw_mp4_header *header)
{
    if (left(&mdhd) < 4)
        return false;
    const int wide = *mdhd.at == 1, size = wide ? 8 : 4;
    if (!skip(&mdhd, 4 + 2 * size) || left(&mdhd) < 4 + size)
        return false;
    const bool ours = take(&mdhd, 4) == GW_MP4_TIMESCALE;
    header->duration_ticks = (int64_t)take(&mdhd, size);
    return ours && header->duration_ticks >= 0;
}

// elst: version and flags, count, entries of duration, media time and rate. An edit that is no
// picture has media time -1.
static bool read_edits(struct part elst, struct gw_mp4_header *header)
{
    if (left(&elst) < 8)
        return false;
    const int size = *elst.at == 1 ? 8 : 4;
    skip(&elst, 4);
    for (uint64_t count = take(&elst, 4); count > 0; count--) {
        if (left(&elst) < 2 * size + 4)
            return false;
        skip(&elst, size);
        const uint64_t media = take(&elst, size);
        skip(&elst, 4);
        if (media >> (8 * size - 1))
            continue;
        header->shift_ticks = (int64_t)media;
        return header->shift_ticks <= 10 * GW_MP4_TIMESCALE;
    }
    return true;
}

// The sample entry: 6 reserved bytes, data reference, 16 bytes, width, height, …
static bool read_sample_entry(struct part stsd, struct gw_mp4_header *header)
{
    struct part entry;
    if (!skip(&stsd, 4) || left(&stsd) < 4 || take(&stsd, 4) != 1)
        return false;
    const uint8_t *begin = stsd.at;
    if (!next_box(&stsd, &header->codec, &entry) || left(&entry) < 28)
        return false;
    header->entry_size = (int)(entry.end - begin);
    if (entry.end - begin > GW_MP4_ENTRY_LIMIT ||
        (header->codec != GW_MP4_AVC1 && header->codec != GW_MP4_HVC1))
        return false;
    memcpy(header->entry, begin, (size_t)header->entry_size);
    header->width = (int)gw_read_big_endian(entry.at + 24, 2);
    header->height = (int)gw_read_big_endian(entry.at + 26, 2);
    return true;
}

static bool read_track(struct part trak, struct gw_mp4_header *header)
{
    struct part mdia, mdhd, minf, stbl, stsd, edts, elst;
    if (!find_box(trak, GW_MP4_TYPE('m', 'd', 'i', 'a'), &mdia) ||
        !find_box(mdia, GW_MP4_TYPE('m', 'd', 'h', 'd'), &mdhd) ||
        !find_box(mdia, GW_MP4_TYPE('m', 'i', 'n', 'f'), &minf) ||
        !find_box(minf, GW_MP4_TYPE('s', 't', 'b', 'l'), &stbl) ||
        !find_box(stbl, GW_MP4_TYPE('s', 't', 's', 'd'), &stsd))
        return false;
    if (find_box(trak, GW_MP4_TYPE('e', 'd', 't', 's'), &edts) &&
        find_box(edts, GW_MP4_TYPE('e', 'l', 's', 't'), &elst) && !read_edits(elst, header))
        return false;
    return read_media_header(mdhd, header) && read_sample_entry(stsd, header);
}

// trex: version and flags, track, sample entry, duration, size, flags.
static bool read_defaults(struct part moov, struct gw_mp4_header *header)
{
    struct part mvex, trex;
    if (!find_box(moov, GW_MP4_TYPE('m', 'v', 'e', 'x'), &mvex) ||
        !find_box(mvex, GW_MP4_TYPE('t', 'r', 'e', 'x'), &trex) || left(&trex) < 24)
        return false;
    skip(&trex, 12);
    header->sample_duration = (uint32_t)take(&trex, 4);
    header->sample_size = (uint32_t)take(&trex, 4);
    header->sample_flags = (uint32_t)take(&trex, 4);
    return true;
}

// --- who it is -----------------------------------------------------------------------------------

static bool parse_number(const char *text, int64_t *ret)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end)
        return false;
    *ret = value;
    return true;
}

static bool is_key(const struct key *key, const char *name)
{
    return key->size == (int)strlen(name) && !memcmp(key->name, name, strlen(name));
}

static void take_value(struct gw_mp4_header *header, const struct key *key, const char *text)
{
    if (is_key(key, GW_CLIP_TAG_ID))
        gw_id_parse(text, &header->id);
    else if (is_key(key, GW_CLIP_TAG_CAMERA) && gw_camera_id_valid(text))
        memcpy(header->camera, text, strlen(text) + 1);
    else if (is_key(key, GW_CLIP_TAG_START_US))
        parse_number(text, &header->start_us);
    else if (is_key(key, GW_CLIP_TAG_CLOCK_OFFSET_US))
        parse_number(text, &header->clock_offset_us);
}

// keys: version and flags, count, entries of size, name space and name.
static int read_keys(struct part keys, struct key ret[KEY_LIMIT])
{
    int count = 0;
    if (!skip(&keys, 8))
        return 0;
    while (count < KEY_LIMIT && left(&keys) >= 8) {
        const int64_t size = (int64_t)gw_read_big_endian(keys.at, 4);
        if (size < 8 || size > left(&keys))
            break;
        ret[count++] = (struct key){keys.at + 8, (int)size - 8};
        keys.at += size;
    }
    return count;
}

// ilst: a box for each key, its number (from 1) as type, with a data box of type, locale, value.
static void read_values(struct part ilst, const struct key *keys, int count,
                        struct gw_mp4_header *header)
{
    struct part item, data;
    uint32_t number;
    while (next_box(&ilst, &number, &item)) {
        char text[TEXT_LIMIT] = "";
        if (number < 1 || number > (uint32_t)count ||
            !find_box(item, GW_MP4_TYPE('d', 'a', 't', 'a'), &data) || !skip(&data, 8) ||
            left(&data) >= TEXT_LIMIT)
            continue;
        memcpy(text, data.at, (size_t)left(&data));
        take_value(header, &keys[number - 1], text);
    }
}

static void read_identity(struct part moov, struct gw_mp4_header *header)
{
    struct part udta, meta, keys, ilst;
    struct key names[KEY_LIMIT];
    header->start_us = header->clock_offset_us = GW_NO_TIME;
    if (find_box(moov, GW_MP4_TYPE('u', 'd', 't', 'a'), &udta) &&
        find_box(udta, GW_MP4_TYPE('m', 'e', 't', 'a'), &meta) && skip(&meta, 4) &&
        find_box(meta, GW_MP4_TYPE('k', 'e', 'y', 's'), &keys) &&
        find_box(meta, GW_MP4_TYPE('i', 'l', 's', 't'), &ilst))
        read_values(ilst, names, read_keys(keys, names), header);
}

// --- the whole -----------------------------------------------------------------------------------

// How far the index reaches that takes the end of the room once a file is complete: version and
// flags, track, time scale, two of 64 bits, reserved, count, entries that begin with a size.
static int64_t read_index(const uint8_t room[GW_MP4_ROOM_SIZE], int64_t first)
{
    struct part part = {room, room + GW_MP4_ROOM_SIZE}, sidx;
    if (!find_box(part, GW_MP4_TYPE('s', 'i', 'd', 'x'), &sidx) || sidx.end != part.end ||
        !skip(&sidx, GW_MP4_INDEX_HEAD_SIZE - 12))
        return 0;
    int64_t end = first;
    for (skip(&sidx, 4); left(&sidx) >= GW_MP4_INDEX_ENTRY_SIZE; sidx.at += GW_MP4_INDEX_ENTRY_SIZE)
        end += (int64_t)gw_read_big_endian(sidx.at, 4) & INT32_MAX;
    return end;
}

static bool parse(const uint8_t *bytes, int64_t size, struct gw_mp4_header *header)
{
    const struct part moov = {bytes, bytes + size};
    struct part trak;
    if (!find_box(moov, GW_MP4_TYPE('t', 'r', 'a', 'k'), &trak) || !read_track(trak, header) ||
        !read_defaults(moov, header))
        return false;
    read_identity(moov, header);
    return true;
}

int gw_mp4_read_header(int fd, struct gw_mp4_header *ret)
{
    struct gw_mp4_box moov;
    int64_t room_at;
    uint8_t room[GW_MP4_ROOM_SIZE];
    int result = gw_mp4_find_header(fd, &moov, &room_at);
    if (result < 0)
        return result;
    if (moov.size > GW_MP4_HEADER_LIMIT)
        return GW_ERROR_INVALID;
    uint8_t *bytes = malloc((size_t)moov.size);
    if (!bytes)
        return -ENOMEM;
    struct gw_mp4_header header = {.first = room_at + GW_MP4_ROOM_SIZE};
    result = gw_mp4_read(fd, bytes, (size_t)moov.size, moov.offset);
    if (result > 0)
        result = gw_mp4_read(fd, room, sizeof(room), room_at);
    if (result > 0 && parse(bytes + 8, moov.size - 8, &header)) {
        header.indexed_end = read_index(room, header.first);
        *ret = header;
    } else if (result >= 0) {
        result = GW_ERROR_INVALID;
    }
    free(bytes);
    return result < 0 ? result : 0;
}
