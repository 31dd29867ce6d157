// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: a file that a killed worker left (storage/mp4_box.h).

#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

#include "storage/mp4_box.h"
#include "tests/fuzz/target.h"

static void walk(int fd, int64_t end)
{
    struct gw_mp4_box box;
    int64_t offset = 0;

    while (gw_mp4_read_box(fd, offset, end, &box) > 0) {
        assert(box.offset == offset && box.size >= 8 && box.size <= end - offset);
        offset += box.size;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("clip", MFD_CLOEXEC);
    int64_t first = 0;

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        return 0;
    walk(fd, (int64_t)size);
    if (gw_mp4_open_room(fd, &first) == 0) {
        assert(first >= GW_MP4_ROOM_SIZE && first <= (int64_t)size);
        const struct gw_mp4_fragment fragments[] = {
            {first, 100, 0, true}, {first + 100, 50, 9000, false}, {first + 150, 200, 18000, true}};
        gw_mp4_seal(fd, fragments, 3, 27000);
        walk(fd, (int64_t)size);
        assert(lseek(fd, 0, SEEK_END) == (off_t)size);
    }
    close(fd);
    return 0;
}
