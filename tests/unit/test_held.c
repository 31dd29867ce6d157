// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What is held is decoded at most once for whoever looks, and let go once. Run under a leak
// checker, every test also says that each handle was let go.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <string.h>

#include <libavcodec/avcodec.h>

#include "analyze/held.h"
#include "core/clock.h"

// Three GOPs of six pictures, 100 ms apart.
enum { SIZE = 64, GOP = 6, PACKETS = 3 * GOP };
#define STEP_US (GW_SECOND / 10)

static struct gw_stream *stream;
static struct gw_packet packets[PACKETS];

static void receive(AVCodecContext *encoder, int *count)
{
    for (;;) {
        AVPacket *av = av_packet_alloc();
        if (avcodec_receive_packet(encoder, av) < 0) {
            av_packet_free(&av);
            return;
        }
        av->pts = av->dts = *count * STEP_US;
        gw_packet_init(&packets[(*count)++], &av, stream, 0);
    }
}

static int make_packets(void **state)
{
    AVCodecContext *encoder = avcodec_alloc_context3(avcodec_find_encoder(AV_CODEC_ID_MPEG4));
    AVCodecParameters *parameters = avcodec_parameters_alloc();
    int count = 0;

    encoder->width = encoder->height = SIZE;
    encoder->pix_fmt = AV_PIX_FMT_YUV420P;
    encoder->time_base = (AVRational){1, 10};
    encoder->gop_size = GOP;
    encoder->thread_count = 1;
    assert_int_equal(avcodec_open2(encoder, encoder->codec, NULL), 0);
    avcodec_parameters_from_context(parameters, encoder);
    assert_int_equal(gw_stream_create(&stream, parameters, 0), 0);
    for (int n = 0; n < PACKETS; n++) {
        AVFrame *frame = av_frame_alloc();
        frame->width = frame->height = SIZE;
        frame->format = AV_PIX_FMT_YUV420P;
        frame->pts = n;
        assert_int_equal(av_frame_get_buffer(frame, 0), 0);
        for (int plane = 0; plane < 3; plane++)
            memset(frame->data[plane], 100,
                   (size_t)(frame->linesize[plane] * (plane > 0 ? SIZE / 2 : SIZE)));
        assert_int_equal(avcodec_send_frame(encoder, frame), 0);
        av_frame_free(&frame);
        receive(encoder, &count);
    }
    avcodec_send_frame(encoder, NULL);
    receive(encoder, &count);
    assert_int_equal(count, PACKETS);
    for (int n = 0; n < PACKETS; n++)
        assert_int_equal(gw_packet_is_key(&packets[n]), n % GOP == 0);
    avcodec_parameters_free(&parameters);
    avcodec_free_context(&encoder);
    return 0;
}

static int drop_packets(void **state)
{
    for (int n = 0; n < PACKETS; n++)
        gw_packet_unref(&packets[n]);
    gw_stream_unref(&stream);
    return 0;
}

// --- who looks -----------------------------------------------------------------------------------

struct seen {
    struct gw_held held;
    int pictures[2 * PACKETS], picture_count; // their numbers
    int let_go[2 * PACKETS], let_go_count;
    int decoded; // of those let go
    int peeked;
};

static void handle_picture(void *opaque, const struct gw_frame *frame)
{
    struct seen *seen = opaque;

    seen->pictures[seen->picture_count++] = (int)(frame->wall_us / STEP_US);
}

static void handle_let_go(void *opaque, const struct gw_gop_packet *packet)
{
    struct seen *seen = opaque;

    seen->let_go[seen->let_go_count++] = (int)(packet->packet.av->pts / STEP_US);
    seen->decoded += packet->decoded;
}

static void handle_peek(void *opaque, const struct gw_frame *frame)
{
    struct seen *seen = opaque;

    seen->peeked++;
}

static void begin(struct seen *seen)
{
    const struct gw_held_config config = {
        .opaque = seen, .picture = handle_picture, .let_go = handle_let_go};

    memset(seen, 0, sizeof(*seen));
    assert_int_equal(gw_held_init(&seen->held, &config), 0);
}

// Holds the packets from first on; the first is a keyframe that ends the GOP before.
static void hold(struct seen *seen, int first, int count)
{
    for (int n = first; n < first + count; n++) {
        if (n % GOP == 0)
            gw_held_end_gop(&seen->held, false);
        struct gw_gop_packet *entry = gw_held_push(&seen->held, &packets[n]);
        assert_non_null(entry);
        entry->reference = true;
    }
}

// The numbers are first, first + 1, ...
static void assert_row(const int *numbers, int count, int first)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(numbers[i], first + i);
}

// --- facts ---------------------------------------------------------------------------------------

static void what_is_never_decoded_is_let_go_a_gop_later(void **state)
{
    struct seen seen;

    begin(&seen);
    hold(&seen, 0, 2 * GOP);
    assert_int_equal(seen.let_go_count, 0);
    hold(&seen, 2 * GOP, GOP);
    assert_int_equal(seen.let_go_count, GOP);
    gw_held_forget(&seen.held);
    assert_int_equal(seen.let_go_count, PACKETS);
    assert_row(seen.let_go, PACKETS, 0);
    assert_int_equal(seen.decoded, 0);
    assert_int_equal(seen.picture_count, 0);
    gw_held_finish(&seen.held);
}

static void what_came_before_is_decoded_before_what_comes_in(void **state)
{
    struct seen seen;

    begin(&seen);
    hold(&seen, 0, GOP + 3);
    assert_int_equal(gw_held_decode_before(&seen.held, GW_NO_TIME), 0);
    assert_int_equal(seen.picture_count, GOP);
    assert_int_equal(seen.let_go_count, GOP);
    assert_int_equal(gw_held_decode(&seen.held, false, GW_NO_TIME), 0);
    gw_held_drain(&seen.held);
    assert_int_equal(seen.picture_count, GOP + 3);
    assert_row(seen.pictures, GOP + 3, 0);
    gw_held_finish(&seen.held);
}

static void what_is_decoded_as_it_comes_is_done_with_at_the_keyframe(void **state)
{
    struct seen seen;

    begin(&seen);
    for (int n = 0; n < GOP; n++) {
        hold(&seen, n, 1);
        gw_held_decode(&seen.held, false, GW_NO_TIME);
    }
    hold(&seen, GOP, 1);
    assert_int_equal(seen.let_go_count, GOP);
    assert_int_equal(seen.decoded, GOP);
    gw_held_finish(&seen.held);
}

static void a_gop_of_which_the_end_was_left_out_can_be_decoded_later(void **state)
{
    struct seen seen;

    begin(&seen);
    hold(&seen, 0, 2);
    gw_held_decode(&seen.held, false, GW_NO_TIME);
    hold(&seen, 2, GOP - 2);
    hold(&seen, GOP, 1);
    assert_int_equal(seen.let_go_count, 0);
    // The first two were looked at already.
    gw_held_decode_before(&seen.held, seen.pictures[seen.picture_count - 1] * STEP_US);
    assert_int_equal(seen.picture_count, GOP);
    assert_row(seen.pictures, GOP, 0);
    gw_held_finish(&seen.held);
}

static void a_peek_hands_out_nothing_to_look_at(void **state)
{
    struct seen seen;

    begin(&seen);
    hold(&seen, 0, 3);
    gw_held_peek(&seen.held, handle_peek, &seen);
    assert_in_range(seen.peeked, 1, 3);
    assert_int_equal(seen.picture_count, 0);
    gw_held_decode(&seen.held, false, GW_NO_TIME); // all of it was fed
    assert_int_equal(seen.picture_count, 0);
    // What comes next is decoded from the keyframe on.
    hold(&seen, 3, 1);
    gw_held_decode(&seen.held, false, GW_NO_TIME);
    gw_held_drain(&seen.held);
    assert_int_equal(seen.picture_count, 4);
    assert_row(seen.pictures, 4, 0);
    gw_held_finish(&seen.held);
}

static void what_came_before_is_let_go_before_what_is_done_with(void **state)
{
    struct seen seen;

    begin(&seen);
    hold(&seen, 0, GOP);
    hold(&seen, GOP, 1);
    seen.held.now.fed = 1; // as after a peek that got its picture at once
    gw_held_drop_done(&seen.held);
    assert_int_equal(seen.let_go_count, GOP + 1);
    assert_row(seen.let_go, GOP + 1, 0);
    gw_held_finish(&seen.held);
}

static void what_is_still_wanted_grows_by_the_gop_that_ends(void **state)
{
    struct seen seen;

    begin(&seen);
    hold(&seen, 0, 2 * GOP);
    gw_held_end_gop(&seen.held, true);
    assert_int_equal(seen.let_go_count, 0);
    assert_int_equal(seen.held.before.count, 2 * GOP);
    gw_held_decode_before(&seen.held, GW_NO_TIME);
    assert_int_equal(seen.picture_count, 2 * GOP);
    assert_row(seen.pictures, 2 * GOP, 0);
    gw_held_finish(&seen.held);
}

static void what_others_do_not_need_can_be_left_out(void **state)
{
    struct seen seen;

    begin(&seen);
    hold(&seen, 0, GOP);
    seen.held.now.packets[GOP - 1].reference = false;
    gw_held_decode(&seen.held, true, GW_NO_TIME);
    gw_held_drain(&seen.held);
    assert_int_equal(seen.picture_count, GOP - 1);
    gw_held_forget(&seen.held);
    assert_int_equal(seen.decoded, GOP - 1);
    gw_held_finish(&seen.held);
}

static void it_is_full_at_two_and_a_half_megabytes(void **state)
{
    struct seen seen;
    struct gw_packet large;
    AVPacket *av = av_packet_alloc();

    begin(&seen);
    assert_int_equal(av_new_packet(av, 1 << 20), 0);
    av->pts = av->dts = 0;
    gw_packet_init(&large, &av, stream, 0);
    gw_held_push(&seen.held, &large);
    gw_held_push(&seen.held, &large);
    gw_held_end_gop(&seen.held, false);
    assert_false(gw_held_is_full(&seen.held));
    gw_held_push(&seen.held, &large);
    assert_true(gw_held_is_full(&seen.held));
    assert_false(gw_held_now_is_full(&seen.held));
    gw_held_push(&seen.held, &large);
    gw_held_push(&seen.held, &large);
    assert_true(gw_held_now_is_full(&seen.held));
    gw_held_finish(&seen.held);
    gw_packet_unref(&large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_never_decoded_is_let_go_a_gop_later),
        cmocka_unit_test(what_came_before_is_decoded_before_what_comes_in),
        cmocka_unit_test(what_is_decoded_as_it_comes_is_done_with_at_the_keyframe),
        cmocka_unit_test(a_gop_of_which_the_end_was_left_out_can_be_decoded_later),
        cmocka_unit_test(a_peek_hands_out_nothing_to_look_at),
        cmocka_unit_test(what_came_before_is_let_go_before_what_is_done_with),
        cmocka_unit_test(what_is_still_wanted_grows_by_the_gop_that_ends),
        cmocka_unit_test(what_others_do_not_need_can_be_left_out),
        cmocka_unit_test(it_is_full_at_two_and_a_half_megabytes),
    };
    return cmocka_run_group_tests(tests, make_packets, drop_packets);
}
