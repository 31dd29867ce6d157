// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Facts of rows that are gone leave the journal.

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/error.h"
#include "storage/index_delete.h"
#include "storage/index_internal.h"
#include "storage/journal_internal.h"
#include "storage/journal_prune.h"
#include "storage/retention.h"
#include "tests/unit/index_store.h"

#define S   GW_SECOND
#define T   TEST_START_US
#define DAY GW_DAY_US

static int make_quick_store(void **state)
{
    int result = make_store(state);
    sqlite3_exec(idx->db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
    return result;
}

// As if the file had grown to its size: the next fact begins another one.
static void end_file(void)
{
    char path[PATH_MAX], name[GW_JOURNAL_NAME_SIZE];
    struct gw_journal_end end;
    assert_int_equal(gw_index_read_end(idx, &end), 0);
    // Epoch and facts stay; the index is told to append elsewhere.
    end.segment = 0;
    assert_int_equal(gw_index_write_end(idx, &end), 0);
    snprintf(path, sizeof(path), "%s/journal/%s", store, gw_journal_file_name(name, 1));
    assert_int_equal(access(path, F_OK), 0);
}

static struct gw_event add_event(const char *camera, int64_t start_us)
{
    struct gw_event event = make_event(camera, start_us, start_us + 3 * S);
    event.snapshot_us = GW_NO_TIME;
    assert_int_equal(commit_event(GW_FACT_EVENT_CLOSED, &event), 0);
    return event;
}

static void delete_event(const struct gw_event *event, int64_t now_us)
{
    const struct gw_victim victim = {GW_NOUN_EVENT, event->id};
    assert_int_equal(gw_index_delete(idx, &victim, 1, GW_DELETED_EXPIRED, now_us, NULL), 1);
}

struct seen {
    int count;
    uint64_t seqs[64];
    char kinds[64][24];
};

static int note_fact(void *opaque, const struct gw_committed_fact *fact)
{
    struct seen *seen = opaque;
    seen->seqs[seen->count] = fact->seq;
    snprintf(seen->kinds[seen->count++], sizeof(seen->kinds[0]), "%s", fact->kind);
    return 0;
}

static struct seen read_all(void)
{
    struct seen seen = {0};
    assert_true(gw_index_facts(idx, 0, 64, note_fact, &seen) >= 0);
    return seen;
}

static int count_files(void)
{
    uint64_t *firsts;
    int count = gw_journal_list(store, &firsts);
    free(firsts);
    return count;
}

static int64_t prune_all(int64_t before_us)
{
    struct gw_prune prune;
    gw_prune_begin(&prune);
    while (!prune.done)
        assert_int_equal(gw_prune_next(idx, &prune, before_us, T + 100 * DAY), 0);
    return prune.dropped;
}

static void a_file_whose_rows_are_gone_is_removed(void **state)
{
    struct gw_event event = add_event("gate", T);
    end_file();
    add_event("gate", T + 95 * DAY);
    delete_event(&event, T + 95 * DAY);
    assert_int_equal(count_files(), 2);
    const int before = read_all().count;
    const int64_t head = gw_index_head(idx);
    assert_true(prune_all(T + 96 * DAY) > 0);
    assert_int_equal(count_files(), 1);
    assert_true(read_all().count < before);
    assert_int_equal(gw_index_head(idx), head);
}

static void facts_of_rows_that_are_there_stay_in_their_order(void **state)
{
    struct gw_event gone = add_event("gate", T), there = add_event("gate", T + S);
    const int64_t head = gw_index_head(idx);
    end_file();
    add_event("gate", T + 95 * DAY);
    delete_event(&gone, T + 95 * DAY);
    assert_true(prune_all(T + 96 * DAY) > 0);
    assert_int_equal(count_files(), 2);
    struct seen seen = read_all();
    assert_string_equal(seen.kinds[0], "event.closed");
    assert_true(seen.seqs[0] == (uint64_t)head);
    for (int i = 1; i < seen.count; i++)
        assert_true(seen.seqs[i] > seen.seqs[i - 1]);
    assert_int_equal(prune_all(T + 96 * DAY), 0); // once is enough
    (void)there;
}

static void young_files_and_the_last_one_are_left_alone(void **state)
{
    struct gw_event event = add_event("gate", T);
    delete_event(&event, T + S);
    assert_int_equal(prune_all(T + 99 * DAY), 0); // the last
    end_file();
    add_event("gate", T + 2 * S);
    assert_int_equal(prune_all(T + S), 0); // young
    assert_true(prune_all(T + 99 * DAY) > 0);
}

static void a_deletion_is_told_of_until_it_is_old_or_longer_when_held(void **state)
{
    struct gw_event event = add_event("gate", T);
    delete_event(&event, T + S);
    end_file();
    add_event("road", T + DAY);
    struct gw_hold hold = {.case_name = "c",
                           .reason = "r",
                           .author = "a",
                           .created_us = T,
                           .until_us = T + 200 * DAY,
                           .camera = "gate",
                           .from_us = GW_NO_TIME,
                           .to_us = GW_NO_TIME};
    assert_int_equal(gw_index_add_hold(idx, &hold), 0);
    prune_all(T + 2 * DAY);
    assert_string_equal(read_all().kinds[0], "event.deleted");
    assert_int_equal(gw_index_remove_hold(idx, hold.id, "a", "over", T), 0);
    prune_all(T + 2 * DAY);
    assert_int_equal(count_files(), 1);
}

static void what_was_pruned_can_still_be_appended_to(void **state)
{
    struct gw_event event = add_event("gate", T);
    end_file();
    add_event("gate", T + 95 * DAY);
    delete_event(&event, T + 95 * DAY);
    prune_all(T + 96 * DAY);
    struct gw_event next = add_event("gate", T + 97 * DAY);
    struct gw_event_row row;
    gw_index_close(&idx);
    idx = open_index(GW_INDEX_WRITE);
    assert_int_equal(gw_index_event(idx, &next.id, &row), 0);
    struct seen seen = read_all();
    assert_true(seen.seqs[seen.count - 1] == (uint64_t)gw_index_head(idx));
}

int main(void)
{
#define FACT(name) cmocka_unit_test_setup_teardown(name, make_quick_store, remove_store)
    const struct CMUnitTest tests[] = {
        FACT(a_file_whose_rows_are_gone_is_removed),
        FACT(facts_of_rows_that_are_there_stay_in_their_order),
        FACT(young_files_and_the_last_one_are_left_alone),
        FACT(a_deletion_is_told_of_until_it_is_old_or_longer_when_held),
        FACT(what_was_pruned_can_still_be_appended_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
