// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A camera sheet's rows into the registry, in one transaction. Doing it again changes nothing.
#pragma once

#include "storage/index.h"
#include "storage/sheet.h"

struct gw_sheet_counts {
    int added, changed, unchanged;
};

// Who wants to know what an import does. Each may be NULL; texts are borrowed for the call.
struct gw_sheet_watch {
    void *opaque;
    // A camera is new (column NULL), or a value of it changes. Of credentials only that they do:
    // column is "credentials", from and to are NULL.
    void (*change)(void *opaque, const char *camera, const char *column, const char *from,
                   const char *to);
    // Something is probably wrong all the same, and is imported.
    void (*warn)(void *opaque, int line, int column, const char *what);
};

// Takes out rows with a device id that another camera is registered with, unless the sheet gives
// that one another; each becomes an error of its cell. Returns 0, or an error of the index.
int gw_sheet_check_devices(struct gw_sheet *sheet, struct gw_index *index);

// dry_run: only counts and tells. watch may be NULL. Returns 0; on failure an error of the index,
// and nothing was changed.
int gw_sheet_import(const struct gw_sheet *sheet, struct gw_index *index, bool dry_run,
                    const struct gw_sheet_watch *watch, struct gw_sheet_counts *ret);
