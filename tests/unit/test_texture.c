// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/texture.h"
#include "tests/unit/scene.h"

enum { WIDTH = 64, HEIGHT = 48 };

struct fixture {
    struct scene scene;
    int16_t mean[WIDTH * HEIGHT], deviation[WIDTH * HEIGHT];
};

// A wall that was learnt, with this deviation.
static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    scene_init(&f->scene, WIDTH, HEIGHT);
    scene_wall(&f->scene, 0, 0);
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        f->mean[i] = (int16_t)(f->scene.pixels[i] * 64);
        f->deviation[i] = 64;
    }
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    scene_finish(&f->scene);
    free(f);
    return 0;
}

static int count(const struct fixture *f, int left, int top, int right, int bottom)
{
    const struct gw_texture texture = {WIDTH, HEIGHT, f->scene.pixels, f->mean, f->deviation};
    return gw_texture_count(&texture, left, top, right, bottom);
}

static int count_all(const struct fixture *f)
{
    return count(f, 0, 0, WIDTH, HEIGHT);
}

static void the_background_itself_has_its_structure(void **state)
{
    assert_int_equal(count_all(*state), 0);
}

static void a_shadow_and_a_lamp_leave_the_structure(void **state)
{
    struct fixture *f = *state;
    scene_expose(&f->scene, 60);
    assert_int_equal(count_all(f), 0);
    scene_wall(&f->scene, 0, 0);
    scene_expose(&f->scene, 150);
    assert_int_equal(count_all(f), 0);
}

// Of all blocks, as motion.c asks.
static int count_blocks(const struct fixture *f)
{
    int sum = 0;
    for (int y = 0; y < HEIGHT; y += 4)
        for (int x = 0; x < WIDTH; x += 4)
            sum += count(f, x, y, x + 4, y + 4);
    return sum;
}

static void headlights_on_a_dark_wall_leave_the_structure(void **state)
{
    struct fixture *f = *state;
    scene_expose(&f->scene, 15);
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        f->mean[i] = (int16_t)(f->scene.pixels[i] * 64);
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        f->scene.pixels[i] = (uint8_t)(f->scene.pixels[i] * 6);
    assert_int_equal(count_blocks(f), 0);
}

static void where_light_is_too_much_for_the_camera_nothing_is_known(void **state)
{
    struct fixture *f = *state;
    scene_thing(&f->scene, 0, 0, WIDTH, HEIGHT, 255);
    assert_int_equal(count_blocks(f), 0);
}

static void a_soft_light_has_no_edges(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < WIDTH * HEIGHT; i++) // 64 levels over the picture's width
        f->scene.pixels[i] = (uint8_t)(f->scene.pixels[i] + i % WIDTH);
    assert_int_equal(count_all(f), 0);
}

static void a_thing_without_texture_has_edges_and_hides_those_behind(void **state)
{
    struct fixture *f = *state;
    scene_thing(&f->scene, 20, 12, 24, 24, 30);
    assert_true(count(f, 20, 12, 44, 36) >= 2 * 4 * 20); // its outline at least
    assert_int_equal(count(f, 0, 0, 16, HEIGHT), 0);     // and only it
}

static void a_step_that_the_deviation_explains_is_noise(void **state)
{
    struct fixture *f = *state;
    scene_noise(&f->scene, 3);
    const int as_quiet = count_blocks(f);
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        f->deviation[i] = 3 * 64;
    assert_true(as_quiet > 100);
    assert_int_equal(count_blocks(f), 0);
}

static void pixels_beyond_the_picture_are_not_asked_for(void **state)
{
    struct fixture *f = *state;
    scene_thing(&f->scene, 0, 0, WIDTH, HEIGHT, 30);
    assert_int_equal(count(f, -8, -8, WIDTH + 8, HEIGHT + 8), count_all(f));
    assert_int_equal(count(f, 0, 0, 1, HEIGHT), 0);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(the_background_itself_has_its_structure),
        FACT(a_shadow_and_a_lamp_leave_the_structure),
        FACT(headlights_on_a_dark_wall_leave_the_structure),
        FACT(where_light_is_too_much_for_the_camera_nothing_is_known),
        FACT(a_soft_light_has_no_edges),
        FACT(a_thing_without_texture_has_edges_and_hides_those_behind),
        FACT(a_step_that_the_deviation_explains_is_noise),
        FACT(pixels_beyond_the_picture_are_not_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
