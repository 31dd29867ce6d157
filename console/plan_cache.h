// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The last few plans of joined clips (storage/media_plan.h), because a player fetches one in many
// parts; and who may make one now, because that reads a lot.
//
// A session plays what was planned when it began, also while a clip of it grows. Full: the plan
// that was not used for longest goes; who still sends it keeps it. Any thread.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "console/session.h"
#include "core/camera.h"
#include "storage/media_plan.h"

#define GW_PLANS_KEPT       16
#define GW_PLANS_KEPT_BYTES (INT64_C(128) << 20) // together
#define GW_PLANS_AT_ONCE    2                    // and one of a session
#define GW_PLANS_WAITING    16                   // who would be one more is refused at once
#define GW_PLAN_STATE_SIZE  16

struct gw_plan_key {
    char session[GW_ID_TEXT_SIZE];
    char camera[GW_CAMERA_ID_SIZE];
    int64_t from_us, to_us;
    uint8_t state[GW_PLAN_STATE_SIZE]; // of the clips in this time: differs when they do
};

struct gw_plan_cache {
    pthread_mutex_t lock;
    pthread_cond_t left;
    struct gw_plan_slot {
        struct gw_plan_key key;
        struct gw_media_plan *plan; // NULL: free
        int64_t used_mono_us;
    } slots[GW_PLANS_KEPT];
    char makers[GW_PLANS_AT_ONCE][GW_ID_TEXT_SIZE]; // sessions; "": none
    int waiting;
};

void gw_plan_cache_init(struct gw_plan_cache *cache);
void gw_plan_cache_finish(struct gw_plan_cache *cache);

// A reference to the plan of this key, NULL when there is none. any_state: the newest one whatever
// has become of the clips.
struct gw_media_plan *gw_plan_cache_find(struct gw_plan_cache *cache, const struct gw_plan_key *key,
                                         bool any_state);
// Keeps a reference of its own.
void gw_plan_cache_put(struct gw_plan_cache *cache, const struct gw_plan_key *key,
                       struct gw_media_plan *plan);

// Bytes that the plans in it take up.
int64_t gw_plan_cache_bytes(struct gw_plan_cache *cache);

// Waits until this session may make a plan, at most limit_us. False: too many want to.
bool gw_plan_cache_enter(struct gw_plan_cache *cache, const char *session, int64_t limit_us);
void gw_plan_cache_leave(struct gw_plan_cache *cache, const char *session);
