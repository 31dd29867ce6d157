// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// How a session gets its sockets: it makes them itself, or, in a worker that may not, asks the hub.
//
//   session.c -> [dial] -> gw_dial_direct, or app/door.h
//
// A table of functions. All are called on the session's thread.
#pragma once

#include <stdint.h>

#include "core/stop.h"
#include "ingest/address.h"

struct gw_dialer {
    void *opaque;

    // Begins a TCP connection and does not wait for it. home: the host that the registry names;
    // host: the same, or where the camera redirected to. Returns a non-blocking descriptor (POLLOUT
    // tells when it is connected, SO_ERROR how), or -errno, GW_ERROR_FORBIDDEN when the policy of
    // redirects says no, GW_ERROR_NO_HOST, GW_ERROR_STOPPED. Resolves names, at most until
    // deadline_mono_us or a stop. IPv6 addresses come without brackets.
    int (*connect)(void *opaque, const char *home, const char *host, uint16_t port,
                   int64_t deadline_mono_us, struct gw_stop *stop);

    // Two UDP sockets for RTP and RTCP of the camera that tcp_fd is connected to, on an even local
    // port (*ret_port) and the one above. Non-blocking. Returns 0 or an error as above.
    int (*open_udp)(void *opaque, int tcp_fd, int ret_fds[2], uint16_t *ret_port);
    // Connects them to these ports of that camera, so that they take nothing from elsewhere.
    int (*aim_udp)(void *opaque, int tcp_fd, const int fds[2], const uint16_t ports[2]);
};

// Makes the sockets in this process. Redirects: to the camera's own host, or to any address that is
// neither loopback, link-local, multicast nor unspecified. A copy whose opaque points to an enum
// gw_redirects follows that policy instead.
extern const struct gw_dialer gw_dial_direct;

// --- what it is made of, and the door as well ----------------------------------------------------
// Descriptors are non-blocking and close-on-exec. Each returns 0 (or the descriptor), or -errno.

// Begins a connection to the first of these that takes one, and does not wait for it. ret_peer,
// which may be NULL, is that one.
int gw_dial_begin(const struct gw_addresses *addresses, union gw_address *ret_peer);
// A pair on this local address, whose port does not matter.
int gw_dial_open_pair(const union gw_address *local, int ret_fds[2], uint16_t *ret_port);
// Connects the pair to these ports of the peer. What others sent before is thrown away.
int gw_dial_aim_pair(const union gw_address *peer, const int fds[2], const uint16_t ports[2]);
