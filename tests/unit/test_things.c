// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "analyze/things.h"

enum { COLUMNS = 8, ROWS = 5 };

// Marks every block that is not '.'; a digit is its texture. Two pixels of each have changed.
static void draw(struct gw_things *things, const char *const rows[ROWS])
{
    gw_things_begin(things);
    for (int i = 0; i < COLUMNS * ROWS; i++) {
        const char c = rows[i / COLUMNS][i % COLUMNS];
        if (c != '.')
            gw_things_mark(things, i, (struct gw_block){(uint8_t)(c - '0'), 2});
    }
}

static int setup(void **state)
{
    static struct gw_things things;
    *state = &things;
    return gw_things_create(&things, COLUMNS, ROWS);
}

static int teardown(void **state)
{
    gw_things_destroy(*state);
    return 0;
}

static void blocks_that_touch_also_at_corners_are_one_thing(void **state)
{
    static const char *const picture[ROWS] = {
        "11......", //
        "..1...5.", //
        "..1...5.", //
        "........", //
        "1.......", //
    };
    struct gw_thing thing;
    draw(*state, picture);
    assert_true(gw_things_next(*state, &thing));
    assert_int_equal(thing.count, 4);
    assert_int_equal(thing.texture, 4);
    assert_int_equal(thing.changed, 8);
    assert_int_equal(thing.left, 0);
    assert_int_equal(thing.right, 2);
    assert_int_equal(thing.bottom, 2);
    assert_int_equal(thing.blocks[0], 0);
    assert_true(gw_things_next(*state, &thing));
    assert_int_equal(thing.count, 2);
    assert_int_equal(thing.texture, 10);
    assert_int_equal(thing.left, 6);
    assert_int_equal(thing.top, 1);
    assert_true(gw_things_next(*state, &thing));
    assert_int_equal(thing.count, 1);
    assert_false(gw_things_next(*state, &thing));
}

static void the_picture_s_sides_do_not_touch(void **state)
{
    static const char *const picture[ROWS] = {
        "1......1", //
        "........", //
        "1......1", //
        ".......1", //
        "1......1", //
    };
    struct gw_thing thing;
    int things = 0;
    draw(*state, picture);
    while (gw_things_next(*state, &thing))
        things++;
    assert_int_equal(things, 5);
}

static void blocks_beside_one_that_moved_before_are_known(void **state)
{
    static const char *const before[ROWS] = {"........", "11......", "11......", "........",
                                             "........"};
    static const char *const now[ROWS] = {"........", ".1111...", ".1111..1", "........",
                                          "........"};
    struct gw_thing thing;
    draw(*state, before);
    draw(*state, now);
    assert_true(gw_things_next(*state, &thing));
    assert_int_equal(thing.count, 8);
    assert_int_equal(thing.known, 4);
    assert_true(gw_things_next(*state, &thing));
    assert_int_equal(thing.known, 0);
}

static void a_picture_without_motion_has_no_things_and_nothing_is_known_after_it(void **state)
{
    static const char *const empty[ROWS] = {"........", "........", "........", "........",
                                            "........"};
    static const char *const full[ROWS] = {"11111111", "11111111", "11111111", "11111111",
                                           "11111111"};
    struct gw_thing thing;
    draw(*state, full);
    draw(*state, empty);
    assert_false(gw_things_next(*state, &thing));
    draw(*state, full);
    assert_true(gw_things_next(*state, &thing));
    assert_int_equal(thing.count, COLUMNS * ROWS);
    assert_int_equal(thing.known, 0);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(blocks_that_touch_also_at_corners_are_one_thing),
        FACT(the_picture_s_sides_do_not_touch),
        FACT(blocks_beside_one_that_moved_before_are_known),
        FACT(a_picture_without_motion_has_no_things_and_nothing_is_known_after_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
