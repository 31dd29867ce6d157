// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include "console/origin.h"

static void our_own_page_may_change_things(void **state)
{
    assert_true(gw_origin_allowed("same-origin", "http://10.0.0.5:8471", "10.0.0.5:8471"));
    assert_true(gw_origin_allowed(NULL, "http://console.example", "console.example"));
}

static void a_page_behind_a_proxy_that_speaks_tls_is_our_own(void **state)
{
    assert_true(gw_origin_allowed("same-origin", "https://console.example", "console.example"));
}

static void a_program_says_nothing_of_where_it_comes_from(void **state)
{
    assert_true(gw_origin_allowed(NULL, NULL, "10.0.0.5:8471"));
}

static void another_site_may_not_change_things(void **state)
{
    assert_false(gw_origin_allowed("cross-site", NULL, "10.0.0.5:8471"));
    assert_false(gw_origin_allowed("same-site", NULL, "10.0.0.5:8471"));
    assert_false(gw_origin_allowed(NULL, "http://evil.example", "10.0.0.5:8471"));
    assert_false(gw_origin_allowed("same-origin", "http://evil.example", "10.0.0.5:8471"));
    assert_false(gw_origin_allowed(NULL, "null", "10.0.0.5:8471"));
    assert_false(gw_origin_allowed(NULL, "http://10.0.0.5:8471", NULL));
}

static void another_port_is_another_site(void **state)
{
    assert_false(gw_origin_allowed(NULL, "http://10.0.0.5:80", "10.0.0.5:8471"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_page_may_change_things),
        cmocka_unit_test(a_page_behind_a_proxy_that_speaks_tls_is_our_own),
        cmocka_unit_test(a_program_says_nothing_of_where_it_comes_from),
        cmocka_unit_test(another_site_may_not_change_things),
        cmocka_unit_test(another_port_is_another_site),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
