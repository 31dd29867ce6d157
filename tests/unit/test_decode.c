// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A decoder that rested hands out what one would that never did.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include "analyze/decode.h"
#include "core/clock.h"
#include "tests/unit/coded_pictures.h"

// libx265 2.x keeps some of its own for ever.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libx265";
}

enum { FPS = 25, GOP = 50, PICTURES = 4 * GOP };

struct seen {
    int64_t wall_us[PICTURES];
    uint64_t sums[PICTURES]; // of the luma
    int count;
};

static void handle_frame(void *opaque, const struct gw_frame *frame)
{
    struct seen *seen = opaque;
    uint64_t sum = 0;

    for (int y = 0; y < frame->av->height; y++)
        for (int x = 0; x < frame->av->width; x++)
            sum = sum * 31 + frame->av->data[0][y * frame->av->linesize[0] + x];
    seen->wall_us[seen->count] = frame->wall_us;
    seen->sums[seen->count++] = sum;
}

static struct gw_decoder *make_decoder(struct seen *seen)
{
    const struct gw_decoder_config config = {.opaque = seen, .frame = handle_frame};
    struct gw_decoder *decoder;

    *seen = (struct seen){0};
    assert_int_equal(gw_decoder_create(&decoder, &config), 0);
    return decoder;
}

static struct coded_pictures *make_pictures(const char *encoder, int b_frames)
{
    struct coded_pictures *pictures =
        coded_pictures_make(&(struct coded_pictures_config){.encoder = encoder,
                                                            .pictures = PICTURES,
                                                            .fps = FPS,
                                                            .gop = GOP,
                                                            .b_frames = b_frames,
                                                            .start_us = 1000 * GW_SECOND});
    assert_non_null(pictures);
    assert_int_equal(pictures->count, PICTURES);
    return pictures;
}

static int64_t time_of(const struct coded_pictures *pictures, int number)
{
    return pictures->packets[number].av->dts;
}

// Decodes the first GOP's packets, and the last GOP's; between them it rests, or not.
static void decode_with_a_pause(struct seen *seen, const struct coded_pictures *pictures, bool rest)
{
    struct gw_decoder *decoder = make_decoder(seen);

    for (int n = 0; n < GOP; n++)
        assert_int_equal(gw_decoder_feed(decoder, &pictures->packets[n]), 0);
    gw_decoder_reset(decoder);
    if (rest) {
        gw_decoder_rest(decoder, time_of(pictures, 3 * GOP));
        assert_false(gw_decoder_rests(decoder, time_of(pictures, 3 * GOP))); // there is none
    }
    for (int n = 3 * GOP; n < PICTURES; n++)
        assert_int_equal(gw_decoder_feed(decoder, &pictures->packets[n]), 0);
    gw_decoder_drain(decoder);
    gw_decoder_destroy(&decoder);
}

static void after_a_rest_the_same_pictures_come_at_the_same_times(void **state)
{
    static const struct {
        const char *encoder;
        int b_frames;
    } cases[] = {{"libx264", 0}, {"libx264", 2}, {"libx265", 0}, {"libx265", 3}};
    static struct seen rested, awake;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct coded_pictures *pictures = make_pictures(cases[i].encoder, cases[i].b_frames);
        decode_with_a_pause(&rested, pictures, true);
        decode_with_a_pause(&awake, pictures, false);
        assert_true(awake.count >= 2 * GOP - 2 * cases[i].b_frames);
        assert_int_equal(rested.count, awake.count);
        assert_memory_equal(rested.wall_us, awake.wall_us, sizeof(awake.wall_us));
        assert_memory_equal(rested.sums, awake.sums, sizeof(awake.sums));
        coded_pictures_free(pictures);
    }
}

static void a_decoder_in_the_middle_of_a_gop_is_kept(void **state)
{
    static struct seen seen;
    struct coded_pictures *pictures = make_pictures("libx264", 0);
    struct gw_decoder *decoder = make_decoder(&seen);

    for (int n = 0; n < GOP / 2; n++)
        gw_decoder_feed(decoder, &pictures->packets[n]);
    gw_decoder_rest(decoder, time_of(pictures, PICTURES - 1));
    assert_true(gw_decoder_rests(decoder, time_of(pictures, PICTURES - 1)));
    for (int n = GOP / 2; n < GOP; n++)
        gw_decoder_feed(decoder, &pictures->packets[n]);
    gw_decoder_drain(decoder);
    assert_int_equal(seen.count, GOP);
    gw_decoder_destroy(&decoder);
    coded_pictures_free(pictures);
}

static void a_decoder_that_was_used_within_a_second_is_kept(void **state)
{
    static struct seen seen;
    struct coded_pictures *pictures = make_pictures("libx264", 0);
    struct gw_decoder *decoder = make_decoder(&seen);

    assert_false(gw_decoder_rests(decoder, INT64_MAX)); // before the first packet there is none
    gw_decoder_feed(decoder, &pictures->packets[0]);
    gw_decoder_reset(decoder);
    gw_decoder_rest(decoder, time_of(pictures, FPS - 1));
    assert_true(gw_decoder_rests(decoder, time_of(pictures, FPS)));
    gw_decoder_rest(decoder, time_of(pictures, FPS));
    assert_false(gw_decoder_rests(decoder, time_of(pictures, FPS)));
    gw_decoder_destroy(&decoder);
    coded_pictures_free(pictures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_a_rest_the_same_pictures_come_at_the_same_times),
        cmocka_unit_test(a_decoder_in_the_middle_of_a_gop_is_kept),
        cmocka_unit_test(a_decoder_that_was_used_within_a_second_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
