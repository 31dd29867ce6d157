// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: camera sheets (storage/sheet.h), in UTF-8 and, when they are not valid in that, in
// GB18030.

#include <assert.h>
#include <stdio.h>

#include "storage/sheet.h"
#include "tests/fuzz/pieces.h"
#include "tests/fuzz/target.h"

// What is written of good rows is read again as the same.
static void check_rows(const struct gw_sheet *sheet)
{
    struct gw_sheet again;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        abort();
    gw_sheet_write_header(out);
    for (int i = 0; i < sheet->row_count; i++)
        gw_sheet_write_row(out, &sheet->rows[i].camera, true);
    fclose(out);
    gw_sheet_parse(&again, text, size, NULL);
    assert(again.error_count == 0 && again.row_count == sheet->row_count);
    for (int i = 0; i < again.row_count; i++) {
        const struct gw_camera *a = &sheet->rows[i].camera, *b = &again.rows[i].camera;
        assert(!strcmp(a->id, b->id) && !strcmp(a->name, b->name) &&
               !strcmp(a->record_url, b->record_url) && !strcmp(a->password, b->password) &&
               !strcmp(a->zones, b->zones) && a->retention_days == b->retention_days &&
               !strcmp(a->registration.device_id, b->registration.device_id) &&
               a->registration.site_class == b->registration.site_class);
    }
    gw_sheet_finish(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_sheet sheet;

    gw_sheet_parse(&sheet, (const char *)data, size, NULL);
    for (int i = 0; i < sheet.error_count; i++)
        assert(sheet.errors[i].line > 0 && sheet.errors[i].column > 0 && *sheet.errors[i].what &&
               !strchr(sheet.errors[i].what, '\n'));
    assert(sheet.wrong_rows <= sheet.error_count);
    check_rows(&sheet);
    gw_sheet_finish(&sheet);
    return 0;
}
