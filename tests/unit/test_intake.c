// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// From RTP packets of real coded pictures to what a session hands on.

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
#include "ingest/intake.h"
#include "tests/unit/coded_pictures.h"

enum { FPS = 25, MOST_PAYLOAD = 400, MOST_GOT = 200, H264 = 96, H265 = 97, SOURCE = 0x1234 };

#define START_US INT64_C(1777863721000000)

// libx265 2.x keeps some of its own for ever.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libx265";
}

// --- what is handed on ---------------------------------------------------------------------------

static struct gw_packet got[MOST_GOT];
static int got_count, online_count, skipped_count, clock_count;
static unsigned lost_count;
static int64_t clock_offset_us;

static void keep(void *opaque, struct gw_packet *packet)
{
    assert_true(got_count < MOST_GOT);
    assert_int_equal(online_count, 1);
    gw_packet_move(&got[got_count++], packet);
}

static void count_online(void *opaque, const struct gw_stream *stream)
{
    online_count++;
}

static void count_lost(void *opaque, unsigned packets)
{
    lost_count += packets;
}

static void note_clock(void *opaque, int64_t offset_us)
{
    clock_count++;
    clock_offset_us = offset_us;
}

static void count_skipped(void *opaque)
{
    skipped_count++;
}

static const struct gw_session_sink sink = {NULL,       keep,       count_online,
                                            count_lost, note_clock, count_skipped};

// --- the camera ----------------------------------------------------------------------------------

static struct coded_pictures *h264, *h265; // 40 pictures with a keyframe every 10; h265 may be NULL
static struct gw_sdp sdp;
static struct gw_intake *intake;
static uint16_t sequence;
static uint32_t source;
static int64_t mono_us;

static int make_pictures(void **state)
{
    struct coded_pictures_config config = {"libx264", 40, FPS, 10, 0, START_US, 60};
    h264 = coded_pictures_make(&config);
    config.encoder = "libx265";
    h265 = coded_pictures_make(&config);
    return h264 ? 0 : -1;
}

static int free_pictures(void **state)
{
    coded_pictures_free(h264);
    if (h265)
        coded_pictures_free(h265);
    return 0;
}

static int set_up(void **state)
{
    sdp = (struct gw_sdp){.format_count = 2};
    sdp.formats[0] = (struct gw_sdp_format){
        .payload_type = H264, .codec = AV_CODEC_ID_H264, .clock_rate = 90000};
    sdp.formats[1] = (struct gw_sdp_format){
        .payload_type = H265, .codec = AV_CODEC_ID_HEVC, .clock_rate = 90000};
    got_count = online_count = skipped_count = clock_count = 0;
    lost_count = 0;
    sequence = 65500; // and soon over its wrap
    source = SOURCE;
    mono_us = 1000 * GW_SECOND;
    return gw_intake_create(&intake, &sdp, &sink, NULL);
}

static int tear_down(void **state)
{
    gw_intake_destroy(&intake);
    assert_null(intake);
    for (int i = 0; i < got_count; i++)
        gw_packet_unref(&got[i]);
    return 0;
}

static int64_t wall_us(void)
{
    return START_US + mono_us - 1000 * GW_SECOND;
}

static int send_payload(const uint8_t *head, size_t head_size, const uint8_t *rest, size_t size,
                        int type, uint32_t timestamp, bool marker)
{
    uint8_t packet[12 + 3 + MOST_PAYLOAD] = {0x80, (uint8_t)(type | (marker ? 0x80 : 0))};
    AV_WB16(packet + 2, sequence);
    AV_WB32(packet + 4, timestamp);
    AV_WB32(packet + 8, source);
    if (head_size)
        memcpy(packet + 12, head, head_size);
    memcpy(packet + 12 + head_size, rest, size);
    sequence++;
    return gw_intake_rtp(intake, packet, 12 + head_size + size, mono_us, wall_us());
}

// One NAL unit, in parts when it is large.
static int send_nal(const uint8_t *nal, size_t size, int type, uint32_t timestamp, bool marker)
{
    const size_t header = type == H265 ? 2 : 1;
    if (size <= MOST_PAYLOAD)
        return send_payload(NULL, 0, nal, size, type, timestamp, marker);
    int error = 0;
    for (size_t at = header; !error && at < size; at += MOST_PAYLOAD) {
        const bool last = at + MOST_PAYLOAD >= size;
        const uint8_t ends = (uint8_t)((at == header ? 0x80 : 0) | (last ? 0x40 : 0));
        const uint8_t in_h264[] = {(uint8_t)((nal[0] & 0xe0) | 28),
                                   (uint8_t)(ends | (nal[0] & 0x1f))};
        const uint8_t in_h265[] = {(uint8_t)((nal[0] & 0x81) | 49 << 1), nal[1],
                                   (uint8_t)(ends | (nal[0] >> 1 & 0x3f))};
        error = send_payload(type == H265 ? in_h265 : in_h264, header + 1, nal + at,
                             last ? size - at : MOST_PAYLOAD, type, timestamp, marker && last);
    }
    return error;
}

// All NAL units of bytes in Annex B form.
static int send_all(const uint8_t *bytes, size_t size, int type, uint32_t timestamp, bool marker)
{
    int error = 0;
    size_t begin = 0;
    for (size_t at = 0; !error && at <= size; at++) {
        const bool code =
            at + 3 <= size && bytes[at] == 0 && bytes[at + 1] == 0 && bytes[at + 2] == 1;
        if (!code && at < size)
            continue;
        size_t end = at;
        while (begin && end > begin && bytes[end - 1] == 0)
            end--;
        if (begin)
            error = send_nal(bytes + begin, end - begin, type, timestamp, marker && at == size);
        begin = at + 3;
    }
    return error;
}

// The n-th picture, with its parameter sets before a keyframe if sets. Takes its time.
static int send_picture(const struct coded_pictures *pictures, int n, int type, bool sets)
{
    const struct gw_packet *packet = &pictures->packets[n];
    const AVCodecParameters *parameters = pictures->stream->parameters;
    const uint32_t timestamp = 0xfffff000U + (uint32_t)n * (90000 / FPS);
    int error = 0;
    mono_us += GW_SECOND / FPS;
    if (sets && gw_packet_is_key(packet))
        error = send_all(parameters->extradata, (size_t)parameters->extradata_size, type, timestamp,
                         false);
    return error ? error
                 : send_all(packet->av->data, (size_t)packet->av->size, type, timestamp, true);
}

static void send_pictures(int from, int to)
{
    for (int n = from; n < to; n++)
        assert_int_equal(send_picture(h264, n, H264, true), 0);
}

static void send_report(uint32_t from, uint32_t timestamp, int64_t camera_us, bool bye)
{
    uint8_t bytes[28 + 8] = {0x80, 200, 0, 6};
    AV_WB32(bytes + 4, from);
    AV_WB32(bytes + 8, (uint32_t)(camera_us / GW_SECOND + INT64_C(2208988800)));
    AV_WB32(bytes + 12, (uint32_t)((camera_us % GW_SECOND << 32) / GW_SECOND));
    AV_WB32(bytes + 16, timestamp);
    memcpy(bytes + 28, (const uint8_t[]){0x81, 203, 0, 1}, 4);
    AV_WB32(bytes + 32, from);
    gw_intake_rtcp(intake, bytes, bye ? 36 : 28, mono_us, wall_us());
}

// --- pictures ------------------------------------------------------------------------------------

// The picture data of a packet: the same as was encoded, with the sets before a keyframe.
static void assert_same_picture(const struct gw_packet *out, const struct gw_packet *in)
{
    const uint8_t *tail = in->av->data + in->av->size - 16; // the end of its slice
    assert_true(out->av->size >= in->av->size - 8);
    assert_memory_equal(out->av->data + out->av->size - 16, tail, 16);
    assert_int_equal(gw_packet_is_key(out), gw_packet_is_key(in));
}

static void every_picture_comes_through_with_its_time(void **state)
{
    send_pictures(0, 40);
    gw_intake_finish(intake);
    assert_int_equal(got_count, 40);
    for (int i = 0; i < 40; i++) {
        assert_same_picture(&got[i], &h264->packets[i]);
        assert_ptr_equal(got[i].stream, got[0].stream);
        assert_int_equal(got[i].lost, GW_GAP_NONE);
        if (i)
            assert_in_range(got[i].av->pts - got[i - 1].av->pts, 39000, 41000);
    }
    assert_int_equal(got[0].stream->parameters->width, 160);
    assert_int_equal(got[0].stream->parameters->height, 96);
    assert_string_equal(gw_stream_codec_name(got[0].stream), "h264");
    struct gw_intake_status status = gw_intake_status(intake);
    assert_true(status.online && !status.useless && !status.lost);
    assert_true(status.picture_mono_us == mono_us && status.alive_mono_us == mono_us);
    assert_int_equal(skipped_count, 0);
}

static void parameter_sets_of_the_description_are_enough(void **state)
{
    const AVCodecParameters *parameters = h264->stream->parameters;
    gw_intake_destroy(&intake);
    sdp.format_count = 1;
    sdp.formats[0].sets_size = (size_t)parameters->extradata_size;
    memcpy(sdp.formats[0].sets, parameters->extradata, sdp.formats[0].sets_size);
    assert_int_equal(gw_intake_create(&intake, &sdp, &sink, NULL), 0);
    for (int n = 0; n < 20; n++) // under another number than the described one
        assert_int_equal(send_picture(h264, n, 101, false), 0);
    gw_intake_finish(intake);
    assert_int_equal(got_count, 20);
}

static void a_session_that_begins_within_a_group_waits_for_its_end(void **state)
{
    send_pictures(3, 25);
    gw_intake_finish(intake);
    assert_int_equal(got_count, 15);
    assert_true(gw_packet_is_key(&got[0]));
    assert_int_equal(got[0].lost, GW_GAP_NONE); // what was before it was never ours
    assert_int_equal(skipped_count, 0);
}

static void keyframes_that_cannot_be_decoded_end_it(void **state)
{
    int error = 0, n = 0;
    while (!error && n < 40)
        error = send_picture(h264, n++, H264, false);
    assert_int_equal(error, GW_ERROR_INVALID);
    assert_in_range(n, 21, 22); // with the third keyframe, or when the next picture ends it
    assert_int_equal(got_count, 0);
    assert_int_equal(online_count, 0);
    assert_true(gw_intake_status(intake).useless);
}

static void one_good_keyframe_forgives_the_bad_ones(void **state)
{
    for (int n = 0; n < 20; n++)
        assert_int_equal(send_picture(h264, n, H264, false), 0);
    send_pictures(20, 30);
    assert_false(gw_intake_status(intake).useless);
    assert_true(gw_intake_status(intake).online);
    gw_intake_finish(intake);
    assert_int_equal(got_count, 10);
}

// --- losses --------------------------------------------------------------------------------------

static void a_loss_is_told_and_costs_the_rest_of_its_group(void **state)
{
    send_pictures(0, 13);
    sequence += 5;
    send_pictures(13, 40);
    gw_intake_finish(intake);
    assert_int_equal(lost_count, 5);
    assert_true(gw_intake_status(intake).lost == 5);
    assert_int_equal(got_count, 13 + 20);
    assert_same_picture(&got[13], &h264->packets[20]);
    for (int i = 0; i < got_count; i++)
        assert_int_equal(got[i].lost, i == 13 ? GW_GAP_SLOW_NETWORK : GW_GAP_NONE);
    assert_int_equal(skipped_count, 0); // they were lost, and that was told
    // Its time goes on where it was.
    assert_in_range(got[13].av->pts - got[12].av->pts, 319000, 321000);
}

static void packets_of_other_kinds_are_no_loss_and_no_picture(void **state)
{
    static const uint8_t sound[] = {1, 2, 3};
    send_pictures(0, 5);
    source++;
    for (int i = 0; i < 20; i++)
        assert_int_equal(send_payload(NULL, 0, sound, sizeof(sound), 8, 77, true), 0);
    sequence -= 20;
    source--;
    assert_int_equal(gw_intake_rtp(intake, sound, sizeof(sound), mono_us, wall_us()), 0);
    send_pictures(5, 10);
    gw_intake_finish(intake);
    assert_int_equal(got_count, 10);
    assert_int_equal(lost_count, 0);
}

// --- cameras that change -------------------------------------------------------------------------

static void another_payload_type_is_another_codec(void **state)
{
    if (!h265) {
        print_message("libavcodec has no libx265 here\n");
        skip();
    }
    send_pictures(0, 10);
    for (int n = 10; n < 30; n++)
        assert_int_equal(send_picture(h265, n, H265, true), 0);
    send_pictures(30, 40);
    gw_intake_finish(intake);
    assert_int_equal(got_count, 40);
    for (int i = 0; i < 40; i++)
        assert_string_equal(gw_stream_codec_name(got[i].stream),
                            i >= 10 && i < 30 ? "h265" : "h264");
    assert_true(gw_packet_is_key(&got[10]) && gw_packet_is_key(&got[30]));
    for (int i = 1; i < 40; i++)
        assert_true(got[i].av->pts > got[i - 1].av->pts);
}

// Also while its marker bit is not believed yet, so that only what follows tells that it ended.
static void the_last_picture_before_another_codec_is_not_lost(void **state)
{
    if (!h265) {
        print_message("libavcodec has no libx265 here\n");
        skip();
    }
    send_pictures(0, 2);
    for (int n = 10; n < 20; n++)
        assert_int_equal(send_picture(h265, n, H265, true), 0);
    gw_intake_finish(intake);
    assert_int_equal(got_count, 2 + 10);
    assert_int_equal(got[2].lost, GW_GAP_NONE);
}

static void a_source_that_is_renamed_goes_on(void **state)
{
    send_pictures(0, 14);
    source = 99;
    sequence = 7;
    send_pictures(14, 20);
    gw_intake_finish(intake);
    assert_int_equal(got_count, 20);
    assert_int_equal(lost_count, 0);
    assert_int_equal(skipped_count, 0);
}

static void a_camera_that_counts_anew_costs_the_rest_of_its_group(void **state)
{
    send_pictures(0, 14);
    sequence += 20000;
    send_pictures(14, 30);
    gw_intake_finish(intake);
    assert_int_equal(got_count, 14 + 10);
    assert_int_equal(got[14].lost, GW_GAP_SLOW_NETWORK);
}

// --- reports -------------------------------------------------------------------------------------

static void sender_reports_reach_the_clock(void **state)
{
    send_pictures(0, 3);
    assert_int_equal(clock_count, 0);
    send_report(SOURCE + 1, 0xfffff000U, wall_us() + 7 * GW_SECOND, false);
    assert_int_equal(clock_count, 0); // somebody else's
    send_report(SOURCE, 0xfffff000U + 2 * 3600, wall_us() + 3 * GW_SECOND, false);
    assert_int_equal(clock_count, 1);
    assert_in_range(clock_offset_us, 3 * GW_SECOND - 1000, 3 * GW_SECOND + 1000);
    send_report(SOURCE, 0xfffff000U, 0 - INT64_C(2208988800) * GW_SECOND, false);
    assert_int_equal(clock_count, 1); // it does not know the time
}

static void nothing_is_reported_before_the_first_picture(void **state)
{
    send_report(SOURCE, 0, wall_us(), true);
    assert_true(gw_intake_status(intake).bye_mono_us == 0);
    send_pictures(5, 6); // no keyframe yet
    send_report(SOURCE, 0, wall_us(), false);
    assert_int_equal(clock_count, 0);
}

static void a_goodbye_counts_until_the_next_packet(void **state)
{
    send_pictures(0, 3);
    send_report(SOURCE, 0xfffff000U, wall_us(), true);
    assert_true(gw_intake_status(intake).bye_mono_us == mono_us);
    send_pictures(3, 4);
    assert_true(gw_intake_status(intake).bye_mono_us == 0);
}

static void any_bytes_are_taken(void **state)
{
    uint8_t bytes[64];
    srand(7);
    for (int i = 0; i < 2000; i++) {
        for (size_t k = 0; k < sizeof(bytes); k++)
            bytes[k] = (uint8_t)rand();
        const size_t size = (size_t)rand() % sizeof(bytes);
        if (i & 1)
            memcpy(bytes, (const uint8_t[]){0x80, H264}, 2);
        int error = gw_intake_rtp(intake, bytes, size, mono_us, wall_us());
        assert_true(error == 0 || error == GW_ERROR_INVALID);
        gw_intake_rtcp(intake, bytes, size, mono_us, wall_us());
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_picture_comes_through_with_its_time),
        TEST(parameter_sets_of_the_description_are_enough),
        TEST(a_session_that_begins_within_a_group_waits_for_its_end),
        TEST(keyframes_that_cannot_be_decoded_end_it),
        TEST(one_good_keyframe_forgives_the_bad_ones),
        TEST(a_loss_is_told_and_costs_the_rest_of_its_group),
        TEST(packets_of_other_kinds_are_no_loss_and_no_picture),
        TEST(another_payload_type_is_another_codec),
        TEST(the_last_picture_before_another_codec_is_not_lost),
        TEST(a_source_that_is_renamed_goes_on),
        TEST(a_camera_that_counts_anew_costs_the_rest_of_its_group),
        TEST(sender_reports_reach_the_clock),
        TEST(nothing_is_reported_before_the_first_picture),
        TEST(a_goodbye_counts_until_the_next_packet),
        TEST(any_bytes_are_taken),
    };
    return cmocka_run_group_tests(tests, make_pictures, free_pictures);
}
