// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "analyze/health.h"
#include "core/clock.h"
#include "tests/unit/scene.h"

#define START_US (1000 * GW_SECOND)
enum { WIDTH = 320, HEIGHT = 180, FPS = 2, NOISE = 2 };

struct fixture {
    struct scene scene;
    struct gw_health *health;
    int64_t now_us, step_us;
    int64_t began_us[GW_EVENT_KIND_COUNT], ended_us[GW_EVENT_KIND_COUNT]; // as last told
    int64_t sure_us[GW_EVENT_KIND_COUNT];                                 // when a beginning was
    int begun;                                                            // of any kind
    double shake_pixels;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    scene_init(&f->scene, WIDTH, HEIGHT);
    assert_int_equal(gw_health_create(&f->health, WIDTH, HEIGHT, NULL), 0);
    f->step_us = GW_SECOND / FPS;
    f->now_us = START_US;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    gw_health_destroy(&f->health);
    scene_finish(&f->scene);
    free(f);
    return 0;
}

static void feed(struct fixture *f)
{
    struct gw_health_step steps[GW_HEALTH_KINDS];
    const int count =
        gw_health_feed(f->health, f->scene.pixels, f->now_us, false, f->shake_pixels, steps);

    for (int i = 0; i < count; i++) {
        assert_int_not_equal(steps[i].kind, GW_EVENT_MOTION);
        assert_true(steps[i].since_us <= f->now_us);
        if (steps[i].begins) {
            f->began_us[steps[i].kind] = steps[i].since_us;
            f->sure_us[steps[i].kind] = f->now_us;
            f->begun++;
        } else {
            f->ended_us[steps[i].kind] = steps[i].since_us;
        }
    }
    f->now_us += f->step_us;
}

// Draws what a camera sees.
typedef void draw(struct fixture *f);

// `s` seconds of it, with noise.
static void show(struct fixture *f, draw *picture, double s)
{
    const int64_t until_us = f->now_us + (int64_t)(s * GW_SECOND);
    while (f->now_us < until_us) {
        picture(f);
        scene_noise(&f->scene, NOISE);
        feed(f);
    }
}

static void wall(struct fixture *f)
{
    scene_wall(&f->scene, 0, 0);
}

static void fill(struct fixture *f, int level)
{
    memset(f->scene.pixels, level, (size_t)(WIDTH * HEIGHT));
}

static void black(struct fixture *f)
{
    fill(f, 16);
}

static void white(struct fixture *f)
{
    fill(f, 240);
}

static void cloth(struct fixture *f)
{
    fill(f, 110);
    scene_noise(&f->scene, 10);
}

// Five passes of three pixels, along rows and columns.
static void blur(struct fixture *f)
{
    uint8_t *pixels = f->scene.pixels;

    for (int pass = 0; pass < 5; pass++) {
        for (int i = 1; i < WIDTH * HEIGHT - 1; i++)
            pixels[i] = (uint8_t)((pixels[i - 1] + pixels[i] + pixels[i + 1]) / 3);
        for (int i = WIDTH; i < WIDTH * (HEIGHT - 1); i++)
            pixels[i] = (uint8_t)((pixels[i - WIDTH] + pixels[i] + pixels[i + WIDTH]) / 3);
    }
}

static void blurred(struct fixture *f)
{
    wall(f);
    blur(f);
}

static void drop(struct fixture *f)
{
    wall(f);
    uint8_t *sharp = malloc((size_t)(WIDTH * HEIGHT));
    memcpy(sharp, f->scene.pixels, (size_t)(WIDTH * HEIGHT));
    blur(f);
    for (int i = 0; i < WIDTH * HEIGHT; i++) // clear of it on the right
        if (i % WIDTH > WIDTH / 2)
            f->scene.pixels[i] = sharp[i];
    free(sharp);
}

static void shifted(struct fixture *f)
{
    scene_wall(&f->scene, 37, 11);
}

// A view of another place altogether.
static void elsewhere(struct fixture *f)
{
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            const uint32_t field = (uint32_t)(x / 19 * 31 + y / 14 * 17 + 5);
            f->scene.pixels[y * WIDTH + x] = (uint8_t)(80 + field * 2246822519U % 90);
        }
}

static void lorry(struct fixture *f)
{
    wall(f);
    scene_thing(&f->scene, 0, 0, WIDTH, HEIGHT, 150);
}

static void parked(struct fixture *f)
{
    wall(f);
    scene_thing(&f->scene, 30, 50, 150, 110, 150);
}

static void dark(struct fixture *f)
{
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        f->scene.pixels[i] = (uint8_t)(18 + (f->scene.pixels[i] - 16) / 8);
}

static void dark_room(struct fixture *f)
{
    wall(f);
    dark(f);
}

// The infrared filter is swung away: brighter, steeper.
static void infrared(struct fixture *f)
{
    wall(f);
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        const int level = 150 + (f->scene.pixels[i] - 130) * 3 / 2;
        f->scene.pixels[i] = (uint8_t)(level > 250 ? 250 : level);
    }
}

// How far f->now_us is through a change that lasts `s` seconds and began at `from_us`.
static double part(const struct fixture *f, int64_t from_us, double s)
{
    const double share = (double)(f->now_us - from_us) / (s * GW_SECOND);
    return share > 1 ? 1 : share;
}

static void show_fade(struct fixture *f, int to_level, double to_contrast, double s)
{
    const int64_t from_us = f->now_us;
    while (f->now_us < from_us + (int64_t)(s * GW_SECOND)) {
        const double share = part(f, from_us, s);
        wall(f);
        for (int i = 0; i < WIDTH * HEIGHT; i++) {
            const double mean = 130 + share * (to_level - 130);
            const double contrast = 1 + share * (to_contrast - 1);
            f->scene.pixels[i] = (uint8_t)(mean + (f->scene.pixels[i] - 130) * contrast);
        }
        scene_noise(&f->scene, NOISE);
        feed(f);
    }
}

static bool is_bad(const struct fixture *f, enum gw_event_kind kind)
{
    return gw_health_is_bad(f->health, kind);
}

// The fault, and no other, began at from_us, give or take a second, and was sure within `late` s.
static void assert_began(const struct fixture *f, enum gw_event_kind kind, int64_t from_us,
                         int64_t late_s)
{
    assert_true(is_bad(f, kind));
    assert_int_equal(f->begun, 1);
    assert_in_range(f->began_us[kind], from_us - GW_SECOND, from_us + GW_SECOND);
    assert_in_range(f->sure_us[kind], from_us, from_us + late_s * GW_SECOND);
}

static void assert_ended(const struct fixture *f, enum gw_event_kind kind, int64_t at_us)
{
    assert_false(is_bad(f, kind));
    assert_in_range(f->ended_us[kind], at_us - GW_SECOND, at_us + GW_SECOND);
}

// --- faults --------------------------------------------------------------------------------------

static void check_fault(struct fixture *f, draw *picture, enum gw_event_kind kind, int64_t late_s)
{
    show(f, wall, 30);
    const int64_t from_us = f->now_us;
    show(f, picture, 60);
    assert_began(f, kind, from_us, late_s);
    const int64_t to_us = f->now_us;
    show(f, wall, 15);
    assert_ended(f, kind, to_us);
    assert_int_equal(f->begun, 1);
}

static void a_black_picture_is_a_fault(void **state)
{
    check_fault(*state, black, GW_EVENT_BLACK, 12);
}

static void a_white_picture_is_a_fault(void **state)
{
    check_fault(*state, white, GW_EVENT_OVERBRIGHT, 15);
}

static void a_covered_lens_is_a_fault(void **state)
{
    check_fault(*state, cloth, GW_EVENT_COVERED, 15);
}

static void a_blurred_lens_is_a_fault(void **state)
{
    check_fault(*state, blurred, GW_EVENT_BLURRED, 16);
}

static void a_fault_lasts_as_long_as_it_lasts(void **state)
{
    struct fixture *f = *state;

    show(f, wall, 30);
    show(f, cloth, 1200);
    assert_true(is_bad(f, GW_EVENT_COVERED));
    assert_int_equal(f->begun, 1);
}

static void a_camera_that_starts_black_is_black(void **state)
{
    struct fixture *f = *state;

    while (f->now_us < START_US + 20 * GW_SECOND) {
        black(f);
        feed(f);
    }
    assert_began(f, GW_EVENT_BLACK, START_US, 12);
}

static void a_frozen_picture_is_a_fault_from_the_moment_it_froze(void **state)
{
    struct fixture *f = *state;

    show(f, wall, 40);
    const int64_t from_us = f->now_us;
    while (f->now_us < from_us + 50 * GW_SECOND)
        feed(f);
    assert_began(f, GW_EVENT_FROZEN, from_us, 33);
    const int64_t to_us = f->now_us;
    show(f, wall, 10);
    assert_ended(f, GW_EVENT_FROZEN, to_us);
}

static void a_clock_that_ticks_in_a_frozen_picture_is_no_sign_of_life(void **state)
{
    struct fixture *f = *state;

    show(f, wall, 40);
    const int64_t from_us = f->now_us;
    while (f->now_us < from_us + 50 * GW_SECOND) {
        scene_thing(&f->scene, 280, 5, 6, 8, (uint8_t)(f->now_us / GW_SECOND % 10 * 20));
        feed(f);
    }
    assert_began(f, GW_EVENT_FROZEN, from_us, 33);
}

// Two moves: after the first the new view is what it always shows.
static void a_turned_camera_is_moved_once_and_then_at_home_there(void **state)
{
    struct fixture *f = *state;

    show(f, wall, 40);
    const int64_t from_us = f->now_us;
    show(f, shifted, 100);
    assert_int_equal(f->begun, 1);
    assert_in_range(f->began_us[GW_EVENT_MOVED], from_us - GW_SECOND, from_us + GW_SECOND);
    assert_in_range(f->sure_us[GW_EVENT_MOVED], from_us + 25 * GW_SECOND, from_us + 35 * GW_SECOND);
    assert_false(is_bad(f, GW_EVENT_MOVED));
    assert_in_range(f->ended_us[GW_EVENT_MOVED], from_us + 30 * GW_SECOND,
                    from_us + 60 * GW_SECOND);
    show(f, elsewhere, 100);
    assert_int_equal(f->begun, 2);
    assert_false(is_bad(f, GW_EVENT_MOVED));
}

static void a_camera_that_is_turned_back_was_moved_until_then(void **state)
{
    struct fixture *f = *state;

    show(f, wall, 40);
    show(f, elsewhere, 33);
    assert_true(is_bad(f, GW_EVENT_MOVED));
    const int64_t to_us = f->now_us;
    show(f, wall, 15);
    assert_false(is_bad(f, GW_EVENT_MOVED));
    assert_in_range(f->ended_us[GW_EVENT_MOVED], to_us - GW_SECOND, to_us + 4 * GW_SECOND);
}

static void faults_are_found_in_a_keyframe_every_four_seconds(void **state)
{
    struct fixture *f = *state;

    f->step_us = 4 * GW_SECOND;
    show(f, wall, 60);
    int64_t from_us = f->now_us;
    show(f, cloth, 60);
    assert_true(is_bad(f, GW_EVENT_COVERED));
    assert_in_range(f->began_us[GW_EVENT_COVERED], from_us, from_us + 4 * GW_SECOND);
    show(f, wall, 60);
    assert_false(is_bad(f, GW_EVENT_COVERED));
    show(f, shifted, 60);
    assert_int_equal(f->begun, 2);
}

// --- what is none --------------------------------------------------------------------------------

// A minute of the wall, then the picture for some time, then the wall again: no fault in all of
// it.
static void check_nothing(struct fixture *f, draw *picture, double s)
{
    show(f, wall, 60);
    show(f, picture, s);
    show(f, wall, 30);
    assert_int_equal(f->begun, 0);
}

static void a_lorry_before_the_lens_for_six_seconds_is_none(void **state)
{
    check_nothing(*state, lorry, 6);
}

static void a_flash_of_headlights_is_none(void **state)
{
    check_nothing(*state, white, 5);
}

static void a_lorry_that_parks_in_half_of_the_picture_is_none(void **state)
{
    check_nothing(*state, parked, 300);
}

static void a_dark_room_with_something_in_it_is_none(void **state)
{
    check_nothing(*state, dark_room, 300);
}

static void an_infrared_switch_is_none(void **state)
{
    check_nothing(*state, infrared, 300);
}

static void a_drop_on_half_of_the_lens_is_none(void **state)
{
    check_nothing(*state, drop, 120);
}

static void night_that_falls_slowly_is_none(void **state)
{
    struct fixture *f = *state;

    show(f, wall, 60);
    show_fade(f, 17, 0.01, 1200);
    while (f->now_us < START_US + 1500 * GW_SECOND) {
        black(f);
        scene_noise(&f->scene, 1);
        feed(f);
    }
    assert_int_equal(f->begun, 0);
}

static void fog_that_comes_up_slowly_is_none(void **state)
{
    struct fixture *f = *state;

    show(f, wall, 60);
    show_fade(f, 170, 0.25, 600);
    assert_int_equal(f->begun, 0);
}

// A mast in the wind: up to six pixels, another place in each picture.
static void a_shaking_camera_is_none(void **state)
{
    struct fixture *f = *state;

    show(f, wall, 60);
    f->shake_pixels = 4;
    for (int i = 0; i < 120 * FPS; i++) {
        const int dx = (int)(scene_random(&f->scene) % 13) - 6;
        scene_wall(&f->scene, dx, (int)(scene_random(&f->scene) % 7) - 3);
        scene_noise(&f->scene, NOISE);
        feed(f);
    }
    f->shake_pixels = 0;
    show(f, wall, 30);
    assert_int_equal(f->begun, 0);
}

// An encoder of few bits repeats a still scene exactly, and this camera always did.
static void a_still_scene_without_noise_is_not_frozen(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 600 * FPS; i++) {
        wall(f);
        if (i / FPS % 60 < 8) // somebody passes each minute
            scene_thing(&f->scene, i * 5 % WIDTH, 80, 14, 36, 40);
        feed(f);
    }
    assert_int_equal(f->begun, 0);
}

static void a_mask_hides_what_it_covers(void **state)
{
    struct fixture *f = *state;
    uint8_t *mask = calloc(WIDTH, HEIGHT);

    // All but a strip is masked, and grey: what is left is judged alone.
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        mask[i] = i % WIDTH >= 120;
    gw_health_destroy(&f->health);
    assert_int_equal(gw_health_create(&f->health, WIDTH, HEIGHT, mask), 0);
    for (int i = 0; i < 60 * FPS; i++) {
        wall(f);
        if (i >= 30 * FPS)
            fill(f, 16);
        for (int p = 0; p < WIDTH * HEIGHT; p++)
            if (mask[p])
                f->scene.pixels[p] = 128;
        feed(f);
    }
    free(mask);
    assert_began(f, GW_EVENT_BLACK, START_US + 30 * GW_SECOND, 12);
}

static void a_clock_that_is_set_back_begins_anew(void **state)
{
    struct fixture *f = *state;

    show(f, wall, 60);
    show(f, cloth, 8);
    f->now_us -= 3600 * GW_SECOND;
    show(f, cloth, 5);
    assert_int_equal(f->begun, 0);
    show(f, wall, 30);
    assert_int_equal(f->begun, 0);
}

static void pictures_closer_than_half_a_second_tell_nothing_new(void **state)
{
    struct fixture *f = *state;

    f->step_us = GW_SECOND / 25;
    check_fault(f, black, GW_EVENT_BLACK, 12);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_black_picture_is_a_fault),
        TEST(a_white_picture_is_a_fault),
        TEST(a_covered_lens_is_a_fault),
        TEST(a_blurred_lens_is_a_fault),
        TEST(a_fault_lasts_as_long_as_it_lasts),
        TEST(a_camera_that_starts_black_is_black),
        TEST(a_frozen_picture_is_a_fault_from_the_moment_it_froze),
        TEST(a_clock_that_ticks_in_a_frozen_picture_is_no_sign_of_life),
        TEST(a_turned_camera_is_moved_once_and_then_at_home_there),
        TEST(a_camera_that_is_turned_back_was_moved_until_then),
        TEST(faults_are_found_in_a_keyframe_every_four_seconds),
        TEST(a_lorry_before_the_lens_for_six_seconds_is_none),
        TEST(a_flash_of_headlights_is_none),
        TEST(a_lorry_that_parks_in_half_of_the_picture_is_none),
        TEST(a_dark_room_with_something_in_it_is_none),
        TEST(an_infrared_switch_is_none),
        TEST(a_drop_on_half_of_the_lens_is_none),
        TEST(night_that_falls_slowly_is_none),
        TEST(fog_that_comes_up_slowly_is_none),
        TEST(a_shaking_camera_is_none),
        TEST(a_still_scene_without_noise_is_not_frozen),
        TEST(a_mask_hides_what_it_covers),
        TEST(a_clock_that_is_set_back_begins_anew),
        TEST(pictures_closer_than_half_a_second_tell_nothing_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
