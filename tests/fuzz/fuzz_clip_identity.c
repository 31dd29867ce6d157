// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: which clip a file is, by its boxes (storage/clip_identity.h).

#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

#include "storage/clip_identity.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_clip clip;
    int fd = memfd_create("clip", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        return 0;
    if (gw_clip_identify_file(fd, &clip) == 0) {
        assert(gw_camera_id_valid(clip.camera) && !gw_id_is_null(&clip.id));
        assert(clip.state == GW_CLIP_CLOSED || clip.state == GW_CLIP_RECORDING);
        assert(clip.size_bytes > 0 && clip.size_bytes <= (int64_t)size && clip.frames >= 0);
        assert(clip.state == GW_CLIP_RECORDING || clip.frames > 0);
    }
    close(fd);
    return 0;
}
