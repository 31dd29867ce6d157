// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <string.h>

#include "console/router.h"

static enum gw_match match(const char *method, const char *path, struct gw_route_match *ret)
{
    return gw_router_match(gw_routes, gw_route_count, method, path, ret);
}

static void a_path_finds_its_route(void **state)
{
    struct gw_route_match found;
    assert_int_equal(match("GET", "/api/v1/events", &found), GW_MATCH_FOUND);
    assert_string_equal(found.route->pattern, "/api/v1/events");
}

static void an_id_in_the_path_is_handed_on(void **state)
{
    struct gw_route_match found;
    assert_int_equal(match("GET", "/api/v1/clips/abc/media", &found), GW_MATCH_FOUND);
    assert_string_equal(found.route->pattern, "/api/v1/clips/{id}/media");
    assert_string_equal(found.target, "abc");
}

static void head_is_answered_wherever_get_is(void **state)
{
    struct gw_route_match found;
    assert_int_equal(match("HEAD", "/api/v1/clips/abc/media", &found), GW_MATCH_FOUND);
    assert_int_equal(match("HEAD", "/healthz", &found), GW_MATCH_FOUND);
}

static void a_method_that_a_path_has_not_is_told_which_it_has(void **state)
{
    struct gw_route_match found;
    assert_int_equal(match("POST", "/api/v1/events", &found), GW_MATCH_NO_METHOD);
    assert_string_equal(found.allow, "GET, HEAD");
    assert_int_equal(match("PUT", "/api/v1/session", &found), GW_MATCH_NO_METHOD);
    assert_string_equal(found.allow, "POST, GET, HEAD, DELETE");
}

static void a_path_matches_whole_or_not_at_all(void **state)
{
    const char *paths[] = {"",
                           "/",
                           "/api/v1/event",
                           "/api/v1/events/",
                           "/api/v1/eventsx",
                           "/api/v1/events/abc/",
                           "/api/v1/events//snapshot",
                           "/api/v1/events/a/b/snapshot",
                           "/api/v1/clips/abc/snapshot",
                           "/API/v1/events"};
    struct gw_route_match found;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_int_equal(match("GET", paths[i], &found), GW_MATCH_NO_PATH);
}

static void a_segment_too_long_for_an_id_becomes_none(void **state)
{
    char path[512] = "/api/v1/events/";
    struct gw_route_match found;
    memset(path + 15, 'a', 400);
    assert_int_equal(match("GET", path, &found), GW_MATCH_FOUND);
    assert_string_equal(found.target, "");
}

static void nothing_but_health_and_the_login_is_open(void **state)
{
    for (int i = 0; i < gw_route_count; i++) {
        const struct gw_route *route = &gw_routes[i];
        if (strncmp(route->pattern, "/api/", 5))
            continue;
        bool is_login =
            !strcmp(route->method, "POST") && !strcmp(route->pattern, "/api/v1/session");
        assert_int_equal(!(route->needs & GW_ROUTE_SESSION), is_login);
    }
}

static void every_id_is_checked_before_its_handler(void **state)
{
    for (int i = 0; i < gw_route_count; i++)
        assert_int_equal(strstr(gw_routes[i].pattern, "{id}") != NULL,
                         (gw_routes[i].needs & GW_ROUTE_ID) != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_finds_its_route),
        cmocka_unit_test(an_id_in_the_path_is_handed_on),
        cmocka_unit_test(head_is_answered_wherever_get_is),
        cmocka_unit_test(a_method_that_a_path_has_not_is_told_which_it_has),
        cmocka_unit_test(a_path_matches_whole_or_not_at_all),
        cmocka_unit_test(a_segment_too_long_for_an_id_becomes_none),
        cmocka_unit_test(nothing_but_health_and_the_login_is_open),
        cmocka_unit_test(every_id_is_checked_before_its_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
