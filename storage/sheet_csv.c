// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <string.h>

#include "storage/sheet_internal.h"

// Takes one character; a line end counts.
static char take(struct gw_csv *csv)
{
    char c = *csv->at++;
    if (c == '\n') {
        csv->line++;
        csv->line_start = csv->at;
    }
    return c;
}

static int column_of(const struct gw_csv *csv)
{
    return (int)(csv->at - csv->line_start) + 1;
}

static bool at_line_end(const struct gw_csv *csv)
{
    return csv->at == csv->end || *csv->at == '\n' ||
           (*csv->at == '\r' && (csv->at + 1 == csv->end || csv->at[1] == '\n'));
}

static void skip_line(struct gw_csv *csv)
{
    while (csv->at < csv->end && take(csv) != '\n')
        ;
}

void gw_csv_find_separator(struct gw_csv *csv)
{
    static const char separators[] = ",;\t";
    const char *end = memchr(csv->at, '\n', (size_t)(csv->end - csv->at));
    const size_t length = (size_t)((end ? end : csv->end) - csv->at);

    csv->separator = ',';
    for (const char *separator = separators; *separator; separator++)
        if (memchr(csv->at, *separator, length)) {
            csv->separator = *separator;
            return;
        }
}

static bool put_character(struct gw_csv *csv, struct gw_csv_cell *cell, size_t *used, char c)
{
    if (*used + 1 >= sizeof(cell->text))
        return GW_COMPLAIN(csv, cell, "the cell is longer than %d bytes", GW_CELL_SIZE - 1);
    if (c == 0)
        return GW_COMPLAIN(csv, cell, "the cell holds a zero byte; save the sheet as CSV UTF-8");
    cell->text[(*used)++] = c;
    return true;
}

static bool read_quoted(struct gw_csv *csv, struct gw_csv_cell *cell, size_t *used)
{
    take(csv); // the quote
    for (;;) {
        if (csv->at == csv->end)
            return GW_COMPLAIN(csv, cell, "the quotation mark is never closed");
        char c = take(csv);
        if (c == '"' && csv->at < csv->end && *csv->at == '"')
            take(csv); // a doubled one stands for itself
        else if (c == '"')
            break;
        if (!put_character(csv, cell, used, c))
            return false;
    }
    if (!at_line_end(csv) && *csv->at != csv->separator)
        return GW_COMPLAIN(csv, cell, "there is text behind the closing quotation mark");
    return true;
}

static bool convert(struct gw_csv *csv, struct gw_csv_cell *cell)
{
    char raw[GW_CELL_SIZE], *in = raw, *out = cell->text;
    size_t left = strlen(cell->text), room = sizeof(cell->text) - 1;

    if (csv->convert == (iconv_t)-1)
        return true;
    memcpy(raw, cell->text, left);
    iconv(csv->convert, NULL, NULL, NULL, NULL);
    if (iconv(csv->convert, &in, &left, &out, &room) == (size_t)-1)
        return GW_COMPLAIN(csv, cell,
                           "the cell is longer than %d bytes, or breaks off in a character",
                           GW_CELL_SIZE - 1);
    *out = 0;
    return true;
}

// Spaces, also those as wide as a Chinese character.
static size_t space_length(const char *text)
{
    if (*text == ' ' || *text == '\t')
        return 1;
    return strncmp(text, "\xe3\x80\x80", 3) ? 0 : 3;
}

static void trim(struct gw_csv_cell *cell)
{
    char *from = cell->text, *to;
    size_t length;

    while ((length = space_length(from)))
        from += length;
    to = from + strlen(from);
    for (;;) {
        if (to > from && space_length(to - 1) == 1)
            to--;
        else if (to - from >= 3 && space_length(to - 3) == 3)
            to -= 3;
        else
            break;
    }
    memmove(cell->text, from, (size_t)(to - from));
    cell->text[to - from] = 0;
}

static bool read_cell(struct gw_csv *csv, struct gw_csv_cell *cell)
{
    size_t used = 0;
    cell->line = csv->line;
    cell->column = column_of(csv);
    cell->text[0] = 0;
    if (csv->at < csv->end && *csv->at == '"') {
        if (!read_quoted(csv, cell, &used))
            return false;
    } else {
        while (!at_line_end(csv) && *csv->at != csv->separator)
            if (!put_character(csv, cell, &used, take(csv)))
                return false;
    }
    cell->text[used] = 0;
    if (!convert(csv, cell))
        return false;
    trim(cell);
    return true;
}

bool gw_csv_read_row(struct gw_csv *csv, struct gw_csv_cell *cells, int max, int *ret_count)
{
    *ret_count = 0;
    for (;;) {
        if (*ret_count == max) {
            gw_sheet_complain(csv->sheet, csv->line, column_of(csv),
                              "the row has more than %d cells", max);
            break;
        }
        if (!read_cell(csv, &cells[(*ret_count)++]))
            break;
        bool more = csv->at < csv->end && *csv->at == csv->separator;
        if (!more) {
            skip_line(csv);
            return true;
        }
        take(csv);
    }
    skip_line(csv);
    return false;
}
