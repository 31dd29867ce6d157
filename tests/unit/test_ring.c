// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/error.h"
#include "ingest/ring.h"

enum { GOP = 10, PACKET_SIZE = 1000 };
#define FRAME_US (GW_SECOND / 10) // so a GOP is a second

struct fixture {
    struct gw_ring *ring;
    struct gw_stream *stream;
    int pushed;
};

static void make_ring_of(struct fixture *f, const struct gw_ring_config *config)
{
    AVCodecParameters *parameters = avcodec_parameters_alloc();
    *f = (struct fixture){0};
    assert_int_equal(gw_stream_create(&f->stream, parameters, 0), 0);
    avcodec_parameters_free(&parameters);
    assert_int_equal(gw_ring_create(&f->ring, config), 0);
}

static void make_ring(struct fixture *f, int64_t keep_us, size_t max_bytes)
{
    make_ring_of(f, &(struct gw_ring_config){.keep_us = keep_us, .max_bytes = max_bytes});
}

static void drop_ring(struct fixture *f)
{
    gw_ring_destroy(&f->ring);
    assert_null(f->ring);
    gw_stream_unref(&f->stream);
}

static void push_one(struct fixture *f, bool key, int64_t wall_us, int size)
{
    AVPacket *av = av_packet_alloc();
    assert_int_equal(av_new_packet(av, size), 0);
    av->pts = av->dts = wall_us;
    av->flags = key ? AV_PKT_FLAG_KEY : 0;
    struct gw_packet packet = {0};
    gw_packet_init(&packet, &av, f->stream, f->pushed++ * FRAME_US);
    assert_int_equal(gw_ring_push(f->ring, &packet), 0);
    assert_null(packet.av);
}

// Packet n is captured at n tenths of a second; every tenth is a keyframe.
static void push(struct fixture *f, int count)
{
    while (count-- > 0)
        push_one(f, f->pushed % GOP == 0, f->pushed * FRAME_US, PACKET_SIZE);
}

static void assert_reads(struct fixture *f, gw_cursor *cursor, int number)
{
    struct gw_packet packet = {0};
    assert_int_equal(gw_ring_read(f->ring, cursor, &packet), 1);
    assert_int_equal(gw_packet_wall_us(&packet), number * FRAME_US);
    gw_packet_unref(&packet);
}

static void an_empty_ring_has_no_keyframe_and_nothing_to_read(void **state)
{
    struct fixture f;
    struct gw_packet packet = {0};
    gw_cursor cursor = 0;
    make_ring(&f, GW_SECOND, 1 << 20);
    assert_int_equal(gw_ring_head(f.ring), 0);
    assert_int_equal(gw_ring_newest_key(f.ring), GW_CURSOR_NONE);
    assert_int_equal(gw_ring_find_key(f.ring, 5), 0);
    assert_int_equal(gw_ring_read(f.ring, &cursor, &packet), 0);
    drop_ring(&f);
}

static void readers_see_every_packet_in_order_and_do_not_disturb_each_other(void **state)
{
    struct fixture f;
    struct gw_packet packet = {0};
    gw_cursor one = 0, two = 0;
    make_ring(&f, 100 * GW_SECOND, 1 << 20);
    push(&f, 25);
    for (int i = 0; i < 25; i++)
        assert_reads(&f, &one, i);
    assert_int_equal(gw_ring_read(f.ring, &one, &packet), 0);
    assert_reads(&f, &two, 0);
    push(&f, 1);
    assert_reads(&f, &one, 25);
    assert_reads(&f, &two, 1);
    drop_ring(&f);
}

static void whole_gops_leave_when_they_are_too_old(void **state)
{
    struct fixture f;
    gw_cursor cursor;
    make_ring(&f, 2 * GW_SECOND, 1 << 20);
    push(&f, 40); // 0.0 .. 3.9 s; the first GOP ended at 0.9, the second at 1.9
    cursor = gw_ring_find_key(f.ring, INT64_MIN + 1);
    assert_int_equal(cursor, 10); // it ends within 2 s of 3.9
    assert_int_equal(gw_ring_bytes(f.ring), 30 * PACKET_SIZE);
    push(&f, 1); // 4.0
    assert_int_equal(gw_ring_find_key(f.ring, 0), 20);
    drop_ring(&f);
}

static void bytes_limit_the_ring_whatever_the_age(void **state)
{
    struct fixture f;
    make_ring(&f, 1000 * GW_SECOND, 25 * PACKET_SIZE);
    push(&f, 200);
    assert_true(gw_ring_bytes(f.ring) <= 25 * PACKET_SIZE);
    assert_int_equal(gw_ring_find_key(f.ring, 0), 180);
    drop_ring(&f);
}

static void a_lapped_reader_is_told_and_goes_on_at_a_keyframe(void **state)
{
    struct fixture f;
    struct gw_packet packet = {0};
    gw_cursor cursor = 5;
    make_ring(&f, 2 * GW_SECOND, 1 << 20);
    push(&f, 45);
    assert_int_equal(gw_ring_read(f.ring, &cursor, &packet), GW_ERROR_LAPPED);
    assert_null(packet.av);
    assert_int_equal(cursor, 20);
    assert_reads(&f, &cursor, 20);
    drop_ring(&f);
}

static void a_hold_keeps_old_packets_until_it_is_lifted(void **state)
{
    struct fixture f;
    gw_cursor cursor = 13;
    make_ring(&f, 2 * GW_SECOND, 1 << 20);
    push(&f, 20);
    gw_ring_hold(f.ring, 13); // in the middle of the second GOP
    push(&f, 80);
    assert_int_equal(gw_ring_find_key(f.ring, 0), 10);
    assert_reads(&f, &cursor, 13);
    gw_ring_hold(f.ring, GW_CURSOR_NONE);
    push(&f, 1);
    assert_int_equal(gw_ring_find_key(f.ring, 0), 80);
    drop_ring(&f);
}

static void the_byte_limit_is_stronger_than_a_hold(void **state)
{
    struct fixture f;
    struct gw_packet packet = {0};
    gw_cursor cursor = 0;
    make_ring(&f, GW_SECOND, 30 * PACKET_SIZE);
    gw_ring_hold(f.ring, 0);
    push(&f, 100);
    assert_true(gw_ring_bytes(f.ring) <= 30 * PACKET_SIZE);
    assert_int_equal(gw_ring_read(f.ring, &cursor, &packet), GW_ERROR_LAPPED);
    drop_ring(&f);
}

static void a_gop_larger_than_the_ring_does_not_throw_back_who_keeps_up(void **state)
{
    struct fixture f;
    struct gw_packet packet = {0};
    gw_cursor live = 0, behind = 0;
    make_ring(&f, GW_SECOND, 5 * PACKET_SIZE);
    for (int i = 0; i < GOP; i++) {
        push(&f, 1);
        assert_reads(&f, &live, i);
    }
    assert_int_equal(gw_ring_newest_key(f.ring), GW_CURSOR_NONE); // it was dropped
    assert_int_equal(gw_ring_read(f.ring, &behind, &packet), GW_ERROR_LAPPED);
    assert_int_equal(behind, gw_ring_head(f.ring)); // there is no keyframe to stand at
    push(&f, 1);
    assert_reads(&f, &behind, 10);
    drop_ring(&f);
}

static void a_packet_larger_than_the_ring_is_dropped_and_the_ring_lives_on(void **state)
{
    struct fixture f;
    struct gw_packet packet = {0};
    gw_cursor cursor = 0;
    make_ring(&f, GW_SECOND, 5 * PACKET_SIZE);
    push_one(&f, true, 0, 6 * PACKET_SIZE);
    assert_int_equal(gw_ring_bytes(f.ring), 0);
    assert_int_equal(gw_ring_read(f.ring, &cursor, &packet), GW_ERROR_LAPPED);
    assert_int_equal(cursor, 1);
    push_one(&f, true, FRAME_US, PACKET_SIZE);
    assert_reads(&f, &cursor, 1);
    drop_ring(&f);
}

static void find_key_gives_the_keyframe_from_which_a_moment_can_be_decoded(void **state)
{
    struct fixture f;
    make_ring(&f, 100 * GW_SECOND, 1 << 20);
    push(&f, 35);
    assert_int_equal(gw_ring_find_key(f.ring, 1950000), 10);
    assert_int_equal(gw_ring_find_key(f.ring, 2000000), 20);
    assert_int_equal(gw_ring_find_key(f.ring, INT64_MAX), 30);
    assert_int_equal(gw_ring_find_key(f.ring, -1), 0); // before all: the oldest
    assert_int_equal(gw_ring_newest_key(f.ring), 30);
    drop_ring(&f);
}

static void capture_times_may_step_back_without_emptying_or_filling_the_ring(void **state)
{
    struct fixture f;
    make_ring(&f, 2 * GW_SECOND, 1 << 20);
    push(&f, 40);
    for (int i = 0; i < 25; i++) // the camera's clock went back by an hour
        push_one(&f, i % GOP == 0, i * FRAME_US - 3600 * GW_SECOND, PACKET_SIZE);
    assert_int_equal(gw_ring_bytes(f.ring), 25 * PACKET_SIZE);
    assert_int_equal(gw_ring_find_key(f.ring, -3600 * GW_SECOND + 1500000), 50);
    drop_ring(&f);
}

static void slots_grow_and_wrap_without_mixing_packets_up(void **state)
{
    struct fixture f;
    gw_cursor cursor = 0;
    make_ring(&f, 70 * GW_SECOND, 1 << 24);
    for (int round = 0; round < 30; round++) {
        push(&f, 100);
        for (int i = 0; i < 100; i++)
            assert_reads(&f, &cursor, round * 100 + i);
    }
    assert_int_equal(gw_ring_find_key(f.ring, 0), 2290); // ended at 229.9, 70 s before 299.9
    drop_ring(&f);
}

static void a_handle_that_was_read_outlives_its_place_in_the_ring(void **state)
{
    struct fixture f;
    struct gw_packet packet = {0};
    gw_cursor cursor = 0;
    make_ring(&f, GW_SECOND, 1 << 20);
    push(&f, 1);
    assert_int_equal(gw_ring_read(f.ring, &cursor, &packet), 1);
    push(&f, 50);
    drop_ring(&f);
    assert_int_equal(packet.av->size, PACKET_SIZE);
    packet.av->data[PACKET_SIZE - 1] = 1; // a sanitizer would object
    gw_packet_unref(&packet);
}

// Two rings of one budget, which lets each hold so many packets if both do.
static void make_pair(struct fixture pair[2], struct gw_ring_budget *budget, int share)
{
    const struct gw_ring_config config = {
        .keep_us = 10 * GW_SECOND, .max_bytes = 1 << 20, .budget = budget};
    atomic_store(&budget->max_bytes, (size_t)(2 * share * PACKET_SIZE));
    make_ring_of(&pair[0], &config);
    make_ring_of(&pair[1], &config);
}

static void a_ring_may_hold_what_others_leave_of_the_budget(void **state)
{
    struct fixture pair[2];
    struct gw_ring_budget budget = {0};
    make_pair(pair, &budget, 35);
    push(&pair[0], 60);
    push(&pair[1], 10);
    assert_int_equal(gw_ring_bytes(pair[0].ring), 60 * PACKET_SIZE);
    assert_int_equal(gw_ring_shed(pair[0].ring), 0);
    assert_int_equal(atomic_load(&budget.bytes), 70 * PACKET_SIZE);
    drop_ring(&pair[0]);
    drop_ring(&pair[1]);
    assert_int_equal(atomic_load(&budget.bytes), 0);
    assert_int_equal(atomic_load(&budget.rings), 0);
}

static void over_budget_the_ring_above_its_share_drops_its_oldest_gops_though_they_are_held(
    void **state)
{
    struct fixture pair[2];
    struct gw_ring_budget budget = {0};
    make_pair(pair, &budget, 35);
    gw_ring_hold(pair[0].ring, 0);
    push(&pair[0], 60);
    push(&pair[1], 20);
    assert_int_equal(gw_ring_bytes(pair[1].ring), 20 * PACKET_SIZE); // has less than its share
    push(&pair[0], 1);
    // 61 and 20 are more than 70: two GOPs go, which is as few as do.
    assert_int_equal(gw_ring_bytes(pair[0].ring), 41 * PACKET_SIZE);
    assert_int_equal(gw_ring_shed(pair[0].ring), 2);
    assert_int_equal(gw_ring_find_key(pair[0].ring, 0), 20);
    assert_int_equal(gw_ring_shed(pair[1].ring), 0);
    drop_ring(&pair[0]);
    drop_ring(&pair[1]);
}

static void rings_that_go_on_pushing_stay_within_their_budget(void **state)
{
    struct fixture pair[2];
    struct gw_ring_budget budget = {0};
    make_pair(pair, &budget, 25);
    for (int i = 0; i < 300; i++) {
        push(&pair[0], 2);
        push(&pair[1], 1);
        assert_true(atomic_load(&budget.bytes) <= (50 + 2) * PACKET_SIZE);
    }
    assert_true(gw_ring_shed(pair[0].ring) > 0);
    // What is left begins with a keyframe.
    assert_int_equal(gw_ring_find_key(pair[0].ring, 0) % GOP, 0);
    drop_ring(&pair[0]);
    drop_ring(&pair[1]);
}

static void a_gop_larger_than_a_share_is_shed_once_and_does_not_throw_back_who_keeps_up(
    void **state)
{
    struct fixture pair[2];
    struct gw_ring_budget budget = {0};
    gw_cursor live = 0;
    make_pair(pair, &budget, 4);
    for (int i = 0; i < GOP; i++) {
        push(&pair[0], 1);
        assert_reads(&pair[0], &live, i);
    }
    assert_int_equal(gw_ring_bytes(pair[0].ring), 8 * PACKET_SIZE);
    assert_int_equal(gw_ring_shed(pair[0].ring), 1);
    drop_ring(&pair[0]);
    drop_ring(&pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_ring_has_no_keyframe_and_nothing_to_read),
        cmocka_unit_test(readers_see_every_packet_in_order_and_do_not_disturb_each_other),
        cmocka_unit_test(whole_gops_leave_when_they_are_too_old),
        cmocka_unit_test(bytes_limit_the_ring_whatever_the_age),
        cmocka_unit_test(a_lapped_reader_is_told_and_goes_on_at_a_keyframe),
        cmocka_unit_test(a_hold_keeps_old_packets_until_it_is_lifted),
        cmocka_unit_test(the_byte_limit_is_stronger_than_a_hold),
        cmocka_unit_test(a_gop_larger_than_the_ring_does_not_throw_back_who_keeps_up),
        cmocka_unit_test(a_packet_larger_than_the_ring_is_dropped_and_the_ring_lives_on),
        cmocka_unit_test(find_key_gives_the_keyframe_from_which_a_moment_can_be_decoded),
        cmocka_unit_test(capture_times_may_step_back_without_emptying_or_filling_the_ring),
        cmocka_unit_test(slots_grow_and_wrap_without_mixing_packets_up),
        cmocka_unit_test(a_ring_may_hold_what_others_leave_of_the_budget),
        cmocka_unit_test(
            over_budget_the_ring_above_its_share_drops_its_oldest_gops_though_they_are_held),
        cmocka_unit_test(rings_that_go_on_pushing_stay_within_their_budget),
        cmocka_unit_test(
            a_gop_larger_than_a_share_is_shed_once_and_does_not_throw_back_who_keeps_up),
        cmocka_unit_test(a_handle_that_was_read_outlives_its_place_in_the_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
