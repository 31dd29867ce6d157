// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// RTP and RTCP packets (RFC 3550), and which of them are the camera's next ones.
//
//   rtsp.c, reorder.h -> [rtp] -> session.c
//
// Pure: times are arguments. Used by one thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_rtp {
    int payload_type;
    bool marker;
    uint16_t sequence;
    uint32_t timestamp, source; // source: SSRC
    const uint8_t *payload;     // borrowed from the bytes
    size_t size;                // of it, without padding; may be 0
};

// Returns 0, or GW_ERROR_INVALID when it is no RTP packet.
int gw_rtp_parse(const uint8_t *bytes, size_t size, struct gw_rtp *ret);

struct gw_rtcp {
    bool reports;       // a sender report: these two belong together
    int64_t camera_us;  // camera's wall clock
    uint32_t timestamp; // the same instant in RTP ticks
    uint32_t source;    // of whom it speaks; of several, the last
    bool bye;           // this source ends
};

// Reads a compound packet. Returns 0, or GW_ERROR_INVALID with what was read before the fault.
int gw_rtcp_parse(const uint8_t *bytes, size_t size, struct gw_rtcp *ret);

enum { GW_RTCP_REPORT_SIZE = 32 };

// One source's packets in their order. Zero-initialise.
struct gw_rtp_source {
    bool known, had_other;
    uint32_t source, other; // the one that is followed; the one before it, or one to ignore
    int64_t switched_us;    // when it became the followed one
    uint16_t next;          // expected sequence number
    int late;               // packets in a row that seemed to be late
    uint32_t received, lost, cycles;
};

enum gw_rtp_verdict {
    GW_RTP_IGNORE, // not ours, or a second time
    GW_RTP_TAKE,
    GW_RTP_BEGIN, // the camera began anew: nothing before it belongs to it
};

// Looks at the next packet to arrive. *ret_lost: how many before it are missing.
//
// A source that changes is followed at once: cameras change it when they restart their encoder. One
// that comes back after that means two at the same time, of which the first is kept.
enum gw_rtp_verdict gw_rtp_source_take(struct gw_rtp_source *source, const struct gw_rtp *rtp,
                                       int64_t mono_us, unsigned *ret_lost);

// Writes a receiver report about the source, which tells some cameras that somebody listens.
void gw_rtp_source_report(const struct gw_rtp_source *source, uint32_t ours,
                          uint8_t ret[GW_RTCP_REPORT_SIZE]);
