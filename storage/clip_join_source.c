// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/clip_join_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

#define SAME_US INT64_C(1000) // two times this close are the same: a tick is 11 µs

// --- one clip's file -----------------------------------------------------------------------------

int gw_join_open_source(struct gw_joining *join, int64_t number, struct gw_join_source *source)
{
    char path[GW_MEDIA_PATH_SIZE], full[PATH_MAX];
    struct stat status;
    const struct gw_clip *clip = &join->request->clips[number];

    snprintf(full, sizeof(full), "%s/%s", join->store, gw_clip_path(path, clip));
    source->number = number;
    source->fragments = NULL;
    source->fd = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int result = source->fd < 0 ? -errno : fstat(source->fd, &status) < 0 ? -errno : 0;
    if (!result)
        result = S_ISREG(status.st_mode) ? gw_mp4_read_header(source->fd, &source->header)
                                         : GW_ERROR_INVALID;
    if (!result) {
        source->size = status.st_size;
        return 1;
    }
    if (source->fd >= 0)
        close(source->fd);
    return result == GW_ERROR_INVALID || result == -ENOENT || result == -ELOOP ? 0 : result;
}

void gw_join_close_source(struct gw_join_source *source)
{
    gw_mp4_fragments_destroy(&source->fragments);
    close(source->fd);
}

int gw_join_rewind_source(struct gw_join_source *source)
{
    gw_mp4_fragments_destroy(&source->fragments);
    return gw_mp4_fragments_create(&source->fragments, source->fd, source->size, &source->header);
}

// --- which fragments -----------------------------------------------------------------------------

int gw_join_find_fragments(struct gw_joining *join, struct gw_join_source *source)
{
    struct gw_mp4_pictures pictures;
    const int64_t start_us = join->request->clips[source->number].start_us;
    int64_t end_dts = INT64_MIN;
    int result = gw_join_rewind_source(source);

    join->found_count = 0;
    while (!result && (result = gw_mp4_fragments_next(source->fragments, &pictures)) > 0) {
        result = 0;
        if (pictures.dts <= end_dts) // time runs backwards: whatever follows is no good
            return 0;
        end_dts = pictures.last_dts;
        join->found = gw_join_make_room(join->found, join->found_count, &join->found_room,
                                        sizeof(*join->found));
        join->found[join->found_count++] =
            (struct gw_join_found){.start_us = start_us + gw_join_us(pictures.first_pts),
                                   .last_us = start_us + gw_join_us(pictures.last_pts),
                                   .key = pictures.key};
        if (join->found_count > GW_JOIN_FRAGMENTS)
            return gw_join_refuse(join, GW_JOIN_TOO_LARGE, 0);
    }
    return result;
}

// The last keyframe's fragment that begins at or before wall_us; else the first one after it. -1
// when there is none.
static int find_key(const struct gw_joining *join, int first, int64_t wall_us)
{
    int best = -1;
    for (int i = first; i < join->found_count; i++) {
        if (!join->found[i].key)
            continue;
        if (best >= 0 && join->found[i].start_us > wall_us)
            break;
        best = i;
    }
    return best;
}

static int find_key_after(const struct gw_joining *join, int first, int64_t wall_us)
{
    for (int i = first; i < join->found_count; i++)
        if (join->found[i].key && join->found[i].start_us >= wall_us)
            return i;
    return -1;
}

// Takes back what begins at wall_us and later, if a fragment begins just then.
static bool cut_placed(struct gw_joining *join, int64_t wall_us)
{
    int keep = join->placed_count;
    while (keep > 0 && join->placed[keep - 1].start_us >= wall_us - SAME_US)
        keep--;
    if (keep == join->placed_count || join->placed[keep].start_us > wall_us + SAME_US)
        return false;
    join->placed_count = keep;
    return true;
}

// How long a clip's last picture lasts is a guess, so two clips overlap only if the later one
// begins before that picture does.
int gw_join_find_begin(struct gw_joining *join)
{
    const int64_t from_us = join->request->from_us;
    if (!join->found_count)
        return -1;
    const struct gw_join_found *end = &join->found[join->found_count - 1];
    if (from_us != GW_NO_TIME && end->last_us < from_us)
        return -1;
    const int first = find_key(join, 0, from_us == GW_NO_TIME ? INT64_MIN : from_us);
    if (first < 0 || !join->placed_count)
        return first;
    const int64_t last_us = join->placed[join->placed_count - 1].last_us;
    if (join->found[first].start_us > last_us + SAME_US)
        return first;
    if (end->last_us <= last_us + SAME_US)
        return -1;
    const int over = find_key(join, first, last_us);
    if (cut_placed(join, join->found[over].start_us))
        return over;
    return find_key_after(join, first, last_us + SAME_US);
}

int gw_join_find_end(const struct gw_joining *join, int begin)
{
    int end = begin;
    while (end < join->found_count &&
           (join->request->to_us == GW_NO_TIME || join->found[end].start_us < join->request->to_us))
        end++;
    return end;
}
