// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/level.h"

#include <string.h>

static const char *const names[GW_LEVEL_COUNT] = {
    [GW_LEVEL_AUTO] = "auto", [GW_LEVEL_GATE] = "gate", [GW_LEVEL_KEYFRAMES] = "keyframes",
    [GW_LEVEL_FULL] = "full", [GW_LEVEL_OFF] = "off",
};

const char *gw_level_name(enum gw_level level)
{
    return names[level];
}

int gw_level_from_name(const char *name)
{
    for (int i = 0; i < GW_LEVEL_COUNT; i++)
        if (!strcmp(names[i], name))
            return i;
    return -1;
}
