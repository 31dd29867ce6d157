// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a worker runs for one camera: connect, analyse, record.
//
//   supervisor -> ring -> analysis -> recorder -> link
//                    └──────────────────┘
//
// Created, ticked and destroyed on the worker's main thread.
#pragma once

#include "app/decode_pool.h"
#include "app/disk.h"
#include "app/door_client.h"
#include "app/link.h"
#include "app/turns.h"
#include "ingest/admission.h"
#include "ingest/ring.h"

struct gw_pipeline;

// What the pipelines of a worker share. Borrowed; outlives them.
struct gw_services {
    const char *store;
    struct gw_link *link;
    struct gw_decode_pool *pool;
    struct gw_turns *turns;
    struct gw_disk *disk;
    struct gw_door_client *door; // NULL: sessions make their own sockets
    struct gw_ring_budget *rings;
    struct gw_admission *admission;
};

int gw_pipeline_create(struct gw_pipeline **ret, const struct gw_camera *camera,
                       const struct gw_settings *settings, const struct gw_services *services);

const struct gw_camera *gw_pipeline_camera(const struct gw_pipeline *pipeline);

// Once a second: closes what a silent camera left open, and tells the recorder the camera's clock.
void gw_pipeline_tick(struct gw_pipeline *pipeline);
void gw_pipeline_measure(struct gw_pipeline *pipeline, struct gw_camera_metrics *ret);
// As gw_recorder_received_until().
int64_t gw_pipeline_received_until(const struct gw_pipeline *pipeline);

// Ask the camera's thread to end without waiting; so that many end at once before destroy.
void gw_pipeline_stop(struct gw_pipeline *pipeline);
// Disconnects, closes the open event and clip, announces both, frees.
void gw_pipeline_destroy(struct gw_pipeline **pipeline);
