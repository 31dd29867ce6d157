// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/health_still.h"

#include <math.h>

// Of the regions that did not change: a noisy camera has fewer, a quiet one more, and in a picture
// that stands still the few others may hold a clock.
static const float noisy_share = 0.5F, quiet_share = 0.75F, stands_share = 0.9F;
// The same for what only an encoder changes: root mean square, grey levels. Live pictures differ by
// 0.4 and more.
static const float faint_share = 0.75F, faint_levels = 0.1F;
// A keyframe of a frozen picture differs by less than this, root mean square in grey levels.
static const float breath_levels = 1.5F;
// More keyframes in a row than this are something else.
enum { MOST_BREATHS = 2 };
// So long must a camera have been noisy: when it then stands perfectly, and when it stands but for
// keyframes, which an encoder of few bits in a still scene does too. A second of quiet takes back
// twenty.
static const float noisy_enough_s = 15, noisy_long_s = 60, most_noisy_s = 300, quiet_costs = 20;
static const float breath_share = 0.15F;
// A camera that stood still for so long and went on does so by itself: it must be noisy for very
// long to be believed again. Unless it stood for longer than a still scene does.
static const float pause_s = 3, fault_s = 30, distrust_s = 600;

static float unchanged_share(const struct gw_scene *scene)
{
    int unchanged = 0;

    for (int i = 0; i < GW_SCENE_REGIONS; i++)
        unchanged += scene->used[i] && scene->changed[i] <= 0;
    return scene->region_count ? (float)unchanged / (float)scene->region_count : 0;
}

static bool is_entitled(const struct gw_still *still)
{
    const int pictures = still->stands + still->breaths;
    const bool perfect = (float)still->breaths <= breath_share * (float)pictures;

    return still->noisy_s >= (perfect ? noisy_enough_s : noisy_long_s);
}

static void live(struct gw_still *still, float share, float elapsed_s)
{
    if (still->stands_s > pause_s && !(still->stands_s > fault_s && is_entitled(still)))
        still->noisy_s = -distrust_s;
    if (share <= noisy_share)
        still->noisy_s = fminf(still->noisy_s + elapsed_s, most_noisy_s);
    else if (share >= quiet_share && still->noisy_s > 0)
        still->noisy_s = fmaxf(still->noisy_s - quiet_costs * elapsed_s, 0);
    still->stands_s = 0;
    still->stands = still->breaths = still->breaths_in_row = 0;
}

enum gw_still_verdict gw_still_feed(struct gw_still *still, const struct gw_scene *scene,
                                    int64_t elapsed_us)
{
    const float share = unchanged_share(scene), elapsed_s = (float)elapsed_us * 1e-6F;
    const bool stands =
        share >= stands_share || (share >= faint_share && scene->step <= faint_levels);

    if (!stands &&
        (!still->stands || scene->step > breath_levels || still->breaths_in_row >= MOST_BREATHS)) {
        live(still, share, elapsed_s);
        return GW_STILL_LIVES;
    }
    still->stands_s += elapsed_s;
    still->stands += stands;
    still->breaths += !stands;
    still->breaths_in_row = stands ? 0 : still->breaths_in_row + 1;
    return stands && is_entitled(still) ? GW_STILL_STANDS : GW_STILL_DOUBT;
}
