// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include "analyze/audit_row.h"

// GOPs up to and with the next audit.
static int until_next(struct gw_audit_row *row)
{
    int gops = 1;

    while (!gw_audit_row_due(row))
        gops++;
    return gops;
}

static void audits_become_rarer_to_one_in_32(void **state)
{
    struct gw_audit_row row = {0};

    assert_int_equal(until_next(&row), 4);
    assert_int_equal(until_next(&row), 8);
    assert_int_equal(until_next(&row), 16);
    for (int i = 0; i < 100; i++)
        assert_int_equal(until_next(&row), 32);
    assert_int_equal(row.count, 103);
}

static void a_miss_makes_the_next_audits_come_quickly(void **state)
{
    struct gw_audit_row row = {0};

    for (int i = 0; i < 10; i++)
        until_next(&row);
    gw_audit_row_missed(&row);
    assert_int_equal(until_next(&row), 4);
    assert_int_equal(until_next(&row), 8);
}

static void another_level_has_a_row_of_its_own(void **state)
{
    struct gw_audit_row row = {0};

    for (int i = 0; i < 3 + 4; i++)
        gw_audit_row_due(&row);
    gw_audit_row_begin(&row);
    assert_int_equal(until_next(&row), 4);
    assert_int_equal(row.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audits_become_rarer_to_one_in_32),
        cmocka_unit_test(a_miss_makes_the_next_audits_come_quickly),
        cmocka_unit_test(another_level_has_a_row_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
