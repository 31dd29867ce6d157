// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "ingest/rtsp_auth.h"

// Of the examples in RFC 7616, 3.9.1.
#define USER   "Mufasa"
#define SECRET "Circle of Life"
#define NONCE  "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define OPAQUE "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
// The first 16 of the example's 44 characters: ours has no more.
#define CLIENT "f2/wE4q74E6zIJEt"

// headers: whole lines with their line breaks.
static bool challenge(struct gw_rtsp_auth *auth, const char *headers)
{
    char text[2048];
    struct gw_rtsp_message message;
    snprintf(text, sizeof(text), "RTSP/1.0 401 Unauthorized\r\n%s\r\n", headers);
    assert_int_equal(gw_rtsp_message_parse(text, strlen(text), &message), 1);
    return gw_rtsp_auth_challenge(auth, &message);
}

static void write_login(struct gw_rtsp_auth *auth, const char *method, const char *uri,
                        char ret[GW_RTSP_LOGIN_SIZE])
{
    assert_int_equal(gw_rtsp_auth_write(auth, USER, SECRET, method, uri, ret), 0);
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static void answer_the_rfc(const char *algorithm, const char *response)
{
    struct gw_rtsp_auth auth;
    char text[1024], login[GW_RTSP_LOGIN_SIZE];
    snprintf(text, sizeof(text),
             "WWW-Authenticate: Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "
             "algorithm=%s, nonce=\"" NONCE "\", opaque=\"" OPAQUE "\"\r\n",
             algorithm);
    assert_true(challenge(&auth, text));
    assert_true(auth.qop);
    assert_false(auth.stale);
    strcpy(auth.client, CLIENT);
    write_login(&auth, "GET", "/dir/index.html", login);
    assert_has(login, "Authorization: Digest username=\"Mufasa\"");
    assert_has(login, "realm=\"http-auth@example.org\"");
    assert_has(login, "uri=\"/dir/index.html\"");
    assert_has(login, "nonce=\"" NONCE "\"");
    assert_has(login, "opaque=\"" OPAQUE "\"");
    assert_has(login, "qop=auth, nc=00000001");
    assert_has(login, response);
    assert_string_equal(login + strlen(login) - 2, "\r\n");
}

// The expected responses were computed by another implementation, which gives those of the RFC for
// the whole client nonce.
static void the_examples_of_rfc_7616_are_answered(void **state)
{
    answer_the_rfc("MD5", "response=\"94dd9fffd7c537e13f36447a03dae637\"");
    answer_the_rfc("SHA-256", "response=\"694dea84e7bfe90435fb5b8a050f4cec"
                              "dc46ad86da6ce54432325b34d8d2d3e9\"");
}

static void a_challenge_without_qop_is_answered_as_in_rfc_2069(void **state)
{
    struct gw_rtsp_auth auth;
    char login[GW_RTSP_LOGIN_SIZE];
    assert_true(challenge(&auth, "WWW-Authenticate: Digest realm=\"testrealm@host.com\",\r\n"));
    assert_true(challenge(&auth, "WWW-Authenticate: digest realm = \"testrealm@host.com\" , "
                                 "nonce=dcd98b7102dd2f0e8b11d0f600bfb0c093\r\n"));
    assert_int_equal(
        gw_rtsp_auth_write(&auth, USER, "CircleOfLife", "GET", "/dir/index.html", login), 0);
    assert_has(login, "response=\"1949323746fe6a43ef61f9606e7febea\"");
    assert_null(strstr(login, "qop"));
    assert_null(strstr(login, "opaque"));
}

static void basic_is_answered_where_nothing_else_is_offered(void **state)
{
    struct gw_rtsp_auth auth;
    char login[GW_RTSP_LOGIN_SIZE];
    assert_true(challenge(&auth, "WWW-Authenticate: Basic realm=\"cam\"\r\n"));
    assert_int_equal(gw_rtsp_auth_write(&auth, "Aladdin", "open sesame", "OPTIONS", "*", login), 0);
    assert_string_equal(login, "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n");
}

static void the_strongest_of_several_challenges_is_answered(void **state)
{
    static const char *const md5 = "WWW-Authenticate: Digest realm=\"m\", nonce=\"n\"\r\n",
                             *const sha = "WWW-Authenticate: Digest realm=\"s\", nonce=\"n\", "
                                          "algorithm=SHA-256\r\n",
                             *const basic = "WWW-Authenticate: Basic realm=\"b\"\r\n",
                             *const other = "WWW-Authenticate: Digest realm=\"o\", nonce=\"n\", "
                                            "algorithm=SHA-512-256\r\n";
    const struct {
        const char *offered[3];
        enum gw_rtsp_scheme taken;
    } cases[] = {
        {{basic, md5, sha}, GW_RTSP_SHA256}, {{sha, basic, md5}, GW_RTSP_SHA256},
        {{basic, md5, ""}, GW_RTSP_MD5},     {{md5, basic, ""}, GW_RTSP_MD5},
        {{other, basic, ""}, GW_RTSP_BASIC}, {{other, md5, ""}, GW_RTSP_MD5},
        {{other, "", ""}, GW_RTSP_NO_LOGIN}, {{"", "", ""}, GW_RTSP_NO_LOGIN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gw_rtsp_auth auth;
        char text[512];
        snprintf(text, sizeof(text), "%s%s%s", cases[i].offered[0], cases[i].offered[1],
                 cases[i].offered[2]);
        assert_int_equal(challenge(&auth, text), cases[i].taken != GW_RTSP_NO_LOGIN);
        assert_int_equal(auth.scheme, cases[i].taken);
    }
}

// RFC 9110, 11.6.1: one header may hold several challenges.
static void several_challenges_in_one_header_are_told_apart(void **state)
{
    static const struct {
        const char *header, *realm;
        enum gw_rtsp_scheme taken;
    } cases[] = {
        {"Basic realm=\"b\", Digest realm=\"d\", nonce=\"n\"", "d", GW_RTSP_MD5},
        {"Digest realm=\"d\", nonce=\"n\", Basic realm=\"b\"", "d", GW_RTSP_MD5},
        {"Digest realm=\"o\", nonce=\"n\", algorithm=SHA-512-256, Digest realm=\"d\", nonce=\"n\", "
         "algorithm=MD5",
         "d", GW_RTSP_MD5},
        {"Digest realm=\"m\", nonce=\"n\", Digest realm=\"s\", algorithm=SHA-256, nonce=\"n\"", "s",
         GW_RTSP_SHA256},
        {"Digest realm=\", Basic realm=\", nonce=\"n\"", ", Basic realm=", GW_RTSP_MD5},
        {"Negotiate, Digest realm=\"d\", nonce=\"n\"", "d", GW_RTSP_MD5},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gw_rtsp_auth auth;
        char text[512];
        snprintf(text, sizeof(text), "WWW-Authenticate: %s\r\n", cases[i].header);
        assert_true(challenge(&auth, text));
        assert_int_equal(auth.scheme, cases[i].taken);
        assert_string_equal(auth.realm, cases[i].realm);
    }
}

static void a_nonce_that_is_only_old_is_told(void **state)
{
    struct gw_rtsp_auth auth;
    assert_true(
        challenge(&auth, "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", stale=\"TRUE\"\r\n"));
    assert_true(auth.stale);
    assert_true(
        challenge(&auth, "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", stale=false\r\n"));
    assert_false(auth.stale);
}

static void uses_of_a_nonce_are_counted_from_one_on(void **state)
{
    struct gw_rtsp_auth auth;
    char login[GW_RTSP_LOGIN_SIZE], first[sizeof(auth.client)];
    const char *header = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n";
    assert_true(challenge(&auth, header));
    strcpy(first, auth.client);
    write_login(&auth, "OPTIONS", "rtsp://cam/", login);
    assert_has(login, "nc=00000001");
    write_login(&auth, "DESCRIBE", "rtsp://cam/", login);
    assert_has(login, "nc=00000002");
    assert_true(challenge(&auth, header));
    write_login(&auth, "SETUP", "rtsp://cam/", login);
    assert_has(login, "nc=00000001");
    assert_string_not_equal(first, auth.client);
}

// Nothing that a camera says ends a quoted string or the line of the answer.
static void a_challenge_cannot_inject_quotes_or_lines(void **state)
{
    static const char *const hostile[] = {
        "Digest realm=\"a\\\", username=\\\"admin\", nonce=\"n\"",
        "Digest realm=\"a\rX-Header: 1\", nonce=\"n\\\\\"",
        "Digest realm=\"\x01\x02\x7f\t\", nonce=\"\x0b\"",
        "Digest realm=\"a, nonce=\"n\", opaque=\"x\\\"y\"",
        "Digest realm=\"r\", nonce=\"n\", opaque=\"",
        "Digest realm=\"r\", nonce=\"n\\",
        "Digest realm=r\", nonce=n\"\\\"",
    };
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        struct gw_rtsp_auth auth;
        char text[512], login[GW_RTSP_LOGIN_SIZE];
        snprintf(text, sizeof(text), "WWW-Authenticate: %s\r\n", hostile[i]);
        assert_true(challenge(&auth, text));
        write_login(&auth, "OPTIONS", "rtsp://cam/", login);
        assert_null(strpbrk(auth.realm, "\"\\\r\n\t"));
        assert_null(strpbrk(auth.nonce, "\"\\\r\n\t"));
        assert_null(strpbrk(auth.opaque, "\"\\\r\n\t"));
        assert_ptr_equal(strpbrk(login, "\r\n"), login + strlen(login) - 2);
    }
}

static void a_user_name_with_quotes_is_escaped(void **state)
{
    struct gw_rtsp_auth auth;
    char login[GW_RTSP_LOGIN_SIZE];
    assert_true(challenge(&auth, "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n"));
    assert_int_equal(gw_rtsp_auth_write(&auth, "site\\op\"1\r\n", "x", "OPTIONS", "*", login), 0);
    assert_has(login, "username=\"site\\\\op\\\"1\"");
    assert_ptr_equal(strpbrk(login, "\r\n"), login + strlen(login) - 2);
}

static void endless_values_do_not_overflow(void **state)
{
    struct gw_rtsp_auth auth;
    char text[1400], login[GW_RTSP_LOGIN_SIZE], longest[GW_URL_SIZE];
    char filler[301];
    memset(filler, 'x', 300);
    filler[300] = 0;
    memset(longest, 'u', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = 0;
    snprintf(text, sizeof(text),
             "WWW-Authenticate: Digest realm=\"%s\", nonce=\"%s\", opaque=\"%s\", qop=auth\r\n",
             filler, filler, filler);
    assert_true(challenge(&auth, text));
    write_login(&auth, "GET_PARAMETER", longest, login);
    snprintf(text, sizeof(text), "WWW-Authenticate: Digest %s=1, realm=r\r\n", filler);
    assert_true(challenge(&auth, text));
    assert_string_equal(auth.realm, "");
}

static void without_a_challenge_nothing_is_told(void **state)
{
    struct gw_rtsp_auth auth = {0};
    char login[GW_RTSP_LOGIN_SIZE];
    write_login(&auth, "OPTIONS", "*", login);
    assert_string_equal(login, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_rfc_7616_are_answered),
        cmocka_unit_test(a_challenge_without_qop_is_answered_as_in_rfc_2069),
        cmocka_unit_test(basic_is_answered_where_nothing_else_is_offered),
        cmocka_unit_test(the_strongest_of_several_challenges_is_answered),
        cmocka_unit_test(several_challenges_in_one_header_are_told_apart),
        cmocka_unit_test(a_nonce_that_is_only_old_is_told),
        cmocka_unit_test(uses_of_a_nonce_are_counted_from_one_on),
        cmocka_unit_test(a_challenge_cannot_inject_quotes_or_lines),
        cmocka_unit_test(a_user_name_with_quotes_is_escaped),
        cmocka_unit_test(endless_values_do_not_overflow),
        cmocka_unit_test(without_a_challenge_nothing_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
