// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/gop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool make_room(struct gw_gop *gop, int more)
{
    int capacity = gop->capacity > 0 ? gop->capacity : 64;

    if (gop->count + more <= gop->capacity)
        return true;
    while (capacity < gop->count + more)
        capacity *= 2;
    struct gw_gop_packet *packets = realloc(gop->packets, (size_t)capacity * sizeof(*gop->packets));
    if (!packets)
        return false;
    gop->packets = packets;
    gop->capacity = capacity;
    return true;
}

struct gw_gop_packet *gw_gop_push(struct gw_gop *gop, const struct gw_packet *packet)
{
    if (!make_room(gop, 1))
        return NULL;
    struct gw_gop_packet *entry = &gop->packets[gop->count];
    *entry = (struct gw_gop_packet){0};
    if (gw_packet_ref(&entry->packet, packet) < 0)
        return NULL;
    gop->bytes += (size_t)packet->av->size;
    gop->count++;
    return entry;
}

int gw_gop_append(struct gw_gop *gop, struct gw_gop *src)
{
    if (src->count == 0)
        return 0;
    if (!make_room(gop, src->count))
        return -ENOMEM;
    memcpy(gop->packets + gop->count, src->packets, (size_t)src->count * sizeof(*src->packets));
    gop->count += src->count;
    gop->bytes += src->bytes;
    src->count = src->fed = 0;
    src->bytes = 0;
    return 0;
}

void gw_gop_clear(struct gw_gop *gop)
{
    for (int i = 0; i < gop->count; i++)
        gw_packet_unref(&gop->packets[i].packet);
    gop->count = gop->fed = 0;
    gop->bytes = 0;
}

void gw_gop_finish(struct gw_gop *gop)
{
    gw_gop_clear(gop);
    free(gop->packets);
    *gop = (struct gw_gop){0};
}
