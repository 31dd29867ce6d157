// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

// Blocks that are really there: a file with holes reserves nothing.
static bool is_whole(const char *path, int64_t size_bytes)
{
    struct stat file;
    return stat(path, &file) == 0 && S_ISREG(file.st_mode) && file.st_size == size_bytes &&
           (int64_t)file.st_blocks * 512 >= size_bytes;
}

void gw_reserve_init(struct gw_reserve *reserve, const char *store, int64_t size_bytes)
{
    *reserve = (struct gw_reserve){.size_bytes = size_bytes};
    pthread_mutex_init(&reserve->lock, NULL);
    if (snprintf(reserve->path, sizeof(reserve->path), "%s/reserve", store) >=
        (int)sizeof(reserve->path))
        reserve->size_bytes = 0;
    else if (size_bytes)
        reserve->held = is_whole(reserve->path, size_bytes);
    else
        unlink(reserve->path);
}

void gw_reserve_finish(struct gw_reserve *reserve)
{
    pthread_mutex_destroy(&reserve->lock);
}

static int allocate(const char *path, int64_t size_bytes)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    int result = -posix_fallocate(fd, 0, size_bytes);
    if (!result && fsync(fd) < 0)
        result = -errno;
    close(fd);
    if (result < 0)
        unlink(path);
    return result;
}

// Called with the lock held.
static int make(struct gw_reserve *reserve, int64_t keep_bytes)
{
    struct statvfs disk;
    char *slash = strrchr(reserve->path, '/');

    *slash = 0;
    int result = statvfs(reserve->path, &disk) < 0 ? -errno : 0;
    *slash = '/';
    if (result < 0)
        return result;
    if ((int64_t)(disk.f_bavail * disk.f_frsize) < reserve->size_bytes + keep_bytes)
        return -ENOSPC;
    result = allocate(reserve->path, reserve->size_bytes);
    reserve->held = !result;
    return result;
}

int gw_reserve_make(struct gw_reserve *reserve, int64_t keep_bytes)
{
    pthread_mutex_lock(&reserve->lock);
    const bool wanted = !reserve->held && reserve->size_bytes;
    const int result = wanted ? make(reserve, keep_bytes) : 0;
    pthread_mutex_unlock(&reserve->lock);
    return result;
}

bool gw_reserve_held(struct gw_reserve *reserve)
{
    pthread_mutex_lock(&reserve->lock);
    const bool held = reserve->held;
    pthread_mutex_unlock(&reserve->lock);
    return held;
}

bool gw_reserve_release(struct gw_reserve *reserve)
{
    pthread_mutex_lock(&reserve->lock);
    const bool released = reserve->held && unlink(reserve->path) == 0;
    reserve->held = false;
    pthread_mutex_unlock(&reserve->lock);
    return released;
}

bool gw_reserve_helps(int error)
{
    return error == -ENOSPC || error == -EDQUOT;
}
