// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <libavutil/intreadwrite.h>

#include "core/clock.h"
#include "core/error.h"
#include "ingest/rtp.h"

// --- packets -------------------------------------------------------------------------------------

// Of just that size, for a sanitizer to see a read beyond it.
static int parse(const uint8_t *bytes, size_t size, struct gw_rtp *ret, size_t *ret_at)
{
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    int error = gw_rtp_parse(copy, size, ret);
    if (!error)
        *ret_at = (size_t)(ret->payload - copy);
    free(copy);
    return error;
}

static void a_packet_has_its_fields(void **state)
{
    static const uint8_t bytes[] = {0x80, 0xe0, 0xff, 0xfe, 1, 2, 3, 4, 0xa, 0xb, 0xc, 0xd, 'x'};
    struct gw_rtp rtp;
    size_t at;
    assert_int_equal(parse(bytes, sizeof(bytes), &rtp, &at), 0);
    assert_true(rtp.marker);
    assert_int_equal(rtp.payload_type, 96);
    assert_int_equal(rtp.sequence, 0xfffe);
    assert_int_equal(rtp.timestamp, 0x01020304);
    assert_int_equal(rtp.source, 0x0a0b0c0d);
    assert_int_equal(rtp.size, 1);
    assert_int_equal(at, 12);
}

static void sources_extension_and_padding_are_no_payload(void **state)
{
    uint8_t bytes[12 + 8 + 4 + 8 + 3 + 2] = {0xb2, 96};
    struct gw_rtp rtp;
    size_t at;
    AV_WB16(bytes + 12 + 8 + 2, 2);
    bytes[sizeof(bytes) - 1] = 2;
    assert_int_equal(parse(bytes, sizeof(bytes), &rtp, &at), 0);
    assert_int_equal(at, 32);
    assert_int_equal(rtp.size, 3);
    // All of it padding: nothing is left, and that is no fault.
    bytes[sizeof(bytes) - 1] = 5;
    assert_int_equal(parse(bytes, sizeof(bytes), &rtp, &at), 0);
    assert_int_equal(rtp.size, 0);
    // More padding than there is.
    bytes[sizeof(bytes) - 1] = 6;
    assert_int_equal(parse(bytes, sizeof(bytes), &rtp, &at), GW_ERROR_INVALID);
}

static void a_packet_shorter_than_it_says_is_none(void **state)
{
    uint8_t bytes[12 + 4 * 15 + 4 + 4] = {0x9f, 96};
    struct gw_rtp rtp;
    size_t at;
    AV_WB16(bytes + 12 + 60 + 2, 1);
    assert_int_equal(parse(bytes, sizeof(bytes), &rtp, &at), 0);
    for (size_t size = 0; size < sizeof(bytes); size++)
        assert_int_equal(parse(bytes, size, &rtp, &at), GW_ERROR_INVALID);
    AV_WB16(bytes + 12 + 60 + 2, 0xffff);
    assert_int_equal(parse(bytes, sizeof(bytes), &rtp, &at), GW_ERROR_INVALID);
    bytes[0] = 0x40; // version 1
    assert_int_equal(parse(bytes, sizeof(bytes), &rtp, &at), GW_ERROR_INVALID);
}

// --- reports -------------------------------------------------------------------------------------

static uint8_t *put_sender_report(uint8_t *at, uint32_t source, uint32_t seconds, uint32_t fraction,
                                  uint32_t timestamp)
{
    memset(at, 0, 28);
    at[0] = 0x80;
    at[1] = 200;
    AV_WB16(at + 2, 6);
    AV_WB32(at + 4, source);
    AV_WB32(at + 8, seconds);
    AV_WB32(at + 12, fraction);
    AV_WB32(at + 16, timestamp);
    return at + 28;
}

static uint8_t *put_bye(uint8_t *at, uint32_t source)
{
    at[0] = 0x81;
    at[1] = 203;
    AV_WB16(at + 2, 1);
    AV_WB32(at + 4, source);
    return at + 8;
}

static void a_sender_report_tells_the_cameras_clock(void **state)
{
    uint8_t bytes[28];
    struct gw_rtcp rtcp;
    // 2026-05-04T03:02:01.5Z
    put_sender_report(bytes, 7, (uint32_t)(1777863721 + INT64_C(2208988800)), 0x80000000, 90000);
    assert_int_equal(gw_rtcp_parse(bytes, sizeof(bytes), &rtcp), 0);
    assert_true(rtcp.reports);
    assert_false(rtcp.bye);
    assert_int_equal(rtcp.source, 7);
    assert_int_equal(rtcp.timestamp, 90000);
    assert_true(rtcp.camera_us == INT64_C(1777863721500000));
}

static void a_camera_that_does_not_know_the_time_reports_nothing(void **state)
{
    uint8_t bytes[28];
    struct gw_rtcp rtcp;
    put_sender_report(bytes, 7, 0, 0, 90000);
    assert_int_equal(gw_rtcp_parse(bytes, sizeof(bytes), &rtcp), 0);
    assert_false(rtcp.reports);
}

static void a_goodbye_is_found_behind_a_report(void **state)
{
    uint8_t bytes[28 + 8 + 8];
    struct gw_rtcp rtcp;
    uint8_t *at = put_sender_report(bytes, 7, 1, 1, 1);
    memset(at, 0, 8);
    at[0] = 0x81; // a description of the source, cut short
    at[1] = 202;
    AV_WB16(at + 2, 1);
    put_bye(at + 8, 7);
    assert_int_equal(gw_rtcp_parse(bytes, sizeof(bytes), &rtcp), 0);
    assert_true(rtcp.reports);
    assert_true(rtcp.bye);
    // Nobody's goodbye.
    bytes[36] = 0x80;
    assert_int_equal(gw_rtcp_parse(bytes, sizeof(bytes), &rtcp), 0);
    assert_false(rtcp.bye);
}

// One value for both: who says goodbye must not become the one whose clock was reported.
static void the_goodbye_of_one_is_not_the_report_of_another(void **state)
{
    uint8_t bytes[28 + 8];
    struct gw_rtcp rtcp;
    put_bye(put_sender_report(bytes, 7, 1, 1, 1), 8);
    assert_int_equal(gw_rtcp_parse(bytes, sizeof(bytes), &rtcp), 0);
    assert_false(rtcp.reports && rtcp.source != 7);
    assert_false(rtcp.bye && rtcp.source != 8);
}

static void a_report_that_is_cut_keeps_what_was_before_it(void **state)
{
    uint8_t bytes[28 + 8];
    struct gw_rtcp rtcp;
    put_bye(put_sender_report(bytes, 7, 1, 1, 1), 7);
    for (size_t size = 1; size < sizeof(bytes); size++) {
        uint8_t *copy = malloc(size);
        assert_non_null(copy);
        memcpy(copy, bytes, size);
        assert_int_equal(gw_rtcp_parse(copy, size, &rtcp), size == 28 ? 0 : GW_ERROR_INVALID);
        assert_int_equal(rtcp.reports, size >= 28);
        free(copy);
    }
}

// --- sources -------------------------------------------------------------------------------------

static struct gw_rtp_source source;
static int64_t now_us;
static unsigned lost;

static int reset(void **state)
{
    source = (struct gw_rtp_source){0};
    now_us = 1000 * GW_SECOND;
    return 0;
}

static enum gw_rtp_verdict take(uint32_t from, uint16_t sequence)
{
    const struct gw_rtp rtp = {.source = from, .sequence = sequence};
    now_us += 1000;
    return gw_rtp_source_take(&source, &rtp, now_us, &lost);
}

static void numbers_go_on_over_their_wrap(void **state)
{
    assert_int_equal(take(1, 65533), GW_RTP_BEGIN);
    for (uint16_t sequence = 65534; sequence != 10; sequence++) {
        assert_int_equal(take(1, sequence), GW_RTP_TAKE);
        assert_int_equal(lost, 0);
    }
}

static void a_hole_is_counted_also_over_the_wrap(void **state)
{
    take(1, 65530);
    assert_int_equal(take(1, 65534), GW_RTP_TAKE);
    assert_int_equal(lost, 3);
    assert_int_equal(take(1, 2), GW_RTP_TAKE);
    assert_int_equal(lost, 3);
    assert_int_equal(source.lost, 6);
    assert_int_equal(take(1, 3), GW_RTP_TAKE);
    assert_int_equal(lost, 0);
}

static void a_second_or_late_one_is_ignored(void **state)
{
    take(1, 50);
    assert_int_equal(take(1, 50), GW_RTP_IGNORE);
    assert_int_equal(take(1, 51), GW_RTP_TAKE);
    assert_int_equal(take(1, 20), GW_RTP_IGNORE);
    assert_int_equal(take(1, 65500), GW_RTP_IGNORE);
    assert_int_equal(take(1, 52), GW_RTP_TAKE);
    assert_int_equal(lost, 0);
}

static void a_camera_that_counts_anew_begins(void **state)
{
    take(1, 50000);
    assert_int_equal(take(1, 100), GW_RTP_BEGIN);
    assert_int_equal(lost, 0);
    assert_int_equal(take(1, 101), GW_RTP_TAKE);
    assert_int_equal(take(1, 20000), GW_RTP_BEGIN);
    assert_int_equal(source.lost, 0);
}

static void a_source_that_changes_is_followed(void **state)
{
    take(1, 10);
    assert_int_equal(take(2, 5000), GW_RTP_BEGIN);
    assert_int_equal(take(2, 5001), GW_RTP_TAKE);
    now_us += 3600 * GW_SECOND;
    // Much later another one draws the number of the first.
    assert_int_equal(take(1, 77), GW_RTP_BEGIN);
    assert_int_equal(take(1, 78), GW_RTP_TAKE);
}

static void of_two_sources_at_once_the_first_is_kept(void **state)
{
    int begun = 0;
    take(1, 100);
    take(1, 101);
    for (uint16_t i = 0; i < 1000; i++) {
        begun += take(2, (uint16_t)(7000 + i)) == GW_RTP_BEGIN;
        enum gw_rtp_verdict verdict = take(1, (uint16_t)(102 + i));
        begun += verdict == GW_RTP_BEGIN;
        if (i > 0)
            assert_int_equal(verdict, GW_RTP_TAKE);
    }
    assert_int_equal(begun, 2); // once there and back
    assert_int_equal(source.source, 1);
}

static void a_third_source_is_followed_after_two_at_once(void **state)
{
    take(1, 100);
    take(2, 7000);
    take(1, 101);
    assert_int_equal(take(2, 7001), GW_RTP_IGNORE);
    assert_int_equal(take(3, 9), GW_RTP_BEGIN);
    assert_int_equal(take(3, 10), GW_RTP_TAKE);
}

static void a_report_says_what_came(void **state)
{
    uint8_t report[GW_RTCP_REPORT_SIZE];
    take(0xaabbccdd, 65534);
    take(0xaabbccdd, 65535);
    gw_rtp_source_report(&source, 0x11223344, report);
    assert_int_equal(report[0], 0x81);
    assert_int_equal(report[1], 201);
    assert_int_equal(AV_RB16(report + 2), 7);
    assert_int_equal(AV_RB32(report + 4), 0x11223344);
    assert_int_equal(AV_RB32(report + 8), 0xaabbccdd);
    assert_int_equal(AV_RB32(report + 12), 0);
    assert_int_equal(AV_RB32(report + 16), 65535); // not yet in the second round
    take(0xaabbccdd, 4);
    gw_rtp_source_report(&source, 0x11223344, report);
    assert_int_equal(AV_RB32(report + 12), 4);
    assert_int_equal(AV_RB32(report + 16), 0x10004);
}

// RFC 3550, A.1: the round also counts when the packet with the last number is missing.
static void a_round_counts_although_its_last_packet_is_lost(void **state)
{
    uint8_t report[GW_RTCP_REPORT_SIZE];
    take(1, 65530);
    take(1, 3);
    gw_rtp_source_report(&source, 1, report);
    assert_int_equal(AV_RB32(report + 16), 0x10003);
}

static void a_report_is_about_this_source_only(void **state)
{
    uint8_t report[GW_RTCP_REPORT_SIZE];
    take(1, 65530);
    take(1, 3);
    take(2, 10);
    gw_rtp_source_report(&source, 1, report);
    assert_int_equal(AV_RB32(report + 12), 0);
    assert_int_equal(AV_RB32(report + 16), 10);
}

static void more_losses_than_a_report_can_say_are_its_most(void **state)
{
    uint8_t report[GW_RTCP_REPORT_SIZE];
    take(1, 1);
    source.lost = 0x800001;
    gw_rtp_source_report(&source, 1, report);
    assert_int_equal(AV_RB32(report + 12), 0x7fffff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_has_its_fields),
        cmocka_unit_test(sources_extension_and_padding_are_no_payload),
        cmocka_unit_test(a_packet_shorter_than_it_says_is_none),
        cmocka_unit_test(a_sender_report_tells_the_cameras_clock),
        cmocka_unit_test(a_camera_that_does_not_know_the_time_reports_nothing),
        cmocka_unit_test(a_goodbye_is_found_behind_a_report),
        cmocka_unit_test(the_goodbye_of_one_is_not_the_report_of_another),
        cmocka_unit_test(a_report_that_is_cut_keeps_what_was_before_it),
        cmocka_unit_test_setup(numbers_go_on_over_their_wrap, reset),
        cmocka_unit_test_setup(a_hole_is_counted_also_over_the_wrap, reset),
        cmocka_unit_test_setup(a_second_or_late_one_is_ignored, reset),
        cmocka_unit_test_setup(a_camera_that_counts_anew_begins, reset),
        cmocka_unit_test_setup(a_source_that_changes_is_followed, reset),
        cmocka_unit_test_setup(of_two_sources_at_once_the_first_is_kept, reset),
        cmocka_unit_test_setup(a_third_source_is_followed_after_two_at_once, reset),
        cmocka_unit_test_setup(a_report_says_what_came, reset),
        cmocka_unit_test_setup(a_round_counts_although_its_last_packet_is_lost, reset),
        cmocka_unit_test_setup(a_report_is_about_this_source_only, reset),
        cmocka_unit_test_setup(more_losses_than_a_report_can_say_are_its_most, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
