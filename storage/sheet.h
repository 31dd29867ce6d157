// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The camera sheet: the CSV file (RFC 4180; UTF-8 or GB18030) in which the registry goes out and
// comes in. Its columns are described in docs/ref/cameras-sheet.md. Pure: text in, cameras out, and
// the reverse.
//
//   file -> sheet_encoding -> sheet_csv -> sheet_columns, sheet_values -> [sheet] -> sheet_import.h
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/camera.h"

#define GW_SHEET_WHAT_SIZE 200

struct gw_sheet_row {
    struct gw_camera camera;
    int line;                           // where it begins, from 1
    int position_line, position_column; // of the cell with its longitude; 0 without one
    int device_line, device_column;     // of the cell with its device id
    bool id_is_device;                  // the row gives no id, so the device id serves as one
};

struct gw_sheet_error {
    int line, column;              // of the cell's first byte in the file, from 1
    char what[GW_SHEET_WHAT_SIZE]; // what is wrong and what to do; never a password
};

struct gw_sheet {
    unsigned columns;          // one bit per column that the header names, for gw_sheet_merge
    struct gw_sheet_row *rows; // the good ones, in order
    int row_count;
    struct gw_sheet_error *errors; // every wrong cell, in order of the rows
    int error_count;
    int wrong_rows;
};

// What the sheet alone cannot know.
struct gw_sheet_rules {
    const char *division; // the site's, for device ids of cameras without one of their own; or ""
    // Checks zones, which this folder cannot read. Returns 0, or -1 with what is wrong in error.
    int (*check_zones)(const char *text, char error[GW_SHEET_WHAT_SIZE]);
};

// Reads a sheet. A header that cannot be used leaves no rows and an error for each of its mistakes.
// rules may be NULL: then zones only have to be a JSON object.
void gw_sheet_parse(struct gw_sheet *ret, const char *text, size_t size,
                    const struct gw_sheet_rules *rules);
void gw_sheet_finish(struct gw_sheet *sheet);

// What a row makes of a camera that is registered already: columns that the sheet does not have
// stay as they are, and so do user name and password when the URL brings none and names the same
// host.
void gw_sheet_merge(const struct gw_sheet *sheet, struct gw_camera *camera,
                    const struct gw_camera *registered);

// Writes what gw_sheet_parse reads. Without credentials, URLs are written bare.
void gw_sheet_write_header(FILE *out);
void gw_sheet_write_row(FILE *out, const struct gw_camera *camera, bool with_credentials);
