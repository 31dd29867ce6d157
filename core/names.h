// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The one way enums get their names: a table of strings by value. Private to core/.
#pragma once

#include <stddef.h>
#include <string.h>

#define GW_COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

static inline int gw_find_name(const char *const *names, int count, const char *name)
{
    for (int i = 0; name && i < count; i++)
        if (!strcmp(names[i], name))
            return i;
    return -1;
}
