// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The reserve: room for the index on a disk that is full, here a tmpfs of 8 MiB of the test's own.

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/error.h"
#include "storage/index_internal.h"
#include "storage/reserve.h"
#include "tests/unit/index_store.h"

#define SIZE ((int64_t)2 << 20)

static struct gw_reserve reserve;

static void reserve_path(char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/reserve", store);
}

static void a_reserve_has_blocks_of_its_own(void **state)
{
    char path[PATH_MAX];
    struct stat file;
    gw_reserve_init(&reserve, store, SIZE);
    assert_false(reserve.held);
    assert_int_equal(gw_reserve_make(&reserve, 0), 0);
    reserve_path(path);
    assert_int_equal(stat(path, &file), 0);
    assert_true(file.st_size == SIZE && file.st_blocks * 512 >= SIZE);
    assert_int_equal(file.st_mode & 0777, 0600);
}

static void a_reserve_is_found_again(void **state)
{
    gw_reserve_init(&reserve, store, SIZE);
    assert_int_equal(gw_reserve_make(&reserve, 0), 0);
    gw_reserve_init(&reserve, store, SIZE);
    assert_true(reserve.held);
    gw_reserve_init(&reserve, store, 2 * SIZE);
    assert_false(reserve.held);
}

static void a_file_with_holes_is_no_reserve(void **state)
{
    char path[PATH_MAX];
    reserve_path(path);
    int fd = open(path, O_CREAT | O_RDWR, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, SIZE), 0);
    close(fd);
    gw_reserve_init(&reserve, store, SIZE);
    assert_false(reserve.held);
}

static void released_once_it_is_gone(void **state)
{
    char path[PATH_MAX];
    gw_reserve_init(&reserve, store, SIZE);
    assert_int_equal(gw_reserve_make(&reserve, 0), 0);
    assert_true(gw_reserve_release(&reserve));
    assert_false(gw_reserve_release(&reserve));
    reserve_path(path);
    assert_int_equal(access(path, F_OK), -1);
}

static void without_room_to_spare_none_is_made(void **state)
{
    gw_reserve_init(&reserve, store, SIZE);
    assert_int_equal(gw_reserve_make(&reserve, INT64_MAX / 2), -ENOSPC);
    assert_false(reserve.held);
}

// --- a full disk ---------------------------------------------------------------------------------

static void fill_disk(void)
{
    static char bytes[4096];
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/filler", store);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    while (write(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes))
        ;
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

// As many events as it takes to need new pages.
static int commit_some(void)
{
    int result = 0;
    for (int i = 0; !result && i < 40; i++) {
        struct gw_event event = make_event("gate", TEST_START_US + i, TEST_START_US + i + 5);
        result = commit_event(GW_FACT_EVENT_OPENED, &event);
    }
    return result;
}

static bool mount_small_disk(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", store, "tmpfs", 0, "size=8m") == 0;
}

static void check_full_disk(void)
{
    idx = open_index(GW_INDEX_WRITE);
    gw_reserve_init(&reserve, store, SIZE);
    assert_int_equal(gw_reserve_make(&reserve, 0), 0);
    fill_disk();
    assert_int_equal(gw_reserve_make(&reserve, 0), 0); // it is held
    int result = commit_some();
    assert_true(gw_reserve_helps(result));
    assert_true(gw_reserve_release(&reserve));
    assert_int_equal(commit_some(), 0);
    assert_int_equal(gw_reserve_make(&reserve, 0), -ENOSPC);
    gw_index_close(&idx);
}

static void a_full_disk_takes_facts_again_once_the_reserve_is_released(void **state)
{
    int status;
    gw_index_close(&idx);
    pid_t child = fork();
    if (child == 0) {
        if (!mount_small_disk())
            _exit(77);
        check_full_disk(); // a failed assertion ends the child
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("no tmpfs may be mounted here\n");
        skip();
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
#define FACT(name) cmocka_unit_test_setup_teardown(name, make_store, remove_store)
    const struct CMUnitTest tests[] = {
        FACT(a_reserve_has_blocks_of_its_own),
        FACT(a_reserve_is_found_again),
        FACT(a_file_with_holes_is_no_reserve),
        FACT(released_once_it_is_gone),
        FACT(without_room_to_spare_none_is_made),
        FACT(a_full_disk_takes_facts_again_once_the_reserve_is_released),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
