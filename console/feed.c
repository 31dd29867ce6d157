// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/feed.h"

#include <time.h>

#include "core/clock.h"

void gw_feed_init(struct gw_feed *feed, uint64_t head)
{
    pthread_condattr_t attributes;

    *feed = (struct gw_feed){.head = head};
    pthread_mutex_init(&feed->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&feed->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void gw_feed_finish(struct gw_feed *feed)
{
    pthread_cond_destroy(&feed->changed);
    pthread_mutex_destroy(&feed->lock);
}

void gw_feed_advance(struct gw_feed *feed, uint64_t head)
{
    pthread_mutex_lock(&feed->lock);
    if (head > feed->head)
        feed->head = head;
    pthread_cond_broadcast(&feed->changed);
    pthread_mutex_unlock(&feed->lock);
}

void gw_feed_revoked(struct gw_feed *feed)
{
    pthread_mutex_lock(&feed->lock);
    feed->revocations++;
    pthread_cond_broadcast(&feed->changed);
    pthread_mutex_unlock(&feed->lock);
}

void gw_feed_stop(struct gw_feed *feed)
{
    pthread_mutex_lock(&feed->lock);
    feed->stopping = true;
    pthread_cond_broadcast(&feed->changed);
    pthread_mutex_unlock(&feed->lock);
}

bool gw_feed_enter(struct gw_feed *feed, int limit)
{
    pthread_mutex_lock(&feed->lock);
    bool room = feed->streams < limit;
    if (room)
        feed->streams++;
    pthread_mutex_unlock(&feed->lock);
    return room;
}

void gw_feed_leave(struct gw_feed *feed)
{
    pthread_mutex_lock(&feed->lock);
    feed->streams--;
    pthread_mutex_unlock(&feed->lock);
}

int gw_feed_streams(struct gw_feed *feed)
{
    pthread_mutex_lock(&feed->lock);
    int streams = feed->streams;
    pthread_mutex_unlock(&feed->lock);
    return streams;
}

struct gw_feed_view gw_feed_wait(struct gw_feed *feed, uint64_t since, uint64_t revocations,
                                 int64_t timeout_us)
{
    int64_t end_us = gw_mono_us() + timeout_us;
    struct timespec end = {.tv_sec = end_us / GW_SECOND, .tv_nsec = end_us % GW_SECOND * 1000};
    int waited = 0;

    pthread_mutex_lock(&feed->lock);
    while (feed->head <= since && feed->revocations == revocations && !feed->stopping &&
           waited == 0)
        waited = pthread_cond_timedwait(&feed->changed, &feed->lock, &end);
    struct gw_feed_view view = {feed->head, feed->revocations, feed->stopping};
    pthread_mutex_unlock(&feed->lock);
    return view;
}
