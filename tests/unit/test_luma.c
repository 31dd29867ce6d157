// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <libavutil/error.h>

#include "analyze/luma.h"
#include "analyze/luma_pairs.h"

static struct gw_frame make_frame(enum AVPixelFormat format, int width, int height)
{
    AVFrame *av = av_frame_alloc();
    struct gw_frame frame = {0};
    av->format = format;
    av->width = width;
    av->height = height;
    assert_int_equal(av_frame_get_buffer(av, 0), 0);
    gw_frame_init(&frame, &av, 0);
    return frame;
}

static void fill(struct gw_frame *frame, int level)
{
    memset(frame->av->data[0], level, (size_t)frame->av->linesize[0] * (size_t)frame->av->height);
}

static void a_full_hd_picture_becomes_320_by_180_of_its_averages(void **state)
{
    struct gw_frame frame = make_frame(AV_PIX_FMT_YUV420P, 1920, 1080);
    struct gw_luma luma;
    gw_luma_init(&luma);
    fill(&frame, 100);
    for (int y = 6; y < 12; y++) // half of the small pixel (2, 1) is white
        memset(frame.av->data[0] + y * frame.av->linesize[0] + 12, 200, 3);
    assert_int_equal(gw_luma_reduce(&luma, &frame, 320), 1);
    assert_int_equal(luma.width, 320);
    assert_int_equal(luma.height, 180);
    assert_int_equal(luma.pixels[0], 100);
    assert_int_equal(luma.pixels[320 + 2], 150);
    assert_int_equal(luma.pixels[320 + 3], 100);
    assert_int_equal(gw_luma_reduce(&luma, &frame, 320), 0);
    gw_luma_finish(&luma);
    gw_frame_unref(&frame);
}

static void black_and_white_stay_what_they_are_at_any_size(void **state)
{
    static const int sizes[][2] = {{854, 480}, {352, 288}, {2560, 1920}, {7680, 4320}, {321, 3}};
    for (int i = 0; i < 5; i++) {
        struct gw_frame frame = make_frame(AV_PIX_FMT_YUV420P, sizes[i][0], sizes[i][1]);
        struct gw_luma luma;
        gw_luma_init(&luma);
        fill(&frame, 255);
        assert_int_equal(gw_luma_reduce(&luma, &frame, 320), 1);
        for (int p = 0; p < luma.width * luma.height; p++)
            assert_in_range(luma.pixels[p], 253, 255);
        fill(&frame, 0);
        gw_luma_reduce(&luma, &frame, 320);
        for (int p = 0; p < luma.width * luma.height; p++)
            assert_int_equal(luma.pixels[p], 0);
        gw_luma_finish(&luma);
        gw_frame_unref(&frame);
    }
}

static void a_size_that_320_does_not_divide_is_averaged_too(void **state)
{
    static const int sizes[][2] = {{352, 288}, {704, 576}, {1024, 768}, {1366, 768}, {321, 240}};
    for (int i = 0; i < 5; i++) {
        struct gw_frame frame = make_frame(AV_PIX_FMT_YUV420P, sizes[i][0], sizes[i][1]);
        struct gw_luma luma;
        int worst = 0;
        gw_luma_init(&luma);
        for (int y = 0; y < sizes[i][1]; y++)
            for (int x = 0; x < sizes[i][0]; x++)
                frame.av->data[0][y * frame.av->linesize[0] + x] = (uint8_t)(x * 131 + y * 57);
        assert_int_equal(gw_luma_reduce(&luma, &frame, 320), 1);
        for (int y = 0; y < luma.height; y++)
            for (int x = 0; x < luma.width; x++) {
                int sum = 0, count = 0;
                for (int v = y * sizes[i][1] / luma.height; v < (y + 1) * sizes[i][1] / luma.height;
                     v++)
                    for (int u = x * sizes[i][0] / luma.width;
                         u < (x + 1) * sizes[i][0] / luma.width; u++, count++)
                        sum += frame.av->data[0][v * frame.av->linesize[0] + u];
                const int off = abs(luma.pixels[y * luma.width + x] - sum / count);
                worst = off > worst ? off : worst;
            }
        assert_in_range(worst, 0, 1);
        gw_luma_finish(&luma);
        gw_frame_unref(&frame);
    }
}

static void a_small_picture_is_copied(void **state)
{
    struct gw_frame frame = make_frame(AV_PIX_FMT_YUVJ420P, 160, 120);
    struct gw_luma luma;
    gw_luma_init(&luma);
    for (int y = 0; y < 120; y++)
        for (int x = 0; x < 160; x++)
            frame.av->data[0][y * frame.av->linesize[0] + x] = (uint8_t)(x + y);
    assert_int_equal(gw_luma_reduce(&luma, &frame, 320), 1);
    assert_int_equal(luma.width, 160);
    for (int y = 0; y < 120; y++)
        for (int x = 0; x < 160; x++)
            assert_int_equal(luma.pixels[y * 160 + x], (uint8_t)(x + y));
    gw_luma_finish(&luma);
    gw_frame_unref(&frame);
}

static void ten_bits_become_eight(void **state)
{
    struct gw_frame frame = make_frame(AV_PIX_FMT_YUV420P10, 640, 360);
    struct gw_luma luma;
    gw_luma_init(&luma);
    for (int y = 0; y < 360; y++)
        for (int x = 0; x < 640; x++)
            ((uint16_t *)(void *)(frame.av->data[0] + y * frame.av->linesize[0]))[x] = 800;
    assert_int_equal(gw_luma_reduce(&luma, &frame, 320), 1);
    assert_int_equal(luma.pixels[320 * 100 + 7], 200);
    gw_luma_finish(&luma);
    gw_frame_unref(&frame);
}

static void a_picture_stored_upside_down_is_read_the_right_way(void **state)
{
    struct gw_frame frame = make_frame(AV_PIX_FMT_GRAY8, 64, 64);
    struct gw_luma luma;
    gw_luma_init(&luma);
    fill(&frame, 10);
    memset(frame.av->data[0], 90, 64); // first in memory, last in the picture
    frame.av->data[0] += 63 * frame.av->linesize[0];
    frame.av->linesize[0] = -frame.av->linesize[0];
    assert_int_equal(gw_luma_reduce(&luma, &frame, 320), 1);
    assert_int_equal(luma.pixels[0], 10);
    assert_int_equal(luma.pixels[63 * 64], 90);
    gw_luma_finish(&luma);
    gw_frame_unref(&frame);
}

static void vector_instructions_add_up_to_the_same(void **state)
{
    enum { STRIDE = 2000, ROWS = GW_LUMA_PAIR_ROWS };
    static uint8_t picture[STRIDE * ROWS];
    static uint16_t plain[STRIDE / 2 + 1], best[STRIDE / 2 + 1];
    uint32_t random = 1;

    for (size_t i = 0; i < sizeof(picture); i++) {
        random = random * 1664525 + 1013904223;
        picture[i] = i < STRIDE ? 255 : (uint8_t)(random >> 24);
    }
    for (int pairs = 1; pairs <= STRIDE / 2; pairs += pairs < 140 ? 1 : 43)
        for (int rows = 1; rows <= ROWS; rows += rows < 13 ? 1 : 23) {
            const bool upwards = (pairs + rows) % 2;
            const uint8_t *first =
                upwards ? picture + (size_t)STRIDE * (size_t)(rows - 1) : picture;
            best[pairs] = 12345;
            gw_luma_pairs_plain(plain, first, upwards ? -STRIDE : STRIDE, rows, pairs);
            gw_luma_pairs_best()(best, first, upwards ? -STRIDE : STRIDE, rows, pairs);
            assert_memory_equal(plain, best, (size_t)pairs * sizeof(*plain));
            assert_int_equal(best[pairs], 12345);
        }
}

static void a_picture_without_a_luma_plane_is_refused(void **state)
{
    static const enum AVPixelFormat formats[] = {
        AV_PIX_FMT_RGB24,     AV_PIX_FMT_GBRP,      AV_PIX_FMT_PAL8,    AV_PIX_FMT_MONOWHITE,
        AV_PIX_FMT_MONOBLACK, AV_PIX_FMT_GRAY16BE,  AV_PIX_FMT_GRAYF32, AV_PIX_FMT_YUYV422,
        AV_PIX_FMT_UYVY422,   AV_PIX_FMT_UYYVYY411, AV_PIX_FMT_XYZ12};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct gw_frame frame = make_frame(formats[i], 64, 64);
        struct gw_luma luma;
        gw_luma_init(&luma);
        assert_int_equal(gw_luma_reduce(&luma, &frame, 320), AVERROR_PATCHWELCOME);
        gw_luma_finish(&luma);
        gw_frame_unref(&frame);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_hd_picture_becomes_320_by_180_of_its_averages),
        cmocka_unit_test(black_and_white_stay_what_they_are_at_any_size),
        cmocka_unit_test(a_size_that_320_does_not_divide_is_averaged_too),
        cmocka_unit_test(a_small_picture_is_copied),
        cmocka_unit_test(ten_bits_become_eight),
        cmocka_unit_test(a_picture_stored_upside_down_is_read_the_right_way),
        cmocka_unit_test(vector_instructions_add_up_to_the_same),
        cmocka_unit_test(a_picture_without_a_luma_plane_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
