// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/motion.h"
#include "core/clock.h"
#include "tests/unit/scene.h"

enum { WIDTH = 320, HEIGHT = 180, FPS = 10 };

struct fixture {
    struct scene scene;
    struct gw_motion *motion;
    int fed;
};

static void make_motion(struct fixture *f, const struct gw_zones *zones)
{
    *f = (struct fixture){0};
    scene_init(&f->scene, WIDTH, HEIGHT);
    assert_int_equal(gw_motion_create(&f->motion, WIDTH, HEIGHT, zones), 0);
}

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    make_motion(*state, NULL);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    gw_motion_destroy(&f->motion);
    scene_finish(&f->scene);
    free(f);
    return 0;
}

static void use_zones(struct fixture *f, const struct gw_zones *zones)
{
    gw_motion_destroy(&f->motion);
    scene_finish(&f->scene);
    make_motion(f, zones);
}

static struct gw_motion_result feed(struct fixture *f)
{
    return gw_motion_feed(f->motion, f->scene.pixels, f->fed++ * (GW_SECOND / FPS));
}

// Feeds count pictures of the empty wall; how many of them showed something.
static int feed_wall(struct fixture *f, int count, int noise)
{
    int something = 0;
    for (int i = 0; i < count; i++) {
        scene_wall(&f->scene, 0, 0);
        scene_noise(&f->scene, noise);
        something += feed(f).something;
    }
    return something;
}

// Feeds count pictures of somebody who walks through at 4 pixels a picture, again and again.
static int feed_walker(struct fixture *f, int count)
{
    int something = 0;
    for (int i = 0; i < count; i++) {
        scene_wall(&f->scene, 0, 0);
        scene_noise(&f->scene, 2);
        scene_thing(&f->scene, f->fed * 4 % WIDTH, 80, 14, 36, 40);
        something += feed(f).something;
    }
    return something;
}

static void an_empty_scene_with_sensor_noise_shows_nothing(void **state)
{
    assert_int_equal(feed_wall(*state, 100, 6), 0);
}

static void somebody_who_walks_is_something_within_a_second_of_the_first_picture(void **state)
{
    assert_true(feed_walker(*state, 10) >= 5);
}

static void the_box_surrounds_what_moves(void **state)
{
    struct fixture *f = *state;
    feed_wall(f, 20, 2);
    feed_walker(f, 5);
    scene_wall(&f->scene, 0, 0);
    scene_thing(&f->scene, 100, 80, 14, 36, 40);
    const struct gw_box box = feed(f).box;
    assert_true(box.x <= 100.0 / WIDTH && box.x + box.w >= 113.0 / WIDTH);
    assert_true(box.y >= 72.0 / HEIGHT && box.y <= 81.0 / HEIGHT);
    assert_true(box.y + box.h >= 115.0 / HEIGHT && box.y + box.h <= 124.0 / HEIGHT);
}

static void people_who_never_stop_walking_never_become_background(void **state)
{
    struct fixture *f = *state;
    feed_walker(f, 60 * FPS);
    assert_true(feed_walker(f, 10 * FPS) >= 9 * FPS);
}

static void somebody_in_front_of_a_car_that_parked_is_seen(void **state)
{
    struct fixture *f = *state;
    int something = 0;
    feed_wall(f, 20, 2);
    for (int i = 0; i < 12 * FPS; i++) {
        scene_wall(&f->scene, 0, 0);
        scene_noise(&f->scene, 2);
        scene_thing(&f->scene, i < 10 ? i * 10 : 100, 60, 120, 60, 200);
        if (i >= 8 * FPS)
            scene_thing(&f->scene, 100 + (i - 8 * FPS) * 3, 70, 12, 36, 130);
        something += feed(f).something && i >= 8 * FPS;
    }
    assert_true(something >= 3 * FPS);
}

static void something_that_stopped_is_not_motion_and_later_background(void **state)
{
    struct fixture *f = *state;
    int something = 0;
    feed_wall(f, 20, 2);
    for (int i = 0; i < 12 * FPS; i++) {
        scene_wall(&f->scene, 0, 0);
        scene_noise(&f->scene, 2);
        scene_thing(&f->scene, i < 10 ? i * 10 : 100, 60, 40, 30, 30);
        something += feed(f).something && i > 3 * FPS;
    }
    assert_int_equal(something, 0);
    assert_int_equal(feed_wall(f, 2, 2), 1); // it is gone: that is motion, once it is seen twice
}

// The background is what somebody who stands there long looks like, and remembers for seconds more.
static void when_somebody_who_stood_long_has_left_motion_ends_at_once(void **state)
{
    struct fixture *f = *state;
    int last = -1;
    feed_wall(f, 5 * FPS, 2);
    for (int i = 0; i < 60 * FPS; i++) {
        scene_wall(&f->scene, 0, 0);
        scene_thing(&f->scene, 120, 60, 30, 80, 20);
        scene_noise(&f->scene, 2);
        feed(f);
    }
    for (int i = 0; i < 3 * FPS; i++) {
        scene_wall(&f->scene, 0, 0);
        scene_thing(&f->scene, 120 - i * 16, 60, 30, 80, 20);
        scene_noise(&f->scene, 2);
        if (feed(f).something)
            last = i;
    }
    // The last picture with a part of it is number 9; a moment is two pictures.
    assert_in_range(last, 9, 11);
}

// Counts the pictures that show something of a small thing at x, and those that show it travels.
static int feed_small_thing(struct fixture *f, int x, int *travels)
{
    scene_wall(&f->scene, 0, 0);
    scene_thing(&f->scene, x, 60, 6, 9, 20);
    scene_noise(&f->scene, 2);
    const struct gw_motion_result result = feed(f);
    *travels += result.travels;
    return result.something;
}

static void somebody_far_away_is_something_when_he_goes_somewhere(void **state)
{
    struct fixture *f = *state;
    int something = 0, travels = 0;
    feed_wall(f, 5 * FPS, 2);
    for (int i = 0; i < 5 * FPS; i++)
        something += feed_small_thing(f, 40 + i * 2, &travels);
    assert_true(something > 3 * FPS);
    assert_true(travels > 3 * FPS);
}

static void a_twig_that_goes_to_and_fro_is_a_hint_at_most(void **state)
{
    struct fixture *f = *state;
    int something = 0, travels = 0;
    feed_wall(f, 5 * FPS, 2);
    for (int i = 0; i < 5 * FPS; i++)
        something += feed_small_thing(f, 40 + i % 2 * 6, &travels);
    assert_int_equal(something, 0);
    assert_int_equal(travels, 0);
}

static void a_light_switch_is_nothing(void **state)
{
    struct fixture *f = *state;
    int something = 0;
    feed_wall(f, 20, 2);
    for (int i = 0; i < 30; i++) {
        scene_wall(&f->scene, 0, 0);
        scene_expose(&f->scene, 35);
        scene_noise(&f->scene, 2);
        something += feed(f).something;
    }
    assert_int_equal(something, 0);
    assert_int_equal(feed_wall(f, 30, 2), 0); // and on again
}

static void a_light_on_two_thirds_of_the_picture_is_nothing(void **state)
{
    struct fixture *f = *state;
    int something = 0;
    feed_wall(f, 20, 2);
    for (int i = 0; i < 30; i++) {
        scene_wall(&f->scene, 0, 0);
        for (int p = 0; p < WIDTH * HEIGHT; p++)
            if (p % WIDTH > WIDTH / 4)
                f->scene.pixels[p] = (uint8_t)(f->scene.pixels[p] + 70);
        something += feed(f).something;
    }
    assert_int_equal(something, 0);
}

static void auto_exposure_that_swings_is_nothing(void **state)
{
    struct fixture *f = *state;
    int something = 0;
    feed_wall(f, 20, 2);
    for (int i = 0; i < 60; i++) {
        scene_wall(&f->scene, 0, 0);
        scene_expose(&f->scene, i < 30 ? 100 + i : 160 - i);
        scene_noise(&f->scene, 2);
        something += feed(f).something;
    }
    assert_int_equal(something, 0);
}

static void somebody_is_still_seen_while_the_exposure_swings(void **state)
{
    struct fixture *f = *state;
    int something = 0;
    feed_wall(f, 20, 2);
    for (int i = 0; i < 30; i++) {
        scene_wall(&f->scene, 0, 0);
        scene_thing(&f->scene, i * 5, 80, 16, 36, 30);
        scene_expose(&f->scene, 100 + i);
        scene_noise(&f->scene, 2);
        something += feed(f).something;
    }
    assert_true(something >= 24);
}

static void a_shaking_camera_is_nothing(void **state)
{
    struct fixture *f = *state;
    int something = 0;
    for (int i = 0; i < 100; i++) {
        scene_wall(&f->scene, i * 5 % 7 - 3, i * 3 % 5 - 2);
        scene_noise(&f->scene, 2);
        something += feed(f).something;
    }
    assert_int_equal(something, 0);
}

static void a_camera_that_was_turned_a_little_calms_down(void **state)
{
    struct fixture *f = *state;
    int something = 0;
    feed_wall(f, 20, 2);
    for (int i = 0; i < 80; i++) {
        scene_wall(&f->scene, 5, 3);
        scene_noise(&f->scene, 2);
        something += feed(f).something && i >= 40;
    }
    assert_int_equal(something, 0);
}

// Leaves: every 3 x 3 pixels jump between two greys on their own, in the right third of the
// picture.
static void draw_tree(struct scene *scene)
{
    for (int y = 0; y < HEIGHT; y += 3)
        for (int x = 220; x < WIDTH; x += 3)
            scene_thing(scene, x, y, 3, 3, scene_random(scene) & 1 ? 70 : 130);
}

static void a_tree_in_the_wind_is_learnt_and_a_walker_beside_it_is_not(void **state)
{
    struct fixture *f = *state;
    int something = 0, walker = 0;
    for (int i = 0; i < 30 * FPS; i++) {
        scene_wall(&f->scene, 0, 0);
        draw_tree(&f->scene);
        something += feed(f).something && i > 15 * FPS;
    }
    assert_int_equal(something, 0);
    for (int i = 0; i < 2 * FPS; i++) {
        scene_wall(&f->scene, 0, 0);
        draw_tree(&f->scene);
        scene_thing(&f->scene, 20 + i * 5, 80, 16, 36, 30);
        walker += feed(f).something;
    }
    assert_true(walker >= FPS);
}

// A soft spot of light, percent brighter in the middle.
static void draw_light(struct scene *scene, int x0, int y0, int radius, int percent)
{
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            const int square = (x - x0) * (x - x0) + (y - y0) * (y - y0), r2 = radius * radius;
            if (square >= r2)
                continue;
            const int part = percent * (r2 - square) / r2;
            uint8_t *pixel = scene->pixels + y * WIDTH + x;
            const int level = *pixel * (100 + part) / 100;
            *pixel = (uint8_t)(level > 255 ? 255 : level);
        }
}

static void headlights_that_sweep_over_a_wall_are_nothing(void **state)
{
    struct fixture *f = *state;
    int something = 0;
    feed_wall(f, 20, 2);
    for (int i = 0; i < 4 * FPS; i++) {
        scene_wall(&f->scene, 0, 0);
        draw_light(&f->scene, i * 8, 100, 90, 50);
        scene_noise(&f->scene, 2);
        something += feed(f).something;
    }
    assert_int_equal(something, 0);
}

static void the_shadow_of_a_cloud_is_nothing_and_somebody_in_it_is(void **state)
{
    struct fixture *f = *state;
    int something = 0, walker = 0;
    feed_wall(f, 20, 2);
    for (int i = 0; i < 6 * FPS; i++) {
        scene_wall(&f->scene, 0, 0);
        draw_light(&f->scene, i * 8 - 100, 90, 140, -40);
        scene_noise(&f->scene, 2);
        something += feed(f).something;
    }
    assert_int_equal(something, 0);
    for (int i = 0; i < 3 * FPS; i++) {
        scene_wall(&f->scene, 0, 0);
        scene_thing(&f->scene, 100 + i * 4, 80, 14, 36, 40);
        draw_light(&f->scene, i * 8, 90, 140, -40);
        scene_noise(&f->scene, 2);
        walker += feed(f).something;
    }
    assert_true(walker >= 2 * FPS);
}

static void what_is_somewhere_else_in_every_picture_is_rain_or_snow(void **state)
{
    struct fixture *f = *state;
    int something = 0;
    feed_wall(f, 20, 2);
    for (int i = 0; i < 60; i++) { // 20 pictures a second: this flake would cross in 1/4 s
        scene_wall(&f->scene, 0, 0);
        scene_noise(&f->scene, 2);
        scene_thing(&f->scene, 60 + i % 5 * 45, i * 50 % 150, 16, 16, 220);
        something +=
            gw_motion_feed(f->motion, f->scene.pixels, (10 + f->fed++) * GW_SECOND / 20).something;
    }
    assert_int_equal(something, 0);
}

static void a_fast_car_is_seen_where_pictures_are_rare(void **state)
{
    struct fixture *f = *state;
    int something = 0;
    feed_wall(f, 20, 2);
    for (int i = 0; i < 4; i++) { // 2 pictures a second, three times its length each
        scene_wall(&f->scene, 0, 0);
        scene_noise(&f->scene, 2);
        scene_thing(&f->scene, 10 + i * 90, 80, 30, 20, 40);
        something +=
            gw_motion_feed(f->motion, f->scene.pixels, 5 * GW_SECOND / 2 + i * GW_SECOND / 2)
                .something;
    }
    assert_int_equal(something, 4);
}

static const struct gw_polygon left_half = {4, {0, 0.5, 0.5, 0}, {0, 0, 1, 1}};
static const struct gw_polygon right_half = {4, {0.5, 1, 1, 0.5}, {0, 0, 1, 1}};

static int feed_thing_on_the_left(struct fixture *f, uint32_t *ret_zones, int size)
{
    int something = 0;
    feed_wall(f, 20, 2);
    for (int i = 0; i < 20; i++) {
        scene_wall(&f->scene, 0, 0);
        scene_noise(&f->scene, 2);
        scene_thing(&f->scene, 10 + i * 5, 60, size, size, 30);
        const struct gw_motion_result result = feed(f);
        something += result.something;
        *ret_zones |= result.zones;
    }
    return something;
}

static void what_is_masked_is_never_looked_at(void **state)
{
    struct fixture *f = *state;
    const struct gw_zones zones = {.mask_count = 1, .masks = {left_half}};
    uint32_t touched = 0;
    use_zones(f, &zones);
    assert_int_equal(feed_thing_on_the_left(f, &touched, 30), 0);
    assert_true(f->scene.pixels[90 * WIDTH + 20] == f->scene.pixels[10 * WIDTH + 140]);
}

static void only_motion_in_a_zone_counts_and_the_zone_is_named(void **state)
{
    struct fixture *f = *state;
    const struct gw_zones zones = {.zone_count = 2,
                                   .zones = {{"right", right_half, 0.5}, {"left", left_half, 0.5}}};
    uint32_t touched = 0;
    use_zones(f, &zones);
    assert_true(feed_thing_on_the_left(f, &touched, 30) >= 10);
    assert_int_equal(touched, 1 << 1);

    const struct gw_zones other = {.zone_count = 1, .zones = {{"right", right_half, 0.5}}};
    use_zones(f, &other);
    assert_int_equal(feed_thing_on_the_left(f, &touched, 30), 0);
}

static void a_more_sensitive_zone_sees_smaller_things(void **state)
{
    struct fixture *f = *state;
    const struct gw_zones dull = {.zone_count = 1, .zones = {{"left", left_half, 0.3}}};
    const struct gw_zones keen = {.zone_count = 1, .zones = {{"left", left_half, 1.0}}};
    uint32_t touched = 0;
    use_zones(f, &dull);
    assert_int_equal(feed_thing_on_the_left(f, &touched, 8), 0);
    use_zones(f, &keen);
    assert_true(feed_thing_on_the_left(f, &touched, 8) >= 8);
}

static void a_zone_ignores_what_is_smaller_than_its_size(void **state)
{
    struct fixture *f = *state;
    // A fifth of the height is 36 pixels.
    const struct gw_zones zones = {.zone_count = 1, .zones = {{"left", left_half, 1.0, 0.2}}};
    uint32_t touched = 0;
    use_zones(f, &zones);
    assert_int_equal(feed_thing_on_the_left(f, &touched, 20), 0);
    assert_int_equal(touched, 0);
    use_zones(f, &zones);
    assert_true(feed_thing_on_the_left(f, &touched, 44) >= 10);
    assert_int_equal(touched, 1);
}

static void a_zone_s_size_is_not_asked_for_in_the_zone_beside_it(void **state)
{
    struct fixture *f = *state;
    const struct gw_zones zones = {
        .zone_count = 2, .zones = {{"large", left_half, 1.0, 0.2}, {"any", left_half, 0.5, 0}}};
    uint32_t touched = 0;
    use_zones(f, &zones);
    assert_true(feed_thing_on_the_left(f, &touched, 20) >= 10);
    assert_int_equal(touched, 1 << 1);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(an_empty_scene_with_sensor_noise_shows_nothing),
        FACT(somebody_who_walks_is_something_within_a_second_of_the_first_picture),
        FACT(the_box_surrounds_what_moves),
        FACT(people_who_never_stop_walking_never_become_background),
        FACT(somebody_in_front_of_a_car_that_parked_is_seen),
        FACT(something_that_stopped_is_not_motion_and_later_background),
        FACT(when_somebody_who_stood_long_has_left_motion_ends_at_once),
        FACT(somebody_far_away_is_something_when_he_goes_somewhere),
        FACT(a_twig_that_goes_to_and_fro_is_a_hint_at_most),
        FACT(a_light_switch_is_nothing),
        FACT(a_light_on_two_thirds_of_the_picture_is_nothing),
        FACT(auto_exposure_that_swings_is_nothing),
        FACT(somebody_is_still_seen_while_the_exposure_swings),
        FACT(a_shaking_camera_is_nothing),
        FACT(a_camera_that_was_turned_a_little_calms_down),
        FACT(a_tree_in_the_wind_is_learnt_and_a_walker_beside_it_is_not),
        FACT(what_is_masked_is_never_looked_at),
        FACT(only_motion_in_a_zone_counts_and_the_zone_is_named),
        FACT(headlights_that_sweep_over_a_wall_are_nothing),
        FACT(the_shadow_of_a_cloud_is_nothing_and_somebody_in_it_is),
        FACT(what_is_somewhere_else_in_every_picture_is_rain_or_snow),
        FACT(a_fast_car_is_seen_where_pictures_are_rare),
        FACT(a_more_sensitive_zone_sees_smaller_things),
        FACT(a_zone_ignores_what_is_smaller_than_its_size),
        FACT(a_zone_s_size_is_not_asked_for_in_the_zone_beside_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
