// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/media_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/error.h"
#include "storage/join_wire.h"

#define TAG_BYTES 16

struct plan {
    struct gw_media_plan view; // first: callers have a pointer to it
    atomic_int references;
    char store[PATH_MAX];
    struct gw_clip *clips;
    struct gw_join join;
    int64_t *starts; // of each extent in the whole
    int made_fd;
};

struct gw_media_reader {
    struct plan *plan;
    int64_t extent; // where the last read ended
    int64_t clip;   // whose file is open; -1: none
    int fd;
};

static struct plan *plan_of(struct gw_media_plan *view)
{
    return (struct plan *)view;
}

static int open_clip(const struct plan *plan, int64_t clip)
{
    char path[GW_MEDIA_PATH_SIZE], full[PATH_MAX + GW_MEDIA_PATH_SIZE];
    snprintf(full, sizeof(full), "%s/%s", plan->store, gw_clip_path(path, &plan->clips[clip]));
    int fd = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

// --- creation ------------------------------------------------------------------------------------

static bool fits(const struct plan *plan, int64_t made_size)
{
    char path[GW_MEDIA_PATH_SIZE], full[PATH_MAX + GW_MEDIA_PATH_SIZE];
    const int64_t count = plan->view.clip_count;
    int64_t *sizes = calloc((size_t)count, sizeof(*sizes));
    struct stat status;
    if (!sizes)
        abort();
    for (int64_t i = 0; i < count; i++) {
        snprintf(full, sizeof(full), "%s/%s", plan->store, gw_clip_path(path, &plan->clips[i]));
        sizes[i] = lstat(full, &status) == 0 && S_ISREG(status.st_mode) ? status.st_size : -1;
    }
    bool result = gw_join_fits(&plan->join, sizes, count, made_size);
    free(sizes);
    return result;
}

// Over the extents and the bytes made; those in files follow from clip ids and offsets.
static int make_tag(struct plan *plan, int64_t made_size)
{
    uint8_t block[16384], hash[TAG_BYTES];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    for (int64_t i = 0; i < plan->view.clip_count; i++)
        crypto_generichash_update(&state, plan->clips[i].id.bytes, sizeof(plan->clips[i].id.bytes));
    crypto_generichash_update(&state, (const uint8_t *)plan->join.extents,
                              (size_t)plan->join.extent_count * sizeof(*plan->join.extents));
    for (int64_t at = 0; at < made_size;) {
        ssize_t got = pread(plan->made_fd, block, sizeof(block), at);
        if (got <= 0)
            return got < 0 ? -errno : -ENODATA;
        crypto_generichash_update(&state, block, (size_t)got);
        at += got;
    }
    crypto_generichash_final(&state, hash, sizeof(hash));
    plan->view.tag[0] = '"';
    sodium_bin2hex(plan->view.tag + 1, sizeof(plan->view.tag) - 1, hash, sizeof(hash));
    strcat(plan->view.tag, "\"");
    return 0;
}

static void sum_up(struct plan *plan, int64_t made_size)
{
    const struct gw_join *join = &plan->join;
    struct gw_media_plan *view = &plan->view;
    for (int64_t i = 0; i < join->extent_count; i++) {
        plan->starts[i] = view->size;
        view->size += join->extents[i].length;
    }
    for (int64_t i = 0; i < join->piece_count; i++)
        view->frames += join->pieces[i].frames;
    view->from_us = join->pieces[0].from_us;
    view->to_us = join->pieces[join->piece_count - 1].to_us;
    view->pieces = join->pieces;
    view->piece_count = join->piece_count;
    view->unreadable = join->unreadable;
    view->memory_bytes =
        made_size + join->extent_count * (int64_t)(sizeof(*join->extents) + sizeof(*plan->starts)) +
        join->piece_count * (int64_t)sizeof(*join->pieces) +
        view->clip_count * (int64_t)sizeof(*plan->clips);
}

static struct plan *allocate(const char *store, const struct gw_join_request *request,
                             struct gw_join *join, int made_fd)
{
    struct plan *plan = calloc(1, sizeof(*plan));
    if (!plan)
        abort();
    const size_t clips_size = (size_t)request->clip_count * sizeof(*plan->clips);
    plan->clips = malloc(clips_size);
    plan->starts = calloc((size_t)join->extent_count + 1, sizeof(*plan->starts));
    if (!plan->clips || !plan->starts)
        abort();
    memcpy(plan->clips, request->clips, clips_size);
    snprintf(plan->store, sizeof(plan->store), "%s", store);
    plan->view.clips = plan->clips;
    plan->view.clip_count = request->clip_count;
    plan->join = *join;
    *join = (struct gw_join){0};
    plan->made_fd = made_fd;
    atomic_init(&plan->references, 1);
    return plan;
}

int gw_media_plan_create(struct gw_media_plan **ret, const char *store,
                         const struct gw_join_request *request, struct gw_join *join, int made_fd)
{
    struct stat status;
    if (sodium_init() < 0) {
        gw_join_finish(join);
        close(made_fd);
        return -EIO;
    }
    struct plan *plan = allocate(store, request, join, made_fd);
    struct gw_media_plan *view = &plan->view;
    int result = fstat(made_fd, &status) < 0 ? -errno : 0;
    if (!result && (plan->join.problem != GW_JOIN_FINE || !fits(plan, status.st_size)))
        result = GW_ERROR_INVALID;
    if (!result)
        result = make_tag(plan, status.st_size);
    if (result < 0) {
        gw_media_plan_unref(&view);
        return result;
    }
    sum_up(plan, status.st_size);
    *ret = view;
    return 0;
}

struct gw_media_plan *gw_media_plan_ref(struct gw_media_plan *plan)
{
    atomic_fetch_add(&plan_of(plan)->references, 1);
    return plan;
}

void gw_media_plan_unref(struct gw_media_plan **plan)
{
    struct plan *gone = plan_of(*plan);
    *plan = NULL;
    if (!gone || atomic_fetch_sub(&gone->references, 1) > 1)
        return;
    gw_join_finish(&gone->join);
    close(gone->made_fd);
    free(gone->clips);
    free(gone->starts);
    free(gone);
}

// --- reading -------------------------------------------------------------------------------------

int gw_media_reader_create(struct gw_media_reader **ret, struct gw_media_plan *plan)
{
    struct gw_media_reader *reader = malloc(sizeof(*reader));
    if (!reader)
        return -ENOMEM;
    *reader = (struct gw_media_reader){plan_of(gw_media_plan_ref(plan)), 0, -1, -1};
    *ret = reader;
    return 0;
}

void gw_media_reader_destroy(struct gw_media_reader **reader)
{
    struct gw_media_reader *gone = *reader;
    *reader = NULL;
    if (!gone)
        return;
    struct gw_media_plan *plan = &gone->plan->view;
    gw_media_plan_unref(&plan);
    if (gone->fd >= 0)
        close(gone->fd);
    free(gone);
}

// The extent in which position lies; most often the one of the last read, or the next one.
static int64_t find_extent(const struct gw_media_reader *reader, int64_t position)
{
    const struct plan *plan = reader->plan;
    int64_t low = 0, high = plan->join.extent_count - 1;
    for (int64_t i = reader->extent; i <= high && i < reader->extent + 2; i++)
        if (position >= plan->starts[i] &&
            position - plan->starts[i] < plan->join.extents[i].length)
            return i;
    while (low < high) {
        const int64_t middle = (low + high + 1) / 2;
        if (plan->starts[middle] <= position)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

// The file in which the extent lies.
static int find_file(struct gw_media_reader *reader, int64_t clip)
{
    if (clip < 0)
        return reader->plan->made_fd;
    if (reader->clip == clip)
        return reader->fd;
    if (reader->fd >= 0)
        close(reader->fd);
    reader->fd = open_clip(reader->plan, clip);
    reader->clip = reader->fd < 0 ? -1 : clip;
    return reader->fd;
}

static ssize_t read_extent(struct gw_media_reader *reader, int64_t position, void *bytes,
                           size_t size)
{
    const struct gw_media_extent *extent = &reader->plan->join.extents[reader->extent];
    const int64_t within = position - reader->plan->starts[reader->extent];
    const int64_t rest = extent->length - within;
    const int fd = find_file(reader, extent->clip);
    if (fd < 0)
        return fd;
    for (;;) {
        ssize_t got =
            pread(fd, bytes, rest < (int64_t)size ? (size_t)rest : size, extent->offset + within);
        if (got < 0 && errno == EINTR)
            continue;
        return got < 0 ? -errno : got == 0 ? -ENODATA : got;
    }
}

ssize_t gw_media_read(struct gw_media_reader *reader, int64_t position, void *bytes, size_t size)
{
    size_t done = 0;
    while (done < size && position + (int64_t)done < reader->plan->view.size) {
        reader->extent = find_extent(reader, position + (int64_t)done);
        ssize_t got =
            read_extent(reader, position + (int64_t)done, (uint8_t *)bytes + done, size - done);
        if (got < 0)
            return done ? (ssize_t)done : got;
        done += (size_t)got;
    }
    return (ssize_t)done;
}
