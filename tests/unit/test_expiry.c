// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What is due, and what goes first when the disk needs room.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/expiry.h"
#include "storage/index_internal.h"
#include "storage/usage.h"
#include "tests/unit/index_store.h"

#define S   GW_SECOND
#define T   TEST_START_US
#define DAY GW_DAY_US

static int days_of(void *opaque, const char *camera)
{
    return !strcmp(camera, "short") ? 7 : !strcmp(camera, "long") ? 365 : 0;
}

static struct gw_expiry_config config = {.rules = {.floor_us = 30 * DAY, .ceiling_us = 90 * DAY},
                                         .camera_days = days_of};

static int make_quick_store(void **state)
{
    int result = make_store(state);
    sqlite3_exec(idx->db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
    config.rules = (struct gw_retention_rules){.floor_us = 30 * DAY, .ceiling_us = 90 * DAY};
    return result;
}

static struct gw_clip add_clip(const char *camera, int64_t start_us)
{
    struct gw_clip clip = make_clip(camera, start_us, start_us + 60 * S);
    assert_int_equal(commit_clip(GW_FACT_CLIP_CLOSED, &clip), 0);
    return clip;
}

static struct gw_event add_event(const char *camera, int64_t start_us, enum gw_event_kind kind)
{
    struct gw_event event = make_event(camera, start_us, start_us + 3 * S);
    event.kind = kind;
    assert_int_equal(commit_event(GW_FACT_EVENT_CLOSED, &event), 0);
    return event;
}

static struct gw_candidate found[4096];

// A whole walk, steps of at most limit. Returns how many it gave.
static int find_due(int64_t now_us, int limit)
{
    struct gw_expiry_walk walk;
    int all = 0;
    gw_expiry_begin(&walk);
    while (!walk.done) {
        int got = gw_expiry_next(idx, &config, &walk, now_us, found + all, limit);
        assert_true(got >= 0 && got <= limit);
        all += got;
    }
    return all;
}

static bool gave(int count, const struct gw_id *id)
{
    for (int i = 0; i < count; i++)
        if (gw_id_equal(&found[i].victim.id, id))
            return true;
    return false;
}

static void each_camera_has_its_own_time(void **state)
{
    struct gw_clip site = add_clip("gate", T), week = add_clip("short", T),
                   year = add_clip("long", T);
    int count = find_due(T + 8 * DAY, 100);
    assert_int_equal(count, 1);
    assert_true(gave(count, &week.id));
    count = find_due(T + 90 * DAY, 100);
    assert_int_equal(count, 2);
    assert_true(gave(count, &site.id) && gave(count, &week.id));
    assert_true(gave(find_due(T + 366 * DAY, 100), &year.id));
}

static void nothing_is_due_before_its_time(void **state)
{
    add_clip("gate", T);
    assert_int_equal(find_due(T + 90 * DAY - 1, 100), 0);
}

static void without_a_ceiling_nothing_is_found(void **state)
{
    config.rules.ceiling_us = 0;
    add_clip("gate", T);
    assert_int_equal(find_due(T + 9999 * DAY, 100), 0);
}

static void a_clip_stays_as_long_as_an_event_in_it(void **state)
{
    config.rules.motion_us = 180 * DAY;
    struct gw_clip clip = add_clip("gate", T), empty = add_clip("gate", T + 120 * S);
    struct gw_event event = add_event("gate", T + 10 * S, GW_EVENT_MOTION);
    int count = find_due(T + 91 * DAY, 100);
    assert_int_equal(count, 1);
    assert_true(gave(count, &empty.id));
    count = find_due(T + 181 * DAY, 100);
    assert_int_equal(count, 2); // the event and the empty clip: the other goes with the next walk
    assert_true(gave(count, &event.id));
    assert_int_equal(gw_index_delete(idx, &(struct gw_victim){GW_NOUN_EVENT, event.id}, 1,
                                     GW_DELETED_EXPIRED, T + 181 * DAY, NULL),
                     1);
    assert_true(gave(find_due(T + 181 * DAY, 100), &clip.id));
}

static void kinds_of_events_have_their_own_time(void **state)
{
    config.rules.fault_us = 10 * DAY;
    struct gw_event motion = add_event("gate", T, GW_EVENT_MOTION),
                    black = add_event("gate", T + S, GW_EVENT_BLACK);
    int count = find_due(T + 11 * DAY, 100);
    assert_int_equal(count, 1);
    assert_true(gave(count, &black.id));
    assert_true(gave(find_due(T + 90 * DAY, 100), &motion.id));
}

static void what_is_held_is_not_given(void **state)
{
    struct gw_hold hold = {.case_name = "c",
                           .reason = "r",
                           .author = "a",
                           .created_us = T,
                           .until_us = T + 100 * DAY,
                           .camera = "gate",
                           .from_us = GW_NO_TIME,
                           .to_us = GW_NO_TIME};
    add_clip("gate", T);
    assert_int_equal(gw_index_add_hold(idx, &hold), 0);
    assert_int_equal(find_due(T + 99 * DAY, 100), 0);
    assert_int_equal(find_due(T + 101 * DAY, 100), 1);
}

static void small_steps_find_the_same_as_large_ones(void **state)
{
    static const char *const cameras[] = {"gate", "road", "short", "yard"};
    for (int i = 0; i < 700; i++)
        add_clip(cameras[i % 4], T + i * S);
    assert_int_equal(find_due(T + 95 * DAY, 512), 700);
    assert_int_equal(find_due(T + 95 * DAY, 1), 700);
    assert_int_equal(find_due(T + 95 * DAY, 97), 700);
    for (int i = 0; i < 700; i++)
        for (int j = 0; j < i && i < 50; j++)
            assert_false(gw_id_equal(&found[i].victim.id, &found[j].victim.id));
}

static void the_walk_uses_an_index(void **state)
{
    sqlite3_stmt *statement;
    assert_int_equal(
        sqlite3_prepare_v2(
            idx->db,
            "EXPLAIN QUERY PLAN SELECT id, camera, start_us, end_us, state, '', size_bytes"
            " FROM clip WHERE place = 7 AND (start_us, id) > (5, x'00') AND start_us < 9"
            " ORDER BY start_us, id LIMIT 5",
            -1, &statement, NULL),
        SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const char *plan = (const char *)sqlite3_column_text(statement, 3);
        assert_non_null(strstr(plan, "SEARCH clip USING INDEX clip_by_place"));
    }
    sqlite3_finalize(statement);
}

// --- for room ------------------------------------------------------------------------------------

static int find_oldest(int64_t now_us, bool in_floor, int64_t bytes, int limit)
{
    struct gw_oldest_walk walk;
    int all = 0, got;
    gw_oldest_begin(&walk, in_floor);
    do {
        got = gw_oldest_next(idx, &config, &walk, now_us, bytes, found + all, limit);
        assert_true(got >= 0 && got <= limit);
        all += got;
        for (int i = all - got; i < all; i++)
            bytes -= found[i].size_bytes;
    } while (!walk.done && bytes > 0);
    return all;
}

static void the_oldest_go_first_clips_and_events_alike(void **state)
{
    struct gw_clip a = add_clip("gate", T), c = add_clip("road", T + 200 * S);
    struct gw_event b = add_event("gate", T + 100 * S, GW_EVENT_MOTION);
    int count = find_oldest(T + 40 * DAY, false, INT64_MAX, 100);
    assert_int_equal(count, 3);
    assert_true(gw_id_equal(&found[0].victim.id, &a.id));
    assert_true(gw_id_equal(&found[1].victim.id, &b.id));
    assert_true(gw_id_equal(&found[2].victim.id, &c.id));
}

static void no_more_clips_go_than_are_needed(void **state)
{
    for (int i = 0; i < 10; i++)
        add_clip("gate", T + i * 100 * S);
    assert_int_equal(find_oldest(T + 40 * DAY, false, 3 * 812345, 100), 3);
    assert_int_equal(find_oldest(T + 40 * DAY, false, 3 * 812345 + 1, 100), 4);
}

static void what_is_in_its_floor_goes_only_when_it_must(void **state)
{
    struct gw_clip old = add_clip("gate", T), kept = add_clip("long", T + S),
                   young = add_clip("gate", T + 20 * DAY);
    int count = find_oldest(T + 40 * DAY, false, INT64_MAX, 100);
    assert_int_equal(count, 1);
    assert_true(gave(count, &old.id));
    count = find_oldest(T + 40 * DAY, true, INT64_MAX, 100);
    assert_int_equal(count, 3);
    assert_true(gave(count, &kept.id) && gave(count, &young.id));
}

static void many_clips_of_one_time_are_all_found(void **state)
{
    for (int i = 0; i < 600; i++)
        add_clip("gate", T);
    for (int i = 0; i < 300; i++)
        add_event("gate", T + i, GW_EVENT_MOTION);
    assert_int_equal(find_oldest(T + 40 * DAY, false, INT64_MAX, 512), 900);
    assert_int_equal(find_oldest(T + 40 * DAY, false, INT64_MAX, 7), 900);
}

// --- usage ---------------------------------------------------------------------------------------

static void the_rate_is_that_of_the_last_day(void **state)
{
    struct gw_usage usage;
    const int64_t hour = T / (3600 * S) * 3600 * S;
    for (int i = 0; i < 48; i++)
        add_clip("gate", hour + i * 3600 * S + S);
    gw_usage_begin(&usage);
    while (!usage.complete)
        assert_int_equal(gw_usage_read(idx, &usage, hour + 48 * 3600 * S), 0);
    assert_true(usage.stored_bytes == 48 * 812345);
    assert_true(gw_usage_bytes_per_day(&usage, hour + 48 * 3600 * S) == 24 * 812345.0);
    // Half a day without anything.
    assert_true(gw_usage_bytes_per_day(&usage, hour + 60 * 3600 * S) == 12 * 812345.0);
}

static void a_site_of_an_hour_has_a_rate(void **state)
{
    struct gw_usage usage;
    const int64_t hour = T / (3600 * S) * 3600 * S;
    struct gw_clip clip = add_clip("gate", hour + S);
    gw_usage_begin(&usage);
    assert_int_equal(gw_usage_read(idx, &usage, hour + 3600 * S), 0);
    assert_true(gw_usage_bytes_per_day(&usage, hour + 3600 * S) == 24 * 812345.0);
    struct gw_candidate gone = {
        .victim = {GW_NOUN_CLIP, clip.id}, .start_us = clip.start_us, .size_bytes = 812345};
    gw_usage_subtract(&usage, &gone);
    assert_true(usage.stored_bytes == 0);
}

int main(void)
{
#define FACT(name) cmocka_unit_test_setup_teardown(name, make_quick_store, remove_store)
    const struct CMUnitTest tests[] = {
        FACT(each_camera_has_its_own_time),
        FACT(nothing_is_due_before_its_time),
        FACT(without_a_ceiling_nothing_is_found),
        FACT(a_clip_stays_as_long_as_an_event_in_it),
        FACT(kinds_of_events_have_their_own_time),
        FACT(what_is_held_is_not_given),
        FACT(small_steps_find_the_same_as_large_ones),
        FACT(the_walk_uses_an_index),
        FACT(the_oldest_go_first_clips_and_events_alike),
        FACT(no_more_clips_go_than_are_needed),
        FACT(what_is_in_its_floor_goes_only_when_it_must),
        FACT(many_clips_of_one_time_are_all_found),
        FACT(the_rate_is_that_of_the_last_day),
        FACT(a_site_of_an_hour_has_a_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
