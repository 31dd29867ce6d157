// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/health.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "analyze/health_scene.h"
#include "analyze/health_still.h"
#include "core/clock.h"

// Nothing here is decided faster, so more pictures a second tell nothing new.
#define LOOK_EVERY_US (GW_SECOND / 2)
// One picture is evidence for at most so long, however rare pictures are.
#define EVIDENCE_STEP_US (10 * GW_SECOND)
// A camera that was away for longer may come back to another light; what it showed is forgotten.
#define FORGET_US (600 * GW_SECOND)
// What is neither good nor bad for so long ends a run.
#define DOUBT_US (30 * GW_SECOND)
// A sudden change of the whole picture, or the first doubt, this short before a run is its
// beginning: the smoothed picture follows that slowly.
#define ONSET_US (6 * GW_SECOND)

// The long-term picture: fog, dusk and shadows are slower, what happens to a camera is faster.
static const double memory_s = 120;
// It may be believed after so long and so many pictures.
static const float mature_s = 8;
enum { MATURE_PICTURES = 6 };
// Something else that stays without being a fault (a light, snow) is remembered after this.
static const float accept_s = 90;
// A camera that was moved has learnt its new view after so long: enough to notice the next fault.
static const float settle_s = 40;
// A change of light that switched the picture at once explains much; such a move must last longer.
#define RELIT_US      (5 * GW_SECOND)
#define RELIT_MORE_US (25 * GW_SECOND)

// A region with less relief (grey levels) has nothing to lose; one whose relief comes and goes,
// such as a tree, does not tell where the camera looks.
static const float least_relief = 3, least_detail = 4, least_kept = 0.6F;
enum { LEAST_REGIONS = 6 };
// Agreement with the long-term picture: lost below, there above. Unrelated pictures reach 0.3.
static const float lost_kept = 0.35F, there_kept = 0.5F;
// Heavy blur moves the edges of what it leaves; on average this much agrees all the same.
static const float blurred_kept = 0.3F;
// Of the regions that say something: in the inner rows and in all. A clock, a name and a border
// that the cover leaves free fit in between.
static const float most_inner = 0.85F, most_all = 0.65F;
// The same for a cover, and for blur, which leaves a region sharp in which something moves.
static const float most_covered = 0.8F, most_blurred = 0.7F;
// What was turned a little shows the same elsewhere: the agreement there, and by how much it must
// be better than here; sought so often.
static const float shifted_kept = 0.55F, shifted_better = 0.2F;
#define SEEK_EVERY_US (4 * GW_SECOND)

// By how many grey levels a picture must be darker than the long run for its darkness to be sudden:
// a dusk of 20 minutes is 11 levels ahead of the memory.
static const float darkened = 20;

enum state { UNKNOWN, GOOD, BAD };
enum verdict { CLEARLY_GOOD, UNSURE, CLEARLY_BAD };

// How long and how often a fault must be seen before it is there, and before it is gone.
struct patience {
    int64_t enter_us, leave_us;
    int enter_pictures, leave_pictures;
};
static const struct patience patiences[GW_EVENT_KIND_COUNT] = {
    [GW_EVENT_COVERED] = {10 * GW_SECOND, 3 * GW_SECOND, 4, 2},
    [GW_EVENT_BLACK] = {8 * GW_SECOND, 2 * GW_SECOND, 3, 2},
    [GW_EVENT_OVERBRIGHT] = {10 * GW_SECOND, 3 * GW_SECOND, 4, 2},
    [GW_EVENT_FROZEN] = {30 * GW_SECOND, 2 * GW_SECOND, 8, 2},
    [GW_EVENT_BLURRED] = {12 * GW_SECOND, 5 * GW_SECOND, 5, 3},
    [GW_EVENT_MOVED] = {25 * GW_SECOND, 5 * GW_SECOND, 5, 2},
};
// A picture without any structure from the start may be a wall; after this it is a fault.
#define STRUCTURELESS_MORE_US (30 * GW_SECOND)

struct fault {
    enum state state;
    int64_t run_us;      // when the run of the other kind began; GW_NO_TIME for none
    int64_t doubt_us;    // the first doubtful picture since a clear one; GW_NO_TIME for none
    int64_t clear_us;    // the last picture that was clearly of the other kind
    int64_t evidence_us; // how long the run was seen
    int pictures;        // of the run
};

// What was judged of one picture for one kind.
struct opinion {
    enum verdict verdict;
    float score;
    int64_t more_us; // patience beyond the usual
};

struct gw_health {
    struct gw_scene scene;
    struct gw_scene_memory memory;    // what it always showed
    struct gw_scene_memory candidate; // what it shows instead, since different_s
    struct gw_still still;
    float kept[GW_SCENE_REGIONS];     // agreement with the memory
    float kept_new[GW_SCENE_REGIONS]; // with the candidate
    float usual, usual_s;             // mean grey level of the last minutes; learnt for so long
    float different_s;                // for how long it has shown something else
    struct fault faults[GW_EVENT_KIND_COUNT];
    int64_t looked_us; // GW_NO_TIME before the first picture
    int64_t relit_us;  // when the light was last switched; GW_NO_TIME before
    int64_t jumped_us; // when the picture last changed as a whole; GW_NO_TIME before
    int64_t sought_us; // when a shift was last sought; GW_NO_TIME before
    bool shifted;      // and whether one was found
};

int gw_health_create(struct gw_health **ret, int width, int height, const uint8_t *mask)
{
    struct gw_health *health = calloc(1, sizeof(*health));

    if (!health)
        return -ENOMEM;
    if (gw_scene_init(&health->scene, width, height, mask) < 0 ||
        gw_scene_memory_init(&health->memory, &health->scene) < 0 ||
        gw_scene_memory_init(&health->candidate, &health->scene) < 0) {
        gw_health_destroy(&health);
        return -ENOMEM;
    }
    health->looked_us = health->relit_us = health->jumped_us = health->sought_us = GW_NO_TIME;
    for (int i = 0; i < GW_EVENT_KIND_COUNT; i++)
        health->faults[i].run_us = health->faults[i].doubt_us = GW_NO_TIME;
    *ret = health;
    return 0;
}

void gw_health_destroy(struct gw_health **health)
{
    if (!*health)
        return;
    gw_scene_memory_finish(&(*health)->memory);
    gw_scene_memory_finish(&(*health)->candidate);
    gw_scene_finish(&(*health)->scene);
    free(*health);
    *health = NULL;
}

bool gw_health_is_bad(const struct gw_health *health, enum gw_event_kind kind)
{
    return health->faults[kind].state == BAD;
}

// A fault that is there or may be coming.
static bool is_suspected(const struct gw_health *health, enum gw_event_kind kind)
{
    const struct fault *fault = &health->faults[kind];
    return fault->state == BAD || (fault->run_us != GW_NO_TIME && fault->evidence_us > 0);
}

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

static bool is_mature(const struct gw_scene_memory *memory)
{
    return memory->learnt_s >= mature_s && memory->pictures >= MATURE_PICTURES;
}

static bool has_relief(const struct gw_health *health, int region)
{
    return health->scene.used[region] && health->memory.regions[region].relief >= least_relief;
}

static bool is_landmark(const struct gw_health *health, int region)
{
    return has_relief(health, region) && health->memory.kept[region] >= least_kept;
}

// How bright it is against the long run, at most 1. Relief shrinks with the light; levels below
// video black (16) are none.
static float light(const struct gw_health *health)
{
    const float now = fmaxf(health->scene.mean - 16, 1), then = fmaxf(health->memory.mean - 16, 1);
    return fminf(1, now / then);
}

// --- one opinion for each kind -------------------------------------------------------------------

// Black and over-bright: where the levels lie. What came slowly is the night, or the sun.
static struct opinion judge_black(const struct gw_health *health)
{
    const struct gw_scene *scene = &health->scene;
    const int spread = scene->high - scene->low;
    struct opinion opinion = {UNSURE, 1, 0};

    if (scene->high >= 36 || scene->high_all >= 36 || spread >= 20)
        opinion.verdict = CLEARLY_GOOD;
    else if (scene->high > 28 || scene->high_all > 28 || spread > 10)
        opinion.verdict = UNSURE;
    else if (health->usual_s >= mature_s ? health->usual - scene->mean >= darkened
                                         : scene->high <= 22 && spread <= 4)
        opinion.verdict = CLEARLY_BAD;
    return opinion;
}

static struct opinion judge_overbright(const struct gw_health *health)
{
    const struct gw_scene *scene = &health->scene;
    struct opinion opinion = {UNSURE, scene->bright, 0};

    if (scene->bright <= 0.6F)
        opinion.verdict = CLEARLY_GOOD;
    else if (scene->bright >= 0.85F && scene->low >= 200 &&
             (health->usual_s >= mature_s ? health->usual <= 190 : scene->low >= 225))
        opinion.verdict = CLEARLY_BAD;
    return opinion;
}

// How much relief the scene has of what it had.
static float relief_ratio(const struct gw_health *health)
{
    float now = 0, then = 0;

    for (int i = 0; i < GW_SCENE_REGIONS; i++)
        if (health->scene.used[i]) {
            now += health->scene.regions[i].relief;
            then += health->memory.regions[i].relief;
        }
    return now / fmaxf(then, 1);
}

// A camera that never showed anything but a flat grey.
static struct opinion judge_structureless(const struct gw_health *health)
{
    const struct gw_scene *scene = &health->scene;
    const int spread = scene->high - scene->low;
    struct opinion opinion = {UNSURE, 1, STRUCTURELESS_MORE_US};

    if (spread >= 16)
        opinion.verdict = CLEARLY_GOOD;
    else if (spread <= 8 && scene->mean >= 40 && scene->mean <= 225)
        opinion.verdict = CLEARLY_BAD;
    return opinion;
}

// Covered: relief is gone from nearly everywhere, by more than the light explains, and what is left
// is not the scene.
static struct opinion judge_covered(const struct gw_health *health)
{
    const struct gw_scene *scene = &health->scene;
    const float lit = fmaxf(light(health), 0.15F);
    struct vote gone = {0}, back = {0};

    if (!is_mature(&health->memory))
        return judge_structureless(health);
    for (int i = 0; i < GW_SCENE_REGIONS; i++) {
        if (!has_relief(health, i))
            continue;
        const float relief = scene->regions[i].relief / (health->memory.regions[i].relief * lit);
        // A bag or a hand at the lens lets some light through, and with it a ghost of the scene.
        vote(&gone, scene->inner[i],
             relief < 0.2F || (relief < 0.35F && health->kept[i] < lost_kept));
        vote(&back, scene->inner[i],
             relief > 0.6F || (relief > 0.25F && health->kept[i] > there_kept));
    }
    if (gone.all < LEAST_REGIONS)
        return judge_structureless(health);
    struct opinion opinion = {UNSURE, share(&gone), 0};
    // In the dark, noise hides what is there: only a really flat picture that went dark at once is
    // covered.
    const bool sees =
        scene->mean >= 32 || (share(&gone) >= 0.95F && scene->high - scene->low <= 12 &&
                              health->usual - scene->mean >= darkened);
    if (share(&back) >= 0.5F)
        opinion.verdict = CLEARLY_GOOD;
    else if ((is_most(&gone, most_covered) ||
              (share(&gone) >= most_blurred && relief_ratio(health) < 0.25F * lit)) &&
             sees)
        opinion.verdict = CLEARLY_BAD;
    return opinion;
}

// Blurred: detail is gone from nearly everywhere, by more than relief is, and what is left is still
// the scene.
static struct opinion judge_blurred(const struct gw_health *health, double shake_pixels)
{
    struct vote soft = {0}, sharp = {0};
    struct opinion opinion = {UNSURE, 0, 0};
    float kept = 0;

    for (int i = 0; i < GW_SCENE_REGIONS; i++) {
        const struct gw_scene_region *now = &health->scene.regions[i],
                                     *then = &health->memory.regions[i];
        // Where noise is half of it, nothing can be said of detail.
        if (!has_relief(health, i) || then->detail < least_detail ||
            then->detail * then->detail < 4 * health->scene.noise)
            continue;
        const float detail = now->detail / then->detail, relief = now->relief / then->relief;
        vote(&soft, health->scene.inner[i], detail < 0.65F && detail < 0.72F * relief);
        vote(&sharp, health->scene.inner[i], detail > 0.75F || detail > 0.85F * relief);
        kept += health->kept[i];
    }
    if (!is_mature(&health->memory) || soft.all < LEAST_REGIONS)
        return opinion;
    opinion.score = share(&soft);
    if (share(&sharp) >= 0.5F)
        opinion.verdict = CLEARLY_GOOD;
    else if (is_most(&soft, most_blurred) && kept / (float)soft.all >= blurred_kept &&
             light(health) >= 0.6F && shake_pixels <= 1)
        opinion.verdict = CLEARLY_BAD;
    return opinion;
}

// Whether the picture has stayed the same since it became another one.
static bool agrees_with_candidate(const struct gw_health *health)
{
    struct vote same = {0};

    for (int i = 0; i < GW_SCENE_REGIONS; i++)
        if (health->scene.used[i] && health->candidate.regions[i].relief >= least_relief)
            vote(&same, health->scene.inner[i], health->kept_new[i] >= least_kept);
    return same.all >= LEAST_REGIONS && share(&same) >= 0.6F;
}

// Moved: a steady picture of the same scene shifted, or with as much in it but nothing where it
// was.
static struct opinion judge_moved(const struct gw_health *health, double shake_pixels)
{
    const float brightness = health->scene.mean / fmaxf(health->memory.mean, 1);
    const float relief = relief_ratio(health);
    struct vote lost = {0}, there = {0};
    struct opinion opinion = {UNSURE, 0, 0};

    for (int i = 0; i < GW_SCENE_REGIONS; i++)
        if (is_landmark(health, i)) {
            vote(&lost, health->scene.inner[i], health->kept[i] < lost_kept);
            vote(&there, health->scene.inner[i], health->kept[i] > there_kept);
        }
    if (!is_mature(&health->memory) || lost.all < LEAST_REGIONS)
        return opinion;
    opinion.score = share(&lost);
    const bool is_light = brightness < 0.4F || brightness > 2.5F || relief < 0.4F || relief > 2.5F;
    const bool elsewhere = health->shifted || (is_most(&lost, most_inner) && !is_light);
    if (share(&there) >= 0.7F)
        opinion.verdict = CLEARLY_GOOD;
    else if (elsewhere && shake_pixels <= 1 && agrees_with_candidate(health))
        opinion.verdict = CLEARLY_BAD;
    const struct fault *fault = &health->faults[GW_EVENT_MOVED];
    if (!health->shifted && health->relit_us != GW_NO_TIME && fault->run_us != GW_NO_TIME &&
        llabs(health->relit_us - fault->run_us) <= RELIT_US)
        opinion.more_us = RELIT_MORE_US;
    return opinion;
}

static struct opinion judge_frozen(struct gw_health *health, int64_t elapsed_us)
{
    const enum gw_still_verdict still = gw_still_feed(&health->still, &health->scene, elapsed_us);
    const bool shows_nothing = is_suspected(health, GW_EVENT_BLACK) ||
                               is_suspected(health, GW_EVENT_OVERBRIGHT) ||
                               is_suspected(health, GW_EVENT_COVERED);

    if (still == GW_STILL_LIVES)
        return (struct opinion){CLEARLY_GOOD, 0, 0};
    const bool stands = still == GW_STILL_STANDS && !shows_nothing;
    return (struct opinion){stands ? CLEARLY_BAD : UNSURE, 1, 0};
}

// --- from opinions to faults ---------------------------------------------------------------------

static void end_run(struct fault *fault)
{
    fault->run_us = fault->doubt_us = GW_NO_TIME;
    fault->evidence_us = 0;
    fault->pictures = 0;
}

static bool is_onset(int64_t time_us, int64_t wall_us)
{
    return time_us != GW_NO_TIME && wall_us - time_us <= ONSET_US;
}

static void begin_run(struct fault *fault, int64_t jumped_us, int64_t wall_us)
{
    fault->run_us = is_onset(jumped_us, wall_us)         ? jumped_us
                    : is_onset(fault->doubt_us, wall_us) ? fault->doubt_us
                                                         : wall_us;
}

// Adds a picture to the run against the present state. Returns whether the state changed.
static bool follow(struct fault *fault, const struct opinion *opinion,
                   const struct patience *patience, int64_t jumped_us, int64_t wall_us,
                   int64_t elapsed_us)
{
    const bool is_bad = fault->state == BAD;
    const enum verdict against = is_bad ? CLEARLY_GOOD : CLEARLY_BAD;
    // Out of the unknown both ways are open; a run is of one kind.
    const bool towards_good = fault->state == UNKNOWN && opinion->verdict == CLEARLY_GOOD;

    if (opinion->verdict == UNSURE) {
        if (fault->doubt_us == GW_NO_TIME)
            fault->doubt_us = wall_us;
        if (fault->run_us != GW_NO_TIME && wall_us - fault->clear_us > DOUBT_US)
            end_run(fault);
        return false;
    }
    if (towards_good) {
        end_run(fault);
        fault->state = GOOD;
        return true;
    }
    if (opinion->verdict != against) {
        end_run(fault);
        return false;
    }
    if (fault->run_us == GW_NO_TIME)
        begin_run(fault, jumped_us, wall_us);
    else if (fault->pictures)
        fault->evidence_us += elapsed_us < EVIDENCE_STEP_US ? elapsed_us : EVIDENCE_STEP_US;
    fault->clear_us = wall_us;
    fault->pictures++;
    const int64_t needed_us = is_bad ? patience->leave_us : patience->enter_us + opinion->more_us;
    const int pictures = is_bad ? patience->leave_pictures : patience->enter_pictures;
    if (fault->evidence_us < needed_us || fault->pictures < pictures)
        return false;
    fault->state = is_bad ? GOOD : BAD;
    return true;
}

static int take_opinion(struct gw_health *health, enum gw_event_kind kind,
                        const struct opinion *opinion, int64_t wall_us, int64_t elapsed_us,
                        struct gw_health_step *ret)
{
    struct fault *fault = &health->faults[kind];

    if (!follow(fault, opinion, &patiences[kind], health->jumped_us, wall_us, elapsed_us))
        return 0;
    const bool begins = fault->state == BAD;
    *ret =
        (struct gw_health_step){kind, begins, fault->run_us == GW_NO_TIME ? wall_us : fault->run_us,
                                begins ? fmin(1, opinion->score) : 0};
    end_run(fault);
    return 1;
}

// --- the long run --------------------------------------------------------------------------------

// Whether much of what tells one place from another is not where it was.
static bool is_different(const struct gw_health *health)
{
    struct vote lost = {0};

    if (!is_mature(&health->memory))
        return false;
    for (int i = 0; i < GW_SCENE_REGIONS; i++)
        if (is_landmark(health, i))
            vote(&lost, health->scene.inner[i], health->kept[i] < lost_kept);
    return lost.all >= LEAST_REGIONS && share(&lost) >= 0.35F;
}

// Only a picture that is not the same any more is worth the search.
static void seek_shift(struct gw_health *health, bool different, int64_t wall_us)
{
    struct gw_scene_shift shift;
    float unmoved;

    if (!different) {
        health->shifted = false;
        health->sought_us = GW_NO_TIME;
        return;
    }
    if (health->sought_us == GW_NO_TIME)
        health->sought_us = wall_us - SEEK_EVERY_US / 2; // when the smoothed picture has followed
    if (wall_us - health->sought_us < SEEK_EVERY_US)
        return;
    health->sought_us = wall_us;
    const float kept = gw_scene_find_shift(&health->scene, &health->memory, &shift, &unmoved);
    health->shifted = kept >= shifted_kept && kept >= unmoved + shifted_better;
}

static void follow_candidate(struct gw_health *health, int64_t elapsed_us)
{
    // Somebody is still moving it: begin again.
    if (health->candidate.pictures >= 3 && !agrees_with_candidate(health))
        gw_scene_memory_clear(&health->candidate);
    gw_scene_learn(&health->scene, &health->candidate, health->kept_new, elapsed_us, memory_s);
}

static bool shows_nothing(const struct gw_health *health)
{
    return is_suspected(health, GW_EVENT_BLACK) || is_suspected(health, GW_EVENT_OVERBRIGHT) ||
           is_suspected(health, GW_EVENT_COVERED);
}

// Also while the memory does not learn: night takes first what the scene is told by, then the
// light.
static void follow_brightness(struct gw_health *health, float elapsed_s)
{
    const float share = 1 - expf(-elapsed_s / (float)memory_s);

    if (shows_nothing(health))
        return;
    health->usual += (health->scene.mean - health->usual) * fmaxf(share, health->usual_s <= 0);
    health->usual_s += elapsed_s;
}

// The memory learns what is neither a fault nor about to become one.
static void learn(struct gw_health *health, int64_t wall_us, int64_t elapsed_us)
{
    const float elapsed_s = (float)elapsed_us * 1e-6F;

    follow_brightness(health, elapsed_s);
    if (shows_nothing(health) || is_suspected(health, GW_EVENT_BLURRED)) {
        return;
    }
    const bool different = is_different(health);
    seek_shift(health, different, wall_us);
    if (!different) {
        if (health->candidate.pictures)
            gw_scene_memory_clear(&health->candidate);
        health->different_s = 0;
        gw_scene_learn(&health->scene, &health->memory, health->kept, elapsed_us, memory_s);
        return;
    }
    health->different_s += elapsed_s;
    follow_candidate(health, elapsed_us);
    const bool moved = health->faults[GW_EVENT_MOVED].state == BAD;
    if (moved ? health->candidate.learnt_s >= settle_s
              : health->different_s >= accept_s && !is_suspected(health, GW_EVENT_MOVED))
        gw_scene_memory_take(&health->memory, &health->candidate);
}

// After a long absence light and weather may be others. What is bad is judged by what was.
static void forget(struct gw_health *health)
{
    bool any = false;

    for (int i = 0; i < GW_EVENT_KIND_COUNT; i++) {
        end_run(&health->faults[i]);
        any |= health->faults[i].state == BAD;
    }
    health->still = (struct gw_still){0};
    gw_scene_memory_clear(&health->candidate);
    if (any)
        return;
    gw_scene_memory_clear(&health->memory);
    health->usual_s = 0;
}

// The first of those in a row: somebody at the camera makes several.
static void note_jump(struct gw_health *health, int64_t wall_us)
{
    if (health->scene.jumped && !is_onset(health->jumped_us, wall_us))
        health->jumped_us = wall_us;
}

int gw_health_feed(struct gw_health *health, const uint8_t *pixels, int64_t wall_us, bool relit,
                   double shake_pixels, struct gw_health_step steps[GW_HEALTH_KINDS])
{
    int64_t elapsed_us = health->looked_us == GW_NO_TIME ? 0 : wall_us - health->looked_us;
    int count = 0;

    if (relit)
        health->relit_us = wall_us;
    if (elapsed_us < 0 || elapsed_us > FORGET_US) {
        forget(health);
        elapsed_us = 0;
    } else if (health->looked_us != GW_NO_TIME && elapsed_us < LOOK_EVERY_US) {
        return 0;
    }
    health->looked_us = wall_us;
    gw_scene_measure(&health->scene, pixels, elapsed_us);
    note_jump(health, wall_us);
    gw_scene_compare(&health->scene, &health->memory, health->kept);
    if (health->candidate.pictures)
        gw_scene_compare(&health->scene, &health->candidate, health->kept_new);
    struct opinion opinions[GW_EVENT_KIND_COUNT] = {
        [GW_EVENT_COVERED] = judge_covered(health),
        [GW_EVENT_BLACK] = judge_black(health),
        [GW_EVENT_OVERBRIGHT] = judge_overbright(health),
        [GW_EVENT_BLURRED] = judge_blurred(health, shake_pixels),
        [GW_EVENT_MOVED] = judge_moved(health, shake_pixels),
        [GW_EVENT_FROZEN] = judge_frozen(health, elapsed_us),
    };
    // A black or white picture is not also a covered one.
    if (opinions[GW_EVENT_COVERED].verdict == CLEARLY_BAD &&
        (opinions[GW_EVENT_BLACK].verdict != CLEARLY_GOOD ||
         opinions[GW_EVENT_OVERBRIGHT].verdict != CLEARLY_GOOD))
        opinions[GW_EVENT_COVERED].verdict = UNSURE;
    for (int i = 0; i < GW_EVENT_KIND_COUNT; i++)
        if (i != GW_EVENT_MOTION)
            count += take_opinion(health, (enum gw_event_kind)i, &opinions[i], wall_us, elapsed_us,
                                  &steps[count]);
    learn(health, wall_us, elapsed_us);
    return count;
}
