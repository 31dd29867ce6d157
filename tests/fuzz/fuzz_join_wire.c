// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: what a process that joins clips is told and tells (storage/join_wire.h); it may have
// been taken over by a clip.

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "storage/join_wire.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t sizes[] = {1000, -1, 5};
    struct gw_join_request request;
    struct gw_clip *clips;
    struct gw_join join;
    int fd = memfd_create("wire", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        return 0;
    if (gw_join_receive_request(fd, &request, &clips) == 0) {
        assert(request.clip_count > 0 && request.clip_count <= GW_JOIN_CLIPS);
        assert(gw_camera_id_valid(clips[request.clip_count - 1].camera));
        free(clips);
    }
    if (gw_join_receive(fd, &join) == 0) {
        if (gw_join_fits(&join, sizes, 3, 50)) {
            int64_t total = 0;
            for (int64_t i = 0; i < join.extent_count; i++)
                total += join.extents[i].length;
            assert(total >= join.extent_count && total <= join.extent_count * 1000);
        }
        gw_join_finish(&join);
    }
    close(fd);
    return 0;
}
