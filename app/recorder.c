// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/recorder.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "app/coverage.h"
#include "app/demand.h"
#include "core/clock.h"
#include "core/error.h"
#include "storage/clip_writer.h"
#include "storage/media.h"

enum { MOST_JOBS = 32, PACKETS_PER_STEP = 256 };

// After a disk error, how long until the next clip is tried.
#define RETRY_US (1 * GW_SECOND)

// After the disk was full, how much room there must be for the next clip to be worth beginning:
// some seconds of a large camera. Else every try would leave a clip that is lost, and a gap of its
// own.
#define ROOM_BYTES (4 << 20)

// One event report on its way to the disk.
struct job {
    struct job *next;
    enum gw_event_phase phase;
    struct gw_event event;
    size_t jpeg_size, thumbnail_size;
    uint8_t bytes[]; // the picture, then the thumbnail
};

struct gw_recorder {
    struct gw_recorder_config config;

    pthread_mutex_t lock; // guards the jobs
    struct job *first, **last;
    int job_count;

    pthread_mutex_t coverage_lock; // guards these; when only events are recorded, two threads do
    struct gw_coverage coverage;
    struct gw_stream *covered_stream; // of the last covered picture
    enum gw_gap_cause broke;          // why the session ended, and behind which packet
    gw_cursor broke_at;

    // The disk thread's:
    struct gw_demand demand;       // what events ask to be recorded
    bool recording;                // cursor stands in the ring, clips come and go
    gw_cursor cursor;              // next packet to write, while recording
    struct gw_clip_writer *writer; // NULL between clips
    struct gw_stream *stream;      // the writer's
    int64_t clip_start_us;         // wall
    int64_t clip_clock_us;         // the camera's clock offset, as last known during it
    int64_t recorded_until_us;     // wall; end of the last clip, GW_NO_TIME before
    int64_t read_mono_us;          // when the ring last had a packet for us
    int64_t retry_mono_us;         // not before this, after an error
    int disk_error;                // as last said; 0 when all is well
    int64_t end_us;                // wall; end of what this recording has; GW_NO_TIME: nothing yet
    bool lapped;                   // packets before the next one were lost to a slow disk

    atomic_uint_fast64_t clips, truncated;
    atomic_int_fast64_t clock_offset_us; // of the camera, as last told
};

static void post(struct gw_recorder *recorder, struct gw_fact *fact)
{
    fact->wall_us = gw_wall_us();
    gw_link_post(recorder->config.link, fact);
}

static void tell_coverage(void *opaque, const struct gw_coverage_news *news)
{
    struct gw_fact fact = {.kind = GW_FACT_COVERAGE, .coverage = *news};
    post(opaque, &fact);
}

int gw_recorder_create(struct gw_recorder **ret, const struct gw_recorder_config *config)
{
    struct gw_recorder *recorder = calloc(1, sizeof(*recorder));
    if (!recorder)
        return -ENOMEM;
    recorder->config = *config;
    recorder->last = &recorder->first;
    gw_demand_init(&recorder->demand, config->settings.preroll_us, config->settings.postroll_us);
    recorder->recorded_until_us = GW_NO_TIME;
    atomic_init(&recorder->clock_offset_us, GW_NO_TIME);
    pthread_mutex_init(&recorder->lock, NULL);
    pthread_mutex_init(&recorder->coverage_lock, NULL);
    gw_coverage_init(&recorder->coverage, config->camera, gw_wall_us(), tell_coverage, recorder);
    *ret = recorder;
    return 0;
}

void gw_recorder_destroy(struct gw_recorder **recorder)
{
    if (!*recorder)
        return;
    assert(!(*recorder)->writer && !(*recorder)->first);
    pthread_mutex_destroy(&(*recorder)->lock);
    pthread_mutex_destroy(&(*recorder)->coverage_lock);
    gw_stream_unref(&(*recorder)->covered_stream);
    free(*recorder);
    *recorder = NULL;
}

// --- event reports -------------------------------------------------------------------------------

void gw_recorder_event(struct gw_recorder *recorder, enum gw_event_phase phase,
                       const struct gw_event *event, const struct gw_snapshot *snapshot)
{
    size_t jpeg_size = snapshot ? snapshot->jpeg_size : 0;
    size_t thumbnail_size = snapshot ? snapshot->thumbnail_size : 0;
    struct job *job = malloc(sizeof(*job) + jpeg_size + thumbnail_size);

    if (!job)
        abort(); // an event that cannot be kept must not be lost silently
    *job = (struct job){
        .phase = phase, .event = *event, .jpeg_size = jpeg_size, .thumbnail_size = thumbnail_size};
    if (jpeg_size)
        memcpy(job->bytes, snapshot->jpeg, jpeg_size);
    if (thumbnail_size)
        memcpy(job->bytes + jpeg_size, snapshot->thumbnail, thumbnail_size);

    pthread_mutex_lock(&recorder->lock);
    if (phase == GW_EVENT_PHASE_UPDATED && recorder->job_count >= MOST_JOBS) {
        free(job);
    } else {
        *recorder->last = job;
        recorder->last = &job->next;
        recorder->job_count++;
    }
    pthread_mutex_unlock(&recorder->lock);
}

static struct job *take_job(struct gw_recorder *recorder)
{
    pthread_mutex_lock(&recorder->lock);
    struct job *job = recorder->first;
    if (job) {
        recorder->first = job->next;
        recorder->job_count--;
        if (!recorder->first)
            recorder->last = &recorder->first;
    }
    pthread_mutex_unlock(&recorder->lock);
    return job;
}

// Thumbnail and picture, before the fact that names them. Returns whether both are on the disk.
static bool write_snapshot(struct gw_recorder *recorder, const struct job *job)
{
    char path[GW_MEDIA_PATH_SIZE];
    const char *store = recorder->config.store;
    int error = gw_media_write(store, gw_event_thumbnail_path(path, &job->event),
                               job->bytes + job->jpeg_size, job->thumbnail_size);
    if (!error)
        error = gw_media_write(store, gw_event_snapshot_path(path, &job->event), job->bytes,
                               job->jpeg_size);
    if (error)
        gw_log_error(recorder->config.log, "cannot write snapshot %s: %s", path,
                     gw_strerror(error));
    return !error;
}

static void handle_job(struct gw_recorder *recorder, struct job *job)
{
    static const enum gw_fact_kind kinds[] = {[GW_EVENT_PHASE_OPENED] = GW_FACT_EVENT_OPENED,
                                              [GW_EVENT_PHASE_UPDATED] = GW_FACT_EVENT_UPDATED,
                                              [GW_EVENT_PHASE_CLOSED] = GW_FACT_EVENT_CLOSED};
    struct gw_fact fact = {.kind = kinds[job->phase], .event = job->event};
    fact.event.clock_offset_us = atomic_load(&recorder->clock_offset_us);

    // An opened event's picture that could not be written is not promised either.
    if (job->jpeg_size && !write_snapshot(recorder, job) && job->phase == GW_EVENT_PHASE_OPENED)
        fact.event.snapshot_us = GW_NO_TIME;
    gw_demand_note(&recorder->demand, job->phase, &job->event, recorder->recording);
    post(recorder, &fact);
}

static void handle_jobs(struct gw_recorder *recorder)
{
    struct job *job;
    while ((job = take_job(recorder))) {
        handle_job(recorder, job);
        free(job);
    }
}

// --- coverage ------------------------------------------------------------------------------------

static bool keeps_all(const struct gw_recorder *recorder)
{
    return recorder->config.mode == GW_RECORD_CONTINUOUS;
}

// Called with the lock held.
static void cover(struct gw_recorder *recorder, const struct gw_packet *packet)
{
    const bool fresh = packet->stream != recorder->covered_stream;

    if (fresh) {
        gw_stream_unref(&recorder->covered_stream);
        recorder->covered_stream = gw_stream_ref(packet->stream);
    }
    gw_coverage_picture(&recorder->coverage, packet, fresh);
}

void gw_recorder_received(struct gw_recorder *recorder, const struct gw_packet *packet)
{
    if (recorder->config.mode != GW_RECORD_EVENTS)
        return;
    pthread_mutex_lock(&recorder->coverage_lock);
    cover(recorder, packet);
    pthread_mutex_unlock(&recorder->coverage_lock);
}

void gw_recorder_broke(struct gw_recorder *recorder, enum gw_gap_cause cause)
{
    const gw_cursor at = gw_ring_head(recorder->config.ring);

    pthread_mutex_lock(&recorder->coverage_lock);
    if (recorder->config.mode == GW_RECORD_EVENTS) {
        gw_coverage_break(&recorder->coverage, cause);
    } else if (keeps_all(recorder) && (!recorder->broke || recorder->broke_at != at)) {
        recorder->broke = cause; // of several behind the same packet, the first one
        recorder->broke_at = at;
    }
    pthread_mutex_unlock(&recorder->coverage_lock);
}

int64_t gw_recorder_received_until(struct gw_recorder *recorder)
{
    if (recorder->config.mode != GW_RECORD_EVENTS)
        return GW_NO_TIME;
    pthread_mutex_lock(&recorder->coverage_lock);
    int64_t until_us = gw_coverage_until(&recorder->coverage);
    pthread_mutex_unlock(&recorder->coverage_lock);
    return until_us;
}

static enum gw_gap_cause disk_cause(int error)
{
    return error == -ENOSPC || error == -EDQUOT ? GW_GAP_DISK_FULL : GW_GAP_DISK_FAILED;
}

// What should be written from from_us on cannot be.
static void miss(struct gw_recorder *recorder, int64_t from_us, int error)
{
    pthread_mutex_lock(&recorder->coverage_lock);
    if (keeps_all(recorder))
        gw_coverage_break(&recorder->coverage, disk_cause(error));
    else
        gw_coverage_miss(&recorder->coverage, from_us, disk_cause(error));
    pthread_mutex_unlock(&recorder->coverage_lock);
}

// This picture is in a clip; in the first one's case, as soon as that is announced.
static void note_written(struct gw_recorder *recorder, const struct gw_packet *packet)
{
    const int64_t wall_us = gw_packet_wall_us(packet);
    const int64_t end_us =
        wall_us + (packet->av->duration > 0 ? packet->av->duration : GW_SECOND / 25);

    pthread_mutex_lock(&recorder->coverage_lock);
    if (keeps_all(recorder)) {
        struct gw_packet seen = *packet; // borrowed
        if (recorder->lapped && !seen.lost)
            seen.lost = GW_GAP_DISK_FAILED;
        cover(recorder, &seen);
    } else {
        gw_coverage_miss_over(&recorder->coverage, wall_us);
    }
    pthread_mutex_unlock(&recorder->coverage_lock);
    if (end_us > recorder->end_us)
        recorder->end_us = end_us;
    recorder->lapped = false;
}

// Packets were dropped before they could be written.
static void note_lapped(struct gw_recorder *recorder)
{
    recorder->lapped = true;
    if (!keeps_all(recorder) && recorder->end_us != GW_NO_TIME)
        miss(recorder, recorder->end_us, GW_ERROR_LAPPED);
}

// No event asks for this picture any more.
static void note_enough(struct gw_recorder *recorder, int64_t at_us)
{
    pthread_mutex_lock(&recorder->coverage_lock);
    if (!keeps_all(recorder))
        gw_coverage_miss_over(&recorder->coverage, at_us);
    pthread_mutex_unlock(&recorder->coverage_lock);
}

static void note_clip_end(struct gw_recorder *recorder, int64_t end_us)
{
    recorder->end_us = end_us;
    pthread_mutex_lock(&recorder->coverage_lock);
    if (keeps_all(recorder))
        gw_coverage_cut(&recorder->coverage, end_us);
    pthread_mutex_unlock(&recorder->coverage_lock);
}

static void end_coverage(struct gw_recorder *recorder)
{
    pthread_mutex_lock(&recorder->coverage_lock);
    if (recorder->config.mode != GW_RECORD_OFF)
        gw_coverage_end(&recorder->coverage);
    pthread_mutex_unlock(&recorder->coverage_lock);
}

// --- clips ---------------------------------------------------------------------------------------

static bool wants_recording(const struct gw_recorder *recorder)
{
    switch (recorder->config.mode) {
    case GW_RECORD_CONTINUOUS: return true;
    case GW_RECORD_EVENTS: return recorder->demand.until_us != GW_NO_TIME;
    case GW_RECORD_OFF: break;
    }
    return false;
}

// A disk that is full fails every second for every camera; it is said when it begins, changes,
// ends.
static void note_disk(struct gw_recorder *recorder, const char *what, int error)
{
    if (error == recorder->disk_error)
        return;
    recorder->disk_error = error;
    if (error)
        gw_log_error(recorder->config.log, "%s: %s; trying again every second", what,
                     gw_strerror(error));
    else
        gw_log_info(recorder->config.log, "clips are written again");
}

static void close_clip(struct gw_recorder *recorder, const char *why)
{
    struct gw_fact fact = {.kind = GW_FACT_CLIP_CLOSED};

    if (!recorder->writer)
        return;
    int error = gw_clip_writer_finish(&recorder->writer, &fact.clip);
    note_disk(recorder, "clip ended early", error);
    gw_log_debug(recorder->config.log, "clip closed: %s", why);
    fact.clip.clock_offset_us = recorder->clip_clock_us;
    if (fact.clip.truncated)
        atomic_fetch_add(&recorder->truncated, 1);
    gw_stream_unref(&recorder->stream);
    recorder->recorded_until_us = fact.clip.end_us;
    post(recorder, &fact);
    note_clip_end(recorder, fact.clip.end_us);
    if (error)
        miss(recorder, fact.clip.end_us, error);
}

// Unknown room is tried.
static bool has_room(const struct gw_recorder *recorder)
{
    char path[PATH_MAX];
    struct statvfs disk;

    if (snprintf(path, sizeof(path), "%s/media", recorder->config.store) >= (int)sizeof(path) ||
        statvfs(path, &disk) < 0)
        return true;
    return (uint64_t)disk.f_bavail * disk.f_frsize >= ROOM_BYTES;
}

// Begins a clip with this keyframe. On failure says so and tries again later.
static bool open_clip(struct gw_recorder *recorder, const struct gw_packet *first)
{
    struct gw_fact fact = {.kind = GW_FACT_CLIP_OPENED};

    fact.clip.id = gw_id_make(gw_wall_us());
    strcpy(fact.clip.camera, recorder->config.camera);
    fact.clip.clock_offset_us = recorder->clip_clock_us = atomic_load(&recorder->clock_offset_us);
    int error = -ENOSPC;
    if (recorder->disk_error != -ENOSPC || has_room(recorder))
        error = gw_clip_writer_create(&recorder->writer, recorder->config.store, &fact.clip, first);
    if (error) {
        note_disk(recorder, "cannot begin a clip", error);
        miss(recorder, recorder->end_us == GW_NO_TIME ? gw_packet_wall_us(first) : recorder->end_us,
             error);
        recorder->retry_mono_us = gw_mono_us() + RETRY_US;
        return false;
    }
    atomic_fetch_add(&recorder->clips, 1);
    recorder->stream = gw_stream_ref(first->stream);
    recorder->clip_start_us = fact.clip.start_us;
    note_written(recorder, first);
    post(recorder, &fact);
    return true;
}

// Where the next clip begins. An event's clip has its whole pre-roll, even when the clip before
// holds a part of it, so that each can be watched and handed over alone.
static gw_cursor find_start(struct gw_recorder *recorder)
{
    return gw_ring_find_key(recorder->config.ring, recorder->config.mode == GW_RECORD_CONTINUOUS
                                                       ? recorder->recorded_until_us
                                                       : recorder->demand.from_us);
}

// Whether the clip must end before this packet, which then begins the next; NULL when not.
static const char *ends_before(const struct gw_recorder *recorder, const struct gw_packet *packet)
{
    if (packet->stream != recorder->stream)
        return "the stream changed";
    if (gw_packet_is_key(packet) &&
        gw_packet_wall_us(packet) - recorder->clip_start_us >= recorder->config.settings.split_us)
        return "split";
    return NULL;
}

static void record(struct gw_recorder *recorder, const struct gw_packet *packet)
{
    const char *why = recorder->writer ? ends_before(recorder, packet) : NULL;

    if (why)
        close_clip(recorder, why);
    const bool first = !recorder->writer;
    if (first && (!gw_packet_is_key(packet) || gw_mono_us() < recorder->retry_mono_us ||
                  !open_clip(recorder, packet)))
        return;
    int error = gw_clip_writer_write(recorder->writer, packet);
    if (error < 0) {
        recorder->retry_mono_us = gw_mono_us() + RETRY_US;
        close_clip(recorder, "write failed");
        miss(recorder, recorder->end_us, error);
    } else if (!first) {
        note_written(recorder, packet);
    }
}

// Whether this packet lies behind what any event asked for.
static bool is_enough(const struct gw_recorder *recorder, const struct gw_packet *packet)
{
    return recorder->config.mode == GW_RECORD_EVENTS && packet->av->dts > recorder->demand.until_us;
}

// next: the first picture that nobody asks for.
static void stop_recording(struct gw_recorder *recorder, const struct gw_packet *next)
{
    close_clip(recorder, "quiet");
    note_enough(recorder, gw_packet_wall_us(next));
    gw_demand_settle(&recorder->demand);
    recorder->recording = false;
    gw_ring_hold(recorder->config.ring, GW_CURSOR_NONE);
}

// All of a session that ended is written: its clip ends, and then the coverage.
static void note_break(struct gw_recorder *recorder)
{
    pthread_mutex_lock(&recorder->coverage_lock);
    const enum gw_gap_cause cause = recorder->broke;
    const bool reached = cause && recorder->cursor >= recorder->broke_at;
    if (reached)
        recorder->broke = GW_GAP_NONE;
    pthread_mutex_unlock(&recorder->coverage_lock);
    if (!reached)
        return;
    close_clip(recorder, "the session ended");
    pthread_mutex_lock(&recorder->coverage_lock);
    gw_coverage_break(&recorder->coverage, cause);
    pthread_mutex_unlock(&recorder->coverage_lock);
}

// Records the ring's next packet. Returns whether there was one and more is wanted.
static bool record_next(struct gw_recorder *recorder)
{
    struct gw_packet packet = {0};
    note_break(recorder);
    int got = gw_ring_read(recorder->config.ring, &recorder->cursor, &packet);

    if (got == GW_ERROR_LAPPED) {
        if (recorder->writer)
            gw_clip_writer_mark_truncated(recorder->writer);
        note_lapped(recorder);
        return true;
    }
    if (got <= 0)
        return false;
    recorder->read_mono_us = gw_mono_us();
    bool enough = is_enough(recorder, &packet);
    if (enough)
        stop_recording(recorder, &packet);
    else
        record(recorder, &packet);
    gw_packet_unref(&packet);
    return !enough;
}

// A camera that sends nothing for twice its stall time does not keep a clip open.
static bool has_dried_up(const struct gw_recorder *recorder)
{
    return recorder->writer &&
           gw_mono_us() - recorder->read_mono_us > 2 * recorder->config.settings.stall_us;
}

// A clip ends after its session did, when the camera's clock is not known any more.
static void follow_clock(struct gw_recorder *recorder)
{
    int64_t offset_us = atomic_load(&recorder->clock_offset_us);
    if (offset_us != GW_NO_TIME)
        recorder->clip_clock_us = offset_us;
}

bool gw_recorder_step(struct gw_recorder *recorder)
{
    bool more = true;

    follow_clock(recorder);
    handle_jobs(recorder);
    if (!recorder->recording) {
        if (!wants_recording(recorder))
            return false;
        recorder->recording = true;
        recorder->end_us = GW_NO_TIME;
        recorder->cursor = find_start(recorder);
        recorder->read_mono_us = gw_mono_us();
    }
    for (int i = 0; more && i < PACKETS_PER_STEP; i++)
        more = record_next(recorder);
    if (recorder->recording)
        gw_ring_hold(recorder->config.ring, recorder->cursor);
    if (!more && has_dried_up(recorder))
        close_clip(recorder, "no packets");
    return more;
}

void gw_recorder_clock(struct gw_recorder *recorder, int64_t offset_us)
{
    atomic_store(&recorder->clock_offset_us, offset_us);
}

void gw_recorder_finish(struct gw_recorder *recorder)
{
    while (gw_recorder_step(recorder))
        ;
    close_clip(recorder, "stopping");
    end_coverage(recorder);
    gw_ring_hold(recorder->config.ring, GW_CURSOR_NONE);
}

void gw_recorder_count(struct gw_recorder *recorder, struct gw_recorder_counters *ret)
{
    *ret = (struct gw_recorder_counters){.clips = atomic_load(&recorder->clips),
                                         .truncated = atomic_load(&recorder->truncated)};
}
