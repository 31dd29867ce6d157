// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The camera sheet: the CSV file (RFC 4180, UTF-8) in which the registry goes out and comes in.
// Its columns are described in docs/ref/cameras-sheet.md. Pure: text in, cameras out, and the
// reverse.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/camera.h"

#define GW_SHEET_WHAT_SIZE 200

struct gw_sheet_row {
    struct gw_camera camera;
    int line; // where it begins, from 1
};

struct gw_sheet_error {
    int line, column;              // of the cell's first byte, from 1
    char what[GW_SHEET_WHAT_SIZE]; // what is wrong and what to do; never a password
};

struct gw_sheet {
    unsigned columns;          // one bit per column that the header names, for gw_sheet_merge
    struct gw_sheet_row *rows; // the good ones, in order
    int row_count;
    struct gw_sheet_error *errors; // one per bad row
    int error_count;
};

// Reads a sheet. A header that cannot be used leaves no rows and one error.
void gw_sheet_parse(struct gw_sheet *ret, const char *text, size_t size);
void gw_sheet_finish(struct gw_sheet *sheet);

// What a row makes of a camera that is registered already: columns that the sheet does not have
// stay as they are, and so do user name and password when the URL brings none and names the same
// host.
void gw_sheet_merge(const struct gw_sheet *sheet, struct gw_camera *camera,
                    const struct gw_camera *registered);

// Writes what gw_sheet_parse reads. Without credentials, URLs are written bare.
void gw_sheet_write_header(FILE *out);
void gw_sheet_write_row(FILE *out, const struct gw_camera *camera, bool with_credentials);
