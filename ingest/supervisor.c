// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/supervisor.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/clock.h"
#include "core/error.h"
#include "ingest/vitals.h"

#define FIRST_WAIT_US   GW_SECOND
#define LONGEST_WAIT_US (60 * GW_SECOND)
#define REFUSED_WAIT_US (60 * GW_SECOND) // its lower half is the 30 s that save an account
#define GOOD_SESSION_US (10 * GW_SECOND)

// Hundreds of these threads share one process; a session touches an eighth of it.
enum { STACK_SIZE = 512 << 10 };

struct gw_supervisor {
    struct gw_supervisor_config config;
    struct gw_stop stop;
    pthread_t thread;
    struct gw_admission_place place; // among those that connect
    char
        reason[GW_REASON_SIZE]; // last one reported as offline; "" while online or before the first
    int64_t online_mono_us;     // of this session; 0 before its first keyframe
    int failures;               // sessions in a row that did not last
    enum gw_transport transport; // of the next session
    bool only_transport;         // the camera refused the other
    bool turned;                 // it was changed, and nothing has come by it yet
    enum gw_gap_cause broke;     // why the pictures before the next packet are missing

    pthread_mutex_t lock; // guards the vital signs, which any thread reads
    struct gw_vitals vitals;

    atomic_int status; // enum gw_camera_status; these are read by any thread
    atomic_uint_fast64_t packets, bytes, reconnects;
    atomic_int_fast64_t last_packet_mono_us;
};

int64_t gw_supervisor_backoff_us(int failures, int error, double jitter)
{
    int64_t wait_us = FIRST_WAIT_US;
    while (--failures > 0 && wait_us < LONGEST_WAIT_US)
        wait_us *= 2;
    if (wait_us > LONGEST_WAIT_US)
        wait_us = LONGEST_WAIT_US;
    if (error == GW_ERROR_UNAUTHORIZED && wait_us < REFUSED_WAIT_US)
        wait_us = REFUSED_WAIT_US;
    return wait_us / 2 + (int64_t)((double)wait_us / 2 * jitter);
}

static double draw_jitter(void)
{
    uint32_t bits = UINT32_MAX / 2;
    // Without the kernel's randomness cameras reconnect in step, and nothing worse.
    if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) < 0)
        bits = (uint32_t)gw_mono_us();
    return (double)bits / UINT32_MAX;
}

static struct gw_camera_signs read_signs(struct gw_supervisor *supervisor)
{
    pthread_mutex_lock(&supervisor->lock);
    struct gw_camera_signs signs = gw_vitals_read(&supervisor->vitals, gw_mono_us());
    pthread_mutex_unlock(&supervisor->lock);
    signs.reconnects = atomic_load(&supervisor->reconnects);
    return signs;
}

static void report(struct gw_supervisor *supervisor, enum gw_camera_status status,
                   const char *reason)
{
    struct gw_camera_state state = {
        .status = status, .since_us = gw_wall_us(), .signs = read_signs(supervisor)};
    atomic_store(&supervisor->status, status);
    snprintf(state.camera, sizeof(state.camera), "%s", supervisor->config.camera.id);
    snprintf(state.reason, sizeof(state.reason), "%s", reason);
    if (supervisor->config.state)
        supervisor->config.state(supervisor->config.opaque, &state);
}

// Returns 0, or why no session can be tried.
static int take_place(struct gw_supervisor *supervisor)
{
    if (!supervisor->config.admission)
        return 0;
    return gw_admission_enter(supervisor->config.admission, &supervisor->place,
                              supervisor->config.camera.record_url, &supervisor->stop);
}

static void give_place_back(struct gw_supervisor *supervisor)
{
    if (supervisor->config.admission)
        gw_admission_leave(supervisor->config.admission, &supervisor->place, gw_mono_us());
}

static void handle_online(void *opaque, const struct gw_stream *stream)
{
    struct gw_supervisor *supervisor = opaque;
    give_place_back(supervisor);
    supervisor->online_mono_us = gw_mono_us();
    supervisor->reason[0] = 0;
    pthread_mutex_lock(&supervisor->lock);
    gw_vitals_online(&supervisor->vitals, supervisor->online_mono_us);
    pthread_mutex_unlock(&supervisor->lock);
    gw_log_info(supervisor->config.log, "online: %s %dx%d", gw_stream_codec_name(stream),
                stream->parameters->width, stream->parameters->height);
    report(supervisor, GW_CAMERA_ONLINE, "");
}

// Says when a camera that delivers got a fault, another one, or lost it.
static void judge(struct gw_supervisor *supervisor)
{
    const struct gw_supervisor_config *config = &supervisor->config;
    char reason[GW_REASON_SIZE];
    pthread_mutex_lock(&supervisor->lock);
    if (config->unwritten)
        gw_vitals_unwritten(&supervisor->vitals, config->unwritten(config->opaque));
    bool changed = gw_vitals_judge(&supervisor->vitals, gw_mono_us());
    memcpy(reason, supervisor->vitals.reason, sizeof(reason));
    pthread_mutex_unlock(&supervisor->lock);
    if (!changed)
        return;
    if (*reason)
        gw_log_warning(supervisor->config.log, "degraded: %s", reason);
    else
        gw_log_info(supervisor->config.log, "online without a fault again");
    report(supervisor, *reason ? GW_CAMERA_DEGRADED : GW_CAMERA_ONLINE, reason);
}

static void handle_lost(void *opaque, unsigned packets)
{
    struct gw_supervisor *supervisor = opaque;
    pthread_mutex_lock(&supervisor->lock);
    gw_vitals_lost(&supervisor->vitals, packets, gw_mono_us());
    pthread_mutex_unlock(&supervisor->lock);
}

static void handle_clock(void *opaque, int64_t offset_us)
{
    struct gw_supervisor *supervisor = opaque;
    pthread_mutex_lock(&supervisor->lock);
    gw_vitals_clock(&supervisor->vitals, offset_us);
    pthread_mutex_unlock(&supervisor->lock);
}

static void handle_skipped(void *opaque)
{
    struct gw_supervisor *supervisor = opaque;
    pthread_mutex_lock(&supervisor->lock);
    gw_vitals_skipped(&supervisor->vitals, gw_mono_us());
    pthread_mutex_unlock(&supervisor->lock);
    judge(supervisor); // no packet comes until the next keyframe
}

static void note_packet(struct gw_supervisor *supervisor, const struct gw_packet *packet)
{
    pthread_mutex_lock(&supervisor->lock);
    gw_vitals_packet(&supervisor->vitals, packet->av->size, gw_packet_is_key(packet),
                     gw_packet_wall_us(packet), packet->mono_us);
    pthread_mutex_unlock(&supervisor->lock);
    judge(supervisor);
}

static void handle_packet(void *opaque, struct gw_packet *packet)
{
    struct gw_supervisor *supervisor = opaque;
    atomic_fetch_add(&supervisor->packets, 1);
    atomic_fetch_add(&supervisor->bytes, (uint64_t)packet->av->size);
    atomic_store(&supervisor->last_packet_mono_us, packet->mono_us);
    if (supervisor->broke)
        packet->lost = supervisor->broke;
    supervisor->broke = GW_GAP_NONE;
    note_packet(supervisor, packet);
    if (supervisor->config.received)
        supervisor->config.received(supervisor->config.opaque, packet);
    if (gw_ring_push(supervisor->config.ring, packet) < 0)
        gw_log_debug(supervisor->config.log, "no memory for a packet; it is lost");
    else if (supervisor->config.pushed)
        supervisor->config.pushed(supervisor->config.opaque);
}

// Says that the camera is gone: once per outage, and again when the reason is another one.
static void report_offline(struct gw_supervisor *supervisor, int error, int64_t wait_us)
{
    const char *reason = gw_session_reason(error);
    bool known = !strncmp(supervisor->reason, reason, sizeof(supervisor->reason) - 1);

    pthread_mutex_lock(&supervisor->lock);
    gw_vitals_offline(&supervisor->vitals);
    pthread_mutex_unlock(&supervisor->lock);
    atomic_store(&supervisor->status, GW_CAMERA_OFFLINE);
    gw_log(supervisor->config.log, known ? GW_LOG_DEBUG : GW_LOG_WARNING,
           "offline: %s; retrying in %.1f s", reason, (double)wait_us / GW_SECOND);
    if (known)
        return;
    snprintf(supervisor->reason, sizeof(supervisor->reason), "%s", reason);
    report(supervisor, GW_CAMERA_OFFLINE, reason);
}

static void report_broke(struct gw_supervisor *supervisor, enum gw_gap_cause cause)
{
    if (!supervisor->broke)
        supervisor->broke = cause;
    if (supervisor->config.broke)
        supervisor->config.broke(supervisor->config.opaque, cause);
}

static int run_session(struct gw_supervisor *supervisor)
{
    const struct gw_session_sink sink = {.opaque = supervisor,
                                         .packet = handle_packet,
                                         .online = handle_online,
                                         .lost = handle_lost,
                                         .clock = handle_clock,
                                         .skipped = handle_skipped};
    struct gw_session_config session = supervisor->config.session;
    session.url = supervisor->config.camera.record_url;
    session.username = supervisor->config.camera.username;
    session.password = supervisor->config.camera.password;
    session.transport = supervisor->transport;
    session.only_transport = supervisor->only_transport;

    supervisor->online_mono_us = 0;
    int error = take_place(supervisor);
    if (!error)
        error = gw_session_run(&session, &sink, supervisor->config.log, &supervisor->stop);
    give_place_back(supervisor);
    int64_t last_us = atomic_load(&supervisor->last_packet_mono_us);
    bool good =
        supervisor->online_mono_us && last_us - supervisor->online_mono_us >= GOOD_SESSION_US;
    supervisor->failures = good ? 1 : supervisor->failures + 1;
    return error;
}

// The camera does not send this way. Returns whether the other way is worth trying at once.
static bool turn_transport(struct gw_supervisor *supervisor)
{
    const bool tcp = supervisor->transport == GW_TRANSPORT_TCP, came = supervisor->online_mono_us;
    const bool again = supervisor->turned && !came;

    // Most likely pictures go on at once the other way. The next one tells how much is missing.
    if (came && !supervisor->broke)
        supervisor->broke = GW_GAP_SLOW_NETWORK;
    supervisor->only_transport = tcp;
    supervisor->transport = tcp ? GW_TRANSPORT_UDP : GW_TRANSPORT_TCP;
    supervisor->turned = !again;
    gw_log_info(supervisor->config.log, "no pictures by %s; trying %s", tcp ? "TCP" : "UDP",
                tcp ? "UDP" : "TCP");
    return !again;
}

static void *run(void *opaque)
{
    struct gw_supervisor *supervisor = opaque;
    char name[16];

    // A sandboxed thread may name itself and no other.
    snprintf(name, sizeof(name), "in %.12s", supervisor->config.camera.id);
    pthread_setname_np(pthread_self(), name);
    for (;;) {
        int error = run_session(supervisor);
        if (gw_stop_requested(&supervisor->stop))
            break;
        if (error == GW_ERROR_NO_TRANSPORT && turn_transport(supervisor))
            continue;
        int64_t wait_us = gw_supervisor_backoff_us(supervisor->failures, error, draw_jitter());
        report_broke(supervisor, gw_session_cause(error));
        report_offline(supervisor, error, wait_us);
        if (gw_stop_wait(&supervisor->stop, wait_us))
            break;
        atomic_fetch_add(&supervisor->reconnects, 1);
    }
    atomic_store(&supervisor->status, GW_CAMERA_OFFLINE);
    return NULL;
}

static int start_thread(struct gw_supervisor *supervisor)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    int error = pthread_create(&supervisor->thread, &attributes, run, supervisor);
    pthread_attr_destroy(&attributes);
    return -error;
}

int gw_supervisor_create(struct gw_supervisor **ret, const struct gw_supervisor_config *config)
{
    assert(config->ring);
    struct gw_supervisor *supervisor = calloc(1, sizeof(*supervisor));
    if (!supervisor)
        return -ENOMEM;
    supervisor->config = *config;
    supervisor->transport = config->session.transport;
    gw_stop_init(&supervisor->stop);
    pthread_mutex_init(&supervisor->lock, NULL);
    gw_vitals_init(&supervisor->vitals);
    int error = start_thread(supervisor);
    if (error < 0) {
        gw_stop_finish(&supervisor->stop);
        pthread_mutex_destroy(&supervisor->lock);
        free(supervisor);
        return error;
    }
    *ret = supervisor;
    return 0;
}

void gw_supervisor_stop(struct gw_supervisor *supervisor)
{
    gw_stop_request(&supervisor->stop);
}

void gw_supervisor_destroy(struct gw_supervisor **ret)
{
    struct gw_supervisor *supervisor = *ret;
    if (!supervisor)
        return;
    gw_stop_request(&supervisor->stop);
    pthread_join(supervisor->thread, NULL);
    gw_stop_finish(&supervisor->stop);
    pthread_mutex_destroy(&supervisor->lock);
    explicit_bzero(&supervisor->config.camera, sizeof(supervisor->config.camera));
    free(supervisor);
    *ret = NULL;
}

void gw_supervisor_count(struct gw_supervisor *supervisor, struct gw_supervisor_counters *ret)
{
    ret->status = (enum gw_camera_status)atomic_load(&supervisor->status);
    ret->online = gw_camera_delivers(ret->status);
    ret->signs = read_signs(supervisor);
    ret->packets = atomic_load(&supervisor->packets);
    ret->bytes = atomic_load(&supervisor->bytes);
    ret->reconnects = atomic_load(&supervisor->reconnects);
    ret->last_packet_mono_us = atomic_load(&supervisor->last_packet_mono_us);
}
