// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Handles on the packets of a group of pictures. Run under a leak checker, every test also says
// that each handle was let go.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libavcodec/avcodec.h>

#include "analyze/gop.h"

static struct gw_stream *make_stream(void)
{
    AVCodecParameters *parameters = avcodec_parameters_alloc();
    struct gw_stream *stream = NULL;

    parameters->codec_type = AVMEDIA_TYPE_VIDEO;
    parameters->codec_id = AV_CODEC_ID_H264;
    assert_int_equal(gw_stream_create(&stream, parameters, 0), 0);
    avcodec_parameters_free(&parameters);
    return stream;
}

// Pushes count packets of 10, 11, 12 ... bytes, stamped with their number from first on.
static void push(struct gw_gop *gop, struct gw_stream *stream, int first, int count)
{
    for (int i = first; i < first + count; i++) {
        struct gw_packet packet;
        AVPacket *av = av_packet_alloc();
        assert_int_equal(av_new_packet(av, 10 + i), 0);
        av->pts = av->dts = i;
        gw_packet_init(&packet, &av, stream, 0);
        assert_non_null(gw_gop_push(gop, &packet));
        gw_packet_unref(&packet);
    }
}

static void a_new_entry_is_blank_and_shares_the_bytes(void **state)
{
    struct gw_stream *stream = make_stream();
    struct gw_gop gop = {0};
    struct gw_packet packet;
    AVPacket *av = av_packet_alloc();

    assert_int_equal(av_new_packet(av, 1000), 0);
    gw_packet_init(&packet, &av, stream, 0);
    const struct gw_gop_packet *entry = gw_gop_push(&gop, &packet);
    assert_non_null(entry);
    assert_ptr_equal(entry->packet.av->data, packet.av->data);
    assert_false(entry->decoded);
    assert_int_equal(gop.count, 1);
    assert_int_equal(gop.fed, 0);
    assert_int_equal(gop.bytes, 1000);
    gw_packet_unref(&packet);
    assert_int_equal(gop.packets[0].packet.av->size, 1000);
    gw_gop_finish(&gop);
    gw_stream_unref(&stream);
}

static void more_packets_than_it_was_made_for_keep_their_order(void **state)
{
    struct gw_stream *stream = make_stream();
    struct gw_gop gop = {0};
    size_t bytes = 0;

    push(&gop, stream, 0, 1000);
    assert_int_equal(gop.count, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(gop.packets[i].packet.av->pts, i);
        bytes += (size_t)(10 + i);
    }
    assert_int_equal(gop.bytes, bytes);
    gw_gop_finish(&gop);
    gw_stream_unref(&stream);
}

static void appending_moves_packets_behind_the_others(void **state)
{
    struct gw_stream *stream = make_stream();
    struct gw_gop first = {0}, second = {0};

    push(&first, stream, 0, 60);
    push(&second, stream, 60, 100);
    first.fed = 3;
    second.fed = 7;
    const size_t bytes = first.bytes + second.bytes;
    assert_int_equal(gw_gop_append(&first, &second), 0);
    assert_int_equal(first.count, 160);
    assert_int_equal(first.bytes, bytes);
    assert_int_equal(first.fed, 3);
    for (int i = 0; i < 160; i++)
        assert_int_equal(first.packets[i].packet.av->pts, i);
    assert_int_equal(second.count, 0);
    assert_int_equal(second.fed, 0);
    assert_int_equal(second.bytes, 0);
    gw_gop_finish(&first);
    gw_gop_finish(&second);
    gw_stream_unref(&stream);
}

static void appending_nothing_changes_nothing(void **state)
{
    struct gw_stream *stream = make_stream();
    struct gw_gop gop = {0}, empty = {0};

    push(&gop, stream, 0, 5);
    assert_int_equal(gw_gop_append(&gop, &empty), 0);
    assert_int_equal(gop.count, 5);
    gw_gop_finish(&gop);
    gw_gop_finish(&empty);
    gw_stream_unref(&stream);
}

static void cleared_it_can_be_filled_again(void **state)
{
    struct gw_stream *stream = make_stream();
    struct gw_gop gop = {0};

    push(&gop, stream, 0, 70);
    gop.fed = 50;
    const int capacity = gop.capacity;
    gw_gop_clear(&gop);
    assert_int_equal(gop.count, 0);
    assert_int_equal(gop.fed, 0);
    assert_int_equal(gop.bytes, 0);
    assert_int_equal(gop.capacity, capacity);
    push(&gop, stream, 5, 1);
    assert_int_equal(gop.packets[0].packet.av->pts, 5);
    gw_gop_finish(&gop);
    assert_null(gop.packets);
    assert_int_equal(gop.capacity, 0);
    gw_gop_finish(&gop);
    gw_stream_unref(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_entry_is_blank_and_shares_the_bytes),
        cmocka_unit_test(more_packets_than_it_was_made_for_keep_their_order),
        cmocka_unit_test(appending_moves_packets_behind_the_others),
        cmocka_unit_test(appending_nothing_changes_nothing),
        cmocka_unit_test(cleared_it_can_be_filled_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
