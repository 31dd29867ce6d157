// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/coverage.h"

#include "core/names.h"

static const char *const names[] = {"began", "broke", "hole", "ended"};

const char *gw_coverage_change_name(enum gw_coverage_change change)
{
    return names[change];
}

int gw_coverage_change_from_name(const char *name)
{
    return gw_find_name(names, GW_COUNT(names), name);
}
