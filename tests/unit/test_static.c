// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include "console/static.h"

static void the_pages_own_files_have_valid_paths(void **state)
{
    assert_true(gw_static_path_valid("/index.html"));
    assert_true(gw_static_path_valid("/assets/index-B7Fq_x2.js"));
    assert_true(gw_static_path_valid("/favicon.ico"));
}

static void no_path_leads_out_of_the_page(void **state)
{
    const char *paths[] = {"/../console.db",
                           "/assets/../../index.db",
                           "/..",
                           "/.",
                           "/.env",
                           "/assets/.git/config",
                           "//etc/passwd",
                           "/assets//x.js",
                           "/assets/",
                           "/",
                           "",
                           "index.html",
                           "/a\\..\\b",
                           "/a b",
                           "/%2e%2e/x",
                           "/assets/x.js\n"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_false(gw_static_path_valid(paths[i]));
}

static void browsers_are_told_what_a_file_is(void **state)
{
    assert_string_equal(gw_static_type("/index.html"), "text/html; charset=utf-8");
    assert_string_equal(gw_static_type("/assets/a.b.js"), "text/javascript; charset=utf-8");
    assert_string_equal(gw_static_type("/assets/a.css"), "text/css; charset=utf-8");
    assert_string_equal(gw_static_type("/assets/a.woff2"), "font/woff2");
    assert_string_equal(gw_static_type("/assets/a.svg"), "image/svg+xml");
    assert_string_equal(gw_static_type("/assets/what"), "application/octet-stream");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pages_own_files_have_valid_paths),
        cmocka_unit_test(no_path_leads_out_of_the_page),
        cmocka_unit_test(browsers_are_told_what_a_file_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
