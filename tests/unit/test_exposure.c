// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/exposure.h"
#include "tests/unit/scene.h"

enum { WIDTH = 80, HEIGHT = 60, LEVEL = 64 };

struct fixture {
    struct scene scene;
    int16_t mean[WIDTH * HEIGHT];
    struct gw_exposure exposure;
};

// A grey wall with a dark window, which is a tenth of the picture, was learnt.
static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    scene_init(&f->scene, WIDTH, HEIGHT);
    scene_wall(&f->scene, 0, 0);
    scene_thing(&f->scene, 20, 10, 24, 20, 20);
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        f->mean[i] = (int16_t)(f->scene.pixels[i] * LEVEL);
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

static bool measure(struct fixture *f)
{
    return gw_exposure_measure(&f->exposure, f->scene.pixels, f->mean, WIDTH, HEIGHT);
}

static void the_same_picture_needs_no_correction(void **state)
{
    assert_false(measure(*state));
}

static void more_light_is_one_curve_that_explains_the_picture(void **state)
{
    struct fixture *f = *state;
    scene_expose(&f->scene, 120);
    assert_true(measure(f));
    gw_exposure_apply(&f->exposure, f->mean, WIDTH * HEIGHT);
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        assert_in_range(f->mean[i] / LEVEL + 4 - f->scene.pixels[i], 0, 8);
}

static void a_thing_that_hides_a_small_dark_place_does_not_bend_the_curve(void **state)
{
    struct fixture *f = *state;
    scene_thing(&f->scene, 20, 10, 24, 20, 150);
    measure(f);
    // 130 levels is what the thing brings; half of the 80 levels to the next band is the most.
    gw_exposure_apply(&f->exposure, f->mean, WIDTH * HEIGHT);
    assert_in_range(f->mean[20 * WIDTH + 30] / LEVEL, 0, 20 + 45);
    assert_in_range(f->mean[50 * WIDTH + 60] / LEVEL + 2 - f->scene.pixels[50 * WIDTH + 60], 0, 4);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(the_same_picture_needs_no_correction),
        FACT(more_light_is_one_curve_that_explains_the_picture),
        FACT(a_thing_that_hides_a_small_dark_place_does_not_bend_the_curve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
