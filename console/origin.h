// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Whether a request that changes something comes from our own page. Pure.
//
// The second line behind SameSite=Strict: browsers say where a request was made, and another site's
// page must not sign anybody in or out. Programs send none of these headers and use a bearer token.
#pragma once

#include <stdbool.h>

// The request's Sec-Fetch-Site, Origin and Host headers, each NULL when absent.
bool gw_origin_allowed(const char *fetch_site, const char *origin, const char *host);
