// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/worker.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "app/pipeline.h"
#include "app/process.h"
#include "app/sandbox.h"
#include "core/clock.h"
#include "core/error.h"
#include "ingest/av_log.h"

#define TICK_US (1 * GW_SECOND)
// How often what is free between what is used goes back to the system, a few milliseconds' work:
// decoders come and go, and a third of the heaps were holes.
#define TRIM_US (30 * GW_SECOND)
// How long the last facts may take to be acked when the worker stops.
#define FAREWELL_US (2 * GW_SECOND)

struct worker {
    struct gw_log log;
    struct gw_sandbox_config sandbox;
    bool closed_in; // by the second half of the sandbox
    struct gw_settings settings;
    struct gw_services services;
    struct gw_ring_budget rings;
    struct gw_turns turns;
    struct gw_pipeline **pipelines; // by camera id
    int count;
    bool stopping; // the hub said so
};

// --- assignments ---------------------------------------------------------------------------------

static const struct gw_camera *find_camera(const struct gw_camera *cameras, int count,
                                           const char *id)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(cameras[i].id, id))
            return &cameras[i];
    return NULL;
}

// Ends pipelines together: all are asked first, so that the slowest decides, not the sum.
static void destroy_pipelines(struct gw_pipeline **pipelines, int count)
{
    for (int i = 0; i < count; i++)
        gw_pipeline_stop(pipelines[i]);
    for (int i = 0; i < count; i++)
        gw_pipeline_destroy(&pipelines[i]);
}

// Splits the pipelines into those that go on (kept in front) and the rest; returns how many go on.
static int sort_out(struct worker *worker, const struct gw_camera *cameras, int count,
                    bool same_settings)
{
    int kept = 0;
    for (int i = 0; i < worker->count; i++) {
        struct gw_pipeline *pipeline = worker->pipelines[i];
        const struct gw_camera *old = gw_pipeline_camera(pipeline);
        const struct gw_camera *now = find_camera(cameras, count, old->id);
        if (!now || !same_settings || !gw_camera_same_work(old, now))
            continue;
        worker->pipelines[i] = worker->pipelines[kept];
        worker->pipelines[kept++] = pipeline;
    }
    return kept;
}

static bool is_running(const struct worker *worker, const char *id)
{
    for (int i = 0; i < worker->count; i++)
        if (!strcmp(gw_pipeline_camera(worker->pipelines[i])->id, id))
            return true;
    return false;
}

static void start_pipelines(struct worker *worker, const struct gw_camera *cameras, int count)
{
    for (int i = 0; i < count; i++) {
        struct gw_pipeline *pipeline;
        if (is_running(worker, cameras[i].id))
            continue;
        int error =
            gw_pipeline_create(&pipeline, &cameras[i], &worker->settings, &worker->services);
        if (error)
            gw_log_error(&worker->log,
                         "cannot start camera %s: %s; it is tried again with the next assignment",
                         cameras[i].id, gw_strerror(error));
        else
            worker->pipelines[worker->count++] = pipeline;
    }
}

// Makes the pipelines be what the hub wants; cameras that did not change are not touched.
static void handle_assign(struct worker *worker, const json_t *message)
{
    struct gw_settings settings;
    struct gw_camera *cameras;
    int count = gw_protocol_read_assign(message, &settings, &cameras);

    if (count < 0) {
        gw_log_error(&worker->log, "the hub sent an assignment that makes no sense; hub and worker "
                                   "must be the same version");
        return;
    }
    int kept =
        sort_out(worker, cameras, count, !memcmp(&settings, &worker->settings, sizeof(settings)));
    destroy_pipelines(worker->pipelines + kept, worker->count - kept);
    worker->count = kept;
    worker->settings = settings;
    atomic_store(&worker->rings.max_bytes, (size_t)settings.ring_total_bytes);
    struct gw_pipeline **pipelines =
        realloc(worker->pipelines, (size_t)(count + 1) * sizeof(struct gw_pipeline *));
    if (!pipelines)
        abort();
    worker->pipelines = pipelines;
    start_pipelines(worker, cameras, count);
    free(cameras);
    gw_log_debug(&worker->log, "%d cameras assigned", worker->count);
}

static void handle_repair(struct worker *worker, const json_t *message)
{
    struct gw_clip *clips;
    int count = gw_protocol_read_repair(message, &clips);

    for (int i = 0; i < count; i++)
        gw_disk_repair(worker->services.disk, &clips[i]);
    if (count >= 0)
        free(clips);
    else
        gw_log_error(
            &worker->log,
            "the hub sent a repair that makes no sense; hub and worker must be the same version");
}

// From the first message on, cameras have a say. Before it, the link had to be made.
static void handle_message(struct worker *worker, const json_t *message)
{
    const char *type = gw_protocol_type(message);

    if (!worker->closed_in)
        gw_sandbox_calls(&worker->sandbox); // what it cannot do is in the log
    worker->closed_in = true;
    if (!strcmp(type, "assign"))
        handle_assign(worker, message);
    else if (!strcmp(type, "repair"))
        handle_repair(worker, message);
    else if (!strcmp(type, "stop"))
        worker->stopping = true;
    else
        gw_log_warning(&worker->log, "the hub sent \"%s\", which this version does not know", type);
}

// --- the loop ------------------------------------------------------------------------------------

static void send_covered(struct worker *worker)
{
    struct gw_coverage_stamp *stamps = calloc((size_t)worker->count + 1, sizeof(*stamps));
    int count = 0;

    if (!stamps)
        return; // the next one says more
    for (int i = 0; i < worker->count; i++) {
        stamps[count].until_us = gw_pipeline_received_until(worker->pipelines[i]);
        if (stamps[count].until_us != GW_NO_TIME)
            strcpy(stamps[count++].camera, gw_pipeline_camera(worker->pipelines[i])->id);
    }
    gw_link_send_covered(worker->services.link, stamps, count);
    free(stamps);
}

static void tick(struct worker *worker)
{
    struct gw_camera_metrics *metrics = calloc((size_t)worker->count + 1, sizeof(*metrics));

    for (int i = 0; i < worker->count; i++)
        gw_pipeline_tick(worker->pipelines[i]);
    if (!metrics)
        return;
    for (int i = 0; i < worker->count; i++)
        gw_pipeline_measure(worker->pipelines[i], &metrics[i]);
    gw_link_send_status(worker->services.link, metrics, worker->count);
    send_covered(worker);
    free(metrics);
}

static void serve_hub(struct worker *worker)
{
    int64_t next_tick_us = gw_mono_us(), next_trim_us = next_tick_us + TRIM_US;

    while (!worker->stopping && !gw_process_stop_requested()) {
        json_t *message;
        if (gw_link_step(worker->services.link, TICK_US / 10, &message)) {
            handle_message(worker, message);
            json_decref(message);
        }
        if (gw_mono_us() >= next_tick_us) {
            next_tick_us = gw_mono_us() + TICK_US;
            tick(worker);
        }
        if (gw_mono_us() >= next_trim_us) {
            next_trim_us = gw_mono_us() + TRIM_US;
            malloc_trim(0);
        }
    }
}

// Every clip is closed; gives the hub the time to put that on the disk.
static void say_farewell(struct worker *worker)
{
    int64_t deadline_us = gw_mono_us() + FAREWELL_US;

    while (!gw_link_drained(worker->services.link) && gw_mono_us() < deadline_us) {
        json_t *message;
        if (gw_link_step(worker->services.link, GW_SECOND / 100, &message))
            json_decref(message);
    }
    if (!gw_link_drained(worker->services.link))
        gw_log_warning(
            &worker->log,
            "the hub did not take the last facts; it repairs the index at its next start");
}

// Hundreds of cameras' threads would each get a heap of their own, and what a decoder gave back
// would stay in them. Few heaps, and whole pictures outside of them.
static void bound_heaps(void)
{
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 256 << 10); // also ends glibc's own raising of it
}

// The workers of a site share what one host may see of us at once; each has a place at least.
static int create_admission(struct gw_services *services, int workers)
{
    struct gw_admission_config config = gw_admission_defaults;
    config.per_host = config.per_host > workers ? config.per_host / workers : 1;
    return gw_admission_create(&services->admission, &config);
}

// Of threads that ask for nothing else: decoding, the disk, ZeroMQ. They touch less than 64 KiB;
// the 8 MiB that they would have are only room, but count where memory is limited by what might be
// used.
static void bound_stacks(void)
{
    pthread_attr_t attributes;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 1 << 20);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
}

static int create_services(struct worker *worker, const struct gw_worker_config *config)
{
    struct gw_services *services = &worker->services;
    services->store = config->store;
    services->rings = &worker->rings;
    services->turns = &worker->turns;
    gw_turns_init(&worker->turns, config->threads);
    int error = gw_link_create(&services->link, config->hub, config->name);
    if (!error)
        error = gw_decode_pool_create(&services->pool, config->threads);
    if (!error)
        error = gw_disk_create(&services->disk, config->store, services->link, &worker->log);
    if (!error)
        error = create_admission(services, config->workers);
    if (!error && config->door_fd >= 0)
        error = gw_door_client_create(&services->door, config->door_fd);
    return error;
}

static void destroy_services(struct gw_services *services)
{
    gw_door_client_destroy(&services->door);
    gw_admission_destroy(&services->admission);
    gw_disk_destroy(&services->disk);
    gw_decode_pool_destroy(&services->pool);
    gw_link_destroy(&services->link);
}

int gw_worker_run(const struct gw_worker_config *config)
{
    struct worker worker = {.log = {.name = config->name}};
    bound_heaps();
    bound_stacks();
    gw_av_log_install();
    worker.sandbox = (struct gw_sandbox_config){.store = config->store,
                                                .door_fd = config->door_fd,
                                                .sockets = config->door_fd < 0,
                                                .log = &worker.log};
    gw_sandbox_files(&worker.sandbox); // before there are threads
    int error = create_services(&worker, config);

    if (error) {
        gw_log_error(&worker.log, "cannot start the worker with hub %s: %s", config->hub,
                     gw_strerror(error));
        destroy_services(&worker.services);
        return GW_EXIT_FAILED;
    }
    serve_hub(&worker);
    destroy_pipelines(worker.pipelines, worker.count);
    say_farewell(&worker);
    destroy_services(&worker.services);
    gw_turns_finish(&worker.turns);
    free(worker.pipelines);
    return GW_EXIT_OK;
}
