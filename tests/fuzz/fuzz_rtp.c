// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: RTP and RTCP packets and the order of a source's packets (ingest/rtp.h).
//
// Pieces (pieces.h), each with a byte before its content: bit 0 says RTCP, the others how many
// tenths of a second passed.

#include <assert.h>

#include "core/clock.h"
#include "core/error.h"
#include "ingest/rtp.h"
#include "tests/fuzz/pieces.h"
#include "tests/fuzz/target.h"

static void take_rtp(struct gw_rtp_source *source, const uint8_t *bytes, size_t size,
                     int64_t mono_us)
{
    const struct gw_rtp_source before = *source;
    struct gw_rtp rtp;
    unsigned lost;

    int error = gw_rtp_parse(bytes, size, &rtp);
    assert(error == 0 || error == GW_ERROR_INVALID);
    if (error)
        return;
    assert(rtp.payload >= bytes && rtp.payload + rtp.size <= bytes + size);
    assert(rtp.payload_type >= 0 && rtp.payload_type <= 127);
    enum gw_rtp_verdict verdict = gw_rtp_source_take(source, &rtp, mono_us, &lost);
    assert(verdict == GW_RTP_TAKE || !lost);
    assert(before.known || verdict == GW_RTP_BEGIN);
    if (verdict == GW_RTP_IGNORE)
        assert(before.source == source->source && before.next == source->next &&
               before.received == source->received);
    else
        assert(source->source == rtp.source && source->next == (uint16_t)(rtp.sequence + 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_rtp_source source = {0};
    struct gw_rtcp rtcp;
    uint8_t report[GW_RTCP_REPORT_SIZE], *piece;
    int64_t mono_us = 1000 * GW_SECOND;
    size_t piece_size;

    while ((piece = take_piece(&data, &size, &piece_size))) {
        if (piece_size > 0) {
            mono_us += (piece[0] >> 1) * (GW_SECOND / 10);
            if (piece[0] & 1)
                gw_rtcp_parse(piece + 1, piece_size - 1, &rtcp);
            else
                take_rtp(&source, piece + 1, piece_size - 1, mono_us);
        }
        free(piece);
    }
    gw_rtp_source_report(&source, 1, report);
    return 0;
}
