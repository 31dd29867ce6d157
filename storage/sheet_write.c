// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <ctype.h>
#include <string.h>

#include "core/url.h"
#include "storage/sheet_internal.h"

// --- merging -------------------------------------------------------------------------------------

// Whether the sheet says nothing of a column. A position is one value in two columns.
static bool is_absent(const struct gw_sheet *sheet, int column)
{
    const unsigned position = 1u << GW_COLUMN_LON | 1u << GW_COLUMN_LAT;
    const unsigned column_bit = 1u << column;

    return !(sheet->columns & (column_bit & position ? position : column_bit));
}

void gw_sheet_merge(const struct gw_sheet *sheet, struct gw_camera *camera,
                    const struct gw_camera *registered)
{
    for (int i = 0; i < GW_SHEET_COLUMNS; i++)
        if (i != GW_COLUMN_ID && is_absent(sheet, i))
            gw_sheet_copy_value(camera, registered, (enum gw_sheet_column)i);
    if (!*camera->username && !*camera->password &&
        gw_url_same_host(camera->record_url, registered->record_url)) {
        memcpy(camera->username, registered->username, sizeof(camera->username));
        memcpy(camera->password, registered->password, sizeof(camera->password));
    }
}

// --- writing -------------------------------------------------------------------------------------

static void write_cell(FILE *out, const char *text, char behind)
{
    if (text[strcspn(text, ",;\t\"\r\n")] || isspace((unsigned char)*text)) {
        fputc('"', out);
        for (; *text; text++) {
            if (*text == '"')
                fputc('"', out);
            fputc(*text, out);
        }
        fputc('"', out);
    } else {
        fputs(text, out);
    }
    fputc(behind, out);
}

static char behind(int column)
{
    return column + 1 < GW_SHEET_COLUMNS ? ',' : '\n';
}

void gw_sheet_write_header(FILE *out)
{
    for (int i = 0; i < GW_SHEET_COLUMNS; i++)
        write_cell(out, gw_sheet_column_name((enum gw_sheet_column)i), behind(i));
}

void gw_sheet_write_row(FILE *out, const struct gw_camera *camera, bool with_credentials)
{
    char value[GW_ZONES_TEXT_SIZE], url[GW_URL_SIZE + 3 * (GW_USERNAME_SIZE + GW_PASSWORD_SIZE)];
    const bool secret = with_credentials && (*camera->username || *camera->password);

    for (int i = 0; i < GW_SHEET_COLUMNS; i++) {
        gw_sheet_value(camera, (enum gw_sheet_column)i, value);
        const bool is_url = i == GW_COLUMN_RECORD_URL || i == GW_COLUMN_DETECT_URL;
        if (is_url && secret && *value &&
            gw_url_join(value, camera->username, camera->password, url, sizeof(url)) == 0)
            write_cell(out, url, behind(i));
        else
            write_cell(out, value, behind(i));
    }
    explicit_bzero(url, sizeof(url));
}
