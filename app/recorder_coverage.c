// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/recorder_coverage.h"

#include <errno.h>

#include "core/clock.h"
#include "core/error.h"

void gw_recorder_coverage_init(struct gw_recorder_coverage *coverage, const char *camera,
                               enum gw_record_mode mode, int64_t now_us,
                               void (*tell)(void *opaque, const struct gw_coverage_news *news),
                               void *opaque)
{
    *coverage = (struct gw_recorder_coverage){.mode = mode, .end_us = GW_NO_TIME};
    pthread_mutex_init(&coverage->lock, NULL);
    gw_coverage_init(&coverage->book, camera, now_us, tell, opaque);
}

void gw_recorder_coverage_finish(struct gw_recorder_coverage *coverage)
{
    pthread_mutex_destroy(&coverage->lock);
    gw_stream_unref(&coverage->stream);
}

static bool keeps_all(const struct gw_recorder_coverage *coverage)
{
    return coverage->mode == GW_RECORD_CONTINUOUS;
}

// Called with the lock held.
static void cover(struct gw_recorder_coverage *coverage, const struct gw_packet *packet)
{
    const bool fresh = packet->stream != coverage->stream;

    if (fresh) {
        gw_stream_unref(&coverage->stream);
        coverage->stream = gw_stream_ref(packet->stream);
    }
    gw_coverage_picture(&coverage->book, packet, fresh);
}

// --- what the session says -----------------------------------------------------------------------

void gw_recorder_coverage_received(struct gw_recorder_coverage *coverage,
                                   const struct gw_packet *packet)
{
    if (coverage->mode != GW_RECORD_EVENTS)
        return;
    pthread_mutex_lock(&coverage->lock);
    cover(coverage, packet);
    pthread_mutex_unlock(&coverage->lock);
}

void gw_recorder_coverage_broke(struct gw_recorder_coverage *coverage, enum gw_gap_cause cause,
                                gw_cursor at)
{
    pthread_mutex_lock(&coverage->lock);
    if (coverage->mode == GW_RECORD_EVENTS) {
        gw_coverage_break(&coverage->book, cause);
    } else if (keeps_all(coverage) && (!coverage->broke || coverage->broke_at != at)) {
        coverage->broke = cause; // of several behind the same packet, the first one
        coverage->broke_at = at;
    }
    pthread_mutex_unlock(&coverage->lock);
}

int64_t gw_recorder_coverage_until(struct gw_recorder_coverage *coverage)
{
    if (coverage->mode != GW_RECORD_EVENTS)
        return GW_NO_TIME;
    pthread_mutex_lock(&coverage->lock);
    int64_t until_us = gw_coverage_until(&coverage->book);
    pthread_mutex_unlock(&coverage->lock);
    return until_us;
}

// --- what the disk says --------------------------------------------------------------------------

void gw_recorder_coverage_begin(struct gw_recorder_coverage *coverage)
{
    coverage->end_us = GW_NO_TIME;
}

void gw_recorder_coverage_written(struct gw_recorder_coverage *coverage,
                                  const struct gw_packet *packet)
{
    const int64_t wall_us = gw_packet_wall_us(packet);
    const int64_t end_us =
        wall_us + (packet->av->duration > 0 ? packet->av->duration : GW_SECOND / 25);

    pthread_mutex_lock(&coverage->lock);
    if (keeps_all(coverage)) {
        struct gw_packet seen = *packet; // borrowed
        if (coverage->lapped && !seen.lost)
            seen.lost = GW_GAP_DISK_FAILED;
        cover(coverage, &seen);
    } else {
        gw_coverage_miss_over(&coverage->book, wall_us);
    }
    pthread_mutex_unlock(&coverage->lock);
    if (end_us > coverage->end_us)
        coverage->end_us = end_us;
    coverage->lapped = false;
}

enum gw_gap_cause gw_recorder_coverage_cause(int error)
{
    if (!error)
        return GW_GAP_NONE;
    return error == -ENOSPC || error == -EDQUOT ? GW_GAP_DISK_FULL : GW_GAP_DISK_FAILED;
}

void gw_recorder_coverage_miss(struct gw_recorder_coverage *coverage, int64_t first_us, int error)
{
    const int64_t from_us = coverage->end_us == GW_NO_TIME ? first_us : coverage->end_us;

    pthread_mutex_lock(&coverage->lock);
    if (keeps_all(coverage))
        gw_coverage_break(&coverage->book, gw_recorder_coverage_cause(error));
    else
        gw_coverage_miss(&coverage->book, from_us, gw_recorder_coverage_cause(error));
    pthread_mutex_unlock(&coverage->lock);
}

void gw_recorder_coverage_lapped(struct gw_recorder_coverage *coverage)
{
    coverage->lapped = true;
    if (!keeps_all(coverage) && coverage->end_us != GW_NO_TIME)
        gw_recorder_coverage_miss(coverage, coverage->end_us, GW_ERROR_LAPPED);
}

void gw_recorder_coverage_enough(struct gw_recorder_coverage *coverage, int64_t at_us)
{
    pthread_mutex_lock(&coverage->lock);
    if (!keeps_all(coverage))
        gw_coverage_miss_over(&coverage->book, at_us);
    pthread_mutex_unlock(&coverage->lock);
}

void gw_recorder_coverage_clip_closed(struct gw_recorder_coverage *coverage, int64_t end_us)
{
    coverage->end_us = end_us;
    pthread_mutex_lock(&coverage->lock);
    if (keeps_all(coverage))
        gw_coverage_cut(&coverage->book, end_us);
    pthread_mutex_unlock(&coverage->lock);
}

// --- the end of a session, and of all ------------------------------------------------------------

enum gw_gap_cause gw_recorder_coverage_take_break(struct gw_recorder_coverage *coverage,
                                                  gw_cursor cursor)
{
    enum gw_gap_cause cause = GW_GAP_NONE;

    pthread_mutex_lock(&coverage->lock);
    if (coverage->broke && cursor >= coverage->broke_at) {
        cause = coverage->broke;
        coverage->broke = GW_GAP_NONE;
    }
    pthread_mutex_unlock(&coverage->lock);
    return cause;
}

void gw_recorder_coverage_break(struct gw_recorder_coverage *coverage, enum gw_gap_cause cause)
{
    pthread_mutex_lock(&coverage->lock);
    gw_coverage_break(&coverage->book, cause);
    pthread_mutex_unlock(&coverage->lock);
}

void gw_recorder_coverage_end(struct gw_recorder_coverage *coverage)
{
    pthread_mutex_lock(&coverage->lock);
    if (coverage->mode != GW_RECORD_OFF)
        gw_coverage_end(&coverage->book);
    pthread_mutex_unlock(&coverage->lock);
}
