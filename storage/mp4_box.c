// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/mp4_box.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "storage/mp4_bytes.h"
#include "storage/write_all.h"

#define TYPE_FREE GW_MP4_TYPE('f', 'r', 'e', 'e')
#define TYPE_MDHD GW_MP4_TYPE('m', 'd', 'h', 'd')
#define TYPE_MDIA GW_MP4_TYPE('m', 'd', 'i', 'a')
#define TYPE_MOOV GW_MP4_TYPE('m', 'o', 'o', 'v')
#define TYPE_MVHD GW_MP4_TYPE('m', 'v', 'h', 'd')
#define TYPE_SIDX GW_MP4_TYPE('s', 'i', 'd', 'x')
#define TYPE_TKHD GW_MP4_TYPE('t', 'k', 'h', 'd')
#define TYPE_TRAK GW_MP4_TYPE('t', 'r', 'a', 'k')

#define HEADER_SIZE      8
#define DEPTH            3 // moov, trak, mdia
#define INDEX_HEAD_SIZE  GW_MP4_INDEX_HEAD_SIZE
#define INDEX_ENTRY_SIZE GW_MP4_INDEX_ENTRY_SIZE

int gw_mp4_read(int fd, void *bytes, size_t size, int64_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(fd, (uint8_t *)bytes + done, size - done, offset + (int64_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            return 0;
        done += (size_t)got;
    }
    return 1;
}

int gw_mp4_read_box(int fd, int64_t offset, int64_t end, struct gw_mp4_box *ret)
{
    uint8_t header[HEADER_SIZE + 8];
    if (end - offset < HEADER_SIZE)
        return 0;
    int result = gw_mp4_read(fd, header, HEADER_SIZE, offset);
    if (result <= 0)
        return result;
    int64_t size = (int64_t)gw_read_big_endian(header, 4), least = HEADER_SIZE;
    if (size == 1) { // a 64-bit size follows the type
        result = gw_mp4_read(fd, header + HEADER_SIZE, 8, offset + HEADER_SIZE);
        if (result <= 0)
            return result;
        uint64_t large = gw_read_big_endian(header + HEADER_SIZE, 8);
        size = large > INT64_MAX ? 0 : (int64_t)large;
        least = HEADER_SIZE + 8;
    }
    if (size < least || size > end - offset)
        return 0;
    *ret = (struct gw_mp4_box){(uint32_t)gw_read_big_endian(header + 4, 4), offset, size};
    return 1;
}

void gw_mp4_make_room(uint8_t room[GW_MP4_ROOM_SIZE])
{
    memset(room, 0, GW_MP4_ROOM_SIZE);
    gw_put_big_endian(gw_put_big_endian(room, GW_MP4_ROOM_SIZE, 4), TYPE_FREE, 4);
}

int gw_mp4_find_header(int fd, struct gw_mp4_box *moov, int64_t *ret_room)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    int64_t offset = 0;
    for (;;) {
        int result = gw_mp4_read_box(fd, offset, status.st_size, moov);
        if (result <= 0)
            return result < 0 ? result : GW_ERROR_INVALID;
        offset += moov->size;
        if (moov->type == TYPE_MOOV)
            break;
    }
    struct gw_mp4_box room;
    int result = gw_mp4_read_box(fd, offset, status.st_size, &room);
    if (result < 0)
        return result;
    if (!result || room.type != TYPE_FREE || status.st_size < offset + GW_MP4_ROOM_SIZE)
        return GW_ERROR_INVALID;
    *ret_room = offset;
    return 0;
}

int gw_mp4_open_room(int fd, int64_t *ret_first)
{
    struct gw_mp4_box moov;
    int64_t offset;
    uint8_t room[GW_MP4_ROOM_SIZE];

    int result = gw_mp4_find_header(fd, &moov, &offset);
    if (result < 0)
        return result;
    gw_mp4_make_room(room);
    result = gw_write_all_at(fd, room, HEADER_SIZE, offset); // from here on it hides what is in it
    if (!result)
        result = gw_write_all_at(fd, room + HEADER_SIZE, sizeof(room) - HEADER_SIZE,
                                 offset + HEADER_SIZE);
    if (result < 0)
        return result;
    *ret_first = offset + GW_MP4_ROOM_SIZE;
    return 0;
}

// --- durations -----------------------------------------------------------------------------------

// Sets the duration of an mvhd, mdhd or tkhd. mvhd and mdhd begin with creation and modification
// time, time scale, duration; tkhd has track id and a reserved word in the time scale's place and
// counts in the movie's time scale, which the mvhd before it left in *movie_scale.
static int patch_duration(int fd, const struct gw_mp4_box *box, int64_t ticks,
                          uint32_t *movie_scale)
{
    uint8_t body[40];
    int64_t at = box->offset + HEADER_SIZE;
    int result = gw_mp4_read(fd, body, sizeof(body), at);
    if (result <= 0)
        return result < 0 ? result : GW_ERROR_INVALID;

    int wide = body[0] == 1; // version 1 has 64-bit times
    int scale_at = wide ? 20 : 12;
    int duration_at = scale_at + (box->type == TYPE_TKHD ? 8 : 4);
    uint32_t scale = (uint32_t)gw_read_big_endian(body + scale_at, 4);
    if (box->type == TYPE_MVHD)
        *movie_scale = scale;
    if (box->type == TYPE_TKHD)
        scale = *movie_scale;
    uint64_t duration = ((uint64_t)ticks * scale + GW_MP4_TIMESCALE / 2) / GW_MP4_TIMESCALE;
    gw_put_big_endian(body, duration, wide ? 8 : 4);
    return gw_write_all_at(fd, body, wide ? 8 : 4, at + duration_at);
}

// depth: how deep the durations may still lie in boxes.
static int patch_durations(int fd, const struct gw_mp4_box *parent, int depth, int64_t ticks,
                           uint32_t *movie_scale)
{
    int64_t offset = parent->offset + HEADER_SIZE, end = parent->offset + parent->size;
    struct gw_mp4_box box;
    int result;

    if (!depth)
        return GW_ERROR_INVALID;
    while ((result = gw_mp4_read_box(fd, offset, end, &box)) > 0) {
        if (box.type == TYPE_TRAK || box.type == TYPE_MDIA)
            result = patch_durations(fd, &box, depth - 1, ticks, movie_scale);
        else if (box.type == TYPE_MVHD || box.type == TYPE_TKHD || box.type == TYPE_MDHD)
            result = patch_duration(fd, &box, ticks, movie_scale);
        if (result < 0)
            return result;
        offset += box.size;
    }
    return result;
}

// --- index ---------------------------------------------------------------------------------------

// The fragment with which the entry after the one that begins at `first` begins: entries begin with
// a keyframe and hold `group` of them.
static int next_entry(const struct gw_mp4_fragment *fragments, int count, int first, int group)
{
    for (int i = first + 1; i < count; i++)
        if (fragments[i].key && --group == 0)
            return i;
    return count;
}

int gw_mp4_index_group(const struct gw_mp4_fragment *fragments, int count, int most)
{
    int keys = 0;
    for (int i = 0; i < count; i++)
        keys += fragments[i].key;
    return (keys + most - 1) / most;
}

int gw_mp4_index_entries(const struct gw_mp4_fragment *fragments, int count, int group)
{
    int entries = 0;
    for (int i = 0; i < count; i = next_entry(fragments, count, i, group))
        entries++;
    return entries;
}

static uint8_t *put_entry(uint8_t *out, const struct gw_mp4_fragment *first, int64_t end_offset,
                          int64_t end_ticks)
{
    out = gw_put_big_endian(out, (uint64_t)(end_offset - first->offset) & INT32_MAX, 4);
    out = gw_put_big_endian(out, (uint64_t)(end_ticks - first->start_ticks), 4);
    return gw_put_big_endian(out, first->key ? UINT32_C(0x90000000) : 0,
                             4); // a keyframe first, SAP type 1
}

static uint8_t *put_index_head(uint8_t *out, uint64_t entries, int64_t start_ticks)
{
    out = gw_put_big_endian(out, INDEX_HEAD_SIZE + INDEX_ENTRY_SIZE * entries, 4);
    out = gw_put_big_endian(out, TYPE_SIDX, 4);
    out = gw_put_big_endian(out, UINT64_C(1) << 24, 4); // version 1
    out = gw_put_big_endian(out, 1, 4);                 // track
    out = gw_put_big_endian(out, GW_MP4_TIMESCALE, 4);
    out = gw_put_big_endian(out, (uint64_t)start_ticks, 8);
    out = gw_put_big_endian(out, 0, 8); // the first fragment follows at once
    return gw_put_big_endian(out, entries, 4);
}

void gw_mp4_put_index(uint8_t *out, const struct gw_mp4_fragment *fragments, int count, int group,
                      int64_t end_ticks)
{
    const struct gw_mp4_fragment *last = &fragments[count - 1];
    out = put_index_head(out, (uint64_t)gw_mp4_index_entries(fragments, count, group),
                         fragments[0].start_ticks);
    for (int i = 0, next; i < count; i = next) {
        next = next_entry(fragments, count, i, group);
        out = put_entry(out, &fragments[i],
                        next < count ? fragments[next].offset : last->offset + last->size,
                        next < count ? fragments[next].start_ticks : end_ticks);
    }
}

// Fills the room with a free box and a sidx. Returns the former's size. The sidx must be the last
// before the fragments: with a box between, Chromium does not trust it and reads the head of every
// fragment.
static uint64_t build_index(uint8_t room[GW_MP4_ROOM_SIZE], const struct gw_mp4_fragment *fragments,
                            int count, int64_t end_ticks)
{
    int group = gw_mp4_index_group(fragments, count, GW_MP4_INDEX_ENTRIES);
    int entries = gw_mp4_index_entries(fragments, count, group);
    assert(entries <= GW_MP4_INDEX_ENTRIES);

    uint64_t rest = GW_MP4_ROOM_SIZE - INDEX_HEAD_SIZE - INDEX_ENTRY_SIZE * (uint64_t)entries;
    memset(room, 0, GW_MP4_ROOM_SIZE);
    gw_put_big_endian(gw_put_big_endian(room, rest, 4), TYPE_FREE, 4);
    gw_mp4_put_index(room + rest, fragments, count, group, end_ticks);
    return rest;
}

int gw_mp4_seal(int fd, const struct gw_mp4_fragment *fragments, int count, int64_t end_ticks)
{
    struct gw_mp4_box moov;
    int64_t offset;
    uint8_t room[GW_MP4_ROOM_SIZE];
    uint32_t movie_scale = 1000;

    if (count < 1)
        return GW_ERROR_INVALID;
    int result = gw_mp4_find_header(fd, &moov, &offset);
    if (result < 0)
        return result;
    if (fragments[0].offset != offset + GW_MP4_ROOM_SIZE)
        return GW_ERROR_INVALID;
    // The free box hides the index until all of it is there.
    const uint64_t rest = build_index(room, fragments, count, end_ticks);
    result = gw_write_all_at(fd, room + rest, sizeof(room) - rest, offset + (int64_t)rest);
    if (!result)
        result = gw_write_all_at(fd, room, HEADER_SIZE, offset);
    if (result < 0)
        return result;
    return patch_durations(fd, &moov, DEPTH, end_ticks, &movie_scale);
}
