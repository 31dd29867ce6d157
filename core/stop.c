// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/stop.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"

void gw_stop_init(struct gw_stop *stop)
{
    pthread_condattr_t attributes;
    atomic_init(&stop->requested, false);
    pthread_mutex_init(&stop->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&stop->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    stop->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (stop->fd < 0)
        abort(); // out of descriptors: nothing that is begun now could be ended
}

void gw_stop_finish(struct gw_stop *stop)
{
    close(stop->fd);
    pthread_cond_destroy(&stop->changed);
    pthread_mutex_destroy(&stop->lock);
}

void gw_stop_request(struct gw_stop *stop)
{
    pthread_mutex_lock(&stop->lock);
    atomic_store(&stop->requested, true);
    pthread_cond_broadcast(&stop->changed);
    pthread_mutex_unlock(&stop->lock);
    // Cannot fail but for a counter near 2^64.
    if (write(stop->fd, &(uint64_t){1}, sizeof(uint64_t)) < 0)
        assert(errno == EAGAIN);
}

bool gw_stop_requested(struct gw_stop *stop)
{
    return atomic_load_explicit(&stop->requested, memory_order_relaxed);
}

bool gw_stop_wait(struct gw_stop *stop, int64_t duration_us)
{
    int64_t deadline_us = gw_mono_us() + duration_us;
    struct timespec deadline = {.tv_sec = deadline_us / GW_SECOND,
                                .tv_nsec = deadline_us % GW_SECOND * 1000};

    pthread_mutex_lock(&stop->lock);
    while (!atomic_load(&stop->requested))
        if (pthread_cond_timedwait(&stop->changed, &stop->lock, &deadline) == ETIMEDOUT)
            break;
    pthread_mutex_unlock(&stop->lock);
    return gw_stop_requested(stop);
}
