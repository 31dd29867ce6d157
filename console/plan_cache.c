// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/plan_cache.h"

#include <string.h>

#include "core/clock.h"

void gw_plan_cache_init(struct gw_plan_cache *cache)
{
    pthread_condattr_t attributes;
    *cache = (struct gw_plan_cache){0};
    pthread_mutex_init(&cache->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&cache->left, &attributes);
    pthread_condattr_destroy(&attributes);
}

void gw_plan_cache_finish(struct gw_plan_cache *cache)
{
    for (int i = 0; i < GW_PLANS_KEPT; i++)
        gw_media_plan_unref(&cache->slots[i].plan);
    pthread_cond_destroy(&cache->left);
    pthread_mutex_destroy(&cache->lock);
}

static bool matches(const struct gw_plan_slot *slot, const struct gw_plan_key *key, bool any_state)
{
    return slot->plan && !strcmp(slot->key.session, key->session) &&
           !strcmp(slot->key.camera, key->camera) && slot->key.from_us == key->from_us &&
           slot->key.to_us == key->to_us &&
           (any_state || !memcmp(slot->key.state, key->state, sizeof(key->state)));
}

struct gw_media_plan *gw_plan_cache_find(struct gw_plan_cache *cache, const struct gw_plan_key *key,
                                         bool any_state)
{
    struct gw_media_plan *plan = NULL;
    pthread_mutex_lock(&cache->lock);
    for (int i = 0; !plan && i < GW_PLANS_KEPT; i++) {
        if (!matches(&cache->slots[i], key, any_state))
            continue;
        cache->slots[i].used_mono_us = gw_mono_us();
        plan = gw_media_plan_ref(cache->slots[i].plan);
    }
    pthread_mutex_unlock(&cache->lock);
    return plan;
}

static int64_t count_bytes(const struct gw_plan_cache *cache)
{
    int64_t sum = 0;
    for (int i = 0; i < GW_PLANS_KEPT; i++)
        sum += cache->slots[i].plan ? cache->slots[i].plan->memory_bytes : 0;
    return sum;
}

int64_t gw_plan_cache_bytes(struct gw_plan_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    int64_t bytes = count_bytes(cache);
    pthread_mutex_unlock(&cache->lock);
    return bytes;
}

// A free slot, else the one that was not used for longest.
static struct gw_plan_slot *find_oldest(struct gw_plan_cache *cache, bool free_counts)
{
    struct gw_plan_slot *oldest = NULL;
    for (int i = 0; i < GW_PLANS_KEPT; i++) {
        struct gw_plan_slot *slot = &cache->slots[i];
        if (!slot->plan && free_counts)
            return slot;
        if (slot->plan && (!oldest || slot->used_mono_us < oldest->used_mono_us))
            oldest = slot;
    }
    return oldest;
}

void gw_plan_cache_put(struct gw_plan_cache *cache, const struct gw_plan_key *key,
                       struct gw_media_plan *plan)
{
    pthread_mutex_lock(&cache->lock);
    for (int i = 0; i < GW_PLANS_KEPT; i++) // the one before of the same range
        if (matches(&cache->slots[i], key, true))
            gw_media_plan_unref(&cache->slots[i].plan);
    struct gw_plan_slot *slot;
    while (count_bytes(cache) + plan->memory_bytes > GW_PLANS_KEPT_BYTES &&
           (slot = find_oldest(cache, false)))
        gw_media_plan_unref(&slot->plan);
    slot = find_oldest(cache, true);
    gw_media_plan_unref(&slot->plan);
    *slot = (struct gw_plan_slot){*key, gw_media_plan_ref(plan), gw_mono_us()};
    pthread_mutex_unlock(&cache->lock);
}

// --- making --------------------------------------------------------------------------------------

// A place for this session; NULL while it has one or all are taken.
static char *find_place(struct gw_plan_cache *cache, const char *session)
{
    char *place = NULL;
    for (int i = 0; i < GW_PLANS_AT_ONCE; i++) {
        if (!strcmp(cache->makers[i], session))
            return NULL;
        if (!*cache->makers[i])
            place = cache->makers[i];
    }
    return place;
}

bool gw_plan_cache_enter(struct gw_plan_cache *cache, const char *session, int64_t limit_us)
{
    const int64_t end_us = gw_mono_us() + limit_us;
    const struct timespec end = {end_us / GW_SECOND, end_us % GW_SECOND * 1000};
    char *place;
    int error = 0;
    pthread_mutex_lock(&cache->lock);
    if (cache->waiting < GW_PLANS_WAITING) {
        cache->waiting++;
        while (!(place = find_place(cache, session)) && !error)
            error = pthread_cond_timedwait(&cache->left, &cache->lock, &end);
        cache->waiting--;
    } else {
        place = NULL;
    }
    if (place)
        strncpy(place, session, GW_ID_TEXT_SIZE - 1);
    pthread_mutex_unlock(&cache->lock);
    return place != NULL;
}

void gw_plan_cache_leave(struct gw_plan_cache *cache, const char *session)
{
    pthread_mutex_lock(&cache->lock);
    for (int i = 0; i < GW_PLANS_AT_ONCE; i++)
        if (!strcmp(cache->makers[i], session))
            memset(cache->makers[i], 0, sizeof(cache->makers[i]));
    pthread_cond_broadcast(&cache->left);
    pthread_mutex_unlock(&cache->lock);
}
