// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyze/zones.h"
#include "core/error.h"

static char error[GW_ZONES_ERROR_SIZE];

static void assert_refused(const char *text, const char *expected)
{
    struct gw_zones zones = {.zone_count = -7};
    assert_int_equal(gw_zones_parse(&zones, text, "site.json", error), GW_ERROR_INVALID);
    assert_string_equal(error, expected);
    assert_int_equal(zones.zone_count, -7);
}

static void zones_and_masks_are_read(void **state)
{
    struct gw_zones zones;
    assert_int_equal(
        gw_zones_parse(
            &zones,
            "{\"zones\": [{\"name\": \"门口\", \"polygon\": [[0,0],[1,0],[0.5,1]]},"
            " {\"name\": \"b\", \"polygon\": [[0,0],[1,0],[1,1],[0,1]], \"sensitivity\": 1,"
            " \"min_size\": 0.15}],"
            " \"masks\": [{\"polygon\": [[0,0],[0.5,0],[0.5,0.5],[0,0.5]]}]}",
            "site.json", error),
        0);
    assert_int_equal(zones.zone_count, 2);
    assert_string_equal(zones.zones[0].name, "门口");
    assert_true(zones.zones[0].sensitivity == 0.5);
    assert_true(zones.zones[0].min_size == 0);
    assert_true(zones.zones[1].sensitivity == 1);
    assert_true(zones.zones[1].min_size == 0.15);
    assert_true(gw_zones_masked(&zones, 0.2, 0.2));
    assert_false(gw_zones_masked(&zones, 0.7, 0.2));
}

static void a_point_is_inside_a_polygon_that_is_not_convex(void **state)
{
    const struct gw_polygon l_shape = {6, {0, 1, 1, 0.5, 0.5, 0}, {0, 0, 0.5, 0.5, 1, 1}};
    assert_true(gw_polygon_contains(&l_shape, 0.2, 0.9));
    assert_true(gw_polygon_contains(&l_shape, 0.9, 0.2));
    assert_false(gw_polygon_contains(&l_shape, 0.9, 0.9));
}

static void broken_json_is_refused_with_its_line(void **state)
{
    struct gw_zones zones;
    assert_int_equal(gw_zones_parse(&zones, "{\n\"zones\": [\n}", "site.json", error),
                     GW_ERROR_INVALID);
    assert_memory_equal(error, "site.json:3:", 12);
    assert_null(strchr(error, '\n'));
}

static void every_mistake_is_named_with_its_place(void **state)
{
    assert_refused("[]", "site.json: the file must be an object {…}");
    assert_refused("{\"zone\": []}", "site.json: the file has an unknown key \"zone\"");
    assert_refused("{\"\\nzo\\u001bne\": []}", // an error is one line of text
                   "site.json: the file has an unknown key \"?zo?ne\"");
    assert_refused("{\"zones\": {}}", "site.json: zones must be a list […]");
    assert_refused("{\"zones\": [{\"polygon\": [[0,0],[1,0],[1,1]]}]}",
                   "site.json: zones[0].name must be a text of 1 to 31 bytes");
    assert_refused("{\"zones\": [{\"name\": \"a\", \"polygon\": [[0,0],[1,0]]}]}",
                   "site.json: zones[0].polygon must be a list of 3 to 32 points [x, y]");
    assert_refused("{\"masks\": [{\"polygon\": [[0,0],[1,0],[640,480]]}]}",
                   "site.json: masks[0].polygon[2] must be [x, y], each between 0 and 1");
    assert_refused(
        "{\"zones\": [{\"name\": \"a\", \"polygon\": [[0,0],[1,0],[1,1]], \"sensitivity\": 50}]}",
        "site.json: zones[0].sensitivity must be a number between 0 and 1");
    assert_refused(
        "{\"zones\": [{\"name\": \"a\", \"polygon\": [[0,0],[1,0],[1,1]], \"min_size\": 40}]}",
        "site.json: zones[0].min_size must be a number between 0 and 1: the thing's longer side, "
        "as a fraction of the picture's height");
    assert_refused("{\"masks\": [{\"polygons\": []}]}",
                   "site.json: masks[0] has an unknown key \"polygons\"");
}

static void a_file_that_is_not_there_is_named(void **state)
{
    struct gw_zones zones;
    assert_int_equal(gw_zones_load(&zones, "/nowhere/site.json", error), -ENOENT);
    assert_string_equal(error, "/nowhere/site.json: No such file or directory");
}

static void a_file_is_read(void **state)
{
    char path[] = "/tmp/gridwatch-zones-XXXXXX";
    const char text[] = "{\"masks\": [{\"name\": \"window\", \"polygon\": [[0,0],[1,0],[1,1]]}]}";
    struct gw_zones zones;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    close(fd);
    const int result = gw_zones_load(&zones, path, error);
    unlink(path);
    assert_int_equal(result, 0);
    assert_int_equal(zones.mask_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zones_and_masks_are_read),
        cmocka_unit_test(a_point_is_inside_a_polygon_that_is_not_convex),
        cmocka_unit_test(broken_json_is_refused_with_its_line),
        cmocka_unit_test(every_mistake_is_named_with_its_place),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
        cmocka_unit_test(a_file_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
