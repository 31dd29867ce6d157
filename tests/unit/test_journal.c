// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "storage/journal_internal.h"

static char store[PATH_MAX];
static struct gw_journal *journal;
static struct gw_journal_end end;

static int make_journal(void **state)
{
    snprintf(store, sizeof(store), "/tmp/gridwatch-test-XXXXXX");
    if (!mkdtemp(store))
        return -1;
    journal = gw_journal_open(store, 77);
    end = (struct gw_journal_end){0};
    return 0;
}

static int remove_journal(void **state)
{
    char command[PATH_MAX + 16];
    gw_journal_close(&journal);
    snprintf(command, sizeof(command), "rm -rf '%s'", store);
    return system(command);
}

// Adds facts from first on, of size bytes each.
static void add(uint64_t first, int count, size_t size)
{
    char *data = malloc(size + 1);
    memset(data, 'x', size);
    data[size] = 0;
    for (int i = 0; i < count; i++) {
        struct gw_committed_fact fact = {.seq = first + (uint64_t)i,
                                         .wall_us = -5 + i,
                                         .kind = "event.opened",
                                         .topic = "event/640323004/gate-07",
                                         .camera = "gate-07",
                                         .data = data,
                                         .thumbnail = i % 2 ? "media/a.jpg" : ""};
        gw_journal_add(journal, &fact);
    }
    free(data);
}

static int append(uint64_t first, int count, size_t size)
{
    add(first, count, size);
    return gw_journal_append(journal, &end);
}

struct seen {
    uint64_t next;
    int count, stop_after;
};

static int see(void *opaque, const struct gw_committed_fact *fact)
{
    struct seen *seen = opaque;
    assert_int_equal(fact->seq, seen->next);
    assert_string_equal(fact->kind, "event.opened");
    assert_string_equal(fact->topic, "event/640323004/gate-07");
    assert_string_equal(fact->camera, "gate-07");
    seen->next++;
    return ++seen->count == seen->stop_after;
}

static int read_from(uint64_t since, int limit)
{
    struct seen seen = {.next = since + 1};
    int calls = gw_journal_read(journal, &end, since, limit, see, &seen);
    if (calls >= 0)
        assert_int_equal(calls, seen.count);
    return calls;
}

static char *file(uint64_t first, char path[PATH_MAX])
{
    char name[GW_JOURNAL_NAME_SIZE];
    snprintf(path, PATH_MAX, "%s/journal/%s", store, gw_journal_file_name(name, first));
    return path;
}

// --- facts ---------------------------------------------------------------------------------------

static void what_is_appended_is_read_from_anywhere(void **state)
{
    assert_int_equal(read_from(0, 10), 0);
    assert_int_equal(append(1, 3, 40), 0);
    assert_int_equal(append(4, 2, 40), 0);
    assert_int_equal(end.head, 5);
    assert_int_equal(read_from(0, 10), 5);
    assert_int_equal(read_from(3, 10), 2);
    assert_int_equal(read_from(1, 2), 2);
    assert_int_equal(read_from(5, 10), 0);
    assert_int_equal(read_from(UINT64_MAX, 10), 0);
    struct seen seen = {.next = 1, .stop_after = 2};
    assert_int_equal(gw_journal_read(journal, &end, 0, 10, see, &seen), 2);
}

static void a_long_journal_is_many_files_and_any_fact_is_found_in_it(void **state)
{
    uint64_t *firsts;
    for (uint64_t seq = 1; seq < 5000; seq += 100)
        assert_int_equal(append(seq, 100, 10000), 0);
    int count = gw_journal_list(store, &firsts);
    assert_in_range(count, 3, 5);
    assert_true(firsts[0] == 1);
    for (int i = 0; i < 200; i++) {
        uint64_t since = (uint64_t)(rand() % 5000);
        assert_int_equal(read_from(since, 7), since + 7 <= end.head ? 7 : end.head - since);
    }
    for (int i = 1; i < count; i++) // across the border of two files
        assert_int_equal(read_from(firsts[i] - 3, 5), 5);
    free(firsts);
    assert_int_equal(read_from(0, 100000), end.head);

    struct gw_journal_end found;
    uint64_t epoch;
    assert_int_equal(gw_journal_find_end(store, &found, &epoch), 0);
    assert_memory_equal(&found, &end, sizeof(end));
    assert_int_equal(epoch, 77);
}

static void what_a_failed_commit_left_behind_is_cut_off(void **state)
{
    assert_int_equal(append(1, 2, 10), 0);
    const struct gw_journal_end committed = end;
    assert_int_equal(append(3, 4, 10), 0);
    end = committed; // its transaction was lost
    assert_int_equal(gw_journal_beyond(journal, &end), 1);
    assert_int_equal(read_from(0, 10), 2);
    assert_int_equal(append(3, 1, 20), 0);
    assert_int_equal(gw_journal_beyond(journal, &end), 0);
    assert_int_equal(read_from(0, 10), 3);
    const struct gw_journal_end before = end;
    append(4, 1, 10);
    append(5, 1, 10);
    assert_int_equal(gw_journal_beyond(journal, &before), 2);
}

// A disk that takes no more than so many bytes.
static void limit_files_to(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
}

static void an_append_that_fails_changes_nothing_and_may_be_tried_again(void **state)
{
    assert_int_equal(append(1, 2, 1000), 0);
    limit_files_to(4000);
    assert_int_equal(append(3, 5, 1000), -EFBIG);
    limit_files_to(RLIM_INFINITY);
    assert_non_null(strstr(gw_journal_error(journal), "journal/00000000000000000001.log: "));
    assert_int_equal(end.head, 2);
    assert_int_equal(read_from(0, 10), 2);
    gw_journal_forget(journal);
    assert_int_equal(append(3, 3, 1000), 0); // goes into a file of its own
    assert_int_equal(end.segment, 3);
    assert_int_equal(append(6, 1, 1000), 0);
    assert_int_equal(read_from(0, 10), 6);
    assert_int_equal(read_from(2, 10), 4);
}

// A process that dies behind an append whose transaction nobody knows of.
static void append_and_die(uint64_t first, int count, size_t size, rlim_t limit)
{
    int status;
    const pid_t pid = fork();
    if (pid == 0) {
        limit_files_to(limit);
        const int failed = append(first, count, size);
        limit_files_to(RLIM_INFINITY);
        gw_journal_forget(journal);
        _exit((failed != 0) != (limit != RLIM_INFINITY) || (failed && append(first, 1, 10) != 0));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void a_file_that_only_a_failed_commit_began_does_not_end_the_one_before(void **state)
{
    char path[PATH_MAX];
    assert_int_equal(append(1, 2, 1000), 0);
    append_and_die(3, 5, 1000, 3000); // its second try was in a new file
    assert_int_equal(access(file(3, path), F_OK), 0);
    assert_int_equal(gw_journal_beyond(journal, &end), 1);
    assert_int_equal(read_from(0, 10), 2);
    assert_int_equal(append(3, 2, 10), 0);
    assert_int_equal(end.segment, 1);
    assert_int_equal(read_from(0, 10), 4);
    assert_int_equal(access(file(3, path), F_OK), -1);
}

static int sum_sizes(void *opaque, const struct gw_committed_fact *fact)
{
    *(size_t *)opaque += strlen(fact->data);
    return 0;
}

static size_t read_sizes(const struct gw_journal_end *until)
{
    size_t sum = 0;
    assert_true(gw_journal_read(journal, until, 0, 100, sum_sizes, &sum) >= 0);
    return sum;
}

static void a_commit_in_doubt_is_kept_until_another_has_taken_its_place(void **state)
{
    struct gw_journal_end found;
    uint64_t epoch;
    assert_int_equal(append(1, 2, 1000), 0);
    const struct gw_journal_end committed = end;
    assert_int_equal(append(3, 2, 100), 0);
    const struct gw_journal_end first_try = end;
    end = committed; // the index could not say whether it committed
    assert_int_equal(append(3, 4, 10), 0);
    const struct gw_journal_end second_try = end;
    end = committed;
    assert_int_equal(append(3, 1, 1), 0);
    // Whichever of them the index has after a crash, its facts are there.
    assert_int_equal(read_sizes(&committed), 2000);
    assert_int_equal(read_sizes(&first_try), 2200);
    assert_int_equal(read_sizes(&second_try), 2040);
    assert_int_equal(read_sizes(&end), 2001);
    assert_int_equal(gw_journal_beyond(journal, &committed), 1);
    assert_int_equal(append(4, 1, 5), 0);
    assert_int_equal(read_from(0, 10), 4);
    assert_int_equal(read_from(2, 10), 2);
    assert_int_equal(gw_journal_find_end(store, &found, &epoch), 0);
    assert_memory_equal(&found, &end, sizeof(end));
    assert_int_equal(gw_journal_beyond(journal, &committed), 2);
}

static void a_file_whose_first_line_was_not_finished_is_none_and_gives_way(void **state)
{
    char path[PATH_MAX];
    assert_int_equal(append(1, 2, 40), 0);
    for (int length = 0; length < 12; length += 11) { // killed before its first line, or in it
        FILE *begun = fopen(file(3, path), "wb");
        assert_non_null(begun);
        fwrite("gridwatch-journal", 1, (size_t)length, begun);
        fclose(begun);
        assert_int_equal(gw_journal_beyond(journal, &end), 0);
        assert_int_equal(read_from(0, 10), 2);
    }
    gw_journal_close(&journal); // the next start
    journal = gw_journal_open(store, 77);
    assert_int_equal(append(3, 1, 40), 0);
    assert_int_equal(read_from(0, 10), 3);
}

static void a_damaged_line_is_found_and_named(void **state)
{
    char path[PATH_MAX];
    assert_int_equal(append(1, 50, 5000), 0);
    FILE *out = fopen(file(1, path), "r+");
    fseek(out, 100000, SEEK_SET);
    fputc('y', out);
    fclose(out);
    assert_int_equal(read_from(0, 100), GW_ERROR_INDEX);
    assert_non_null(strstr(gw_journal_error(journal), "damaged"));
    assert_int_equal(read_from(0, 10), 10);
    assert_int_equal(read_from(40, 100), 10);
}

static void a_journal_that_is_shorter_than_the_index_says_is_refused(void **state)
{
    char path[PATH_MAX];
    assert_int_equal(append(1, 5, 100), 0);
    assert_int_equal(truncate(file(1, path), 200), 0);
    assert_int_equal(gw_journal_beyond(journal, &end), GW_ERROR_INDEX);
    assert_non_null(strstr(gw_journal_error(journal), "shorter"));
    assert_int_equal(append(6, 1, 100), GW_ERROR_INDEX);
    unlink(path);
    assert_int_equal(gw_journal_beyond(journal, &end), GW_ERROR_INDEX);
}

static void a_journal_of_another_index_is_refused(void **state)
{
    assert_int_equal(append(1, 5, 100), 0);
    gw_journal_close(&journal);
    journal = gw_journal_open(store, 78);
    assert_int_equal(read_from(0, 10), GW_ERROR_INDEX);
    assert_non_null(strstr(gw_journal_error(journal), "another index"));
}

static void the_end_is_that_of_the_last_whole_line(void **state)
{
    char path[PATH_MAX];
    struct gw_journal_end found;
    uint64_t epoch;
    assert_int_equal(gw_journal_find_end(store, &found, &epoch), 0);
    assert_int_equal(found.head, 0);
    assert_int_equal(append(1, 5, 100), 0);
    const struct gw_journal_end whole = end;
    assert_int_equal(append(6, 1, 100), 0);
    assert_int_equal(truncate(file(1, path), end.offset - 1), 0);
    assert_int_equal(gw_journal_find_end(store, &found, &epoch), 0);
    assert_memory_equal(&found, &whole, sizeof(whole));
}

static void files_are_their_owners(void **state)
{
    char path[PATH_MAX];
    struct stat status;
    assert_int_equal(append(1, 1, 10), 0);
    assert_int_equal(stat(file(1, path), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, make_journal, remove_journal)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(what_is_appended_is_read_from_anywhere),
        FACT(a_long_journal_is_many_files_and_any_fact_is_found_in_it),
        FACT(what_a_failed_commit_left_behind_is_cut_off),
        FACT(a_file_that_only_a_failed_commit_began_does_not_end_the_one_before),
        FACT(an_append_that_fails_changes_nothing_and_may_be_tried_again),
        FACT(a_commit_in_doubt_is_kept_until_another_has_taken_its_place),
        FACT(a_file_whose_first_line_was_not_finished_is_none_and_gives_way),
        FACT(a_damaged_line_is_found_and_named),
        FACT(a_journal_that_is_shorter_than_the_index_says_is_refused),
        FACT(a_journal_of_another_index_is_refused),
        FACT(the_end_is_that_of_the_last_whole_line),
        FACT(files_are_their_owners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
