// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Server-sent events: committed facts as a browser's EventSource reads them.
//
//   feed.c wakes -> [sse] reads storage/index.h -> one connection's thread -> browser
//
// The connection's thread sleeps in the feed. Position and order are the facts' numbers, so a
// client that comes back with the last number it saw misses nothing and gets nothing twice.
#pragma once

#include "console/http.h"

// Answers with a stream of the facts after since. Ends when the client goes, its session ends or
// the console stops.
enum MHD_Result gw_sse_reply(struct gw_request *request, uint64_t since);
