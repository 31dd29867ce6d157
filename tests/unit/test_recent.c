// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "analyze/recent.h"
#include "core/clock.h"

enum { WIDTH = 8, HEIGHT = 6, COUNT = WIDTH * HEIGHT, STEP_US = GW_SECOND / 20 };

struct fixture {
    struct gw_recent recent;
    uint8_t pixels[COUNT];
    int16_t mean[COUNT], deviation[COUNT];
};

static int setup(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof(f));
    *state = &f;
    return gw_recent_create(&f.recent, WIDTH, HEIGHT);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    gw_recent_destroy(&f->recent);
    return 0;
}

// Adds count pictures, each of the grey level that is its number.
static void add_pictures(struct fixture *f, int count)
{
    for (int i = 0; i < count; i++) {
        memset(f->pixels, i, COUNT);
        gw_recent_add(&f->recent, f->pixels, i * STEP_US);
    }
}

static struct gw_texture view(const struct fixture *f)
{
    return (struct gw_texture){WIDTH, HEIGHT, f->pixels, f->mean, f->deviation};
}

static void the_picture_of_a_moment_ago_is_two_tenths_of_a_second_old(void **state)
{
    struct fixture *f = *state;
    add_pictures(f, 40);
    assert_int_equal(gw_recent_find(&f->recent, 40 * STEP_US)[0], 36);
    assert_int_equal(gw_recent_find(&f->recent, 40 * STEP_US)[COUNT - 1], 36);
    // Capture times are never exact.
    assert_int_equal(gw_recent_find(&f->recent, 40 * STEP_US - 4000)[0], 36);
}

static void with_rare_pictures_it_is_the_one_before(void **state)
{
    struct fixture *f = *state;
    add_pictures(f, 3);
    assert_int_equal(gw_recent_find(&f->recent, 3 * GW_SECOND)[0], 2);
}

static void before_a_moment_has_passed_there_is_none(void **state)
{
    struct fixture *f = *state;
    assert_null(gw_recent_find(&f->recent, GW_SECOND));
    add_pictures(f, 3);
    assert_null(gw_recent_find(&f->recent, 3 * STEP_US));
}

static void what_is_as_it_was_did_not_change_but_for_noise(void **state)
{
    struct fixture *f = *state;
    uint8_t before[COUNT];
    const struct gw_texture now = view(f);

    memset(before, 100, COUNT);
    memset(f->pixels, 105, COUNT);
    assert_int_equal(gw_recent_count(&now, before, 0, 0, 4, 4), 0);
    f->pixels[2 * WIDTH + 1] = 106;
    f->pixels[3 * WIDTH + 2] = 90;
    assert_int_equal(gw_recent_count(&now, before, 0, 0, 4, 4), 2);
    // A noisier place changes by more without moving.
    f->deviation[2 * WIDTH + 1] = 2 * 64;
    assert_int_equal(gw_recent_count(&now, before, 0, 0, 4, 4), 1);
}

static void the_last_block_ends_with_the_picture(void **state)
{
    struct fixture *f = *state;
    uint8_t before[COUNT] = {0};
    const struct gw_texture now = view(f);

    memset(f->pixels, 50, COUNT);
    assert_int_equal(gw_recent_count(&now, before, 4, 4, 8, 8), 8);
    assert_int_equal(gw_recent_count(&now, NULL, 4, 4, 8, 8), 8);
}

static void without_a_picture_before_everything_may_have_changed(void **state)
{
    struct fixture *f = *state;
    const struct gw_texture now = view(f);
    assert_int_equal(gw_recent_count(&now, NULL, 0, 0, 4, 4), 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_picture_of_a_moment_ago_is_two_tenths_of_a_second_old,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(with_rare_pictures_it_is_the_one_before, setup, teardown),
        cmocka_unit_test_setup_teardown(before_a_moment_has_passed_there_is_none, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_as_it_was_did_not_change_but_for_noise, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_last_block_ends_with_the_picture, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_picture_before_everything_may_have_changed, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
