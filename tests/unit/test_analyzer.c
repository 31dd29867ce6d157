// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The whole chain on coded pictures: what a worker's decode pool does with a camera's ring.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>

#include "analyze/analyzer.h"
#include "core/clock.h"
#include "tests/unit/scene.h"

enum { WIDTH = 320, HEIGHT = 192, FPS = 10, GOP = 20, MAX_PACKETS = 400 };
#define EPOCH_US (INT64_C(1777863721) * GW_SECOND)

// The H.265 encoder, which only this test uses, keeps some of its memory.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:x265";
}

// A coded scene: somebody walks from the first to the last second.
struct clip {
    const char *encoder;
    enum AVPixelFormat format;
    int seconds, walk_from, walk_to, b_frames;
    struct gw_stream *stream;
    struct gw_packet packets[MAX_PACKETS];
    int count;
};

static AVCodecContext *open_encoder(const struct clip *clip)
{
    AVCodecContext *encoder = avcodec_alloc_context3(avcodec_find_encoder_by_name(clip->encoder));
    encoder->width = WIDTH;
    encoder->height = HEIGHT;
    encoder->pix_fmt = clip->format;
    encoder->time_base = (AVRational){1, 1000000};
    encoder->framerate = (AVRational){FPS, 1};
    encoder->gop_size = GOP;
    encoder->max_b_frames = clip->b_frames;
    encoder->thread_count = 1;
    encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_opt_set(encoder->priv_data, "preset", "ultrafast", 0);
    av_opt_set(encoder->priv_data, "x264-params", "scenecut=0:b-adapt=0", 0);
    av_opt_set(encoder->priv_data, "x265-params",
               "scenecut=0:log-level=none:pools=none:frame-threads=1:open-gop=0", 0);
    assert_int_equal(avcodec_open2(encoder, encoder->codec, NULL), 0);
    return encoder;
}

static void draw(const struct clip *clip, struct scene *scene, AVFrame *frame, int n)
{
    scene_wall(scene, 0, 0);
    if (n >= clip->walk_from * FPS && n < clip->walk_to * FPS)
        scene_thing(scene, (n - clip->walk_from * FPS) * 5 % WIDTH, 80, 16, 40, 30);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            uint8_t *row = frame->data[0] + y * frame->linesize[0];
            if (clip->format == AV_PIX_FMT_YUV420P10)
                ((uint16_t *)(void *)row)[x] = (uint16_t)(scene->pixels[y * WIDTH + x] << 2);
            else
                row[x] = scene->pixels[y * WIDTH + x];
        }
    for (int plane = 1; plane < 3; plane++)
        for (int y = 0; y < HEIGHT / 2; y++)
            for (int x = 0; x < WIDTH / 2; x++) {
                uint8_t *row = frame->data[plane] + y * frame->linesize[plane];
                if (clip->format == AV_PIX_FMT_YUV420P10)
                    ((uint16_t *)(void *)row)[x] = 512;
                else
                    row[x] = 128;
            }
}

static void collect(struct clip *clip, AVCodecContext *encoder)
{
    for (;;) {
        AVPacket *av = av_packet_alloc();
        if (avcodec_receive_packet(encoder, av) < 0) {
            av_packet_free(&av);
            return;
        }
        gw_packet_init(&clip->packets[clip->count++], &av, clip->stream, 0);
    }
}

static void make_clip(struct clip *clip)
{
    AVCodecContext *encoder = open_encoder(clip);
    AVCodecParameters *parameters = avcodec_parameters_alloc();
    struct scene scene;
    scene_init(&scene, WIDTH, HEIGHT);
    avcodec_parameters_from_context(parameters, encoder);
    assert_int_equal(gw_stream_create(&clip->stream, parameters, clip->b_frames), 0);
    for (int n = 0; n < clip->seconds * FPS; n++) {
        AVFrame *frame = av_frame_alloc();
        frame->width = WIDTH;
        frame->height = HEIGHT;
        frame->format = clip->format;
        assert_int_equal(av_frame_get_buffer(frame, 0), 0);
        draw(clip, &scene, frame, n);
        frame->pts = EPOCH_US + n * (GW_SECOND / FPS);
        assert_int_equal(avcodec_send_frame(encoder, frame), 0);
        av_frame_free(&frame);
        collect(clip, encoder);
    }
    avcodec_send_frame(encoder, NULL);
    collect(clip, encoder);
    scene_finish(&scene);
    avcodec_parameters_free(&parameters);
    avcodec_free_context(&encoder);
}

static void drop_clip(struct clip *clip)
{
    for (int i = 0; i < clip->count; i++)
        gw_packet_unref(&clip->packets[i]);
    gw_stream_unref(&clip->stream);
}

// What the analyzer said.
struct heard {
    int opened, updated, closed;
    int opened_without_snapshot;
    int start_changed;
    int updates_too_soon;
    int64_t last_report_us;
    struct gw_event event; // the last one
};

static void hear(void *opaque, enum gw_event_phase phase, const struct gw_event *event,
                 const struct gw_snapshot *snapshot)
{
    struct heard *heard = opaque;
    const bool has_snapshot = snapshot->jpeg_size > 0 && snapshot->thumbnail_size > 0;

    if (phase == GW_EVENT_PHASE_OPENED) {
        heard->opened++;
        heard->opened_without_snapshot += !has_snapshot || event->snapshot_us == GW_NO_TIME;
        heard->last_report_us = event->end_us;
    } else {
        heard->start_changed +=
            event->start_us != heard->event.start_us || !gw_id_equal(&event->id, &heard->event.id);
        if (phase == GW_EVENT_PHASE_UPDATED) {
            heard->updated++;
            heard->updates_too_soon += event->end_us - heard->last_report_us < GW_SECOND;
            heard->last_report_us = event->end_us;
        } else {
            heard->closed++;
        }
    }
    heard->event = *event;
}

static struct gw_analyzer *make_analyzer(struct heard *heard, enum gw_level level)
{
    struct gw_analyzer_config config = gw_analyzer_defaults;
    struct gw_analyzer *analyzer = NULL;
    *heard = (struct heard){0};
    strcpy(config.camera, "gate-07");
    config.level = level;
    config.opaque = heard;
    config.event = hear;
    assert_int_equal(gw_analyzer_create(&analyzer, &config), 0);
    return analyzer;
}

static void feed(struct gw_analyzer *analyzer, const struct clip *clip, int from, int to)
{
    for (int i = from; i < to && i < clip->count; i++)
        assert_int_equal(gw_analyzer_feed(analyzer, &clip->packets[i]), 0);
}

static struct heard analyze(struct clip *clip, enum gw_level level)
{
    struct heard heard;
    make_clip(clip);
    struct gw_analyzer *analyzer = make_analyzer(&heard, level);
    feed(analyzer, clip, 0, clip->count);
    gw_analyzer_flush(analyzer);
    gw_analyzer_destroy(&analyzer);
    drop_clip(clip);
    return heard;
}

static void assert_one_walk(const struct heard *heard, int from, int to, int64_t slack_us)
{
    assert_int_equal(heard->opened, 1);
    assert_int_equal(heard->closed, 1);
    assert_int_equal(heard->opened_without_snapshot, 0);
    assert_int_equal(heard->start_changed, 0);
    assert_int_equal(heard->updates_too_soon, 0);
    assert_in_range(heard->event.start_us, EPOCH_US + from * GW_SECOND,
                    EPOCH_US + from * GW_SECOND + slack_us);
    assert_in_range(heard->event.end_us, EPOCH_US + to * GW_SECOND - slack_us,
                    EPOCH_US + to * GW_SECOND + slack_us);
    assert_string_equal(heard->event.camera, "gate-07");
}

static void somebody_who_walks_is_one_event(void **state)
{
    struct clip clip = {"libx264", AV_PIX_FMT_YUV420P, 14, 3, 8, 0};
    const struct heard heard = analyze(&clip, GW_LEVEL_FULL);
    assert_one_walk(&heard, 3, 8, GW_SECOND / 2);
    assert_true(heard.updated >= 3);
    assert_true(heard.event.confirmed_us - heard.event.start_us <= GW_SECOND / 2);
    assert_false(heard.event.interrupted);
    assert_true(heard.event.box.y > 0.3 && heard.event.box.y + heard.event.box.h < 0.75);
}

static void b_frames_do_not_disturb(void **state)
{
    struct clip clip = {"libx264", AV_PIX_FMT_YUV420P, 14, 3, 8, 2};
    const struct heard heard = analyze(&clip, GW_LEVEL_FULL);
    assert_one_walk(&heard, 3, 8, GW_SECOND / 2);
}

// Some cameras and gateways stamp packets in the order of decoding. Time must not run back then.
static void b_frames_stamped_in_decoding_order_do_not_disturb(void **state)
{
    struct clip clip = {"libx264", AV_PIX_FMT_YUV420P, 14, 3, 8, 2};
    struct heard heard;
    make_clip(&clip);
    for (int i = 0; i < clip.count; i++)
        clip.packets[i].av->pts = clip.packets[i].av->dts = EPOCH_US + i * (GW_SECOND / FPS);
    struct gw_analyzer *analyzer = make_analyzer(&heard, GW_LEVEL_FULL);
    feed(analyzer, &clip, 0, clip.count);
    gw_analyzer_flush(analyzer);
    gw_analyzer_destroy(&analyzer);
    drop_clip(&clip);
    assert_one_walk(&heard, 3, 8, GW_SECOND);
}

static void h265_with_ten_bits_is_analysed_too(void **state)
{
    if (!avcodec_find_encoder_by_name("libx265"))
        skip();
    struct clip clip = {"libx265", AV_PIX_FMT_YUV420P10, 12, 3, 7, 0};
    const struct heard heard = analyze(&clip, GW_LEVEL_FULL);
    assert_one_walk(&heard, 3, 7, GW_SECOND / 2);
}

static void keyframes_alone_find_a_longer_event(void **state)
{
    struct clip clip = {"libx264", AV_PIX_FMT_YUV420P, 30, 6, 16, 2};
    const struct heard heard = analyze(&clip, GW_LEVEL_KEYFRAMES);
    assert_one_walk(&heard, 6, 16, 3 * GW_SECOND);
}

// 0.12 s, which with B-frames is told by the first packet already whose capture time is as late.
static void a_keyframe_is_looked_at_with_the_first_pictures_after_it(void **state)
{
    struct clip clip = {"libx264", AV_PIX_FMT_YUV420P, 8, 8, 8, 2};
    struct gw_analyzer_counters counters;
    struct heard heard;
    make_clip(&clip);
    struct gw_analyzer *analyzer = make_analyzer(&heard, GW_LEVEL_KEYFRAMES);
    feed(analyzer, &clip, 0, 4);
    gw_analyzer_count(analyzer, &counters);
    const uint64_t decoded = counters.decoded;
    assert_in_range(decoded, 2, 4);
    feed(analyzer, &clip, 4, FPS);
    gw_analyzer_count(analyzer, &counters);
    assert_int_equal(counters.decoded, decoded);
    gw_analyzer_destroy(&analyzer);
    drop_clip(&clip);
}

static void an_event_at_the_end_of_the_media_is_closed_as_interrupted(void **state)
{
    struct clip clip = {"libx264", AV_PIX_FMT_YUV420P, 6, 3, 6, 0};
    const struct heard heard = analyze(&clip, GW_LEVEL_FULL);
    assert_int_equal(heard.closed, 1);
    assert_true(heard.event.interrupted);
    assert_int_equal(heard.event.state, GW_EVENT_CLOSED);
}

static void a_worker_that_starts_in_the_middle_of_motion_reports_within_a_second(void **state)
{
    struct clip clip = {"libx264", AV_PIX_FMT_YUV420P, 4, 0, 4, 0};
    struct heard heard;
    make_clip(&clip);
    struct gw_analyzer *analyzer = make_analyzer(&heard, GW_LEVEL_FULL);
    feed(analyzer, &clip, 0, FPS + 1);
    assert_int_equal(heard.opened, 1);
    gw_analyzer_destroy(&analyzer);
    drop_clip(&clip);
}

static void a_camera_that_is_lost_leaves_no_event_open(void **state)
{
    struct clip clip = {"libx264", AV_PIX_FMT_YUV420P, 6, 2, 6, 0};
    struct heard heard;
    make_clip(&clip);
    struct gw_analyzer *analyzer = make_analyzer(&heard, GW_LEVEL_FULL);
    feed(analyzer, &clip, 0, clip.count);
    gw_analyzer_idle(analyzer, EPOCH_US + 7 * GW_SECOND);
    assert_int_equal(heard.closed, 0);
    gw_analyzer_idle(analyzer, EPOCH_US + 12 * GW_SECOND);
    assert_int_equal(heard.closed, 1);
    gw_analyzer_destroy(&analyzer);
    drop_clip(&clip);
}

static void damaged_packets_are_counted_and_survived(void **state)
{
    struct clip clip = {"libx264", AV_PIX_FMT_YUV420P, 14, 6, 10, 0};
    struct gw_analyzer_counters counters;
    struct heard heard;
    uint32_t random = 7;
    make_clip(&clip);
    for (int i = 0; i < 2 * GOP; i++)
        for (int b = 8; b < clip.packets[i].av->size; b += 11) {
            random = random * 1664525 + 1013904223;
            clip.packets[i].av->data[b] = (uint8_t)(random >> 24);
        }
    struct gw_analyzer *analyzer = make_analyzer(&heard, GW_LEVEL_FULL);
    feed(analyzer, &clip, 0, clip.count);
    gw_analyzer_flush(analyzer);
    gw_analyzer_count(analyzer, &counters);
    assert_int_equal(counters.packets, 140);
    assert_true(heard.opened >= 1);
    assert_in_range(heard.event.end_us, EPOCH_US + 9 * GW_SECOND, EPOCH_US + 11 * GW_SECOND);
    gw_analyzer_destroy(&analyzer);
    drop_clip(&clip);
}

static void after_a_gap_decoding_goes_on_at_the_next_keyframe(void **state)
{
    struct clip clip = {"libx264", AV_PIX_FMT_YUV420P, 8, 8, 8, 0};
    struct gw_analyzer_counters counters;
    struct heard heard;
    make_clip(&clip);
    struct gw_analyzer *analyzer = make_analyzer(&heard, GW_LEVEL_FULL);
    feed(analyzer, &clip, 0, GOP);
    gw_analyzer_discontinuity(analyzer);
    feed(analyzer, &clip, GOP + 5, 3 * GOP);
    gw_analyzer_flush(analyzer);
    gw_analyzer_count(analyzer, &counters);
    assert_int_equal(counters.decoded, 2 * GOP);
    assert_int_equal(counters.decode_errors, 0);
    gw_analyzer_destroy(&analyzer);
    drop_clip(&clip);
}

static void another_stream_of_the_camera_keeps_the_event_open(void **state)
{
    struct clip first = {"libx264", AV_PIX_FMT_YUV420P, 6, 2, 6, 0};
    struct clip second = {"libx264", AV_PIX_FMT_YUV420P, 14, 0, 9, 0};
    struct heard heard;
    make_clip(&first);
    make_clip(&second);
    struct gw_analyzer *analyzer = make_analyzer(&heard, GW_LEVEL_FULL);
    feed(analyzer, &first, 0, first.count);
    feed(analyzer, &second, 3 * GOP, second.count);
    assert_int_equal(heard.opened, 1);
    assert_int_equal(heard.closed, 1);
    assert_int_equal(heard.start_changed, 0);
    gw_analyzer_destroy(&analyzer);
    drop_clip(&first);
    drop_clip(&second);
}

static void a_stream_that_no_decoder_takes_is_an_error_and_harmless(void **state)
{
    struct clip clip = {"libx264", AV_PIX_FMT_YUV420P, 2, 2, 2, 0};
    struct gw_analyzer_counters counters;
    struct heard heard;
    make_clip(&clip);
    clip.stream->parameters->codec_id = AV_CODEC_ID_NONE;
    struct gw_analyzer *analyzer = make_analyzer(&heard, GW_LEVEL_FULL);
    assert_true(gw_analyzer_feed(analyzer, &clip.packets[0]) < 0);
    gw_analyzer_flush(analyzer);
    gw_analyzer_count(analyzer, &counters);
    assert_int_equal(counters.decode_errors, 1);
    gw_analyzer_destroy(&analyzer);
    drop_clip(&clip);
}

static void levels_have_names(void **state)
{
    for (int level = GW_LEVEL_AUTO; level < GW_LEVEL_COUNT; level++)
        assert_int_equal(gw_level_from_name(gw_level_name((enum gw_level)level)), level);
    assert_int_equal(gw_level_from_name("half"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(somebody_who_walks_is_one_event),
        cmocka_unit_test(b_frames_do_not_disturb),
        cmocka_unit_test(b_frames_stamped_in_decoding_order_do_not_disturb),
        cmocka_unit_test(h265_with_ten_bits_is_analysed_too),
        cmocka_unit_test(keyframes_alone_find_a_longer_event),
        cmocka_unit_test(a_keyframe_is_looked_at_with_the_first_pictures_after_it),
        cmocka_unit_test(an_event_at_the_end_of_the_media_is_closed_as_interrupted),
        cmocka_unit_test(a_worker_that_starts_in_the_middle_of_motion_reports_within_a_second),
        cmocka_unit_test(a_camera_that_is_lost_leaves_no_event_open),
        cmocka_unit_test(damaged_packets_are_counted_and_survived),
        cmocka_unit_test(after_a_gap_decoding_goes_on_at_the_next_keyframe),
        cmocka_unit_test(another_stream_of_the_camera_keeps_the_event_open),
        cmocka_unit_test(a_stream_that_no_decoder_takes_is_an_error_and_harmless),
        cmocka_unit_test(levels_have_names),
    };
    av_log_set_level(AV_LOG_QUIET); // damage is on purpose
    return cmocka_run_group_tests(tests, NULL, NULL);
}
