// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <string.h>

#include "app/overlay_canvas.h"
#include "app/overlay_draw.h"
#include "app/overlay_font.h"

enum { WIDTH = 64, HEIGHT = 48, BLANK = 200 };

static int make_canvas(void **state)
{
    AVFrame *canvas = av_frame_alloc();
    canvas->format = AV_PIX_FMT_YUV420P;
    canvas->width = WIDTH;
    canvas->height = HEIGHT;
    if (av_frame_get_buffer(canvas, 0) < 0)
        return -1;
    for (int plane = 0; plane < 3; plane++)
        memset(canvas->data[plane], BLANK,
               (size_t)canvas->linesize[plane] * (size_t)(plane ? HEIGHT / 2 : HEIGHT));
    *state = canvas;
    return 0;
}

static int free_canvas(void **state)
{
    av_frame_free((AVFrame **)state);
    return 0;
}

static int luma(const AVFrame *canvas, int x, int y)
{
    return canvas->data[0][y * canvas->linesize[0] + x];
}

static int chroma(const AVFrame *canvas, int x, int y)
{
    return canvas->data[1][y / 2 * canvas->linesize[1] + x / 2];
}

static int count_drawn(const AVFrame *canvas)
{
    int count = 0;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            count += luma(canvas, x, y) != BLANK;
    return count;
}

static void a_filled_area_is_as_large_as_asked(void **state)
{
    AVFrame *canvas = *state;
    gw_canvas_fill(canvas, (struct gw_rect){3, 5, 7, 2}, GW_INK_BLACK);
    assert_int_equal(count_drawn(canvas), 14);
    assert_int_equal(luma(canvas, 3, 5), 16);
    assert_int_equal(luma(canvas, 9, 6), 16);
    assert_int_equal(luma(canvas, 10, 6), BLANK);
    assert_int_equal(chroma(canvas, 3, 5), 128);
    assert_int_equal(chroma(canvas, 9, 6), 128);
}

static void what_lies_outside_is_not_drawn(void **state)
{
    AVFrame *canvas = *state;
    gw_canvas_fill(canvas, (struct gw_rect){-10, 10, 10, 10}, GW_INK_RED);
    gw_canvas_fill(canvas, (struct gw_rect){WIDTH, 10, 10, 10}, GW_INK_RED);
    gw_canvas_fill(canvas, (struct gw_rect){10, HEIGHT, 10, 10}, GW_INK_RED);
    gw_canvas_text(canvas, 10, HEIGHT + 4, 2, GW_INK_WHITE, "below");
    assert_int_equal(count_drawn(canvas), 0);
    gw_canvas_fill(canvas, (struct gw_rect){-5, -5, 1000, 1000}, GW_INK_RED);
    gw_canvas_line(canvas, -20, -20, 200, 90, 3, GW_INK_GREEN);
    assert_int_equal(count_drawn(canvas), WIDTH * HEIGHT);
}

static void a_frame_is_drawn_inside_its_area(void **state)
{
    AVFrame *canvas = *state;
    gw_canvas_frame(canvas, (struct gw_rect){10, 10, 20, 12}, 2, GW_INK_GREEN);
    assert_int_equal(count_drawn(canvas), 20 * 12 - 16 * 8);
    assert_int_equal(luma(canvas, 12, 12), BLANK);
    assert_int_not_equal(luma(canvas, 29, 21), BLANK);
    assert_int_equal(luma(canvas, 30, 21), BLANK);
}

// A corner of a pixel is enough: a person's outline must not show along a mask's edge.
static void a_mask_hides_every_pixel_that_it_touches(void **state)
{
    AVFrame *canvas = *state;
    const struct gw_polygon mask = {4, {0.1, 0.72, 0.95, 0.3}, {0.2, 0.05, 0.6, 0.98}};
    const struct gw_rect area = {0, 0, WIDTH, HEIGHT};
    gw_canvas_fill_polygon(canvas, area, &mask, GW_INK_BLACK);
    for (int y = 0; y < HEIGHT * 8; y++)
        for (int x = 0; x < WIDTH * 8; x++)
            if (gw_polygon_contains(&mask, (x + 0.5) / (WIDTH * 8), (y + 0.5) / (HEIGHT * 8))) {
                assert_int_equal(luma(canvas, x / 8, y / 8), 16);
                assert_int_equal(chroma(canvas, x / 8, y / 8), 128);
            }
    assert_int_equal(luma(canvas, 2, 2), BLANK);
    assert_int_equal(luma(canvas, WIDTH - 2, HEIGHT - 2), BLANK);
}

static void every_letter_has_its_own_shape(void **state)
{
    for (int a = ' '; a <= '~'; a++)
        for (int b = a + 1; b <= '~' + 1; b++) {
            int differing = 0;
            for (int y = 0; y < GW_FONT_HEIGHT; y++)
                for (int x = 0; x < GW_FONT_WIDTH; x++)
                    differing += gw_font_inked((char)a, x, y) != gw_font_inked((char)b, x, y);
            assert_true(differing > 0);
        }
    assert_true(gw_font_has("gate 2 ~ Tor/Nord"));
    assert_false(gw_font_has("\xe5\xa4\xa7\xe9\x97\xa8"));
    assert_false(gw_font_has("a\tb"));
}

static void letters_are_as_large_as_their_ground(void **state)
{
    AVFrame *canvas = *state;
    const struct gw_rect rect = gw_canvas_text_rect(4, 6, 2, "gL");
    gw_canvas_text(canvas, 4, 6, 2, GW_INK_WHITE, "gL");
    assert_int_equal(count_drawn(canvas), rect.w * rect.h);
    // The upright of the L.
    assert_int_equal(luma(canvas, 4 + 2 + 6 * 2, 6 + 2), 235);
    assert_int_equal(luma(canvas, 4 + 2 + 6 * 2 + 2, 6 + 2), 16);
}

static void a_layout_has_even_sizes_and_holds_the_picture(void **state)
{
    static const int sizes[][2] = {{1, 1},     {160, 120},   {321, 181},   {639, 361},  {641, 481},
                                   {704, 576}, {1080, 1921}, {1920, 1080}, {3840, 2160}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const struct gw_overlay_layout layout = gw_overlay_lay_out(sizes[i][0], sizes[i][1]);
        assert_int_equal(layout.width % 2, 0);
        assert_int_equal(layout.height % 2, 0);
        assert_int_equal(layout.picture.w % sizes[i][0], 0);
        assert_int_equal(layout.picture.w / sizes[i][0], layout.picture.h / sizes[i][1]);
        assert_true(layout.picture.w <= layout.width && layout.width - layout.picture.w <= 1);
        assert_true(layout.strip.y >= layout.picture.h && layout.strip.y - layout.picture.h <= 1);
        assert_int_equal(layout.strip.y + layout.strip.h, layout.height);
    }
    assert_int_equal(gw_overlay_lay_out(1920, 1080).picture.w, 1920);
    assert_int_equal(gw_overlay_lay_out(160, 120).picture.w, 640);
}

static void a_zone_whose_name_cannot_be_drawn_has_a_number(void **state)
{
    const struct gw_zones zones = {.zone_count = 2,
                                   .zones = {{.name = "gate"}, {.name = "\xe9\x97\xa8"}}};
    char label[GW_ZONE_LABEL_SIZE];
    assert_true(gw_overlay_zone_label(&zones, 0, label));
    assert_string_equal(label, "gate");
    assert_false(gw_overlay_zone_label(&zones, 1, label));
    assert_string_equal(label, "#2");
}

#define drawing(test) cmocka_unit_test_setup_teardown(test, make_canvas, free_canvas)

int main(void)
{
    const struct CMUnitTest tests[] = {
        drawing(a_filled_area_is_as_large_as_asked),
        drawing(what_lies_outside_is_not_drawn),
        drawing(a_frame_is_drawn_inside_its_area),
        drawing(a_mask_hides_every_pixel_that_it_touches),
        cmocka_unit_test(every_letter_has_its_own_shape),
        drawing(letters_are_as_large_as_their_ground),
        cmocka_unit_test(a_layout_has_even_sizes_and_holds_the_picture),
        cmocka_unit_test(a_zone_whose_name_cannot_be_drawn_has_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
