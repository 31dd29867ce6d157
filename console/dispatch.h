// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// From libmicrohttpd's callbacks to a route: collects the body, then checks in this order: path and
// method, same origin, session, id, index.
#pragma once

#include <microhttpd.h>

// MHD_AccessHandlerCallback and MHD_RequestCompletedCallback; cls is the gw_console.
enum MHD_Result gw_dispatch_handle(void *cls, struct MHD_Connection *connection, const char *url,
                                   const char *method, const char *version, const char *upload,
                                   size_t *upload_size, void **context);
void gw_dispatch_completed(void *cls, struct MHD_Connection *connection, void **context,
                           enum MHD_RequestTerminationCode code);
