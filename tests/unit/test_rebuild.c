// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "storage/index_internal.h"
#include "storage/index_rebuild.h"
#include "tests/unit/index_dump.h"
#include "tests/unit/index_store.h"

static const char *const tables[] = {"event", "clip", "gap", "tally", "place", "camera", "boot"};
enum { TABLES = 7 };

static void dump(char *ret[TABLES])
{
    for (int i = 0; i < TABLES; i++)
        ret[i] = dump_table(idx, tables[i]);
}

static void compare(char *was[TABLES], int count)
{
    for (int i = 0; i < TABLES; i++) {
        char *is = dump_table(idx, tables[i]);
        if (i < count)
            assert_string_equal(is, was[i]);
        free(is);
        free(was[i]);
    }
}

// Some of everything, from two runs of a worker.
static void fill(void)
{
    struct gw_camera camera = make_camera("a", "640323101", "004");
    struct gw_fact_entry entry = {.boot = gw_id_make(1), .boot_seq = 1};
    camera.lon = 106.1;
    camera.lat = 37.8;
    camera.record = GW_RECORD_CONTINUOUS;
    strcpy(camera.username, "viewer");
    strcpy(camera.password, "s3cret");
    gw_index_put_camera(idx, &camera);
    assert_int_equal(gw_index_settle_coverage(idx, NULL, 0, TEST_START_US), 0);
    entry.fact = (struct gw_fact){.kind = GW_FACT_COVERAGE, .wall_us = TEST_START_US + 5};
    entry.fact.coverage = (struct gw_coverage_news){.camera = "a",
                                                    .change = GW_COVERAGE_BROKE,
                                                    .cause = GW_GAP_REFUSED,
                                                    .from_us = TEST_START_US + 5,
                                                    .to_us = TEST_START_US + 5};
    assert_int_equal(gw_index_commit(idx, &entry, 1), 0);
    for (int i = 0; i < 30; i++) {
        const int64_t start_us = TEST_START_US + i * 10 * GW_SECOND;
        struct gw_event event = make_event(i % 3 ? "a" : "b", start_us, start_us + GW_SECOND);
        struct gw_clip clip = make_clip("a", start_us, start_us + 9 * GW_SECOND);
        event.score = rand() / (double)RAND_MAX;
        commit_event(GW_FACT_EVENT_OPENED, &event);
        commit_clip(GW_FACT_CLIP_OPENED, &clip);
        if (i % 7)
            commit_event(GW_FACT_EVENT_CLOSED, &event);
        commit_clip(GW_FACT_CLIP_CLOSED, &clip);
        if (i == 15) {
            camera.view.range_m = 50;
            gw_index_put_camera(idx, &camera);
        }
    }
}

static struct gw_rebuild_result rebuild(void)
{
    const struct gw_rebuild how = {.store = store, .division = "640323"};
    struct gw_rebuild_result result;
    char error[GW_INDEX_ERROR_SIZE] = "";
    gw_index_close(&idx);
    int failed = gw_index_rebuild(&how, &result, error);
    if (failed)
        print_error("%s\n", error);
    assert_int_equal(failed, 0);
    idx = open_index(GW_INDEX_WRITE);
    return result;
}

static char *in_store(const char *name, char ret[PATH_MAX + 64])
{
    snprintf(ret, PATH_MAX + 64, "%s/%s", store, name);
    return ret;
}

// --- facts ---------------------------------------------------------------------------------------

static void the_rows_are_those_that_were(void **state)
{
    char *was[TABLES], path[PATH_MAX + 64];
    struct gw_camera_row row;
    fill();
    const int64_t head = gw_index_head(idx);
    const uint64_t epoch = gw_index_epoch(idx);
    dump(was);
    struct gw_rebuild_result result = rebuild();
    assert_int_equal(result.facts, head);
    assert_int_equal(result.found, 0);
    assert_true(result.registry);
    compare(was, TABLES);
    assert_int_equal(gw_index_head(idx), head);
    assert_true(gw_index_epoch(idx) == epoch);
    assert_int_equal(gw_index_camera(idx, "a", &row), 0);
    assert_string_equal(row.camera.password, "s3cret");
    assert_int_equal(access(in_store("index.db.old", path), F_OK), 0);
    assert_int_equal(access(in_store("index.new", path), F_OK), -1);
    // And it goes on.
    struct gw_event event = make_event("a", TEST_START_US, TEST_START_US);
    assert_int_equal(commit_event(GW_FACT_EVENT_OPENED, &event), 0);
    assert_int_equal(gw_index_head(idx), head + 2);
}

static void without_the_old_index_only_the_registry_is_lost(void **state)
{
    char *was[TABLES], path[PATH_MAX + 64];
    fill();
    dump(was);
    unlink(in_store("index.db", path));
    unlink(in_store("index.db-wal", path));
    struct gw_rebuild_result result = rebuild();
    assert_false(result.registry);
    assert_string_equal(result.why_not, "there is no old index");
    compare(was, 4);
}

static void a_damaged_index_is_made_again(void **state)
{
    char *was[TABLES], path[PATH_MAX + 64];
    fill();
    dump(was);
    gw_index_close(&idx);
    FILE *file = fopen(in_store("index.db", path), "r+");
    fseek(file, 40, SEEK_SET);
    for (int i = 0; i < 30000; i++)
        fputc(rand(), file);
    fclose(file);
    struct gw_rebuild_result result = rebuild();
    assert_false(result.registry);
    assert_true(*result.why_not);
    compare(was, 4);
}

static void an_index_from_a_backup_catches_up_with_its_journal(void **state)
{
    char *was[TABLES], command[2 * PATH_MAX + 200], error[GW_INDEX_ERROR_SIZE];
    struct gw_index *index = NULL;
    fill();
    gw_index_close(&idx);
    snprintf(command, sizeof(command), "cp %s/index.db %s/backup", store, store);
    assert_int_equal(system(command), 0);
    idx = open_index(GW_INDEX_WRITE);
    for (int i = 0; i < 3; i++) {
        struct gw_event event = make_event("a", TEST_START_US, TEST_START_US);
        commit_event(GW_FACT_EVENT_OPENED, &event);
    }
    dump(was);
    gw_index_close(&idx);
    snprintf(command, sizeof(command), "mv %s/backup %s/index.db", store, store);
    assert_int_equal(system(command), 0);
    assert_int_equal(gw_index_open(&index, store, GW_INDEX_WRITE, "", error), GW_ERROR_INVALID);
    rebuild();
    compare(was, TABLES);
}

static void a_journal_cut_short_gives_what_is_whole(void **state)
{
    char path[PATH_MAX + 64];
    struct stat status;
    fill();
    const int64_t head = gw_index_head(idx);
    in_store("journal/00000000000000000001.log", path);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(truncate(path, status.st_size - 10), 0);
    struct gw_rebuild_result result = rebuild();
    assert_int_equal(result.facts, head - 1);
    assert_int_equal(gw_index_head(idx), head - 1);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, make_store, remove_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(the_rows_are_those_that_were),
        FACT(without_the_old_index_only_the_registry_is_lost),
        FACT(a_damaged_index_is_made_again),
        FACT(an_index_from_a_backup_catches_up_with_its_journal),
        FACT(a_journal_cut_short_gives_what_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
