// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <string.h>

#include "core/error.h"
#include "core/id.h"

static void an_id_is_a_version_7_uuid_of_its_time(void **state)
{
    char text[GW_ID_TEXT_SIZE];
    struct gw_id id = gw_id_make(0x0190a5c2d3e4 * INT64_C(1000));
    gw_id_format(text, &id);
    assert_memory_equal(text, "0190a5c2-d3e4-7", 15);
    assert_non_null(strchr("89ab", text[19]));
}

static void ids_of_later_times_sort_later(void **state)
{
    struct gw_id a = gw_id_make(1000000), b = gw_id_make(2000000);
    assert_true(memcmp(a.bytes, b.bytes, sizeof(a.bytes)) < 0);
}

static void an_id_survives_its_text(void **state)
{
    char text[GW_ID_TEXT_SIZE];
    struct gw_id id = gw_id_make(1777863721120000), back;
    assert_int_equal(gw_id_parse(gw_id_format(text, &id), &back), 0);
    assert_true(gw_id_equal(&id, &back));
    assert_false(gw_id_is_null(&id));
}

static void text_that_is_no_id_is_refused(void **state)
{
    const char *bad[] = {"", "0190a5c2", "0190a5c2-d3e4-7000-8000-00000000000g",
                         "0190a5c2xd3e4-7000-8000-000000000000",
                         "0190a5c2-d3e4-7000-8000-0000000000000"};
    struct gw_id id;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(gw_id_parse(bad[i], &id), GW_ERROR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_a_version_7_uuid_of_its_time),
        cmocka_unit_test(ids_of_later_times_sort_later),
        cmocka_unit_test(an_id_survives_its_text),
        cmocka_unit_test(text_that_is_no_id_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
