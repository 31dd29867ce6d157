// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/mp4_fragments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/mp4_box.h"
#include "storage/mp4_bytes.h"

#define MOOF_LIMIT   (1 << 20) // no moof is so large: a fragment is 2 s
#define SAMPLE_LIMIT 65536
#define TICKS_LIMIT  (INT64_C(1) << 48) // far beyond any clip, and sums of two still fit

struct gw_mp4_fragments {
    int fd;
    int64_t position, end;
    const struct gw_mp4_header *header;
    uint8_t moof[MOOF_LIMIT];
    struct gw_mp4_sample samples[SAMPLE_LIMIT];
};

// What is not read yet of the box at hand. Reading beyond its end gives 0 and marks it.
struct cursor {
    const uint8_t *at, *end;
    bool beyond;
};

static uint32_t take(struct cursor *cursor, int size)
{
    if (cursor->end - cursor->at < size) {
        cursor->beyond = true;
        return 0;
    }
    uint32_t value = (uint32_t)gw_read_big_endian(cursor->at, size);
    cursor->at += size;
    return value;
}

static bool next_box(struct cursor *in, uint32_t *type, struct cursor *ret)
{
    if (in->end - in->at < 8)
        return false;
    int64_t size = (int64_t)gw_read_big_endian(in->at, 4);
    if (size < 8 || size > in->end - in->at)
        return false;
    *type = (uint32_t)gw_read_big_endian(in->at + 4, 4);
    *ret = (struct cursor){in->at + 8, in->at + size, false};
    in->at += size;
    return true;
}

static bool find_box(struct cursor in, uint32_t wanted, struct cursor *ret)
{
    uint32_t type;
    while (next_box(&in, &type, ret))
        if (type == wanted)
            return true;
    return false;
}

// --- what a moof says ----------------------------------------------------------------------------

static bool read_defaults(struct cursor tfhd, struct gw_mp4_sample *ret)
{
    const uint32_t flags = take(&tfhd, 4);
    take(&tfhd, 4); // track
    if (flags & GW_MP4_TFHD_BASE)
        return false;
    if (flags & GW_MP4_TFHD_DESCRIPTION)
        take(&tfhd, 4);
    if (flags & GW_MP4_TFHD_DURATION)
        ret->duration = take(&tfhd, 4);
    if (flags & GW_MP4_TFHD_SIZE)
        ret->size = take(&tfhd, 4);
    if (flags & GW_MP4_TFHD_FLAGS)
        ret->flags = take(&tfhd, 4);
    return !tfhd.beyond;
}

static bool read_time(struct cursor tfdt, int64_t *ret)
{
    const bool wide = take(&tfdt, 4) >> 24 == 1;
    const uint64_t high = wide ? take(&tfdt, 4) : 0;
    *ret = (int64_t)(high << 32 | take(&tfdt, 4));
    return !tfdt.beyond && *ret >= 0 && *ret < TICKS_LIMIT;
}

static void take_sample(struct cursor *trun, uint32_t flags, struct gw_mp4_sample *ret)
{
    if (flags & GW_MP4_TRUN_DURATION)
        ret->duration = take(trun, 4);
    if (flags & GW_MP4_TRUN_SIZE)
        ret->size = take(trun, 4);
    if (flags & GW_MP4_TRUN_FLAGS)
        ret->flags = take(trun, 4);
    if (flags & GW_MP4_TRUN_OFFSET)
        ret->offset = (int32_t)take(trun, 4);
}

// Returns how many pictures there are, 0 when it makes no sense. *ret_data: where the first one's
// bytes are, from the moof on.
static int read_run(struct gw_mp4_fragments *fragments, struct cursor trun,
                    const struct gw_mp4_sample *defaults, int64_t *ret_data)
{
    const uint32_t flags = take(&trun, 4), count = take(&trun, 4);
    struct gw_mp4_sample first = *defaults;
    if (count < 1 || count > SAMPLE_LIMIT || !(flags & GW_MP4_TRUN_DATA))
        return 0;
    *ret_data = (int32_t)take(&trun, 4);
    if (flags & GW_MP4_TRUN_FIRST_FLAGS)
        first.flags = take(&trun, 4);
    for (uint32_t i = 0; i < count && !trun.beyond; i++) {
        fragments->samples[i] = i == 0 ? first : *defaults;
        take_sample(&trun, flags, &fragments->samples[i]);
    }
    return trun.beyond ? 0 : (int)count;
}

// Adds up what the pictures say. Returns false when it does not fit together.
static bool sum_up(const struct gw_mp4_fragments *fragments, struct gw_mp4_pictures *pictures)
{
    const int64_t shift = fragments->header->shift_ticks;
    int64_t dts = pictures->dts, size = 0;
    pictures->first_pts = INT64_MAX;
    pictures->last_pts = pictures->end_pts = INT64_MIN;
    for (int i = 0; i < pictures->count; i++) {
        const struct gw_mp4_sample *sample = &fragments->samples[i];
        const int64_t pts = dts + sample->offset - shift, end = pts + sample->duration;
        pictures->first_pts = pts < pictures->first_pts ? pts : pictures->first_pts;
        pictures->last_pts = pts > pictures->last_pts ? pts : pictures->last_pts;
        pictures->end_pts = end > pictures->end_pts ? end : pictures->end_pts;
        pictures->last_dts = dts;
        dts += sample->duration;
        size += sample->size;
        if (sample->size == 0 || dts >= TICKS_LIMIT)
            return false;
    }
    pictures->end_dts = dts;
    pictures->key = !(fragments->samples[0].flags & GW_MP4_SAMPLE_NOT_KEY);
    pictures->samples = fragments->samples;
    return size == pictures->data_size;
}

static bool parse(struct gw_mp4_fragments *fragments, int64_t moof_size,
                  struct gw_mp4_pictures *pictures)
{
    const struct gw_mp4_header *header = fragments->header;
    struct cursor moof = {fragments->moof + 8, fragments->moof + moof_size, false};
    struct cursor traf, tfhd, tfdt, trun;
    struct gw_mp4_sample defaults = {header->sample_duration, header->sample_size,
                                     header->sample_flags, 0};
    int64_t data;
    if (!find_box(moof, GW_MP4_TYPE('t', 'r', 'a', 'f'), &traf) ||
        !find_box(traf, GW_MP4_TYPE('t', 'f', 'h', 'd'), &tfhd) ||
        !find_box(traf, GW_MP4_TYPE('t', 'f', 'd', 't'), &tfdt) ||
        !find_box(traf, GW_MP4_TYPE('t', 'r', 'u', 'n'), &trun))
        return false;
    if (!read_defaults(tfhd, &defaults) || !read_time(tfdt, &pictures->dts))
        return false;
    pictures->count = read_run(fragments, trun, &defaults, &data);
    return pictures->count && data == pictures->data - pictures->offset &&
           sum_up(fragments, pictures);
}

// --- the walk ------------------------------------------------------------------------------------

int gw_mp4_find_fragment(int fd, int64_t offset, int64_t end, int64_t *ret_moof_size,
                         int64_t *ret_mdat_size)
{
    struct gw_mp4_box moof, mdat;
    int result = gw_mp4_read_box(fd, offset, end, &moof);
    if (result <= 0 || moof.type != GW_MP4_TYPE('m', 'o', 'o', 'f'))
        return result < 0 ? result : 0;
    result = gw_mp4_read_box(fd, offset + moof.size, end, &mdat);
    if (result <= 0 || mdat.type != GW_MP4_TYPE('m', 'd', 'a', 't'))
        return result < 0 ? result : 0;
    *ret_moof_size = moof.size;
    *ret_mdat_size = mdat.size;
    return 1;
}

int gw_mp4_fragments_create(struct gw_mp4_fragments **ret, int fd, int64_t size,
                            const struct gw_mp4_header *header)
{
    struct gw_mp4_fragments *fragments = malloc(sizeof(*fragments));
    if (!fragments)
        return -ENOMEM;
    fragments->fd = fd;
    fragments->position = header->first;
    fragments->end = size;
    fragments->header = header;
    *ret = fragments;
    return 0;
}

void gw_mp4_fragments_destroy(struct gw_mp4_fragments **fragments)
{
    free(*fragments);
    *fragments = NULL;
}

int gw_mp4_fragments_next(struct gw_mp4_fragments *fragments, struct gw_mp4_pictures *ret)
{
    int64_t moof_size, mdat_size;
    const int64_t offset = fragments->position;
    int result =
        gw_mp4_find_fragment(fragments->fd, offset, fragments->end, &moof_size, &mdat_size);
    // Our muxer writes sizes of 32 bits.
    if (result <= 0 || moof_size > MOOF_LIMIT || mdat_size > UINT32_MAX)
        return result < 0 ? result : 0;
    result = gw_mp4_read(fragments->fd, fragments->moof, (size_t)moof_size, offset);
    if (result <= 0)
        return result;
    struct gw_mp4_pictures pictures = {.offset = offset,
                                       .size = moof_size + mdat_size,
                                       .data = offset + moof_size + 8,
                                       .data_size = mdat_size - 8};
    if (!parse(fragments, moof_size, &pictures))
        return 0;
    fragments->position += pictures.size;
    *ret = pictures;
    return 1;
}
