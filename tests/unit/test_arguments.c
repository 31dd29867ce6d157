// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <string.h>

#include "console/arguments.h"
#include "core/clock.h"
#include "core/error.h"

struct arguments {
    const char *name, *text;
};

static const char *get_one(void *opaque, const char *name)
{
    const struct arguments *one = opaque;
    return strcmp(one->name, name) ? NULL : one->text;
}

static char error[GW_ARGUMENT_ERROR_SIZE];

static int parse(enum gw_arguments_noun noun, const char *name, const char *text,
                 struct gw_query *ret)
{
    struct arguments one = {name, text};
    return gw_arguments_parse(ret, noun, get_one, &one, error);
}

static void no_filter_finds_everything(void **state)
{
    struct gw_query query;
    assert_int_equal(parse(GW_ARGUMENTS_EVENTS, "", "", &query), 0);
    assert_int_equal(query.from_us, GW_NO_TIME);
    assert_int_equal(query.kind, -1);
    assert_int_equal(query.limit, 100);
}

static void filters_arrive_in_the_query(void **state)
{
    struct gw_query query;
    assert_int_equal(parse(GW_ARGUMENTS_EVENTS, "from", "2026-05-04T03:02:01Z", &query), 0);
    assert_int_equal(query.from_us, INT64_C(1777863721000000));
    assert_int_equal(parse(GW_ARGUMENTS_EVENTS, "to", "1777863721000000", &query), 0);
    assert_int_equal(query.to_us, INT64_C(1777863721000000));
    assert_int_equal(parse(GW_ARGUMENTS_CLIPS, "division", "640323", &query), 0);
    assert_string_equal(query.division, "640323");
    assert_int_equal(parse(GW_ARGUMENTS_CLIPS, "camera", "gate-07", &query), 0);
    assert_string_equal(query.camera, "gate-07");
    assert_int_equal(parse(GW_ARGUMENTS_EVENTS, "state", "closed", &query), 0);
    assert_int_equal(query.state, GW_EVENT_CLOSED);
    assert_int_equal(parse(GW_ARGUMENTS_CLIPS, "state", "lost", &query), 0);
    assert_int_equal(query.state, GW_CLIP_LOST);
    assert_int_equal(parse(GW_ARGUMENTS_EVENTS, "near", "106.42,37.8,500", &query), 0);
    assert_true(query.near && query.near_m == 500);
}

static void a_plus_that_became_a_space_is_still_a_time_zone(void **state)
{
    struct gw_query query;
    assert_int_equal(parse(GW_ARGUMENTS_EVENTS, "from", "2026-05-04T11:02:01 08:00", &query), 0);
    assert_int_equal(query.from_us, INT64_C(1777863721000000));
}

static void a_bad_value_is_refused_by_its_name(void **state)
{
    const struct arguments bad[] = {
        {"from", "yesterday"},
        {"to", ""},
        {"division", "64x"},
        {"division", ""},
        {"camera", "../etc"},
        {"kind", "face"},
        {"state", "recording"},
        {"near", "106,37"},
        {"near", "106,37,0"},
        {"near", "200,37,5"},
        {"near", "106,37,5,"},
        {"near", "nan,37,5"},
        {"limit", "0"},
        {"limit", "1001"},
        {"limit", "-1"},
        {"limit", "ten"},
        {"division", "6403231010040001"},
        {"cursor", "0123456789012345678901234567890123456789012345678901234567890123456789"},
    };
    struct gw_query query;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(parse(GW_ARGUMENTS_EVENTS, bad[i].name, bad[i].text, &query),
                         GW_ERROR_INVALID);
        assert_memory_equal(error, bad[i].name, strlen(bad[i].name));
    }
}

static const char *get_backwards(void *opaque, const char *name)
{
    return !strcmp(name, "from") ? "2000000" : !strcmp(name, "to") ? "1000000" : NULL;
}

static void a_time_that_ends_before_it_begins_is_refused(void **state)
{
    struct gw_query query;
    assert_int_equal(gw_arguments_parse(&query, GW_ARGUMENTS_CLIPS, get_backwards, NULL, error),
                     GW_ERROR_INVALID);
}

static void clips_have_no_kind(void **state)
{
    assert_true(gw_argument_known(GW_ARGUMENTS_EVENTS, "kind"));
    assert_false(gw_argument_known(GW_ARGUMENTS_CLIPS, "kind"));
    assert_false(gw_argument_known(GW_ARGUMENTS_EVENTS, "form"));
    assert_false(gw_argument_known(GW_ARGUMENTS_GAPS, "kind"));
}

static void gaps_are_open_or_closed(void **state)
{
    struct gw_query query;
    assert_int_equal(parse(GW_ARGUMENTS_GAPS, "state", "open", &query), 0);
    assert_int_equal(query.state, 1);
    assert_int_equal(parse(GW_ARGUMENTS_GAPS, "state", "closed", &query), 0);
    assert_int_equal(query.state, 0);
    assert_int_equal(parse(GW_ARGUMENTS_GAPS, "state", "recording", &query), GW_ERROR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_filter_finds_everything),
        cmocka_unit_test(gaps_are_open_or_closed),
        cmocka_unit_test(filters_arrive_in_the_query),
        cmocka_unit_test(a_plus_that_became_a_space_is_still_a_time_zone),
        cmocka_unit_test(a_bad_value_is_refused_by_its_name),
        cmocka_unit_test(a_time_that_ends_before_it_begins_is_refused),
        cmocka_unit_test(clips_have_no_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
