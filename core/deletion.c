// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/deletion.h"

#include "core/names.h"

static const char *const reasons[] = {"expired", "room", "missing"};

const char *gw_deletion_reason_name(enum gw_deletion_reason reason)
{
    return reasons[reason];
}

int gw_deletion_reason_from_name(const char *name)
{
    return gw_find_name(reasons, GW_COUNT(reasons), name);
}
