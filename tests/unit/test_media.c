// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/media.h"

static char store[PATH_MAX];

// What the library asked of the disk, in order: d (data synced), f (a folder synced), r (renamed).
static char calls[256];
static int sync_error;

static void note(char call)
{
    size_t length = strlen(calls);
    if (length + 1 < sizeof(calls))
        calls[length] = call;
}

int fdatasync(int fd)
{
    note('d');
    errno = sync_error;
    return sync_error ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    note('f');
    return (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
    note('r');
    return (int)syscall(SYS_rename, from, to);
}

static int make_store(void **state)
{
    snprintf(store, sizeof(store), "/tmp/gridwatch-test-XXXXXX");
    memset(calls, 0, sizeof(calls));
    sync_error = 0;
    return mkdtemp(store) ? 0 : -1;
}

static int remove_store(void **state)
{
    char command[PATH_MAX + 16];
    snprintf(command, sizeof(command), "rm -rf '%s'", store);
    return system(command);
}

static const char *in_store(const char *path)
{
    static char full[2 * PATH_MAX];
    snprintf(full, sizeof(full), "%s/%s", store, path);
    return full;
}

static size_t read_file(const char *path, char *bytes, size_t size)
{
    FILE *file = fopen(in_store(path), "rb");
    if (!file)
        return 0;
    size_t got = fread(bytes, 1, size, file);
    fclose(file);
    return got;
}

static int count_files(const char *folder)
{
    int count = 0;
    DIR *entries = opendir(in_store(folder));
    if (!entries)
        return -1;
    for (struct dirent *entry; (entry = readdir(entries));)
        count += *entry->d_name != '.';
    closedir(entries);
    return count;
}

static int put(const char *path, const char *text)
{
    return gw_media_write(store, path, (const uint8_t *)text, strlen(text));
}

static void a_file_is_written_with_its_folders(void **state)
{
    char bytes[16];
    struct stat status;
    assert_int_equal(put("media/a/2026-05-04/x.jpg", "picture"), 0);
    assert_int_equal(read_file("media/a/2026-05-04/x.jpg", bytes, sizeof(bytes)), 7);
    assert_memory_equal(bytes, "picture", 7);
    stat(in_store("media/a/2026-05-04/x.jpg"), &status);
    assert_int_equal(status.st_mode & 0137, 0); // not for everybody
    assert_int_equal(count_files("media/a/2026-05-04"), 1);
}

static void folders_and_bytes_are_on_the_disk_before_the_name_is(void **state)
{
    put("media/a/x.jpg", "picture");
    assert_string_equal(calls, "ffdrf"); // two folders, the bytes, the name, the folder of the name
    put("media/a/y.jpg", "picture");
    assert_string_equal(calls, "ffdrfdrf");
}

static void a_new_picture_replaces_the_old_one(void **state)
{
    char bytes[16];
    put("media/a/x.jpg", "first");
    put("media/a/x.jpg", "second");
    assert_int_equal(read_file("media/a/x.jpg", bytes, sizeof(bytes)), 6);
    assert_int_equal(count_files("media/a"), 1);
}

static void a_failed_write_leaves_the_old_file_and_nothing_else(void **state)
{
    char bytes[16];
    put("media/a/x.jpg", "first");
    sync_error = EIO;
    assert_int_equal(put("media/a/x.jpg", "second"), -EIO);
    struct rlimit limit, full = {2, RLIM_INFINITY};
    getrlimit(RLIMIT_FSIZE, &limit);
    full.rlim_max = limit.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &full);
    int result = put("media/a/x.jpg", "second");
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_int_equal(result, -EFBIG);
    assert_int_equal(read_file("media/a/x.jpg", bytes, sizeof(bytes)), 5);
    assert_memory_equal(bytes, "first", 5);
    assert_int_equal(count_files("media/a"), 1);
}

static void a_store_that_is_not_there_is_not_made(void **state)
{
    strcat(store, "/unmounted");
    assert_int_equal(put("media/a/x.jpg", "picture"), -ENOENT);
    *strrchr(store, '/') = 0;
    assert_int_equal(count_files("."), 0);
}

static void *write_many(void *opaque)
{
    char path[64];
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof(path), "media/c%d/day%d/%c.jpg", i % 3, i, *(char *)opaque);
        if (put(path, opaque))
            return opaque;
    }
    return NULL;
}

static void many_threads_may_write_at_once(void **state)
{
    pthread_t threads[4];
    char names[4][2] = {"a", "b", "c", "d"};
    void *failed;
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, write_many, names[i]);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(count_files("media/c0/day0"), 4);
}

static void room_that_is_not_known_is_taken_for_endless(void **state)
{
    assert_true(gw_media_room(store) == UINT64_MAX); // it has no media yet
    assert_int_equal(gw_media_make_folders(store, "media/c0/day0/one.jpg"), 0);
    assert_in_range(gw_media_room(store), 1, UINT64_MAX - 1);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, make_store, remove_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(a_file_is_written_with_its_folders),
        FACT(folders_and_bytes_are_on_the_disk_before_the_name_is),
        FACT(a_new_picture_replaces_the_old_one),
        FACT(a_failed_write_leaves_the_old_file_and_nothing_else),
        FACT(a_store_that_is_not_there_is_not_made),
        FACT(many_threads_may_write_at_once),
        FACT(room_that_is_not_known_is_taken_for_endless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
