// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/dial.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <unistd.h>

#include "core/error.h"
#include "ingest/resolve.h"

enum {
    PAIR_TRIES = 64,                // until two neighbouring ports are free
    MOST_EARLY = 16384,             // datagrams that a full buffer can hold
    PAIR_BUFFER_BYTES = 1024 * 1024 // a keyframe that comes in one burst; the system may cap it
};

// --- TCP -----------------------------------------------------------------------------------------

static int begin_one(const union gw_address *address)
{
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    // Requests are small and each waits for its answer.
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect(fd, &address->any, gw_address_size(address)) == 0 || errno == EINPROGRESS)
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

int gw_dial_begin(const struct gw_addresses *addresses, union gw_address *ret_peer)
{
    int fd = GW_ERROR_NO_HOST;
    for (int i = 0; i < addresses->count; i++) {
        fd = begin_one(&addresses->list[i]);
        if (fd < 0)
            continue; // no route of this family, say
        if (ret_peer)
            *ret_peer = addresses->list[i];
        return fd;
    }
    return fd;
}

// --- UDP -----------------------------------------------------------------------------------------

static int bind_udp(const union gw_address *local, uint16_t port)
{
    union gw_address address = *local;
    int fd = socket(local->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    gw_address_set_port(&address, port);
    if (bind(fd, &address.any, gw_address_size(&address)) == 0)
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

static int local_port(int fd)
{
    union gw_address address;
    socklen_t size = sizeof(address);
    return getsockname(fd, &address.any, &size) < 0 ? -errno : gw_address_port(&address);
}

// One port from the system, and its neighbour. Returns the even one of both, 0 when the neighbour
// is taken, -errno.
static int try_pair(const union gw_address *local, int ret_fds[2])
{
    int fd = bind_udp(local, 0);
    int port = fd < 0 ? fd : local_port(fd);
    if (port < 0) {
        if (fd >= 0)
            close(fd);
        return port;
    }
    int other = bind_udp(local, (uint16_t)(port ^ 1));
    if (other < 0) {
        close(fd);
        return other == -EADDRINUSE || other == -EACCES ? 0 : other;
    }
    ret_fds[port & 1] = fd;
    ret_fds[!(port & 1)] = other;
    return port & ~1;
}

int gw_dial_open_pair(const union gw_address *local, int ret_fds[2], uint16_t *ret_port)
{
    int fds[2], port = 0;
    for (int i = 0; i < PAIR_TRIES && port == 0; i++)
        port = try_pair(local, fds);
    if (port <= 0)
        return port < 0 ? port : -EADDRINUSE;
    for (int i = 0; i < 2; i++) {
        setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &(int){PAIR_BUFFER_BYTES}, sizeof(int));
        ret_fds[i] = fds[i];
    }
    *ret_port = (uint16_t)port;
    return 0;
}

// A connected socket takes nothing from elsewhere, but what came before is still in its queue.
static void drain(int fd)
{
    char byte;
    for (int i = 0; i < MOST_EARLY; i++)
        if (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) < 0)
            return;
}

int gw_dial_aim_pair(const union gw_address *peer, const int fds[2], const uint16_t ports[2])
{
    for (int i = 0; i < 2; i++) {
        union gw_address address = *peer;
        gw_address_set_port(&address, ports[i]);
        if (connect(fds[i], &address.any, gw_address_size(&address)) < 0)
            return -errno;
        drain(fds[i]);
    }
    return 0;
}

// --- both, from this process ---------------------------------------------------------------------

// Leaves what the camera may redirect to.
static int check_redirect(enum gw_redirects redirects, const char *home, int64_t deadline_mono_us,
                          struct gw_stop *stop, struct gw_addresses *addresses)
{
    struct gw_addresses own = {0};
    int error = gw_resolve_wait(home, 0, deadline_mono_us, stop, &own);
    // Without its own addresses the policy still says something.
    if (error == GW_ERROR_STOPPED)
        return error;
    return gw_addresses_permit(addresses, redirects, &own) ? 0 : GW_ERROR_FORBIDDEN;
}

static int connect_direct(void *opaque, const char *home, const char *host, uint16_t port,
                          int64_t deadline_mono_us, struct gw_stop *stop)
{
    const enum gw_redirects *redirects = opaque;
    struct gw_addresses addresses;
    int error = gw_resolve_wait(host, port, deadline_mono_us, stop, &addresses);

    if (!error && strcasecmp(home, host))
        error = check_redirect(redirects ? *redirects : GW_REDIRECTS_NETWORK, home,
                               deadline_mono_us, stop, &addresses);
    return error ? error : gw_dial_begin(&addresses, NULL);
}

static int open_udp_direct(void *opaque, int tcp_fd, int ret_fds[2], uint16_t *ret_port)
{
    union gw_address local;
    socklen_t size = sizeof(local);
    (void)opaque;
    if (getsockname(tcp_fd, &local.any, &size) < 0)
        return -errno;
    return gw_dial_open_pair(&local, ret_fds, ret_port);
}

static int aim_udp_direct(void *opaque, int tcp_fd, const int fds[2], const uint16_t ports[2])
{
    union gw_address peer;
    socklen_t size = sizeof(peer);
    (void)opaque;
    if (getpeername(tcp_fd, &peer.any, &size) < 0)
        return -errno;
    return gw_dial_aim_pair(&peer, fds, ports);
}

const struct gw_dialer gw_dial_direct = {NULL, connect_direct, open_udp_direct, aim_udp_direct};
