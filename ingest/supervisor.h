// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Keeps one camera connected, for ever: runs sessions, waits between them, says what it sees.
//
//   [supervisor] -> session.c -> ring.h
//
// Owns one thread. Backoff doubles from 1 s to 60 s with jitter (each wait is drawn from the upper
// half), starts again at 1 s after a session that delivered frames for 10 s; after a refused
// password it waits at least 30 s, so that no camera locks the account.
#pragma once

#include "core/camera.h"
#include "core/log.h"
#include "ingest/admission.h"
#include "ingest/ring.h"
#include "ingest/session.h"

struct gw_supervisor;

struct gw_supervisor_config {
    struct gw_camera camera;          // copied
    struct gw_session_config session; // deadlines, dialer, transport to try first; not its URL
    struct gw_ring *ring;             // borrowed; packets go here
    struct gw_admission *admission;   // borrowed; where to wait before connecting. NULL: nowhere
    const struct gw_log *log;

    void *opaque; // for those below, called on the supervisor's thread; each may be NULL
    void (*state)(void *opaque, const struct gw_camera_state *state); // only changes; see vitals.h
    void (*received)(void *opaque, const struct gw_packet *packet);   // goes into the ring next
    // Why what it delivers cannot be written now, or GW_GAP_NONE. Must be quick.
    enum gw_gap_cause (*unwritten)(void *opaque);
    void (*pushed)(void *opaque); // a packet is in the ring; must be quick
    // A session ended, unasked, behind what is in the ring; before state() says so. The next packet
    // has the first such cause as its `lost`.
    void (*broke)(void *opaque, enum gw_gap_cause cause);
};

struct gw_supervisor_counters {
    bool online; // or degraded
    enum gw_camera_status status;
    struct gw_camera_signs signs; // now
    uint64_t packets, bytes, reconnects;
    int64_t last_packet_mono_us; // 0 before the first
};

// How long to wait before try number `failures` (1, 2, …) after that error; jitter in 0..1.
// Pure, for tests.
int64_t gw_supervisor_backoff_us(int failures, int error, double jitter);

// Starts the thread.
int gw_supervisor_create(struct gw_supervisor **ret, const struct gw_supervisor_config *config);
// Asks the thread to end without waiting for it; destroy then waits. So many are stopped at once.
void gw_supervisor_stop(struct gw_supervisor *supervisor);
void gw_supervisor_destroy(struct gw_supervisor **supervisor);
void gw_supervisor_count(struct gw_supervisor *supervisor, struct gw_supervisor_counters *ret);
