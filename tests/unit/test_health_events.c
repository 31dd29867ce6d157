// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <libavutil/frame.h>

#include "analyze/health_events.h"
#include "core/clock.h"
#include "tests/unit/scene.h"

enum { WIDTH = 320, HEIGHT = 180 };
#define START_US (1777863721 * GW_SECOND)

struct fixture {
    struct gw_look_config config;
    struct gw_health_events *events;
    struct gw_luma luma;
    struct scene scene;
    int64_t now_us;
    int opened, updated, closed;
    size_t jpeg_size;      // of the last opening
    struct gw_event event; // as last told
};

static void hear(void *opaque, enum gw_event_phase phase, const struct gw_event *event,
                 const struct gw_snapshot *snapshot)
{
    struct fixture *f = opaque;

    assert_true(event->start_us <= event->end_us);
    assert_string_equal(event->camera, "gate-07");
    assert_int_equal(event->state,
                     phase == GW_EVENT_PHASE_CLOSED ? GW_EVENT_CLOSED : GW_EVENT_OPEN);
    if (phase == GW_EVENT_PHASE_OPENED) {
        f->opened++;
        f->jpeg_size = snapshot->jpeg_size;
        assert_true(snapshot->thumbnail_size > 0);
    } else {
        assert_true(gw_id_equal(&event->id, &f->event.id));
        assert_int_equal(event->start_us, f->event.start_us);
        assert_int_equal(event->snapshot_us, f->event.snapshot_us);
        assert_int_equal(snapshot->jpeg_size, 0);
    }
    f->updated += phase == GW_EVENT_PHASE_UPDATED;
    f->closed += phase == GW_EVENT_PHASE_CLOSED;
    f->event = *event;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->config = (struct gw_look_config){.max_width = 320};
    strcpy(f->config.camera, "gate-07");
    f->config.opaque = f;
    f->config.event = hear;
    f->now_us = START_US;
    gw_luma_init(&f->luma);
    scene_init(&f->scene, WIDTH, HEIGHT);
    assert_int_equal(gw_health_events_create(&f->events, &f->config), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    gw_health_events_destroy(&f->events);
    gw_luma_finish(&f->luma);
    scene_finish(&f->scene);
    free(f);
    return 0;
}

// The scene as a decoded picture, `lines` of it.
static void feed(struct fixture *f, int lines)
{
    const struct gw_motion_result motion = {0};
    struct gw_frame frame = {.av = av_frame_alloc(), .wall_us = f->now_us};

    frame.av->format = AV_PIX_FMT_GRAY8;
    frame.av->width = WIDTH;
    frame.av->height = lines;
    assert_int_equal(av_frame_get_buffer(frame.av, 0), 0);
    for (int y = 0; y < lines; y++)
        memcpy(frame.av->data[0] + y * frame.av->linesize[0], f->scene.pixels + y * WIDTH, WIDTH);
    assert_true(gw_luma_reduce(&f->luma, &frame, 320) >= 0);
    gw_health_events_feed(f->events, &f->luma, &frame, &motion, 0);
    av_frame_free(&frame.av);
    f->now_us += GW_SECOND / 2;
}

static void show_wall(struct fixture *f, int s, int lines)
{
    for (int i = 0; i < 2 * s; i++) {
        scene_wall(&f->scene, 0, 0);
        scene_noise(&f->scene, 2);
        feed(f, lines);
    }
}

static void show_cloth(struct fixture *f, int s, int lines)
{
    for (int i = 0; i < 2 * s; i++) {
        memset(f->scene.pixels, 110, WIDTH * HEIGHT);
        scene_noise(&f->scene, 8);
        feed(f, lines);
    }
}

static void a_fault_is_one_event_with_a_picture(void **state)
{
    struct fixture *f = *state;

    show_wall(f, 30, HEIGHT);
    const int64_t from_us = f->now_us;
    show_cloth(f, 30, HEIGHT);
    assert_int_equal(f->opened, 1);
    assert_true(f->jpeg_size > 0);
    assert_int_equal(f->event.kind, GW_EVENT_COVERED);
    assert_in_range(f->event.start_us, from_us - GW_SECOND, from_us + GW_SECOND);
    assert_in_range(f->event.confirmed_us, from_us + 10 * GW_SECOND, from_us + 16 * GW_SECOND);
    assert_int_equal(f->event.snapshot_us, f->event.confirmed_us);
    assert_true(f->event.box.w == 1 && f->event.box.h == 1);
    const int64_t to_us = f->now_us;
    show_wall(f, 10, HEIGHT);
    assert_int_equal(f->closed, 1);
    assert_in_range(f->event.end_us, to_us - GW_SECOND, to_us + 2 * GW_SECOND);
    assert_false(f->event.interrupted);
    assert_int_equal(gw_health_events_count(f->events), 1);
}

static void an_open_fault_is_told_again_each_minute(void **state)
{
    struct fixture *f = *state;

    show_wall(f, 30, HEIGHT);
    show_cloth(f, 15 + 605, HEIGHT);
    assert_int_equal(f->opened, 1);
    assert_int_equal(f->updated, 10);
    assert_in_range(f->event.end_us, f->now_us - 61 * GW_SECOND, f->now_us);
}

static void what_is_open_at_the_end_of_the_media_is_interrupted(void **state)
{
    struct fixture *f = *state;

    show_wall(f, 30, HEIGHT);
    show_cloth(f, 30, HEIGHT);
    gw_health_events_flush(f->events);
    assert_int_equal(f->closed, 1);
    assert_true(f->event.interrupted);
    assert_int_equal(f->event.end_us, f->now_us - GW_SECOND / 2);
    gw_health_events_flush(f->events);
    assert_int_equal(f->closed, 1);
}

static void a_picture_of_another_size_does_not_end_a_fault(void **state)
{
    struct fixture *f = *state;

    show_wall(f, 30, HEIGHT);
    show_cloth(f, 30, HEIGHT);
    show_cloth(f, 120, HEIGHT - 20);
    assert_int_equal(f->opened, 1);
    assert_int_equal(f->closed, 0);
    show_wall(f, 10, HEIGHT - 20);
    assert_int_equal(f->opened, 1);
    assert_int_equal(f->closed, 1);
}

static void a_camera_that_is_well_says_nothing(void **state)
{
    struct fixture *f = *state;

    show_wall(f, 120, HEIGHT);
    gw_health_events_flush(f->events);
    assert_int_equal(f->opened + f->updated + f->closed, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_fault_is_one_event_with_a_picture),
        TEST(an_open_fault_is_told_again_each_minute),
        TEST(what_is_open_at_the_end_of_the_media_is_interrupted),
        TEST(a_picture_of_another_size_does_not_end_a_fault),
        TEST(a_camera_that_is_well_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
