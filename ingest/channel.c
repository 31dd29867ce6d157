// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/channel.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>
#include <libavutil/error.h>

#include "core/clock.h"
#include "core/error.h"

enum { MOST_OTHERS = 4 };

struct gw_channel {
    int fd;
    struct gw_stop *stop;
    gnutls_session_t tls; // NULL without
    gnutls_certificate_credentials_t credentials;
    size_t begin, end; // of what has arrived, in buffer
    uint8_t buffer[GW_CHANNEL_ROOM];
};

int gw_channel_create(struct gw_channel **ret, int fd, struct gw_stop *stop)
{
    // Not cleared: what no byte was read into costs no memory.
    struct gw_channel *channel = malloc(sizeof(*channel));

    *ret = NULL;
    if (!channel) {
        close(fd);
        return -ENOMEM;
    }
    channel->fd = fd;
    channel->stop = stop;
    channel->tls = NULL;
    channel->credentials = NULL;
    channel->begin = channel->end = 0;
    *ret = channel;
    return 0;
}

void gw_channel_destroy(struct gw_channel **ret)
{
    struct gw_channel *channel = *ret;
    if (!channel)
        return;
    if (channel->tls) {
        gnutls_bye(channel->tls, GNUTLS_SHUT_WR);
        gnutls_deinit(channel->tls);
    }
    if (channel->credentials)
        gnutls_certificate_free_credentials(channel->credentials);
    shutdown(channel->fd, SHUT_WR);
    close(channel->fd);
    free(channel);
    *ret = NULL;
}

int gw_channel_fd(const struct gw_channel *channel)
{
    return channel->fd;
}

// --- waiting -------------------------------------------------------------------------------------

// Waits for events on the socket or anything on the others. Returns as gw_channel_wait.
static int wait_for(struct gw_channel *channel, short events, struct pollfd *others, int count,
                    int64_t deadline_mono_us)
{
    struct pollfd fds[2 + MOST_OTHERS] = {{.fd = channel->fd, .events = events},
                                          {.fd = channel->stop->fd, .events = POLLIN}};

    assert(count <= MOST_OTHERS);
    if (count)
        memcpy(fds + 2, others, (size_t)count * sizeof(*others));
    for (;;) {
        int64_t left_us = deadline_mono_us - gw_mono_us();
        if (left_us < 0)
            left_us = 0;
        const struct timespec left = {.tv_sec = left_us / GW_SECOND,
                                      .tv_nsec = left_us % GW_SECOND * 1000};
        int ready = ppoll(fds, 2 + (nfds_t)count, &left, NULL);
        if (gw_stop_requested(channel->stop))
            return GW_ERROR_STOPPED;
        if (ready < 0 && errno != EINTR)
            return -errno;
        if (ready < 0)
            continue;
        for (int i = 0; i < count; i++)
            others[i].revents = fds[2 + i].revents;
        return ready > 0;
    }
}

int gw_channel_wait(struct gw_channel *channel, struct pollfd *others, int count,
                    int64_t deadline_mono_us)
{
    if (channel->tls && gnutls_record_check_pending(channel->tls)) {
        for (int i = 0; i < count; i++)
            others[i].revents = 0;
        return gw_stop_requested(channel->stop) ? GW_ERROR_STOPPED : 1;
    }
    return wait_for(channel, POLLIN, others, count, deadline_mono_us);
}

// As wait_for, but the deadline is an error.
static int await(struct gw_channel *channel, short events, int64_t deadline_mono_us)
{
    int ready = wait_for(channel, events, NULL, 0, deadline_mono_us);
    // What is always ready, a little at a time, does not move the deadline.
    if (ready > 0 && gw_mono_us() >= deadline_mono_us)
        ready = 0;
    return ready == 0 ? -ETIMEDOUT : ready < 0 ? ready : 0;
}

// --- connecting ----------------------------------------------------------------------------------

static int finish_connect(struct gw_channel *channel, int64_t deadline_mono_us)
{
    int error = await(channel, POLLOUT, deadline_mono_us);
    socklen_t size = sizeof(error);

    if (error < 0)
        return error;
    if (getsockopt(channel->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -errno;
    return -error;
}

static bool is_address(const char *host)
{
    struct in6_addr address;
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

// Of its own accord gnutls would use sendmsg, which a worker may not.
static ssize_t push(gnutls_transport_ptr_t opaque, const void *bytes, size_t size)
{
    const struct gw_channel *channel = opaque;
    return send(channel->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static ssize_t pull(gnutls_transport_ptr_t opaque, void *bytes, size_t size)
{
    const struct gw_channel *channel = opaque;
    return recv(channel->fd, bytes, size, MSG_DONTWAIT);
}

static int begin_tls(struct gw_channel *channel, const char *host)
{
    if (gnutls_certificate_allocate_credentials(&channel->credentials) < 0 ||
        gnutls_init(&channel->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0 ||
        gnutls_set_default_priority(channel->tls) < 0 ||
        gnutls_credentials_set(channel->tls, GNUTLS_CRD_CERTIFICATE, channel->credentials) < 0)
        return -ENOMEM;
    if (!is_address(host)) // which has no place there (RFC 6066, 3)
        gnutls_server_name_set(channel->tls, GNUTLS_NAME_DNS, host, strlen(host));
    gnutls_transport_set_ptr(channel->tls, channel);
    gnutls_transport_set_push_function(channel->tls, push);
    gnutls_transport_set_pull_function(channel->tls, pull);
    gnutls_handshake_set_timeout(channel->tls, GNUTLS_INDEFINITE_TIMEOUT); // ours is the deadline
    return 0;
}

static bool is_patience(ssize_t result)
{
    return result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED;
}

static short tls_direction(const struct gw_channel *channel)
{
    return gnutls_record_get_direction(channel->tls) ? POLLOUT : POLLIN;
}

static int shake_hands(struct gw_channel *channel, int64_t deadline_mono_us)
{
    int result;

    while ((result = gnutls_handshake(channel->tls)) < 0 && !gnutls_error_is_fatal(result)) {
        if (!is_patience(result))
            continue; // a warning
        int error = await(channel, tls_direction(channel), deadline_mono_us);
        if (error < 0)
            return error;
    }
    return result < 0 ? GW_ERROR_INVALID : 0;
}

int gw_channel_connect(struct gw_channel *channel, bool tls, const char *host,
                       int64_t deadline_mono_us)
{
    int error = finish_connect(channel, deadline_mono_us);
    if (!error && tls)
        error = begin_tls(channel, host);
    if (!error && tls)
        error = shake_hands(channel, deadline_mono_us);
    return error;
}

// --- reading -------------------------------------------------------------------------------------

static int receive_plain(struct gw_channel *channel, uint8_t *to, size_t room)
{
    ssize_t got = recv(channel->fd, to, room, 0);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? AVERROR(EAGAIN) : -errno;
    return got ? (int)got : AVERROR_EOF;
}

static int receive_tls(struct gw_channel *channel, uint8_t *to, size_t room)
{
    ssize_t got = gnutls_record_recv(channel->tls, to, room);
    if (got > 0)
        return (int)got;
    if (got < 0 && !gnutls_error_is_fatal((int)got))
        return AVERROR(EAGAIN);
    return got == 0 || got == GNUTLS_E_PREMATURE_TERMINATION ? AVERROR_EOF : -EIO;
}

int gw_channel_read(struct gw_channel *channel)
{
    if (channel->begin && channel->end == GW_CHANNEL_ROOM) {
        memmove(channel->buffer, channel->buffer + channel->begin, channel->end - channel->begin);
        channel->end -= channel->begin;
        channel->begin = 0;
    }
    uint8_t *to = channel->buffer + channel->end;
    size_t room = GW_CHANNEL_ROOM - channel->end;
    if (!room)
        return GW_ERROR_INVALID; // longer than any message may be
    int got = channel->tls ? receive_tls(channel, to, room) : receive_plain(channel, to, room);
    if (got == AVERROR(EAGAIN))
        return 0;
    if (got < 0)
        return got;
    channel->end += (size_t)got;
    return 1;
}

const uint8_t *gw_channel_peek(const struct gw_channel *channel, size_t *ret_size)
{
    *ret_size = channel->end - channel->begin;
    return channel->buffer + channel->begin;
}

void gw_channel_consume(struct gw_channel *channel, size_t size)
{
    assert(size <= channel->end - channel->begin);
    channel->begin += size;
    if (channel->begin == channel->end)
        channel->begin = channel->end = 0;
}

// --- sending -------------------------------------------------------------------------------------

// Returns how many bytes went, AVERROR(EAGAIN), -errno.
static ssize_t send_some(struct gw_channel *channel, const void *bytes, size_t size)
{
    if (channel->tls) {
        ssize_t sent = gnutls_record_send(channel->tls, bytes, size);
        return sent >= 0 ? sent : gnutls_error_is_fatal((int)sent) ? -EPIPE : AVERROR(EAGAIN);
    }
    ssize_t sent = send(channel->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR ? AVERROR(EAGAIN) : -errno;
    return sent;
}

int gw_channel_send(struct gw_channel *channel, const void *bytes, size_t size,
                    int64_t deadline_mono_us)
{
    const char *at = bytes;

    while (size) {
        ssize_t sent = send_some(channel, at, size);
        if (sent >= 0) {
            at += sent;
            size -= (size_t)sent;
            continue;
        }
        if (sent != AVERROR(EAGAIN))
            return (int)sent;
        int error = await(channel, POLLOUT, deadline_mono_us);
        if (error < 0)
            return error;
    }
    return 0;
}

void gw_channel_offer(struct gw_channel *channel, const void *bytes, size_t size)
{
    send_some(channel, bytes, size);
}
