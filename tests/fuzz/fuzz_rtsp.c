// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: all that a camera may send over an RTSP connection (ingest/rtsp.h).
//
// Pieces (pieces.h): what comes on the first connection, on that after a redirect, and so on. Each
// lies in a socket before the client reads it, and the end of the stream follows. The first byte
// says whether media shall come by UDP.

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "ingest/rtsp.h"
#include "tests/fuzz/pieces.h"
#include "tests/fuzz/target.h"

enum { MOST_CONNECTIONS = 8, ROOM = 1 << 20 };

struct peer {
    const uint8_t *data;
    size_t left;
    int fds[MOST_CONNECTIONS]; // the camera's ends
    int count;
};

static int connect_peer(void *opaque, const char *home, const char *host, uint16_t port,
                        int64_t deadline_mono_us, struct gw_stop *stop)
{
    struct peer *peer = opaque;
    size_t size = 0;
    int fds[2];

    assert(*home && *host && port && peer->count < MOST_CONNECTIONS);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
        return GW_ERROR_NO_HOST;
    uint8_t *piece = take_piece(&peer->data, &peer->left, &size);
    setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &(int){ROOM}, sizeof(int));
    for (size_t at = 0; at < size;) {
        ssize_t sent = send(fds[1], piece + at, size - at, MSG_NOSIGNAL);
        if (sent <= 0)
            break;
        at += (size_t)sent;
    }
    free(piece);
    shutdown(fds[1], SHUT_WR);
    peer->fds[peer->count++] = fds[1];
    return fds[0];
}

static int take_media(void *opaque, int channel, const uint8_t *bytes, size_t size)
{
    uint8_t all = 0;

    assert(channel >= 0 && channel <= 255 && size <= 65535);
    for (size_t i = 0; i < size; i++)
        all |= bytes[i]; // each of them can be read
    return all == 0xfe ? -EPERM : 0;
}

static void watch(struct gw_rtsp *rtsp, const struct gw_sdp *sdp, bool udp, int64_t due_us)
{
    struct gw_rtsp_route route = {.udp = udp, .client_port = 5000};

    if (gw_rtsp_setup(rtsp, sdp, &route, due_us) < 0)
        return;
    assert(route.channels[0] >= 0 && route.channels[0] <= 255);
    assert(route.channels[1] >= 0 && route.channels[1] <= 255);
    if (gw_rtsp_play(rtsp, sdp, due_us) < 0)
        return;
    while (gw_rtsp_step(rtsp, NULL, 0, due_us) == 0)
        assert(gw_mono_us() < due_us); // the stream has an end
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gw_sdp sdp;
    static struct gw_stop stop;
    struct peer peer = {.data = data + 1, .left = size > 0 ? size - 1 : 0};
    const struct gw_dialer dialer = {&peer, connect_peer, NULL, NULL};
    const struct gw_rtsp_config config = {.url = "rtsp://camera.example/1",
                                          .username = "operator",
                                          .password = "p@ss",
                                          .dialer = &dialer,
                                          .stop = &stop,
                                          .media = take_media};
    const int64_t due_us = gw_mono_us() + 10 * GW_SECOND;
    struct gw_rtsp *rtsp;

    if (!stop.fd)
        gw_stop_init(&stop);
    if (size > 0 && gw_rtsp_open(&rtsp, &config, &sdp, due_us) == 0) {
        assert(sdp.format_count > 0);
        watch(rtsp, &sdp, data[0] & 1, due_us);
        gw_rtsp_close(&rtsp, data[0] & 2);
    }
    for (int i = 0; i < peer.count; i++)
        close(peer.fds[i]);
    return 0;
}
