// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The byte stream to a camera: a TCP connection, with TLS over it or without, and one buffer of
// what has arrived. No call waits but gw_channel_wait, and that ends with its deadline or a stop.
//
//   dial.h -> [channel] -> rtsp_connection.c
//
// Used by one thread.
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/stop.h"

// Room for the largest message within the stream (RFC 2326, 10.12: 4 + 65535 bytes).
#define GW_CHANNEL_ROOM (68 << 10)

struct gw_channel;

// Takes over fd, a non-blocking socket whose connection may still be in progress. stop is borrowed.
// Sets *ret to NULL and closes fd on failure: -ENOMEM.
int gw_channel_create(struct gw_channel **ret, int fd, struct gw_stop *stop);
// Never waits: says goodbye as far as the kernel takes it at once. Accepts NULL inside.
void gw_channel_destroy(struct gw_channel **channel);

// Until the connection stands, and then the TLS handshake with that host if tls. Encrypts, and does
// not check who the camera is: cameras sign their certificates themselves. Returns 0,
// -errno, GW_ERROR_STOPPED, -ETIMEDOUT at deadline_mono_us, GW_ERROR_INVALID when it speaks no TLS.
int gw_channel_connect(struct gw_channel *channel, bool tls, const char *host,
                       int64_t deadline_mono_us);

// Waits until the stream or one of the others has something to read. others may be NULL. Returns 1,
// 0 at the deadline, GW_ERROR_STOPPED.
int gw_channel_wait(struct gw_channel *channel, struct pollfd *others, int count,
                    int64_t deadline_mono_us);

// Reads what has arrived behind what is in the buffer. Returns 1 when there was something, 0 when
// not, AVERROR_EOF at the end, -errno.
int gw_channel_read(struct gw_channel *channel);

// What has arrived and was not consumed; borrowed until the next call that is not peek.
const uint8_t *gw_channel_peek(const struct gw_channel *channel, size_t *ret_size);
void gw_channel_consume(struct gw_channel *channel, size_t size);

// Sends all of it, or fails: -errno, -ETIMEDOUT, GW_ERROR_STOPPED.
int gw_channel_send(struct gw_channel *channel, const void *bytes, size_t size,
                    int64_t deadline_mono_us);
// Sends what goes at once, for a farewell that nobody needs to hear.
void gw_channel_offer(struct gw_channel *channel, const void *bytes, size_t size);

// The socket; borrowed.
int gw_channel_fd(const struct gw_channel *channel);
