// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include "core/clock.h"
#include "core/error.h"

static void a_time_survives_printing_and_reading(void **state)
{
    int64_t moments[] = {0, 1, 1777863721120000, -1, 951782400000000};
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        char text[GW_RFC3339_SIZE];
        int64_t back = 0;
        gw_format_rfc3339(text, moments[i]);
        assert_int_equal(gw_parse_time(text, &back), 0);
        assert_int_equal(back, moments[i]);
    }
}

static void a_local_offset_is_taken_off(void **state)
{
    int64_t local = 0, utc = 0;
    assert_int_equal(gw_parse_time("2026-05-04T11:02:01.5+08:00", &local), 0);
    assert_int_equal(gw_parse_time("2026-05-04T03:02:01.500000Z", &utc), 0);
    assert_int_equal(local, utc);
}

static void a_plain_number_is_microseconds(void **state)
{
    int64_t time = 0;
    assert_int_equal(gw_parse_time("1777863721120000", &time), 0);
    assert_int_equal(time, 1777863721120000);
}

static void nonsense_is_refused_and_leaves_the_output_alone(void **state)
{
    const char *bad[] = {"",
                         "now",
                         "2026-05-04",
                         "2026-05-04T03:02:01",
                         "2026-13-04T03:02:01Z",
                         "2026-02-30T03:02:01Z",
                         "2026-05-04T03:02:01.Z",
                         "2026-05-04T03:02:01Zx",
                         " 12",
                         "2026-05-04T03:02:01+8:00"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t time = 77;
        assert_int_equal(gw_parse_time(bad[i], &time), GW_ERROR_INVALID);
        assert_int_equal(time, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_survives_printing_and_reading),
        cmocka_unit_test(a_local_offset_is_taken_off),
        cmocka_unit_test(a_plain_number_is_microseconds),
        cmocka_unit_test(nonsense_is_refused_and_leaves_the_output_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
