// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Retention's rounds on a real store, with made-up clocks and disks.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/retention.h"
#include "core/error.h"
#include "storage/index_internal.h"
#include "storage/media.h"
#include "tests/unit/index_store.h"

#define S   GW_SECOND
#define T   TEST_START_US
#define DAY GW_DAY_US
#define GIB (UINT64_C(1) << 30)

static struct gw_reserve reserve;
static struct gw_retention *retention;
static struct gw_retention_now now;

static int prepare(void **state)
{
    int result = make_store(state);
    sqlite3_exec(idx->db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
    gw_reserve_init(&reserve, store, 1 << 20);
    now = (struct gw_retention_now){
        .wall_us = T, .mono_us = S, .free_bytes = 100 * GIB, .total_bytes = 1000 * GIB};
    return result;
}

static void start(void)
{
    char error[GW_INDEX_ERROR_SIZE];
    const struct gw_retention_config config = {
        .store = store,
        .division = "640323",
        .rules = {.floor_us = 30 * DAY, .ceiling_us = 90 * DAY},
        .min_free_bytes = (int64_t)(10 * GIB),
        .reserve = &reserve};
    assert_int_equal(gw_retention_create(&retention, &config, error), 0);
}

static int finish(void **state)
{
    gw_retention_destroy(&retention);
    gw_reserve_finish(&reserve);
    return remove_store(state);
}

static struct gw_clip add_clip(const char *camera, int64_t start_us)
{
    char path[GW_MEDIA_PATH_SIZE];
    struct gw_clip clip = make_clip(camera, start_us, start_us + 60 * S);
    clip.size_bytes = (int64_t)GIB;
    assert_int_equal(commit_clip(GW_FACT_CLIP_CLOSED, &clip), 0);
    assert_int_equal(gw_media_write(store, gw_clip_path(path, &clip), (const uint8_t *)"clip", 4),
                     0);
    return clip;
}

static bool is_there(const struct gw_clip *clip)
{
    char path[GW_MEDIA_PATH_SIZE], full[PATH_MAX];
    struct gw_clip_row row;
    snprintf(full, sizeof(full), "%s/%s", store, gw_clip_path(path, clip));
    const bool file = access(full, F_OK) == 0, indexed = gw_index_clip(idx, &clip->id, &row) == 0;
    assert_int_equal(file, indexed);
    return file;
}

static struct gw_retention_report report(void)
{
    struct gw_retention_report got;
    gw_retention_report(retention, &got);
    return got;
}

// Both clocks go on by as much, a step a minute (of hours: thirty) and as many as are asked for in
// between.
static void pass(int64_t us)
{
    const int64_t step_us = us > 3600 * S ? 1800 * S : 60 * S;
    for (int64_t end_us = now.mono_us + us; now.mono_us < end_us;) {
        int64_t rest_us = gw_retention_step(retention, &now);
        for (int i = 0; rest_us < S && i < 1000; i++)
            rest_us = gw_retention_step(retention, &now);
        assert_true(rest_us >= S);
        now.mono_us += step_us;
        now.wall_us += step_us;
    }
}

static void what_is_due_goes_with_its_file(void **state)
{
    struct gw_clip old = add_clip("gate", T - 91 * DAY), young = add_clip("gate", T - 80 * DAY);
    add_clip("gate", T); // the newest row says that the clock is right
    start();
    pass(120 * S);
    assert_false(is_there(&old));
    assert_true(is_there(&young));
    assert_int_equal(report().deleted[GW_NOUN_CLIP][GW_DELETED_EXPIRED], 1);
    assert_int_equal(report().garbage, 0);
}

static void a_camera_is_kept_for_the_days_that_the_registry_says(void **state)
{
    struct gw_camera camera = make_camera("gate", "640323101", "004");
    camera.retention_days = 7;
    assert_true(gw_index_put_camera(idx, &camera) >= 0);
    struct gw_clip old = add_clip("gate", T - 8 * DAY), young = add_clip("gate", T - 6 * DAY),
                   other = add_clip("road", T - 8 * DAY);
    add_clip("gate", T);
    start();
    pass(120 * S);
    assert_false(is_there(&old));
    assert_true(is_there(&young));
    assert_true(is_there(&other));
    camera.retention_days = 5; // while it runs
    assert_true(gw_index_put_camera(idx, &camera) >= 0);
    pass(120 * S);
    assert_false(is_there(&young));
}

static void a_crash_between_row_and_file_is_made_good(void **state)
{
    struct gw_clip old = add_clip("gate", T - 91 * DAY);
    const struct gw_victim victim = {GW_NOUN_CLIP, old.id};
    assert_int_equal(gw_index_delete(idx, &victim, 1, GW_DELETED_EXPIRED, T, NULL), 1);
    start();
    pass(60 * S);
    assert_false(is_there(&old));
}

static void a_clock_that_jumps_ten_years_deletes_nothing(void **state)
{
    char warning[GW_RETENTION_WARNING_SIZE];
    struct gw_clip clip = add_clip("gate", T - 50 * DAY);
    add_clip("gate", T);
    start();
    pass(120 * S);
    now.wall_us += 3650 * DAY;
    now.synchronised = true;
    pass(48 * 3600 * S);
    assert_true(is_there(&clip));
    assert_int_equal(report().doubt, GW_CLOCK_JUMPED);
    struct gw_retention_report got = report();
    assert_non_null(strstr(gw_retention_warning(&got, warning), "was set by 3650.0 days"));

    gw_retention_destroy(&retention); // nor after a restart
    start();
    pass(48 * 3600 * S);
    assert_true(is_there(&clip));
    assert_int_equal(report().doubt, GW_CLOCK_AHEAD);
}

static void an_administrators_word_lets_it_go_on(void **state)
{
    struct gw_clip clip = add_clip("gate", T - 50 * DAY);
    add_clip("gate", T);
    start();
    pass(120 * S);
    now.wall_us += 100 * DAY; // the machine was off, and nobody knows how long
    pass(3600 * S);
    assert_true(is_there(&clip));
    assert_int_equal(gw_retention_confirm_clock(idx, now.wall_us), 0);
    pass(240 * S);
    assert_false(is_there(&clip));
    assert_int_equal(report().doubt, GW_CLOCK_SURE);
}

static void a_full_disk_makes_room_oldest_first_and_no_more_than_needed(void **state)
{
    struct gw_clip clips[6];
    for (int i = 0; i < 6; i++)
        clips[i] = add_clip("gate", T - (50 - i) * DAY);
    add_clip("gate", T);
    start();
    now.free_bytes = 9 * GIB; // 10 and an eighth (at most 1 GiB) are wanted
    for (int i = 0; i < 20 && now.free_bytes < 12 * GIB; i++) {
        const uint64_t before = report().deleted[GW_NOUN_CLIP][GW_DELETED_ROOM];
        gw_retention_step(retention, &now);
        now.free_bytes += (report().deleted[GW_NOUN_CLIP][GW_DELETED_ROOM] - before) * GIB;
        now.mono_us += S;
        now.wall_us += S;
    }
    pass(120 * S);
    assert_int_equal(report().deleted[GW_NOUN_CLIP][GW_DELETED_ROOM], 2);
    assert_false(is_there(&clips[0]));
    assert_false(is_there(&clips[1]));
    assert_true(is_there(&clips[2]));
    assert_false(report().pressed);
    assert_false(report().floor_broken);
}

static void the_floor_gives_way_before_recording_does_and_says_so(void **state)
{
    char warning[GW_RETENTION_WARNING_SIZE];
    struct gw_clip older = add_clip("gate", T - 6 * DAY), old = add_clip("gate", T - 5 * DAY),
                   young = add_clip("gate", T - 3600 * S);
    start();
    now.free_bytes = 9 * GIB + GIB / 2;
    for (int i = 0; i < 50; i++) {
        gw_retention_step(retention, &now);
        if (report().deleted[GW_NOUN_CLIP][GW_DELETED_ROOM] == 2)
            now.free_bytes = 12 * GIB;
        now.mono_us += S;
        now.wall_us += S;
    }
    assert_false(is_there(&older));
    assert_false(is_there(&old));
    assert_true(is_there(&young));
    assert_true(report().floor_broken);
    struct gw_retention_report got = report();
    assert_non_null(strstr(gw_retention_warning(&got, warning), "cannot be kept"));
    pass(2 * 3600 * S);
    assert_false(report().floor_broken);
}

static void what_is_held_stays_also_on_a_full_disk(void **state)
{
    struct gw_hold hold = {.case_name = "c",
                           .reason = "r",
                           .author = "a",
                           .created_us = T,
                           .until_us = T + 100 * DAY,
                           .division = "640323101",
                           .from_us = GW_NO_TIME,
                           .to_us = GW_NO_TIME};
    struct gw_camera camera = make_camera("gate", "640323101", "004");
    assert_true(gw_index_put_camera(idx, &camera) >= 0);
    struct gw_clip held = add_clip("gate", T - 95 * DAY), other = add_clip("road", T - 10 * DAY);
    assert_int_equal(gw_index_add_hold(idx, &hold), 0);
    start();
    now.free_bytes = GIB;
    for (int i = 0; i < 100; i++) {
        gw_retention_step(retention, &now);
        now.mono_us += S;
        now.wall_us += S;
    }
    assert_true(is_there(&held));
    assert_false(is_there(&other));
    assert_true(report().stuck);
    assert_int_equal(report().holds, 0); // not counted while there is nothing but room to make
    now.free_bytes = 100 * GIB;
    pass(60 * S);
    assert_false(report().stuck);
    assert_int_equal(report().holds, 1);
}

static void a_store_that_fills_up_is_foretold(void **state)
{
    char warning[GW_RETENTION_WARNING_SIZE];
    for (int i = 1; i <= 48; i++)
        add_clip("gate", T - i * 3600 * S);
    add_clip("gate", T);
    start();
    now.free_bytes = 10 * GIB + 240 * GIB; // ten days at one GiB an hour
    pass(180 * S);
    struct gw_retention_report got = report();
    assert_true(got.bytes_per_day == 24.0 * (double)GIB);
    assert_true(llabs(got.forecast.full_us - (T + 10 * DAY)) < 3600 * S);
    assert_true(got.forecast.floor_lost_us == got.forecast.full_us);
    assert_non_null(strstr(gw_retention_warning(&got, warning), "cannot be kept from 2026-05-14"));
}

static void the_reserve_is_made_when_there_is_room(void **state)
{
    start();
    now.free_bytes = 100 * GIB;
    pass(60 * S);
    assert_true(reserve.held);
    assert_true(report().reserve_held);
}

int main(void)
{
#define FACT(name) cmocka_unit_test_setup_teardown(name, prepare, finish)
    const struct CMUnitTest tests[] = {
        FACT(what_is_due_goes_with_its_file),
        FACT(a_camera_is_kept_for_the_days_that_the_registry_says),
        FACT(a_crash_between_row_and_file_is_made_good),
        FACT(a_clock_that_jumps_ten_years_deletes_nothing),
        FACT(an_administrators_word_lets_it_go_on),
        FACT(a_full_disk_makes_room_oldest_first_and_no_more_than_needed),
        FACT(the_floor_gives_way_before_recording_does_and_says_so),
        FACT(what_is_held_stays_also_on_a_full_disk),
        FACT(a_store_that_fills_up_is_foretold),
        FACT(the_reserve_is_made_when_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
