// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// From RTP packets to pictures with their times, for one session.
//
//   session.c -> rtp -> assembler -> parameters, media_clock -> [intake] -> sink
//
// Pure, but for what the sink does: times are arguments. Used by one thread.
#pragma once

#include "ingest/rtp.h"
#include "ingest/sdp.h"
#include "ingest/session.h"

struct gw_intake;

// All borrowed.
int gw_intake_create(struct gw_intake **ret, const struct gw_sdp *sdp,
                     const struct gw_session_sink *sink, const struct gw_log *log);
void gw_intake_destroy(struct gw_intake **intake);

// The next packet in order. Returns 0, or why the session has to end: GW_ERROR_INVALID when what
// comes cannot be decoded, -ENOMEM.
int gw_intake_rtp(struct gw_intake *intake, const uint8_t *bytes, size_t size, int64_t mono_us,
                  int64_t wall_us);
void gw_intake_rtcp(struct gw_intake *intake, const uint8_t *bytes, size_t size, int64_t mono_us,
                    int64_t wall_us);
// Nothing follows: the last picture, if it is whole.
void gw_intake_finish(struct gw_intake *intake);

struct gw_intake_status {
    bool online;             // the sink was told
    bool useless;            // the last pictures could not be decoded
    int64_t picture_mono_us; // last picture that was handed on; 0 before
    int64_t alive_mono_us;   // last picture of any kind, also one that had to be let go; 0 before
    int64_t bye_mono_us;     // the camera said that it ends, and sent nothing since; 0 if not
    uint64_t received, lost; // RTP packets
};
struct gw_intake_status gw_intake_status(const struct gw_intake *intake);

// For a receiver report.
const struct gw_rtp_source *gw_intake_source(const struct gw_intake *intake);
