// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "analyze/tracks.h"
#include "core/clock.h"

enum { FPS = 20 };

static struct gw_thing thing_at(double x, double y, int length)
{
    return (struct gw_thing){.left = (int)x,
                             .right = (int)x + length - 1,
                             .top = (int)y,
                             .bottom = (int)y,
                             .x = x + length / 2.0,
                             .y = y};
}

// Follows one thing for so many seconds. Returns when it travelled first, in pictures; -1 never.
static int follow(struct gw_tracks *tracks, double blocks_per_s, double trembles, int length,
                  int seconds)
{
    int first = -1;

    for (int i = 0; i < seconds * FPS; i++) {
        const double x = 10 + i * blocks_per_s / FPS + trembles * sin(i * 1.7);
        const struct gw_thing thing = thing_at(x, 12, length);
        if (gw_tracks_follow(tracks, &thing, i * GW_SECOND / FPS) && first < 0)
            first = i;
    }
    return first;
}

static void a_distant_walker_travels_within_two_seconds(void **state)
{
    struct gw_tracks tracks;
    gw_tracks_init(&tracks);
    assert_in_range(follow(&tracks, 2, 0, 2, 4), FPS, 2 * FPS);
    gw_tracks_init(&tracks);
    assert_in_range(follow(&tracks, 2, 0.3, 2, 4), FPS, 2 * FPS);
}

static void nobody_travels_before_he_was_followed_for_half_a_second(void **state)
{
    struct gw_tracks tracks;
    gw_tracks_init(&tracks);
    assert_int_equal(follow(&tracks, 15, 0, 4, 4), FPS / 2);
}

static void what_comes_back_does_not_travel(void **state)
{
    struct gw_tracks tracks;
    gw_tracks_init(&tracks);
    assert_int_equal(follow(&tracks, 0, 1.2, 3, 20), -1);
}

static void what_stands_does_not_travel_any_more(void **state)
{
    struct gw_tracks tracks;
    gw_tracks_init(&tracks);
    assert_true(follow(&tracks, 4, 0, 2, 3) > 0);
    int travels = 0;
    for (int i = 0; i < 4 * FPS; i++) {
        const struct gw_thing thing = thing_at(22, 12, 2);
        travels += gw_tracks_follow(&tracks, &thing, (3 * FPS + i) * GW_SECOND / FPS);
    }
    assert_in_range(travels, 1, 2 * FPS);
}

static void two_things_have_a_track_each(void **state)
{
    struct gw_tracks tracks;
    int travels[2] = {0};
    gw_tracks_init(&tracks);
    for (int i = 0; i < 3 * FPS; i++) {
        const struct gw_thing walker = thing_at(10 + i * 3.0 / FPS, 12, 2),
                              stone = thing_at(14, 14, 2);
        travels[0] += gw_tracks_follow(&tracks, &walker, i * GW_SECOND / FPS);
        travels[1] += gw_tracks_follow(&tracks, &stone, i * GW_SECOND / FPS);
    }
    assert_true(travels[0] > FPS);
    assert_int_equal(travels[1], 0);
}

static void what_is_somewhere_else_in_every_picture_hardly_ever_travels(void **state)
{
    struct gw_tracks tracks;
    uint32_t random = 1;
    int travels = 0;
    gw_tracks_init(&tracks);
    for (int i = 0; i < 10 * FPS; i++)
        for (int n = 0; n < 4; n++) { // rain
            random = random * 1664525 + 1013904223;
            const struct gw_thing drop = thing_at(random >> 8 & 63, random >> 16 & 31, 1);
            travels += gw_tracks_follow(&tracks, &drop, i * GW_SECOND / FPS);
        }
    assert_in_range(travels, 0, 10 * FPS * 4 / 50); // by chance
}

static void after_half_a_second_without_it_a_thing_is_another_one(void **state)
{
    struct gw_tracks tracks;
    gw_tracks_init(&tracks);
    const struct gw_thing here = thing_at(10, 12, 4), there = thing_at(14, 12, 4);
    assert_false(gw_tracks_follow(&tracks, &here, 0));
    assert_true(gw_tracks_follow(&tracks, &there, GW_SECOND / 2));
    assert_false(gw_tracks_follow(&tracks, &here, GW_SECOND * 11 / 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_distant_walker_travels_within_two_seconds),
        cmocka_unit_test(nobody_travels_before_he_was_followed_for_half_a_second),
        cmocka_unit_test(what_comes_back_does_not_travel),
        cmocka_unit_test(what_stands_does_not_travel_any_more),
        cmocka_unit_test(two_things_have_a_track_each),
        cmocka_unit_test(what_is_somewhere_else_in_every_picture_hardly_ever_travels),
        cmocka_unit_test(after_half_a_second_without_it_a_thing_is_another_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
