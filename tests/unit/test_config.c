// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/config.h"
#include "core/clock.h"
#include "core/error.h"

static char path[64];

static const char *write_file(const char *text)
{
    strcpy(path, "/tmp/test_config_XXXXXX");
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_true(write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
    return path;
}

static int load(const char *text, struct gw_config *config, char error[GW_CONFIG_ERROR_SIZE])
{
    int result = gw_config_load(config, write_file(text), error);
    unlink(path);
    return result;
}

static void an_empty_file_is_all_defaults(void **state)
{
    const char *texts[] = {"", "# nothing but a comment\n", "record:\n"};
    char error[GW_CONFIG_ERROR_SIZE];
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct gw_config config;
        assert_int_equal(load(texts[i], &config, error), 0);
        assert_string_equal(config.store, "/var/lib/gridwatch");
        assert_string_equal(config.console_listen, "127.0.0.1:8471");
        assert_int_equal(config.preroll_us, 5 * GW_SECOND);
        assert_int_equal(config.ring_bytes, 16 << 20);
        assert_string_equal(config.analysis_level, "auto");
    }
}

static void values_with_units_are_read(void **state)
{
    struct gw_config config;
    char error[GW_CONFIG_ERROR_SIZE];
    assert_int_equal(load("store: /data\nworkers: 3\nsite:\n  division: \"640323\"\n"
                          "record: {preroll: 2500ms, split: 10m, ring: 8MiB}\n",
                          &config, error),
                     0);
    assert_string_equal(config.store, "/data");
    assert_int_equal(config.workers, 3);
    assert_string_equal(config.division, "640323");
    assert_int_equal(config.preroll_us, 2500000);
    assert_int_equal(config.split_us, 600 * GW_SECOND);
    assert_int_equal(config.ring_bytes, 8 << 20);
}

static void each_mistake_says_line_column_and_what_would_be_right(void **state)
{
    const struct {
        const char *text, *where, *what;
    } cases[] = {
        {"stor: /x\n", ":1:1: ", "did you mean \"store\"?"},
        {"record:\n  prerol: 5s\n", ":2:3: ", "did you mean \"record.preroll\"?"},
        {"record:\n  preroll: 5\n", ":2:12: ", "write one like 5s"},
        {"record:\n  preroll: 2h\n", ":2:12: ", "it takes 0us to 1m"},
        {"record: 5s\n", ":1:9: ", "is a section"},
        {"store: [a, b]\n", ":1:8: ", "takes one value"},
        {"store: a\nstore: b\n", ":2:1: ", "is there twice"},
        {"workers: many\n", ":1:10: ", "no whole number"},
        {"workers: -1\n", ":1:10: ", "it takes 0 to 256"},
        {"site:\n  division: \"64\"\n", ":2:13: ", "6, 9 or 12 digits"},
        {"log:\n  level: loud\n", ":2:10: ", "one of: error warning"},
        {"console:\n  listen: 8471\n", ":2:11: ", "write one like 127.0.0.1:8471"},
        {"bus:\n  listen: 0.0.0.0:8472\n", ":2:11: ", "others need CURVE"},
        {"bus:\n  listen: 127.0.0.1.example.org:8472\n", ":2:11: ", "loopback"},
        {"bus:\n  listen: localhost:8472\n", ":2:11: ", "use 127.0.0.1"},
        {"index:\n  engine: postgres\n", ":2:11: ", "one of: sqlite redis"},
        {"index:\n  redis: tcp://192.0.2.1:6379\n", ":2:10: ", "loopback only"},
        {"index:\n  redis: redis.sock\n", ":2:10: ", "write unix:/run/redis"},
        {"log:\n  level: info debug\n", ":2:10: ", "one of: error warning"},
        {"analysis:\n  level: none\n", ":2:10: ", "auto gate keyframes full off"},
        {"store:\n", ":1:7: ", "is empty"},
        {"- a\n", ":1:1: ", "key: value"},
        {"store: \"x\n", ":2:1: ", "not YAML"},
        {"{unrelated: 1}\n", ":1:2: ", "there is no key \"unrelated\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gw_config config = {.workers = 77};
        char error[GW_CONFIG_ERROR_SIZE] = "";
        assert_int_equal(load(cases[i].text, &config, error), GW_ERROR_INVALID);
        if (strncmp(error, path, strlen(path)) ||
            strncmp(error + strlen(path), cases[i].where, strlen(cases[i].where)) ||
            !strstr(error, cases[i].what))
            fail_msg("%s gave \"%s\", expected \"%s\" and \"%s\"", cases[i].text, error,
                     cases[i].where, cases[i].what);
        assert_int_equal(config.workers, 77);
    }
}

static void check_reports_every_mistake(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(gw_config_check(write_file("a: 1\nworkers: x\nlog: {level: y}\n"), out), 3);
    unlink(path);
    fclose(out);
    assert_non_null(strstr(text, ":1:1: "));
    assert_non_null(strstr(text, ":2:10: "));
    assert_non_null(strstr(text, ":3:14: "));
    free(text);
}

static void a_missing_file_is_named(void **state)
{
    struct gw_config config;
    char error[GW_CONFIG_ERROR_SIZE];
    assert_int_equal(gw_config_load(&config, "/nonexistent.yaml", error), -ENOENT);
    assert_non_null(strstr(error, "/nonexistent.yaml"));
}

static char *read_source(const char *name)
{
    char full[512], *text = calloc(1, 1 << 16);
    const char *root = getenv("GRIDWATCH_SOURCE_ROOT");
    assert_non_null(root);
    snprintf(full, sizeof(full), "%s/%s", root, name);
    FILE *file = fopen(full, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
    fclose(file);
    return text;
}

static void assert_prints_the_file(void (*print)(FILE *), const char *name)
{
    char *text = NULL, *expected = read_source(name);
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    print(out);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
    free(expected);
}

static void the_example_and_the_reference_are_what_the_table_says(void **state)
{
    assert_prints_the_file(gw_config_print_example, "deploy/gridwatch.yaml");
    assert_prints_the_file(gw_config_print_reference, "docs/ref/config.md");
}

static void the_example_is_a_good_file(void **state)
{
    char *text = read_source("deploy/gridwatch.yaml"), error[GW_CONFIG_ERROR_SIZE] = "";
    struct gw_config config, defaults;
    gw_config_defaults(&defaults);
    assert_int_equal(load(text, &config, error), 0);
    assert_string_equal(config.bus_listen, defaults.bus_listen);
    assert_int_equal(config.split_us, defaults.split_us);
    assert_string_equal(config.run_dir, "");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_is_all_defaults),
        cmocka_unit_test(values_with_units_are_read),
        cmocka_unit_test(each_mistake_says_line_column_and_what_would_be_right),
        cmocka_unit_test(check_reports_every_mistake),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(the_example_and_the_reference_are_what_the_table_says),
        cmocka_unit_test(the_example_is_a_good_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
