// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gw_clip_repair() of clip_writer.h. Two passes: the boxes say which fragments are whole; then
// libavformat reads their pictures, and the first that is no picture (a hole that a power cut left)
// ends the clip before its fragment.

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavformat/avformat.h>
#include <libavutil/intreadwrite.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/clip_writer.h"
#include "storage/media.h"
#include "storage/mp4_box.h"
#include "storage/mp4_fragments.h"

// The pictures of a fragment. Times in ticks.
struct content {
    int frames;
    int64_t first_dts, last_dts, last_pts; // last_pts: of the one that is shown last
};

struct repair {
    const char *store;
    char path[GW_MEDIA_PATH_SIZE];
    char full[PATH_MAX];
    int fd;
    struct gw_mp4_fragment *fragments;
    int count;                // whole by their boxes, then: playable
    struct content *contents; // of each
};

// --- boxes ---------------------------------------------------------------------------------------

static void add_fragment(struct repair *repair, int64_t offset, int64_t size)
{
    if (repair->count % 64 == 0) {
        size_t room = (size_t)repair->count + 64;
        repair->fragments = realloc(repair->fragments, room * sizeof(*repair->fragments));
        if (!repair->fragments)
            abort();
    }
    repair->fragments[repair->count++] = (struct gw_mp4_fragment){.offset = offset, .size = size};
}

static int find_fragments(struct repair *repair, int64_t offset)
{
    struct stat status;
    int64_t moof_size, mdat_size;
    int result;
    if (fstat(repair->fd, &status) < 0)
        return -errno;
    while ((result = gw_mp4_find_fragment(repair->fd, offset, status.st_size, &moof_size,
                                          &mdat_size)) > 0) {
        add_fragment(repair, offset, moof_size + mdat_size);
        offset += moof_size + mdat_size;
    }
    return result;
}

// Cuts the file behind its last fragment that counts.
static int cut(struct repair *repair)
{
    const struct gw_mp4_fragment *last = &repair->fragments[repair->count - 1];
    return ftruncate(repair->fd, last->offset + last->size) < 0 ? -errno : 0;
}

// --- pictures ------------------------------------------------------------------------------------

// Whether trying again may help. Everything else is said by the file: here it ends.
static bool is_our_trouble(int error)
{
    return error == AVERROR(ENOMEM) || error == AVERROR(EIO) || error == AVERROR(EMFILE) ||
           error == AVERROR(ENFILE);
}

// Whether a picture is what the muxer writes: NAL units, each behind its length in four bytes.
static bool is_whole_picture(const AVPacket *packet)
{
    int at = 0;
    while (packet->size - at > 4) {
        uint32_t length = AV_RB32(packet->data + at);
        if (length == 0 || length > (uint32_t)(packet->size - at - 4))
            return false;
        at += 4 + (int)length;
    }
    return packet->size > 0 && at == packet->size;
}

// The fragment that holds this file position, at or after `from`; count when none does.
static int find_fragment(const struct repair *repair, int64_t position, int from)
{
    for (int i = from; i < repair->count; i++)
        if (position < repair->fragments[i].offset + repair->fragments[i].size)
            return position < repair->fragments[i].offset ? repair->count : i;
    return repair->count;
}

static void take_picture(struct repair *repair, int i, const AVPacket *packet)
{
    struct content *content = &repair->contents[i];
    if (!content->frames++) {
        repair->fragments[i].start_ticks = packet->pts;
        repair->fragments[i].key = packet->flags & AV_PKT_FLAG_KEY;
        content->first_dts = packet->dts;
        content->last_pts = packet->pts;
    }
    content->last_dts = packet->dts;
    if (packet->pts > content->last_pts)
        content->last_pts = packet->pts;
}

// Reads all pictures; on return the first repair->count fragments are playable.
static int read_pictures(struct repair *repair, AVFormatContext *input)
{
    AVPacket *packet = av_packet_alloc();
    if (!packet)
        abort();
    int result, current = 0, whole = repair->count;
    while ((result = av_read_frame(input, packet)) >= 0) {
        int i = find_fragment(repair, packet->pos, current);
        if (i == repair->count || !is_whole_picture(packet)) {
            whole = i < repair->count ? i : current;
            break;
        }
        current = i;
        take_picture(repair, i, packet);
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    if (is_our_trouble(result))
        return result;
    // A fragment whose pictures were not found ends the clip, too.
    int playable = 0;
    while (playable < whole && repair->contents[playable].frames)
        playable++;
    repair->count = playable;
    return 0;
}

static void describe(const AVFormatContext *input, struct gw_clip *clip)
{
    const AVCodecParameters *parameters = input->streams[0]->codecpar;
    snprintf(clip->codec, sizeof(clip->codec), "%s",
             parameters->codec_id == AV_CODEC_ID_HEVC ? "h265" : "h264");
    clip->width = parameters->width;
    clip->height = parameters->height;
}

static int examine(struct repair *repair, struct gw_clip *clip)
{
    AVFormatContext *input = NULL;
    char url[PATH_MAX + 8];
    snprintf(url, sizeof(url), "file:%s", repair->full);
    int result = avformat_open_input(&input, url, av_find_input_format("mov"), NULL);
    if (result < 0) { // nothing in it can be played
        repair->count = 0;
        return is_our_trouble(result) ? result : 0;
    }
    if (input->nb_streams == 1) {
        describe(input, clip);
        result = read_pictures(repair, input);
    } else {
        repair->count = 0;
    }
    avformat_close_input(&input);
    return result;
}

// --- result --------------------------------------------------------------------------------------

// Nothing can be played. A file without one whole fragment is removed; one with fragments that
// libavformat cannot read stays, because somebody may know better.
static int lose(struct repair *repair, struct gw_clip *clip, bool keep_file)
{
    clip->state = GW_CLIP_LOST;
    clip->end_us = clip->start_us;
    clip->frames = clip->size_bytes = 0;
    if (keep_file)
        return 0;
    if (unlink(repair->full) < 0)
        return errno == ENOENT ? 0 : -errno;
    return gw_media_sync_folder(repair->store, repair->path);
}

// The last picture lasts as long as pictures took on average: what came after it is gone.
static int64_t find_end(const struct repair *repair, int64_t frames)
{
    const struct content *first = &repair->contents[0],
                         *last = &repair->contents[repair->count - 1];
    int64_t interval = GW_MP4_TIMESCALE / 25;
    if (frames > 1)
        interval = (last->last_dts - first->first_dts) / (frames - 1);
    return last->last_pts + interval;
}

static int complete(struct repair *repair, struct gw_clip *clip)
{
    const struct gw_mp4_fragment *last = &repair->fragments[repair->count - 1];
    clip->state = GW_CLIP_REPAIRED;
    clip->size_bytes = last->offset + last->size;
    clip->frames = 0;
    for (int i = 0; i < repair->count; i++)
        clip->frames += repair->contents[i].frames;
    int64_t end_ticks = find_end(repair, clip->frames);
    clip->end_us = clip->start_us + av_rescale(end_ticks, GW_SECOND, GW_MP4_TIMESCALE);

    int result = cut(repair);
    if (!result)
        result = gw_mp4_seal(repair->fd, repair->fragments, repair->count, end_ticks);
    if (!result && fdatasync(repair->fd) < 0)
        result = -errno;
    return result;
}

static int repair_pictures(struct repair *repair, struct gw_clip *clip)
{
    repair->contents = calloc((size_t)repair->count, sizeof(*repair->contents));
    if (!repair->contents)
        abort();
    int result = cut(repair);
    if (!result)
        result = examine(repair, clip);
    if (result < 0)
        return result;
    return repair->count ? complete(repair, clip) : lose(repair, clip, true);
}

static int repair_open_file(struct repair *repair, struct gw_clip *clip)
{
    int64_t first;
    struct stat status;
    if (fstat(repair->fd, &status) < 0)
        return -errno;
    int result = gw_mp4_open_room(repair->fd, &first);
    // A header that was not finished. A large file without one is none of ours: better left alone.
    if (result == GW_ERROR_INVALID && status.st_size < GW_MP4_HEADER_LIMIT)
        return lose(repair, clip, false);
    if (!result)
        result = find_fragments(repair, first);
    if (result < 0)
        return result;
    return repair->count ? repair_pictures(repair, clip) : lose(repair, clip, false);
}

int gw_clip_repair(const char *store, struct gw_clip *clip)
{
    struct repair repair = {.store = store};
    assert(gw_camera_id_valid(clip->camera));
    gw_clip_path(repair.path, clip);
    int length = snprintf(repair.full, sizeof(repair.full), "%s/%s", store, repair.path);
    if (length >= (int)sizeof(repair.full))
        return -ENAMETOOLONG;

    repair.fd = open(repair.full, O_RDWR | O_CLOEXEC);
    if (repair.fd < 0)
        return errno == ENOENT ? lose(&repair, clip, false) : -errno;
    int result = GW_ERROR_BUSY;
    if (flock(repair.fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        result = repair_open_file(&repair, clip);
    close(repair.fd);
    free(repair.fragments);
    free(repair.contents);
    return result;
}
