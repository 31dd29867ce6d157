// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <unistd.h>

#include "app/analysis.h"
#include "core/clock.h"

enum { GOP = 10 };
#define FRAME_US (GW_SECOND / 10)

struct fixture {
    struct gw_decode_pool *pool;
    struct gw_turns turns;
    struct gw_ring *ring;
    struct gw_stream *stream;
    struct gw_analysis *analysis;
    int pushed;
};

static void ignore_event(void *opaque, enum gw_event_phase phase, const struct gw_event *event,
                         const struct gw_snapshot *snapshot)
{
}

// Packets hold nothing that could be decoded: whether they are fed is the question.
static void make(struct fixture *f, enum gw_level level)
{
    AVCodecParameters *parameters = avcodec_parameters_alloc();
    struct gw_analysis_config config = {.analyzer = gw_analyzer_defaults};

    *f = (struct fixture){0};
    parameters->codec_type = AVMEDIA_TYPE_VIDEO;
    parameters->codec_id = AV_CODEC_ID_H264;
    assert_int_equal(gw_stream_create(&f->stream, parameters, 0), 0);
    avcodec_parameters_free(&parameters);
    assert_int_equal(gw_ring_create(&f->ring, &gw_ring_defaults), 0);
    assert_int_equal(gw_decode_pool_create(&f->pool, 1), 0);
    gw_turns_init(&f->turns, 1);
    config.analyzer.level = level;
    config.analyzer.event = ignore_event;
    config.pool = f->pool;
    config.turns = &f->turns;
    config.ring = f->ring;
    assert_int_equal(gw_analysis_create(&f->analysis, &config), 0);
}

static void drop(struct fixture *f)
{
    gw_analysis_destroy(&f->analysis);
    assert_int_equal(f->turns.taken, 0);
    gw_turns_finish(&f->turns);
    gw_decode_pool_destroy(&f->pool);
    gw_ring_destroy(&f->ring);
    gw_stream_unref(&f->stream);
}

// So many packets that arrived so long ago.
static void push(struct fixture *f, int count, int64_t age_us)
{
    for (; count > 0; count--, f->pushed++) {
        struct gw_packet packet = {0};
        AVPacket *av = av_packet_alloc();
        assert_int_equal(av_new_packet(av, 100), 0);
        av->pts = av->dts = f->pushed * FRAME_US;
        av->flags = f->pushed % GOP == 0 ? AV_PKT_FLAG_KEY : 0;
        gw_packet_init(&packet, &av, f->stream, gw_mono_us() - age_us);
        assert_int_equal(gw_ring_push(f->ring, &packet), 0);
    }
}

static struct gw_analysis_counters counted(struct fixture *f)
{
    struct gw_analysis_counters counters;
    gw_analysis_count(f->analysis, &counters);
    return counters;
}

// Until all that was pushed is analysed or skipped, 10 s at most.
static struct gw_analysis_counters run(struct fixture *f)
{
    struct gw_analysis_counters counters;
    gw_analysis_wake(f->analysis);
    for (int i = 0; i < 1000; i++) {
        counters = counted(f);
        if (counters.analyzer.packets + counters.dropped == (uint64_t)f->pushed)
            break;
        usleep(10000);
    }
    return counters;
}

static void who_lags_four_seconds_goes_on_at_the_newest_keyframe_and_all_it_left_is_counted(
    void **state)
{
    struct fixture f;
    make(&f, GW_LEVEL_GATE);
    push(&f, 2 * GOP, 5 * GW_SECOND);
    push(&f, GOP / 2, 0);
    const struct gw_analysis_counters counters = run(&f);
    assert_int_equal(counters.dropped, 2 * GOP);
    assert_int_equal(counters.analyzer.packets, GOP / 2);
    drop(&f);
}

static void who_lags_less_skips_nothing(void **state)
{
    struct fixture f;
    make(&f, GW_LEVEL_GATE);
    push(&f, 2 * GOP, 3 * GW_SECOND);
    push(&f, GOP / 2, 0);
    const struct gw_analysis_counters counters = run(&f);
    assert_int_equal(counters.dropped, 0);
    assert_int_equal(counters.analyzer.packets, 2 * GOP + GOP / 2);
    drop(&f);
}

static void what_the_ring_dropped_before_it_was_read_is_counted(void **state)
{
    struct fixture f;
    make(&f, GW_LEVEL_GATE);
    push(&f, 100 * GOP, 0); // 8 s at ten pictures a second are kept; arrival is now for all
    push(&f, 1, -100 * GW_SECOND);
    const struct gw_analysis_counters counters = run(&f);
    assert_int_equal(counters.analyzer.packets + counters.dropped, f.pushed);
    assert_true(counters.dropped >= 99 * GOP);
    drop(&f);
}

static void without_a_turn_a_camera_that_needs_all_pictures_waits_and_then_begins_with_the_newest(
    void **state)
{
    struct fixture f;
    struct gw_turn other = {0};
    make(&f, GW_LEVEL_AUTO);
    f.turns.limit = 1;
    assert_true(gw_turns_ask(&f.turns, &other, gw_mono_us()));
    push(&f, 2 * GOP + GOP / 2, 0);
    gw_analysis_wake(f.analysis);
    while (f.turns.refused_us < 0) // it was refused
        usleep(1000);
    assert_int_equal(counted(&f).analyzer.packets, 0);
    gw_turns_end(&f.turns, &other, false, gw_mono_us());
    const struct gw_analysis_counters counters = run(&f);
    assert_int_equal(counters.dropped, 2 * GOP);
    assert_int_equal(counters.analyzer.packets, GOP / 2);
    drop(&f);
}

static void a_level_that_was_chosen_by_people_needs_no_turn(void **state)
{
    struct fixture f;
    make(&f, GW_LEVEL_FULL);
    f.turns.limit = 0;
    push(&f, GOP, 0);
    assert_int_equal(run(&f).analyzer.packets, GOP);
    drop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            who_lags_four_seconds_goes_on_at_the_newest_keyframe_and_all_it_left_is_counted),
        cmocka_unit_test(who_lags_less_skips_nothing),
        cmocka_unit_test(what_the_ring_dropped_before_it_was_read_is_counted),
        cmocka_unit_test(
            without_a_turn_a_camera_that_needs_all_pictures_waits_and_then_begins_with_the_newest),
        cmocka_unit_test(a_level_that_was_chosen_by_people_needs_no_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
