// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/health.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "analyze/health_judge.h"
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
// The usual brightness is known after so long.
static const float usual_known_s = 8;
// Something else that stays without being a fault (a light, snow) is remembered after this.
static const float accept_s = 90;
// A camera that was moved has learnt its new view after so long: enough to notice the next fault.
static const float settle_s = 40;
// After this, whatever it shows instead is remembered, steady or not.
static const float give_up_s = 900;
// A change of light that switched the picture at once explains much; such a move must last longer.
#define RELIT_US      (5 * GW_SECOND)
#define RELIT_MORE_US (25 * GW_SECOND)

// What was turned a little shows the same elsewhere: the agreement there, and by how much it must
// be better than here; sought so often.
static const float shifted_kept = 0.55F, shifted_better = 0.2F;
#define SEEK_EVERY_US (4 * GW_SECOND)

enum state { UNKNOWN, GOOD, BAD };

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

struct fault {
    enum state state;
    int64_t run_us;      // when the run of the other kind began; GW_NO_TIME for none
    int64_t doubt_us;    // the first doubtful picture since a clear one; GW_NO_TIME for none
    int64_t clear_us;    // the last picture that was clearly of the other kind
    int64_t evidence_us; // how long the run was seen
    int pictures;        // of the run
};

struct gw_health {
    struct gw_sight sight;
    struct gw_still still;
    float usual_s;     // for how long the usual brightness was learnt
    float different_s; // for how long it has shown something else
    struct fault faults[GW_EVENT_KIND_COUNT];
    int64_t looked_us; // GW_NO_TIME before the first picture
    int64_t relit_us;  // when the light was last switched; GW_NO_TIME before
    int64_t jumped_us; // when the picture last changed as a whole; GW_NO_TIME before
    int64_t sought_us; // when a shift was last sought; GW_NO_TIME before
};

int gw_health_create(struct gw_health **ret, int width, int height, const uint8_t *mask)
{
    struct gw_health *health = calloc(1, sizeof(*health));

    if (!health)
        return -ENOMEM;
    if (gw_scene_init(&health->sight.scene, width, height, mask) < 0 ||
        gw_scene_memory_init(&health->sight.memory, &health->sight.scene) < 0 ||
        gw_scene_memory_init(&health->sight.candidate, &health->sight.scene) < 0) {
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
    gw_scene_memory_finish(&(*health)->sight.memory);
    gw_scene_memory_finish(&(*health)->sight.candidate);
    gw_scene_finish(&(*health)->sight.scene);
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

// --- one opinion for each kind -------------------------------------------------------------------

// A light that was switched when it began explains a picture in which nothing is found again.
static struct gw_opinion judge_moved(const struct gw_health *health)
{
    const struct fault *fault = &health->faults[GW_EVENT_MOVED];
    struct gw_opinion opinion = gw_judge_moved(&health->sight);

    if (!health->sight.shifted && health->relit_us != GW_NO_TIME && fault->run_us != GW_NO_TIME &&
        llabs(health->relit_us - fault->run_us) <= RELIT_US)
        opinion.more_us = RELIT_MORE_US;
    return opinion;
}

static struct gw_opinion judge_frozen(struct gw_health *health, int64_t elapsed_us)
{
    const enum gw_still_verdict still =
        gw_still_feed(&health->still, &health->sight.scene, elapsed_us);
    const bool shows_nothing = is_suspected(health, GW_EVENT_BLACK) ||
                               is_suspected(health, GW_EVENT_OVERBRIGHT) ||
                               is_suspected(health, GW_EVENT_COVERED);

    if (still == GW_STILL_LIVES)
        return (struct gw_opinion){GW_CLEARLY_GOOD, 0, 0};
    const bool stands = still == GW_STILL_STANDS && !shows_nothing;
    return (struct gw_opinion){stands ? GW_CLEARLY_BAD : GW_UNSURE, 1, 0};
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
static bool follow(struct fault *fault, const struct gw_opinion *opinion,
                   const struct patience *patience, int64_t jumped_us, int64_t wall_us,
                   int64_t elapsed_us)
{
    const bool is_bad = fault->state == BAD;
    const enum gw_verdict against = is_bad ? GW_CLEARLY_GOOD : GW_CLEARLY_BAD;
    // Out of the unknown both ways are open; a run is of one kind.
    const bool towards_good = fault->state == UNKNOWN && opinion->verdict == GW_CLEARLY_GOOD;

    if (opinion->verdict == GW_UNSURE) {
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
                        const struct gw_opinion *opinion, int64_t wall_us, int64_t elapsed_us,
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

// Only a picture that is not the same any more is worth the search.
static void seek_shift(struct gw_health *health, bool different, int64_t wall_us)
{
    struct gw_scene_shift shift;
    float unmoved;

    if (!different) {
        health->sight.shifted = false;
        health->sought_us = GW_NO_TIME;
        return;
    }
    if (health->sought_us == GW_NO_TIME)
        health->sought_us = wall_us - SEEK_EVERY_US / 2; // when the smoothed picture has followed
    if (wall_us - health->sought_us < SEEK_EVERY_US)
        return;
    health->sought_us = wall_us;
    const float kept =
        gw_scene_find_shift(&health->sight.scene, &health->sight.memory, &shift, &unmoved);
    health->sight.shifted = kept >= shifted_kept && kept >= unmoved + shifted_better;
}

static void follow_candidate(struct gw_health *health, int64_t elapsed_us)
{
    // Somebody is still moving it: begin again.
    if (health->sight.candidate.pictures >= 3 && !gw_sight_is_steady(&health->sight))
        gw_scene_memory_clear(&health->sight.candidate);
    gw_scene_learn(&health->sight.scene, &health->sight.candidate, health->sight.kept_new,
                   elapsed_us, memory_s);
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
    health->sight.usual +=
        (health->sight.scene.mean - health->sight.usual) * fmaxf(share, health->usual_s <= 0);
    health->usual_s += elapsed_s;
    health->sight.usual_known = health->usual_s >= usual_known_s;
}

// The memory learns what is neither a fault nor about to become one.
static void learn(struct gw_health *health, int64_t wall_us, int64_t elapsed_us)
{
    const float elapsed_s = (float)elapsed_us * 1e-6F;

    follow_brightness(health, elapsed_s);
    if (shows_nothing(health) || is_suspected(health, GW_EVENT_BLURRED)) {
        return;
    }
    const bool different = gw_sight_is_different(&health->sight);
    seek_shift(health, different, wall_us);
    if (!different) {
        if (health->sight.candidate.pictures)
            gw_scene_memory_clear(&health->sight.candidate);
        health->different_s = 0;
        gw_scene_learn(&health->sight.scene, &health->sight.memory, health->sight.kept, elapsed_us,
                       memory_s);
        return;
    }
    health->different_s += elapsed_s;
    follow_candidate(health, elapsed_us);
    const bool moved = health->faults[GW_EVENT_MOVED].state == BAD;
    if ((moved && health->sight.candidate.learnt_s >= settle_s) ||
        (health->different_s >= accept_s && !is_suspected(health, GW_EVENT_MOVED)) ||
        health->different_s >= give_up_s)
        gw_scene_memory_take(&health->sight.memory, &health->sight.candidate);
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
    gw_scene_memory_clear(&health->sight.candidate);
    if (any)
        return;
    gw_scene_memory_clear(&health->sight.memory);
    health->usual_s = 0;
    health->sight.usual_known = false;
}

// The first of those in a row: somebody at the camera makes several.
static void note_jump(struct gw_health *health, int64_t wall_us)
{
    if (health->sight.scene.jumped && !is_onset(health->jumped_us, wall_us))
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
    health->sight.shake_pixels = shake_pixels;
    gw_scene_measure(&health->sight.scene, pixels, elapsed_us);
    note_jump(health, wall_us);
    gw_scene_compare(&health->sight.scene, &health->sight.memory, health->sight.kept);
    if (health->sight.candidate.pictures)
        gw_scene_compare(&health->sight.scene, &health->sight.candidate, health->sight.kept_new);
    struct gw_opinion opinions[GW_EVENT_KIND_COUNT] = {
        [GW_EVENT_COVERED] = gw_judge_covered(&health->sight),
        [GW_EVENT_BLACK] = gw_judge_black(&health->sight),
        [GW_EVENT_OVERBRIGHT] = gw_judge_overbright(&health->sight),
        [GW_EVENT_BLURRED] = gw_judge_blurred(&health->sight),
        [GW_EVENT_MOVED] = judge_moved(health),
        [GW_EVENT_FROZEN] = judge_frozen(health, elapsed_us),
    };
    // A black or white picture is not also a covered one.
    if (opinions[GW_EVENT_COVERED].verdict == GW_CLEARLY_BAD &&
        (opinions[GW_EVENT_BLACK].verdict != GW_CLEARLY_GOOD ||
         opinions[GW_EVENT_OVERBRIGHT].verdict != GW_CLEARLY_GOOD))
        opinions[GW_EVENT_COVERED].verdict = GW_UNSURE;
    for (int i = 0; i < GW_EVENT_KIND_COUNT; i++)
        if (i != GW_EVENT_MOTION)
            count += take_opinion(health, (enum gw_event_kind)i, &opinions[i], wall_us, elapsed_us,
                                  &steps[count]);
    learn(health, wall_us, elapsed_us);
    return count;
}
