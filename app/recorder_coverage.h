// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What happens to one camera's pictures, entered in its book of coverage (coverage.h).
//
//   recorder.c -> [recorder coverage] -> coverage.h
//
// The record mode says which pictures count: in mode continuous those that were written; in mode
// events those that were received, and besides what events asked for and could not be written; in
// mode off none. What does not count in its mode is ignored here.
//
// received and broke from the session's thread, until from any; everything else from the disk
// thread only. The news come during a call, with the lock held. Times are wall.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/coverage.h"
#include "core/camera.h"
#include "core/gap.h"
#include "core/packet.h"
#include "ingest/ring.h"

struct gw_recorder_coverage {
    enum gw_record_mode mode;

    pthread_mutex_t lock; // guards these; when only events are recorded, two threads do
    struct gw_coverage book;
    struct gw_stream *stream; // of the last covered picture
    enum gw_gap_cause broke;  // why the session ended, and behind which packet
    gw_cursor broke_at;

    // The disk thread's:
    int64_t end_us; // end of what this recording has; GW_NO_TIME: nothing yet
    bool lapped;    // packets before the next one were lost to a slow disk
};

// now_us: from now on it is tried.
void gw_recorder_coverage_init(struct gw_recorder_coverage *coverage, const char *camera,
                               enum gw_record_mode mode, int64_t now_us,
                               void (*tell)(void *opaque, const struct gw_coverage_news *news),
                               void *opaque);
void gw_recorder_coverage_finish(struct gw_recorder_coverage *coverage);

// A picture came.
void gw_recorder_coverage_received(struct gw_recorder_coverage *coverage,
                                   const struct gw_packet *packet);
// The session ended behind what lies before at in the ring.
void gw_recorder_coverage_broke(struct gw_recorder_coverage *coverage, enum gw_gap_cause cause,
                                gw_cursor at);
// Until when pictures were received; GW_NO_TIME when that is not what counts, or not so.
int64_t gw_recorder_coverage_until(struct gw_recorder_coverage *coverage);

// A recording begins, and has nothing yet.
void gw_recorder_coverage_begin(struct gw_recorder_coverage *coverage);
// This picture is in a clip; in the first one's case, as soon as that is announced.
void gw_recorder_coverage_written(struct gw_recorder_coverage *coverage,
                                  const struct gw_packet *packet);
// Packets were dropped before they could be written.
void gw_recorder_coverage_lapped(struct gw_recorder_coverage *coverage);
// What should be written from the end of this recording on, or, while it has nothing, from
// first_us on, cannot be: -errno of the disk.
void gw_recorder_coverage_miss(struct gw_recorder_coverage *coverage, int64_t first_us, int error);
// What the disk's error is called as the cause of a gap.
enum gw_gap_cause gw_recorder_coverage_cause(int error);
// No event asks for the picture at at_us any more.
void gw_recorder_coverage_enough(struct gw_recorder_coverage *coverage, int64_t at_us);
// A clip was closed, and this is how it really ended.
void gw_recorder_coverage_clip_closed(struct gw_recorder_coverage *coverage, int64_t end_us);

// Why the session ended, when that counts and all before cursor is all of it; else GW_GAP_NONE.
// Says so once. The caller then closes the clip and says break, in this order.
enum gw_gap_cause gw_recorder_coverage_take_break(struct gw_recorder_coverage *coverage,
                                                  gw_cursor cursor);
void gw_recorder_coverage_break(struct gw_recorder_coverage *coverage, enum gw_gap_cause cause);

// The camera is left alone.
void gw_recorder_coverage_end(struct gw_recorder_coverage *coverage);
