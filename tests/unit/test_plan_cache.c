// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "console/plan_cache.h"

static struct gw_plan_cache cache;

static int set_up(void **state)
{
    gw_plan_cache_init(&cache);
    return 0;
}

static int tear_down(void **state)
{
    gw_plan_cache_finish(&cache);
    return 0;
}

// A plan that has nothing but so many bytes made.
static struct gw_media_plan *make_plan(int64_t bytes)
{
    const struct gw_clip clip = {.camera = "gate-07", .start_us = 1};
    const struct gw_join_request request = {0, 10, &clip, 1};
    struct gw_join join = {.pieces = calloc(1, sizeof(*join.pieces)),
                           .piece_count = 1,
                           .extents = calloc(1, sizeof(*join.extents)),
                           .extent_count = 1};
    struct gw_media_plan *plan;
    int fd = memfd_create("made", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fd, bytes), 0);
    join.pieces[0] = (struct gw_media_piece){0, 1, 2, 0, 1};
    join.extents[0] = (struct gw_media_extent){-1, 0, bytes};
    assert_int_equal(gw_media_plan_create(&plan, "/nowhere", &request, &join, fd), 0);
    return plan;
}

static struct gw_plan_key key_of(const char *session, int64_t from_us, int state)
{
    struct gw_plan_key key = {.camera = "gate-07", .from_us = from_us, .to_us = from_us + 1};
    snprintf(key.session, sizeof(key.session), "%s", session);
    key.state[0] = (uint8_t)state;
    return key;
}

static void put(const struct gw_plan_key *key, int64_t bytes)
{
    struct gw_media_plan *plan = make_plan(bytes);
    gw_plan_cache_put(&cache, key, plan);
    gw_media_plan_unref(&plan);
}

static bool has(const struct gw_plan_key *key, bool any_state)
{
    struct gw_media_plan *plan = gw_plan_cache_find(&cache, key, any_state);
    const bool found = plan != NULL;
    gw_media_plan_unref(&plan);
    return found;
}

static void a_plan_is_found_again_by_its_session_range_and_state(void **state)
{
    const struct gw_plan_key key = key_of("a", 1, 1), later = key_of("a", 1, 2),
                             other = key_of("b", 1, 1), range = key_of("a", 2, 1);
    put(&key, 100);
    assert_true(has(&key, false));
    assert_false(has(&later, false));
    assert_false(has(&other, true));
    assert_false(has(&range, true));
}

static void what_is_played_stays_until_it_is_begun_again(void **state)
{
    const struct gw_plan_key key = key_of("a", 1, 1), later = key_of("a", 1, 2);
    put(&key, 100);
    assert_true(has(&later, true));
    put(&later, 100);
    assert_true(has(&later, false));
    assert_false(has(&key, false));
}

static void the_one_that_was_not_used_for_longest_goes(void **state)
{
    for (int i = 0; i < GW_PLANS_KEPT; i++) {
        const struct gw_plan_key key = key_of("a", i + 1, 0);
        put(&key, 100);
        usleep(1);
    }
    const struct gw_plan_key first = key_of("a", 1, 0), second = key_of("a", 2, 0),
                             more = key_of("a", 100, 0);
    assert_true(has(&first, false));
    put(&more, 100);
    assert_true(has(&more, false));
    assert_true(has(&first, false));
    assert_false(has(&second, false));
}

static void plans_do_not_fill_the_memory(void **state)
{
    for (int i = 0; i < 6; i++) {
        const struct gw_plan_key key = key_of("a", i + 1, 0);
        put(&key, 40 << 20);
    }
    int kept = 0;
    for (int i = 0; i < 6; i++) {
        const struct gw_plan_key key = key_of("a", i + 1, 0);
        kept += has(&key, false);
    }
    assert_int_equal(kept, 3);
    assert_in_range(gw_plan_cache_bytes(&cache), 3 * (40 << 20), GW_PLANS_KEPT_BYTES);
}

static void a_session_makes_one_plan_at_a_time_and_all_make_two(void **state)
{
    assert_true(gw_plan_cache_enter(&cache, "a", 0));
    assert_false(gw_plan_cache_enter(&cache, "a", 1000));
    assert_true(gw_plan_cache_enter(&cache, "b", 0));
    assert_false(gw_plan_cache_enter(&cache, "c", 1000));
    gw_plan_cache_leave(&cache, "a");
    assert_true(gw_plan_cache_enter(&cache, "c", 0));
    gw_plan_cache_leave(&cache, "b");
    gw_plan_cache_leave(&cache, "c");
}

static void *leave_soon(void *unused)
{
    usleep(20000);
    gw_plan_cache_leave(&cache, "a");
    return unused;
}

static void who_waits_comes_next(void **state)
{
    pthread_t thread;
    assert_true(gw_plan_cache_enter(&cache, "a", 0));
    pthread_create(&thread, NULL, leave_soon, NULL);
    assert_true(gw_plan_cache_enter(&cache, "a", 10 * GW_SECOND));
    pthread_join(thread, NULL);
    gw_plan_cache_leave(&cache, "a");
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(a_plan_is_found_again_by_its_session_range_and_state),
        FACT(what_is_played_stays_until_it_is_begun_again),
        FACT(the_one_that_was_not_used_for_longest_goes),
        FACT(plans_do_not_fill_the_memory),
        FACT(a_session_makes_one_plan_at_a_time_and_all_make_two),
        FACT(who_waits_comes_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
