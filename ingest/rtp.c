// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/rtp.h"

#include <string.h>

#include <libavutil/intreadwrite.h>

#include "core/clock.h"
#include "core/error.h"

enum {
    HEADER_SIZE = 12,
    SENDER_REPORT = 200,
    RECEIVER_REPORT = 201,
    BYE = 203,
    // A step of sequence numbers beyond these is a camera that began anew (RFC 3550, A.1).
    MOST_MISSING = 3000,
    MOST_LATE = 100,
    MOST_LATE_RUN = 16,        // and so are so many late ones with none in order between them
    MOST_TOLD_LOST = 0x7fffff, // a report has 24 bits for it, one of them a sign
};

// Seconds from 1900, where NTP counts from, to 1970.
#define NTP_EPOCH_S INT64_C(2208988800)
// A source that was left this long ago does not come back; another one has its number.
#define OTHER_LIVES_US (5 * GW_SECOND)

int gw_rtp_parse(const uint8_t *bytes, size_t size, struct gw_rtp *ret)
{
    if (size < HEADER_SIZE || bytes[0] >> 6 != 2)
        return GW_ERROR_INVALID;
    size_t at = HEADER_SIZE + 4 * (size_t)(bytes[0] & 0x0f);
    if (bytes[0] & 0x10) { // an extension, which is skipped
        if (at + 4 > size)
            return GW_ERROR_INVALID;
        at += 4 + 4 * (size_t)AV_RB16(bytes + at + 2);
    }
    size_t padding = bytes[0] & 0x20 ? bytes[size - 1] : 0;
    if (at + padding > size)
        return GW_ERROR_INVALID;
    *ret = (struct gw_rtp){
        .payload_type = bytes[1] & 0x7f,
        .marker = bytes[1] & 0x80,
        .sequence = AV_RB16(bytes + 2),
        .timestamp = AV_RB32(bytes + 4),
        .source = AV_RB32(bytes + 8),
        .payload = bytes + at,
        .size = size - at - padding,
    };
    return 0;
}

// NTP's 32.32 fixed point to microseconds since 1970.
static int64_t from_ntp(uint32_t seconds, uint32_t fraction)
{
    return ((int64_t)seconds - NTP_EPOCH_S) * GW_SECOND +
           (int64_t)(((uint64_t)fraction * GW_SECOND) >> 32);
}

// One source is told of: what was said of another before is dropped.
static void speak_of(struct gw_rtcp *rtcp, uint32_t source)
{
    if (rtcp->source != source)
        *rtcp = (struct gw_rtcp){.source = source};
}

int gw_rtcp_parse(const uint8_t *bytes, size_t size, struct gw_rtcp *ret)
{
    *ret = (struct gw_rtcp){0};
    while (size >= 4) {
        const size_t length = 4 * ((size_t)AV_RB16(bytes + 2) + 1);
        if (bytes[0] >> 6 != 2 || length > size)
            return GW_ERROR_INVALID;
        if (bytes[1] == SENDER_REPORT && length >= 28) {
            speak_of(ret, AV_RB32(bytes + 4));
            ret->camera_us = from_ntp(AV_RB32(bytes + 8), AV_RB32(bytes + 12));
            ret->timestamp = AV_RB32(bytes + 16);
            // All zero: a camera that does not know the time and says so.
            ret->reports = AV_RB64(bytes + 8) != 0;
        } else if (bytes[1] == BYE && bytes[0] & 0x1f && length >= 8) {
            speak_of(ret, AV_RB32(bytes + 4));
            ret->bye = true;
        }
        bytes += length;
        size -= length;
    }
    return size ? GW_ERROR_INVALID : 0;
}

// From this packet on. What was counted belongs to what went before (RFC 3550, A.1).
static void count_anew(struct gw_rtp_source *source, const struct gw_rtp *rtp)
{
    source->next = (uint16_t)(rtp->sequence + 1);
    source->received++;
    source->lost = source->cycles = 0;
}

static enum gw_rtp_verdict begin(struct gw_rtp_source *source, const struct gw_rtp *rtp,
                                 int64_t mono_us)
{
    if (source->known && source->source != rtp->source) {
        source->had_other = true;
        source->other = source->source;
    }
    source->known = true;
    source->source = rtp->source;
    source->switched_us = mono_us;
    count_anew(source, rtp);
    return GW_RTP_BEGIN;
}

// A packet of another source than the followed one.
static enum gw_rtp_verdict take_other(struct gw_rtp_source *source, const struct gw_rtp *rtp,
                                      int64_t mono_us)
{
    const bool is_other = source->had_other && rtp->source == source->other;

    if (is_other && source->switched_us == INT64_MAX)
        return GW_RTP_IGNORE;
    const bool recent = mono_us - source->switched_us < OTHER_LIVES_US;
    begin(source, rtp, mono_us);
    // Both send: back to the first, and the one left now is the one to ignore from here on.
    if (is_other && recent)
        source->switched_us = INT64_MAX;
    return GW_RTP_BEGIN;
}

enum gw_rtp_verdict gw_rtp_source_take(struct gw_rtp_source *source, const struct gw_rtp *rtp,
                                       int64_t mono_us, unsigned *ret_lost)
{
    *ret_lost = 0;
    if (!source->known)
        return begin(source, rtp, mono_us);
    if (rtp->source != source->source)
        return take_other(source, rtp, mono_us);

    const int step = (int16_t)(rtp->sequence - source->next);
    if (step < 0 && step >= -MOST_LATE && ++source->late < MOST_LATE_RUN)
        return GW_RTP_IGNORE;
    source->late = 0;
    if (step < 0 || step > MOST_MISSING) {
        count_anew(source, rtp);
        return GW_RTP_BEGIN;
    }
    source->received++;
    source->cycles += rtp->sequence < (uint16_t)(source->next - 1); // than the one before
    source->next = (uint16_t)(rtp->sequence + 1);
    source->lost += (uint32_t)step;
    *ret_lost = (unsigned)step;
    return GW_RTP_TAKE;
}

void gw_rtp_source_report(const struct gw_rtp_source *source, uint32_t ours,
                          uint8_t ret[GW_RTCP_REPORT_SIZE])
{
    memset(ret, 0, GW_RTCP_REPORT_SIZE);
    ret[0] = 0x81;
    ret[1] = RECEIVER_REPORT;
    AV_WB16(ret + 2, GW_RTCP_REPORT_SIZE / 4 - 1);
    AV_WB32(ret + 4, ours);
    AV_WB32(ret + 8, source->source);
    AV_WB32(ret + 12, source->lost < MOST_TOLD_LOST ? source->lost : MOST_TOLD_LOST);
    AV_WB16(ret + 16, (uint16_t)source->cycles);
    AV_WB16(ret + 18, (uint16_t)(source->next - 1));
}
