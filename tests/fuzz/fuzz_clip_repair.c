// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: the repair of a clip that a killed worker left (storage/clip_writer.h).

#include <assert.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavutil/log.h>

#include "core/clip.h"
#include "storage/clip_writer.h"
#include "tests/fuzz/pieces.h"
#include "tests/fuzz/target.h"

static char store[] = "/tmp/gridwatch-fuzz-XXXXXX";
static char path[sizeof(store) + GW_MEDIA_PATH_SIZE];

// The folders stay for the next input; they are removed at the end.
static void remove_folders(void)
{
    unlink(path);
    for (char *slash; (slash = strrchr(path, '/')) && slash > path + 4; *slash = 0)
        rmdir(path);
    rmdir(path);
}

static void make_folders(const struct gw_clip *clip)
{
    char relative[GW_MEDIA_PATH_SIZE];

    av_log_set_level(AV_LOG_QUIET);
    if (!mkdtemp(store))
        abort();
    snprintf(path, sizeof(path), "%s/%s", store, gw_clip_path(relative, clip));
    for (char *slash = path + strlen(store); (slash = strchr(slash + 1, '/'));) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
    atexit(remove_folders);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_clip clip = {.camera = "cam", .start_us = INT64_C(1777863721000000)};

    if (!*path)
        make_folders(&clip);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        abort();
    if (gw_clip_repair(store, &clip) == 0) {
        assert(clip.state == GW_CLIP_REPAIRED || clip.state == GW_CLIP_LOST);
        assert(clip.state == GW_CLIP_LOST || (clip.frames > 0 && clip.size_bytes <= (int64_t)size));
    }
    return 0;
}
