// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The gate on invented streams: what pictures cost in quiet, and what something adds to it.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "analyze/gate.h"
#include "core/clock.h"

enum { FPS = 25, GOP = 50 };
#define BEGIN_US (INT64_C(1777863721) * GW_SECOND)

// A camera: bytes of P pictures are log-normal around 2000, keyframes cost 60 times as much.
struct camera {
    struct gw_gate *gate;
    uint32_t random;
    int n;                // of the next picture
    double noise;         // sigma of log2(bytes)
    double factor;        // bytes are multiplied by it while something moves
    double event_s[2];    // from and to; equal for none
    bool constant_rate;   // what moves raises the quantiser instead of the bytes
    bool nobody_looks;    // no pixels
    double highest;       // signal so far outside of the event
    int active, pictures; // outside of the event
    double event_highest;
    int event_active;
    double began_s; // when the gate first was active in the event; 0 never
    struct gw_gate_verdict last;
};

static struct camera make_camera(void)
{
    struct camera camera = {.random = 1, .noise = 0.12, .factor = 3};

    assert_int_equal(gw_gate_create(&camera.gate), 0);
    return camera;
}

static double uniform(struct camera *camera)
{
    camera->random = camera->random * 1664525 + 1013904223;
    return ((camera->random >> 8) + 0.5) / (1 << 24);
}

// Box and Muller, Ann. Math. Stat. 29, 1958.
static double gaussian(struct camera *camera)
{
    const double radius = sqrt(-2 * log(uniform(camera)));

    return radius * cos(6.283185307179586 * uniform(camera));
}

static struct gw_picture_info picture_of(struct camera *camera, bool moving)
{
    const bool key = camera->n % GOP == 0;
    const double usual = key ? 120000 : 2000;
    const double factor = moving && !key ? camera->factor : 1;
    double bytes = usual * exp2(camera->noise * gaussian(camera));
    int qp = 28;

    if (camera->constant_rate)
        qp += (int)lround(6 * log2(factor));
    else
        bytes *= factor;
    return (struct gw_picture_info){.type = key ? GW_PICTURE_I : GW_PICTURE_P,
                                    .reference = true,
                                    .qp = qp,
                                    .slices = 1,
                                    .slice_bytes = (int)bytes};
}

static void note(struct camera *camera, bool moving, double now_s)
{
    const struct gw_gate_verdict *verdict = &camera->last;

    if (moving) {
        camera->event_highest = fmax(camera->event_highest, verdict->signal);
        camera->event_active += verdict->active;
        if (verdict->active && camera->began_s == 0)
            camera->began_s = now_s;
    } else if (!isnan(verdict->signal) && now_s > camera->event_s[1] + 3) {
        camera->highest = fmax(camera->highest, verdict->signal);
        camera->active += verdict->active;
        camera->pictures++;
    }
}

// Feeds so many seconds; every picture is looked at, unless nobody looks.
static void run(struct camera *camera, double seconds)
{
    const int end = camera->n + (int)lround(seconds * FPS);

    for (; camera->n < end; camera->n++) {
        const double now_s = (double)camera->n / FPS;
        const bool moving = now_s >= camera->event_s[0] && now_s < camera->event_s[1];
        const int64_t wall_us = BEGIN_US + (int64_t)camera->n * GW_SECOND / FPS;
        const struct gw_picture_info info = picture_of(camera, moving);
        camera->last =
            gw_gate_feed(camera->gate, &info, camera->n % GOP == 0, wall_us, GW_SECOND / FPS);
        if (!camera->nobody_looks)
            gw_gate_saw(camera->gate, wall_us, moving);
        note(camera, moving, now_s);
    }
}

// An event of so many seconds from now on, found by the pixels, and 8 s of quiet after it.
static void run_event(struct camera *camera, double seconds)
{
    camera->event_s[0] = (double)camera->n / FPS;
    camera->event_s[1] = camera->event_s[0] + seconds;
    camera->event_highest = camera->began_s = camera->event_active = 0;
    run(camera, 1);
    gw_gate_found(camera->gate, BEGIN_US + (int64_t)(camera->event_s[0] * 1e6));
    run(camera, seconds - 1 + 8);
}

static struct gw_gate_evidence judge(const struct camera *camera)
{
    struct gw_gate_evidence evidence;

    assert_true(gw_gate_judge(camera->gate, &evidence));
    return evidence;
}

static void without_quiet_there_is_no_limit(void **state)
{
    struct camera camera = make_camera();
    struct gw_gate_evidence evidence;

    assert_false(gw_gate_judge(camera.gate, &evidence));
    assert_true(isnan(evidence.limit));
    camera.event_s[1] = 60;
    run(&camera, 60);
    assert_false(gw_gate_judge(camera.gate, &evidence));
    assert_true(isnan(camera.last.limit));
    assert_false(camera.last.active);
    assert_float_equal(evidence.quiet_s, 0, 0);
    gw_gate_destroy(&camera.gate);
}

static void pictures_that_nobody_looks_at_teach_nothing_at_first(void **state)
{
    struct camera camera = make_camera();
    struct gw_gate_evidence evidence;

    camera.nobody_looks = true;
    run(&camera, 60);
    assert_false(gw_gate_judge(camera.gate, &evidence));
    assert_true(isnan(camera.last.limit));
    gw_gate_destroy(&camera.gate);
}

static void half_a_minute_of_quiet_gives_a_limit(void **state)
{
    struct camera camera = make_camera();

    run(&camera, 30);
    const struct gw_gate_evidence evidence = judge(&camera);
    assert_true(evidence.limit >= 0.8);
    assert_true(evidence.limit < 4);
    assert_in_range(evidence.quiet_s, 15, 30);
    assert_true(evidence.reach > evidence.limit);
    gw_gate_destroy(&camera.gate);
}

static void a_limit_lies_above_quiet_and_below_an_event(void **state)
{
    struct camera camera = make_camera();

    run(&camera, 60);
    camera.highest = camera.active = camera.pictures = 0;
    run(&camera, 60);
    assert_true(camera.active <= camera.pictures / 20);
    const double limit = camera.last.limit;
    run_event(&camera, 2);
    assert_true(camera.event_highest > 1.5 * limit);
    assert_true(camera.began_s - camera.event_s[0] <= 0.4);
    assert_false(camera.last.active);
    gw_gate_destroy(&camera.gate);
}

static void constant_bitrate_shows_the_event_in_the_quantiser(void **state)
{
    struct camera camera = make_camera();

    camera.constant_rate = true;
    run(&camera, 60);
    run_event(&camera, 2);
    assert_true(camera.event_highest > 1.5 * camera.last.limit);
    assert_true(camera.began_s - camera.event_s[0] <= 0.4);
    gw_gate_destroy(&camera.gate);
}

static void an_event_in_noise_as_large_as_itself_is_counted_as_missed(void **state)
{
    struct camera camera = make_camera();

    camera.noise = 1;
    camera.factor = 1.02;
    run(&camera, 120);
    for (int i = 0; i < 6; i++)
        run_event(&camera, 2);
    const struct gw_gate_evidence evidence = judge(&camera);
    assert_int_equal(evidence.events, 6);
    assert_true(evidence.missed >= 1);
    gw_gate_destroy(&camera.gate);
}

static void an_event_that_is_clear_is_counted_and_not_missed(void **state)
{
    struct camera camera = make_camera();

    run(&camera, 60);
    for (int i = 1; i <= 5; i++) {
        run_event(&camera, 2);
        const struct gw_gate_evidence evidence = judge(&camera);
        assert_int_equal(evidence.events, i);
        assert_int_equal(evidence.missed, 0);
    }
    gw_gate_destroy(&camera.gate);
}

static void before_there_is_a_limit_no_event_is_missed(void **state)
{
    struct camera camera = make_camera();

    camera.factor = 1;
    run_event(&camera, 2);
    run(&camera, 30);
    assert_int_equal(judge(&camera).events, 0);
    gw_gate_destroy(&camera.gate);
}

static void events_older_than_an_hour_are_forgotten(void **state)
{
    struct camera camera = make_camera();

    run(&camera, 40);
    run_event(&camera, 2);
    assert_int_equal(judge(&camera).events, 1);
    run(&camera, 3500);
    assert_int_equal(judge(&camera).events, 1);
    run(&camera, 110);
    assert_int_equal(judge(&camera).events, 0);
    gw_gate_destroy(&camera.gate);
}

// A cut or a lightning is one dear picture; people are many.
static void one_dear_picture_does_not_trigger(void **state)
{
    struct camera camera = make_camera();

    camera.noise = 0.3;
    run(&camera, 61);
    const double limit = camera.last.limit;
    camera.factor = 3;
    camera.event_s[0] = (double)camera.n / FPS;
    camera.event_s[1] = camera.event_s[0] + 1.0 / FPS;
    camera.event_highest = camera.event_active = 0;
    run(&camera, 1.0 / FPS);
    assert_true(camera.event_highest < limit);
    assert_int_equal(camera.event_active, 0);
    gw_gate_destroy(&camera.gate);
}

// The first P pictures after a keyframe cost eight times as much as those later, in every GOP.
// Without a custom of their own they would trigger each time.
static void what_is_learnt_is_apart_for_each_position_in_the_gop(void **state)
{
    struct camera camera = make_camera();
    int active = 0;

    for (; camera.n < 180 * FPS; camera.n++) {
        const int position = camera.n % GOP;
        const int64_t wall_us = BEGIN_US + (int64_t)camera.n * GW_SECOND / FPS;
        struct gw_picture_info info = picture_of(&camera, false);
        if (position > 0 && position < 8)
            info.slice_bytes *= 8;
        camera.last = gw_gate_feed(camera.gate, &info, position == 0, wall_us, GW_SECOND / FPS);
        gw_gate_saw(camera.gate, wall_us, false);
        active += camera.n >= 60 * FPS && camera.last.active;
    }
    assert_true(camera.last.limit < 4);
    assert_true(active <= 120 * FPS / 20);
    gw_gate_destroy(&camera.gate);
}

static void b_pictures_have_a_quiet_of_their_own(void **state)
{
    struct camera camera = make_camera();
    int active = 0;

    for (; camera.n < 180 * FPS; camera.n++) {
        const int position = camera.n % GOP;
        const int64_t wall_us = BEGIN_US + (int64_t)camera.n * GW_SECOND / FPS;
        struct gw_picture_info info = picture_of(&camera, false);
        if (position % 10 >= 5) {
            info.type = GW_PICTURE_B;
            info.reference = position % 10 == 5;
            info.slice_bytes /= info.reference ? 4 : 16;
        }
        camera.last = gw_gate_feed(camera.gate, &info, position == 0, wall_us, GW_SECOND / FPS);
        gw_gate_saw(camera.gate, wall_us, false);
        active += camera.n >= 60 * FPS && camera.last.active;
    }
    assert_true(camera.last.limit < 4);
    assert_true(active <= 120 * FPS / 20);
    gw_gate_destroy(&camera.gate);
}

// Once there is a limit, quiet is learnt on unseen; only what triggers is looked at. The cost of
// dusk doubles in half an hour.
static void dusk_is_followed_though_hardly_anybody_looks(void **state)
{
    struct camera camera = make_camera();
    int active = 0;

    run(&camera, 60);
    for (int s = 0; s < 1800; s++) {
        const int end = camera.n + FPS;
        for (; camera.n < end; camera.n++) {
            const int64_t wall_us = BEGIN_US + (int64_t)camera.n * GW_SECOND / FPS;
            struct gw_picture_info info = picture_of(&camera, false);
            info.slice_bytes = (int)(info.slice_bytes * exp2(s / 1800.0));
            camera.last =
                gw_gate_feed(camera.gate, &info, camera.n % GOP == 0, wall_us, GW_SECOND / FPS);
            if (camera.last.active)
                gw_gate_saw(camera.gate, wall_us, false);
            active += camera.last.active;
        }
    }
    assert_false(camera.last.active);
    assert_true(active <= 1800 * FPS / 20);
    gw_gate_destroy(&camera.gate);
}

static void an_active_gate_stays_so_until_the_signal_has_fallen(void **state)
{
    struct camera camera = make_camera();
    bool seen = false;

    run(&camera, 61);
    camera.event_s[0] = (double)camera.n / FPS;
    camera.event_s[1] = camera.event_s[0] + 2;
    bool active = camera.last.active;
    for (int n = 0; n < 5 * FPS; n++) {
        run(&camera, 1.0 / FPS);
        const double share = camera.last.signal / camera.last.limit;
        if (active)
            assert_int_equal(camera.last.active, share >= 0.6);
        else
            assert_int_equal(camera.last.active, share >= 1);
        seen |= active && camera.last.active && share < 1;
        active = camera.last.active;
    }
    assert_true(seen);
    gw_gate_destroy(&camera.gate);
}

static void motion_is_not_learnt_as_quiet(void **state)
{
    struct camera camera = make_camera();

    run(&camera, 60);
    const double limit = camera.last.limit;
    camera.event_s[0] = 60;
    camera.event_s[1] = 1260;
    run(&camera, 1200);
    assert_true(camera.last.active);
    assert_true(camera.last.limit <= 1.5 * limit);
    run(&camera, 5);
    assert_false(camera.last.active);
    gw_gate_destroy(&camera.gate);
}

// Nobody looks but at keyframes, of which every so manieth is looked at; moving: one of two shows
// something.
static void run_keyframes(struct camera *camera, double seconds, int every, bool moving)
{
    const int end = camera->n + (int)lround(seconds * FPS);

    while (camera->n < end) {
        const int64_t wall_us = BEGIN_US + (int64_t)camera->n * GW_SECOND / FPS;
        const bool looked = camera->n % (every * GOP) == 0;
        const bool moves = moving && camera->n / (every * GOP) % 2 == 1;
        camera->nobody_looks = true;
        run(camera, 1.0 / FPS);
        if (looked && !moves)
            gw_gate_vouch(camera->gate, wall_us);
        if (looked)
            gw_gate_saw(camera->gate, wall_us, moves);
    }
}

static void quiet_counts_three_seconds_after_it_was_seen(void **state)
{
    struct camera camera = make_camera();

    run(&camera, 13);
    assert_true(judge(&camera).quiet_s >= 8.5);
    gw_gate_destroy(&camera.gate);
}

static void what_two_quiet_keyframes_enclose_is_quiet(void **state)
{
    struct camera camera = make_camera();

    run_keyframes(&camera, 30, 1, false);
    const struct gw_gate_evidence evidence = judge(&camera);
    assert_true(evidence.quiet_s >= 22);
    assert_true(evidence.limit < 4);
    assert_true(evidence.reach > evidence.limit);
    gw_gate_destroy(&camera.gate);
}

static void keyframes_four_seconds_apart_say_nothing_of_what_lies_between(void **state)
{
    struct camera camera = make_camera();
    struct gw_gate_evidence evidence;

    run_keyframes(&camera, 60, 2, false);
    assert_false(gw_gate_judge(camera.gate, &evidence));
    assert_true(evidence.quiet_s < 1);
    gw_gate_destroy(&camera.gate);
}

static void a_quiet_keyframe_after_one_that_moves_speaks_for_nothing(void **state)
{
    struct camera camera = make_camera();
    struct gw_gate_evidence evidence;

    run_keyframes(&camera, 60, 1, true);
    assert_false(gw_gate_judge(camera.gate, &evidence));
    assert_true(evidence.quiet_s < 1);
    gw_gate_destroy(&camera.gate);
}

// The highest of few quiet seconds is soon surpassed. What a person adds lies far above all of
// them.
static void a_limit_from_few_seconds_is_no_lower_than_noise(void **state)
{
    int active = 0, pictures = 0;

    for (uint32_t seed = 1; seed <= 100; seed++) {
        struct camera camera = make_camera();
        camera.random = seed;
        run(&camera, 12);
        camera.active = camera.pictures = 0;
        run(&camera, 20);
        active += camera.active;
        pictures += camera.pictures;
        run_event(&camera, 2);
        assert_true(camera.event_active > 0);
        gw_gate_destroy(&camera.gate);
    }
    assert_true(active <= pictures / 220);
}

static void a_reset_gate_knows_nothing(void **state)
{
    struct camera camera = make_camera();
    struct gw_gate_evidence evidence;

    run(&camera, 60);
    run_event(&camera, 2);
    gw_gate_reset(camera.gate);
    assert_false(gw_gate_judge(camera.gate, &evidence));
    assert_int_equal(evidence.events, 0);
    assert_float_equal(evidence.quiet_s, 0, 0);
    run(&camera, 1.0 / FPS);
    assert_true(isnan(camera.last.limit));
    gw_gate_destroy(&camera.gate);
}

static void times_that_jump_do_no_harm(void **state)
{
    struct camera camera = make_camera();
    const struct gw_picture_info info = {GW_PICTURE_P, true, 28, 1, 2000};
    static const int64_t jumps_us[] = {-3600 * GW_SECOND, 86400 * GW_SECOND, 0, 1, -1};

    run(&camera, 60);
    int64_t wall_us = BEGIN_US + 60 * GW_SECOND;
    for (int n = 0; n < 5000; n++) {
        const int64_t step_us = n % 10 ? GW_SECOND / FPS : jumps_us[n / 10 % 5];
        wall_us += step_us;
        const struct gw_gate_verdict verdict =
            gw_gate_feed(camera.gate, &info, n % GOP == 0, wall_us, step_us);
        assert_true(verdict.signal >= -2 && verdict.signal <= 10);
        gw_gate_saw(camera.gate, wall_us, n % 7 == 0);
        if (n % 100 == 0)
            gw_gate_found(camera.gate, wall_us);
    }
    const struct gw_gate_evidence evidence = judge(&camera);
    assert_true(evidence.missed <= evidence.events);
    assert_true(evidence.quiet_s >= 0);
    gw_gate_destroy(&camera.gate);
}

static void the_same_pictures_give_the_same_verdicts(void **state)
{
    struct camera first = make_camera(), second = make_camera();

    run(&first, 40);
    run(&second, 40);
    for (int n = 0; n < 20; n++) {
        run_event(&first, 2);
        run_event(&second, 2);
        assert_memory_equal(&first.last, &second.last, sizeof(double) * 2 + sizeof(bool));
    }
    gw_gate_destroy(&first.gate);
    gw_gate_destroy(&second.gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_quiet_there_is_no_limit),
        cmocka_unit_test(pictures_that_nobody_looks_at_teach_nothing_at_first),
        cmocka_unit_test(half_a_minute_of_quiet_gives_a_limit),
        cmocka_unit_test(a_limit_lies_above_quiet_and_below_an_event),
        cmocka_unit_test(constant_bitrate_shows_the_event_in_the_quantiser),
        cmocka_unit_test(an_event_in_noise_as_large_as_itself_is_counted_as_missed),
        cmocka_unit_test(an_event_that_is_clear_is_counted_and_not_missed),
        cmocka_unit_test(before_there_is_a_limit_no_event_is_missed),
        cmocka_unit_test(events_older_than_an_hour_are_forgotten),
        cmocka_unit_test(one_dear_picture_does_not_trigger),
        cmocka_unit_test(what_is_learnt_is_apart_for_each_position_in_the_gop),
        cmocka_unit_test(b_pictures_have_a_quiet_of_their_own),
        cmocka_unit_test(dusk_is_followed_though_hardly_anybody_looks),
        cmocka_unit_test(an_active_gate_stays_so_until_the_signal_has_fallen),
        cmocka_unit_test(motion_is_not_learnt_as_quiet),
        cmocka_unit_test(quiet_counts_three_seconds_after_it_was_seen),
        cmocka_unit_test(what_two_quiet_keyframes_enclose_is_quiet),
        cmocka_unit_test(keyframes_four_seconds_apart_say_nothing_of_what_lies_between),
        cmocka_unit_test(a_quiet_keyframe_after_one_that_moves_speaks_for_nothing),
        cmocka_unit_test(a_limit_from_few_seconds_is_no_lower_than_noise),
        cmocka_unit_test(a_reset_gate_knows_nothing),
        cmocka_unit_test(times_that_jump_do_no_harm),
        cmocka_unit_test(the_same_pictures_give_the_same_verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
