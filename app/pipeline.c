// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/pipeline.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/zones.h"
#include "app/analysis.h"
#include "app/recorder.h"
#include "core/clock.h"
#include "core/error.h"
#include "ingest/supervisor.h"

// How long a camera is silent before its analysis is told.
#define SILENCE_US (3 * GW_SECOND)
// What the ring keeps beyond the pre-roll: until an event is confirmed, which keyframes do only
// when the next one comes, and the disk thread comes by.
#define CONFIRMATION_US (6 * GW_SECOND)

struct gw_pipeline {
    struct gw_camera camera;
    struct gw_services services;
    struct gw_door_caller callers[GW_DOOR_STREAM_COUNT];
    struct gw_dialer dialers[GW_DOOR_STREAM_COUNT];
    struct gw_log log, detect_log;
    char detect_name[GW_CAMERA_ID_SIZE + 16];
    bool ending; // set before the analysis is flushed: what is open then is cut off, not over

    struct gw_ring *ring; // of record_url
    struct gw_recorder *recorder;
    struct gw_zones zones;        // of the registry; the analysis borrows them
    struct gw_analysis *analysis; // NULL when the site's level is off, or the zones cannot be read
    struct gw_supervisor *supervisor;

    // Of detect_url; NULL without one.
    struct gw_ring *detect_ring;
    struct gw_supervisor *detect_supervisor;
    atomic_bool detects; // analysis reads detect_ring
};

// --- the connections between the parts -----------------------------------------------------------

static void handle_pushed(void *opaque)
{
    struct gw_pipeline *pipeline = opaque;
    if (pipeline->analysis && !atomic_load(&pipeline->detects))
        gw_analysis_wake(pipeline->analysis);
}

static void handle_received(void *opaque, const struct gw_packet *packet)
{
    struct gw_pipeline *pipeline = opaque;
    gw_recorder_received(pipeline->recorder, packet);
}

static void handle_broke(void *opaque, enum gw_gap_cause cause)
{
    struct gw_pipeline *pipeline = opaque;
    gw_recorder_broke(pipeline->recorder, cause);
}

static enum gw_gap_cause find_unwritten(void *opaque)
{
    struct gw_pipeline *pipeline = opaque;
    return gw_recorder_unwritten(pipeline->recorder);
}

static void handle_detect_pushed(void *opaque)
{
    struct gw_pipeline *pipeline = opaque;
    gw_analysis_wake(pipeline->analysis);
}

// The camera is what its recorded stream is. While the other one is away, events are found in the
// recorded one; the log has said so, and the metrics do.
static void handle_detect_state(void *opaque, const struct gw_camera_state *state)
{
    struct gw_pipeline *pipeline = opaque;
    const bool online = gw_camera_delivers(state->status);

    atomic_store(&pipeline->detects, online);
    gw_analysis_turn_to(pipeline->analysis, online ? pipeline->detect_ring : pipeline->ring);
}

static void handle_state(void *opaque, const struct gw_camera_state *state)
{
    struct gw_pipeline *pipeline = opaque;
    struct gw_fact fact = {.wall_us = gw_wall_us(), .camera = *state};
    fact.kind = gw_fact_of_status(state->status);
    gw_link_post(pipeline->services.link, &fact);
}

static void handle_event(void *opaque, enum gw_event_phase phase, const struct gw_event *event,
                         const struct gw_snapshot *snapshot)
{
    struct gw_pipeline *pipeline = opaque;
    struct gw_event reported = *event;

    if (phase == GW_EVENT_PHASE_CLOSED && pipeline->ending)
        reported.interrupted = true;
    gw_recorder_event(pipeline->recorder, phase, &reported, snapshot);
    gw_disk_wake(pipeline->services.disk);
}

// --- making them, in the direction of the flow reversed: each part finds the next one there ------

static int create_recorder(struct gw_pipeline *pipeline, const struct gw_settings *settings)
{
    struct gw_recorder_config config = {.mode = pipeline->camera.record,
                                        .settings = *settings,
                                        .store = pipeline->services.store,
                                        .ring = pipeline->ring,
                                        .link = pipeline->services.link,
                                        .log = &pipeline->log};
    strcpy(config.camera, pipeline->camera.id);
    int error = gw_recorder_create(&pipeline->recorder, &config);
    if (!error)
        gw_disk_add(pipeline->services.disk, pipeline->recorder);
    return error;
}

// Masks hide what nobody may look at, so without them there is no looking at all. They were read
// when they came into the registry; not to be able to now is the doing of somebody else.
static bool read_zones(struct gw_pipeline *pipeline)
{
    char error[GW_ZONES_ERROR_SIZE];

    if (!*pipeline->camera.zones ||
        gw_zones_parse(&pipeline->zones, pipeline->camera.zones, "zones", error) == 0)
        return true;
    gw_log_error(&pipeline->log,
                 "%s; nothing is looked at until they are imported again or taken away", error);
    return false;
}

static int create_analysis(struct gw_pipeline *pipeline, const struct gw_settings *settings)
{
    struct gw_analysis_config config = {.analyzer = gw_analyzer_defaults,
                                        .pool = pipeline->services.pool,
                                        .turns = pipeline->services.turns,
                                        .ring = pipeline->ring};
    if (settings->level == GW_LEVEL_OFF || !read_zones(pipeline))
        return 0;
    config.analyzer.zones = *pipeline->camera.zones ? &pipeline->zones : NULL;
    strcpy(config.analyzer.camera, pipeline->camera.id);
    config.analyzer.level = (enum gw_level)settings->level;
    config.analyzer.opaque = pipeline;
    config.analyzer.event = handle_event;
    return gw_analysis_create(&pipeline->analysis, &config);
}

static void set_dialers(struct gw_pipeline *pipeline)
{
    for (int i = 0; i < GW_DOOR_STREAM_COUNT; i++) {
        struct gw_door_caller *caller = &pipeline->callers[i];
        caller->client = pipeline->services.door;
        caller->stream = (enum gw_door_stream)i;
        strcpy(caller->camera, pipeline->camera.id);
        pipeline->dialers[i] = caller->client ? gw_door_dialer(caller) : gw_dial_direct;
    }
}

static int create_supervisor(struct gw_pipeline *pipeline, const struct gw_settings *settings)
{
    struct gw_supervisor_config config = {.camera = pipeline->camera,
                                          .session = gw_session_defaults,
                                          .ring = pipeline->ring,
                                          .log = &pipeline->log,
                                          .opaque = pipeline,
                                          .state = handle_state,
                                          .received = handle_received,
                                          .broke = handle_broke,
                                          .unwritten = find_unwritten,
                                          .pushed = handle_pushed};
    config.session.stall_timeout_us = settings->stall_us;
    config.session.transport = (enum gw_transport)settings->transport;
    config.session.dialer = &pipeline->dialers[GW_DOOR_RECORD];
    config.admission = pipeline->services.admission;
    return gw_supervisor_create(&pipeline->supervisor, &config);
}

// The same camera by its other URL. Its log lines say which.
static int create_detect(struct gw_pipeline *pipeline, const struct gw_settings *settings)
{
    const struct gw_ring_config ring = {.keep_us = CONFIRMATION_US,
                                        .max_bytes = (size_t)settings->ring_bytes,
                                        .budget = pipeline->services.rings};
    struct gw_supervisor_config config = {.camera = pipeline->camera,
                                          .session = gw_session_defaults,
                                          .log = &pipeline->detect_log,
                                          .opaque = pipeline,
                                          .state = handle_detect_state,
                                          .pushed = handle_detect_pushed};

    if (!*pipeline->camera.detect_url || !pipeline->analysis)
        return 0;
    strcpy(config.camera.record_url, pipeline->camera.detect_url);
    config.session.stall_timeout_us = settings->stall_us;
    config.session.transport = (enum gw_transport)settings->transport;
    config.session.dialer = &pipeline->dialers[GW_DOOR_DETECT];
    config.admission = pipeline->services.admission;
    snprintf(pipeline->detect_name, sizeof(pipeline->detect_name), "%s detect_url",
             pipeline->camera.id);
    pipeline->detect_log.name = pipeline->detect_name;
    int error = gw_ring_create(&pipeline->detect_ring, &ring);
    config.ring = pipeline->detect_ring;
    return error ? error : gw_supervisor_create(&pipeline->detect_supervisor, &config);
}

int gw_pipeline_create(struct gw_pipeline **ret, const struct gw_camera *camera,
                       const struct gw_settings *settings, const struct gw_services *services)
{
    struct gw_ring_config ring = {.keep_us = settings->preroll_us + CONFIRMATION_US,
                                  .max_bytes = (size_t)settings->ring_bytes,
                                  .budget = services->rings};
    struct gw_pipeline *pipeline = calloc(1, sizeof(*pipeline));
    if (!pipeline)
        return -ENOMEM;
    pipeline->camera = *camera;
    pipeline->services = *services;
    pipeline->log.name = pipeline->camera.id;
    set_dialers(pipeline);

    int error = gw_ring_create(&pipeline->ring, &ring);
    if (!error)
        error = create_recorder(pipeline, settings);
    if (!error)
        error = create_analysis(pipeline, settings);
    if (!error)
        error = create_supervisor(pipeline, settings);
    if (!error)
        error = create_detect(pipeline, settings);
    if (error)
        gw_pipeline_destroy(&pipeline);
    else
        *ret = pipeline;
    return error;
}

void gw_pipeline_stop(struct gw_pipeline *pipeline)
{
    gw_supervisor_stop(pipeline->supervisor);
    if (pipeline->detect_supervisor)
        gw_supervisor_stop(pipeline->detect_supervisor);
}

void gw_pipeline_destroy(struct gw_pipeline **pipeline)
{
    struct gw_pipeline *p = *pipeline;
    if (!p)
        return;
    gw_supervisor_destroy(&p->supervisor);
    gw_supervisor_destroy(&p->detect_supervisor);
    p->ending = true;
    gw_analysis_destroy(&p->analysis);
    if (p->recorder)
        gw_disk_remove(p->services.disk, p->recorder);
    gw_recorder_destroy(&p->recorder);
    gw_ring_destroy(&p->ring);
    gw_ring_destroy(&p->detect_ring);
    free(p);
    *pipeline = NULL;
}

// --- looking at them -----------------------------------------------------------------------------

const struct gw_camera *gw_pipeline_camera(const struct gw_pipeline *pipeline)
{
    return &pipeline->camera;
}

void gw_pipeline_tick(struct gw_pipeline *pipeline)
{
    struct gw_supervisor_counters counters;
    gw_supervisor_count(pipeline->supervisor, &counters);
    gw_recorder_clock(pipeline->recorder, counters.signs.clock_offset_us);
    if (!pipeline->analysis)
        return;
    if (atomic_load(&pipeline->detects))
        gw_supervisor_count(pipeline->detect_supervisor, &counters);
    if (counters.last_packet_mono_us && gw_mono_us() - counters.last_packet_mono_us > SILENCE_US)
        gw_analysis_idle(pipeline->analysis, gw_wall_us());
}

int64_t gw_pipeline_received_until(const struct gw_pipeline *pipeline)
{
    return gw_recorder_received_until(pipeline->recorder);
}

void gw_pipeline_measure(struct gw_pipeline *pipeline, struct gw_camera_metrics *ret)
{
    struct gw_supervisor_counters ingest;
    struct gw_analysis_counters analysis = {.analyzer.level = GW_LEVEL_OFF};
    struct gw_recorder_counters recorder;

    gw_supervisor_count(pipeline->supervisor, &ingest);
    if (pipeline->analysis)
        gw_analysis_count(pipeline->analysis, &analysis);
    gw_recorder_count(pipeline->recorder, &recorder);
    const struct gw_level_case *level_case = &analysis.analyzer.cases[analysis.analyzer.level];
    *ret = (struct gw_camera_metrics){
        .online = ingest.online,
        .detect_online = !pipeline->detect_supervisor || atomic_load(&pipeline->detects),
        .packets = ingest.packets,
        .bytes = ingest.bytes,
        .reconnects = ingest.reconnects,
        .decoded = analysis.analyzer.decoded,
        .analysis_dropped = analysis.dropped,
        .events = analysis.analyzer.events,
        .clips = recorder.clips,
        .clips_truncated = recorder.truncated,
        .ring_bytes = gw_ring_bytes(pipeline->ring),
        .ring_shed = gw_ring_shed(pipeline->ring),
        .last_packet_age_us =
            ingest.last_packet_mono_us ? gw_mono_us() - ingest.last_packet_mono_us : -1,
        .level = analysis.analyzer.level,
        .analysis_packets = analysis.analyzer.packets,
        .analysis_cpu_us = analysis.cpu_us,
        .audits = analysis.analyzer.audits,
        .judged = (uint64_t)level_case->judged,
        .miss_rate = level_case->miss_rate,
        .miss_high = level_case->miss_high,
        .status = ingest.status,
        .signs = ingest.signs};
    strcpy(ret->camera, pipeline->camera.id);
}
