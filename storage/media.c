// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/media.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "storage/write_all.h"

// Whoever finds a folder in place may rely on its being durable: nobody looks while another
// thread is between making one and syncing its parent.
static pthread_mutex_t folders_lock = PTHREAD_MUTEX_INITIALIZER;

static int sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return result;
}

// Ends path before its last '/', so that it names the folder.
static char *cut_last(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = 0;
    return slash;
}

// There afterwards only if its name is on the disk.
static int make_folder(char *folder)
{
    if (mkdir(folder, 0750) < 0)
        return errno == EEXIST ? 0 : -errno;
    char *slash = cut_last(folder);
    int result = slash ? sync_folder(*folder ? folder : "/") : sync_folder(".");
    if (slash)
        *slash = '/';
    if (result < 0)
        rmdir(folder);
    return result;
}

static int make_folders_locked(char *path, size_t store_length)
{
    for (char *slash = path + store_length; (slash = strchr(slash + 1, '/'));) {
        *slash = 0;
        int result = make_folder(path);
        *slash = '/';
        if (result < 0)
            return result;
    }
    return 0;
}

static int join(char full[PATH_MAX], const char *store, const char *path)
{
    int length = snprintf(full, PATH_MAX, "%s/%s", store, path);
    return length < 0 || length >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int gw_media_make_folders(const char *store, const char *path)
{
    char full[PATH_MAX];
    int result = join(full, store, path);
    if (result < 0)
        return result;
    pthread_mutex_lock(&folders_lock);
    result = make_folders_locked(full, strlen(store));
    pthread_mutex_unlock(&folders_lock);
    return result;
}

// A new file with these bytes on the disk; none after a failure.
static int write_temporary(const char *temporary, const uint8_t *bytes, size_t size)
{
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0)
        return -errno;
    int result = gw_write_all(fd, bytes, size);
    if (!result && fdatasync(fd) < 0)
        result = -errno;
    if (close(fd) < 0 && !result)
        result = -errno;
    if (result < 0)
        unlink(temporary);
    return result;
}

int gw_media_write(const char *store, const char *path, const uint8_t *bytes, size_t size)
{
    static atomic_uint counter;
    char full[PATH_MAX], temporary[PATH_MAX + 32];

    int result = join(full, store, path);
    if (!result)
        result = gw_media_make_folders(store, path);
    if (result < 0)
        return result;
    snprintf(temporary, sizeof(temporary), "%s.%d-%u.part", full, (int)getpid(),
             atomic_fetch_add(&counter, 1));
    result = write_temporary(temporary, bytes, size);
    if (result < 0)
        return result;
    if (rename(temporary, full) < 0) {
        result = -errno;
        unlink(temporary);
        return result;
    }
    cut_last(full);
    return sync_folder(full);
}

bool gw_media_exists(const char *store, const char *path)
{
    char full[PATH_MAX];
    return join(full, store, path) == 0 && access(full, F_OK) == 0;
}

int gw_media_sync_folder(const char *store, const char *path)
{
    char full[PATH_MAX];
    int result = join(full, store, path);
    if (result < 0)
        return result;
    cut_last(full);
    return sync_folder(full);
}

uint64_t gw_media_room(const char *store)
{
    char full[PATH_MAX];
    struct statvfs disk;

    if (join(full, store, "media") < 0 || statvfs(full, &disk) < 0)
        return UINT64_MAX;
    return (uint64_t)disk.f_bavail * disk.f_frsize;
}
