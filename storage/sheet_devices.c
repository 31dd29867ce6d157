// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Device ids of a sheet against those of the registry.

#include <stdlib.h>
#include <string.h>

#include "storage/sheet_import.h"
#include "storage/sheet_internal.h"

struct check {
    struct gw_sheet *sheet;
    json_t *owners; // which camera each registered device id is of
    json_t *named;  // the cameras of the sheet's rows
};

static const char *owner_of(const struct check *check, const char *device_id)
{
    return json_string_value(json_object_get(check->owners, device_id));
}

// A row without an id of its own is of the camera that is registered with its device id.
static const char *camera_of(const struct check *check, const struct gw_sheet_row *row)
{
    const char *owner = row->id_is_device ? owner_of(check, row->camera.id) : NULL;
    return owner ? owner : row->camera.id;
}

static void note_names(struct check *check)
{
    json_object_clear(check->named);
    for (int i = 0; i < check->sheet->row_count; i++)
        json_object_set_new(check->named, camera_of(check, &check->sheet->rows[i]), json_true());
}

// A camera that the sheet names gives its device id away: no two of its rows have the same.
static bool is_taken(const struct check *check, const struct gw_sheet_row *row)
{
    const char *owner = owner_of(check, row->camera.registration.device_id);

    return owner && strcmp(owner, camera_of(check, row)) != 0 &&
           !json_object_get(check->named, owner);
}

// Moves rows whose device id is another camera's to the errors. Returns whether there were any.
static bool drop_taken(struct check *check)
{
    struct gw_sheet *sheet = check->sheet;
    int kept = 0;

    for (int i = 0; i < sheet->row_count; i++) {
        const struct gw_sheet_row *row = &sheet->rows[i];
        const char *device_id = row->camera.registration.device_id;
        if (!is_taken(check, row)) {
            sheet->rows[kept++] = *row;
            continue;
        }
        gw_sheet_complain(sheet, row->device_line, row->device_column,
                          "device id %s is camera %s's; give that one another, or none, first",
                          device_id, owner_of(check, device_id));
        sheet->wrong_rows++;
    }
    const bool any = kept < sheet->row_count;
    for (int i = kept; i < sheet->row_count; i++) // they held passwords
        explicit_bzero(&sheet->rows[i], sizeof(sheet->rows[i]));
    sheet->row_count = kept;
    return any;
}

static int by_place(const void *a, const void *b)
{
    const struct gw_sheet_error *left = a, *right = b;
    return left->line != right->line ? left->line - right->line : left->column - right->column;
}

static void note_owners(struct check *check, const struct gw_camera_row *rows, int count)
{
    for (int i = 0; i < count; i++) {
        const struct gw_camera *camera = &rows[i].camera;
        if (*camera->registration.device_id)
            json_object_set_new(check->owners, camera->registration.device_id,
                                json_string(camera->id));
    }
}

int gw_sheet_check_devices(struct gw_sheet *sheet, struct gw_index *index)
{
    struct check check = {.sheet = sheet, .owners = json_object(), .named = json_object()};
    struct gw_camera_row *rows = NULL;
    const int count = gw_index_cameras(index, &rows);
    bool dropped = count >= 0, any = false;

    if (count >= 0)
        note_owners(&check, rows, count);
    while (dropped) { // a row that is dropped no longer gives its own device id away
        note_names(&check);
        dropped = drop_taken(&check);
        any = any || dropped;
    }
    if (any)
        qsort(sheet->errors, (size_t)sheet->error_count, sizeof(*sheet->errors), by_place);
    json_decref(check.owners);
    json_decref(check.named);
    free(rows);
    return count < 0 ? count : 0;
}
