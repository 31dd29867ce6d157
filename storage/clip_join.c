// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Three steps: what the headers of all clips say; for each clip, which of its fragments are wanted;
// their moofs. The header comes first in the file but last into the bytes made, when all is known.

#include "storage/clip_join.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavutil/mathematics.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/mp4_build.h"
#include "storage/mp4_parameters.h"

#define SAME_US INT64_C(1000) // two times this close are the same: a tick is 11 µs
#define ENTRIES 64            // different parameter sets, at most
#define BUFFER  (1 << 20)     // of bytes made, before they are written

// A fragment as it lies in its clip's file.
struct found {
    int64_t start_us, last_us; // of the pictures that are shown first and last
    bool key;
};

// A fragment of the result. Times in ticks of its time line.
struct placed {
    int64_t clip, made_at, made_size, data_at, data_size;
    int64_t start_us, last_us, end_us, frames; // last_us: of the picture that is shown last
    int64_t start_ticks, end_ticks, last_dts;
    bool key;
};

struct join {
    const char *store;
    const struct gw_join_request *request;
    struct gw_join *result;
    int made_fd;
    int64_t written; // bytes made that are in made_fd; the rest is in out
    struct gw_mp4_bytes out;

    uint32_t codec; // of the first clip; 0 before it
    int width, height;
    int64_t shift_ticks; // the longest of all clips
    int64_t clock_offset_us;
    uint8_t *entries[ENTRIES];
    int entry_sizes[ENTRIES], entry_count;
    bool varied; // not all clips have the same sample entry

    struct found *found; // of the clip at hand
    int found_count, found_room;
    struct placed *placed;
    int placed_count, placed_room;
    uint32_t sequence;
};

// The clip at hand.
struct source {
    int fd;
    int64_t number, size;
    struct gw_mp4_header header;
    struct gw_mp4_fragments *fragments;
    int description;                        // its sample entry, from 1
    uint8_t parameters[GW_MP4_ENTRY_LIMIT]; // to stand before its keyframes
    int parameters_size;
};

// Returns array with room for one more.
static void *make_room(void *array, int count, int *room, size_t size)
{
    if (count < *room)
        return array;
    *room = *room ? *room * 2 : 64;
    array = realloc(array, (size_t)*room * size);
    if (!array)
        abort();
    return array;
}

static int64_t to_us(int64_t ticks)
{
    return av_rescale(ticks, GW_SECOND, GW_MP4_TIMESCALE);
}

static int64_t to_ticks(int64_t us)
{
    return av_rescale(us, GW_MP4_TIMESCALE, GW_SECOND);
}

// --- bytes made ----------------------------------------------------------------------------------

static int64_t made(const struct join *join)
{
    return join->written + (int64_t)join->out.size;
}

static int flush(struct join *join)
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

// --- one clip's file -----------------------------------------------------------------------------

// A file that is missing or no clip's is passed over. Returns 1, 0 or -errno.
static int open_source(struct join *join, int64_t number, struct source *source)
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

static void close_source(struct source *source)
{
    gw_mp4_fragments_destroy(&source->fragments);
    close(source->fd);
}

// Begins to read its fragments from offset on.
static int rewind_source(struct source *source)
{
    gw_mp4_fragments_destroy(&source->fragments);
    return gw_mp4_fragments_create(&source->fragments, source->fd, source->size, &source->header);
}

static int set_problem(struct join *join, enum gw_join_problem problem, int64_t wall_us)
{
    join->result->problem = problem;
    join->result->problem_us = wall_us;
    return GW_ERROR_FORBIDDEN;
}

// Which of the sample entries so far is this clip's; a new one when none is.
static int describe_source(struct join *join, struct source *source)
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
    if (join->entry_count == ENTRIES)
        return set_problem(join, GW_JOIN_TOO_LARGE, 0);
    uint8_t *entry = malloc(size);
    if (!entry)
        abort();
    memcpy(entry, header->entry, size);
    join->entries[join->entry_count] = entry;
    join->entry_sizes[join->entry_count++] = header->entry_size;
    source->description = join->entry_count;
    return 0;
}

// --- which fragments -----------------------------------------------------------------------------

static int find_fragments(struct join *join, struct source *source)
{
    struct gw_mp4_pictures pictures;
    const int64_t start_us = join->request->clips[source->number].start_us;
    int64_t end_dts = INT64_MIN;
    int result = rewind_source(source);

    join->found_count = 0;
    while (!result && (result = gw_mp4_fragments_next(source->fragments, &pictures)) > 0) {
        result = 0;
        if (pictures.dts <= end_dts) // time runs backwards: whatever follows is no good
            return 0;
        end_dts = pictures.last_dts;
        join->found =
            make_room(join->found, join->found_count, &join->found_room, sizeof(*join->found));
        join->found[join->found_count++] =
            (struct found){.start_us = start_us + to_us(pictures.first_pts),
                           .last_us = start_us + to_us(pictures.last_pts),
                           .key = pictures.key};
        if (join->found_count > GW_JOIN_FRAGMENTS)
            return set_problem(join, GW_JOIN_TOO_LARGE, 0);
    }
    return result;
}

// The last keyframe's fragment that begins at or before wall_us; else the first one after it. -1
// when there is none.
static int find_key(const struct join *join, int first, int64_t wall_us)
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

static int find_key_after(const struct join *join, int first, int64_t wall_us)
{
    for (int i = first; i < join->found_count; i++)
        if (join->found[i].key && join->found[i].start_us >= wall_us)
            return i;
    return -1;
}

// Takes back what begins at wall_us and later, if a fragment begins just then.
static bool cut_placed(struct join *join, int64_t wall_us)
{
    int keep = join->placed_count;
    while (keep > 0 && join->placed[keep - 1].start_us >= wall_us - SAME_US)
        keep--;
    if (keep == join->placed_count || join->placed[keep].start_us > wall_us + SAME_US)
        return false;
    join->placed_count = keep;
    return true;
}

// Where this clip takes over from those before it; -1: nowhere. How long a clip's last picture
// lasts is a guess, so two clips overlap only if the later one begins before that picture does.
static int find_begin(struct join *join)
{
    const int64_t from_us = join->request->from_us;
    if (!join->found_count)
        return -1;
    const struct found *end = &join->found[join->found_count - 1];
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

// Up to which fragment of this clip, exclusive.
static int find_end(const struct join *join, int begin)
{
    int end = begin;
    while (end < join->found_count &&
           (join->request->to_us == GW_NO_TIME || join->found[end].start_us < join->request->to_us))
        end++;
    return end;
}

// --- their place on the time line ----------------------------------------------------------------

// What is added to a clip's decoding times, so that its first picture follows the last one of the
// clip before it; later only as far as decoding times have to increase.
static int64_t find_delta(const struct join *join, const struct source *source,
                          const struct gw_mp4_pictures *first, int64_t start_us)
{
    const struct placed *last = join->placed_count ? &join->placed[join->placed_count - 1] : NULL;
    int64_t at = last ? last->end_ticks : 0;
    if (last && start_us - last->end_us <= GW_JOIN_HOLE_US) // its last picture may be cut short
        at += to_ticks(start_us - last->end_us);
    int64_t delta = at + join->shift_ticks - (first->first_pts + source->header.shift_ticks);
    const int64_t least = last ? last->last_dts + 1 : 0;
    if (first->dts + delta < least)
        delta = least - first->dts;
    return delta;
}

static int place(struct join *join, const struct source *source,
                 const struct gw_mp4_pictures *pictures, int64_t delta)
{
    const int64_t clip_us = join->request->clips[source->number].start_us;
    // From the clip's presentation to that of the result, whose edit list has the longest shift.
    const int64_t shown = delta + source->header.shift_ticks - join->shift_ticks;
    struct placed *placed;

    if (join->placed_count == GW_JOIN_FRAGMENTS || made(join) > GW_JOIN_MADE)
        return set_problem(join, GW_JOIN_TOO_LARGE, 0);
    join->placed =
        make_room(join->placed, join->placed_count, &join->placed_room, sizeof(*join->placed));
    placed = &join->placed[join->placed_count++];
    *placed = (struct placed){.clip = source->number,
                              .made_at = made(join),
                              .data_at = pictures->data,
                              .data_size = pictures->data_size,
                              .start_us = clip_us + to_us(pictures->first_pts),
                              .last_us = clip_us + to_us(pictures->last_pts),
                              .end_us = clip_us + to_us(pictures->end_pts),
                              .frames = pictures->count,
                              .start_ticks = pictures->first_pts + shown,
                              .end_ticks = pictures->end_pts + shown,
                              .last_dts = pictures->last_dts + delta,
                              .key = pictures->key};
    gw_mp4_build_moof(&join->out, ++join->sequence, (uint32_t)source->description,
                      pictures->dts + delta, pictures, source->parameters,
                      pictures->key ? source->parameters_size : 0);
    placed->made_size = made(join) - placed->made_at;
    return join->out.size > BUFFER ? flush(join) : 0;
}

static int place_fragments(struct join *join, struct source *source, int begin, int end)
{
    struct gw_mp4_pictures pictures;
    int64_t delta = 0;
    int result = rewind_source(source);

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

static int add_source(struct join *join, struct source *source)
{
    int result = find_fragments(join, source);
    if (result < 0)
        return result;
    const int begin = find_begin(join);
    const int end = begin < 0 ? -1 : find_end(join, begin);
    if (end <= begin)
        return 0;
    if (!join->codec) {
        join->codec = source->header.codec;
        join->width = source->header.width;
        join->height = source->header.height;
        join->clock_offset_us = source->header.clock_offset_us;
    }
    if (source->header.codec != join->codec)
        return set_problem(join, GW_JOIN_CODEC, join->found[begin].start_us);
    result = describe_source(join, source);
    return result ? result : place_fragments(join, source, begin, end);
}

// --- the steps -----------------------------------------------------------------------------------

// The longest shift, and whether all sample entries are the same.
static void compare(struct join *join, const struct gw_mp4_header *first,
                    const struct gw_mp4_header *header)
{
    if (header->shift_ticks > join->shift_ticks)
        join->shift_ticks = header->shift_ticks;
    if (header->entry_size != first->entry_size ||
        memcmp(header->entry, first->entry, (size_t)first->entry_size) != 0)
        join->varied = true;
}

static int survey(struct join *join)
{
    struct source *source = calloc(2, sizeof(*source)), *first = NULL;
    int result = source ? 0 : -ENOMEM;
    for (int64_t i = 0; result >= 0 && i < join->request->clip_count; i++) {
        struct source *next = first ? source + 1 : source;
        result = open_source(join, i, next);
        join->result->unreadable += result == 0;
        if (result <= 0)
            continue;
        first = source;
        compare(join, &first->header, &next->header);
        close_source(next);
    }
    free(source);
    return result < 0 ? result : 0;
}

static int collect(struct join *join)
{
    struct source *source = malloc(sizeof(*source));
    int result = source ? 0 : -ENOMEM;
    for (int64_t i = 0; result >= 0 && i < join->request->clip_count; i++) {
        result = open_source(join, i, source);
        if (result <= 0)
            continue;
        result = add_source(join, source);
        close_source(source);
    }
    free(source);
    if (result >= 0 && !join->placed_count)
        return set_problem(join,
                           join->result->unreadable == join->request->clip_count
                               ? GW_JOIN_UNREADABLE
                               : GW_JOIN_EMPTY,
                           0);
    return result < 0 ? result : 0;
}

static void list_pieces(struct join *join)
{
    struct gw_join *result = join->result;
    result->pieces = calloc((size_t)join->placed_count, sizeof(*result->pieces));
    if (!result->pieces)
        abort();
    for (int i = 0; i < join->placed_count; i++) {
        const struct placed *placed = &join->placed[i];
        struct gw_media_piece *piece = &result->pieces[result->piece_count];
        if (i == 0 || piece[-1].clip != placed->clip) {
            if (i > 0 && piece[-1].to_us > placed->start_us)
                piece[-1].to_us = placed->start_us;
            piece->clip = placed->clip;
            piece->from_us = placed->start_us;
            piece->at_us = to_us(placed->start_ticks);
            result->piece_count++;
        } else {
            piece--;
        }
        piece->to_us = placed->end_us;
        piece->frames += placed->frames;
    }
}

static void list_extents(struct join *join, int64_t header_at)
{
    struct gw_join *result = join->result;
    result->extents = calloc((size_t)join->placed_count * 2 + 1, sizeof(*result->extents));
    if (!result->extents)
        abort();
    struct gw_media_extent *extent = result->extents;
    *extent++ = (struct gw_media_extent){-1, header_at, made(join) - header_at};
    for (int i = 0; i < join->placed_count; i++) {
        const struct placed *placed = &join->placed[i];
        *extent++ = (struct gw_media_extent){-1, placed->made_at, placed->made_size};
        *extent++ = (struct gw_media_extent){placed->clip, placed->data_at, placed->data_size};
    }
    result->extent_count = extent - result->extents;
}

// An index says how far it is from one entry to the next, so where the first one lies is no matter.
static void build_index(struct join *join, int64_t end_ticks)
{
    struct gw_mp4_fragment *fragments = calloc((size_t)join->placed_count, sizeof(*fragments));
    int64_t offset = 0;
    if (!fragments)
        abort();
    for (int i = 0; i < join->placed_count; i++) {
        const struct placed *placed = &join->placed[i];
        fragments[i] = (struct gw_mp4_fragment){.offset = offset,
                                                .size = placed->made_size + placed->data_size,
                                                .start_ticks = placed->start_ticks,
                                                .key = placed->key};
        offset += fragments[i].size;
    }
    gw_mp4_build_index(&join->out, fragments, join->placed_count, end_ticks);
    free(fragments);
}

static int complete(struct join *join)
{
    const int64_t header_at = made(join);
    const int64_t end_ticks = join->placed[join->placed_count - 1].end_ticks;
    const struct gw_clip *clip = &join->request->clips[join->placed[0].clip];
    const struct gw_mp4_movie movie = {
        .entries = (const uint8_t *const *)join->entries,
        .entry_sizes = join->entry_sizes,
        .entry_count = join->entry_count,
        .width = join->width,
        .height = join->height,
        .duration_ticks = end_ticks,
        .shift_ticks = join->shift_ticks,
        .id = join->request->clip_count == 1 ? &clip->id : NULL,
        .camera = clip->camera,
        .start_us = join->placed[0].start_us,
        .clock_offset_us = join->clock_offset_us,
    };
    gw_mp4_build_header(&join->out, &movie);
    build_index(join, end_ticks);
    list_extents(join, header_at);
    list_pieces(join);
    return flush(join);
}

int gw_join_make(struct gw_join *ret, const char *store, const struct gw_join_request *request,
                 int made_fd)
{
    struct join join = {.store = store, .request = request, .result = ret, .made_fd = made_fd};
    assert(request->clip_count >= 1 && request->clip_count <= GW_JOIN_CLIPS);
    *ret = (struct gw_join){0};
    int result = survey(&join);
    if (!result)
        result = collect(&join);
    if (!result)
        result = complete(&join);
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
