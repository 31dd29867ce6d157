// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Descriptions in the manner of cameras: written for this test, none is a real one's.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ingest/sdp.h"

#define SESSION "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=Media\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
// 67 4d 00 1f 95 and 68 ee 3c 80
#define SETS "Z00AH5U=,aO48gA=="
static const uint8_t sets[] = {0, 0, 0, 1, 0x67, 0x4d, 0,    0x1f, 0x95,
                               0, 0, 0, 1, 0x68, 0xee, 0x3c, 0x80};

static struct gw_sdp *parse_bytes(const char *text, size_t size)
{
    struct gw_sdp *sdp = malloc(sizeof(*sdp));
    char *copy = malloc(size ? size : 1); // of just that size, for a sanitizer
    assert_non_null(sdp);
    assert_non_null(copy);
    memcpy(copy, text, size);
    gw_sdp_parse(copy, size, sdp);
    free(copy);
    return sdp;
}

static struct gw_sdp *parse(const char *text)
{
    return parse_bytes(text, strlen(text));
}

static void a_recorder_like_camera_with_sound_is_read(void **state)
{
    struct gw_sdp *sdp =
        parse(SESSION "a=control:rtsp://192.0.2.7:554/Streaming/Channels/101/\r\n"
                      "a=range:npt=0-\r\nm=video 0 RTP/AVP 96\r\nb=AS:5000\r\n"
                      "a=control:rtsp://192.0.2.7:554/Streaming/Channels/101/trackID=1\r\n"
                      "a=rtpmap:96 H264/90000\r\n"
                      "a=fmtp:96 profile-level-id=420029; packetization-mode=1; "
                      "sprop-parameter-sets=" SETS "\r\n"
                      "m=audio 0 RTP/AVP 8\r\na=control:trackID=2\r\na=rtpmap:8 PCMA/8000\r\n"
                      "a=Media_header:MEDIAINFO=494D4B48;\r\na=appversion:1.0\r\n");
    assert_int_equal(sdp->format_count, 1);
    assert_int_equal(sdp->formats[0].payload_type, 96);
    assert_int_equal(sdp->formats[0].codec, AV_CODEC_ID_H264);
    assert_int_equal(sdp->formats[0].clock_rate, 90000);
    assert_int_equal(sdp->formats[0].sets_size, sizeof(sets));
    assert_memory_equal(sdp->formats[0].sets, sets, sizeof(sets));
    assert_string_equal(sdp->session_control, "rtsp://192.0.2.7:554/Streaming/Channels/101/");
    assert_string_equal(sdp->control, "rtsp://192.0.2.7:554/Streaming/Channels/101/trackID=1");
    assert_string_equal(sdp->others, "audio PCMA");
    free(sdp);
}

static void a_frame_rate_and_relative_controls_are_read(void **state)
{
    struct gw_sdp *sdp = parse(SESSION "a=control:*\r\nm=video 0 RTP/AVP 98\r\n"
                                       "a=control:trackID=0\r\na=framerate:25.000000\r\n"
                                       "a=rtpmap:98 H265/90000\r\n"
                                       "a=fmtp:98 sprop-vps=QAEMAf//;sprop-sps=QgEBAWA=;"
                                       "sprop-pps=RAHAcw==\r\na=recvonly\r\n");
    static const uint8_t expected[] = {0,    0, 0, 1, 0x40, 1, 0x0c, 1, 0xff, 0xff, 0, 0,    0,   1,
                                       0x42, 1, 1, 1, 0x60, 0, 0,    0, 1,    0x44, 1, 0xc0, 0x73};
    assert_string_equal(sdp->session_control, "*");
    assert_string_equal(sdp->control, "trackID=0");
    assert_true(sdp->frame_rate == 25);
    assert_int_equal(sdp->formats[0].codec, AV_CODEC_ID_HEVC);
    assert_int_equal(sdp->formats[0].sets_size, sizeof(expected));
    assert_memory_equal(sdp->formats[0].sets, expected, sizeof(expected));
    assert_string_equal(sdp->others, "");
    free(sdp);
}

static void a_server_like_camera_with_metadata_first_is_read(void **state)
{
    struct gw_sdp *sdp = parse(
        "v=0\no=- 1 1 IN IP4 192.0.2.9\ns=Session streamed with GStreamer\nt=0 0\n"
        "a=control:rtsp://192.0.2.9/axis-media/media.amp?videocodec=h264\n"
        "m=application 0 RTP/AVP 107\na=rtpmap:107 vnd.onvif.metadata/90000\na=control:stream=2\n"
        "m=audio 0 RTP/AVP 0\na=control:stream=1\n"
        "m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=framesize:96 1920-1080\n"
        "a=fmtp:96 packetization-mode=1;profile-level-id=4d0029;sprop-parameter-sets=" SETS "\n"
        "a=control:stream=0\nm=video 0 RTP/AVP 97\na=rtpmap:97 H264/90000\na=control:stream=3");
    assert_int_equal(sdp->format_count, 1);
    assert_int_equal(sdp->formats[0].payload_type, 96);
    assert_int_equal(sdp->formats[0].sets_size, sizeof(sets));
    assert_string_equal(sdp->control, "stream=0");
    assert_string_equal(sdp->session_control,
                        "rtsp://192.0.2.9/axis-media/media.amp?videocodec=h264");
    assert_string_equal(sdp->others, "application vnd.onvif.metadata, audio, video H264");
    free(sdp);
}

static void several_formats_of_one_track_are_kept_apart(void **state)
{
    struct gw_sdp *sdp = parse(SESSION "m=video 0 RTP/AVP 26 96 97 98 99 100 101\r\n"
                                       "a=rtpmap:96 H264/90000\r\na=rtpmap:97 H265/90000\r\n"
                                       "a=rtpmap:98 hevc/90000\r\na=rtpmap:99 JPEG/90000\r\n"
                                       "a=rtpmap:96 H265/90000\r\na=rtpmap:100 h264/90000\r\n"
                                       "a=rtpmap:101 H264/90000\r\n"
                                       "a=fmtp:97 sprop-parameter-sets=QgEBAWA=\r\n"
                                       "a=fmtp:96 sprop-parameter-sets=" SETS "\r\n");
    assert_int_equal(sdp->format_count, GW_SDP_MOST_FORMATS);
    assert_int_equal(sdp->formats[0].payload_type, 96);
    assert_int_equal(sdp->formats[0].codec, AV_CODEC_ID_H264); // the first word counts
    assert_int_equal(sdp->formats[0].sets_size, sizeof(sets));
    assert_int_equal(sdp->formats[1].codec, AV_CODEC_ID_HEVC);
    assert_int_equal(sdp->formats[2].payload_type, 98);
    assert_int_equal(sdp->formats[2].sets_size, 0);
    assert_int_equal(sdp->formats[3].payload_type, 100);
    free(sdp);
}

static void parameter_sets_that_are_none_are_left_out(void **state)
{
    static const char *const broken[] = {
        "",
        ",,,",
        "!!!!,????",
        "Z00A", // three bytes
        "AAAA,AAAAAA==",
        "AAAAAWdNAB+V", // with a start code
        "aGVsbG8gd29ybGQ=Z00AH5U",
    };
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        char text[512];
        strcpy(text, SESSION "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
                             "a=fmtp:96 sprop-parameter-sets=");
        strcat(strcat(text, broken[i]), ";x=1\r\n");
        struct gw_sdp *sdp = parse(text);
        assert_int_equal(sdp->format_count, 1);
        if (i + 1 < sizeof(broken) / sizeof(broken[0]))
            assert_int_equal(sdp->formats[0].sets_size, 0);
        free(sdp);
    }
    struct gw_sdp *sdp = parse(SESSION "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n");
    assert_int_equal(sdp->formats[0].sets_size, 0);
    free(sdp);
}

// The order of attributes says nothing (RFC 8866, 5.13).
static void parameters_may_stand_before_the_format_they_belong_to(void **state)
{
    struct gw_sdp *sdp = parse(SESSION "m=video 0 RTP/AVP 96\r\n"
                                       "a=fmtp:96 sprop-parameter-sets=" SETS "\r\n"
                                       "a=rtpmap:96 H264/90000\r\n");
    assert_int_equal(sdp->formats[0].sets_size, sizeof(sets));
    free(sdp);
}

static void a_camera_with_jpeg_only_has_no_track(void **state)
{
    struct gw_sdp *sdp = parse(SESSION "m=video 0 RTP/AVP 26\r\na=control:trackID=1\r\n"
                                       "a=rtpmap:26 JPEG/90000\r\nm=audio 0 RTP/AVP 97\r\n"
                                       "a=rtpmap:97 MPEG4-GENERIC/16000/1\r\n");
    assert_int_equal(sdp->format_count, 0);
    assert_string_equal(sdp->others, "video JPEG, audio MPEG4-GENERIC");
    free(sdp);
}

static void what_is_told_to_people_is_plain_text(void **state)
{
    struct gw_sdp *sdp = parse(
        SESSION "m=vi\x1b[2Jdeo 0 RTP/AVP 26\r\na=rtpmap:26 J\x1b]0;x\x07\xff\xfePEG/90000\r\n"
                "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 a\tb\"c/8000\r\n");
    for (const char *c = sdp->others; *c; c++)
        assert_true((unsigned char)*c >= ' ' && (unsigned char)*c < 0x7f && *c != '"');
    free(sdp);
}

static void a_clock_that_makes_no_sense_is_the_usual_one(void **state)
{
    static const char *const rates[] = {"H264",
                                        "H264/",
                                        "H264/0",
                                        "H264/-1",
                                        "H264/1",
                                        "H264/2147483647",
                                        "H264/99999999999999999999"};
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        char text[512] = SESSION "m=video 0 RTP/AVP 96\r\na=rtpmap:96 ";
        struct gw_sdp *sdp = parse(strcat(strcat(text, rates[i]), "\r\n"));
        assert_int_equal(sdp->format_count, 1);
        assert_int_equal(sdp->formats[0].clock_rate, 90000);
        free(sdp);
    }
}

static void formats_with_impossible_numbers_are_left_out(void **state)
{
    struct gw_sdp *sdp = parse(SESSION "m=video 0 RTP/AVP 96\r\na=rtpmap:128 H264/90000\r\n"
                                       "a=rtpmap:-1 H264/90000\r\na=rtpmap: \r\na=rtpmap:x\r\n"
                                       "a=rtpmap:4294967392 H264/90000\r\na=fmtp:\r\n");
    assert_int_equal(sdp->format_count, 0);
    free(sdp);
}

static void lines_without_end_are_left_out(void **state)
{
    enum { SIZE = 60000 };
    char *text = malloc(SIZE);
    assert_non_null(text);
    const char *head = SESSION "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 "
                               "sprop-parameter-sets=";
    memset(text, ',', SIZE);
    memcpy(text, head, strlen(head));
    for (size_t at = strlen(head); at + sizeof(SETS) < SIZE; at += sizeof(SETS))
        memcpy(text + at, SETS, strlen(SETS));
    struct gw_sdp *sdp = parse_bytes(text, SIZE);
    assert_int_equal(sdp->format_count, 1);
    assert_int_equal(sdp->formats[0].sets_size, 0); // half of a line says something else
    free(sdp);

    memset(text + strlen(head), 'A', SIZE - strlen(head));
    sdp = parse_bytes(text, SIZE);
    assert_int_equal(sdp->formats[0].sets_size, 0);
    free(sdp);

    memset(text, 'm', SIZE);
    memcpy(text, "a=control:", 10);
    sdp = parse_bytes(text, SIZE);
    assert_string_equal(sdp->session_control, "");
    free(sdp);

    for (int i = 0; i < SIZE; i++)
        text[i] = "m=a\n"[i % 4];
    sdp = parse_bytes(text, SIZE);
    assert_int_equal(strlen(sdp->others), sizeof(sdp->others) - 1);
    free(sdp);
    free(text);
}

static void white_space_around_a_control_is_no_part_of_it(void **state)
{
    struct gw_sdp *sdp = parse(SESSION "m=video 0 RTP/AVP 96\r\na=control: trackID=1 \r\n"
                                       "a=rtpmap:96 H264/90000\r\n");
    assert_string_equal(sdp->control, "trackID=1");
    free(sdp);
}

static void any_bytes_are_read(void **state)
{
    static const char zeros[64];
    struct gw_sdp *sdp = parse_bytes(zeros, sizeof(zeros));
    assert_int_equal(sdp->format_count, 0);
    free(sdp);
    sdp = parse_bytes("", 0);
    assert_int_equal(sdp->format_count, 0);
    assert_string_equal(sdp->others, "");
    free(sdp);
    sdp = parse("m=");
    assert_int_equal(sdp->format_count, 0);
    free(sdp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recorder_like_camera_with_sound_is_read),
        cmocka_unit_test(a_frame_rate_and_relative_controls_are_read),
        cmocka_unit_test(a_server_like_camera_with_metadata_first_is_read),
        cmocka_unit_test(several_formats_of_one_track_are_kept_apart),
        cmocka_unit_test(parameter_sets_that_are_none_are_left_out),
        cmocka_unit_test(parameters_may_stand_before_the_format_they_belong_to),
        cmocka_unit_test(a_camera_with_jpeg_only_has_no_track),
        cmocka_unit_test(what_is_told_to_people_is_plain_text),
        cmocka_unit_test(a_clock_that_makes_no_sense_is_the_usual_one),
        cmocka_unit_test(formats_with_impossible_numbers_are_left_out),
        cmocka_unit_test(lines_without_end_are_left_out),
        cmocka_unit_test(white_space_around_a_control_is_no_part_of_it),
        cmocka_unit_test(any_bytes_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
