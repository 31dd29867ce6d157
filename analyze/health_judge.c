// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/health_judge.h"

#include <math.h>

#include "core/clock.h"

// The memory may be believed after so long and so many pictures.
static const float mature_s = 8;
enum { MATURE_PICTURES = 6 };

// A region with less relief (grey levels) has nothing to lose; one whose relief comes and goes,
// such as a tree, does not tell where the camera looks.
static const float least_relief = 3, least_detail = 4, least_kept = 0.6F;
enum { LEAST_REGIONS = 6 };
// Agreement with the long-term picture: lost below, there above. Unrelated pictures reach 0.3.
static const float lost_kept = 0.35F, there_kept = 0.5F;
// Heavy blur moves the edges of what it leaves; on average this much agrees all the same.
static const float blurred_kept = 0.3F;
// Of the regions that say something: in the inner rows and in all. A clock, a name and a border
// that the cover leaves free fit in between; so does a region that stays sharp because something
// moves.
static const float most_covered = 0.8F, most_blurred = 0.7F, most_all = 0.65F;
// Of two places a few regions agree by chance. Before a large thing that parks, more of them are as
// they were.
static const float most_there = 0.2F, moved_kept = 0.25F;

// By how many grey levels a picture must be darker than the long run for its darkness to be sudden:
// a dusk of 20 minutes is 11 levels ahead of the memory.
static const float darkened = 20;

// A picture without any structure from the start may be a wall; after this it is a fault.
#define STRUCTURELESS_MORE_US (30 * GW_SECOND)

// --- regions vote --------------------------------------------------------------------------------

struct vote {
    int inner, inner_yes, all, yes;
};

static void vote(struct vote *vote, bool inner, bool yes)
{
    vote->inner += inner;
    vote->inner_yes += inner && yes;
    vote->all++;
    vote->yes += yes;
}

static float share(const struct vote *vote)
{
    return vote->all ? (float)vote->yes / (float)vote->all : 0;
}

static bool is_most(const struct vote *vote, float of_inner)
{
    return vote->all >= LEAST_REGIONS && (float)vote->inner_yes >= of_inner * (float)vote->inner &&
           share(vote) >= most_all;
}

bool gw_sight_is_mature(const struct gw_scene_memory *memory)
{
    return memory->learnt_s >= mature_s && memory->pictures >= MATURE_PICTURES;
}

static bool has_relief(const struct gw_sight *sight, int region)
{
    return sight->scene.used[region] && sight->memory.regions[region].relief >= least_relief;
}

static bool is_landmark(const struct gw_sight *sight, int region)
{
    return has_relief(sight, region) && sight->memory.kept[region] >= least_kept;
}

// How bright it is against the long run, at most 1. Relief shrinks with the light; levels below
// video black (16) are none.
static float light(const struct gw_sight *sight)
{
    const float now = fmaxf(sight->scene.mean - 16, 1), then = fmaxf(sight->memory.mean - 16, 1);
    return fminf(1, now / then);
}

// --- one opinion for each kind -------------------------------------------------------------------

// Black and over-bright: where the levels lie. What came slowly is the night, or the sun.
struct gw_opinion gw_judge_black(const struct gw_sight *sight)
{
    const struct gw_scene *scene = &sight->scene;
    const int spread = scene->high - scene->low;
    struct gw_opinion opinion = {GW_UNSURE, 1, 0};

    if (scene->high >= 36 || scene->high_all >= 36 || spread >= 20)
        opinion.verdict = GW_CLEARLY_GOOD;
    else if (scene->high > 28 || scene->high_all > 28 || spread > 10)
        opinion.verdict = GW_UNSURE;
    else if (sight->usual_known ? sight->usual - scene->mean >= darkened
                                : scene->high <= 22 && spread <= 4)
        opinion.verdict = GW_CLEARLY_BAD;
    return opinion;
}

struct gw_opinion gw_judge_overbright(const struct gw_sight *sight)
{
    const struct gw_scene *scene = &sight->scene;
    struct gw_opinion opinion = {GW_UNSURE, scene->bright, 0};

    if (scene->bright <= 0.6F)
        opinion.verdict = GW_CLEARLY_GOOD;
    else if (scene->bright >= 0.85F && scene->low >= 200 &&
             (sight->usual_known ? sight->usual <= 190 : scene->low >= 225))
        opinion.verdict = GW_CLEARLY_BAD;
    return opinion;
}

// How much relief the scene has of what it had.
static float relief_ratio(const struct gw_sight *sight)
{
    float now = 0, then = 0;

    for (int i = 0; i < GW_SCENE_REGIONS; i++)
        if (sight->scene.used[i]) {
            now += sight->scene.regions[i].relief;
            then += sight->memory.regions[i].relief;
        }
    return now / fmaxf(then, 1);
}

// A camera that never showed anything but a flat grey.
static struct gw_opinion judge_structureless(const struct gw_sight *sight)
{
    const struct gw_scene *scene = &sight->scene;
    const int spread = scene->high - scene->low;
    struct gw_opinion opinion = {GW_UNSURE, 1, STRUCTURELESS_MORE_US};

    if (spread >= 16)
        opinion.verdict = GW_CLEARLY_GOOD;
    else if (spread <= 8 && scene->mean >= 40 && scene->mean <= 225)
        opinion.verdict = GW_CLEARLY_BAD;
    return opinion;
}

// Covered: relief is gone from nearly everywhere, by more than the light explains, and what is left
// is not the scene.
struct gw_opinion gw_judge_covered(const struct gw_sight *sight)
{
    const struct gw_scene *scene = &sight->scene;
    const float lit = fmaxf(light(sight), 0.15F);
    struct vote gone = {0}, back = {0};

    if (!gw_sight_is_mature(&sight->memory))
        return judge_structureless(sight);
    for (int i = 0; i < GW_SCENE_REGIONS; i++) {
        if (!has_relief(sight, i))
            continue;
        const float relief = scene->regions[i].relief / (sight->memory.regions[i].relief * lit);
        // A bag or a hand at the lens lets some light through, and with it a ghost of the scene.
        vote(&gone, scene->inner[i],
             relief < 0.2F || (relief < 0.35F && sight->kept[i] < lost_kept));
        vote(&back, scene->inner[i],
             relief > 0.6F || (relief > 0.25F && sight->kept[i] > there_kept));
    }
    if (gone.all < LEAST_REGIONS)
        return judge_structureless(sight);
    struct gw_opinion opinion = {GW_UNSURE, share(&gone), 0};
    // In the dark, noise hides what is there: only a really flat picture that went dark at once is
    // covered.
    const bool sees =
        scene->mean >= 32 || (share(&gone) >= 0.95F && scene->high - scene->low <= 12 &&
                              sight->usual - scene->mean >= darkened);
    if (share(&back) >= 0.5F)
        opinion.verdict = GW_CLEARLY_GOOD;
    else if ((is_most(&gone, most_covered) ||
              (share(&gone) >= most_blurred && relief_ratio(sight) < 0.25F * lit)) &&
             sees)
        opinion.verdict = GW_CLEARLY_BAD;
    return opinion;
}

// Blurred: detail is gone from nearly everywhere, by more than relief is, and what is left is still
// the scene.
struct gw_opinion gw_judge_blurred(const struct gw_sight *sight)
{
    struct vote soft = {0}, sharp = {0};
    struct gw_opinion opinion = {GW_UNSURE, 0, 0};
    float kept = 0;

    for (int i = 0; i < GW_SCENE_REGIONS; i++) {
        const struct gw_scene_region *now = &sight->scene.regions[i],
                                     *then = &sight->memory.regions[i];
        // Where noise is half of it, nothing can be said of detail.
        if (!has_relief(sight, i) || then->detail < least_detail ||
            then->detail * then->detail < 4 * sight->scene.noise)
            continue;
        const float detail = now->detail / then->detail, relief = now->relief / then->relief;
        vote(&soft, sight->scene.inner[i], detail < 0.65F && detail < 0.72F * relief);
        vote(&sharp, sight->scene.inner[i], detail > 0.75F || detail > 0.85F * relief);
        kept += sight->kept[i];
    }
    if (!gw_sight_is_mature(&sight->memory) || soft.all < LEAST_REGIONS)
        return opinion;
    opinion.score = share(&soft);
    if (share(&sharp) >= 0.5F)
        opinion.verdict = GW_CLEARLY_GOOD;
    else if (is_most(&soft, most_blurred) && kept / (float)soft.all >= blurred_kept &&
             light(sight) >= 0.6F && sight->shake_pixels <= 1)
        opinion.verdict = GW_CLEARLY_BAD;
    return opinion;
}

// Whether the picture has stayed the same since it became another one.
bool gw_sight_is_steady(const struct gw_sight *sight)
{
    struct vote same = {0};

    for (int i = 0; i < GW_SCENE_REGIONS; i++)
        if (sight->scene.used[i] && sight->candidate.regions[i].relief >= least_relief)
            vote(&same, sight->scene.inner[i], sight->kept_new[i] >= least_kept);
    return same.all >= LEAST_REGIONS && share(&same) >= 0.6F;
}

// Moved: a steady picture of the same scene shifted, or with as much in it but nothing where it
// was.
struct gw_opinion gw_judge_moved(const struct gw_sight *sight)
{
    const float brightness = sight->scene.mean / fmaxf(sight->memory.mean, 1);
    const float relief = relief_ratio(sight);
    struct vote lost = {0}, there = {0};
    struct gw_opinion opinion = {GW_UNSURE, 0, 0};
    float kept = 0;

    for (int i = 0; i < GW_SCENE_REGIONS; i++)
        if (is_landmark(sight, i)) {
            vote(&lost, sight->scene.inner[i], sight->kept[i] < lost_kept);
            vote(&there, sight->scene.inner[i], sight->kept[i] > there_kept);
            kept += sight->kept[i];
        }
    if (!gw_sight_is_mature(&sight->memory) || lost.all < LEAST_REGIONS)
        return opinion;
    opinion.score = share(&lost);
    const bool is_light = brightness < 0.4F || brightness > 2.5F || relief < 0.4F || relief > 2.5F;
    const bool gone = is_most(&lost, most_all) && share(&there) <= most_there &&
                      kept / (float)lost.all <= moved_kept;
    const bool elsewhere = sight->shifted || (gone && !is_light);
    if (share(&there) >= 0.7F)
        opinion.verdict = GW_CLEARLY_GOOD;
    else if (elsewhere && sight->shake_pixels <= 1 && gw_sight_is_steady(sight))
        opinion.verdict = GW_CLEARLY_BAD;
    return opinion;
}

// --- the scene -----------------------------------------------------------------------------------

// Whether much of what tells one place from another is not where it was.
bool gw_sight_is_different(const struct gw_sight *sight)
{
    struct vote lost = {0};

    if (!gw_sight_is_mature(&sight->memory))
        return false;
    for (int i = 0; i < GW_SCENE_REGIONS; i++)
        if (is_landmark(sight, i))
            vote(&lost, sight->scene.inner[i], sight->kept[i] < lost_kept);
    return lost.all >= LEAST_REGIONS && share(&lost) >= 0.35F;
}
