// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <math.h>

#include "analyze/trust.h"
#include "core/clock.h"

static const int64_t start_us = 1000 * GW_SECOND;

static int64_t at(double seconds)
{
    return start_us + (int64_t)(seconds * GW_SECOND);
}

static void a_gate_is_believed_until_it_is_refuted(void **state)
{
    struct gw_trust trust;
    gw_trust_init(&trust);
    assert_true(gw_trust_believes(&trust, at(0), 1));
    gw_trust_begin(&trust, at(0), 2);
    assert_true(gw_trust_believes(&trust, at(1), 2));
    gw_trust_refute(&trust, at(1));
    assert_false(gw_trust_believes(&trust, at(1.1), 2));
    assert_false(gw_trust_believes(&trust, at(11), 2));
    assert_true(gw_trust_believes(&trust, at(11.1), 2));
}

static void a_refuted_gate_is_believed_when_more_happens(void **state)
{
    struct gw_trust trust;
    gw_trust_init(&trust);
    gw_trust_begin(&trust, at(0), 2);
    gw_trust_follow(&trust, 2.4, false);
    gw_trust_follow(&trust, NAN, false);
    gw_trust_follow(&trust, 2.1, false);
    gw_trust_refute(&trust, at(2));
    assert_false(gw_trust_believes(&trust, at(3), 2.9));
    assert_true(gw_trust_believes(&trust, at(3), 3.1)); // a quarter above 2.4
}

static void what_begins_again_soon_is_refuted_with_what_it_was(void **state)
{
    struct gw_trust trust;
    gw_trust_init(&trust);
    gw_trust_begin(&trust, at(0), 4);
    gw_trust_begin(&trust, at(5), 2);
    gw_trust_refute(&trust, at(6));
    assert_false(gw_trust_believes(&trust, at(7), 4.9));
    gw_trust_begin(&trust, at(20), 2);
    gw_trust_refute(&trust, at(21));
    assert_true(gw_trust_believes(&trust, at(22), 2.6));
}

static void a_signal_that_outlasts_what_moved_is_not_refuted_with_it(void **state)
{
    struct gw_trust trust;
    gw_trust_init(&trust);
    gw_trust_begin(&trust, at(0), 4); // a car, and decoding begins again at a keyframe behind it
    gw_trust_follow(&trust, 4.2, true);
    gw_trust_begin(&trust, at(4), 3);
    gw_trust_follow(&trust, 3, true);
    gw_trust_follow(&trust, 1.8, false);
    gw_trust_refute(&trust, at(5.5));
    assert_true(gw_trust_believes(&trust, at(10), 4.2)); // the next car
    assert_false(gw_trust_believes(&trust, at(10), 2.2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gate_is_believed_until_it_is_refuted),
        cmocka_unit_test(a_refuted_gate_is_believed_when_more_happens),
        cmocka_unit_test(a_signal_that_outlasts_what_moved_is_not_refuted_with_it),
        cmocka_unit_test(what_begins_again_soon_is_refuted_with_what_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
