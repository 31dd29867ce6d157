// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/write_all.h"

#include <errno.h>
#include <unistd.h>

// offset -1: where the file stands.
static int write_on(int fd, const uint8_t *bytes, size_t size, int64_t offset)
{
    for (size_t done = 0; done < size;) {
        const ssize_t put = offset < 0
                                ? write(fd, bytes + done, size - done)
                                : pwrite(fd, bytes + done, size - done, offset + (int64_t)done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -errno;
        done += (size_t)put;
    }
    return 0;
}

int gw_write_all(int fd, const void *bytes, size_t size)
{
    return write_on(fd, bytes, size, -1);
}

int gw_write_all_at(int fd, const void *bytes, size_t size, int64_t offset)
{
    return write_on(fd, bytes, size, offset);
}
