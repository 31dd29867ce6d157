// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// From a host's name to its addresses, without waiting longer than one wants to.
//
//   [resolve] -> dial.c, app/door.c
//
// getaddrinfo cannot be interrupted, so it runs in helper threads, at most 16 in a process, which
// end when there is nothing to ask. More questions than these wait for a helper. Whoever asked may
// go away at any time; the helper then throws the answer away. Any thread may call.
#pragma once

#include "core/stop.h"
#include "ingest/address.h"

// An address in numbers ("10.0.0.1", "::1" without brackets), at once. Returns 0, or
// GW_ERROR_NO_HOST when it is a name (or nothing).
int gw_resolve_numeric(const char *host, uint16_t port, struct gw_addresses *ret);

struct gw_resolve; // a question under way
// Returns 0, or -errno when there is no thread or descriptor left. Copies host.
int gw_resolve_begin(struct gw_resolve **ret, const char *host, uint16_t port);
// Readable when the answer is there. Stays the question's.
int gw_resolve_fd(const struct gw_resolve *question);
// The answer: 0, GW_ERROR_NO_HOST, -errno; -EAGAIN as long as there is none, and nothing is freed
// then.
int gw_resolve_take(struct gw_resolve **question, struct gw_addresses *ret);
// Accepts a question that is answered or not, and NULL.
void gw_resolve_abandon(struct gw_resolve **question);

// All of it: numbers at once, a name at most until the deadline (-ETIMEDOUT) or a stop
// (GW_ERROR_STOPPED).
int gw_resolve_wait(const char *host, uint16_t port, int64_t deadline_mono_us, struct gw_stop *stop,
                    struct gw_addresses *ret);
