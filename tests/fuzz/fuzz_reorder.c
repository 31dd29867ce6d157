// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: packets in any order, at any time (ingest/reorder.h).
//
// Three bytes each: what to do (0 to 63: put after as many milliseconds; 64: take all; others: take
// one) and a sequence number.

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include <libavutil/intreadwrite.h>

#include "core/clock.h"
#include "ingest/reorder.h"
#include "tests/fuzz/target.h"

static int64_t mono_us;
static int inside; // put and not taken

static bool take(struct gw_reorder *reorder)
{
    size_t size;
    const uint8_t *bytes = gw_reorder_take(reorder, mono_us, &size);

    if (bytes) {
        assert(size >= 12 && size <= GW_REORDER_MOST && bytes[0] == 0x80);
        inside--;
    } else { // one that is due has to come out
        const int64_t due_us = gw_reorder_due_us(reorder);
        assert(inside == 0 ? due_us == INT64_MAX : due_us > mono_us);
        assert(inside < GW_REORDER_SLOTS);
    }
    return bytes;
}

static void put(struct gw_reorder *reorder, uint16_t sequence)
{
    uint8_t *room;

    while (!(room = gw_reorder_room(reorder)))
        take(reorder);
    room[0] = 0x80;
    AV_WB16(room + 2, sequence);
    gw_reorder_put(reorder, 12 + sequence % 1000, mono_us);
    inside++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_reorder *reorder;

    if (gw_reorder_create(&reorder) < 0)
        return 0;
    mono_us = 1000 * GW_SECOND;
    inside = 0;
    for (; size >= 3; data += 3, size -= 3) {
        if (data[0] < 64) {
            mono_us += data[0] * 1000;
            put(reorder, AV_RB16(data + 1));
        } else {
            while (take(reorder) && data[0] == 64)
                ;
        }
    }
    // Nothing stays for ever.
    mono_us += GW_REORDER_WAIT_US;
    while (take(reorder))
        ;
    assert(inside == 0);
    gw_reorder_destroy(&reorder);
    return 0;
}
