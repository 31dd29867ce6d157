// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "app/protocol.h"
#include "core/clock.h"
#include "core/error.h"

static void an_assignment_carries_credentials_byte_for_byte(void **state)
{
    struct gw_settings settings = {1, 2, 3, 4, 5, 6, GW_LEVEL_OFF, GW_TRANSPORT_UDP}, back;
    struct gw_camera camera = {.id = "a",
                               .record_url = "rtsp://host/1",
                               .username = "ad:min",
                               .password = "\xff@/% ",
                               .record = GW_RECORD_CONTINUOUS,
                               .zones = "{\"masks\":[]}",
                               .enabled = true};
    struct gw_camera *cameras;
    json_t *message = gw_protocol_assign(&settings, &camera, 1);
    assert_string_equal(gw_protocol_type(message), "assign");
    assert_int_equal(gw_protocol_read_assign(message, &back, &cameras), 1);
    assert_memory_equal(&back, &settings, sizeof(back));
    assert_true(gw_camera_same_work(&cameras[0], &camera));
    assert_string_equal(cameras[0].id, "a");
    assert_string_equal(cameras[0].zones, camera.zones);
    free(cameras);
    json_decref(message);
}

static void an_assignment_without_its_zones_is_refused(void **state)
{
    struct gw_settings settings = {1, 2, 3, 4, 5, 6, GW_LEVEL_OFF, GW_TRANSPORT_UDP};
    struct gw_camera camera = {.id = "a", .record_url = "rtsp://host/1"}, *cameras = NULL;
    json_t *message = gw_protocol_assign(&settings, &camera, 1);
    json_object_del(json_array_get(json_object_get(message, "cameras"), 0), "zones");
    assert_int_equal(gw_protocol_read_assign(message, &settings, &cameras), GW_ERROR_INVALID);
    assert_null(cameras);
    json_decref(message);
}

static void a_status_survives_the_wire(void **state)
{
    struct gw_camera_metrics metrics = {.camera = "a",
                                        .online = true,
                                        .packets = 7,
                                        .clips_truncated = 1,
                                        .ring_bytes = 5,
                                        .ring_shed = 6,
                                        .last_packet_age_us = -1,
                                        .level = GW_LEVEL_GATE,
                                        .analysis_packets = 9,
                                        .analysis_cpu_us = 10,
                                        .audits = 11,
                                        .judged = 12,
                                        .miss_rate = 0.25,
                                        .miss_high = 0.5,
                                        .status = GW_CAMERA_DEGRADED,
                                        .signs = {.frame_rate = 12.5,
                                                  .bit_rate = 2e6,
                                                  .key_age_us = 13,
                                                  .longest_gop_us = 14,
                                                  .loss = 0.125,
                                                  .clock_offset_us = GW_NO_TIME,
                                                  .lost_packets = 15,
                                                  .skipped = 16,
                                                  .reconnects = 17}};
    struct gw_camera_metrics *back;
    json_t *message = gw_protocol_status(&metrics, 1);
    assert_int_equal(gw_protocol_read_status(message, &back), 1);
    assert_string_equal(back[0].camera, "a");
    assert_int_equal(back[0].packets, 7);
    assert_int_equal(back[0].ring_bytes, 5);
    assert_int_equal(back[0].ring_shed, 6);
    assert_int_equal(back[0].last_packet_age_us, -1);
    assert_int_equal(back[0].level, GW_LEVEL_GATE);
    assert_int_equal(back[0].analysis_packets, 9);
    assert_int_equal(back[0].analysis_cpu_us, 10);
    assert_int_equal(back[0].audits, 11);
    assert_int_equal(back[0].judged, 12);
    assert_float_equal(back[0].miss_rate, 0.25, 0);
    assert_float_equal(back[0].miss_high, 0.5, 0);
    assert_int_equal(back[0].status, GW_CAMERA_DEGRADED);
    assert_memory_equal(&back[0].signs, &metrics.signs, sizeof(metrics.signs));
    free(back);
    json_decref(message);
}

static void a_status_with_a_level_that_is_none_is_refused(void **state)
{
    struct gw_camera_metrics metrics = {.camera = "a", .level = GW_LEVEL_AUTO};
    struct gw_camera_metrics *back;
    json_t *message = gw_protocol_status(&metrics, 1);
    assert_true(gw_protocol_read_status(message, &back) < 0);
    json_decref(message);
}

static void what_was_received_survives_the_wire(void **state)
{
    const struct gw_coverage_stamp stamps[] = {{"a", 5}, {"b", 7}};
    const char *const wrong[] = {"{}", "{\"cameras\": [1]}", "{\"cameras\": {\"..\": 1}}",
                                 "{\"cameras\": {\"a\": \"1\"}}", "{\"cameras\": {\"a\": -1}}"};
    struct gw_coverage_stamp *back;
    json_t *message = gw_protocol_covered(stamps, 2);
    assert_string_equal(gw_protocol_type(message), "covered");
    assert_int_equal(gw_protocol_read_covered(message, &back), 2);
    assert_string_equal(back[0].camera, "a");
    assert_int_equal(back[0].until_us, 5);
    assert_string_equal(back[1].camera, "b");
    assert_int_equal(back[1].until_us, 7);
    free(back);
    json_decref(message);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        message = json_loads(wrong[i], 0, NULL);
        assert_int_equal(gw_protocol_read_covered(message, &back), GW_ERROR_INVALID);
        json_decref(message);
    }
}

static void a_repair_names_its_clips(void **state)
{
    struct gw_clip clip = {.id = gw_id_make(1000000),
                           .camera = "a",
                           .start_us = 1000000,
                           .end_us = 1000000,
                           .codec = "h264"};
    struct gw_clip *back;
    json_t *message = gw_protocol_repair(&clip, 1);
    assert_int_equal(gw_protocol_read_repair(message, &back), 1);
    assert_true(gw_id_equal(&back[0].id, &clip.id));
    free(back);
    json_decref(message);
}

static void a_bad_fact_still_gives_its_number(void **state)
{
    json_t *message = json_pack("{ss sI s{}}", "type", "fact", "seq", (json_int_t)9, "fact");
    struct gw_fact fact;
    uint64_t seq = 0;
    assert_int_equal(gw_protocol_read_fact(message, &seq, &fact), GW_ERROR_INVALID);
    assert_int_equal(seq, 9);
    json_decref(message);
}

static void nonsense_from_the_other_side_is_refused(void **state)
{
    const char *texts[] = {"{}", "{\"settings\":{},\"cameras\":[]}",
                           "{\"cameras\":[{\"id\":\"..\"}]}", "{\"cameras\":7}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        json_t *message = json_loads(texts[i], 0, NULL);
        struct gw_settings settings;
        struct gw_camera *cameras;
        struct gw_id boot;
        char worker[32];
        assert_int_equal(gw_protocol_read_assign(message, &settings, &cameras), GW_ERROR_INVALID);
        assert_int_equal(gw_protocol_read_hello(message, &boot, worker), GW_ERROR_INVALID);
        json_decref(message);
    }
}

static void messages_cross_a_socket_and_garbage_is_consumed(void **state)
{
    void *zmq = zmq_ctx_new(), *router = zmq_socket(zmq, ZMQ_ROUTER),
         *dealer = zmq_socket(zmq, ZMQ_DEALER);
    struct gw_id boot = gw_id_make(5000000), route;
    json_t *message = NULL;
    zmq_setsockopt(dealer, ZMQ_ROUTING_ID, boot.bytes, sizeof(boot.bytes));
    assert_int_equal(zmq_bind(router, "inproc://protocol"), 0);
    assert_int_equal(zmq_connect(dealer, "inproc://protocol"), 0);

    zmq_send(dealer, "not json", 8, 0);
    assert_int_equal(gw_protocol_send(dealer, NULL, gw_protocol_ack(3)), 0);
    assert_int_equal(gw_protocol_receive(router, &route, &message), GW_ERROR_INVALID);
    assert_int_equal(gw_protocol_receive(router, &route, &message), 1);
    assert_true(gw_id_equal(&route, &boot));
    assert_string_equal(gw_protocol_type(message), "ack");
    json_decref(message);
    assert_int_equal(gw_protocol_receive(router, &route, &message), 0);
    zmq_close(dealer);
    zmq_close(router);
    zmq_ctx_term(zmq);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_assignment_carries_credentials_byte_for_byte),
        cmocka_unit_test(an_assignment_without_its_zones_is_refused),
        cmocka_unit_test(a_status_survives_the_wire),
        cmocka_unit_test(a_status_with_a_level_that_is_none_is_refused),
        cmocka_unit_test(what_was_received_survives_the_wire),
        cmocka_unit_test(a_repair_names_its_clips),
        cmocka_unit_test(a_bad_fact_still_gives_its_number),
        cmocka_unit_test(nonsense_from_the_other_side_is_refused),
        cmocka_unit_test(messages_cross_a_socket_and_garbage_is_consumed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
