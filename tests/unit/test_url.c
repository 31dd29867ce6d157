// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <string.h>

#include "core/error.h"
#include "core/url.h"

struct parts {
    char url[GW_URL_SIZE], username[GW_USERNAME_SIZE], password[GW_PASSWORD_SIZE];
};

static int split(const char *url, struct parts *parts)
{
    memset(parts, 0, sizeof(*parts));
    return gw_url_split(url, parts->url, parts->username, parts->password);
}

static void credentials_leave_the_url(void **state)
{
    struct parts parts;
    assert_int_equal(split("rtsp://admin:p%40ss@10.0.0.7:554/ch1?x=1", &parts), 0);
    assert_string_equal(parts.url, "rtsp://10.0.0.7:554/ch1?x=1");
    assert_string_equal(parts.username, "admin");
    assert_string_equal(parts.password, "p@ss");
}

static void an_unescaped_password_is_understood(void **state)
{
    struct parts parts;
    assert_int_equal(split("rtsp://admin:p@ss%:word@host/a", &parts), 0);
    assert_string_equal(parts.password, "p@ss%:word");
    assert_string_equal(parts.url, "rtsp://host/a");
}

static void an_at_sign_in_the_path_is_no_credential(void **state)
{
    struct parts parts;
    assert_int_equal(split("rtsp://host/live@hd", &parts), 0);
    assert_string_equal(parts.url, "rtsp://host/live@hd");
    assert_string_equal(parts.username, "");
}

static void what_is_no_camera_url_is_refused(void **state)
{
    const char *bad[] = {"", "host/a", "http://host/a", "rtsp://", "rtsp://user:pw@",
                         "rtsp:///path", "rtsp://ho st/", "rtsp://host/a\nb", "rtsp://u:%00@host/",
                         "rtsp://host/\xe5\x8c\x97", "rtsp://host:99999/", "rtsp://host:0/",
                         "rtsp://host:/", "rtsp://host:port/", "rtsp://[fe80::1/",
                         // Raw passwords that end the authority too early.
                         "rtsp://u:p/w@host/", "rtsp://u:12#w@host/", "rtsp://u:p?w@host/"};
    struct parts parts;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(split(bad[i], &parts), GW_ERROR_INVALID);
}

static void join_is_the_reverse_of_split(void **state)
{
    struct parts parts;
    char joined[1024];
    assert_int_equal(gw_url_join("rtsp://host:8554/a", "ad min", "p@:/ß", joined, sizeof(joined)),
                     0);
    assert_int_equal(split(joined, &parts), 0);
    assert_string_equal(parts.url, "rtsp://host:8554/a");
    assert_string_equal(parts.username, "ad min");
    assert_string_equal(parts.password, "p@:/ß");
    assert_int_equal(gw_url_join("rtsp://host/", "", "", joined, sizeof(joined)), 0);
    assert_string_equal(joined, "rtsp://host/");
}

static void redacting_hides_every_credential_in_a_text(void **state)
{
    char text[256];
    gw_url_redact("open 'rtsp://a:b@h/1' and rtsp://c:d@e@h2/2 failed for x@y.z", text,
                  sizeof(text));
    assert_string_equal(text, "open 'rtsp://***@h/1' and rtsp://***@h2/2 failed for x@y.z");
}

static void redacting_truncates_and_terminates(void **state)
{
    char text[8];
    gw_url_redact("rtsp://user:secret@host/", text, sizeof(text));
    assert_null(strstr(text, "sec"));
    assert_true(strlen(text) < sizeof(text));
}

static void scrubbed_arguments_show_no_password(void **state)
{
    char argument[] = "--camera=rtsp://admin:secret@host/a", other[] = "plain";
    char *argv[] = {other, argument};
    gw_url_scrub_arguments(2, argv);
    assert_null(strstr(argument, "secret"));
    assert_null(strstr(argument, "admin"));
    assert_non_null(strstr(argument, "@host/a"));
    assert_string_equal(other, "plain");
}

static void expect_host(const char *url, const char *expected_host, uint16_t expected_port)
{
    char host[GW_URL_HOST_SIZE];
    uint16_t port;
    assert_int_equal(gw_url_host(url, host, &port), 0);
    assert_string_equal(host, expected_host);
    assert_int_equal(port, expected_port);
}

static void a_url_names_a_host_and_a_port(void **state)
{
    expect_host("rtsp://10.0.0.7/ch1", "10.0.0.7", 554);
    expect_host("rtsps://cam.example", "cam.example", 322);
    expect_host("RTSP://cam:8554?a=b:1", "cam", 8554);
    expect_host("rtsp://[fe80::1%25eth0]:554/a", "fe80::1%eth0", 554);
    expect_host("rtsp://[2001:db8::7]", "2001:db8::7", 554);
    expect_host("rtsp://u:p@x@cam:9/a@b", "cam", 9);
}

static void what_names_no_host_is_refused(void **state)
{
    const char *const urls[] = {"",           "http://cam/a",   "rtsp://",          "rtsp:///a",
                                "rtsp://[]/", "rtsp://cam:0/a", "rtsp://cam:99999", "rtsp://[::1",
                                "rtsp://:554"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        char host[GW_URL_HOST_SIZE] = "same";
        uint16_t port = 7;
        assert_int_equal(gw_url_host(urls[i], host, &port), GW_ERROR_INVALID);
        assert_string_equal(host, "same");
        assert_int_equal(port, 7);
    }
}

static void hosts_are_the_same_whatever_their_ports_and_case(void **state)
{
    assert_true(gw_url_same_host("rtsp://Gate.example:554/1", "rtsps://gate.example/2"));
    assert_true(gw_url_same_host("rtsp://[fe80::1]:8554/1", "rtsp://[FE80::1]/"));
    assert_false(gw_url_same_host("rtsp://10.0.0.7/1", "rtsp://10.0.0.77/1"));
    assert_false(gw_url_same_host("rtsp://10.0.0.7/1", "nonsense"));
}

static void a_secret_in_the_path_is_hidden_and_the_rest_is_not(void **state)
{
    char url[] = "rtsp://h/live?user=a&Password=hunter2&channel=1&pwd=x/token=abc";
    gw_url_hide_secrets(url);
    assert_string_equal(url, "rtsp://h/live?user=a&Password=***&channel=1&pwd=*/token=***");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_are_the_same_whatever_their_ports_and_case),
        cmocka_unit_test(a_secret_in_the_path_is_hidden_and_the_rest_is_not),
        cmocka_unit_test(credentials_leave_the_url),
        cmocka_unit_test(an_unescaped_password_is_understood),
        cmocka_unit_test(an_at_sign_in_the_path_is_no_credential),
        cmocka_unit_test(what_is_no_camera_url_is_refused),
        cmocka_unit_test(join_is_the_reverse_of_split),
        cmocka_unit_test(redacting_hides_every_credential_in_a_text),
        cmocka_unit_test(redacting_truncates_and_terminates),
        cmocka_unit_test(scrubbed_arguments_show_no_password),
        cmocka_unit_test(a_url_names_a_host_and_a_port),
        cmocka_unit_test(what_names_no_host_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
