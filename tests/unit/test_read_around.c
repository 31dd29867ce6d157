// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "storage/read_around.h"

enum { ROWS = 2000, AROUND = 128 << 10 };

// SQLite calls this one: a disk that is slow, when a test says so, to give what is not in memory.
static bool slow, in_memory[4096]; // by page
static int pages, arounds;
static off_t last_around;
ssize_t pread64(int fd, void *bytes, size_t size, off_t offset);
ssize_t pread64(int fd, void *bytes, size_t size, off_t offset)
{
    if (slow && !in_memory[offset / 4096])
        usleep(500);
    for (off_t at = offset; at < offset + (off_t)size; at += 4096)
        in_memory[at / 4096] = true;
    if (size == AROUND) {
        arounds++;
        last_around = offset;
    } else {
        pages++;
    }
    return syscall(SYS_pread64, fd, bytes, size, offset);
}

static char path[64];
static sqlite3 *db;

// A row fills a page, so that each is a read.
static int make_table(void **state)
{
    strcpy(path, "/tmp/gridwatch-test-XXXXXX");
    const int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    close(fd);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, gw_read_around_vfs()) != SQLITE_OK)
        return -1;
    slow = false;
    return sqlite3_exec(
               db,
               "PRAGMA cache_size = 10; PRAGMA page_size = 4096;"
               "CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB);"
               "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000)"
               "INSERT INTO t SELECT i, zeroblob(3500) FROM n",
               NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : -1;
}

static int remove_table(void **state)
{
    sqlite3_close(db);
    return unlink(path);
}

static void read_row(int id)
{
    sqlite3_stmt *statement;
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT id, length(x) FROM t WHERE id = ?1", -1, &statement, NULL),
        SQLITE_OK);
    sqlite3_bind_int(statement, 1, id);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(statement, 0), id);
    assert_int_equal(sqlite3_column_int(statement, 1), 3500);
    sqlite3_finalize(statement);
}

static void a_page_that_waited_for_the_disk_brings_its_neighbours(void **state)
{
    slow = true;
    arounds = 0;
    read_row(1500); // the page that leads to it, and its own
    assert_in_range(arounds, 1, 3);
    assert_int_equal(last_around % AROUND, 0);
    assert_in_range(last_around / 4096, 1500 - 64, 1500 + 16);
    const int first = (int)(last_around / 4096); // rows have about the number of their page
    const int before = arounds;
    for (int id = first + 22; id > first + 4; id--)
        read_row(id);
    assert_int_equal(arounds, before);
    read_row(100);
    assert_true(arounds > before);
}

static void rows_are_the_same_on_a_slow_disk_up_to_the_end_of_the_file(void **state)
{
    slow = true;
    for (int id = ROWS; id > 0; id -= 37)
        read_row(id);
    slow = false;
    for (int id = 1; id <= ROWS; id++)
        read_row(id);
}

static void pages_in_memory_are_read_alone(void **state)
{
    read_row(1);
    pages = arounds = 0;
    for (int i = 0; i < 500; i++)
        read_row(1 + i * 769 % ROWS);
    assert_true(pages >= 450);
    assert_true(arounds < pages / 5); // only where the test itself had to wait for a processor
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_page_that_waited_for_the_disk_brings_its_neighbours,
                                        make_table, remove_table),
        cmocka_unit_test_setup_teardown(rows_are_the_same_on_a_slow_disk_up_to_the_end_of_the_file,
                                        make_table, remove_table),
        cmocka_unit_test_setup_teardown(pages_in_memory_are_read_alone, make_table, remove_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
