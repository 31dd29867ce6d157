// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: clips' files put together to one (storage/clip_join.h). The input is pieces
// (pieces.h), each a clip's file, one second after the other; the first byte says how long a range
// is wanted.

#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "storage/join_wire.h"
#include "storage/media_plan.h"
#include "tests/fuzz/pieces.h"
#include "tests/fuzz/target.h"

enum { CLIPS = 4 };

static char store[] = "/tmp/gridwatch-fuzz-XXXXXX";
static struct gw_clip clips[CLIPS];

static char *path_of(char path[256], int i)
{
    char below[GW_MEDIA_PATH_SIZE];
    snprintf(path, 256, "%s/%s", store, gw_clip_path(below, &clips[i]));
    return path;
}

// The folders stay for the next input; they are removed at the end.
static void remove_folders(void)
{
    char path[256];
    for (char *slash = strrchr(path_of(path, 0), '/'); slash > path + 4;
         slash = strrchr(path, '/')) {
        *slash = 0;
        rmdir(path);
    }
}

static void make_folders(void)
{
    char path[256];
    if (!mkdtemp(store))
        abort();
    for (int i = 0; i < CLIPS; i++)
        clips[i] = (struct gw_clip){.id = {{(uint8_t)(i + 1)}},
                                    .camera = "cam",
                                    .start_us = INT64_C(1777863721000000) + i * GW_SECOND};
    path_of(path, 0);
    for (char *slash = path + strlen(store); (slash = strchr(slash + 1, '/'));) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
    atexit(remove_folders);
}

static int write_clips(const uint8_t *data, size_t size)
{
    uint8_t *piece;
    size_t piece_size;
    char path[256];
    int count = 0;
    while (count < CLIPS && (piece = take_piece(&data, &size, &piece_size))) {
        FILE *file = fopen(path_of(path, count++), "wb");
        if (!file || fwrite(piece, 1, piece_size, file) != piece_size || fclose(file) != 0)
            abort();
        free(piece);
    }
    return count;
}

static void read_all(struct gw_media_plan *plan)
{
    static uint8_t bytes[4096];
    struct gw_media_reader *reader;
    ssize_t got;
    int64_t at = 0;
    if (gw_media_reader_create(&reader, plan) < 0)
        abort();
    while ((got = gw_media_read(reader, at, bytes, sizeof(bytes))) > 0)
        at += got;
    assert(got == 0 && at == plan->size);
    gw_media_reader_destroy(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_join join;
    struct gw_media_plan *plan;
    char path[256];
    if (size < 1)
        return 0;
    if (!clips[0].start_us)
        make_folders();
    const int count = write_clips(data + 1, size - 1);
    const struct gw_join_request request = {
        data[0] & 1 ? clips[0].start_us : GW_NO_TIME,
        data[0] & 2 ? clips[0].start_us + data[0] * GW_SECOND / 16 : GW_NO_TIME, clips, count};
    int made_fd = memfd_create("made", MFD_CLOEXEC);
    if (count && gw_join_make(&join, store, &request, made_fd) == 0) {
        if (join.problem == GW_JOIN_FINE) {
            const int result = gw_media_plan_create(&plan, store, &request, &join, made_fd);
            made_fd = -1;
            // Our own result fits what is on the disk, but for times that no file of ours has.
            if (result == 0) {
                read_all(plan);
                gw_media_plan_unref(&plan);
            }
        }
        gw_join_finish(&join);
    }
    if (made_fd >= 0)
        close(made_fd);
    for (int i = 0; i < count; i++)
        unlink(path_of(path, i));
    return 0;
}
