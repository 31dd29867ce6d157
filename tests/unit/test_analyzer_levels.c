// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The levels that leave packets undecoded find what decoding everything finds; and what is held
// meanwhile is let go.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>

#include "analyze/analyzer.h"
#include "core/clock.h"
#include "tests/unit/scene.h"

enum { WIDTH = 320, HEIGHT = 192, FPS = 15, GOP = FPS, MAX_PACKETS = 1200 };
// Quiet, then somebody who walks for so long, then quiet.
enum { SECONDS = 64, WALK_FROM = 44, WALK_TO = 51 };
// So long it takes to know quiet with so few pictures a second; until then everything is decoded.
enum { LEARNT = 20 };
#define EPOCH_US   (INT64_C(1777863721) * GW_SECOND)
#define HELD_BYTES (5 << 19)

struct clip {
    int seconds, walk_from, walk_to, b_frames;
    int keys_until; // second after which no more keyframes come; 0: they never cease
    int noise;      // levels
    int gop;        // pictures; 0: GOP
    const char *params;
    struct gw_stream *stream;
    struct gw_packet packets[MAX_PACKETS];
    int count;
};

// The two that most tests share, and what decoding everything finds in them.
static struct clip plain = {.seconds = SECONDS, .walk_from = WALK_FROM, .walk_to = WALK_TO};
static struct clip with_b = {
    .seconds = SECONDS, .walk_from = WALK_FROM, .walk_to = WALK_TO, .b_frames = 2};

// --- clips ---------------------------------------------------------------------------------------

static AVCodecContext *open_encoder(const struct clip *clip)
{
    AVCodecContext *encoder = avcodec_alloc_context3(avcodec_find_encoder_by_name("libx264"));
    encoder->width = WIDTH;
    encoder->height = HEIGHT;
    encoder->pix_fmt = AV_PIX_FMT_YUV420P;
    encoder->time_base = (AVRational){1, 1000000};
    encoder->framerate = (AVRational){FPS, 1};
    encoder->gop_size = MAX_PACKETS; // keyframes are asked for
    encoder->max_b_frames = clip->b_frames;
    encoder->thread_count = 1;
    encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_opt_set(encoder->priv_data, "preset", "superfast", 0);
    av_opt_set(encoder->priv_data, "forced-idr", "1", 0);
    av_opt_set(encoder->priv_data, "x264-params",
               clip->params ? clip->params : "scenecut=0:b-adapt=0:rc-lookahead=2", 0);
    assert_int_equal(avcodec_open2(encoder, encoder->codec, NULL), 0);
    return encoder;
}

static void draw(const struct clip *clip, struct scene *scene, AVFrame *frame, int n)
{
    const int walked = n - clip->walk_from * FPS;

    scene_wall(scene, 0, 0);
    if (n >= clip->walk_from * FPS && n < clip->walk_to * FPS)
        scene_thing(scene, walked * 3 % WIDTH, 80, 16, 40, (uint8_t)(30 + walked / 4 % 2 * 8));
    scene_noise(scene, clip->noise > 0 ? clip->noise : 2);
    for (int y = 0; y < HEIGHT; y++)
        memcpy(frame->data[0] + y * frame->linesize[0], scene->pixels + y * WIDTH, WIDTH);
    for (int plane = 1; plane < 3; plane++)
        memset(frame->data[plane], 128, (size_t)(frame->linesize[plane] * HEIGHT / 2));
    const int gop = clip->gop > 0 ? clip->gop : GOP;
    const bool key =
        n == 0 || (n % gop == 0 && (clip->keys_until == 0 || n < clip->keys_until * FPS));
    frame->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
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
        frame->format = AV_PIX_FMT_YUV420P;
        assert_int_equal(av_frame_get_buffer(frame, 0), 0);
        draw(clip, &scene, frame, n);
        frame->pts = EPOCH_US + n * GW_SECOND / FPS;
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
    clip->count = 0;
}

// Levels that hold packets: the one that may decide anything, and the one that always does.
static const enum gw_level thrifty[] = {GW_LEVEL_AUTO, GW_LEVEL_KEYFRAMES};

// Bytes of packets that somebody else has a handle on.
static size_t held_bytes(const struct clip *clip)
{
    size_t bytes = 0;

    for (int i = 0; i < clip->count; i++)
        if (av_buffer_get_ref_count(clip->packets[i].av->buf) > 1)
            bytes += (size_t)clip->packets[i].av->size;
    return bytes;
}

// --- running the analyzer ------------------------------------------------------------------------

struct heard {
    int opened, closed;
    struct gw_event event; // the last one
    struct gw_packet_trace traces[MAX_PACKETS];
    int trace_count, decoded;
    struct gw_analyzer_counters counters;
};

static void hear(void *opaque, enum gw_event_phase phase, const struct gw_event *event,
                 const struct gw_snapshot *snapshot)
{
    struct heard *heard = opaque;

    heard->opened += phase == GW_EVENT_PHASE_OPENED;
    heard->closed += phase == GW_EVENT_PHASE_CLOSED;
    heard->event = *event;
}

static void hear_packet(void *opaque, const struct gw_packet_trace *trace)
{
    struct heard *heard = opaque;

    assert_true(heard->trace_count < MAX_PACKETS);
    heard->traces[heard->trace_count++] = *trace;
    heard->decoded += trace->decoded;
}

static struct gw_analyzer *make_analyzer(struct heard *heard, enum gw_level level)
{
    struct gw_analyzer_config config = gw_analyzer_defaults;
    struct gw_analyzer *analyzer = NULL;

    memset(heard, 0, sizeof(*heard));
    strcpy(config.camera, "gate-07");
    config.level = level;
    config.opaque = heard;
    config.event = hear;
    config.packet_trace = hear_packet;
    assert_int_equal(gw_analyzer_create(&analyzer, &config), 0);
    return analyzer;
}

static void feed(struct gw_analyzer *analyzer, const struct clip *clip, int from, int to)
{
    for (int i = from; i < to && i < clip->count; i++)
        assert_int_equal(gw_analyzer_feed(analyzer, &clip->packets[i]), 0);
}

static void analyze(struct heard *heard, const struct clip *clip, enum gw_level level)
{
    struct gw_analyzer *analyzer = make_analyzer(heard, level);

    feed(analyzer, clip, 0, clip->count);
    gw_analyzer_flush(analyzer);
    gw_analyzer_count(analyzer, &heard->counters);
    gw_analyzer_destroy(&analyzer);
}

// Each packet was told once, in order of decoding, from and to as fed.
static void assert_told(const struct heard *heard, int first, const struct clip *clip, int from,
                        int to)
{
    for (int i = from; i < to; i++) {
        const struct gw_packet_trace *trace = &heard->traces[first + i - from];
        assert_int_equal(trace->wall_us, clip->packets[i].av->pts);
        assert_int_equal(trace->bytes, clip->packets[i].av->size);
        assert_int_not_equal(trace->level, GW_LEVEL_AUTO);
    }
}

static int64_t distance(int64_t a_us, int64_t b_us)
{
    return a_us > b_us ? a_us - b_us : b_us - a_us;
}

static struct heard plain_full, with_b_full;

static int make_clips(void **state)
{
    make_clip(&plain);
    make_clip(&with_b);
    analyze(&plain_full, &plain, GW_LEVEL_FULL);
    analyze(&with_b_full, &with_b, GW_LEVEL_FULL);
    return 0;
}

static int drop_clips(void **state)
{
    drop_clip(&plain);
    drop_clip(&with_b);
    return 0;
}

// --- what is found -------------------------------------------------------------------------------

static void assert_found_as_by_full(const struct clip *clip, enum gw_level level)
{
    const struct heard *full = clip == &plain ? &plain_full : &with_b_full;
    static struct heard heard;
    int decoded = 0;

    analyze(&heard, clip, level);
    assert_int_equal(full->opened, 1);
    assert_int_equal(full->decoded, clip->count);
    assert_int_equal(heard.opened, 1);
    assert_int_equal(heard.closed, 1);
    assert_true(distance(heard.event.start_us, full->event.start_us) <= GW_SECOND * 3 / 10);
    assert_true(distance(heard.event.end_us, full->event.end_us) <= GW_SECOND * 6 / 10);
    for (int i = LEARNT * FPS; i < clip->count; i++)
        decoded += heard.traces[i].decoded;
    // The walk, the five seconds after it and the first audits, which come quickly, are half of it.
    assert_true(decoded * 5 < (clip->count - LEARNT * FPS) * 3);
    // B-frames wait inside the decoder, and some are lost where it is put elsewhere.
    if (clip->b_frames == 0)
        assert_true((uint64_t)heard.decoded <= heard.counters.decoded);
    assert_int_equal(heard.counters.decode_errors, 0);
}

static void level_auto_finds_the_walker(void **state)
{
    assert_found_as_by_full(&plain, GW_LEVEL_AUTO);
}

static void level_gate_finds_the_walker(void **state)
{
    assert_found_as_by_full(&plain, GW_LEVEL_GATE);
}

static void level_keyframes_finds_the_walker(void **state)
{
    assert_found_as_by_full(&plain, GW_LEVEL_KEYFRAMES);
}

static void with_b_frames_the_walker_is_found_too(void **state)
{
    assert_found_as_by_full(&with_b, GW_LEVEL_AUTO);
    assert_found_as_by_full(&with_b, GW_LEVEL_GATE);
    assert_found_as_by_full(&with_b, GW_LEVEL_KEYFRAMES);
}

static int decoded_between(const struct heard *heard, int from_s, int to_s)
{
    int decoded = 0;

    for (int i = from_s * FPS; i < to_s * FPS; i++)
        decoded += heard->traces[i].decoded;
    return decoded;
}

static void somebody_who_comes_soon_after_the_beginning_is_found(void **state)
{
    static const int from_s[] = {2, 6, 10, 14};
    static struct heard full, heard;

    for (int i = 0; i < 4; i++) {
        struct clip clip = {
            .seconds = 24, .walk_from = from_s[i], .walk_to = from_s[i] + 3, .b_frames = i % 2};
        make_clip(&clip);
        analyze(&full, &clip, GW_LEVEL_FULL);
        analyze(&heard, &clip, GW_LEVEL_AUTO);
        assert_int_equal(full.opened, 1);
        assert_int_equal(heard.opened, 1);
        assert_true(distance(heard.event.start_us, full.event.start_us) <= GW_SECOND * 3 / 10);
        assert_true(distance(heard.event.end_us, full.event.end_us) <= GW_SECOND * 6 / 10);
        drop_clip(&clip);
    }
}

// What an audit would have found is seen in its first second as well as in the rest of the GOP.
static void an_audit_decodes_half_of_a_quiet_gop(void **state)
{
    static struct clip clip = {.seconds = 72, .walk_from = 72, .walk_to = 72, .gop = 4 * FPS};
    static struct heard heard;
    int halves = 0;

    make_clip(&clip);
    analyze(&heard, &clip, GW_LEVEL_AUTO);
    for (int s = 24; s < 72; s += 4) {
        const int decoded = decoded_between(&heard, s, s + 4);
        assert_true(decoded <= 2 * FPS + 1);
        halves += decoded >= 2 * FPS;
    }
    assert_true(halves >= 1);
    assert_int_equal(heard.trace_count, clip.count);
    drop_clip(&clip);
}

static void level_auto_begins_with_everything_and_leaves_it(void **state)
{
    static struct heard heard;

    analyze(&heard, &plain, GW_LEVEL_AUTO);
    assert_int_equal(heard.traces[0].level, GW_LEVEL_FULL);
    for (int i = 0; i < 3 * FPS; i++)
        assert_true(heard.traces[i].decoded);
    // Then keyframes do, while the gate learns; and then the gate.
    assert_int_equal(heard.traces[6 * FPS].level, GW_LEVEL_KEYFRAMES);
    assert_int_equal(heard.traces[40 * FPS].level, GW_LEVEL_GATE);
    assert_true(decoded_between(&heard, 0, WALK_FROM - 2) < (WALK_FROM - 2) * FPS / 3);
    assert_true(heard.counters.audits >= 2);
    assert_true(heard.counters.cases[heard.counters.level].good);
}

static void the_same_packets_give_the_same_events_and_the_same_decisions(void **state)
{
    static struct heard first, second;

    analyze(&first, &with_b, GW_LEVEL_AUTO);
    analyze(&second, &with_b, GW_LEVEL_AUTO);
    assert_int_equal(first.opened, second.opened);
    assert_int_equal(first.event.start_us, second.event.start_us);
    assert_int_equal(first.event.end_us, second.event.end_us);
    assert_int_equal(first.event.confirmed_us, second.event.confirmed_us);
    assert_int_equal(first.trace_count, second.trace_count);
    for (int i = 0; i < first.trace_count; i++) {
        const struct gw_packet_trace *a = &first.traces[i], *b = &second.traces[i];
        assert_int_equal(a->decoded, b->decoded);
        assert_int_equal(a->level, b->level);
        assert_memory_equal(&a->signal, &b->signal, sizeof(a->signal));
        assert_memory_equal(&a->limit, &b->limit, sizeof(a->limit));
    }
}

// --- what is told --------------------------------------------------------------------------------

static void every_packet_is_told_once_in_order_of_decoding(void **state)
{
    static struct heard heard;

    for (int level = GW_LEVEL_AUTO; level <= GW_LEVEL_FULL; level++) {
        analyze(&heard, &with_b, (enum gw_level)level);
        assert_int_equal(heard.trace_count, with_b.count);
        assert_told(&heard, 0, &with_b, 0, with_b.count);
        for (int i = 0; i < heard.trace_count; i++)
            assert_in_range(heard.traces[i].qp, 0, 51);
        assert_int_equal(heard.counters.packets, with_b.count);
    }
}

// --- what is held --------------------------------------------------------------------------------

static void after_a_flush_nothing_is_held(void **state)
{
    static struct heard heard;

    for (int i = 0; i < 2; i++)
        for (int s = 5; s < SECONDS; s += 21) {
            struct gw_analyzer *analyzer = make_analyzer(&heard, thrifty[i]);
            feed(analyzer, &with_b, 0, s * FPS + 7);
            gw_analyzer_flush(analyzer);
            assert_int_equal(held_bytes(&with_b), 0);
            assert_int_equal(heard.trace_count, s * FPS + 7);
            assert_int_equal(heard.opened, heard.closed);
            gw_analyzer_destroy(&analyzer);
        }
}

static void an_analyzer_that_is_destroyed_lets_go_of_what_it_held(void **state)
{
    static struct heard heard;
    struct gw_analyzer *analyzer = make_analyzer(&heard, GW_LEVEL_KEYFRAMES);

    feed(analyzer, &plain, 0, 10 * FPS + 7);
    assert_true(held_bytes(&plain) > 0);
    gw_analyzer_destroy(&analyzer);
    assert_int_equal(held_bytes(&plain), 0);
}

static void a_discontinuity_lets_go_of_what_was_held(void **state)
{
    static struct heard heard;
    const int cut = 10 * FPS + 7, resumed = 12 * FPS + 4, end = 20 * FPS;

    for (int i = 0; i < 2; i++) {
        struct gw_analyzer *analyzer = make_analyzer(&heard, thrifty[i]);
        feed(analyzer, &plain, 0, cut);
        gw_analyzer_discontinuity(analyzer);
        assert_int_equal(held_bytes(&plain), 0);
        assert_int_equal(heard.trace_count, cut);
        // In the middle of a GOP: nothing is of use until the next keyframe.
        feed(analyzer, &plain, resumed, end);
        gw_analyzer_flush(analyzer);
        gw_analyzer_count(analyzer, &heard.counters);
        assert_told(&heard, 0, &plain, 0, cut);
        assert_told(&heard, cut, &plain, 13 * FPS, end);
        assert_int_equal(heard.trace_count, cut + end - 13 * FPS);
        assert_int_equal(heard.counters.decode_errors, 0);
        gw_analyzer_destroy(&analyzer);
    }
}

static void a_discontinuity_within_an_event_leaves_it_whole(void **state)
{
    static struct heard heard;
    const int cut = (WALK_FROM + 3) * FPS + 7;

    for (int i = 0; i < 2; i++) {
        struct gw_analyzer *analyzer = make_analyzer(&heard, thrifty[i]);
        feed(analyzer, &plain, 0, cut);
        gw_analyzer_discontinuity(analyzer);
        assert_int_equal(held_bytes(&plain), 0);
        feed(analyzer, &plain, cut + 3, plain.count);
        gw_analyzer_flush(analyzer);
        gw_analyzer_count(analyzer, &heard.counters);
        assert_int_equal(heard.opened, 1);
        assert_int_equal(heard.closed, 1);
        assert_in_range(heard.event.end_us, EPOCH_US + (WALK_TO - 1) * GW_SECOND,
                        EPOCH_US + (WALK_TO + 1) * GW_SECOND);
        assert_int_equal(heard.counters.decode_errors, 0);
        gw_analyzer_destroy(&analyzer);
    }
}

// The camera is set to another encoding in the middle of a GOP that is held; its first packet is a
// keyframe.
static void another_stream_in_the_middle_of_a_held_gop_is_decoded_by_its_own(void **state)
{
    static struct heard heard;
    const int cut = 38 * FPS + 7, begin = 40 * FPS;

    for (int i = 0; i < 2; i++) {
        struct gw_analyzer *analyzer = make_analyzer(&heard, thrifty[i]);
        feed(analyzer, &plain, 0, cut);
        feed(analyzer, &with_b, begin, with_b.count);
        gw_analyzer_flush(analyzer);
        gw_analyzer_count(analyzer, &heard.counters);
        assert_int_equal(held_bytes(&plain), 0);
        assert_int_equal(held_bytes(&with_b), 0);
        assert_int_equal(heard.trace_count, cut + with_b.count - begin);
        assert_told(&heard, 0, &plain, 0, cut);
        assert_told(&heard, cut, &with_b, begin, with_b.count);
        assert_int_equal(heard.opened, 1);
        assert_int_equal(heard.counters.decode_errors, 0);
        gw_analyzer_destroy(&analyzer);
    }
}

// The same while somebody walks: what was held of the first stream belongs to the event.
static void another_stream_within_an_event_keeps_it_open(void **state)
{
    static struct heard heard;
    const int cut = (WALK_FROM + 3) * FPS + 7, begin = (WALK_FROM + 4) * FPS;

    for (int i = 0; i < 2; i++) {
        struct gw_analyzer *analyzer = make_analyzer(&heard, thrifty[i]);
        feed(analyzer, &plain, 0, cut);
        feed(analyzer, &with_b, begin, with_b.count);
        gw_analyzer_flush(analyzer);
        gw_analyzer_count(analyzer, &heard.counters);
        assert_int_equal(heard.trace_count, cut + with_b.count - begin);
        assert_int_equal(heard.opened, 1);
        assert_int_equal(heard.closed, 1);
        assert_in_range(heard.event.end_us, EPOCH_US + (WALK_TO - 1) * GW_SECOND,
                        EPOCH_US + (WALK_TO + 1) * GW_SECOND);
        assert_int_equal(heard.counters.decode_errors, 0);
        assert_int_equal(held_bytes(&plain) + held_bytes(&with_b), 0);
        gw_analyzer_destroy(&analyzer);
    }
}

// A new stream whose first keyframe was lost. None of its packets can be decoded before the next
// one, and none may be taken for a part of the old stream's GOP.
static void another_stream_without_its_keyframe_waits_for_one(void **state)
{
    static struct heard heard;
    const int cut = 20 * FPS + 7, begin = 21 * FPS + 4;

    for (int i = 0; i < 2; i++) {
        struct gw_analyzer *analyzer = make_analyzer(&heard, thrifty[i]);
        feed(analyzer, &plain, 0, cut);
        feed(analyzer, &with_b, begin, with_b.count);
        gw_analyzer_flush(analyzer);
        gw_analyzer_count(analyzer, &heard.counters);
        for (int n = 0; n < heard.trace_count; n++) {
            const int64_t since_us = heard.traces[n].wall_us - with_b.packets[begin].av->pts;
            assert_false(heard.traces[n].decoded && since_us >= 0 &&
                         heard.traces[n].wall_us < EPOCH_US + 22 * GW_SECOND);
        }
        assert_int_equal(heard.counters.decode_errors, 0);
        assert_int_equal(heard.opened, 1);
        assert_int_equal(held_bytes(&plain) + held_bytes(&with_b), 0);
        gw_analyzer_destroy(&analyzer);
    }
}

// Noise at a fine quantiser: about 60 kB a picture, so that a GOP does not fit into what is held.
static void a_gop_longer_than_what_is_held_is_decoded(void **state)
{
    static struct clip clip = {.seconds = 8,
                               .walk_from = 8,
                               .walk_to = 8,
                               .keys_until = 1,
                               .noise = 30,
                               .params = "scenecut=0:qp=6:rc-lookahead=2"};
    static struct heard heard;
    size_t largest = 0, bytes = 0;

    make_clip(&clip);
    for (int i = 0; i < clip.count; i++)
        bytes += (size_t)clip.packets[i].av->size;
    assert_true(bytes > 2 * HELD_BYTES);
    struct gw_analyzer *analyzer = make_analyzer(&heard, GW_LEVEL_KEYFRAMES);
    for (int i = 0; i < clip.count; i++) {
        feed(analyzer, &clip, i, i + 1);
        const size_t now = held_bytes(&clip);
        largest = now > largest ? now : largest;
    }
    gw_analyzer_flush(analyzer);
    assert_int_equal(heard.decoded, clip.count);
    assert_int_equal(heard.trace_count, clip.count);
    assert_true(largest > HELD_BYTES / 2);
    assert_true(largest <= HELD_BYTES + 3 * bytes / (size_t)clip.count);
    gw_analyzer_destroy(&analyzer);
    drop_clip(&clip);
}

static void a_stream_without_a_second_keyframe_is_analysed_to_its_end(void **state)
{
    static struct clip clip = {.seconds = 30, .walk_from = 18, .walk_to = 24, .keys_until = 1};
    static const enum gw_level levels[] = {GW_LEVEL_AUTO, GW_LEVEL_GATE, GW_LEVEL_FULL};
    static struct heard heard;

    make_clip(&clip);
    for (int i = 0; i < 3; i++) {
        analyze(&heard, &clip, levels[i]);
        assert_int_equal(heard.opened, 1);
        assert_int_equal(heard.closed, 1);
        assert_in_range(heard.event.start_us, EPOCH_US + 18 * GW_SECOND,
                        EPOCH_US + 18 * GW_SECOND + GW_SECOND / 2);
        assert_int_equal(heard.decoded, clip.count);
    }
    analyze(&heard, &clip, GW_LEVEL_KEYFRAMES);
    assert_int_equal(heard.trace_count, clip.count);
    assert_int_equal(held_bytes(&clip), 0);
    drop_clip(&clip);
}

static void keyframes_that_cease_do_not_hide_an_event(void **state)
{
    static struct clip clip = {.seconds = 60, .walk_from = 44, .walk_to = 51, .keys_until = 35};
    static const enum gw_level levels[] = {GW_LEVEL_AUTO, GW_LEVEL_GATE};
    static struct heard heard;

    make_clip(&clip);
    for (int i = 0; i < 2; i++) {
        analyze(&heard, &clip, levels[i]);
        assert_int_equal(heard.opened, 1);
        assert_in_range(heard.event.start_us, EPOCH_US + 44 * GW_SECOND - GW_SECOND / 2,
                        EPOCH_US + 44 * GW_SECOND + GW_SECOND / 2);
        assert_in_range(heard.event.end_us, EPOCH_US + 50 * GW_SECOND, EPOCH_US + 52 * GW_SECOND);
        assert_told(&heard, 0, &clip, 0, clip.count);
    }
    drop_clip(&clip);
}

static void the_rest_of_a_long_gop_is_left_out_while_somebody_walks(void **state)
{
    // Too early for the gate to know quiet: it would watch the walker alone.
    static struct clip clip = {.seconds = 72, .walk_from = 6, .walk_to = 60, .gop = 8 * FPS};
    static struct heard full, heard;

    make_clip(&clip);
    analyze(&full, &clip, GW_LEVEL_FULL);
    analyze(&heard, &clip, GW_LEVEL_AUTO);
    assert_int_equal(heard.opened, 1);
    assert_true(distance(heard.event.start_us, full.event.start_us) <= GW_SECOND * 3 / 10);
    assert_true(distance(heard.event.end_us, full.event.end_us) <= GW_SECOND * 6 / 10);
    // 3.5 of 8 s, and once all of it when a keyframe does not show the walker.
    assert_in_range(decoded_between(&heard, 24, 56), 32 * FPS * 3 / 10, 32 * FPS * 7 / 10);
    assert_int_equal(heard.trace_count, clip.count);
    drop_clip(&clip);
}

static void what_became_quiet_is_watched_by_the_level_again(void **state)
{
    static struct heard heard;

    analyze(&heard, &plain, GW_LEVEL_AUTO);
    assert_int_not_equal(heard.traces[(WALK_TO + 2) * FPS].level, GW_LEVEL_FULL);
    assert_true(decoded_between(&heard, WALK_TO + 2, WALK_TO + 5) <= FPS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(level_auto_finds_the_walker),
        cmocka_unit_test(level_gate_finds_the_walker),
        cmocka_unit_test(level_keyframes_finds_the_walker),
        cmocka_unit_test(with_b_frames_the_walker_is_found_too),
        cmocka_unit_test(somebody_who_comes_soon_after_the_beginning_is_found),
        cmocka_unit_test(an_audit_decodes_half_of_a_quiet_gop),
        cmocka_unit_test(level_auto_begins_with_everything_and_leaves_it),
        cmocka_unit_test(the_same_packets_give_the_same_events_and_the_same_decisions),
        cmocka_unit_test(every_packet_is_told_once_in_order_of_decoding),
        cmocka_unit_test(after_a_flush_nothing_is_held),
        cmocka_unit_test(an_analyzer_that_is_destroyed_lets_go_of_what_it_held),
        cmocka_unit_test(a_discontinuity_lets_go_of_what_was_held),
        cmocka_unit_test(a_discontinuity_within_an_event_leaves_it_whole),
        cmocka_unit_test(another_stream_in_the_middle_of_a_held_gop_is_decoded_by_its_own),
        cmocka_unit_test(another_stream_within_an_event_keeps_it_open),
        cmocka_unit_test(another_stream_without_its_keyframe_waits_for_one),
        cmocka_unit_test(a_gop_longer_than_what_is_held_is_decoded),
        cmocka_unit_test(a_stream_without_a_second_keyframe_is_analysed_to_its_end),
        cmocka_unit_test(keyframes_that_cease_do_not_hide_an_event),
        cmocka_unit_test(the_rest_of_a_long_gop_is_left_out_while_somebody_walks),
        cmocka_unit_test(what_became_quiet_is_watched_by_the_level_again),
    };
    av_log_set_level(AV_LOG_QUIET); // packets without their keyframe are on purpose
    return cmocka_run_group_tests(tests, make_clips, drop_clips);
}
