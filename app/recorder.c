// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/recorder.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "app/demand.h"
#include "app/event_reports.h"
#include "app/recorder_coverage.h"
#include "core/clock.h"
#include "core/error.h"
#include "storage/clip_writer.h"
#include "storage/media.h"

enum { PACKETS_PER_STEP = 256 };

// After a disk error, how long until the next clip is tried.
#define RETRY_US (1 * GW_SECOND)

// After the disk was full, how much room there must be for the next clip to be worth beginning:
// some seconds of a large camera. Else every try would leave a clip that is lost, and a gap of its
// own.
#define ROOM_BYTES (4 << 20)

struct gw_recorder {
    struct gw_recorder_config config;

    struct gw_event_reports reports;      // on their way to the disk; any thread adds
    struct gw_recorder_coverage coverage; // the session's thread has a part in it

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

    atomic_uint_fast64_t clips, truncated;
    atomic_int_fast64_t clock_offset_us; // of the camera, as last told
    atomic_int unwritten;                // an enum gw_gap_cause
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
    gw_demand_init(&recorder->demand, config->settings.preroll_us, config->settings.postroll_us);
    recorder->recorded_until_us = GW_NO_TIME;
    atomic_init(&recorder->clock_offset_us, GW_NO_TIME);
    gw_event_reports_init(&recorder->reports);
    gw_recorder_coverage_init(&recorder->coverage, config->camera, config->mode, gw_wall_us(),
                              tell_coverage, recorder);
    *ret = recorder;
    return 0;
}

void gw_recorder_destroy(struct gw_recorder **recorder)
{
    if (!*recorder)
        return;
    assert(!(*recorder)->writer);
    gw_event_reports_finish(&(*recorder)->reports);
    gw_recorder_coverage_finish(&(*recorder)->coverage);
    free(*recorder);
    *recorder = NULL;
}

// --- what is reported ----------------------------------------------------------------------------

void gw_recorder_event(struct gw_recorder *recorder, enum gw_event_phase phase,
                       const struct gw_event *event, const struct gw_snapshot *snapshot)
{
    gw_event_reports_put(&recorder->reports, phase, event, snapshot);
}

void gw_recorder_received(struct gw_recorder *recorder, const struct gw_packet *packet)
{
    gw_recorder_coverage_received(&recorder->coverage, packet);
}

void gw_recorder_broke(struct gw_recorder *recorder, enum gw_gap_cause cause)
{
    gw_recorder_coverage_broke(&recorder->coverage, cause, gw_ring_head(recorder->config.ring));
}

int64_t gw_recorder_received_until(struct gw_recorder *recorder)
{
    return gw_recorder_coverage_until(&recorder->coverage);
}

void gw_recorder_clock(struct gw_recorder *recorder, int64_t offset_us)
{
    atomic_store(&recorder->clock_offset_us, offset_us);
}

enum gw_gap_cause gw_recorder_unwritten(struct gw_recorder *recorder)
{
    return (enum gw_gap_cause)atomic_load(&recorder->unwritten);
}

static void handle_reports(struct gw_recorder *recorder)
{
    struct gw_event_report *report;

    while ((report = gw_event_reports_take(&recorder->reports))) {
        report->event.clock_offset_us = atomic_load(&recorder->clock_offset_us);
        struct gw_fact fact =
            gw_event_report_write(report, recorder->config.store, recorder->config.log);
        gw_demand_note(&recorder->demand, report->phase, &report->event, recorder->recording);
        post(recorder, &fact);
        free(report);
    }
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
    if (error)
        atomic_store(&recorder->unwritten, gw_recorder_coverage_cause(error));
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
    gw_recorder_coverage_clip_closed(&recorder->coverage, fact.clip.end_us);
    if (error)
        gw_recorder_coverage_miss(&recorder->coverage, fact.clip.end_us, error);
}

// Begins a clip with this keyframe. On failure says so and tries again later.
static bool open_clip(struct gw_recorder *recorder, const struct gw_packet *first)
{
    struct gw_fact fact = {.kind = GW_FACT_CLIP_OPENED};

    fact.clip.id = gw_id_make(gw_wall_us());
    strcpy(fact.clip.camera, recorder->config.camera);
    fact.clip.clock_offset_us = recorder->clip_clock_us = atomic_load(&recorder->clock_offset_us);
    int error = -ENOSPC;
    if (recorder->disk_error != -ENOSPC || gw_media_room(recorder->config.store) >= ROOM_BYTES)
        error = gw_clip_writer_create(&recorder->writer, recorder->config.store, &fact.clip, first);
    if (error) {
        note_disk(recorder, "cannot begin a clip", error);
        gw_recorder_coverage_miss(&recorder->coverage, gw_packet_wall_us(first), error);
        recorder->retry_mono_us = gw_mono_us() + RETRY_US;
        return false;
    }
    atomic_store(&recorder->unwritten, GW_GAP_NONE);
    atomic_fetch_add(&recorder->clips, 1);
    recorder->stream = gw_stream_ref(first->stream);
    recorder->clip_start_us = fact.clip.start_us;
    gw_recorder_coverage_written(&recorder->coverage, first);
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
        gw_recorder_coverage_miss(&recorder->coverage, gw_packet_wall_us(packet), error);
    } else if (!first) {
        gw_recorder_coverage_written(&recorder->coverage, packet);
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
    gw_recorder_coverage_enough(&recorder->coverage, gw_packet_wall_us(next));
    gw_demand_settle(&recorder->demand);
    recorder->recording = false;
    atomic_store(&recorder->unwritten, GW_GAP_NONE); // nobody asks
    gw_ring_hold(recorder->config.ring, GW_CURSOR_NONE);
}

// All of a session that ended is written: its clip ends, and then the coverage.
static void note_break(struct gw_recorder *recorder)
{
    const enum gw_gap_cause cause =
        gw_recorder_coverage_take_break(&recorder->coverage, recorder->cursor);

    if (!cause)
        return;
    close_clip(recorder, "the session ended");
    gw_recorder_coverage_break(&recorder->coverage, cause);
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
        gw_recorder_coverage_lapped(&recorder->coverage);
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
    handle_reports(recorder);
    if (!recorder->recording) {
        if (!wants_recording(recorder))
            return false;
        recorder->recording = true;
        gw_recorder_coverage_begin(&recorder->coverage);
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

void gw_recorder_finish(struct gw_recorder *recorder)
{
    while (gw_recorder_step(recorder))
        ;
    close_clip(recorder, "stopping");
    gw_recorder_coverage_end(&recorder->coverage);
    gw_ring_hold(recorder->config.ring, GW_CURSOR_NONE);
}

void gw_recorder_count(struct gw_recorder *recorder, struct gw_recorder_counters *ret)
{
    *ret = (struct gw_recorder_counters){.clips = atomic_load(&recorder->clips),
                                         .truncated = atomic_load(&recorder->truncated)};
}
