// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Three steps: what the headers of all clips say; for each clip, which of its fragments are wanted;
// their moofs. The header comes first in the file but last into the bytes made, when all is known.

#include "storage/clip_join_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "storage/mp4_parameters.h"

#define BUFFER (1 << 20) // of bytes made, before they are written

void *gw_join_make_room(void *array, int count, int *room, size_t size)
{
    if (count < *room)
        return array;
    *room = *room ? *room * 2 : 64;
    array = realloc(array, (size_t)*room * size);
    if (!array)
        abort();
    return array;
}

// --- bytes made ----------------------------------------------------------------------------------

int64_t gw_join_made(const struct gw_joining *join)
{
    return join->written + (int64_t)join->out.size;
}

int gw_join_flush(struct gw_joining *join)
{
    for (size_t done = 0; done < join->out.size;) {
        ssize_t put = pwrite(join->made_fd, join->out.bytes + done, join->out.size - done,
                             join->written + (int64_t)done);
        if (put < 0 && errno != EINTR)
            return -errno;
        done += put > 0 ? (size_t)put : 0;
    }
    join->written += (int64_t)join->out.size;
    join->out.size = 0;
    return 0;
}

// --- sample entries ------------------------------------------------------------------------------

int gw_join_refuse(struct gw_joining *join, enum gw_join_problem problem, int64_t wall_us)
{
    join->result->problem = problem;
    join->result->problem_us = wall_us;
    return GW_ERROR_FORBIDDEN;
}

// Which of the sample entries so far is this clip's; a new one when none is.
static int describe_source(struct gw_joining *join, struct gw_join_source *source)
{
    const struct gw_mp4_header *header = &source->header;
    const size_t size = (size_t)header->entry_size;
    source->parameters_size = 0;
    if (join->varied)
        source->parameters_size = gw_mp4_find_parameters(
            header->entry, header->entry_size, source->parameters, sizeof(source->parameters));
    for (int i = 0; i < join->entry_count; i++) {
        source->description = i + 1;
        if (join->entry_sizes[i] == header->entry_size &&
            !memcmp(join->entries[i], header->entry, size))
            return 0;
    }
    if (join->entry_count == GW_JOIN_ENTRIES)
        return gw_join_refuse(join, GW_JOIN_TOO_LARGE, 0);
    uint8_t *entry = malloc(size);
    if (!entry)
        abort();
    memcpy(entry, header->entry, size);
    join->entries[join->entry_count] = entry;
    join->entry_sizes[join->entry_count++] = header->entry_size;
    source->description = join->entry_count;
    return 0;
}

// --- their place on the time line ----------------------------------------------------------------

// What is added to a clip's decoding times, so that its first picture follows the last one of the
// clip before it; later only as far as decoding times have to increase.
static int64_t find_delta(const struct gw_joining *join, const struct gw_join_source *source,
                          const struct gw_mp4_pictures *first, int64_t start_us)
{
    const struct gw_join_placed *last =
        join->placed_count ? &join->placed[join->placed_count - 1] : NULL;
    int64_t at = last ? last->end_ticks : 0;
    if (last && start_us - last->end_us <= GW_JOIN_HOLE_US) // its last picture may be cut short
        at += gw_join_ticks(start_us - last->end_us);
    int64_t delta = at + join->shift_ticks - (first->first_pts + source->header.shift_ticks);
    const int64_t least = last ? last->last_dts + 1 : 0;
    if (first->dts + delta < least)
        delta = least - first->dts;
    return delta;
}

static int place(struct gw_joining *join, const struct gw_join_source *source,
                 const struct gw_mp4_pictures *pictures, int64_t delta)
{
    const int64_t clip_us = join->request->clips[source->number].start_us;
    // From the clip's presentation to that of the result, whose edit list has the longest shift.
    const int64_t shown = delta + source->header.shift_ticks - join->shift_ticks;
    struct gw_join_placed *placed;

    if (join->placed_count == GW_JOIN_FRAGMENTS || gw_join_made(join) > GW_JOIN_MADE)
        return gw_join_refuse(join, GW_JOIN_TOO_LARGE, 0);
    join->placed = gw_join_make_room(join->placed, join->placed_count, &join->placed_room,
                                     sizeof(*join->placed));
    placed = &join->placed[join->placed_count++];
    *placed = (struct gw_join_placed){.clip = source->number,
                                      .made_at = gw_join_made(join),
                                      .data_at = pictures->data,
                                      .data_size = pictures->data_size,
                                      .start_us = clip_us + gw_join_us(pictures->first_pts),
                                      .last_us = clip_us + gw_join_us(pictures->last_pts),
                                      .end_us = clip_us + gw_join_us(pictures->end_pts),
                                      .frames = pictures->count,
                                      .start_ticks = pictures->first_pts + shown,
                                      .end_ticks = pictures->end_pts + shown,
                                      .last_dts = pictures->last_dts + delta,
                                      .key = pictures->key};
    gw_mp4_build_moof(&join->out, ++join->sequence, (uint32_t)source->description,
                      pictures->dts + delta, pictures, source->parameters,
                      pictures->key ? source->parameters_size : 0);
    placed->made_size = gw_join_made(join) - placed->made_at;
    return join->out.size > BUFFER ? gw_join_flush(join) : 0;
}

static int place_fragments(struct gw_joining *join, struct gw_join_source *source, int begin,
                           int end)
{
    struct gw_mp4_pictures pictures;
    int64_t delta = 0;
    int result = gw_join_rewind_source(source);

    for (int i = 0; !result && i < end; i++) {
        result = gw_mp4_fragments_next(source->fragments, &pictures);
        if (result <= 0) // it was there a moment ago; what there is counts
            return result;
        result = 0;
        if (i == begin)
            delta = find_delta(join, source, &pictures, join->found[i].start_us);
        if (i >= begin)
            result = place(join, source, &pictures, delta);
    }
    return result;
}

static int add_source(struct gw_joining *join, struct gw_join_source *source)
{
    int result = gw_join_find_fragments(join, source);
    if (result < 0)
        return result;
    const int begin = gw_join_find_begin(join);
    const int end = begin < 0 ? -1 : gw_join_find_end(join, begin);
    if (end <= begin)
        return 0;
    if (!join->codec) {
        join->codec = source->header.codec;
        join->width = source->header.width;
        join->height = source->header.height;
        join->clock_offset_us = source->header.clock_offset_us;
    }
    if (source->header.codec != join->codec)
        return gw_join_refuse(join, GW_JOIN_CODEC, join->found[begin].start_us);
    result = describe_source(join, source);
    return result ? result : place_fragments(join, source, begin, end);
}

// --- the steps -----------------------------------------------------------------------------------

// The longest shift, and whether all sample entries are the same.
static void compare(struct gw_joining *join, const struct gw_mp4_header *first,
                    const struct gw_mp4_header *header)
{
    if (header->shift_ticks > join->shift_ticks)
        join->shift_ticks = header->shift_ticks;
    if (header->entry_size != first->entry_size ||
        memcmp(header->entry, first->entry, (size_t)first->entry_size) != 0)
        join->varied = true;
}

static int survey(struct gw_joining *join)
{
    struct gw_join_source *source = calloc(2, sizeof(*source)), *first = NULL;
    int result = source ? 0 : -ENOMEM;
    for (int64_t i = 0; result >= 0 && i < join->request->clip_count; i++) {
        struct gw_join_source *next = first ? source + 1 : source;
        result = gw_join_open_source(join, i, next);
        join->result->unreadable += result == 0;
        if (result <= 0)
            continue;
        first = source;
        compare(join, &first->header, &next->header);
        gw_join_close_source(next);
    }
    free(source);
    return result < 0 ? result : 0;
}

static int collect(struct gw_joining *join)
{
    struct gw_join_source *source = malloc(sizeof(*source));
    int result = source ? 0 : -ENOMEM;
    for (int64_t i = 0; result >= 0 && i < join->request->clip_count; i++) {
        result = gw_join_open_source(join, i, source);
        if (result <= 0)
            continue;
        result = add_source(join, source);
        gw_join_close_source(source);
    }
    free(source);
    if (result >= 0 && !join->placed_count)
        return gw_join_refuse(join,
                              join->result->unreadable == join->request->clip_count
                                  ? GW_JOIN_UNREADABLE
                                  : GW_JOIN_EMPTY,
                              0);
    return result < 0 ? result : 0;
}

int gw_join_make(struct gw_join *ret, const char *store, const struct gw_join_request *request,
                 int made_fd)
{
    struct gw_joining join = {
        .store = store, .request = request, .result = ret, .made_fd = made_fd};
    assert(request->clip_count >= 1 && request->clip_count <= GW_JOIN_CLIPS);
    *ret = (struct gw_join){0};
    int result = survey(&join);
    if (!result)
        result = collect(&join);
    if (!result)
        result = gw_join_complete(&join);
    for (int i = 0; i < join.entry_count; i++)
        free(join.entries[i]);
    free(join.out.bytes);
    free(join.found);
    free(join.placed);
    if (result == GW_ERROR_FORBIDDEN) // ret->problem says why
        return 0;
    if (result < 0)
        gw_join_finish(ret);
    return result;
}

void gw_join_finish(struct gw_join *join)
{
    free(join->pieces);
    free(join->extents);
    *join = (struct gw_join){0};
}
