// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/gate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "analyze/baseline.h"
#include "analyze/gate_limit.h"
#include "core/clock.h"

// One picture says little; a person moves for longer than this.
static const double smooth_s = 0.35;
// Spreads below this are a still picture from a file or a drawn one: 4 % of the bytes, log2.
static const double least_spread = 0.06;
// A single picture counts for at most so much: a cut is not forty people.
static const double signal_low = -2, signal_high = 10;
// What a moving part costs, of what the same part costs in a keyframe.
static const double inter_share = 0.5;
// The size of thing that reach speaks of: a person at 15 m in a picture of a yard.
static const double reach_area = 0.01;
// An active gate stays so until the signal falls to this share of the limit.
static const double release_share = 0.6;

// Motion leaves its mark this long before and after the picture in which it was seen.
#define MARGIN_US (GW_SECOND * 7 / 10)
// A picture waits to hear what the pixels said until they were looked at so much further on: an
// event that opens then was suspected for a second or little more, and began at most 1.5 s before
// that (patience and reach of hints; event_fsm.c), and what counts of it begins BEFORE_US earlier.
// Where nothing is looked at it waits for so long, in which a GOP of 2.5 s ends and its next
// keyframe speaks for it.
#define SETTLED_US (3 * GW_SECOND)
#define WAIT_US    (4 * GW_SECOND)
// Two pictures that show nothing speak for what lies between them when they are no further apart:
// what moves for longer shows in one of them (level.c).
#define VOUCH_US (GW_SECOND * 5 / 2)
// Of a beginning event, the part whose signal counts.
#define BEFORE_US (GW_SECOND * 3 / 10)
#define AFTER_US  (2 * GW_SECOND)
// The first values come quickly so that the gate is soon of use; later ones so slowly that the
// window is five minutes long.
#define EARLY_US (GW_SECOND / 16)
#define LATER_US (3 * GW_SECOND)
// Pictures further apart than this were not looked at in one go.
#define LOOK_GAP_US (GW_SECOND * 6 / 10)

// Kinds of picture with a baseline of their own: P, reference B, other B; keyframes apart. By
// position in the GOP (1, 2 to 3, 4 to 7, ... 32 and later), for after a keyframe each picture
// mends what the ones before it coded coarsely.
enum { KIND_P, KIND_B_REFERENCE, KIND_B, KIND_COUNT };
enum { POSITIONS = 6, BIN_KEY = KIND_COUNT * POSITIONS, BIN_COUNT };
enum { WAITING = 256, QUESTIONS = 4 };

struct bin {
    struct gw_baseline bytes, weighted; // log2
    int64_t added_us;                   // when a value was last added
};

// A picture that waits to be learnt from.
struct waiting {
    int64_t wall_us, step_us;
    int bin; // -1: says nothing
    float bytes, weighted, signal;
    bool seen, moving;
};

// An event whose beginning has not left the queue yet.
struct question {
    int64_t start_us;
    double peak;
    bool open;
};

struct gw_gate {
    struct bin bins[BIN_COUNT];
    struct waiting waiting[WAITING]; // in order of decoding, in a circle
    int first, count;
    int since_key;
    double signal;         // smoothed
    double settled_signal; // the same of pictures that came before quiet was known
    bool active;
    int64_t saw_us, moved_us; // GW_NO_TIME for never
    struct gw_gate_limit limit;
    double second_s, second_max; // of the quiet second that goes on: its length, its largest signal
    int64_t last_quiet_us;
    double quiet_s;
    struct question questions[QUESTIONS];
};

int gw_gate_create(struct gw_gate **ret)
{
    *ret = malloc(sizeof(**ret));
    if (!*ret)
        return -ENOMEM;
    gw_gate_reset(*ret);
    return 0;
}

void gw_gate_destroy(struct gw_gate **gate)
{
    free(*gate);
    *gate = NULL;
}

void gw_gate_reset(struct gw_gate *gate)
{
    *gate =
        (struct gw_gate){.saw_us = GW_NO_TIME, .moved_us = GW_NO_TIME, .last_quiet_us = GW_NO_TIME};
    gw_gate_limit_init(&gate->limit);
    for (int i = 0; i < BIN_COUNT; i++)
        gate->bins[i].added_us = GW_NO_TIME;
}

// --- what to expect ------------------------------------------------------------------------------

// The kind of picture that most is known of, keyframes apart; NULL when nothing is.
static const struct bin *usual_bin(const struct gw_gate *gate)
{
    const struct bin *usual = NULL;

    for (int i = 0; i < BIN_KEY; i++)
        if (gw_baseline_ready(&gate->bins[i].bytes) &&
            (!usual || gate->bins[i].bytes.count >= usual->bytes.count))
            usual = &gate->bins[i];
    return usual;
}

// What a moving thing would add to a quiet picture, from what its share of a keyframe costs.
static double expected_signal(const struct gw_gate *gate)
{
    const struct gw_baseline *key = &gate->bins[BIN_KEY].weighted;
    const struct bin *usual = usual_bin(gate);

    if (key->count == 0 || !usual)
        return 0;
    const struct gw_baseline *quiet = &usual->weighted;
    const double added = inter_share * reach_area * exp2(key->median);
    const double higher = log2(1 + added / exp2(quiet->median));
    return fmin(higher / fmax(quiet->spread, least_spread), signal_high);
}

static void take_answer(struct gw_gate *gate, struct question *question)
{
    question->open = false;
    gw_gate_limit_add_event(&gate->limit, question->start_us, question->peak,
                            expected_signal(gate));
}

// --- what is learnt, once the pixels have had their say ------------------------------------------

// How much more than quiet this one cost; NAN when nobody knows.
static double deviation(const struct gw_gate *gate, const struct waiting *picture)
{
    const struct bin *bin = picture->bin < 0 ? NULL : &gate->bins[picture->bin];

    if (!bin || picture->bin == BIN_KEY || !gw_baseline_ready(&bin->bytes))
        return NAN;
    const double bytes = gw_baseline_deviation(&bin->bytes, picture->bytes, least_spread);
    const double weighted = gw_baseline_deviation(&bin->weighted, picture->weighted, least_spread);
    return fmin(fmax(fmax(bytes, weighted), signal_low), signal_high);
}

// How far a signal goes to the present deviation in a step of this length.
static double smoothing(int64_t step_us)
{
    return 1 - exp(-fmin(fmax((double)step_us * 1e-6, 0), 1) / smooth_s);
}

static void learn(struct gw_gate *gate, const struct waiting *picture)
{
    struct bin *bin = &gate->bins[picture->bin];
    const int64_t every_us = bin->bytes.count < GW_BASELINE_SIZE ? EARLY_US : LATER_US;

    if (bin->added_us != GW_NO_TIME && llabs(picture->wall_us - bin->added_us) < every_us)
        return;
    bin->added_us = picture->wall_us;
    gw_baseline_add(&bin->bytes, picture->bytes);
    gw_baseline_add(&bin->weighted, picture->weighted);
}

static void count_quiet(struct gw_gate *gate, const struct waiting *picture)
{
    const int64_t before_us = gate->last_quiet_us;

    gate->last_quiet_us = picture->wall_us;
    if (before_us == GW_NO_TIME || isnan(picture->signal))
        return;
    const double elapsed_s = (double)(picture->wall_us - before_us) * 1e-6;
    gate->second_max = fmax(gate->second_max, picture->signal);
    if (elapsed_s > 0 && elapsed_s < 1) {
        gate->second_s += elapsed_s;
        gate->quiet_s += picture->seen ? elapsed_s : 0;
    }
    if (gate->second_s < 1)
        return;
    gw_gate_limit_add_second(&gate->limit, gate->second_max, expected_signal(gate));
    gate->second_s = gate->second_max = 0;
}

static void answer_questions(struct gw_gate *gate, const struct waiting *picture)
{
    for (int i = 0; i < QUESTIONS; i++) {
        struct question *question = &gate->questions[i];
        if (!question->open)
            continue;
        const int64_t since_us = picture->wall_us - question->start_us;
        if (since_us > AFTER_US + GW_SECOND / 2)
            take_answer(gate, question);
        else if (since_us >= -BEFORE_US && since_us <= AFTER_US && !isnan(picture->signal))
            question->peak = fmax(question->peak, picture->signal);
    }
}

// What could not be said of the first pictures when they came: they are what quiet looks like.
static void settle_signal(struct gw_gate *gate, struct waiting *picture)
{
    const double before = deviation(gate, picture);

    if (!isnan(before))
        gate->settled_signal += (before - gate->settled_signal) * smoothing(picture->step_us);
    if (usual_bin(gate))
        picture->signal = (float)gate->settled_signal;
}

static void settle(struct gw_gate *gate, struct waiting *picture)
{
    if (isnan(picture->signal))
        settle_signal(gate, picture);
    const bool quiet = picture->seen && !picture->moving;
    // What nobody looked at is taken for quiet when it cost what quiet costs: dusk is followed.
    const bool unseen = !picture->seen && !picture->moving && picture->signal < gate->limit.value;

    answer_questions(gate, picture);
    gw_gate_limit_forget(&gate->limit, picture->wall_us);
    if (picture->bin < 0)
        return;
    if (!quiet && !unseen)
        return;
    learn(gate, picture);
    count_quiet(gate, picture);
}

static void settle_oldest(struct gw_gate *gate)
{
    settle(gate, &gate->waiting[gate->first]);
    gate->first = (gate->first + 1) % WAITING;
    gate->count--;
}

static struct waiting *nth(struct gw_gate *gate, int n)
{
    return &gate->waiting[(gate->first + n) % WAITING];
}

static void wait(struct gw_gate *gate, const struct waiting *picture)
{
    while (gate->count > 0 &&
           (gate->count == WAITING || llabs(picture->wall_us - nth(gate, 0)->wall_us) > WAIT_US))
        settle_oldest(gate);
    *nth(gate, gate->count) = *picture;
    gate->count++;
}

void gw_gate_saw(struct gw_gate *gate, int64_t wall_us, bool moving)
{
    const bool in_one_go = gate->saw_us != GW_NO_TIME && wall_us > gate->saw_us &&
                           wall_us - gate->saw_us <= LOOK_GAP_US;
    const int64_t from_us = in_one_go ? gate->saw_us : wall_us - 1;

    for (int i = 0; i < gate->count; i++) {
        struct waiting *picture = nth(gate, i);
        picture->seen |= picture->wall_us > from_us && picture->wall_us <= wall_us;
        picture->moving |= moving && llabs(picture->wall_us - wall_us) <= MARGIN_US;
    }
    gate->saw_us = wall_us;
    if (moving)
        gate->moved_us = wall_us;
    // Pictures are looked at in order: nothing will be said of these any more.
    while (gate->count > 0 && wall_us - nth(gate, 0)->wall_us > SETTLED_US)
        settle_oldest(gate);
}

void gw_gate_vouch(struct gw_gate *gate, int64_t wall_us)
{
    const bool was_quiet = gate->saw_us != GW_NO_TIME && gate->moved_us != gate->saw_us;

    if (!was_quiet || wall_us - gate->saw_us > VOUCH_US)
        return;
    for (int i = 0; i < gate->count; i++) {
        struct waiting *picture = nth(gate, i);
        picture->seen |= picture->wall_us > gate->saw_us && picture->wall_us < wall_us;
    }
}

void gw_gate_found(struct gw_gate *gate, int64_t start_us)
{
    // A gate that knows no quiet yet cannot miss anything.
    if (!gw_gate_limit_ready(&gate->limit))
        return;
    for (int i = 0; i < QUESTIONS; i++)
        if (!gate->questions[i].open) {
            gate->questions[i] = (struct question){start_us, signal_low, true};
            return;
        }
}

// --- the signal ----------------------------------------------------------------------------------

static int find_bin(struct gw_gate *gate, const struct gw_picture_info *info, bool key)
{
    int position = 0;

    gate->since_key = key ? 0 : gate->since_key + 1;
    if (key)
        return BIN_KEY;
    while (position < POSITIONS - 1 && gate->since_key >> (position + 1) > 0)
        position++;
    switch (info->type) {
    case GW_PICTURE_B: return (info->reference ? KIND_B_REFERENCE : KIND_B) * POSITIONS + position;
    case GW_PICTURE_I: return -1; // rare without being a keyframe, and like no other
    default: return KIND_P * POSITIONS + position;
    }
}

static bool is_active(const struct gw_gate *gate, double signal)
{
    if (isnan(gate->limit.value))
        return false;
    return signal >= gate->limit.value * (gate->active ? release_share : 1);
}

struct gw_gate_verdict gw_gate_feed(struct gw_gate *gate, const struct gw_picture_info *info,
                                    bool key, int64_t wall_us, int64_t step_us)
{
    const double bytes = log2(fmax(info->slice_bytes, 1));
    struct waiting picture = {.wall_us = wall_us,
                              .step_us = step_us,
                              .bin = find_bin(gate, info, key),
                              .bytes = (float)bytes,
                              .weighted = (float)(bytes + fmax(info->qp, 0) / 6.0)};
    const double now = deviation(gate, &picture);

    if (!isnan(now))
        gate->signal += (now - gate->signal) * smoothing(step_us);
    const bool known = !isnan(now) || usual_bin(gate);
    picture.signal = known ? (float)gate->signal : NAN;
    picture.moving = gate->moved_us != GW_NO_TIME && llabs(wall_us - gate->moved_us) <= MARGIN_US;
    gate->active = is_active(gate, gate->signal);
    wait(gate, &picture);
    return (struct gw_gate_verdict){picture.signal, gate->limit.value, gate->active};
}

bool gw_gate_judge(const struct gw_gate *gate, struct gw_gate_evidence *ret)
{
    *ret = (struct gw_gate_evidence){.quiet_s = gate->quiet_s,
                                     .limit = gate->limit.value,
                                     .reach = expected_signal(gate),
                                     .events = gate->limit.event_count,
                                     .missed = gw_gate_limit_missed(&gate->limit),
                                     .false_share = gw_gate_limit_false_share(&gate->limit)};
    return gw_gate_limit_ready(&gate->limit);
}
