// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libavcodec/packet.h>
#include <stdlib.h>
#include <string.h>

#include "app/coverage.h"
#include "core/clock.h"

#define MS    INT64_C(1000)
#define FRAME (40 * MS)
#define START (1000 * GW_SECOND)

// --- a camera and what is told of it -------------------------------------------------------------

enum { MOST_NEWS = 4096 };

static struct gw_coverage book;
static struct gw_coverage_news told[MOST_NEWS];
static int told_count;
static struct gw_stream plain, reordered = {.reorder = 2};

static void take_news(void *opaque, const struct gw_coverage_news *news)
{
    assert_string_equal(news->camera, "gate");
    assert_true(news->to_us >= news->from_us);
    assert_true(told_count < MOST_NEWS);
    told[told_count++] = *news;
}

static int begin_book(void **state)
{
    told_count = 0;
    gw_coverage_init(&book, "gate", START, take_news, NULL);
    return 0;
}

static void show(struct gw_stream *stream, int64_t pts_us, int64_t dts_us, int64_t mono_us,
                 enum gw_gap_cause lost, bool fresh)
{
    AVPacket av = {.pts = pts_us, .dts = dts_us};
    const struct gw_packet packet = {.av = &av, .stream = stream, .mono_us = mono_us, .lost = lost};
    gw_coverage_picture(&book, &packet, fresh);
}

// A picture that arrives when it is captured.
static void picture(int64_t at_us)
{
    show(&plain, at_us, at_us, at_us, GW_GAP_NONE, false);
}

// Pictures from from_us on; returns when the next one would be.
static int64_t pictures(int64_t from_us, int count)
{
    for (int i = 0; i < count; i++, from_us += FRAME)
        picture(from_us);
    return from_us;
}

static void assert_told(int i, enum gw_coverage_change change, enum gw_gap_cause cause,
                        int64_t from_us, int64_t to_us)
{
    assert_true(i < told_count);
    assert_string_equal(gw_coverage_change_name(told[i].change), gw_coverage_change_name(change));
    assert_string_equal(gw_gap_cause_name(told[i].cause), gw_gap_cause_name(cause));
    assert_int_equal(told[i].from_us, from_us);
    assert_int_equal(told[i].to_us, to_us);
}

// --- single facts --------------------------------------------------------------------------------

static void a_camera_that_delivers_is_told_once(void **state)
{
    int64_t end_us = pictures(START + GW_SECOND, 100);
    assert_int_equal(told_count, 1);
    assert_told(0, GW_COVERAGE_BEGAN, GW_GAP_NONE, START + GW_SECOND, START + GW_SECOND);
    assert_int_equal(gw_coverage_until(&book), end_us);
    gw_coverage_end(&book);
    assert_told(1, GW_COVERAGE_ENDED, GW_GAP_NONE, end_us, end_us);
}

static void a_first_picture_that_was_long_in_coming_says_why(void **state)
{
    picture(START + 20 * GW_SECOND);
    assert_told(0, GW_COVERAGE_BEGAN, GW_GAP_STALLED, START + 20 * GW_SECOND,
                START + 20 * GW_SECOND);
}

static void a_camera_that_never_delivers_broke_when_it_was_tried(void **state)
{
    gw_coverage_break(&book, GW_GAP_REFUSED);
    gw_coverage_break(&book, GW_GAP_UNREACHABLE);
    assert_int_equal(told_count, 1);
    assert_told(0, GW_COVERAGE_BROKE, GW_GAP_REFUSED, START, START);
    assert_true(gw_coverage_until(&book) == GW_NO_TIME);
    gw_coverage_end(&book);
    assert_told(1, GW_COVERAGE_ENDED, GW_GAP_NONE, START, START);
}

static void a_session_that_ends_breaks_at_its_last_pictures_end(void **state)
{
    int64_t end_us = pictures(START, 50);
    gw_coverage_break(&book, GW_GAP_DISCONNECTED);
    assert_told(1, GW_COVERAGE_BROKE, GW_GAP_DISCONNECTED, end_us, end_us);
    // The cause that the first packet of the next session has is the one that is told already.
    show(&plain, end_us + GW_SECOND, end_us, end_us + GW_SECOND, GW_GAP_DISCONNECTED, true);
    assert_int_equal(told_count, 3);
    assert_told(2, GW_COVERAGE_BEGAN, GW_GAP_NONE, end_us + GW_SECOND, end_us + GW_SECOND);
}

static void a_pause_of_more_than_a_second_is_a_hole(void **state)
{
    int64_t end_us = pictures(START, 50);
    picture(end_us + 900 * MS);
    assert_int_equal(told_count, 1);
    int64_t again_us = pictures(end_us + 900 * MS + FRAME, 50);
    picture(again_us + 1100 * MS);
    assert_int_equal(told_count, 2);
    assert_int_equal(told[1].cause, GW_GAP_STALLED);
    assert_true(llabs(told[1].from_us - again_us) < FRAME);
    assert_int_equal(told[1].to_us, again_us + 1100 * MS);
}

static void a_slow_camera_is_not_stalled(void **state)
{
    for (int i = 0; i < 20; i++)
        picture(START + i * 2 * GW_SECOND);
    assert_int_equal(told_count, 1);
    picture(START + 45 * GW_SECOND); // 7 s after the last one
    assert_int_equal(told_count, 2);
    assert_told(1, GW_COVERAGE_HOLE, GW_GAP_STALLED, START + 40 * GW_SECOND,
                START + 45 * GW_SECOND);
}

static void a_camera_that_becomes_slow_is_soon_understood(void **state)
{
    int64_t at_us = pictures(START, 100);
    for (int i = 0; i < 50; i++)
        picture(at_us + i * 2 * GW_SECOND);
    assert_true(told_count < 8);
}

static void lost_packets_are_a_hole_however_short(void **state)
{
    int64_t end_us = pictures(START, 50);
    show(&plain, end_us + FRAME, end_us + FRAME, end_us + FRAME, GW_GAP_SLOW_NETWORK, false);
    assert_int_equal(told_count, 2);
    assert_told(1, GW_COVERAGE_HOLE, GW_GAP_SLOW_NETWORK, end_us, end_us + FRAME);
    pictures(end_us + 2 * FRAME, 10);
    assert_int_equal(told_count, 2);
}

static void a_network_that_catches_up_loses_nothing(void **state)
{
    int64_t end_us = pictures(START, 50);
    for (int i = 0; i < 75; i++) // three seconds of pictures, all at once and late
        show(&plain, end_us + i * FRAME, end_us + i * FRAME, end_us + 3 * GW_SECOND, GW_GAP_NONE,
             false);
    assert_int_equal(told_count, 1);
}

static void a_clock_that_is_set_anew_loses_nothing(void **state)
{
    int64_t end_us = pictures(START, 50), ahead_us = end_us + 3 * GW_SECOND;
    show(&plain, ahead_us, ahead_us, end_us, GW_GAP_NONE, true);
    for (int i = 1; i < 50; i++)
        show(&plain, ahead_us + i * FRAME, ahead_us + i * FRAME, end_us + i * FRAME, GW_GAP_NONE,
             false);
    int64_t back_us = end_us - 10 * GW_SECOND;
    show(&plain, back_us, back_us, end_us + 50 * FRAME, GW_GAP_NONE, true);
    for (int i = 1; i < 50; i++)
        show(&plain, back_us + i * FRAME, back_us + i * FRAME, end_us + (50 + i) * FRAME,
             GW_GAP_NONE, false);
    assert_int_equal(told_count, 1);
    // What is lost where pictures were before is not missing there.
    show(&plain, back_us + 60 * FRAME, back_us + 60 * FRAME, end_us + 110 * FRAME,
         GW_GAP_SLOW_NETWORK, false);
    assert_int_equal(told_count, 1);
    gw_coverage_break(&book, GW_GAP_STALLED);
    assert_told(1, GW_COVERAGE_BROKE, GW_GAP_STALLED, ahead_us + 50 * FRAME, ahead_us + 50 * FRAME);
}

// I P B B P B B …: shown in the order 0 3 1 2 6 4 5, decoded two pictures before they are due.
static int64_t reordered_pictures(int64_t from_us, int count, int64_t *dts_us)
{
    static const int order[] = {0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11, 15, 13, 14};
    for (int i = 0; i < count; i++, *dts_us += FRAME)
        show(&reordered, from_us + order[i % 16] * FRAME, *dts_us, from_us + i * FRAME, GW_GAP_NONE,
             i == 0 && *dts_us < from_us - FRAME);
    return from_us + count * FRAME;
}

static void b_frames_are_no_holes(void **state)
{
    int64_t dts_us = START - 2 * FRAME;
    int64_t end_us = reordered_pictures(START, 16, &dts_us);
    assert_int_equal(told_count, 1);
    assert_int_equal(gw_coverage_until(&book), end_us);
    gw_coverage_break(&book, GW_GAP_STALLED);
    assert_told(1, GW_COVERAGE_BROKE, GW_GAP_STALLED, end_us, end_us);
}

static void a_hole_among_b_frames_is_found_where_it_is(void **state)
{
    int64_t dts_us = START - 2 * FRAME;
    int64_t end_us = reordered_pictures(START, 16, &dts_us), key_us = end_us + 10 * FRAME;
    // Ten pictures are lost; decoding times are those of the pictures that were shown, and go on.
    show(&reordered, key_us, end_us - 2 * FRAME, key_us, GW_GAP_SLOW_NETWORK, false);
    show(&reordered, key_us + 3 * FRAME, end_us - FRAME, key_us + FRAME, GW_GAP_NONE, false);
    assert_int_equal(told_count, 1);
    show(&reordered, key_us + FRAME, key_us, key_us + 2 * FRAME, GW_GAP_NONE, false);
    assert_told(1, GW_COVERAGE_HOLE, GW_GAP_SLOW_NETWORK, end_us, key_us);
    show(&reordered, key_us + 2 * FRAME, key_us + FRAME, key_us + 3 * FRAME, GW_GAP_NONE, false);
    assert_int_equal(told_count, 2);
}

static void a_clip_that_ended_early_covers_only_what_it_has(void **state)
{
    int64_t end_us = pictures(START, 50);
    gw_coverage_cut(&book, end_us - 20 * FRAME);
    gw_coverage_break(&book, GW_GAP_DISK_FULL);
    assert_told(1, GW_COVERAGE_BROKE, GW_GAP_DISK_FULL, end_us - 20 * FRAME, end_us - 20 * FRAME);
}

static void a_clip_of_earlier_times_takes_nothing_from_a_later_one(void **state)
{
    int64_t end_us = pictures(START, 50), back_us = START + 10 * FRAME;
    gw_coverage_cut(&book, end_us);
    show(&plain, back_us, back_us, end_us, GW_GAP_NONE, true);
    gw_coverage_cut(&book, back_us + FRAME);
    gw_coverage_break(&book, GW_GAP_STALLED);
    assert_told(1, GW_COVERAGE_BROKE, GW_GAP_STALLED, end_us, end_us);
}

// --- what events ask for -------------------------------------------------------------------------

static void what_an_event_asks_for_and_does_not_get_is_told_until_it_does(void **state)
{
    int64_t end_us = pictures(START, 200), from_us = START + 50 * FRAME;
    gw_coverage_miss(&book, from_us, GW_GAP_DISK_FULL);
    gw_coverage_miss(&book, from_us + GW_SECOND, GW_GAP_DISK_FAILED); // the same, still
    assert_true(gw_coverage_until(&book) == GW_NO_TIME);
    pictures(end_us, 50);
    gw_coverage_miss_over(&book, end_us + FRAME);
    gw_coverage_miss_over(&book, end_us + 2 * FRAME);
    assert_int_equal(told_count, 3);
    assert_told(1, GW_COVERAGE_BROKE, GW_GAP_DISK_FULL, from_us, from_us);
    assert_told(2, GW_COVERAGE_BEGAN, GW_GAP_NONE, end_us + FRAME, end_us + FRAME);
}

static void a_camera_that_fails_while_a_clip_is_missed_goes_on_being_missed(void **state)
{
    int64_t end_us = pictures(START, 200);
    gw_coverage_miss(&book, START + 50 * FRAME, GW_GAP_DISK_FULL);
    gw_coverage_break(&book, GW_GAP_STALLED);
    gw_coverage_miss_over(&book, end_us + GW_SECOND);
    assert_int_equal(told_count, 2); // one gap, with the cause that it began with
    picture(end_us + 2 * GW_SECOND);
    assert_told(2, GW_COVERAGE_BEGAN, GW_GAP_NONE, end_us + 2 * GW_SECOND, end_us + 2 * GW_SECOND);
}

static void what_was_not_received_meanwhile_is_told_afterwards(void **state)
{
    int64_t end_us = pictures(START, 200);
    gw_coverage_miss(&book, START + 50 * FRAME, GW_GAP_DISK_FULL);
    gw_coverage_break(&book, GW_GAP_STALLED);
    picture(end_us + 2 * GW_SECOND);
    gw_coverage_break(&book, GW_GAP_REFUSED);
    gw_coverage_miss_over(&book, end_us - 20 * FRAME); // the disk thread was behind
    assert_int_equal(told_count, 5);
    assert_told(2, GW_COVERAGE_BEGAN, GW_GAP_NONE, end_us - 20 * FRAME, end_us - 20 * FRAME);
    assert_told(3, GW_COVERAGE_HOLE, GW_GAP_STALLED, end_us, end_us + 2 * GW_SECOND);
    assert_told(4, GW_COVERAGE_BROKE, GW_GAP_REFUSED, end_us + 2 * GW_SECOND + FRAME,
                end_us + 2 * GW_SECOND + FRAME);
}

static void a_clip_missed_before_the_camera_failed_ends_where_that_begins(void **state)
{
    int64_t end_us = pictures(START, 200);
    gw_coverage_break(&book, GW_GAP_STALLED);
    gw_coverage_miss(&book, START + 50 * FRAME, GW_GAP_DISK_FULL);
    assert_int_equal(told_count, 3);
    assert_told(2, GW_COVERAGE_HOLE, GW_GAP_DISK_FULL, START + 50 * FRAME, end_us);
}

// --- anything, against a map of every millisecond ------------------------------------------------

enum { MAP_MS = 400000 };
static uint8_t shown[MAP_MS], missing[MAP_MS], excused[MAP_MS], again[MAP_MS];

static void mark(uint8_t *map, int64_t from_us, int64_t to_us)
{
    for (int64_t at = (from_us - START) / MS; at < (to_us - START) / MS; at++)
        if (at >= 0 && at < MAP_MS)
            map[at] = 1;
}

struct camera {
    int64_t pts_us, mono_us; // of the next picture
    bool fresh, broken;
    enum gw_gap_cause lost;
};

static int64_t draw(int64_t from, int64_t to)
{
    return from + rand() % (to - from);
}

static void pass_time(struct camera *camera, int64_t time_us)
{
    camera->pts_us += time_us;
    camera->mono_us += time_us;
}

static void misbehave(struct camera *camera)
{
    static const enum gw_gap_cause causes[] = {GW_GAP_STALLED, GW_GAP_REFUSED, GW_GAP_DISCONNECTED};
    int64_t jump_us = draw(2500, 8000) * MS;

    switch (rand() % 6) {
    case 0: // packets are lost
        camera->lost = GW_GAP_SLOW_NETWORK;
        pass_time(camera, draw(1, 60) * FRAME);
        break;
    case 1: pass_time(camera, draw(1500, 4800) * MS); break; // it pauses
    case 2:                                                  // its session ends
        gw_coverage_break(&book, causes[rand() % 3]);
        pass_time(camera, draw(500, 20000) * MS);
        camera->fresh = camera->broken = true;
        break;
    case 3: // the clock is put forward
        mark(excused, camera->pts_us - FRAME, camera->pts_us + jump_us + FRAME);
        camera->pts_us += jump_us;
        camera->fresh = true;
        break;
    case 4: // the clock is put back; then a gap may be shown after all
        mark(again, camera->pts_us - jump_us, camera->pts_us + FRAME);
        camera->pts_us -= jump_us;
        camera->fresh = true;
        break;
    case 5: pass_time(camera, draw(50, 700) * MS); break; // a hiccup; nothing is said of it
    }
}

static void deliver(struct camera *camera)
{
    show(&plain, camera->pts_us, camera->pts_us, camera->mono_us, camera->lost, camera->fresh);
    mark(shown, camera->pts_us, camera->pts_us + FRAME);
    camera->fresh = camera->broken = false;
    camera->lost = GW_GAP_NONE;
    pass_time(camera, FRAME);
}

// Draws what was told into the map, and checks that nothing is told twice.
static void draw_news(void)
{
    int64_t broke_us = GW_NO_TIME, last_us = START;
    for (int i = 0; i < told_count; i++) {
        int64_t from_us = told[i].from_us, to_us = told[i].to_us;
        if (told[i].change == GW_COVERAGE_BROKE) {
            broke_us = from_us;
            continue;
        }
        if (told[i].change == GW_COVERAGE_BEGAN && broke_us != GW_NO_TIME)
            from_us = broke_us; // a gap without length when the clock was put back
        else if (told[i].change != GW_COVERAGE_HOLE)
            continue;
        broke_us = GW_NO_TIME;
        if (to_us <= from_us)
            continue;
        assert_true(from_us >= last_us);
        last_us = to_us;
        mark(missing, from_us, to_us);
    }
}

// Longest run of milliseconds of which the condition holds.
static int longest(bool (*holds)(int at), int to)
{
    int best = 0, run = 0;
    for (int at = 0; at < to; at++) {
        run = holds(at) ? run + 1 : 0;
        best = run > best ? run : best;
    }
    return best;
}

static bool is_both(int at)
{
    return shown[at] && missing[at] && !again[at];
}

static bool is_neither(int at)
{
    return !shown[at] && !missing[at] && !excused[at];
}

static void whatever_a_camera_does_each_moment_is_shown_or_missing(void **state)
{
    for (int round = 0; round < 300; round++) {
        struct camera camera = {.pts_us = START, .mono_us = 7 * GW_SECOND};
        begin_book(state);
        memset(shown, 0, sizeof(shown));
        memset(missing, 0, sizeof(missing));
        memset(excused, 0, sizeof(excused));
        memset(again, 0, sizeof(again));
        srand((unsigned)round);
        for (int i = 0; i < 25; i++)
            deliver(&camera);
        for (int turn = 0; turn < 12; turn++) {
            misbehave(&camera);
            for (int64_t i = draw(10, 200); i > 0; i--)
                deliver(&camera);
        }
        draw_news();
        int end = (int)((camera.pts_us - START) / MS);
        end = end < MAP_MS ? end : MAP_MS;
        // A picture's length is known to a frame or two after pauses have shaken it.
        assert_true(longest(is_both, end) <= 250);
        // A hiccup of less than a second and a frame is not told.
        assert_true(longest(is_neither, end) <= 1000 + 40);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_camera_that_delivers_is_told_once, begin_book),
        cmocka_unit_test_setup(a_first_picture_that_was_long_in_coming_says_why, begin_book),
        cmocka_unit_test_setup(a_camera_that_never_delivers_broke_when_it_was_tried, begin_book),
        cmocka_unit_test_setup(a_session_that_ends_breaks_at_its_last_pictures_end, begin_book),
        cmocka_unit_test_setup(a_pause_of_more_than_a_second_is_a_hole, begin_book),
        cmocka_unit_test_setup(a_slow_camera_is_not_stalled, begin_book),
        cmocka_unit_test_setup(a_camera_that_becomes_slow_is_soon_understood, begin_book),
        cmocka_unit_test_setup(lost_packets_are_a_hole_however_short, begin_book),
        cmocka_unit_test_setup(a_network_that_catches_up_loses_nothing, begin_book),
        cmocka_unit_test_setup(a_clock_that_is_set_anew_loses_nothing, begin_book),
        cmocka_unit_test_setup(b_frames_are_no_holes, begin_book),
        cmocka_unit_test_setup(a_hole_among_b_frames_is_found_where_it_is, begin_book),
        cmocka_unit_test_setup(a_clip_that_ended_early_covers_only_what_it_has, begin_book),
        cmocka_unit_test_setup(a_clip_of_earlier_times_takes_nothing_from_a_later_one, begin_book),
        cmocka_unit_test_setup(what_an_event_asks_for_and_does_not_get_is_told_until_it_does,
                               begin_book),
        cmocka_unit_test_setup(a_camera_that_fails_while_a_clip_is_missed_goes_on_being_missed,
                               begin_book),
        cmocka_unit_test_setup(what_was_not_received_meanwhile_is_told_afterwards, begin_book),
        cmocka_unit_test_setup(a_clip_missed_before_the_camera_failed_ends_where_that_begins,
                               begin_book),
        cmocka_unit_test(whatever_a_camera_does_each_moment_is_shown_or_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
