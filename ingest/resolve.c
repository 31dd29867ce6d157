// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/resolve.h"

#include <assert.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"

enum {
    HELPERS = 16,
    STACK_SIZE = 512 << 10, // name services load libraries and put whole answers on the stack
    HOST_SIZE = 256,        // longest name there is, and its NUL
};

enum phase { WAITING, ASKED, ANSWERED };

struct gw_resolve {
    char host[HOST_SIZE];
    uint16_t port;
    int fd; // eventfd

    // Guarded by the lock below.
    enum phase phase;
    bool abandoned; // nobody wants the answer of the helper that is at it
    struct gw_resolve *next;
    int error;
    struct gw_addresses answer;
};

static struct {
    pthread_mutex_t lock;
    struct gw_resolve *first; // WAITING, in the order in which they were asked
    int helpers;              // running
} desk = {.lock = PTHREAD_MUTEX_INITIALIZER};

// --- asking --------------------------------------------------------------------------------------

static int translate(int code)
{
    switch (code) {
    case 0: return 0;
    case EAI_MEMORY: return -ENOMEM;
    case EAI_SYSTEM: return errno ? -errno : -EIO;
    default: return GW_ERROR_NO_HOST;
    }
}

static int ask(const char *host, uint16_t port, int flags, struct gw_addresses *ret)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_protocol = IPPROTO_TCP,
                                   .ai_flags = flags | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    char service[8];

    snprintf(service, sizeof(service), "%u", port);
    int error = translate(getaddrinfo(host, service, &hints, &list));
    if (error)
        return error;
    struct gw_addresses found = {0};
    for (const struct addrinfo *at = list; at && found.count < GW_ADDRESSES_MAX; at = at->ai_next)
        if (at->ai_addrlen <= sizeof(found.list[0]))
            memcpy(&found.list[found.count++], at->ai_addr, at->ai_addrlen);
    freeaddrinfo(list);
    *ret = found;
    return found.count ? 0 : GW_ERROR_NO_HOST;
}

int gw_resolve_numeric(const char *host, uint16_t port, struct gw_addresses *ret)
{
    return *host ? ask(host, port, AI_NUMERICHOST, ret) : GW_ERROR_NO_HOST;
}

// --- helpers -------------------------------------------------------------------------------------

static void dispose(struct gw_resolve *question)
{
    close(question->fd);
    free(question);
}

// Called with the lock held.
static void deliver(struct gw_resolve *question, int error, const struct gw_addresses *answer)
{
    if (question->abandoned) {
        dispose(question);
        return;
    }
    question->error = error;
    question->answer = *answer;
    question->phase = ANSWERED;
    // Cannot fail but for a counter near 2^64.
    if (write(question->fd, &(uint64_t){1}, sizeof(uint64_t)) < 0)
        assert(errno == EAGAIN);
}

static void *help(void *opaque)
{
    struct gw_resolve *question;
    (void)opaque;

    pthread_mutex_lock(&desk.lock);
    while ((question = desk.first)) {
        struct gw_addresses answer = {0};
        desk.first = question->next;
        question->phase = ASKED;
        pthread_mutex_unlock(&desk.lock);
        int error = ask(question->host, question->port, 0, &answer);
        pthread_mutex_lock(&desk.lock);
        deliver(question, error, &answer);
    }
    desk.helpers--;
    pthread_mutex_unlock(&desk.lock);
    return NULL;
}

static int start_helper(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int error = pthread_create(&thread, &attributes, help, NULL);
    pthread_attr_destroy(&attributes);
    return -error;
}

// Called with the lock held; find is there.
static void unlink_waiting(struct gw_resolve *question)
{
    struct gw_resolve **link = &desk.first;
    while (*link != question)
        link = &(*link)->next;
    *link = question->next;
}

// Returns an error only when nobody would ever answer.
static int enqueue(struct gw_resolve *question)
{
    struct gw_resolve **link = &desk.first;
    int error = 0;

    pthread_mutex_lock(&desk.lock);
    while (*link)
        link = &(*link)->next;
    *link = question;
    if (desk.helpers < HELPERS) {
        error = start_helper();
        desk.helpers += !error;
    }
    if (error && desk.helpers)
        error = 0;
    if (error)
        unlink_waiting(question);
    pthread_mutex_unlock(&desk.lock);
    return error;
}

// --- questions -----------------------------------------------------------------------------------

int gw_resolve_begin(struct gw_resolve **ret, const char *host, uint16_t port)
{
    if (!*host || strlen(host) >= HOST_SIZE)
        return GW_ERROR_NO_HOST;
    struct gw_resolve *question = calloc(1, sizeof(*question));
    if (!question)
        return -ENOMEM;
    strcpy(question->host, host);
    question->port = port;
    question->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error = question->fd < 0 ? -errno : enqueue(question);
    if (error) {
        if (question->fd >= 0)
            close(question->fd);
        free(question);
        return error;
    }
    *ret = question;
    return 0;
}

int gw_resolve_fd(const struct gw_resolve *question)
{
    return question->fd;
}

int gw_resolve_take(struct gw_resolve **question, struct gw_addresses *ret)
{
    struct gw_resolve *it = *question;
    pthread_mutex_lock(&desk.lock);
    bool answered = it->phase == ANSWERED;
    pthread_mutex_unlock(&desk.lock);
    if (!answered)
        return -EAGAIN;
    int error = it->error;
    if (!error)
        *ret = it->answer;
    dispose(it);
    *question = NULL;
    return error;
}

void gw_resolve_abandon(struct gw_resolve **question)
{
    struct gw_resolve *it = *question;
    if (!it)
        return;
    *question = NULL;
    pthread_mutex_lock(&desk.lock);
    if (it->phase == WAITING)
        unlink_waiting(it);
    bool mine = it->phase != ASKED;
    it->abandoned = true;
    pthread_mutex_unlock(&desk.lock);
    if (mine)
        dispose(it);
}

static int wait_for_answer(const struct gw_resolve *question, int64_t deadline_mono_us,
                           struct gw_stop *stop)
{
    struct pollfd fds[] = {{.fd = question->fd, .events = POLLIN},
                           {.fd = stop->fd, .events = POLLIN}};
    for (;;) {
        int64_t left_us = deadline_mono_us - gw_mono_us();
        if (gw_stop_requested(stop))
            return GW_ERROR_STOPPED;
        if (left_us <= 0)
            return -ETIMEDOUT;
        int ready = poll(fds, 2, (int)(left_us / 1000 > 60000 ? 60000 : left_us / 1000 + 1));
        if (ready < 0 && errno != EINTR)
            return -errno;
        if (ready > 0 && fds[0].revents)
            return 0;
    }
}

int gw_resolve_wait(const char *host, uint16_t port, int64_t deadline_mono_us, struct gw_stop *stop,
                    struct gw_addresses *ret)
{
    struct gw_resolve *question;
    int error = gw_resolve_numeric(host, port, ret);
    if (error != GW_ERROR_NO_HOST)
        return error;
    error = gw_resolve_begin(&question, host, port);
    if (error)
        return error;
    error = wait_for_answer(question, deadline_mono_us, stop);
    if (!error)
        error = gw_resolve_take(&question, ret);
    gw_resolve_abandon(&question);
    return error;
}
