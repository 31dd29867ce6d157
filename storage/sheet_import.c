// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/sheet_import.h"

#include <math.h>
#include <string.h>

#include "core/error.h"

struct import {
    const struct gw_sheet *sheet;
    struct gw_index *index;
    bool dry_run;
    struct gw_sheet_counts counts;
};

// Degrees as a sheet holds them: ten digits.
static bool same_degrees(double a, double b)
{
    return isnan(a) ? isnan(b) : fabs(a - b) < 1e-7;
}

static bool same_camera(const struct gw_camera *a, const struct gw_camera *b)
{
    return !strcmp(a->name, b->name) && !strcmp(a->division, b->division) &&
           !strcmp(a->grid, b->grid) && !strcmp(a->record_url, b->record_url) &&
           !strcmp(a->detect_url, b->detect_url) && !strcmp(a->username, b->username) &&
           !strcmp(a->password, b->password) && a->record == b->record &&
           a->enabled == b->enabled && same_degrees(a->lon, b->lon) && same_degrees(a->lat, b->lat);
}

static int import_row(struct import *import, struct gw_camera camera)
{
    struct gw_camera_row registered;
    int result = gw_index_camera(import->index, camera.id, &registered);
    if (result == GW_ERROR_NOT_FOUND) {
        import->counts.added++;
    } else if (result < 0) {
        return result;
    } else {
        gw_sheet_merge(import->sheet, &camera, &registered.camera);
        if (same_camera(&camera, &registered.camera)) {
            import->counts.unchanged++;
            return 0;
        }
        import->counts.changed++;
    }
    return import->dry_run ? 0 : gw_index_put_camera(import->index, &camera);
}

static int import_rows(void *opaque)
{
    struct import *import = opaque;
    for (int i = 0; i < import->sheet->row_count; i++) {
        int result = import_row(import, import->sheet->rows[i].camera);
        if (result < 0)
            return result;
    }
    return 0;
}

int gw_sheet_import(const struct gw_sheet *sheet, struct gw_index *index, bool dry_run,
                    struct gw_sheet_counts *ret)
{
    struct import import = {sheet, index, dry_run, {0, 0, 0}};
    int result = gw_index_transaction(index, import_rows, &import);
    if (result < 0)
        return result;
    *ret = import.counts;
    return 0;
}
