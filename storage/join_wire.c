// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/join_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "storage/mp4_box.h"
#include "storage/write_all.h"

#define MAGIC_REQUEST UINT64_C(0x6777726571303031)
#define MAGIC_RESULT  UINT64_C(0x6777726573303031)
#define TIME_LIMIT    (INT64_C(1) << 60) // of wall times; sums of a few still fit

struct request_head {
    uint64_t magic;
    int64_t from_us, to_us, clip_count;
};

struct clip_name {
    struct gw_id id;
    int64_t start_us;
    char camera[GW_CAMERA_ID_SIZE];
};

struct result_head {
    uint64_t magic;
    int64_t problem, problem_us, unreadable, piece_count, extent_count;
};

static int write_at(int fd, const void *bytes, size_t size, int64_t *offset)
{
    const int result = gw_write_all_at(fd, bytes, size, *offset);
    *offset += (int64_t)size;
    return result;
}

static int read_at(int fd, void *bytes, size_t size, int64_t *offset)
{
    int result = gw_mp4_read(fd, bytes, size, *offset);
    *offset += (int64_t)size;
    return result > 0 ? 0 : result == 0 ? GW_ERROR_INVALID : result;
}

// --- requests ------------------------------------------------------------------------------------

int gw_join_send_request(int fd, const struct gw_join_request *request)
{
    const struct request_head head = {MAGIC_REQUEST, request->from_us, request->to_us,
                                      request->clip_count};
    int64_t offset = 0;
    int result = write_at(fd, &head, sizeof(head), &offset);
    for (int64_t i = 0; !result && i < request->clip_count; i++) {
        struct clip_name name = {.id = request->clips[i].id,
                                 .start_us = request->clips[i].start_us};
        memcpy(name.camera, request->clips[i].camera, sizeof(name.camera));
        result = write_at(fd, &name, sizeof(name), &offset);
    }
    return result;
}

static int receive_clips(int fd, struct gw_clip *clips, int64_t count, int64_t offset)
{
    struct clip_name name;
    for (int64_t i = 0; i < count; i++) {
        int result = read_at(fd, &name, sizeof(name), &offset);
        if (result < 0)
            return result;
        if (!memchr(name.camera, 0, sizeof(name.camera)) || !gw_camera_id_valid(name.camera))
            return GW_ERROR_INVALID;
        clips[i].id = name.id;
        clips[i].start_us = name.start_us;
        memcpy(clips[i].camera, name.camera, sizeof(name.camera));
    }
    return 0;
}

int gw_join_receive_request(int fd, struct gw_join_request *ret, struct gw_clip **ret_clips)
{
    struct request_head head;
    int64_t offset = 0;
    int result = read_at(fd, &head, sizeof(head), &offset);
    if (result < 0)
        return result;
    if (head.magic != MAGIC_REQUEST || head.clip_count < 1 || head.clip_count > GW_JOIN_CLIPS)
        return GW_ERROR_INVALID;
    struct gw_clip *clips = calloc((size_t)head.clip_count, sizeof(*clips));
    if (!clips)
        return -ENOMEM;
    result = receive_clips(fd, clips, head.clip_count, offset);
    if (result < 0) {
        free(clips);
        return result;
    }
    *ret = (struct gw_join_request){head.from_us, head.to_us, clips, head.clip_count};
    *ret_clips = clips;
    return 0;
}

// --- results -------------------------------------------------------------------------------------

int gw_join_send(int fd, const struct gw_join *join)
{
    const struct result_head head = {MAGIC_RESULT,     join->problem,     join->problem_us,
                                     join->unreadable, join->piece_count, join->extent_count};
    int64_t offset = 0;
    int result = write_at(fd, &head, sizeof(head), &offset);
    if (!result)
        result =
            write_at(fd, join->pieces, (size_t)join->piece_count * sizeof(*join->pieces), &offset);
    if (!result)
        result = write_at(fd, join->extents, (size_t)join->extent_count * sizeof(*join->extents),
                          &offset);
    return result;
}

static bool is_sensible(const struct result_head *head)
{
    const bool fine = head->problem == GW_JOIN_FINE;
    return head->magic == MAGIC_RESULT && head->problem >= 0 && head->problem < GW_JOIN_PROBLEMS &&
           head->problem_us >= 0 && head->problem_us < TIME_LIMIT && head->unreadable >= 0 &&
           head->unreadable <= GW_JOIN_CLIPS && head->piece_count >= fine &&
           head->piece_count <= GW_JOIN_FRAGMENTS && head->extent_count >= fine &&
           head->extent_count <= 2 * GW_JOIN_FRAGMENTS + 1;
}

int gw_join_receive(int fd, struct gw_join *ret)
{
    struct result_head head;
    int64_t offset = 0;
    int result = read_at(fd, &head, sizeof(head), &offset);
    if (result < 0)
        return result;
    if (!is_sensible(&head))
        return GW_ERROR_INVALID;
    struct gw_join join = {.problem = (enum gw_join_problem)head.problem,
                           .problem_us = head.problem_us,
                           .unreadable = head.unreadable,
                           .piece_count = head.piece_count,
                           .extent_count = head.extent_count};
    join.pieces = calloc((size_t)head.piece_count + 1, sizeof(*join.pieces));
    join.extents = calloc((size_t)head.extent_count + 1, sizeof(*join.extents));
    result = join.pieces && join.extents ? 0 : -ENOMEM;
    if (!result)
        result = read_at(fd, join.pieces, (size_t)head.piece_count * sizeof(*join.pieces), &offset);
    if (!result)
        result =
            read_at(fd, join.extents, (size_t)head.extent_count * sizeof(*join.extents), &offset);
    if (result < 0)
        gw_join_finish(&join);
    else
        *ret = join;
    return result;
}

// --- checks --------------------------------------------------------------------------------------

static bool piece_fits(const struct gw_media_piece *piece, int64_t clip_count)
{
    return piece->clip >= 0 && piece->clip < clip_count && piece->from_us >= 0 &&
           piece->to_us >= piece->from_us && piece->to_us < TIME_LIMIT && piece->at_us >= 0 &&
           piece->at_us < TIME_LIMIT && piece->frames > 0 && piece->frames < INT32_MAX;
}

static bool extent_fits(const struct gw_media_extent *extent, const int64_t *sizes,
                        int64_t clip_count, int64_t made_size)
{
    if (extent->clip < -1 || extent->clip >= clip_count)
        return false;
    const int64_t size = extent->clip < 0 ? made_size : sizes[extent->clip];
    return extent->offset >= 0 && extent->length > 0 && extent->offset <= size &&
           extent->length <= size - extent->offset;
}

bool gw_join_fits(const struct gw_join *join, const int64_t *sizes, int64_t clip_count,
                  int64_t made_size)
{
    int64_t total = 0;
    for (int64_t i = 0; i < join->piece_count; i++)
        if (!piece_fits(&join->pieces[i], clip_count))
            return false;
    for (int64_t i = 0; i < join->extent_count; i++)
        if (!extent_fits(&join->extents[i], sizes, clip_count, made_size) ||
            __builtin_add_overflow(total, join->extents[i].length, &total))
            return false;
    return true;
}
