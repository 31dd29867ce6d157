// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/clip_writer.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <libavformat/avformat.h>
#include <libavutil/opt.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/clip_muxer.h"
#include "storage/media.h"
#include "storage/mp4_box.h"

#define SYNC_EVERY_US (2 * GW_SECOND)
#define SYNC_SLACK_US (GW_SECOND / 5) // so that a 2 s GOP that comes a little early is synced, too

// What was given to the muxer and is not yet a whole fragment in the file.
struct pending {
    int frames;
    bool key;
    int64_t start_ticks, end_ticks;
};

// How far the file is known to be on the disk.
struct synced {
    int64_t size_bytes, frames, end_us;
    int fragment_count;
    int64_t mono_us; // since when
};

struct gw_clip_writer {
    char store[PATH_MAX];
    struct gw_clip clip; // size, frames and end as of the last whole fragment
    int error;           // why the file is finished for good; 0 while it is fine
    int sync_error;      // of the one sync that failed; there is no other after it

    int fd;
    int64_t position, size; // of the muxer in the file; the file's
    AVFormatContext *muxer;
    AVPacket *out;

    bool began;                          // the first write came
    bool reordered;                      // B-frames: the first picture is decoded before it is due
    int64_t first_dts, last_dts, frames; // ticks; given to the muxer so far
    struct pending pending;
    struct gw_mp4_fragment *fragments;
    int fragment_count;
    struct synced synced;
};

// --- the file ------------------------------------------------------------------------------------

static int write_file(void *opaque, uint8_t *bytes, int size)
{
    struct gw_clip_writer *writer = opaque;
    for (int done = 0; done < size;) {
        ssize_t put = pwrite(writer->fd, bytes + done, (size_t)(size - done), writer->position);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -errno;
        done += (int)put;
        writer->position += put;
        if (writer->position > writer->size)
            writer->size = writer->position;
    }
    return size;
}

static int64_t seek_file(void *opaque, int64_t offset, int whence)
{
    struct gw_clip_writer *writer = opaque;
    if (whence == AVSEEK_SIZE)
        return writer->size;
    if (whence != SEEK_SET || offset < 0)
        return -EINVAL;
    return writer->position = offset;
}

static int open_file(struct gw_clip_writer *writer)
{
    char path[GW_MEDIA_PATH_SIZE], full[PATH_MAX + GW_MEDIA_PATH_SIZE];
    gw_clip_path(path, &writer->clip);
    snprintf(full, sizeof(full), "%s/%s", writer->store, path);
    int result = gw_media_make_folders(writer->store, path);
    if (result < 0)
        return result;
    writer->fd = open(full, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (writer->fd < 0)
        return -errno;
    flock(writer->fd,
          LOCK_EX | LOCK_NB); // tells gw_clip_repair that we live; some file systems cannot
    return 0;
}

static void remove_file(struct gw_clip_writer *writer)
{
    char path[GW_MEDIA_PATH_SIZE], full[PATH_MAX + GW_MEDIA_PATH_SIZE];
    snprintf(full, sizeof(full), "%s/%s", writer->store, gw_clip_path(path, &writer->clip));
    unlink(full);
}

// --- pictures ------------------------------------------------------------------------------------

static int64_t to_ticks(const struct gw_clip_writer *writer, int64_t wall_us)
{
    return av_rescale(wall_us - writer->clip.start_us, GW_MP4_TIMESCALE, GW_SECOND);
}

// How long the newest picture lasts, as long as no later one tells: what the camera says, else
// what its pictures took so far.
static int64_t guess_duration(const struct gw_clip_writer *writer, const AVPacket *av, int64_t dts)
{
    if (av->duration > 0)
        return av_rescale(av->duration, GW_MP4_TIMESCALE, GW_SECOND);
    if (writer->frames > 0)
        return (dts - writer->first_dts) / writer->frames;
    return GW_MP4_TIMESCALE / 25;
}

// Fills writer->out. Returns 1, 0 for a picture that cannot be shown because it needs one from
// before the clip, -errno.
static int prepare(struct gw_clip_writer *writer, const struct gw_packet *packet)
{
    const AVPacket *av = packet->av;
    int64_t pts = to_ticks(writer, av->pts), dts = to_ticks(writer, av->dts);

    if (pts < 0)
        return 0;
    if (writer->frames && dts <= writer->last_dts) {
        if (dts < writer->last_dts)
            return GW_ERROR_INVALID;
        dts = writer->last_dts + 1; // a tick is 11 µs, and two pictures fell into one
        pts = pts < dts ? dts : pts;
    }
    int result = av_packet_ref(writer->out, av);
    if (result < 0)
        return result;
    av_packet_free_side_data(writer->out);
    writer->out->pts = pts;
    writer->out->dts = dts;
    writer->out->duration = guess_duration(writer, av, dts);
    writer->out->stream_index = 0;
    return 1;
}

// The pending pictures are in the file as one whole fragment: the clip now reaches to its end.
static void take_fragment(struct gw_clip_writer *writer)
{
    struct gw_clip *clip = &writer->clip;
    struct pending *pending = &writer->pending;
    // Rooms for 16, 32, 64, … fragments.
    int count = writer->fragment_count;
    if (count == 0 || (count >= 16 && (count & (count - 1)) == 0)) {
        size_t room = count ? (size_t)count * 2 : 16;
        writer->fragments = realloc(writer->fragments, room * sizeof(*writer->fragments));
        if (!writer->fragments)
            abort();
    }
    writer->fragments[writer->fragment_count++] = (struct gw_mp4_fragment){
        clip->size_bytes, writer->size - clip->size_bytes, pending->start_ticks, pending->key};
    clip->size_bytes = writer->size;
    clip->frames += pending->frames;
    int64_t end_us = clip->start_us + av_rescale(pending->end_ticks, GW_SECOND, GW_MP4_TIMESCALE);
    if (end_us > clip->end_us)
        clip->end_us = end_us;
    *pending = (struct pending){0};
}

// What is on the disk need not stay in memory: a site writes more in an hour than it has memory,
// and would push out the pages of the index, which are asked for at random. Only a hint.
static void leave_page_cache(const struct gw_clip_writer *writer, int64_t from)
{
    const int64_t page = sysconf(_SC_PAGESIZE);
    posix_fadvise(writer->fd, from / page * page, 0, POSIX_FADV_DONTNEED);
}

// All whole fragments are on the disk after this; once it failed, nobody can say that of them any
// more, whatever a later sync says.
static int sync_file(struct gw_clip_writer *writer)
{
    const struct gw_clip *clip = &writer->clip;
    if (!writer->sync_error && fdatasync(writer->fd) < 0)
        writer->sync_error = -errno;
    if (writer->sync_error)
        return writer->sync_error;
    if (writer->synced.size_bytes) // the header is read and written once more at the end
        leave_page_cache(writer, writer->synced.size_bytes);
    writer->synced = (struct synced){clip->size_bytes, clip->frames, clip->end_us,
                                     writer->fragment_count, gw_mono_us()};
    return 0;
}

static int sync_when_due(struct gw_clip_writer *writer)
{
    if (gw_mono_us() - writer->synced.mono_us < SYNC_EVERY_US - SYNC_SLACK_US)
        return 0;
    return sync_file(writer);
}

// The muxer wrote the pending pictures if the file grew; packet then begins the next fragment.
static int note_progress(struct gw_clip_writer *writer)
{
    avio_flush(writer->muxer->pb);
    if (writer->muxer->pb->error < 0)
        return writer->muxer->pb->error;
    if (!writer->clip.size_bytes || writer->size == writer->clip.size_bytes)
        return 0; // still at the header, or the muxer collects
    take_fragment(writer);
    return sync_when_due(writer);
}

static void add_pending(struct gw_clip_writer *writer, const AVPacket *out)
{
    struct pending *pending = &writer->pending;
    if (!pending->frames++) {
        pending->key = out->flags & AV_PKT_FLAG_KEY;
        pending->start_ticks = out->pts;
    }
    if (out->pts + out->duration > pending->end_ticks)
        pending->end_ticks = out->pts + out->duration;
}

// The new picture's time says how long the one before it really was. Not with B-frames, where the
// one decoded before is not the one shown before; there the guess stays.
static void correct_pending(struct gw_clip_writer *writer, const AVPacket *out)
{
    if (writer->pending.frames && !writer->reordered)
        writer->pending.end_ticks = out->pts;
}

// Hands a picture to the muxer. Returns 0, or why the file cannot go on.
static int give(struct gw_clip_writer *writer)
{
    AVPacket *out = writer->out;
    correct_pending(writer, out);
    int result = av_write_frame(writer->muxer, out);
    if (result >= 0)
        result = note_progress(writer);
    if (result < 0)
        return result;
    if (!writer->frames++)
        writer->first_dts = out->dts;
    writer->last_dts = out->dts;
    add_pending(writer, out);
    return 0;
}

// --- create --------------------------------------------------------------------------------------

// A muxer that delays its header until it saw the first picture is asked for it now.
static int give_first(struct gw_clip_writer *writer, const struct gw_packet *first)
{
    int result = prepare(writer, first);
    if (result < 0)
        return result;
    writer->reordered = first->av->pts > first->av->dts;
    result = give(writer);
    av_packet_unref(writer->out);
    if (!result && writer->reordered)
        result = av_write_frame(writer->muxer, NULL);
    return result < 0 ? result : 0;
}

// The header and the room behind it, on the disk under a durable name: from here on the clip can
// be announced.
static int write_header(struct gw_clip_writer *writer, const struct gw_packet *first)
{
    char path[GW_MEDIA_PATH_SIZE];
    uint8_t room[GW_MP4_ROOM_SIZE];

    int result =
        gw_clip_muxer_start(&writer->muxer, &writer->clip, first, write_file, seek_file, writer);
    if (!result)
        result = give_first(writer, first);
    if (result < 0)
        return result;
    gw_mp4_make_room(room);
    avio_write(writer->muxer->pb, room, sizeof(room));
    avio_flush(writer->muxer->pb);
    if (writer->muxer->pb->error < 0)
        return writer->muxer->pb->error;
    writer->clip.size_bytes = writer->size;
    result = sync_file(writer);
    if (result < 0)
        return result;
    return gw_media_sync_folder(writer->store, gw_clip_path(path, &writer->clip));
}

static void describe(struct gw_clip *clip, const struct gw_packet *first)
{
    const AVCodecParameters *parameters = first->stream->parameters;
    clip->state = GW_CLIP_RECORDING;
    clip->start_us = clip->end_us = gw_packet_wall_us(first);
    clip->size_bytes = clip->frames = 0;
    snprintf(clip->codec, sizeof(clip->codec), "%s", gw_stream_codec_name(first->stream));
    clip->width = parameters->width;
    clip->height = parameters->height;
    clip->truncated = false;
}

static void destroy(struct gw_clip_writer **writer)
{
    struct gw_clip_writer *gone = *writer;
    *writer = NULL;
    gw_clip_muxer_free(&gone->muxer);
    av_packet_free(&gone->out);
    if (gone->fd >= 0)
        close(gone->fd);
    free(gone->fragments);
    free(gone);
}

int gw_clip_writer_create(struct gw_clip_writer **ret, const char *store, struct gw_clip *clip,
                          const struct gw_packet *first)
{
    assert(gw_packet_is_key(first) && gw_camera_id_valid(clip->camera));
    if (strlen(store) >= PATH_MAX)
        return -ENAMETOOLONG;
    struct gw_clip_writer *writer = calloc(1, sizeof(*writer));
    AVPacket *out = av_packet_alloc();
    if (!writer || !out)
        abort();
    writer->out = out;
    writer->fd = -1;
    snprintf(writer->store, sizeof(writer->store), "%s", store);
    writer->clip = *clip;
    describe(&writer->clip, first);

    int result = open_file(writer);
    if (!result)
        result = write_header(writer, first);
    if (result < 0) {
        if (writer->fd >= 0)
            remove_file(writer);
        destroy(&writer);
        return result;
    }
    *clip = writer->clip;
    *ret = writer;
    return 0;
}

// --- write ---------------------------------------------------------------------------------------

int gw_clip_writer_write(struct gw_clip_writer *writer, const struct gw_packet *packet)
{
    if (writer->error)
        return writer->error;
    if (!writer->began) { // create gave this one already
        writer->began = true;
        return 0;
    }
    int result = prepare(writer, packet);
    if (result <= 0)
        return result;
    writer->error = give(writer);
    av_packet_unref(writer->out);
    return writer->error;
}

void gw_clip_writer_mark_truncated(struct gw_clip_writer *writer)
{
    writer->clip.truncated = true;
}

// --- finish --------------------------------------------------------------------------------------

static int flush_last_fragment(struct gw_clip_writer *writer)
{
    int result = av_write_trailer(writer->muxer);
    avio_flush(writer->muxer->pb);
    if (result >= 0)
        result = writer->muxer->pb->error;
    if (result >= 0 && writer->size > writer->clip.size_bytes)
        take_fragment(writer);
    return result < 0 ? result : 0;
}

// Only what a sync has confirmed counts.
static void forget_unsynced(struct gw_clip_writer *writer)
{
    writer->clip.size_bytes = writer->synced.size_bytes;
    writer->clip.frames = writer->synced.frames;
    writer->clip.end_us = writer->synced.end_us;
    writer->fragment_count = writer->synced.fragment_count;
}

// Index and durations, when the fragments are on the disk. When that fails, the file has neither
// and plays all the same.
static int seal(struct gw_clip_writer *writer)
{
    char path[GW_MEDIA_PATH_SIZE];
    const struct gw_clip *clip = &writer->clip;
    int64_t end_ticks = av_rescale(clip->end_us - clip->start_us, GW_MP4_TIMESCALE, GW_SECOND);
    int64_t first;

    int result = gw_mp4_seal(writer->fd, writer->fragments, writer->fragment_count, end_ticks);
    if (!result)
        result = sync_file(writer);
    if (result < 0) {
        gw_mp4_open_room(writer->fd, &first);
        return result;
    }
    leave_page_cache(writer, 0);
    return gw_media_sync_folder(writer->store, gw_clip_path(path, clip));
}

// The file ends behind its last fragment that is on the disk.
static int complete(struct gw_clip_writer *writer)
{
    if (sync_file(writer) < 0)
        forget_unsynced(writer);
    if (!writer->fragment_count)
        return writer->sync_error;
    // A fragment that did not fit on the disk must not confuse players.
    if (writer->size > writer->clip.size_bytes &&
        ftruncate(writer->fd, writer->clip.size_bytes) < 0)
        return -errno;
    return writer->sync_error ? writer->sync_error : seal(writer);
}

int gw_clip_writer_finish(struct gw_clip_writer **writer, struct gw_clip *ret_clip)
{
    struct gw_clip_writer *it = *writer;
    int result = it->error;
    if (!result)
        result = flush_last_fragment(it);
    if (it->fragment_count) {
        int completed = complete(it);
        result = result ? result : completed;
    }
    it->clip.state = it->fragment_count ? GW_CLIP_CLOSED : GW_CLIP_LOST;
    if (!it->fragment_count) {
        remove_file(it);
        it->clip.size_bytes = it->clip.frames = 0;
    }
    if (result < 0)
        it->clip.truncated = true;
    *ret_clip = it->clip;
    destroy(writer);
    return result;
}
