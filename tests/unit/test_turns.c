// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include "app/turns.h"
#include "core/clock.h"

enum { MANY = 40 };

struct fixture {
    struct gw_turns turns;
    struct gw_turn turn[MANY];
};

static void make(struct fixture *f, int limit)
{
    *f = (struct fixture){0};
    gw_turns_init(&f->turns, 1);
    f->turns.limit = limit;
}

// All ask; returns how many have a turn.
static int ask_all(struct fixture *f, int count, int64_t mono_us)
{
    int have = 0;
    for (int i = 0; i < count; i++)
        have += gw_turns_ask(&f->turns, &f->turn[i], mono_us);
    return have;
}

static void only_so_many_have_a_turn_at_once(void **state)
{
    struct fixture f;
    make(&f, 3);
    assert_int_equal(ask_all(&f, 10, 0), 3);
    assert_int_equal(ask_all(&f, 10, GW_SECOND), 3);
    assert_true(f.turn[0].taken && f.turn[1].taken && f.turn[2].taken);
    gw_turns_finish(&f.turns);
}

static void a_turn_that_ends_is_the_next_one_s(void **state)
{
    struct fixture f;
    make(&f, 1);
    ask_all(&f, 2, 0);
    gw_turns_end(&f.turns, &f.turn[0], true, GW_SECOND / 2);
    assert_false(gw_turns_ask(&f.turns, &f.turn[0], GW_SECOND / 2)); // others come first
    assert_true(gw_turns_ask(&f.turns, &f.turn[1], GW_SECOND / 2));
    gw_turns_end(&f.turns, &f.turn[0], true, GW_SECOND); // has none: nothing
    assert_int_equal(f.turns.taken, 1);
    gw_turns_finish(&f.turns);
}

static void nobody_loses_a_turn_while_nobody_waits(void **state)
{
    struct fixture f;
    make(&f, 3);
    for (int64_t us = 0; us < 100 * GW_SECOND; us += GW_SECOND / 10)
        assert_int_equal(ask_all(&f, 3, us), 3);
    assert_int_equal(f.turns.limit, 3);
    gw_turns_finish(&f.turns);
}

static void everybody_gets_a_turn_while_many_never_rest(void **state)
{
    struct fixture f;
    bool had[MANY] = {0};
    make(&f, 2);
    for (int64_t us = 0; us < 300 * GW_SECOND; us += GW_SECOND / 10) {
        for (int i = 0; i < MANY; i++) {
            had[i] |= gw_turns_ask(&f.turns, &f.turn[i], us);
            // The pool carries four.
            if (f.turn[i].taken && f.turns.taken > 4)
                gw_turns_end(&f.turns, &f.turn[i], true, us);
        }
        assert_true(f.turns.taken <= 5);
    }
    for (int i = 0; i < MANY; i++)
        assert_true(had[i]);
    gw_turns_finish(&f.turns);
}

static void the_limit_follows_what_the_pool_keeps_up_with(void **state)
{
    struct fixture f;
    make(&f, 3);
    ask_all(&f, 10, 0);
    gw_turns_end(&f.turns, &f.turn[0], true, GW_SECOND / 2);
    assert_int_equal(f.turns.limit, 2);
    gw_turns_end(&f.turns, &f.turn[1], true, GW_SECOND / 2); // for the same reason
    assert_int_equal(f.turns.limit, 2);
    ask_all(&f, 10, GW_SECOND);
    for (int i = 0; i < 10; i++)
        gw_turns_end(&f.turns, &f.turn[i], false, GW_SECOND);
    assert_int_equal(f.turns.limit, 4);
    assert_int_equal(f.turns.taken, 0);
    gw_turns_finish(&f.turns);
}

static void one_camera_is_always_looked_at(void **state)
{
    struct fixture f;
    make(&f, 1);
    for (int64_t us = 0; us < 60 * GW_SECOND; us += GW_SECOND) {
        assert_true(gw_turns_ask(&f.turns, &f.turn[0], us));
        gw_turns_end(&f.turns, &f.turn[0], true, us);
    }
    gw_turns_finish(&f.turns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_so_many_have_a_turn_at_once),
        cmocka_unit_test(a_turn_that_ends_is_the_next_one_s),
        cmocka_unit_test(nobody_loses_a_turn_while_nobody_waits),
        cmocka_unit_test(everybody_gets_a_turn_while_many_never_rest),
        cmocka_unit_test(the_limit_follows_what_the_pool_keeps_up_with),
        cmocka_unit_test(one_camera_is_always_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
