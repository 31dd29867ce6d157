// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/admission.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"

#define COUNTED_US (2 * GW_SECOND)

const struct gw_admission_config gw_admission_defaults = {.at_once = 32, .per_host = 4};

struct gw_admission {
    struct gw_admission_config config;
    pthread_mutex_t lock;                    // guards all below, and the places in the lists
    struct gw_admission_place *waiting;      // first come first
    struct gw_admission_place *inside;       // the longest inside first
    const struct gw_admission_place *keeper; // who waits first looks at the clock for all
};

// --- lists; called with the lock held ------------------------------------------------------------

static void append(struct gw_admission_place **list, struct gw_admission_place *place)
{
    while (*list)
        list = &(*list)->next;
    place->next = NULL;
    *list = place;
}

static void take_out(struct gw_admission_place **list, struct gw_admission_place *place)
{
    while (*list != place)
        list = &(*list)->next;
    *list = place->next;
}

static void wake(const struct gw_admission_place *place)
{
    // Cannot fail but for a counter near 2^64.
    if (place->wake_fd >= 0 && write(place->wake_fd, &(uint64_t){1}, sizeof(uint64_t)) < 0)
        assert(errno == EAGAIN);
}

static uint32_t hash(const char *host)
{
    uint32_t value = 2166136261; // FNV-1a
    for (; *host; host++)
        value = (value ^ (uint32_t)tolower((unsigned char)*host)) * 16777619;
    return value;
}

static bool same_host(const struct gw_admission_place *a, const struct gw_admission_place *b)
{
    return a->host_hash == b->host_hash && !strcasecmp(a->host, b->host);
}

static bool host_has_room(const struct gw_admission *admission,
                          const struct gw_admission_place *place)
{
    int count = 0;
    for (const struct gw_admission_place *at = admission->inside; at; at = at->next)
        count += same_host(at, place);
    return count < admission->config.per_host;
}

// Places that count in the total. *ret_next_us becomes when the first of them will not.
static int count_fresh(const struct gw_admission *admission, int64_t mono_us, int64_t *ret_next_us)
{
    int count = 0;
    *ret_next_us = INT64_MAX;
    for (const struct gw_admission_place *at = admission->inside; at; at = at->next) {
        if (mono_us - at->since_us >= COUNTED_US)
            continue;
        if (!count++)
            *ret_next_us = at->since_us + COUNTED_US;
    }
    return count;
}

static void let_in(struct gw_admission *admission, struct gw_admission_place *place,
                   int64_t mono_us)
{
    take_out(&admission->waiting, place);
    append(&admission->inside, place);
    place->phase = GW_ADMISSION_INSIDE;
    place->since_us = mono_us;
    wake(place);
}

static int64_t step(struct gw_admission *admission, int64_t mono_us)
{
    int64_t next_us;
    int fresh = count_fresh(admission, mono_us, &next_us);
    struct gw_admission_place *at = admission->waiting;

    while (at && fresh < admission->config.at_once) {
        struct gw_admission_place *next = at->next;
        if (host_has_room(admission, at)) {
            let_in(admission, at, mono_us);
            fresh++;
        }
        at = next;
    }
    if (admission->waiting && admission->waiting != admission->keeper)
        wake(admission->waiting);
    admission->keeper = admission->waiting;
    count_fresh(admission, mono_us, &next_us);
    // Those that are left wait for their host, unless the total is full.
    return at ? next_us : INT64_MAX;
}

// --- without waiting -----------------------------------------------------------------------------

int gw_admission_create(struct gw_admission **ret, const struct gw_admission_config *config)
{
    struct gw_admission *admission = calloc(1, sizeof(*admission));
    if (!admission)
        return -ENOMEM;
    admission->config = *config;
    pthread_mutex_init(&admission->lock, NULL);
    *ret = admission;
    return 0;
}

void gw_admission_destroy(struct gw_admission **admission)
{
    struct gw_admission *it = *admission;
    if (!it)
        return;
    assert(!it->waiting && !it->inside);
    pthread_mutex_destroy(&it->lock);
    free(it);
    *admission = NULL;
}

static void queue(struct gw_admission *admission, struct gw_admission_place *place,
                  const char *host, int wake_fd, int64_t mono_us)
{
    assert(place->phase == GW_ADMISSION_OUTSIDE);
    snprintf(place->host, sizeof(place->host), "%s", host);
    place->host_hash = hash(host);
    place->wake_fd = wake_fd;
    place->phase = GW_ADMISSION_WAITING;
    pthread_mutex_lock(&admission->lock);
    append(&admission->waiting, place);
    step(admission, mono_us);
    pthread_mutex_unlock(&admission->lock);
}

void gw_admission_queue(struct gw_admission *admission, struct gw_admission_place *place,
                        const char *host, int64_t mono_us)
{
    queue(admission, place, host, -1, mono_us);
}

int64_t gw_admission_step(struct gw_admission *admission, int64_t mono_us)
{
    pthread_mutex_lock(&admission->lock);
    int64_t next_us = step(admission, mono_us);
    pthread_mutex_unlock(&admission->lock);
    return next_us;
}

void gw_admission_leave(struct gw_admission *admission, struct gw_admission_place *place,
                        int64_t mono_us)
{
    pthread_mutex_lock(&admission->lock);
    if (place->phase != GW_ADMISSION_OUTSIDE) {
        take_out(place->phase == GW_ADMISSION_INSIDE ? &admission->inside : &admission->waiting,
                 place);
        place->phase = GW_ADMISSION_OUTSIDE;
        step(admission, mono_us);
    }
    pthread_mutex_unlock(&admission->lock);
}

// --- with the clock ------------------------------------------------------------------------------

// Returns whether place is inside; else until when it may sleep.
static bool look(struct gw_admission *admission, const struct gw_admission_place *place,
                 int64_t mono_us, int64_t *ret_until_us)
{
    pthread_mutex_lock(&admission->lock);
    int64_t next_us = step(admission, mono_us);
    bool inside = place->phase == GW_ADMISSION_INSIDE;
    *ret_until_us = place == admission->keeper ? next_us : INT64_MAX;
    pthread_mutex_unlock(&admission->lock);
    return inside;
}

static int wait_inside(struct gw_admission *admission, struct gw_admission_place *place,
                       struct gw_stop *stop)
{
    struct pollfd polls[] = {{.fd = place->wake_fd, .events = POLLIN},
                             {.fd = stop->fd, .events = POLLIN}};
    for (;;) {
        int64_t now_us = gw_mono_us(), until_us;
        uint64_t woken;
        if (gw_stop_requested(stop))
            return GW_ERROR_STOPPED;
        if (look(admission, place, now_us, &until_us))
            return 0;
        int timeout_ms = until_us == INT64_MAX ? -1 : (int)((until_us - now_us) / 1000 + 1);
        if (poll(polls, 2, timeout_ms) < 0 && errno != EINTR)
            return -errno;
        if (polls[0].revents && read(place->wake_fd, &woken, sizeof(woken)) < 0)
            assert(errno == EAGAIN);
    }
}

int gw_admission_enter(struct gw_admission *admission, struct gw_admission_place *place,
                       const char *url, struct gw_stop *stop)
{
    char host[GW_URL_HOST_SIZE];
    uint16_t port;
    if (gw_url_host(url, host, &port) < 0)
        host[0] = 0; // the session will say what is wrong with it
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return -errno;
    queue(admission, place, host, fd, gw_mono_us());
    int error = wait_inside(admission, place, stop);
    if (error)
        gw_admission_leave(admission, place, gw_mono_us());
    pthread_mutex_lock(&admission->lock);
    place->wake_fd = -1;
    pthread_mutex_unlock(&admission->lock);
    close(fd);
    return error;
}
