// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A camera sheet's rows into the registry, in one transaction. Doing it again changes nothing.
#pragma once

#include "storage/index.h"
#include "storage/sheet.h"

struct gw_sheet_counts {
    int added, changed, unchanged;
};

// dry_run: only counts. Returns 0; on failure an error of the index, and nothing was changed.
int gw_sheet_import(const struct gw_sheet *sheet, struct gw_index *index, bool dry_run,
                    struct gw_sheet_counts *ret);
