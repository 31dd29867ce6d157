// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/sheet.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "storage/sheet_internal.h"

bool gw_sheet_complain(struct gw_sheet *sheet, int line, int column, const char *format, ...)
{
    va_list arguments;

    if (sheet->error_count % 64 == 0) {
        const size_t room = (size_t)sheet->error_count + 64;
        sheet->errors = realloc(sheet->errors, room * sizeof(*sheet->errors));
        if (!sheet->errors)
            abort();
    }
    struct gw_sheet_error *error = &sheet->errors[sheet->error_count++];
    error->line = line;
    error->column = column;
    va_start(arguments, format);
    vsnprintf(error->what, sizeof(error->what), format, arguments);
    va_end(arguments);
    for (char *c = error->what; *c; c++)
        if (iscntrl((unsigned char)*c)) // of a cell: an error is one line
            *c = '?';
    return false;
}

// --- header --------------------------------------------------------------------------------------

static void read_heading(struct gw_sheet_reader *reader, int i)
{
    const struct gw_csv_cell *cell = &reader->cells[i];
    const int column = gw_sheet_find_column(cell->text);

    if (column < 0 && strchr(cell->text, '@')) // a row, perhaps with a password
        GW_COMPLAIN(reader, cell, "this is no column; the first line names the columns");
    else if (column < 0)
        GW_COMPLAIN(reader, cell,
                    "there is no column \"%.60s\"; docs/ref/cameras-sheet.md names them",
                    cell->text);
    else if (reader->sheet->columns & 1u << column)
        GW_COMPLAIN(reader, cell, "column %s is there twice",
                    gw_sheet_column_name((enum gw_sheet_column)column));
    else
        reader->sheet->columns |= 1u << column;
    reader->order[i] = column;
}

static bool has_column(const struct gw_sheet *sheet, enum gw_sheet_column column)
{
    return sheet->columns & 1u << column;
}

// A header with a mistake makes no rows: what is in which column would be a guess.
static bool read_header(struct gw_sheet_reader *reader)
{
    struct gw_sheet *sheet = reader->sheet;

    gw_csv_find_separator(&reader->csv);
    if (!gw_csv_read_row(&reader->csv, reader->cells, GW_SHEET_COLUMNS, &reader->count))
        return false;
    if (reader->count == 1 && !*reader->cells[0].text)
        return gw_sheet_complain(sheet, 1, 1, "the first line is empty; it names the columns");
    for (int i = 0; i < reader->count; i++)
        read_heading(reader, i);
    if (!sheet->error_count && !has_column(sheet, GW_COLUMN_ID) &&
        !has_column(sheet, GW_COLUMN_DEVICE_ID))
        gw_sheet_complain(sheet, 1, 1,
                          "column id or device_id is missing; the first line names the columns");
    if (!sheet->error_count && !has_column(sheet, GW_COLUMN_RECORD_URL))
        gw_sheet_complain(sheet, 1, 1,
                          "column record_url is missing; the first line names the columns");
    return !sheet->error_count;
}

// --- rows ----------------------------------------------------------------------------------------

// Grows by halves: a county's sheet has thousands of rows of some kilobytes.
static void add_row(struct gw_sheet *sheet, const struct gw_sheet_row *row)
{
    const unsigned count = (unsigned)sheet->row_count;

    if (count == 0 || (count >= 64 && (count & (count - 1)) == 0)) { // a power of two: full
        const size_t room = count ? 2 * (size_t)count : 64;
        sheet->rows = realloc(sheet->rows, room * sizeof(*sheet->rows));
        if (!sheet->rows)
            abort();
    }
    sheet->rows[sheet->row_count++] = *row;
}

// Spreadsheets write rows of nothing but separators, too.
static bool is_empty_row(const struct gw_sheet_reader *reader, int count)
{
    for (int i = 0; i < count; i++)
        if (*reader->cells[i].text)
            return false;
    return count == 1 || count == reader->count;
}

static bool read_row(struct gw_sheet_reader *reader, struct gw_sheet_row *row)
{
    const int line = reader->csv.line;
    int count;

    if (!gw_csv_read_row(&reader->csv, reader->cells, reader->count, &count))
        return false;
    if (is_empty_row(reader, count))
        return true;
    if (count < reader->count)
        return gw_sheet_complain(reader->sheet, line, 1, "the row has %d cells, the header has %d",
                                 count, reader->count);
    if (!gw_sheet_read_camera(reader, line, row))
        return false;
    add_row(reader->sheet, row);
    return true;
}

static void read_all(struct gw_sheet_reader *reader)
{
    struct gw_sheet_row row;

    reader->ids = json_object();
    reader->device_ids = json_object();
    if (read_header(reader))
        while (reader->csv.at < reader->csv.end)
            reader->sheet->wrong_rows += !read_row(reader, &row);
    else
        reader->sheet->wrong_rows = 1;
    explicit_bzero(&row, sizeof(row));
    json_decref(reader->ids);
    json_decref(reader->device_ids);
}

// --- the whole -----------------------------------------------------------------------------------

// What spreadsheets write before their text.
static size_t mark_length(const char *text, size_t size, int encoding)
{
    if (encoding == GW_SHEET_UTF8)
        return size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
    return size >= 4 && !memcmp(text, "\x84\x31\x95\x33", 4) ? 4 : 0;
}

// Where a byte is.
static void complain_at(struct gw_sheet *sheet, const char *text, size_t offset, const char *what)
{
    int line = 1;
    size_t start = 0;

    for (size_t i = 0; i < offset; i++)
        if (text[i] == '\n') {
            line++;
            start = i + 1;
        }
    gw_sheet_complain(sheet, line, (int)(offset - start) + 1, "%s", what);
    sheet->wrong_rows = 1;
}

void gw_sheet_parse(struct gw_sheet *ret, const char *text, size_t size,
                    const struct gw_sheet_rules *rules)
{
    static const struct gw_sheet_rules none = {.division = ""};
    const char *what;
    size_t wrong;
    const int encoding = gw_sheet_detect(text, size, &wrong, &what);

    *ret = (struct gw_sheet){0};
    if (encoding < 0) {
        complain_at(ret, text, wrong, what);
        return;
    }
    struct gw_sheet_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        abort();
    reader->sheet = reader->csv.sheet = ret;
    reader->rules = rules ? rules : &none;
    reader->csv.at = reader->csv.line_start = text + mark_length(text, size, encoding);
    reader->csv.end = text + size;
    reader->csv.line = 1;
    reader->csv.convert = encoding == GW_SHEET_UTF8 ? (iconv_t)-1 : iconv_open("UTF-8", "GB18030");
    read_all(reader);
    if (encoding != GW_SHEET_UTF8)
        iconv_close(reader->csv.convert);
    explicit_bzero(reader, sizeof(*reader)); // a cell was a URL with its password
    free(reader);
}

void gw_sheet_finish(struct gw_sheet *sheet)
{
    if (sheet->rows)
        explicit_bzero(sheet->rows, (size_t)sheet->row_count * sizeof(*sheet->rows));
    free(sheet->rows);
    free(sheet->errors);
    *sheet = (struct gw_sheet){0};
}
