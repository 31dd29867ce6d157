// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Case holds: what they protect, and how they end.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/error.h"
#include "storage/hold.h"
#include "tests/unit/index_store.h"

#define S   GW_SECOND
#define T   TEST_START_US
#define DAY (86400 * S)

static struct gw_hold make_hold(void)
{
    struct gw_hold hold = {.case_name = "2026-117",
                           .reason = "theft at the gate",
                           .author = "chen",
                           .created_us = T,
                           .until_us = T + 90 * DAY,
                           .camera = "gate",
                           .from_us = T - DAY,
                           .to_us = T + DAY};
    return hold;
}

static void a_hold_is_kept_as_it_was_given(void **state)
{
    struct gw_hold hold = make_hold(), *kept;
    snprintf(hold.division, sizeof(hold.division), "640323101004");
    assert_int_equal(gw_index_add_hold(idx, &hold), 0);
    assert_int_equal(hold.id, 1);
    assert_int_equal(gw_index_holds(idx, &kept), 1);
    assert_string_equal(kept->case_name, "2026-117");
    assert_string_equal(kept->reason, "theft at the gate");
    assert_string_equal(kept->author, "chen");
    assert_string_equal(kept->camera, "gate");
    assert_string_equal(kept->division, "640323101004");
    assert_true(kept->created_us == T && kept->until_us == T + 90 * DAY);
    assert_true(kept->from_us == T - DAY && kept->to_us == T + DAY);
    assert_true(kept->removed_us == GW_NO_TIME);
    free(kept);
}

static void refused(struct gw_hold hold)
{
    assert_int_equal(gw_index_add_hold(idx, &hold), GW_ERROR_INVALID);
}

static void a_hold_needs_case_reason_author_an_end_and_something_to_protect(void **state)
{
    struct gw_hold hold = make_hold();
    hold.case_name[0] = 0;
    refused(hold);
    hold = make_hold();
    hold.reason[0] = 0;
    refused(hold);
    hold = make_hold();
    hold.author[0] = 0;
    refused(hold);
    hold = make_hold();
    hold.until_us = T;
    refused(hold);
    hold = make_hold();
    hold.to_us = hold.from_us;
    refused(hold);
    hold = make_hold();
    hold.camera[0] = 0;
    hold.from_us = hold.to_us = GW_NO_TIME;
    refused(hold);
}

static void a_hold_ends_by_itself(void **state)
{
    struct gw_hold hold = make_hold();
    hold.removed_us = GW_NO_TIME;
    assert_true(gw_hold_lasts(&hold, T + 90 * DAY - 1));
    assert_false(gw_hold_lasts(&hold, T + 90 * DAY));
}

static void a_removed_hold_tells_who_and_why_and_is_removed_once(void **state)
{
    struct gw_hold hold = make_hold(), *kept;
    assert_int_equal(gw_index_add_hold(idx, &hold), 0);
    assert_int_equal(gw_index_remove_hold(idx, hold.id, "li", "", T + S), GW_ERROR_INVALID);
    assert_int_equal(gw_index_remove_hold(idx, hold.id, "li", "case closed", T + S), 0);
    assert_int_equal(gw_index_remove_hold(idx, hold.id, "wu", "again", T + 2 * S),
                     GW_ERROR_NOT_FOUND);
    assert_int_equal(gw_index_remove_hold(idx, 99, "wu", "none", T + 2 * S), GW_ERROR_NOT_FOUND);
    assert_int_equal(gw_index_holds(idx, &kept), 1);
    assert_true(kept->removed_us == T + S);
    assert_string_equal(kept->removed_by, "li");
    assert_string_equal(kept->removed_reason, "case closed");
    assert_false(gw_hold_lasts(kept, T + 2 * S));
    free(kept);
}

static void a_hold_covers_what_overlaps_its_time(void **state)
{
    const struct gw_hold hold = make_hold();
    assert_true(gw_hold_covers(&hold, "gate", NULL, T - DAY - S, T - DAY + 1));
    assert_false(gw_hold_covers(&hold, "gate", NULL, T - DAY - S, T - DAY));
    assert_true(gw_hold_covers(&hold, "gate", NULL, T - DAY, T - DAY)); // an instant
    assert_true(gw_hold_covers(&hold, "gate", NULL, T + DAY - 1, T + 2 * DAY));
    assert_false(gw_hold_covers(&hold, "gate", NULL, T + DAY, T + 2 * DAY));
    assert_false(gw_hold_covers(&hold, "road", NULL, T, T + S));
}

static void a_hold_without_times_covers_what_is_recorded_later(void **state)
{
    struct gw_hold hold = make_hold();
    hold.from_us = hold.to_us = GW_NO_TIME;
    assert_true(gw_hold_covers(&hold, "gate", NULL, T - 999 * DAY, T - 998 * DAY));
    assert_true(gw_hold_covers(&hold, "gate", NULL, T + 999 * DAY, T + 999 * DAY + S));
}

static void a_hold_of_a_division_covers_all_below_it(void **state)
{
    struct gw_hold hold = make_hold();
    struct gw_place place = {.division = "640323101", .grid = "004"};
    hold.camera[0] = 0;
    const char *const inside[] = {"640323", "640323101", "640323101004"};
    for (int i = 0; i < 3; i++) {
        snprintf(hold.division, sizeof(hold.division), "%s", inside[i]);
        assert_true(gw_hold_covers(&hold, "gate", &place, T, T + S));
    }
    snprintf(hold.division, sizeof(hold.division), "640323102");
    assert_false(gw_hold_covers(&hold, "gate", &place, T, T + S));
    assert_true(gw_hold_covers(&hold, "gate", NULL, T, T + S)); // it may
}

int main(void)
{
#define FACT(name) cmocka_unit_test_setup_teardown(name, make_store, remove_store)
    const struct CMUnitTest tests[] = {
        FACT(a_hold_is_kept_as_it_was_given),
        FACT(a_hold_needs_case_reason_author_an_end_and_something_to_protect),
        FACT(a_hold_ends_by_itself),
        FACT(a_removed_hold_tells_who_and_why_and_is_removed_once),
        FACT(a_hold_covers_what_overlaps_its_time),
        FACT(a_hold_without_times_covers_what_is_recorded_later),
        FACT(a_hold_of_a_division_covers_all_below_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
