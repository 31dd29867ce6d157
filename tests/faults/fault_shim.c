// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The names as the C library has them, not as its headers rename them.
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include "fault_shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { MOST_FILES = 4096, MOST_RANGES = 64 };

static struct fault_state *state;
static char root[PATH_MAX], role[24];
static size_t root_length;

// What an open descriptor stands for. Belongs to who has it open, as the descriptor does.
struct file {
    bool ours;
    char path[144]; // behind the root
    int ranges;     // written and not synced
    struct {
        int64_t from;
        size_t size;
        char *before; // what was there; beyond the end of the file: zeros
    } range[MOST_RANGES];
};
static struct file files[MOST_FILES];

// POSIX's way around C's rule that no object pointer is a function's.
#define REAL(name)                                                                                 \
    static __typeof__(&name) real;                                                                 \
    if (!real)                                                                                     \
    *(void **)&real = dlsym(RTLD_NEXT, #name)

void fault_use(struct fault_state *use, const char *below)
{
    root_length = (size_t)snprintf(root, sizeof(root), "%s", below);
    state = use;
}

__attribute__((constructor)) static void set_up(int count, char **arguments)
{
    const char *name = getenv("GRIDWATCH_FAULT_STATE"), *below = getenv("GRIDWATCH_FAULT_ROOT");
    if (count > 1)
        snprintf(role, sizeof(role), "%s", arguments[1]);
    int fd = name && below ? open(name, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *shared =
        mmap(NULL, sizeof(struct fault_state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (shared != MAP_FAILED)
        fault_use(shared, below);
}

// --- which calls ---------------------------------------------------------------------------------

static bool is_below(const char *path)
{
    return state && path && !strncmp(path, root, root_length) &&
           (path[root_length] == '/' || !path[root_length]);
}

static struct file *file_of(int fd)
{
    return state && fd >= 0 && fd < MOST_FILES && files[fd].ours ? &files[fd] : NULL;
}

// Where a path goes on behind the root's name, which is chance; its end when it is long.
static const char *behind_root(const char *path)
{
    const size_t length = strlen(path + root_length);
    return path + root_length + (length > 143 ? length - 143 : 0);
}

static void note(enum fault_class class, int64_t number, int error, const char *path)
{
    int64_t place = atomic_fetch_add(&state->noted, 1);
    if (place >= FAULT_NOTES)
        return;
    struct fault_note *entry = &state->notes[place];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    entry->mono_us = now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
    entry->number = number;
    entry->pid = getpid();
    entry->class = class;
    entry->error = error;
    pthread_getname_np(pthread_self(), entry->thread, sizeof(entry->thread));
    snprintf(entry->path, sizeof(entry->path), "%s", path);
}

// Counts a call; path is behind the root. Returns what it shall do; *ret_first: nothing was hit
// before.
static enum fault_act judge(enum fault_class class, const char *path, int *ret_error,
                            bool *ret_first)
{
    struct fault_plan *plan = &state->plans[class];
    if (!strstr(path, plan->part) || (*plan->role && strcmp(plan->role, role)))
        return FAULT_NONE;
    const int64_t number = atomic_fetch_add(&plan->calls, 1) + 1;
    const bool hit = plan->act && plan->from && number >= plan->from && number <= plan->to;
    *ret_error = plan->error;
    if (hit)
        *ret_first = atomic_fetch_add(&plan->hits, 1) == 0;
    if (hit || state->note_all)
        note(class, number, hit ? plan->error : 0, path);
    return hit ? (enum fault_act)plan->act : FAULT_NONE;
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

// Whether the call fails here; errno is set then.
static bool fails(enum fault_class class, const char *path)
{
    int error;
    bool first;
    switch (judge(class, path, &error, &first)) {
    case FAULT_NONE: return false;
    case FAULT_KILL: die(); break;
    case FAULT_FAIL:
    case FAULT_LOSE:
    case FAULT_CUT: break;
    }
    errno = error;
    return true;
}

// --- open and close ------------------------------------------------------------------------------

static void forget_ranges(struct file *file)
{
    while (file->ranges)
        free(file->range[--file->ranges].before);
}

static int remember(int fd, const char *path, bool below)
{
    if (fd >= 0 && fd < MOST_FILES) {
        files[fd].ours = below;
        forget_ranges(&files[fd]);
        if (below)
            snprintf(files[fd].path, sizeof(files[fd].path), "%s", behind_root(path));
    }
    return fd;
}

#define MODE(flags)                                                                                \
    mode_t mode = 0;                                                                               \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {                                                       \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode = va_arg(rest, mode_t);                                                               \
        va_end(rest);                                                                              \
    }

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        REAL(name);                                                                                \
        MODE(flags)                                                                                \
        const bool below = is_below(path);                                                         \
        if (below && (flags & O_CREAT) && access(path, F_OK) < 0 &&                                \
            fails(FAULT_CREATE, behind_root(path)))                                                \
            return -1;                                                                             \
        return remember(real(path, flags, mode), path, below);                                     \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                               \
    int name(int at, const char *path, int flags, ...)                                             \
    {                                                                                              \
        REAL(name);                                                                                \
        MODE(flags)                                                                                \
        const bool below = is_below(path);                                                         \
        if (below && (flags & O_CREAT) && access(path, F_OK) < 0 &&                                \
            fails(FAULT_CREATE, behind_root(path)))                                                \
            return -1;                                                                             \
        return remember(real(at, path, flags, mode), path, below);                                 \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int fd)
{
    REAL(close);
    if (fd >= 0 && fd < MOST_FILES)
        files[fd].ours = false;
    return real(fd);
}

int mkdir(const char *path, mode_t mode)
{
    REAL(mkdir);
    if (is_below(path) && access(path, F_OK) < 0 && fails(FAULT_CREATE, behind_root(path)))
        return -1;
    return real(path, mode);
}

// --- write ---------------------------------------------------------------------------------------

// Before a write.
static void note_range(int fd, struct file *file, int64_t from, size_t size)
{
    if (state->plans[FAULT_SYNC].act != FAULT_LOSE || file->ranges == MOST_RANGES)
        return;
    char *before = calloc(1, size + 1);
    if (!before)
        abort();
    if (pread(fd, before, size, from) < 0)
        memset(before, 0, size); // open for writing only: a new file
    file->range[file->ranges].from = from;
    file->range[file->ranges].size = size;
    file->range[file->ranges++].before = before;
}

// How many bytes of a write are let through: all, half, or -1 with errno.
static ssize_t admit(struct file *file, size_t size, bool *ret_die)
{
    int error;
    bool first = false;
    *ret_die = false;
    switch (judge(FAULT_WRITE, file->path, &error, &first)) {
    case FAULT_NONE: return (ssize_t)size;
    case FAULT_KILL: *ret_die = true; return (ssize_t)(size / 2);
    case FAULT_CUT:
        if (first && size > 1)
            return (ssize_t)(size / 2);
        break;
    case FAULT_FAIL:
    case FAULT_LOSE: break;
    }
    errno = error;
    return -1;
}

#define PWRITE(name)                                                                               \
    ssize_t name(int fd, const void *bytes, size_t size, off_t offset)                             \
    {                                                                                              \
        REAL(name);                                                                                \
        struct file *file = file_of(fd);                                                           \
        bool dies = false;                                                                         \
        const ssize_t admitted = file ? admit(file, size, &dies) : (ssize_t)size;                  \
        if (admitted < 0)                                                                          \
            return -1;                                                                             \
        if (file)                                                                                  \
            note_range(fd, file, offset, (size_t)admitted);                                        \
        const ssize_t put = real(fd, bytes, (size_t)admitted, offset);                             \
        if (dies)                                                                                  \
            die();                                                                                 \
        return put;                                                                                \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

ssize_t write(int fd, const void *bytes, size_t size)
{
    REAL(write);
    struct file *file = file_of(fd);
    if (!file)
        return real(fd, bytes, size);
    const off_t offset = lseek(fd, 0, SEEK_CUR);
    bool dies;
    const ssize_t admitted = admit(file, size, &dies);
    if (admitted < 0)
        return -1;
    note_range(fd, file, offset, (size_t)admitted);
    const ssize_t put = real(fd, bytes, (size_t)admitted);
    if (dies)
        die();
    return put;
}

// Neither is cut short: nobody here writes what matters with them.
ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(writev);
    struct file *file = file_of(fd);
    return file && fails(FAULT_WRITE, file->path) ? -1 : real(fd, parts, count);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    REAL(pwritev);
    struct file *file = file_of(fd);
    return file && fails(FAULT_WRITE, file->path) ? -1 : real(fd, parts, count, offset);
}

// --- sync ----------------------------------------------------------------------------------------

// What a disk that fails does to what it should have written: nothing of it arrives. Later syncs
// do not say so.
static void lose(int fd, struct file *file)
{
    static ssize_t (*put)(int, const void *, size_t, off_t);
    if (!put)
        *(void **)&put = dlsym(RTLD_NEXT, "pwrite64");
    struct stat status = {0};
    fstat(fd, &status);
    for (int i = file->ranges - 1; i >= 0; i--) {
        const int64_t left = status.st_size - file->range[i].from;
        const size_t size = file->range[i].size;
        if (left > 0 && put(fd, file->range[i].before, left < (int64_t)size ? (size_t)left : size,
                            file->range[i].from) < 0)
            abort();
    }
    forget_ranges(file);
}

static bool sync_fails(int fd)
{
    int error;
    bool first;
    struct file *file = file_of(fd);
    const enum fault_act act = file ? judge(FAULT_SYNC, file->path, &error, &first) : FAULT_NONE;
    if (act == FAULT_KILL)
        die();
    if (act == FAULT_LOSE)
        lose(fd, file);
    if (act)
        errno = error;
    return act;
}

#define SYNC(name)                                                                                 \
    int name(int fd)                                                                               \
    {                                                                                              \
        REAL(name);                                                                                \
        if (sync_fails(fd))                                                                        \
            return -1;                                                                             \
        const int result = real(fd);                                                               \
        if (!result && file_of(fd))                                                                \
            forget_ranges(&files[fd]);                                                             \
        return result;                                                                             \
    }
SYNC(fsync)
SYNC(fdatasync)

// --- the rest ------------------------------------------------------------------------------------

int rename(const char *from, const char *to)
{
    REAL(rename);
    return is_below(to) && fails(FAULT_RENAME, behind_root(to)) ? -1 : real(from, to);
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
    REAL(renameat);
    return is_below(to) && fails(FAULT_RENAME, behind_root(to)) ? -1
                                                                : real(from_at, from, to_at, to);
}

#define TRUNCATE(name)                                                                             \
    int name(int fd, off_t size)                                                                   \
    {                                                                                              \
        REAL(name);                                                                                \
        struct file *file = file_of(fd);                                                           \
        return file && fails(FAULT_TRUNCATE, file->path) ? -1 : real(fd, size);                    \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define ALLOCATE(name)                                                                             \
    int name(int fd, int how, off_t from, off_t size)                                              \
    {                                                                                              \
        REAL(name);                                                                                \
        struct file *file = file_of(fd);                                                           \
        return file && fails(FAULT_TRUNCATE, file->path) ? -1 : real(fd, how, from, size);         \
    }
ALLOCATE(fallocate)
ALLOCATE(fallocate64)

int unlink(const char *path)
{
    REAL(unlink);
    return is_below(path) && fails(FAULT_UNLINK, behind_root(path)) ? -1 : real(path);
}

int rmdir(const char *path)
{
    REAL(rmdir);
    return is_below(path) && fails(FAULT_UNLINK, behind_root(path)) ? -1 : real(path);
}
