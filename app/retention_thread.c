// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/retention_thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

#include "core/clock.h"
#include "core/stop.h"

struct gw_retention_thread {
    struct gw_retention *retention;
    const char *store;
    pthread_t thread;
    struct gw_stop stop;
    pthread_mutex_t lock; // guards report
    struct gw_retention_report report;
};

// What the kernel says of the time server that keeps its clock.
static bool is_synchronised(void)
{
    struct timex state = {.modes = 0};
    const int result = adjtimex(&state);
    return result >= 0 && result != TIME_ERROR && !(state.status & STA_UNSYNC);
}

static struct gw_retention_now read_now(const char *store)
{
    struct gw_retention_now now = {
        .wall_us = gw_wall_us(), .mono_us = gw_mono_us(), .synchronised = is_synchronised()};
    struct statvfs disk;

    if (statvfs(store, &disk) == 0) {
        now.free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
        now.total_bytes = (uint64_t)disk.f_blocks * disk.f_frsize;
    }
    return now;
}

static void publish(struct gw_retention_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    gw_retention_report(thread->retention, &thread->report);
    pthread_mutex_unlock(&thread->lock);
}

static void *run(void *opaque)
{
    struct gw_retention_thread *thread = opaque;
    int64_t rest_us = 0;

    pthread_setname_np(pthread_self(), "retention");
    while (!gw_stop_wait(&thread->stop, rest_us)) {
        const struct gw_retention_now now = read_now(thread->store);
        rest_us = gw_retention_step(thread->retention, &now);
        const int64_t took_us = gw_mono_us() - now.mono_us;
        publish(thread);
        // Facts, which come at any time, find the index free at least half of it.
        if (rest_us < took_us)
            rest_us = took_us;
    }
    return NULL;
}

int gw_retention_thread_create(struct gw_retention_thread **ret,
                               const struct gw_retention_config *config,
                               char error[GW_INDEX_ERROR_SIZE])
{
    struct gw_retention_thread *thread = calloc(1, sizeof(*thread));
    if (!thread)
        abort();
    int result = gw_retention_create(&thread->retention, config, error);
    if (result < 0) {
        free(thread);
        return result;
    }
    thread->store = config->store;
    gw_stop_init(&thread->stop);
    pthread_mutex_init(&thread->lock, NULL);
    publish(thread);
    result = -pthread_create(&thread->thread, NULL, run, thread);
    if (result < 0) {
        snprintf(error, GW_INDEX_ERROR_SIZE, "cannot start a thread for retention");
        thread->thread = 0;
        gw_retention_thread_destroy(&thread);
        return result;
    }
    *ret = thread;
    return 0;
}

void gw_retention_thread_destroy(struct gw_retention_thread **thread)
{
    struct gw_retention_thread *gone = *thread;
    *thread = NULL;
    if (!gone)
        return;
    gw_stop_request(&gone->stop);
    if (gone->thread)
        pthread_join(gone->thread, NULL);
    gw_stop_finish(&gone->stop);
    pthread_mutex_destroy(&gone->lock);
    gw_retention_destroy(&gone->retention);
    free(gone);
}

void gw_retention_thread_report(struct gw_retention_thread *thread, struct gw_retention_report *ret)
{
    pthread_mutex_lock(&thread->lock);
    *ret = thread->report;
    pthread_mutex_unlock(&thread->lock);
}
