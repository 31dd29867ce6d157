// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/origin.h"

#include <string.h>
#include <strings.h>

bool gw_origin_allowed(const char *fetch_site, const char *origin, const char *host)
{
    if (fetch_site && strcasecmp(fetch_site, "same-origin") && strcasecmp(fetch_site, "none"))
        return false;
    if (!origin)
        return true;
    // Only the authority counts: behind a proxy that speaks TLS the scheme differs from ours.
    const char *authority = strstr(origin, "://");
    return authority && host && !strcasecmp(authority + 3, host);
}
