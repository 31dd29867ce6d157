// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/mp4_parameters.h"

#include <stdbool.h>
#include <string.h>

#include "storage/mp4_box.h"
#include "storage/mp4_bytes.h"

#define ENTRY_FIELDS 86 // of a video sample entry, with the head of its box, before the boxes in it

struct copy {
    const uint8_t *at, *end;
    uint8_t *out;
    int size, room;
    bool failed;
};

static uint64_t take(struct copy *copy, int size)
{
    if (copy->end - copy->at < size) {
        copy->failed = true;
        return 0;
    }
    copy->at += size;
    return gw_read_big_endian(copy->at - size, size);
}

// Copies so many NAL units, each behind its length in two bytes.
static void copy_units(struct copy *copy, int count)
{
    for (int i = 0; i < count && !copy->failed; i++) {
        const int size = (int)take(copy, 2);
        if (copy->end - copy->at < size || copy->room - copy->size < size + 4) {
            copy->failed = true;
            return;
        }
        memcpy(gw_put_big_endian(copy->out + copy->size, (uint64_t)size, 4), copy->at,
               (size_t)size);
        copy->at += size;
        copy->size += size + 4;
    }
}

// avcC: version, profile, compatibility, level, length size, SPS count, SPSs, PPS count, PPSs.
static void copy_h264(struct copy *copy)
{
    take(copy, 5);
    copy_units(copy, (int)take(copy, 1) & 0x1f);
    copy_units(copy, (int)take(copy, 1));
}

// hvcC: 22 bytes, array count, arrays of type, unit count, units.
static void copy_h265(struct copy *copy)
{
    take(copy, 22);
    for (int arrays = (int)take(copy, 1); arrays > 0 && !copy->failed; arrays--) {
        take(copy, 1);
        copy_units(copy, (int)take(copy, 2));
    }
}

int gw_mp4_find_parameters(const uint8_t *entry, int size, uint8_t *out, int room)
{
    for (int at = ENTRY_FIELDS; size - at >= 8;) {
        const int64_t box = (int64_t)gw_read_big_endian(entry + at, 4);
        const uint32_t type = (uint32_t)gw_read_big_endian(entry + at + 4, 4);
        if (box < 8 || box > size - at)
            return 0;
        struct copy copy = {entry + at + 8, entry + at + box, out, 0, room, false};
        if (type == GW_MP4_TYPE('a', 'v', 'c', 'C'))
            copy_h264(&copy);
        else if (type == GW_MP4_TYPE('h', 'v', 'c', 'C'))
            copy_h265(&copy);
        if (copy.failed)
            return 0;
        if (copy.size)
            return copy.size;
        at += (int)box;
    }
    return 0;
}
