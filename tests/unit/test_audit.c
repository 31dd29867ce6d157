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
#include <string.h>
#include <unistd.h>

#include "console/audit.h"
#include "core/error.h"

#define NOW INT64_C(1777863721000000)

static char store[64];
static struct gw_console_db db;

static int open_db(void **state)
{
    char error[256];
    strcpy(store, "/tmp/gw-audit-XXXXXX");
    return !mkdtemp(store) || gw_console_db_open(&db, store, error) < 0;
}

static int close_db(void **state)
{
    const char *names[] = {"console.db", "console.db-wal", "console.db-shm"};
    char path[96];
    gw_console_db_close(&db);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", store, names[i]);
        unlink(path);
    }
    return rmdir(store);
}

static struct gw_audit_entry look(const char *session, const char *object, int64_t wall_us,
                                  bool continued)
{
    return (struct gw_audit_entry){wall_us,   session,    "clip.media", object,
                                   "gate-07", "10.0.0.9", continued};
}

static int record(const char *session, const char *object, int64_t wall_us, bool continued)
{
    struct gw_audit_entry entry = look(session, object, wall_us, continued);
    return gw_audit_record(&db, &entry);
}

static void a_look_leaves_a_row_with_who_what_when_and_where_from(void **state)
{
    sqlite3_stmt *statement;
    assert_int_equal(record("alice", "clip-1", NOW, false), 1);
    assert_int_equal(gw_console_db_prepare(
                         &db, &statement,
                         "SELECT count(*) FROM audit WHERE wall_us = ? AND session = ? AND"
                         " action = ? AND object = ? AND camera = ? AND remote = ?",
                         "ittttt", NOW, "alice", "clip.media", "clip-1", "gate-07", "10.0.0.9"),
                     0);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(statement, 0), 1);
    sqlite3_finalize(statement);
}

static void the_parts_of_a_clip_within_a_minute_are_one_look(void **state)
{
    assert_int_equal(record("alice", "clip-1", NOW, true), 1);
    assert_int_equal(record("alice", "clip-1", NOW + 1, true), 0);
    assert_int_equal(record("alice", "clip-1", NOW + GW_AUDIT_LOOK_US - 1, true), 0);
}

static void after_a_minute_it_is_a_new_look(void **state)
{
    assert_int_equal(record("alice", "clip-1", NOW, true), 1);
    assert_int_equal(record("alice", "clip-1", NOW + GW_AUDIT_LOOK_US, true), 1);
}

static void a_whole_file_is_always_a_new_look(void **state)
{
    assert_int_equal(record("alice", "clip-1", NOW, false), 1);
    assert_int_equal(record("alice", "clip-1", NOW + 1, false), 1);
}

static void another_session_or_clip_or_action_is_a_new_look(void **state)
{
    struct gw_audit_entry other = look("alice", "clip-1", NOW, true);
    assert_int_equal(record("alice", "clip-1", NOW, true), 1);
    assert_int_equal(record("bob", "clip-1", NOW, true), 1);
    assert_int_equal(record("alice", "clip-2", NOW, true), 1);
    other.action = "event.snapshot";
    assert_int_equal(gw_audit_record(&db, &other), 1);
}

static void a_row_from_the_future_excuses_nothing(void **state)
{
    assert_int_equal(record("alice", "clip-1", NOW, true), 1);
    assert_int_equal(record("alice", "clip-1", NOW - 3600 * GW_SECOND, true), 1);
}

static void a_log_that_cannot_be_written_is_an_error(void **state)
{
    assert_true(gw_console_db_run(&db, "DROP TABLE audit", "") >= 0);
    assert_int_equal(record("alice", "clip-1", NOW, false), GW_ERROR_INDEX);
    assert_int_equal(record("alice", "clip-1", NOW, true), GW_ERROR_INDEX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_look_leaves_a_row_with_who_what_when_and_where_from,
                                        open_db, close_db),
        cmocka_unit_test_setup_teardown(the_parts_of_a_clip_within_a_minute_are_one_look, open_db,
                                        close_db),
        cmocka_unit_test_setup_teardown(after_a_minute_it_is_a_new_look, open_db, close_db),
        cmocka_unit_test_setup_teardown(a_whole_file_is_always_a_new_look, open_db, close_db),
        cmocka_unit_test_setup_teardown(another_session_or_clip_or_action_is_a_new_look, open_db,
                                        close_db),
        cmocka_unit_test_setup_teardown(a_row_from_the_future_excuses_nothing, open_db, close_db),
        cmocka_unit_test_setup_teardown(a_log_that_cannot_be_written_is_an_error, open_db,
                                        close_db),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
