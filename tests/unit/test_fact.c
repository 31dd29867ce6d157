// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/fact.h"

static struct gw_fact make_event_fact(void)
{
    struct gw_fact fact = {.kind = GW_FACT_EVENT_UPDATED, .wall_us = 1777863722000000};
    fact.event = (struct gw_event){.id = gw_id_make(1777863721120000),
                                   .camera = "gate-07",
                                   .start_us = 1777863721120000,
                                   .end_us = 1777863722000000,
                                   .confirmed_us = 1777863721500000,
                                   .score = 0.83,
                                   .box = {0.25, 0.5, 0.125, 0.0625},
                                   .zone_count = 1,
                                   .zones = {"door"},
                                   .snapshot_us = 1777863721600000,
                                   .clock_offset_us = -250000};
    return fact;
}

static void an_event_fact_survives_json(void **state)
{
    struct gw_fact fact = make_event_fact(), back;
    json_t *json = gw_fact_to_json(&fact);
    assert_int_equal(gw_fact_from_json(json, &back), 0);
    assert_int_equal(back.kind, fact.kind);
    assert_int_equal(back.wall_us, fact.wall_us);
    assert_true(gw_id_equal(&back.event.id, &fact.event.id));
    assert_string_equal(back.event.camera, "gate-07");
    assert_int_equal(back.event.start_us, fact.event.start_us);
    assert_int_equal(back.event.snapshot_us, fact.event.snapshot_us);
    assert_true(back.event.score == 0.83);
    assert_true(back.event.box.w == 0.125);
    assert_int_equal(back.event.zone_count, 1);
    assert_string_equal(back.event.zones[0], "door");
    assert_int_equal(back.event.clock_offset_us, -250000);
    json_decref(json);
}

static void an_event_without_snapshot_says_so(void **state)
{
    struct gw_fact fact = make_event_fact(), back;
    fact.event.snapshot_us = GW_NO_TIME;
    json_t *json = gw_fact_to_json(&fact);
    assert_false(json_is_true(json_object_get(json_object_get(json, "data"), "has_snapshot")));
    assert_int_equal(gw_fact_from_json(json, &back), 0);
    assert_int_equal(back.event.snapshot_us, GW_NO_TIME);
    json_decref(json);
}

static void a_clip_and_a_camera_fact_survive_json(void **state)
{
    struct gw_fact fact = {.kind = GW_FACT_CLIP_CLOSED, .wall_us = 5}, back;
    fact.clip = (struct gw_clip){.id = gw_id_make(1),
                                 .camera = "a",
                                 .state = GW_CLIP_REPAIRED,
                                 .start_us = 1,
                                 .end_us = 9,
                                 .size_bytes = 7,
                                 .frames = 3,
                                 .codec = "h265",
                                 .width = 1920,
                                 .height = 1080,
                                 .truncated = true,
                                 .clock_offset_us = GW_NO_TIME};
    json_t *json = gw_fact_to_json(&fact);
    assert_int_equal(gw_fact_from_json(json, &back), 0);
    assert_int_equal(back.clip.state, GW_CLIP_REPAIRED);
    assert_string_equal(back.clip.codec, "h265");
    assert_true(back.clip.truncated);
    assert_int_equal(back.clip.clock_offset_us, GW_NO_TIME);
    assert_true(json_is_null(json_object_get(json_object_get(json, "data"), "clock_offset_us")));
    json_decref(json);

    fact = (struct gw_fact){.kind = GW_FACT_CAMERA_OFFLINE, .wall_us = 5};
    fact.camera = (struct gw_camera_state){
        .camera = "a", .reason = "no complete frame for 5 s", .since_us = 4};
    json = gw_fact_to_json(&fact);
    assert_int_equal(gw_fact_from_json(json, &back), 0);
    assert_int_equal(back.camera.status, GW_CAMERA_OFFLINE);
    assert_string_equal(back.camera.reason, "no complete frame for 5 s");
    json_decref(json);
}

static void a_degraded_camera_says_why_and_how_it_delivers(void **state)
{
    struct gw_fact fact = {.kind = gw_fact_of_status(GW_CAMERA_DEGRADED), .wall_us = 5}, back;
    fact.camera = (struct gw_camera_state){.camera = "a",
                                           .status = GW_CAMERA_DEGRADED,
                                           .reason = "no keyframe for more than 10 s",
                                           .since_us = 4,
                                           .signs = {.frame_rate = 12.345678,
                                                     .bit_rate = 2e6,
                                                     .key_age_us = 11000000,
                                                     .reconnects = 2,
                                                     .clock_offset_us = 1500000}};
    json_t *json = gw_fact_to_json(&fact), *data = json_object_get(json, "data");
    assert_string_equal(json_string_value(json_object_get(json, "kind")), "camera.degraded");
    assert_string_equal(json_string_value(json_object_get(data, "status")), "degraded");
    assert_int_equal(gw_fact_from_json(json, &back), 0);
    assert_int_equal(back.camera.status, GW_CAMERA_DEGRADED);
    assert_true(back.camera.signs.frame_rate == 12.35);
    assert_int_equal(back.camera.signs.key_age_us, 11000000);
    assert_int_equal(back.camera.signs.reconnects, 2);
    assert_int_equal(back.camera.signs.clock_offset_us, 1500000);

    json_object_set_new(data, "frame_rate", json_real(-1));
    assert_int_equal(gw_fact_from_json(json, &back), GW_ERROR_INVALID);
    json_object_set_new(data, "frame_rate", json_integer(25));
    json_object_set_new(data, "status", json_string("ill"));
    assert_int_equal(gw_fact_from_json(json, &back), GW_ERROR_INVALID);
    json_decref(json);
}

static void a_gap_and_news_of_coverage_survive_json(void **state)
{
    struct gw_fact fact = {.kind = GW_FACT_GAP_OPENED, .wall_us = 5}, back;
    fact.gap = (struct gw_gap){
        .id = gw_id_make(1), .camera = "a", .cause = GW_GAP_DISK_FULL, .open = true, .from_us = 4};
    json_t *json = gw_fact_to_json(&fact);
    assert_null(json_object_get(json_object_get(json, "data"), "to_us"));
    assert_int_equal(gw_fact_from_json(json, &back), 0);
    assert_true(back.gap.open && back.gap.cause == GW_GAP_DISK_FULL && back.gap.from_us == 4);
    json_decref(json);
    fact.kind = GW_FACT_GAP_CLOSED;
    fact.gap.open = false;
    fact.gap.to_us = 9;
    json = gw_fact_to_json(&fact);
    assert_int_equal(gw_fact_from_json(json, &back), 0);
    assert_true(!back.gap.open && back.gap.to_us == 9);
    assert_string_equal(gw_fact_camera(&back), "a");
    json_decref(json);

    fact = (struct gw_fact){.kind = GW_FACT_COVERAGE, .wall_us = 5};
    fact.coverage = (struct gw_coverage_news){"b", GW_COVERAGE_HOLE, GW_GAP_STALLED, 3, 7};
    json = gw_fact_to_json(&fact);
    assert_int_equal(gw_fact_from_json(json, &back), 0);
    assert_string_equal(gw_fact_camera(&back), "b");
    assert_int_equal(back.coverage.change, GW_COVERAGE_HOLE);
    assert_int_equal(back.coverage.cause, GW_GAP_STALLED);
    assert_true(back.coverage.from_us == 3 && back.coverage.to_us == 7);
    json_decref(json);
}

static void news_of_coverage_with_one_wrong_member_are_refused(void **state)
{
    const struct {
        const char *key;
        json_t *value;
    } wrong[] = {
        {"camera", json_string("../etc")},
        {"change", json_string("ceased")},
        {"change", json_null()},
        {"cause", json_string("bad luck")},
        {"cause", json_string("none")},
        {"from_us", json_integer(-1)},
        {"from_us", json_integer(8)},
        {"to_us", json_string("7")},
        {"to_us", json_integer(1LL << 62)},
    };
    struct gw_fact fact = {.kind = GW_FACT_COVERAGE, .wall_us = 5}, back;
    fact.coverage = (struct gw_coverage_news){"b", GW_COVERAGE_HOLE, GW_GAP_STALLED, 3, 7};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        json_t *json = gw_fact_to_json(&fact);
        json_object_set_new(json_object_get(json, "data"), wrong[i].key, wrong[i].value);
        if (gw_fact_from_json(json, &back) != GW_ERROR_INVALID)
            fail_msg("case %zu: a wrong \"%s\" was accepted", i, wrong[i].key);
        json_decref(json);
    }
}

// Another process wrote it: each wrong member alone must make the whole fact invalid.
static void a_fact_with_one_wrong_member_is_refused(void **state)
{
    const struct {
        const char *key;
        json_t *value;
    } wrong[] = {
        {"id", json_string("x")},
        {"camera", json_string("../etc")},
        {"kind", json_string("person")},
        {"state", json_integer(1)},
        {"start_us", json_string("1")},
        {"start_us", json_integer(1777863722000001)},
        {"end_us", json_integer(-1)},
        {"score", json_real(1.5)},
        {"box", json_array()},
        {"zones", json_string("a")},
        {"interrupted", json_integer(0)},
        {"has_snapshot", json_null()},
        {"snapshot_us", json_string("n")},
        {"clock_offset_us", json_real(0.5)},
    };
    struct gw_fact fact = make_event_fact(), back;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        json_t *json = gw_fact_to_json(&fact);
        json_object_set_new(json_object_get(json, "data"), wrong[i].key, wrong[i].value);
        if (gw_fact_from_json(json, &back) != GW_ERROR_INVALID)
            fail_msg("case %zu: a wrong \"%s\" was accepted", i, wrong[i].key);
        json_decref(json);
    }
}

static void each_kind_has_its_name_and_topic_class(void **state)
{
    assert_string_equal(gw_fact_kind_name(GW_FACT_ALERT_RAISED), "alert.raised");
    assert_string_equal(gw_fact_topic_class(GW_FACT_ALERT_RAISED), "alert");
    assert_string_equal(gw_fact_topic_class(GW_FACT_EVENT_OPENED), "event");
    assert_string_equal(gw_fact_topic_class(GW_FACT_CLIP_CLOSED), "event");
    assert_string_equal(gw_fact_topic_class(GW_FACT_CAMERA_OFFLINE), "camera");
    assert_string_equal(gw_fact_topic_class(GW_FACT_CAMERA_DEGRADED), "camera");
    assert_string_equal(gw_fact_kind_name(GW_FACT_GAP_CLOSED), "gap.closed");
    assert_string_equal(gw_fact_topic_class(GW_FACT_GAP_OPENED), "camera");
}

static void every_kind_of_event_is_read_back_by_its_name(void **state)
{
    char listed[128] = "";

    for (int i = 0; i < GW_EVENT_KIND_COUNT; i++) {
        const char *name = gw_event_kind_name((enum gw_event_kind)i);
        assert_int_equal(gw_event_kind_from_name(name), i);
        strcat(strcat(listed, i ? ", " : ""), name);
    }
    assert_string_equal(listed, GW_EVENT_KIND_NAMES);
    assert_int_equal(gw_event_kind_from_name("face"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_event_is_read_back_by_its_name),
        cmocka_unit_test(an_event_fact_survives_json),
        cmocka_unit_test(a_degraded_camera_says_why_and_how_it_delivers),
        cmocka_unit_test(an_event_without_snapshot_says_so),
        cmocka_unit_test(a_clip_and_a_camera_fact_survive_json),
        cmocka_unit_test(a_gap_and_news_of_coverage_survive_json),
        cmocka_unit_test(news_of_coverage_with_one_wrong_member_are_refused),
        cmocka_unit_test(a_fact_with_one_wrong_member_is_refused),
        cmocka_unit_test(each_kind_has_its_name_and_topic_class),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
