// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/media.h"
#include "storage/write_all.h"

static int give_to_owner(const char *store, int fd)
{
    struct stat owner;

    if (geteuid() != 0)
        return 0;
    return stat(store, &owner) < 0 || fchown(fd, owner.st_uid, owner.st_gid) < 0 ? -errno : 0;
}

static int write_part(const char *store, int fd, const void *bytes, size_t size)
{
    int result = give_to_owner(store, fd);

    if (!result)
        result = gw_write_all(fd, bytes, size);
    if (!result && fsync(fd) < 0)
        result = -errno;
    if (close(fd) < 0 && !result)
        result = -errno;
    return result;
}

// A link, not a rename: whoever was first keeps its key.
int gw_key_file_make(const char *store, const char *name, const void *bytes, size_t size)
{
    char path[PATH_MAX], part[PATH_MAX + 16];

    if (snprintf(path, sizeof(path), "%s/%s", store, name) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    snprintf(part, sizeof(part), "%s-XXXXXX.part", path);
    const int fd = mkostemps(part, 5, O_CLOEXEC); // mode 0600
    if (fd < 0)
        return -errno;
    int result = write_part(store, fd, bytes, size);
    if (!result && link(part, path) < 0 && errno != EEXIST)
        result = -errno;
    unlink(part);
    return result ? result : gw_media_sync_folder(store, name);
}
