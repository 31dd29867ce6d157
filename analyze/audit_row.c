// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/audit_row.h"

// One GOP in so many is audited at first, and in the long run.
enum { AUDIT_FIRST = 4, AUDIT_LAST = 32 };

static int every(int clean)
{
    int gops = AUDIT_FIRST;

    for (int i = 0; i < clean && gops < AUDIT_LAST; i++)
        gops *= 2;
    return gops;
}

bool gw_audit_row_due(struct gw_audit_row *row)
{
    if (++row->gops < every(row->clean))
        return false;
    row->gops = 0;
    row->clean++;
    row->count++;
    return true;
}

void gw_audit_row_missed(struct gw_audit_row *row)
{
    row->clean = 0;
}

void gw_audit_row_begin(struct gw_audit_row *row)
{
    row->gops = row->clean = 0;
}
