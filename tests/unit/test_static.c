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
#include <unistd.h>

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

static void the_page_is_where_the_environment_says(void **state)
{
    char folder[] = "/tmp/gw-static-XXXXXX", index[64];
    assert_non_null(mkdtemp(folder));
    setenv("GRIDWATCH_WEB_ROOT", folder, 1);
    assert_null(gw_static_find_root(NULL)); // there is no page in it yet
    snprintf(index, sizeof(index), "%s/index.html", folder);
    fclose(fopen(index, "w"));
    char *root = gw_static_find_root(NULL);
    assert_string_equal(root, folder);
    assert_null(gw_static_find_root("/nonexistent"));
    free(root);
    unsetenv("GRIDWATCH_WEB_ROOT");
    unlink(index);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pages_own_files_have_valid_paths),
        cmocka_unit_test(no_path_leads_out_of_the_page),
        cmocka_unit_test(browsers_are_told_what_a_file_is),
        cmocka_unit_test(the_page_is_where_the_environment_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
