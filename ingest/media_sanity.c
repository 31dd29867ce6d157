// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/media_sanity.h"

#include <stdlib.h>

#include "core/clock.h"

#define STILL_US        INT64_C(1000)
#define JUMP_US         (2 * GW_SECOND)
#define APART_US        GW_SECOND // after the wait it must be nearer to arrival than this
#define FIRST_WAIT_US   (5 * GW_SECOND)
#define LONGEST_WAIT_US (300 * GW_SECOND)
#define MINUTE_US       (60 * GW_SECOND)

enum { MOST_STILL = 5, MOST_ODD = 4, ANCHORS = 4 };

void gw_media_sanity_init(struct gw_media_sanity *sanity)
{
    *sanity = (struct gw_media_sanity){.usable = true, .wait_us = FIRST_WAIT_US};
    for (int i = 0; i < ANCHORS; i++)
        sanity->anchors_us[i] = GW_NO_TIME;
}

static void begin_waiting(struct gw_media_sanity *sanity)
{
    sanity->sane_wall_us = sanity->wall_us;
    sanity->sane_media_us = sanity->last_us;
}

static void condemn(struct gw_media_sanity *sanity)
{
    sanity->usable = false;
    begin_waiting(sanity);
}

void gw_media_sanity_feed(struct gw_media_sanity *sanity, int64_t media_us, int64_t wall_us)
{
    int64_t step_us = media_us - sanity->newest_us, elapsed_us = wall_us - sanity->wall_us;
    bool still = sanity->begun && llabs(media_us - sanity->last_us) < STILL_US;
    bool odd = sanity->begun && (step_us < -JUMP_US || step_us - elapsed_us > JUMP_US);

    if (!sanity->begun || odd || step_us > 0)
        sanity->newest_us = media_us;
    sanity->begun = true;
    sanity->last_us = media_us;
    sanity->wall_us = wall_us;
    sanity->still = still ? sanity->still + 1 : 0;
    sanity->odd = (uint16_t)(sanity->odd << 1 | odd);
    if (sanity->still >= MOST_STILL || __builtin_popcount(sanity->odd) >= MOST_ODD)
        condemn(sanity);
    else if (odd || still)
        begin_waiting(sanity);
}

void gw_media_sanity_anchored(struct gw_media_sanity *sanity, int64_t wall_us)
{
    int64_t before_us = sanity->anchors_us[ANCHORS - 2];
    for (int i = ANCHORS - 1; i > 0; i--)
        sanity->anchors_us[i] = sanity->anchors_us[i - 1];
    sanity->anchors_us[0] = wall_us;
    if (before_us != GW_NO_TIME && wall_us >= before_us && wall_us - before_us < MINUTE_US)
        condemn(sanity);
}

bool gw_media_sanity_recover(struct gw_media_sanity *sanity, bool in_step)
{
    int64_t waited_us = sanity->wall_us - sanity->sane_wall_us;
    if (waited_us >= 0 && waited_us < sanity->wait_us)
        return false;
    int64_t apart_us = sanity->newest_us - sanity->sane_media_us - waited_us;
    if (waited_us < 0 || (!in_step && llabs(apart_us) > APART_US)) {
        begin_waiting(sanity);
        return false;
    }
    if (sanity->wait_us < LONGEST_WAIT_US)
        sanity->wait_us *= 2;
    for (int i = 0; i < ANCHORS; i++)
        sanity->anchors_us[i] = GW_NO_TIME;
    sanity->usable = true;
    return true;
}
