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

#include "bus/wire.h"
#include "core/error.h"

static void a_stamp_is_two_big_endian_numbers(void **state)
{
    const struct gw_wire_stamp stamp = {.epoch = 0x0102030405060708, .seq = 0xff};
    const uint8_t expected[GW_WIRE_STAMP_SIZE] = {1, 2, 3, 4, 5, 6, 7, 8,
                                                  0, 0, 0, 0, 0, 0, 0, 0xff};
    uint8_t bytes[GW_WIRE_STAMP_SIZE];
    struct gw_wire_stamp back;
    gw_wire_pack_stamp(&stamp, bytes);
    assert_memory_equal(bytes, expected, sizeof(bytes));
    assert_int_equal(gw_wire_parse_stamp(bytes, sizeof(bytes), &back), 0);
    assert_true(back.epoch == stamp.epoch && back.seq == stamp.seq);
    assert_int_equal(gw_wire_parse_stamp(bytes, sizeof(bytes) - 1, &back), GW_ERROR_INVALID);
}

static void a_fact_travels_as_a_cloud_event(void **state)
{
    const struct gw_committed_fact fact = {.seq = 7,
                                           .wall_us = 1777863721120000,
                                           .kind = "event.opened",
                                           .topic = "event/640323101004/gate-07",
                                           .camera = "gate-07",
                                           .data = "{\"score\":0.83,\"lon\":106.1234567}",
                                           .thumbnail = ""};
    char *text = gw_wire_envelope(0xab, &fact, "/gridwatch/640323");
    json_t *json = json_loads(text, 0, NULL);
    const char *expected[][2] = {{"specversion", "1.0"},
                                 {"id", "00000000000000ab-7"},
                                 {"source", "/gridwatch/640323"},
                                 {"type", "gridwatch.event.opened"},
                                 {"subject", "gate-07"},
                                 {"time", "2026-05-04T03:02:01.120000Z"},
                                 {"datacontenttype", "application/json"},
                                 {"sequence", "7"}};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_string_equal(json_string_value(json_object_get(json, expected[i][0])),
                            expected[i][1]);
    assert_non_null(strstr(text, "\"data\":{\"score\":0.83,\"lon\":106.1234567}}"));
    json_decref(json);
    free(text);
}

static void a_fact_whose_data_is_not_json_is_not_sent(void **state)
{
    const struct gw_committed_fact fact = {
        .kind = "event.opened", .camera = "a", .data = "{", .thumbnail = ""};
    assert_null(gw_wire_envelope(1, &fact, "/gridwatch/"));
}

static void a_heartbeat_says_where_the_head_is(void **state)
{
    const struct gw_wire_stamp stamp = {.epoch = 1, .seq = 42};
    char *text = gw_wire_heartbeat(&stamp, 1777863721120000, "/gridwatch/640323");
    json_t *json = json_loads(text, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(json, "type")), "gridwatch.heartbeat");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "data"), "head")),
                     42);
    json_decref(json);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stamp_is_two_big_endian_numbers),
        cmocka_unit_test(a_fact_travels_as_a_cloud_event),
        cmocka_unit_test(a_fact_whose_data_is_not_json_is_not_sent),
        cmocka_unit_test(a_heartbeat_says_where_the_head_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
