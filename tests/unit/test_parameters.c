// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>

#include "ingest/parameters.h"

// libx265, which only this test uses, keeps some of its own memory.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libx265";
}

static AVCodecContext *open_encoder(const char *name, int width, bool global, int b_frames)
{
    const AVCodec *codec = avcodec_find_encoder_by_name(name);
    if (!codec)
        return NULL;
    AVCodecContext *encoder = avcodec_alloc_context3(codec);
    encoder->width = width;
    encoder->height = 240;
    encoder->pix_fmt = AV_PIX_FMT_YUV420P;
    encoder->time_base = (AVRational){1, 25};
    encoder->max_b_frames = b_frames;
    encoder->thread_count = 1;
    if (global)
        encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_opt_set(encoder->priv_data, "x265-params", "log-level=none:pools=1", 0);
    assert_int_equal(avcodec_open2(encoder, codec, NULL), 0);
    return encoder;
}

// Encodes a grey picture; NULL when there is no such encoder. global: parameter sets only in
// *described, not in front of the keyframe.
static AVPacket *encode(const char *name, int width, bool global, int b_frames,
                        AVCodecParameters *described)
{
    AVCodecContext *encoder = open_encoder(name, width, global, b_frames);
    if (!encoder)
        return NULL;
    AVFrame *frame = av_frame_alloc();
    frame->width = width;
    frame->height = 240;
    frame->format = AV_PIX_FMT_YUV420P;
    frame->pts = 0;
    assert_int_equal(av_frame_get_buffer(frame, 0), 0);
    memset(frame->data[0], 128, (size_t)frame->linesize[0] * 240);
    memset(frame->data[1], 128, (size_t)frame->linesize[1] * 120);
    memset(frame->data[2], 128, (size_t)frame->linesize[2] * 120);
    assert_int_equal(avcodec_send_frame(encoder, frame), 0);
    assert_int_equal(avcodec_send_frame(encoder, NULL), 0);
    AVPacket *packet = av_packet_alloc();
    assert_int_equal(avcodec_receive_packet(encoder, packet), 0);
    if (described) {
        assert_true(avcodec_parameters_from_context(described, encoder) >= 0);
        described->width = described->height = 0; // a session description does not say
    }
    av_frame_free(&frame);
    avcodec_free_context(&encoder);
    return packet;
}

static struct gw_parameters *create(const AVCodecParameters *described)
{
    struct gw_parameters *parameters;
    assert_int_equal(gw_parameters_create(&parameters, described), 0);
    return parameters;
}

static void assert_size(const struct gw_parameters *parameters, int width, int height)
{
    int reorder;
    const AVCodecParameters *found = gw_parameters_get(parameters, &reorder);
    assert_int_equal(found->width, width);
    assert_int_equal(found->height, height);
    assert_true(found->extradata_size > 0);
}

static void check_described(const char *encoder, int b_frames)
{
    AVCodecParameters *described = avcodec_parameters_alloc();
    AVPacket *key = encode(encoder, 320, true, b_frames, described);
    if (!key) {
        avcodec_parameters_free(&described);
        skip();
    }
    int reorder;
    struct gw_parameters *parameters = create(described);
    assert_int_equal(gw_parameters_feed(parameters, key), 1);
    assert_size(parameters, 320, 240);
    gw_parameters_get(parameters, &reorder);
    assert_int_equal(reorder > 0, b_frames > 0);
    assert_int_equal(gw_parameters_feed(parameters, key), 0);
    gw_parameters_destroy(&parameters);
    av_packet_free(&key);
    avcodec_parameters_free(&described);
}

static void size_and_reorder_come_from_the_session_description(void **state)
{
    check_described("libx264", 0);
    check_described("libx264", 3);
    check_described("libx265", 0);
    check_described("libx265", 3);
}

static void check_in_band(const char *encoder, enum AVCodecID id)
{
    AVCodecParameters *bare = avcodec_parameters_alloc();
    bare->codec_type = AVMEDIA_TYPE_VIDEO;
    bare->codec_id = id;
    AVPacket *key = encode(encoder, 320, false, 0, NULL);
    AVPacket *larger = key ? encode(encoder, 640, false, 0, NULL) : NULL;
    if (!key) {
        avcodec_parameters_free(&bare);
        skip();
    }
    struct gw_parameters *parameters = create(bare);
    assert_int_equal(gw_parameters_feed(parameters, key), 1);
    assert_size(parameters, 320, 240);
    assert_int_equal(gw_parameters_feed(parameters, key), 0);
    assert_int_equal(gw_parameters_feed(parameters, larger), 1);
    assert_size(parameters, 640, 240);
    gw_parameters_destroy(&parameters);
    av_packet_free(&key);
    av_packet_free(&larger);
    avcodec_parameters_free(&bare);
}

static void parameter_sets_in_front_of_a_keyframe_suffice_and_their_change_is_seen(void **state)
{
    check_in_band("libx264", AV_CODEC_ID_H264);
    check_in_band("libx265", AV_CODEC_ID_HEVC);
}

static void a_keyframe_without_any_parameter_sets_is_refused_until_one_has_them(void **state)
{
    AVCodecParameters *bare = avcodec_parameters_alloc();
    bare->codec_type = AVMEDIA_TYPE_VIDEO;
    bare->codec_id = AV_CODEC_ID_H264;
    AVPacket *without = encode("libx264", 320, true, 0, NULL);
    AVPacket *with = without ? encode("libx264", 320, false, 0, NULL) : NULL;
    if (!without) {
        avcodec_parameters_free(&bare);
        skip();
    }
    struct gw_parameters *parameters = create(bare);
    assert_int_equal(gw_parameters_feed(parameters, without), AVERROR_INVALIDDATA);
    assert_int_equal(gw_parameters_feed(parameters, with), 1);
    assert_int_equal(gw_parameters_feed(parameters, without), 0); // they go on to be valid
    gw_parameters_destroy(&parameters);
    av_packet_free(&without);
    av_packet_free(&with);
    avcodec_parameters_free(&bare);
}

static void garbage_in_front_of_a_keyframe_is_refused_and_healed_by_the_next(void **state)
{
    static const uint8_t garbage[] = {0, 0,    0,    1, 0x67, 0xff, 0xff, 0xff, 0,    0,    0,
                                      1, 0x68, 0xff, 0, 0,    0,    1,    0x65, 0x88, 0x84, 0xff};
    AVCodecParameters *described = avcodec_parameters_alloc();
    AVPacket *key = encode("libx264", 320, false, 0, described);
    if (!key) {
        avcodec_parameters_free(&described);
        skip();
    }
    AVPacket *bad = av_packet_alloc();
    assert_int_equal(av_new_packet(bad, sizeof(garbage)), 0);
    memcpy(bad->data, garbage, sizeof(garbage));
    bad->flags = AV_PKT_FLAG_KEY;
    struct gw_parameters *parameters = create(described);
    assert_int_equal(gw_parameters_feed(parameters, key), 1);
    assert_int_equal(gw_parameters_feed(parameters, bad), AVERROR_INVALIDDATA);
    assert_int_equal(gw_parameters_feed(parameters, key), 1);
    assert_size(parameters, 320, 240);
    gw_parameters_destroy(&parameters);
    av_packet_free(&key);
    av_packet_free(&bad);
    avcodec_parameters_free(&described);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_and_reorder_come_from_the_session_description),
        cmocka_unit_test(parameter_sets_in_front_of_a_keyframe_suffice_and_their_change_is_seen),
        cmocka_unit_test(a_keyframe_without_any_parameter_sets_is_refused_until_one_has_them),
        cmocka_unit_test(garbage_in_front_of_a_keyframe_is_refused_and_healed_by_the_next),
    };
    av_log_set_level(AV_LOG_QUIET);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
