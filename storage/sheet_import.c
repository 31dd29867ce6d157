// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/sheet_import.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "storage/sheet_internal.h"
#include "storage/sheet_outliers.h"

struct import {
    const struct gw_sheet *sheet;
    struct gw_index *index;
    bool dry_run;
    struct gw_sheet_watch watch;
    struct gw_camera_row *registered; // by id, as before the import
    int count;
    json_t *devices;               // where in registered each device id is
    struct gw_sheet_point *placed; // where all of them are after it
    int placed_count;
    struct gw_sheet_counts counts;
};

enum { NOT_OF_THE_SHEET = -1 };

// --- who is there --------------------------------------------------------------------------------

static int compare_id(const void *id, const void *row)
{
    return strcmp(id, ((const struct gw_camera_row *)row)->camera.id);
}

static void note_devices(struct import *import)
{
    import->devices = json_object();
    for (int i = 0; i < import->count; i++) {
        const char *device_id = import->registered[i].camera.registration.device_id;
        if (*device_id)
            json_object_set_new(import->devices, device_id, json_integer(i));
    }
}

// A row without an id of its own may be of a camera that is registered under another.
static const struct gw_camera_row *find_registered(const struct import *import,
                                                   const struct gw_sheet_row *row)
{
    const char *id = row->camera.id;
    const struct gw_camera_row *found =
        import->count
            ? bsearch(id, import->registered, (size_t)import->count, sizeof(*found), compare_id)
            : NULL;
    const json_t *place = row->id_is_device ? json_object_get(import->devices, id) : NULL;

    return found || !place ? found : &import->registered[json_integer_value(place)];
}

static void note_place(struct import *import, const struct gw_camera *camera, int tag)
{
    if (!isfinite(camera->lon) || !isfinite(camera->lat))
        return;
    struct gw_sheet_point *placed = &import->placed[import->placed_count++];
    *placed = (struct gw_sheet_point){.lon = camera->lon, .lat = camera->lat, .tag = tag};
    memcpy(placed->division, camera->division, sizeof(placed->division));
}

// --- one row -------------------------------------------------------------------------------------

static void tell(const struct import *import, const char *camera, const char *column,
                 const char *from, const char *to)
{
    if (import->watch.change)
        import->watch.change(import->watch.opaque, camera, column, from, to);
}

// Compared as a sheet holds them: what it cannot express is no change. Returns whether any is.
static bool tell_changes(const struct import *import, const struct gw_camera *from,
                         const struct gw_camera *to)
{
    char before[GW_ZONES_TEXT_SIZE], after[GW_ZONES_TEXT_SIZE];
    bool changed = false;

    for (int i = 0; i < GW_SHEET_COLUMNS; i++) {
        gw_sheet_value(from, (enum gw_sheet_column)i, before);
        gw_sheet_value(to, (enum gw_sheet_column)i, after);
        if (!strcmp(before, after))
            continue;
        changed = true;
        tell(import, to->id, gw_sheet_column_name((enum gw_sheet_column)i), before, after);
    }
    if (strcmp(from->username, to->username) || strcmp(from->password, to->password)) {
        changed = true;
        tell(import, to->id, "credentials", NULL, NULL);
    }
    return changed;
}

static int import_row(struct import *import, int number)
{
    const struct gw_sheet_row *row = &import->sheet->rows[number];
    struct gw_camera camera = row->camera;
    const struct gw_camera_row *registered = find_registered(import, row);
    bool changed = true;

    if (registered) {
        memcpy(camera.id, registered->camera.id, sizeof(camera.id));
        gw_sheet_merge(import->sheet, &camera, &registered->camera);
        changed = tell_changes(import, &registered->camera, &camera);
        *(changed ? &import->counts.changed : &import->counts.unchanged) += 1;
    } else {
        tell(import, camera.id, NULL, NULL, NULL);
        import->counts.added++;
    }
    note_place(import, &camera, number);
    return import->dry_run || !changed ? 0 : gw_index_put_camera(import->index, &camera);
}

// --- all -----------------------------------------------------------------------------------------

static void handle_outlier(void *opaque, const struct gw_sheet_point *outlier, const char *what)
{
    const struct import *import = opaque;

    if (outlier->tag == NOT_OF_THE_SHEET)
        return;
    const struct gw_sheet_row *row = &import->sheet->rows[outlier->tag];
    if (row->position_line) // its position comes from the sheet
        import->watch.warn(import->watch.opaque, row->position_line, row->position_column, what);
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// Cameras that the sheet does not name are held against those that it does.
static void note_others(struct import *import)
{
    const int count = import->sheet->row_count;
    const char **ids = calloc((size_t)count + 1, sizeof(*ids));

    if (!ids)
        abort();
    for (int i = 0; i < count; i++) {
        const struct gw_camera_row *row = find_registered(import, &import->sheet->rows[i]);
        ids[i] = row ? row->camera.id : import->sheet->rows[i].camera.id;
    }
    qsort(ids, (size_t)count, sizeof(*ids), compare_strings);
    for (int i = 0; i < import->count; i++) {
        const char *id = import->registered[i].camera.id;
        if (!bsearch(&id, ids, (size_t)count, sizeof(*ids), compare_strings))
            note_place(import, &import->registered[i].camera, NOT_OF_THE_SHEET);
    }
    free(ids);
}

static int import_rows(void *opaque)
{
    struct import *import = opaque;
    int result = gw_index_cameras(import->index, &import->registered);

    if (result < 0)
        return result;
    import->count = result;
    note_devices(import);
    import->placed =
        calloc((size_t)(import->count + import->sheet->row_count) + 1, sizeof(*import->placed));
    if (!import->placed)
        abort();
    for (int i = 0; i < import->sheet->row_count; i++) {
        result = import_row(import, i);
        if (result < 0)
            return result;
    }
    if (import->watch.warn) {
        note_others(import);
        gw_sheet_find_outliers(import->placed, import->placed_count, import, handle_outlier);
    }
    return 0;
}

int gw_sheet_import(const struct gw_sheet *sheet, struct gw_index *index, bool dry_run,
                    const struct gw_sheet_watch *watch, struct gw_sheet_counts *ret)
{
    struct import import = {.sheet = sheet, .index = index, .dry_run = dry_run};

    if (watch)
        import.watch = *watch;
    const int result = gw_index_transaction(index, import_rows, &import);
    json_decref(import.devices);
    free(import.registered);
    free(import.placed);
    if (result < 0)
        return result;
    *ret = import.counts;
    return 0;
}
