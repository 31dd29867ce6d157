// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include "console/range.h"

static void expect_part(const char *header, uint64_t size, uint64_t first, uint64_t length)
{
    struct gw_range range;
    assert_int_equal(gw_range_parse(header, size, &range), GW_RANGE_PART);
    assert_int_equal(range.first, first);
    assert_int_equal(range.length, length);
}

static void a_range_counts_both_its_ends(void **state)
{
    expect_part("bytes=0-0", 100, 0, 1);
    expect_part("bytes=0-99", 100, 0, 100);
    expect_part("bytes=10-19", 100, 10, 10);
    expect_part("bytes=99-99", 100, 99, 1);
    expect_part("BYTES=10-19", 100, 10, 10);
    expect_part("bytes= 10-19 ", 100, 10, 10);
}

static void a_range_without_its_last_byte_goes_to_the_end(void **state)
{
    expect_part("bytes=0-", 100, 0, 100);
    expect_part("bytes=40-", 100, 40, 60);
}

static void a_range_that_goes_beyond_the_end_stops_there(void **state)
{
    expect_part("bytes=40-1000", 100, 40, 60);
    expect_part("bytes=40-18446744073709551615", 100, 40, 60);
    expect_part("bytes=40-99999999999999999999999999", 100, 40, 60);
}

static void a_suffix_is_the_last_bytes(void **state)
{
    expect_part("bytes=-1", 100, 99, 1);
    expect_part("bytes=-100", 100, 0, 100);
    expect_part("bytes=-500", 100, 0, 100);
}

static void a_range_of_bytes_that_do_not_exist_is_unsatisfiable(void **state)
{
    const char *headers[] = {"bytes=100-", "bytes=100-200", "bytes=-0",
                             "bytes=99999999999999999999999999-"};
    struct gw_range range;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        assert_int_equal(gw_range_parse(headers[i], 100, &range), GW_RANGE_UNSATISFIABLE);
    assert_int_equal(gw_range_parse("bytes=0-", 0, &range), GW_RANGE_UNSATISFIABLE);
    assert_int_equal(gw_range_parse("bytes=-5", 0, &range), GW_RANGE_UNSATISFIABLE);
}

static void what_is_no_single_range_of_bytes_means_the_whole_file(void **state)
{
    const char *headers[] = {"",           "bytes",     "bytes=",        "bytes=-",    "bytes=a-b",
                             "bytes=5",    "bytes=9-5", "bytes=0-1,5-6", "bytes=1-2x", "items=0-1",
                             "bytes=+1-2", "bytes=--5", "bytes=0x1-2",   "bytes=1 -2"};
    struct gw_range range;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        assert_int_equal(gw_range_parse(headers[i], 100, &range), GW_RANGE_WHOLE);
    assert_int_equal(gw_range_parse(NULL, 100, &range), GW_RANGE_WHOLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_counts_both_its_ends),
        cmocka_unit_test(a_range_without_its_last_byte_goes_to_the_end),
        cmocka_unit_test(a_range_that_goes_beyond_the_end_stops_there),
        cmocka_unit_test(a_suffix_is_the_last_bytes),
        cmocka_unit_test(a_range_of_bytes_that_do_not_exist_is_unsatisfiable),
        cmocka_unit_test(what_is_no_single_range_of_bytes_means_the_whole_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
