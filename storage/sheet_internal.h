// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the sheet_*.c files share. Private to storage/.
//
//   sheet.c           the header, the rows, the errors
//   sheet_encoding.c  UTF-8 or GB18030
//   sheet_csv.c       bytes to cells
//   sheet_columns.c   the columns: their names, and a camera's value in each as text
//   sheet_values.c    cells to a camera
//   sheet_words.c     the words that cells may hold instead of numbers and English
//   sheet_write.c     cameras to text
//   sheet_import.c    into the registry
//   sheet_outliers.c  positions that do not fit their division
#pragma once

#include <iconv.h>
#include <jansson.h>

#include "storage/sheet.h"

// --- errors --------------------------------------------------------------------------------------

// Adds an error; control characters of a cell in it become question marks. Returns false.
__attribute__((format(printf, 4, 5))) bool gw_sheet_complain(struct gw_sheet *sheet, int line,
                                                             int column, const char *format, ...);

#define GW_COMPLAIN(reader, cell, ...)                                                             \
    gw_sheet_complain((reader)->sheet, (cell)->line, (cell)->column, __VA_ARGS__)

// --- encoding ------------------------------------------------------------------------------------

enum gw_sheet_encoding { GW_SHEET_UTF8, GW_SHEET_GB18030 };

// Which encoding a sheet is in: UTF-8 when all of it is valid UTF-8, else GB18030 when all of it is
// valid in that and it is no UTF-8 with a few broken bytes. Returns -1 when it is neither:
// *ret_wrong is then the offset of the first byte that is wrong in the one it fits longer, and
// *ret_what says what is wrong.
int gw_sheet_detect(const char *text, size_t size, size_t *ret_wrong, const char **ret_what);

// --- cells ---------------------------------------------------------------------------------------

// Of a cell's text in UTF-8; zones may be laid out over many lines.
#define GW_CELL_SIZE 8192

struct gw_csv_cell {
    int line, column;
    char text[GW_CELL_SIZE];
};

// Bytes of the file; only a cell's text is converted. That is possible because GB18030 never has a
// quotation mark, separator or line end as a later byte of a character.
struct gw_csv {
    const char *at, *end, *line_start;
    int line;
    char separator;
    iconv_t convert; // to UTF-8; (iconv_t)-1 when the file is that
    struct gw_sheet *sheet;
};

// Finds the separator in the first line: comma, else semicolon, else tab.
void gw_csv_find_separator(struct gw_csv *csv);
// Reads a row's cells. *ret_count counts up to max. Leaves csv at the next row in every case.
// Returns false after a complaint.
bool gw_csv_read_row(struct gw_csv *csv, struct gw_csv_cell *cells, int max, int *ret_count);

// --- columns -------------------------------------------------------------------------------------

enum gw_sheet_column {
    GW_COLUMN_ID,
    GW_COLUMN_NAME,
    GW_COLUMN_DIVISION,
    GW_COLUMN_GRID,
    GW_COLUMN_RECORD_URL,
    GW_COLUMN_DETECT_URL,
    GW_COLUMN_RECORD,
    GW_COLUMN_ENABLED,
    GW_COLUMN_LON,
    GW_COLUMN_LAT,
    GW_COLUMN_SYSTEM,
    GW_COLUMN_HEADING,
    GW_COLUMN_FOV,
    GW_COLUMN_RANGE,
    GW_COLUMN_HEIGHT,
    GW_COLUMN_DEVICE_ID,
    GW_COLUMN_SITE_CLASS,
    GW_COLUMN_OWNER_UNIT,
    GW_COLUMN_MAINTENANCE_UNIT,
    GW_COLUMN_ZONES,
    GW_COLUMN_RETENTION_DAYS,
    GW_SHEET_COLUMNS
};

const char *gw_sheet_column_name(enum gw_sheet_column column);
// By its name or one of the Chinese names that counties use; -1 when there is none.
int gw_sheet_find_column(const char *name);
// A camera's value in a column as a sheet holds it, URLs without credentials.
void gw_sheet_value(const struct gw_camera *camera, enum gw_sheet_column column,
                    char ret[GW_ZONES_TEXT_SIZE]);
void gw_sheet_copy_value(struct gw_camera *to, const struct gw_camera *from,
                         enum gw_sheet_column column);

// --- words: -1 when it is none -------------------------------------------------------------------

int gw_sheet_record_word(const char *text);     // enum gw_record_mode
int gw_sheet_yes_word(const char *text);        // 1, 0
int gw_sheet_site_class_word(const char *text); // enum gw_site_class
int gw_sheet_heading_word(const char *text);    // degrees

// --- values --------------------------------------------------------------------------------------

struct gw_sheet_reader {
    struct gw_csv csv;
    struct gw_sheet *sheet;
    const struct gw_sheet_rules *rules;
    int order[GW_SHEET_COLUMNS], count; // which column each cell of a row is
    struct gw_csv_cell cells[GW_SHEET_COLUMNS];
    struct gw_csv_cell absent;
    json_t *ids, *device_ids; // the line of each that was read
};

// The row that was just read, which begins in that line. Complains of every wrong cell; returns
// whether there was none.
bool gw_sheet_read_camera(struct gw_sheet_reader *reader, int line, struct gw_sheet_row *ret);
