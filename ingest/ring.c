// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/ring.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/error.h"

// A camera that floods us with tiny packets must not grow the slots without end.
enum { FIRST_SLOTS = 256, MAX_SLOTS = 1 << 16 };

struct gw_ring {
    struct gw_ring_config config;
    pthread_mutex_t lock;
    struct gw_packet *slots; // packet number n is in slots[n % slot_count]
    size_t slot_count;       // a power of two
    gw_cursor tail, head;    // held are tail..head-1
    gw_cursor hold;
    size_t bytes;
    uint64_t shed; // GOPs that left for the budget's sake
};

const struct gw_ring_config gw_ring_defaults = {
    .keep_us = 8 * GW_SECOND,
    .max_bytes = 16 << 20,
};

int gw_ring_create(struct gw_ring **ret, const struct gw_ring_config *config)
{
    struct gw_ring *ring = calloc(1, sizeof(*ring));
    if (!ring)
        return -ENOMEM;
    ring->slots = calloc(FIRST_SLOTS, sizeof(*ring->slots));
    if (!ring->slots) {
        free(ring);
        return -ENOMEM;
    }
    pthread_mutex_init(&ring->lock, NULL);
    ring->config = *config;
    ring->slot_count = FIRST_SLOTS;
    ring->hold = GW_CURSOR_NONE;
    if (config->budget)
        atomic_fetch_add(&config->budget->rings, 1);
    *ret = ring;
    return 0;
}

static struct gw_packet *slot(struct gw_ring *ring, gw_cursor number)
{
    return &ring->slots[number & (ring->slot_count - 1)];
}

static void add_bytes(struct gw_ring *ring, size_t bytes)
{
    ring->bytes += bytes;
    if (ring->config.budget)
        atomic_fetch_add(&ring->config.budget->bytes, bytes);
}

static void drop_oldest(struct gw_ring *ring)
{
    struct gw_packet *packet = slot(ring, ring->tail++);
    const size_t bytes = (size_t)packet->av->size;
    ring->bytes -= bytes;
    if (ring->config.budget)
        atomic_fetch_sub(&ring->config.budget->bytes, bytes);
    gw_packet_unref(packet);
}

static void drop_until(struct gw_ring *ring, gw_cursor number)
{
    while (ring->tail < number)
        drop_oldest(ring);
}

void gw_ring_destroy(struct gw_ring **ret)
{
    struct gw_ring *ring = *ret;
    if (!ring)
        return;
    drop_until(ring, ring->head);
    if (ring->config.budget)
        atomic_fetch_sub(&ring->config.budget->rings, 1);
    pthread_mutex_destroy(&ring->lock);
    free(ring->slots);
    free(ring);
    *ret = NULL;
}

// The first keyframe at or after a number; the head when there is none.
static gw_cursor next_key(struct gw_ring *ring, gw_cursor number)
{
    while (number < ring->head && !gw_packet_is_key(slot(ring, number)))
        number++;
    return number;
}

static bool is_over_limit(const struct gw_ring *ring)
{
    return ring->bytes > ring->config.max_bytes || ring->head - ring->tail >= MAX_SLOTS;
}

// The oldest GOP goes as a whole. A GOP that alone is over the limit loses its oldest packets
// instead, so that readers who keep up are not thrown back.
static void drop_oldest_gop(struct gw_ring *ring)
{
    gw_cursor next = next_key(ring, ring->tail + 1);
    if (next < ring->head)
        drop_until(ring, next);
    else
        drop_oldest(ring);
}

static void enforce_limit(struct gw_ring *ring)
{
    while (ring->tail < ring->head && is_over_limit(ring))
        drop_oldest_gop(ring);
}

// Together the rings hold too much, and this one more than its share.
static bool is_over_budget(const struct gw_ring *ring)
{
    struct gw_ring_budget *budget = ring->config.budget;
    const size_t max_bytes = budget ? atomic_load(&budget->max_bytes) : 0;

    return max_bytes && atomic_load(&budget->bytes) > max_bytes &&
           ring->bytes > max_bytes / (size_t)atomic_load(&budget->rings);
}

static void enforce_budget(struct gw_ring *ring)
{
    while (ring->tail < ring->head && is_over_budget(ring)) {
        ring->shed += gw_packet_is_key(slot(ring, ring->tail));
        drop_oldest_gop(ring);
    }
}

// Age is measured by arrival: capture times may jump, the monotonic clock does not.
static void enforce_age(struct gw_ring *ring)
{
    int64_t oldest_us = slot(ring, ring->head - 1)->mono_us - ring->config.keep_us;
    for (;;) {
        gw_cursor next = next_key(ring, ring->tail + 1);
        if (next >= ring->head || next > ring->hold || slot(ring, next - 1)->mono_us >= oldest_us)
            return;
        drop_until(ring, next);
    }
}

static int grow(struct gw_ring *ring)
{
    size_t count = ring->slot_count * 2;
    struct gw_packet *slots = calloc(count, sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    for (gw_cursor i = ring->tail; i < ring->head; i++)
        slots[i & (count - 1)] = *slot(ring, i);
    free(ring->slots);
    ring->slots = slots;
    ring->slot_count = count;
    return 0;
}

int gw_ring_push(struct gw_ring *ring, struct gw_packet *packet)
{
    int error = 0;

    pthread_mutex_lock(&ring->lock);
    if (ring->head - ring->tail == ring->slot_count)
        error = grow(ring);
    if (error < 0) {
        gw_packet_unref(packet);
    } else {
        add_bytes(ring, (size_t)packet->av->size);
        gw_packet_move(slot(ring, ring->head++), packet);
        enforce_age(ring);
        enforce_limit(ring);
        enforce_budget(ring);
    }
    pthread_mutex_unlock(&ring->lock);
    return error;
}

int gw_ring_read(struct gw_ring *ring, gw_cursor *cursor, struct gw_packet *ret)
{
    int result = 0;

    pthread_mutex_lock(&ring->lock);
    assert(*cursor <= ring->head);
    if (*cursor < ring->tail) {
        *cursor = next_key(ring, ring->tail);
        result = GW_ERROR_LAPPED;
    } else if (*cursor < ring->head) {
        result = gw_packet_ref(ret, slot(ring, *cursor));
        if (!result) {
            ++*cursor;
            result = 1;
        }
    }
    pthread_mutex_unlock(&ring->lock);
    return result;
}

// The newest keyframe captured at or before wall_us; GW_CURSOR_NONE when there is none.
static gw_cursor newest_key_before(struct gw_ring *ring, int64_t wall_us)
{
    for (gw_cursor i = ring->head; i > ring->tail; i--) {
        const struct gw_packet *packet = slot(ring, i - 1);
        if (gw_packet_is_key(packet) && gw_packet_wall_us(packet) <= wall_us)
            return i - 1;
    }
    return GW_CURSOR_NONE;
}

gw_cursor gw_ring_find_key(struct gw_ring *ring, int64_t wall_us)
{
    pthread_mutex_lock(&ring->lock);
    gw_cursor found = newest_key_before(ring, wall_us);
    if (found == GW_CURSOR_NONE)
        found = next_key(ring, ring->tail);
    pthread_mutex_unlock(&ring->lock);
    return found;
}

gw_cursor gw_ring_newest_key(struct gw_ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    gw_cursor found = newest_key_before(ring, INT64_MAX);
    pthread_mutex_unlock(&ring->lock);
    return found;
}

gw_cursor gw_ring_head(struct gw_ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    gw_cursor head = ring->head;
    pthread_mutex_unlock(&ring->lock);
    return head;
}

void gw_ring_hold(struct gw_ring *ring, gw_cursor from)
{
    pthread_mutex_lock(&ring->lock);
    ring->hold = from;
    pthread_mutex_unlock(&ring->lock);
}

size_t gw_ring_bytes(struct gw_ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    size_t bytes = ring->bytes;
    pthread_mutex_unlock(&ring->lock);
    return bytes;
}

uint64_t gw_ring_shed(struct gw_ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    uint64_t shed = ring->shed;
    pthread_mutex_unlock(&ring->lock);
    return shed;
}
