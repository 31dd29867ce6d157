// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "analyze/jpeg.h"
#include "analyze/snapshot.h"
#include "core/clock.h"

// A grey picture of one level; chroma neutral.
static struct gw_frame make_frame(enum AVPixelFormat format, int width, int height, int level,
                                  int64_t wall_us)
{
    AVFrame *av = av_frame_alloc();
    struct gw_frame frame = {0};
    const int shift = format == AV_PIX_FMT_YUV420P10 ? 2 : 0;
    av->format = format;
    av->width = width;
    av->height = height;
    assert_int_equal(av_frame_get_buffer(av, 0), 0);
    for (int plane = 0; plane < 3 && av->buf[plane]; plane++)
        for (size_t i = 0; i < (size_t)av->buf[plane]->size >> (shift ? 1 : 0); i++) {
            const int value = (plane ? 128 : level) << shift;
            if (shift)
                ((uint16_t *)(void *)av->buf[plane]->data)[i] = (uint16_t)value;
            else
                av->buf[plane]->data[i] = (uint8_t)value;
        }
    gw_frame_init(&frame, &av, wall_us);
    return frame;
}

struct decoded {
    int width, height;
    uint8_t *grey; // or three bytes of each pixel
};

static struct decoded decode_as(const struct gw_jpeg *jpeg, J_COLOR_SPACE space)
{
    struct decoded decoded = {0};
    struct jpeg_error_mgr errors; // the default: says what is wrong and exits
    struct jpeg_decompress_struct decoder = {.err = jpeg_std_error(&errors)};
    jpeg_create_decompress(&decoder);
    jpeg_mem_src(&decoder, jpeg->bytes, jpeg->size);
    jpeg_read_header(&decoder, TRUE);
    decoder.out_color_space = space;
    jpeg_start_decompress(&decoder);
    decoded.width = (int)decoder.output_width;
    decoded.height = (int)decoder.output_height;
    const size_t row_size = (size_t)decoder.output_width * (size_t)decoder.output_components;
    decoded.grey = malloc(row_size * decoder.output_height);
    while (decoder.output_scanline < decoder.output_height) {
        JSAMPROW row = decoded.grey + decoder.output_scanline * row_size;
        jpeg_read_scanlines(&decoder, &row, 1);
    }
    jpeg_finish_decompress(&decoder);
    jpeg_destroy_decompress(&decoder);
    return decoded;
}

static struct decoded decode(const struct gw_jpeg *jpeg)
{
    return decode_as(jpeg, JCS_GRAYSCALE);
}

static void assert_jpeg(enum AVPixelFormat format, int level, int expected_level)
{
    struct gw_frame frame = make_frame(format, 642, 361, level, 0);
    struct gw_jpeg jpeg = {0};
    assert_int_equal(gw_jpeg_make(&jpeg, &frame, NULL, INT_MAX, 85), 0);
    struct decoded picture = decode(&jpeg);
    assert_int_equal(picture.width, 642);
    assert_int_equal(picture.height, 361);
    assert_true(abs(picture.grey[100 * 642 + 100] - expected_level) <= 2);
    assert_true(abs(picture.grey[360 * 642 + 641] - expected_level) <= 2);
    free(picture.grey);
    gw_jpeg_free(&jpeg);
    gw_frame_unref(&frame);
}

static void every_pixel_format_of_a_camera_becomes_a_jpeg(void **state)
{
    assert_jpeg(AV_PIX_FMT_YUVJ420P, 180, 180);
    assert_jpeg(AV_PIX_FMT_YUVJ422P, 180, 180);
    assert_jpeg(AV_PIX_FMT_YUV420P, 126, 128);
    assert_jpeg(AV_PIX_FMT_YUV422P, 126, 128);
    assert_jpeg(AV_PIX_FMT_YUV444P, 126, 128);
    assert_jpeg(AV_PIX_FMT_YUV420P10, 126, 128);
    assert_jpeg(AV_PIX_FMT_GRAY8, 126, 128);
}

static void limited_range_becomes_full_range(void **state)
{
    assert_jpeg(AV_PIX_FMT_YUV420P, 235, 255);
    assert_jpeg(AV_PIX_FMT_YUV420P, 16, 0);
}

static void colours_are_kept_and_brought_to_full_range(void **state)
{
    const enum AVPixelFormat formats[] = {AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV422P,
                                          AV_PIX_FMT_YUV444P};
    for (int i = 0; i < 6; i++) {
        struct gw_frame frame = make_frame(formats[i % 3], 1281, 723, 126, 0);
        struct gw_jpeg jpeg = {0};
        const size_t rows = i % 3 ? 723 : 362;
        memset(frame.av->data[1], 100, rows * (size_t)frame.av->linesize[1]);
        memset(frame.av->data[2], 180, rows * (size_t)frame.av->linesize[2]);
        const int max_width = i < 3 ? INT_MAX : 320;
        assert_int_equal(gw_jpeg_make(&jpeg, &frame, NULL, max_width, 90), 0);
        struct decoded picture = decode_as(&jpeg, JCS_YCbCr);
        const size_t last = (size_t)picture.width * (size_t)picture.height - 1;
        for (size_t at = 0; at <= last; at += last) {
            assert_in_range(picture.grey[3 * at], 126, 130);
            assert_in_range(picture.grey[3 * at + 1], 94, 98);   // 128 - 28 * 127 / 112
            assert_in_range(picture.grey[3 * at + 2], 185, 189); // 128 + 52 * 127 / 112
        }
        free(picture.grey);
        gw_jpeg_free(&jpeg);
        gw_frame_unref(&frame);
    }
}

static void a_thumbnail_keeps_the_shape(void **state)
{
    struct gw_frame frame = make_frame(AV_PIX_FMT_YUV420P, 1920, 1080, 126, 0);
    struct gw_jpeg jpeg = {0};
    assert_int_equal(gw_jpeg_make(&jpeg, &frame, NULL, 320, 75), 0);
    struct decoded picture = decode(&jpeg);
    assert_int_equal(picture.width, 320);
    assert_int_equal(picture.height, 180);
    free(picture.grey);
    gw_jpeg_free(&jpeg);
    gw_frame_unref(&frame);
}

static void what_is_masked_is_black_in_the_picture(void **state)
{
    const struct gw_zones zones = {.mask_count = 1, .masks = {{4, {0, 0.5, 0.5, 0}, {0, 0, 1, 1}}}};
    struct gw_frame frame = make_frame(AV_PIX_FMT_YUVJ420P, 64, 64, 200, 0);
    struct gw_jpeg jpeg = {0};
    assert_int_equal(gw_jpeg_make(&jpeg, &frame, &zones, INT_MAX, 95), 0);
    struct decoded picture = decode(&jpeg);
    assert_in_range(picture.grey[32 * 64 + 8], 0, 4);
    assert_in_range(picture.grey[32 * 64 + 56], 196, 204);
    assert_int_equal(frame.av->data[0][0], 200); // the decoder's own picture is not touched
    free(picture.grey);
    gw_jpeg_free(&jpeg);
    gw_frame_unref(&frame);
}

static void a_mask_is_painted_where_it_is_looked_away_from(void **state)
{
    const struct gw_zones zones = {
        .mask_count = 2,
        .masks = {{6, {0, 1, 1, 0.5, 0.5, 0}, {0, 0, 0.25, 0.25, 0.9, 0.9}},
                  {3, {0.7, 1, 0.9}, {0.5, 0.6, 1}}}};
    struct gw_frame frame = make_frame(AV_PIX_FMT_YUVJ420P, 161, 121, 200, 0);
    struct gw_jpeg jpeg = {0};
    int wrong = 0;
    assert_int_equal(gw_jpeg_make(&jpeg, &frame, &zones, INT_MAX, 100), 0);
    struct decoded picture = decode(&jpeg);
    for (int y = 0; y < 121; y++)
        for (int x = 0; x < 161; x++)
            wrong += gw_zones_masked(&zones, (x + 0.5) / 161, (y + 0.5) / 121)
                         ? picture.grey[y * 161 + x] > 30
                         : picture.grey[y * 161 + x] < 170;
    assert_true(wrong < 200); // the pixels on the polygons' edges
    free(picture.grey);
    gw_jpeg_free(&jpeg);
    gw_frame_unref(&frame);
}

static const struct gw_box small = {0.4, 0.4, 0.1, 0.1}, large = {0.3, 0.3, 0.3, 0.4},
                           cut = {0.7, 0.3, 0.3, 0.4};

static void large_and_sharp_and_whole_is_better(void **state)
{
    assert_true(gw_snapshot_quality(&large, 5) > gw_snapshot_quality(&small, 5));
    assert_true(gw_snapshot_quality(&large, 8) > gw_snapshot_quality(&large, 5));
    assert_true(gw_snapshot_quality(&large, 5) > gw_snapshot_quality(&cut, 5));
}

static void the_best_picture_is_taken_once(void **state)
{
    struct gw_snapshot_taker taker;
    struct gw_frame a = make_frame(AV_PIX_FMT_YUVJ420P, 640, 360, 50, 1 * GW_SECOND);
    struct gw_frame b = make_frame(AV_PIX_FMT_YUVJ420P, 640, 360, 150, 2 * GW_SECOND);
    struct gw_box box = {0};
    int64_t wall_us = 0;
    gw_snapshot_taker_init(&taker);
    assert_int_equal(gw_snapshot_taker_take(&taker, NULL, &box, &wall_us), 0);

    gw_snapshot_taker_offer(&taker, &a, &small, 1.0);
    gw_snapshot_taker_offer(&taker, &b, &large, 2.0);
    gw_snapshot_taker_offer(&taker, &a, &small, 2.1); // better, but not clearly
    assert_int_equal(gw_snapshot_taker_take(&taker, NULL, &box, &wall_us), 1);
    assert_int_equal(wall_us, 2 * GW_SECOND);
    assert_memory_equal(&box, &large, sizeof(box));
    struct decoded picture = decode(&taker.picture), thumbnail = decode(&taker.thumbnail);
    assert_in_range(picture.grey[0], 148, 152);
    assert_int_equal(thumbnail.width, 320);
    free(picture.grey);
    free(thumbnail.grey);

    assert_int_equal(gw_snapshot_taker_take(&taker, NULL, &box, &wall_us), 0);
    gw_snapshot_taker_offer(&taker, &a, &small, 1.0);
    assert_int_equal(gw_snapshot_taker_take(&taker, NULL, &box, &wall_us), 0);
    gw_snapshot_taker_forget(&taker);
    gw_snapshot_taker_offer(&taker, &a, &small, 1.0);
    assert_int_equal(gw_snapshot_taker_take(&taker, NULL, &box, &wall_us), 1);
    gw_snapshot_taker_finish(&taker);
    gw_frame_unref(&a);
    gw_frame_unref(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pixel_format_of_a_camera_becomes_a_jpeg),
        cmocka_unit_test(limited_range_becomes_full_range),
        cmocka_unit_test(colours_are_kept_and_brought_to_full_range),
        cmocka_unit_test(a_thumbnail_keeps_the_shape),
        cmocka_unit_test(what_is_masked_is_black_in_the_picture),
        cmocka_unit_test(a_mask_is_painted_where_it_is_looked_away_from),
        cmocka_unit_test(large_and_sharp_and_whole_is_better),
        cmocka_unit_test(the_best_picture_is_taken_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
