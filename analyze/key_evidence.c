// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/key_evidence.h"

#include "core/clock.h"

// What is seen so soon after a keyframe would have been seen in it.
#define KEYFRAME_SHOWS_US (GW_SECOND * 3 / 20)
// Pictures further apart than this were not looked at in one go.
#define LOOK_GAP_US (GW_SECOND * 6 / 10)
// Quiet keyframes that the share of false ones is counted over, at most; then both halve.
enum { KEYFRAME_WINDOW = 256 };

void gw_key_evidence_init(struct gw_key_evidence *evidence)
{
    *evidence = (struct gw_key_evidence){.judged_us = INT64_MIN / 2, .looked_us = INT64_MIN / 2};
}

void gw_key_evidence_restart(struct gw_key_evidence *evidence)
{
    evidence->quiet_s = 0;
    evidence->moved = false;
}

static void follow_quiet(struct gw_key_evidence *evidence, const struct gw_key_picture *picture)
{
    const int64_t elapsed_us = picture->wall_us - evidence->looked_us;

    evidence->looked_us = picture->wall_us;
    evidence->moved |= picture->event;
    if (picture->event || picture->hint)
        evidence->quiet_s = 0;
    else if (elapsed_us > 0 && elapsed_us <= LOOK_GAP_US)
        evidence->quiet_s += (double)elapsed_us * 1e-6;
}

void gw_key_evidence_saw(struct gw_key_evidence *evidence, const struct gw_key_picture *picture)
{
    const bool quiet = picture->whole && !picture->event;

    follow_quiet(evidence, picture);
    if (picture->key) {
        evidence->judged_us = picture->wall_us;
        evidence->quiet += quiet;
    }
    if (!picture->hint || picture->wall_us - evidence->judged_us > KEYFRAME_SHOWS_US)
        return;
    evidence->judged_us = INT64_MIN / 2; // once
    evidence->hits += picture->event;
    evidence->seeming += quiet;
    if (evidence->quiet >= KEYFRAME_WINDOW) {
        evidence->quiet /= 2;
        evidence->seeming /= 2;
    }
}

void gw_key_evidence_closed(struct gw_key_evidence *evidence, bool whole)
{
    if (whole) {
        evidence->events++;
        evidence->missed += evidence->hits == 0;
    }
    evidence->hits = 0;
}

double gw_key_evidence_false_share(const struct gw_key_evidence *evidence)
{
    return evidence->quiet > 0 ? (double)evidence->seeming / evidence->quiet : 0;
}
