// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/door_client.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"

// The hub's answer to what needs no name; only a hub that hangs takes longer.
#define ANSWER_LIMIT_US (5 * GW_SECOND)

enum { FDS_MAX = 2 };

// Lives on the stack of the thread that asked.
struct waiter {
    struct waiter *next;
    struct gw_door_request request;
    int wake_fd; // readable once answered
    bool answered;
    struct gw_door_answer answer;
    int fds[FDS_MAX];
    int fd_count;
};

struct gw_door_client {
    int fd;
    struct gw_stop stop;
    pthread_t reader;

    pthread_mutex_t lock; // guards all below
    bool closed;          // the hub is gone
    uint32_t next_ticket;
    struct waiter *waiters;
};

// --- the reader ----------------------------------------------------------------------------------

static void close_fds(const int *fds, int count)
{
    for (int i = 0; i < count; i++)
        close(fds[i]);
}

// Called with the lock held.
static struct waiter *unlink_waiter(struct gw_door_client *client, uint32_t ticket)
{
    for (struct waiter **link = &client->waiters; *link; link = &(*link)->next) {
        struct waiter *waiter = *link;
        if (waiter->request.ticket != ticket)
            continue;
        *link = waiter->next;
        return waiter;
    }
    return NULL;
}

// Called with the lock held.
static void wake(struct waiter *waiter)
{
    waiter->answered = true;
    // Cannot fail but for a counter near 2^64.
    if (write(waiter->wake_fd, &(uint64_t){1}, sizeof(uint64_t)) < 0)
        assert(errno == EAGAIN);
}

// Who asked may have gone; then nobody else may keep what came.
static void deliver(struct gw_door_client *client, const struct gw_door_answer *answer,
                    const int *fds, int count)
{
    pthread_mutex_lock(&client->lock);
    struct waiter *waiter = unlink_waiter(client, answer->ticket);
    if (waiter) {
        waiter->answer = *answer;
        waiter->fd_count = count;
        memcpy(waiter->fds, fds, (size_t)count * sizeof(int));
        wake(waiter);
    }
    pthread_mutex_unlock(&client->lock);
    if (!waiter)
        close_fds(fds, count);
}

static void close_client(struct gw_door_client *client)
{
    pthread_mutex_lock(&client->lock);
    client->closed = true;
    while (client->waiters) {
        struct waiter *waiter = unlink_waiter(client, client->waiters->request.ticket);
        waiter->answer.error = -EPIPE;
        wake(waiter);
    }
    pthread_mutex_unlock(&client->lock);
}

static int take_fds(struct msghdr *message, int fds[FDS_MAX])
{
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
        return 0;
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    assert(count <= FDS_MAX); // there is no room for more
    memcpy(fds, CMSG_DATA(header), count * sizeof(int));
    return (int)count;
}

// Reads one answer. Returns false when there will be no more.
static bool read_answer(struct gw_door_client *client)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
    } control;
    struct gw_door_answer body;
    struct iovec part = {.iov_base = &body, .iov_len = sizeof(body)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof(control.room)};
    int fds[FDS_MAX];

    ssize_t size = recvmsg(client->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR;
    int count = take_fds(&message, fds);
    if (size == sizeof(body))
        deliver(client, &body, fds, count);
    else
        close_fds(fds, count);
    return size > 0;
}

static void *run(void *opaque)
{
    struct gw_door_client *client = opaque;
    struct pollfd polls[] = {{.fd = client->fd, .events = POLLIN},
                             {.fd = client->stop.fd, .events = POLLIN}};
    bool open = true;

    pthread_setname_np(pthread_self(), "door");
    while (open && !gw_stop_requested(&client->stop)) {
        if (poll(polls, 2, -1) < 0)
            assert(errno == EINTR);
        else if (polls[0].revents)
            open = read_answer(client);
    }
    close_client(client);
    return NULL;
}

int gw_door_client_create(struct gw_door_client **ret, int fd)
{
    struct gw_door_client *client = calloc(1, sizeof(*client));
    if (!client)
        abort();
    client->fd = fd;
    client->next_ticket = 1;
    gw_stop_init(&client->stop);
    pthread_mutex_init(&client->lock, NULL);
    int error = pthread_create(&client->reader, NULL, run, client);
    if (error) {
        gw_stop_finish(&client->stop);
        pthread_mutex_destroy(&client->lock);
        close(fd);
        free(client);
        return -error;
    }
    *ret = client;
    return 0;
}

void gw_door_client_destroy(struct gw_door_client **client)
{
    struct gw_door_client *it = *client;
    if (!it)
        return;
    gw_stop_request(&it->stop);
    pthread_join(it->reader, NULL);
    assert(!it->waiters);
    gw_stop_finish(&it->stop);
    pthread_mutex_destroy(&it->lock);
    close(it->fd);
    free(it);
    *client = NULL;
}

// --- asking --------------------------------------------------------------------------------------

// Waits until fd is ready for events, the deadline (-ETIMEDOUT) or a stop (GW_ERROR_STOPPED).
static int wait_for(int fd, short events, int64_t deadline_mono_us, struct gw_stop *stop)
{
    struct pollfd polls[] = {{.fd = fd, .events = events},
                             {.fd = stop ? stop->fd : -1, .events = POLLIN}};
    for (;;) {
        int64_t left_us = deadline_mono_us - gw_mono_us();
        if (stop && gw_stop_requested(stop))
            return GW_ERROR_STOPPED;
        if (left_us <= 0)
            return -ETIMEDOUT;
        int ready = poll(polls, 2, (int)(left_us / 1000 > 60000 ? 60000 : left_us / 1000 + 1));
        if (ready < 0 && errno != EINTR)
            return -errno;
        if (ready > 0 && polls[0].revents)
            return 0;
    }
}

static int send_request(struct gw_door_client *client, const struct gw_door_request *request,
                        int64_t deadline_mono_us, struct gw_stop *stop)
{
    for (;;) {
        if (send(client->fd, request, sizeof(*request), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
            return 0;
        if (errno != EAGAIN && errno != EINTR)
            return errno == ECONNRESET ? -EPIPE : -errno;
        int error = wait_for(client->fd, POLLOUT, deadline_mono_us, stop);
        if (error)
            return error;
    }
}

static int enlist(struct gw_door_client *client, struct waiter *waiter)
{
    waiter->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (waiter->wake_fd < 0)
        return -errno;
    pthread_mutex_lock(&client->lock);
    bool closed = client->closed;
    if (!closed) {
        waiter->request.ticket = client->next_ticket++;
        waiter->next = client->waiters;
        client->waiters = waiter;
    }
    pthread_mutex_unlock(&client->lock);
    if (closed)
        close(waiter->wake_fd);
    return closed ? -EPIPE : 0;
}

// Returns whether the answer came after all, at the last moment.
static bool delist(struct gw_door_client *client, struct waiter *waiter)
{
    pthread_mutex_lock(&client->lock);
    if (!waiter->answered)
        unlink_waiter(client, waiter->request.ticket);
    bool answered = waiter->answered;
    pthread_mutex_unlock(&client->lock);
    close(waiter->wake_fd);
    return answered;
}

// Asks, and takes the answer with exactly so many descriptors into ret_fds. Returns 0 or an error.
static int ask(struct gw_door_client *client, struct waiter *waiter, int64_t deadline_mono_us,
               struct gw_stop *stop, int *ret_fds, int count)
{
    int error = enlist(client, waiter);
    if (error)
        return error;
    error = send_request(client, &waiter->request, deadline_mono_us, stop);
    if (!error)
        error = wait_for(waiter->wake_fd, POLLIN, deadline_mono_us, stop);
    if (delist(client, waiter))
        error = error ? error : waiter->answer.error;
    if (!error && waiter->fd_count != count)
        error = -EMFILE; // this process has no room for more descriptors
    if (error)
        close_fds(waiter->fds, waiter->fd_count);
    for (int i = 0; !error && i < count; i++)
        ret_fds[i] = waiter->fds[i];
    return error;
}

static struct waiter make_waiter(const struct gw_door_caller *caller, enum gw_door_kind kind)
{
    struct waiter waiter = {.request = {.kind = (uint8_t)kind, .stream = (uint8_t)caller->stream}};
    strcpy(waiter.request.camera, caller->camera);
    return waiter;
}

// The hub knows the camera's home itself.
static int connect_through(void *opaque, const char *home, const char *host, uint16_t port,
                           int64_t deadline_mono_us, struct gw_stop *stop)
{
    const struct gw_door_caller *caller = opaque;
    struct waiter waiter = make_waiter(caller, GW_DOOR_CONNECT);
    int fd;
    (void)home;

    if (!*host || strlen(host) >= sizeof(waiter.request.host))
        return GW_ERROR_NO_HOST;
    strcpy(waiter.request.host, host);
    waiter.request.ports[0] = port;
    int error = ask(caller->client, &waiter, deadline_mono_us, stop, &fd, 1);
    return error ? error : fd;
}

static int open_udp_through(void *opaque, int tcp_fd, int ret_fds[2], uint16_t *ret_port)
{
    const struct gw_door_caller *caller = opaque;
    struct waiter waiter = make_waiter(caller, GW_DOOR_OPEN_UDP);
    (void)tcp_fd;
    int error =
        ask(caller->client, &waiter, gw_mono_us() + ANSWER_LIMIT_US, NULL, ret_fds, FDS_MAX);
    if (!error)
        *ret_port = waiter.answer.local_port;
    return error;
}

static int aim_udp_through(void *opaque, int tcp_fd, const int fds[2], const uint16_t ports[2])
{
    const struct gw_door_caller *caller = opaque;
    struct waiter waiter = make_waiter(caller, GW_DOOR_AIM_UDP);
    union gw_address local;
    socklen_t size = sizeof(local);
    (void)tcp_fd;

    if (getsockname(fds[0], &local.any, &size) < 0)
        return -errno;
    waiter.request.local_port = gw_address_port(&local);
    memcpy(waiter.request.ports, ports, sizeof(waiter.request.ports));
    return ask(caller->client, &waiter, gw_mono_us() + ANSWER_LIMIT_US, NULL, NULL, 0);
}

struct gw_dialer gw_door_dialer(struct gw_door_caller *caller)
{
    return (struct gw_dialer){caller, connect_through, open_udp_through, aim_udp_through};
}
