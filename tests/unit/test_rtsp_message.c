// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "ingest/rtsp_message.h"

static int parse(const char *text, struct gw_rtsp_message *ret)
{
    return gw_rtsp_message_parse(text, strlen(text), ret);
}

static void assert_header(const struct gw_rtsp_message *message, const char *name, int n,
                          const char *expected)
{
    char value[64];
    assert_true(gw_rtsp_message_header(message, name, n, value, sizeof(value)));
    assert_string_equal(value, expected);
}

static void an_answer_has_status_headers_and_a_body(void **state)
{
    const char *text = "RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Base: rtsp://cam/ch1/\r\n"
                       "Content-Length: 5\r\n\r\nhello";
    struct gw_rtsp_message message;
    assert_int_equal(parse(text, &message), 1);
    assert_false(message.is_request);
    assert_int_equal(message.status, 200);
    assert_int_equal(message.body_size, 5);
    assert_string_equal(text + message.size, "hello");
    assert_header(&message, "CSeq", 0, "2");
    assert_header(&message, "content-base", 0, "rtsp://cam/ch1/");
}

static void lower_case_headers_and_bare_line_feeds_are_read(void **state)
{
    struct gw_rtsp_message message;
    assert_int_equal(
        parse("RTSP/1.0 401 Unauthorized\ncseq:3\ncontent-length :4\n\nbody", &message), 1);
    assert_int_equal(message.status, 401);
    assert_int_equal(message.body_size, 4);
    assert_header(&message, "CSeq", 0, "3");
}

static void a_request_of_the_camera_has_its_method(void **state)
{
    struct gw_rtsp_message message;
    assert_int_equal(parse("SET_PARAMETER rtsp://us/ RTSP/1.0\r\nCSeq: 1\r\n\r\n", &message), 1);
    assert_true(message.is_request);
    assert_string_equal(message.method, "SET_PARAMETER");
    assert_int_equal(message.body_size, 0);
}

static void a_head_that_is_cut_anywhere_waits_for_the_rest(void **state)
{
    const char *text = "RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 5\r\n\r\n";
    struct gw_rtsp_message message;
    for (size_t size = 0; size < strlen(text); size++) {
        char *copy = malloc(size + 1); // of just that size, for a sanitizer
        assert_non_null(copy);
        memcpy(copy, text, size);
        assert_int_equal(gw_rtsp_message_parse(copy, size, &message), 0);
        free(copy);
    }
    assert_int_equal(parse(text, &message), 1);
    assert_int_equal(message.size, strlen(text));
}

static void what_is_no_rtsp_is_refused_at_its_first_line(void **state)
{
    static const char *const lines[] = {"HTTP/1.1 400 Bad Request\r\n",
                                        "RTSP/1.0\r\n",
                                        "RTSP/1.0 abc\r\n",
                                        "RTSP/1.0 99\r\n",
                                        "RTSP/1.0 600 X\r\n",
                                        "RTSP/1.0 99999999999999999999 X\r\n",
                                        "options rtsp://us RTSP/1.0\r\n",
                                        "SSH-2.0-dropbear\r\n",
                                        "\r\n",
                                        "OPTIONS\r\n",
                                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ us\r\n"};
    struct gw_rtsp_message message;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_int_equal(parse(lines[i], &message), GW_ERROR_INVALID);
    assert_int_equal(gw_rtsp_message_parse("RT\0\1\2", 5, &message), GW_ERROR_INVALID);
}

static void a_length_that_is_no_number_or_too_large_is_refused(void **state)
{
    static const char *const lengths[] = {"-1", "12a", "0x10", "1e3", "4294967297", "49153"};
    struct gw_rtsp_message message;
    char text[128];
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        snprintf(text, sizeof(text), "RTSP/1.0 200 OK\r\nContent-Length: %s\r\n\r\n", lengths[i]);
        assert_int_equal(parse(text, &message), GW_ERROR_INVALID);
    }
    snprintf(text, sizeof(text), "RTSP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n",
             GW_RTSP_MOST_BODY);
    assert_int_equal(parse(text, &message), 1);
    assert_int_equal(message.body_size, GW_RTSP_MOST_BODY);
}

static void a_head_or_a_line_without_end_is_refused_at_its_limit(void **state)
{
    struct gw_rtsp_message message;
    char *text = malloc(2 * GW_RTSP_MOST_HEAD);
    assert_non_null(text);
    memset(text, 'A', 2 * GW_RTSP_MOST_HEAD);
    assert_int_equal(gw_rtsp_message_parse(text, 1000, &message), 0);
    assert_int_equal(gw_rtsp_message_parse(text, 2000, &message), GW_ERROR_INVALID);

    const char *line = "RTSP/1.0 200 OK\r\n";
    memcpy(text, line, strlen(line));
    assert_int_equal(gw_rtsp_message_parse(text, GW_RTSP_MOST_HEAD - 1, &message), 0);
    assert_int_equal(gw_rtsp_message_parse(text, GW_RTSP_MOST_HEAD, &message), GW_ERROR_INVALID);
    // An end behind the limit does not help.
    memcpy(text + GW_RTSP_MOST_HEAD, "\r\n\r\n", 4);
    assert_int_equal(gw_rtsp_message_parse(text, 2 * GW_RTSP_MOST_HEAD, &message),
                     GW_ERROR_INVALID);
    free(text);
}

static void headers_of_the_same_name_are_counted(void **state)
{
    struct gw_rtsp_message message;
    char value[64];
    assert_int_equal(parse("RTSP/1.0 401 X\r\nWWW-Authenticate: Digest a\r\nno colon here\r\n"
                           "X-WWW-Authenticate: no\r\nwww-authenticate:\tBasic b \r\n\r\n",
                           &message),
                     1);
    assert_header(&message, "WWW-Authenticate", 0, "Digest a");
    assert_header(&message, "WWW-Authenticate", 1, "Basic b");
    assert_false(gw_rtsp_message_header(&message, "WWW-Authenticate", 2, value, sizeof(value)));
    assert_string_equal(value, "");
}

static void a_value_is_cut_at_the_end_of_its_buffer(void **state)
{
    struct gw_rtsp_message message;
    char value[4];
    assert_int_equal(parse("RTSP/1.0 200 OK\r\nSession: 123456789\r\n\r\n", &message), 1);
    assert_true(gw_rtsp_message_header(&message, "Session", 0, value, sizeof(value)));
    assert_string_equal(value, "123");
}

static void parameters_are_found_whatever_is_around_them(void **state)
{
    static const struct {
        const char *header, *name, *value; // NULL: it is not there
    } cases[] = {
        {"4711;timeout=60", "timeout", "60"},
        {"4711 ; Timeout = 60 ; x", "timeout", "60"},
        {"4711;timeouts=5;timeout=6", "timeout", "6"},
        {"4711;timeout", "timeout", NULL},
        {"timeout=60", "timeout", NULL}, // what the header is about is no parameter
        {"4711;", "timeout", NULL},
        {";;;;", "timeout", NULL},
        {"", "timeout", NULL},
        {"RTP/AVP/TCP;unicast;interleaved=2-3;ssrc=AB", "interleaved", "2-3"},
        {"RTP/AVP;client_port=1-2,RTP/AVP/TCP;interleaved=0-1", "client_port", "1-2"},
        {"a;timeout=", "timeout", ""},
    };
    char value[32];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(gw_rtsp_parameter(cases[i].header, cases[i].name, value, sizeof(value)),
                         cases[i].value != NULL);
        assert_string_equal(value, cases[i].value ? cases[i].value : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_has_status_headers_and_a_body),
        cmocka_unit_test(lower_case_headers_and_bare_line_feeds_are_read),
        cmocka_unit_test(a_request_of_the_camera_has_its_method),
        cmocka_unit_test(a_head_that_is_cut_anywhere_waits_for_the_rest),
        cmocka_unit_test(what_is_no_rtsp_is_refused_at_its_first_line),
        cmocka_unit_test(a_length_that_is_no_number_or_too_large_is_refused),
        cmocka_unit_test(a_head_or_a_line_without_end_is_refused_at_its_limit),
        cmocka_unit_test(headers_of_the_same_name_are_counted),
        cmocka_unit_test(a_value_is_cut_at_the_end_of_its_buffer),
        cmocka_unit_test(parameters_are_found_whatever_is_around_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
