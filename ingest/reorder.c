// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/reorder.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <libavutil/intreadwrite.h>

// What is further behind than this is no late packet but a camera that counts anew.
enum { MOST_LATE = 100 };

struct slot {
    bool used;
    uint16_t sequence;
    size_t size;
    int64_t mono_us;
    uint8_t bytes[GW_REORDER_MOST];
};

struct gw_reorder {
    bool began;
    uint16_t next;     // sequence number that take wants
    int used;          // slots
    struct slot *open; // given out as room
    struct slot *lent; // given out by take
    struct slot slots[GW_REORDER_SLOTS];
};

int gw_reorder_create(struct gw_reorder **ret)
{
    *ret = calloc(1, sizeof(**ret));
    return *ret ? 0 : -ENOMEM;
}

void gw_reorder_destroy(struct gw_reorder **reorder)
{
    free(*reorder);
    *reorder = NULL;
}

static void release_lent(struct gw_reorder *reorder)
{
    if (!reorder->lent)
        return;
    reorder->lent->used = false;
    reorder->used--;
    reorder->lent = NULL;
}

uint8_t *gw_reorder_room(struct gw_reorder *reorder)
{
    release_lent(reorder);
    for (int i = 0; i < GW_REORDER_SLOTS; i++) {
        if (reorder->slots[i].used)
            continue;
        reorder->open = &reorder->slots[i];
        return reorder->open->bytes;
    }
    return NULL;
}

void gw_reorder_put(struct gw_reorder *reorder, size_t size, int64_t mono_us)
{
    struct slot *slot = reorder->open;

    if (size < 12 || slot->bytes[0] >> 6 != 2)
        return;
    slot->used = true;
    slot->sequence = AV_RB16(slot->bytes + 2);
    slot->size = size;
    slot->mono_us = mono_us;
    reorder->used++;
    if (!reorder->began) {
        reorder->began = true;
        reorder->next = slot->sequence;
    }
}

// The slot whose number comes first from next on; NULL when all are empty. Numbers before next are
// behind all others, which lets late ones and a restarted count out as they come.
static struct slot *find_first(struct gw_reorder *reorder)
{
    struct slot *first = NULL;
    for (int i = 0; i < GW_REORDER_SLOTS; i++) {
        struct slot *slot = &reorder->slots[i];
        if (slot->used && (!first || (uint16_t)(slot->sequence - reorder->next) <
                                         (uint16_t)(first->sequence - reorder->next)))
            first = slot;
    }
    return first;
}

static int64_t oldest_us(const struct gw_reorder *reorder)
{
    int64_t oldest = INT64_MAX;
    for (int i = 0; i < GW_REORDER_SLOTS; i++)
        if (reorder->slots[i].used && reorder->slots[i].mono_us < oldest)
            oldest = reorder->slots[i].mono_us;
    return oldest;
}

const uint8_t *gw_reorder_take(struct gw_reorder *reorder, int64_t mono_us, size_t *ret_size)
{
    release_lent(reorder);
    if (!reorder->used)
        return NULL;
    struct slot *first = find_first(reorder);
    const int step = (int16_t)(first->sequence - reorder->next);
    const bool in_order = step == 0, late = step < 0 && step >= -MOST_LATE;
    if (!in_order && !late && reorder->used < GW_REORDER_SLOTS &&
        mono_us - oldest_us(reorder) < GW_REORDER_WAIT_US)
        return NULL;
    if (!late)
        reorder->next = (uint16_t)(first->sequence + 1);
    reorder->lent = first;
    *ret_size = first->size;
    return first->bytes;
}

int64_t gw_reorder_due_us(const struct gw_reorder *reorder)
{
    return reorder->used ? oldest_us(reorder) + GW_REORDER_WAIT_US : INT64_MAX;
}
