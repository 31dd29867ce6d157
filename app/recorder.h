// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// One camera's recorder: decides which packets of the ring become clips, writes snapshots, and
// announces both once they are on the disk.
//
//   ring.h, analysis.h -> [recorder, on the disk thread] -> clip_writer.h, media.h -> link.h
//
// It also keeps the book of what is covered (coverage.h): of the pictures that it wrote, or, when
// only events are recorded, of those that were received and of what events could not have.
//
// gw_recorder_event from the analysis' thread; received and broke from the session's; step and
// finish from the disk thread only.
#pragma once

#include "analyze/analyzer.h"
#include "app/link.h"
#include "core/log.h"
#include "ingest/ring.h"

struct gw_recorder;

struct gw_recorder_config {
    char camera[GW_CAMERA_ID_SIZE];
    enum gw_record_mode mode;
    struct gw_settings settings;
    const char *store; // borrowed, as is all below
    struct gw_ring *ring;
    struct gw_link *link;
    const struct gw_log *log;
};

int gw_recorder_create(struct gw_recorder **ret, const struct gw_recorder_config *config);
void gw_recorder_destroy(struct gw_recorder **recorder);

// Copies event and snapshot and returns at once. When more than 32 wait, because the disk is slow,
// updates are dropped: the next one, or the closing, says more.
void gw_recorder_event(struct gw_recorder *recorder, enum gw_event_phase phase,
                       const struct gw_event *event, const struct gw_snapshot *snapshot);

// A picture came, and goes into the ring next. Borrows it; quick.
void gw_recorder_received(struct gw_recorder *recorder, const struct gw_packet *packet);
// The session ended after what is in the ring.
void gw_recorder_broke(struct gw_recorder *recorder, enum gw_gap_cause cause);
// Until when pictures are known to have been received; GW_NO_TIME when that is not what counts, or
// not so. Any thread.
int64_t gw_recorder_received_until(struct gw_recorder *recorder);
// The camera's clock minus ours from now on, for events and clips; GW_NO_TIME: not known. Any
// thread.
void gw_recorder_clock(struct gw_recorder *recorder, int64_t offset_us);

// Why what shall be recorded cannot be: GW_GAP_DISK_FULL, GW_GAP_DISK_FAILED, GW_GAP_NONE when it
// can, or nothing shall be. Any thread.
enum gw_gap_cause gw_recorder_unwritten(struct gw_recorder *recorder);

// Writes what waits: snapshots, then packets, a bounded number of them. Returns whether more waits.
bool gw_recorder_step(struct gw_recorder *recorder);

// Writes everything that waits and closes an open clip. After the analysis was destroyed.
void gw_recorder_finish(struct gw_recorder *recorder);

struct gw_recorder_counters {
    uint64_t clips, truncated;
};
void gw_recorder_count(struct gw_recorder *recorder, struct gw_recorder_counters *ret);
