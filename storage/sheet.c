// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/sheet.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/url.h"

#define CELL_SIZE 1200

enum column {
    ID,
    NAME,
    DIVISION,
    GRID,
    RECORD_URL,
    DETECT_URL,
    RECORD,
    ENABLED,
    LON,
    LAT,
    COORDINATE_SYSTEM,
    COLUMNS
};

static const char *const column_names[COLUMNS] = {
    "id",     "name",    "division", "grid", "record_url",       "detect_url",
    "record", "enabled", "lon",      "lat",  "coordinate_system"};

#define ALL_NAMES                                                                                  \
    "id, name, division, grid, record_url, detect_url, record, enabled, lon, lat, "                \
    "coordinate_system"

struct cell {
    int line, column;
    char text[CELL_SIZE];
};

struct reader {
    const char *at, *end, *line_start;
    int line;
    struct gw_sheet *sheet;
    int order[COLUMNS], count; // which column each cell of a row is
    struct cell cells[COLUMNS];
};

__attribute__((format(printf, 4, 5))) static bool complain(struct reader *reader, int line,
                                                           int column, const char *format, ...)
{
    struct gw_sheet *sheet = reader->sheet;
    va_list arguments;
    sheet->errors =
        realloc(sheet->errors, ((size_t)sheet->error_count + 1) * sizeof(*sheet->errors));
    if (!sheet->errors)
        abort();
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

#define COMPLAIN(reader, cell, ...) complain(reader, (cell)->line, (cell)->column, __VA_ARGS__)

// --- cells ---------------------------------------------------------------------------------------

// Takes one character; a line end counts.
static char take(struct reader *reader)
{
    char c = *reader->at++;
    if (c == '\n') {
        reader->line++;
        reader->line_start = reader->at;
    }
    return c;
}

static bool at_line_end(const struct reader *reader)
{
    return reader->at == reader->end || *reader->at == '\n' ||
           (*reader->at == '\r' && (reader->at + 1 == reader->end || reader->at[1] == '\n'));
}

static void skip_line(struct reader *reader)
{
    while (reader->at < reader->end && take(reader) != '\n')
        ;
}

static bool put_character(struct reader *reader, struct cell *cell, size_t *used, char c)
{
    if (*used + 1 >= sizeof(cell->text))
        return COMPLAIN(reader, cell, "the cell is longer than %d bytes", CELL_SIZE - 1);
    if (c == 0)
        return COMPLAIN(reader, cell, "the cell holds a zero byte; save the sheet as CSV UTF-8");
    cell->text[(*used)++] = c;
    return true;
}

static bool read_quoted(struct reader *reader, struct cell *cell, size_t *used)
{
    take(reader); // the quote
    for (;;) {
        if (reader->at == reader->end)
            return COMPLAIN(reader, cell, "the quotation mark is never closed");
        char c = take(reader);
        if (c == '"' && reader->at < reader->end && *reader->at == '"')
            take(reader); // a doubled one stands for itself
        else if (c == '"')
            break;
        if (!put_character(reader, cell, used, c))
            return false;
    }
    if (!at_line_end(reader) && *reader->at != ',')
        return COMPLAIN(reader, cell, "there is text behind the closing quotation mark");
    return true;
}

static void trim(struct cell *cell)
{
    char *text = cell->text;
    size_t length = strlen(text), front = strspn(text, " \t");
    while (length > front && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    memmove(text, text + front, length - front);
    text[length - front] = 0;
}

static bool read_cell(struct reader *reader, struct cell *cell)
{
    size_t used = 0;
    cell->line = reader->line;
    cell->column = (int)(reader->at - reader->line_start) + 1;
    if (reader->at < reader->end && *reader->at == '"') {
        if (!read_quoted(reader, cell, &used))
            return false;
    } else {
        while (!at_line_end(reader) && *reader->at != ',')
            if (!put_character(reader, cell, &used, take(reader)))
                return false;
    }
    cell->text[used] = 0;
    trim(cell);
    return true;
}

// Reads a row's cells. *ret_count counts up to max. Leaves the reader at the next row in every
// case.
static bool read_row(struct reader *reader, struct cell *cells, int max, int *ret_count)
{
    int first_line = reader->line;
    *ret_count = 0;
    for (;;) {
        if (*ret_count == max) {
            complain(reader, first_line, (int)(reader->at - reader->line_start) + 1,
                     "the row has more than %d cells", max);
            break;
        }
        if (!read_cell(reader, &cells[(*ret_count)++]))
            break;
        bool more = reader->at < reader->end && *reader->at == ',';
        if (!more) {
            skip_line(reader);
            return true;
        }
        take(reader);
    }
    skip_line(reader);
    return false;
}

// --- header --------------------------------------------------------------------------------------

static int find_column(const char *name)
{
    for (int i = 0; i < COLUMNS; i++)
        if (!strcasecmp(column_names[i], name))
            return i;
    return -1;
}

static bool read_header(struct reader *reader)
{
    struct gw_sheet *sheet = reader->sheet;
    if (!read_row(reader, reader->cells, COLUMNS, &reader->count))
        return false;
    if (reader->count == 1 && !*reader->cells[0].text)
        return complain(reader, 1, 1, "the first line is empty; it names the columns");
    for (int i = 0; i < reader->count; i++) {
        struct cell *cell = &reader->cells[i];
        int column = find_column(cell->text);
        if (column < 0 && cell->text[strcspn(cell->text, ";\t")])
            return COMPLAIN(reader, cell,
                            "columns are separated by commas; save the sheet as CSV UTF-8");
        if (column < 0)
            return COMPLAIN(reader, cell, "there is no column \"%.40s\"; columns are " ALL_NAMES,
                            cell->text);
        if (sheet->columns & 1u << column)
            return COMPLAIN(reader, cell, "column %s is there twice", column_names[column]);
        sheet->columns |= 1u << column;
        reader->order[i] = column;
    }
    for (int i = 0; i < COLUMNS; i++)
        if ((i == ID || i == RECORD_URL) && !(sheet->columns & 1u << i))
            return complain(reader, 1, 1, "column %s is missing; the first line names the columns",
                            column_names[i]);
    return true;
}

// --- rows ----------------------------------------------------------------------------------------

static bool read_id(struct reader *reader, const struct cell *cell, struct gw_camera *camera)
{
    const struct gw_sheet *sheet = reader->sheet;
    if (!gw_camera_id_valid(cell->text))
        return COMPLAIN(
            reader, cell,
            "\"%.40s\" is no id; use up to %d letters, digits, dots, dashes and underscores",
            gw_camera_name_valid(cell->text) ? cell->text : "", GW_CAMERA_ID_SIZE - 1);
    for (int i = 0; i < sheet->row_count; i++)
        if (!strcmp(sheet->rows[i].camera.id, cell->text))
            return COMPLAIN(reader, cell, "id %s is in line %d already", cell->text,
                            sheet->rows[i].line);
    strcpy(camera->id, cell->text);
    return true;
}

static bool read_name(struct reader *reader, const struct cell *cell, struct gw_camera *camera)
{
    if (strlen(cell->text) >= sizeof(camera->name))
        return COMPLAIN(reader, cell, "the name is longer than %d bytes", GW_CAMERA_NAME_SIZE - 1);
    if (!gw_camera_name_valid(cell->text))
        return COMPLAIN(reader, cell,
                        "the name is not UTF-8 text of one line; save the sheet as CSV UTF-8");
    strcpy(camera->name, *cell->text ? cell->text : camera->id);
    return true;
}

static bool read_area(struct reader *reader, const struct cell *division, const struct cell *grid,
                      struct gw_camera *camera)
{
    if (!gw_division_valid(division->text))
        return COMPLAIN(reader, division,
                        "a division has 6, 9 or 12 digits, or none for the site's");
    if (!gw_grid_valid(grid->text))
        return COMPLAIN(reader, grid, "a grid cell has at most %d digits", GW_GRID_SIZE - 1);
    strcpy(camera->division, division->text);
    strcpy(camera->grid, grid->text);
    return true;
}

static bool read_url(struct reader *reader, const struct cell *cell, struct gw_camera *camera)
{
    // What is no URL is not shown: it may hold a password all the same.
    if (gw_url_split(cell->text, camera->record_url, camera->username, camera->password) < 0)
        return COMPLAIN(reader, cell,
                        "this is no camera URL; it is like rtsp://USER:PASSWORD@HOST/PATH");
    return true;
}

// A second stream of the same camera: its user and password are those of the first.
static bool read_detect_url(struct reader *reader, const struct cell *cell,
                            struct gw_camera *camera)
{
    char username[GW_USERNAME_SIZE], password[GW_PASSWORD_SIZE];
    bool good = true;

    if (!*cell->text)
        return true;
    if (gw_url_split(cell->text, camera->detect_url, username, password) < 0)
        return COMPLAIN(reader, cell,
                        "this is no camera URL; it is like rtsp://USER:PASSWORD@HOST/PATH");
    if ((*username || *password) &&
        (strcmp(username, camera->username) || strcmp(password, camera->password)))
        good = COMPLAIN(reader, cell, "user and password must be those of record_url, or none");
    explicit_bzero(password, sizeof(password));
    return good;
}

static bool read_record(struct reader *reader, const struct cell *cell, struct gw_camera *camera)
{
    int mode = *cell->text ? gw_record_mode_from_name(cell->text) : GW_RECORD_EVENTS;
    if (mode < 0)
        return COMPLAIN(reader, cell, "record is events, continuous or off");
    camera->record = (enum gw_record_mode)mode;
    return true;
}

static bool read_enabled(struct reader *reader, const struct cell *cell, struct gw_camera *camera)
{
    static const char *const words[] = {"yes", "no", "true", "false", "1", "0"};
    camera->enabled = true;
    if (!*cell->text)
        return true;
    for (int i = 0; i < 6; i++)
        if (!strcasecmp(words[i], cell->text)) {
            camera->enabled = i % 2 == 0;
            return true;
        }
    return COMPLAIN(reader, cell, "enabled is yes or no");
}

static bool read_degrees(struct reader *reader, const struct cell *cell, double limit, double *ret)
{
    char *end;
    double degrees = strtod(cell->text, &end);
    if (end == cell->text || *end || !isfinite(degrees) || fabs(degrees) > limit)
        return COMPLAIN(reader, cell, "this is no number of degrees between -%g and %g", limit,
                        limit);
    *ret = degrees;
    return true;
}

static bool check_system(struct reader *reader, const struct cell *cell)
{
    static const char *const good[] = {"WGS-84", "WGS84", "CGCS2000", "EPSG:4326"};
    if (!*cell->text)
        return COMPLAIN(reader, cell, "a position needs its coordinate_system: WGS-84 or CGCS2000");
    for (int i = 0; i < 4; i++)
        if (!strcasecmp(good[i], cell->text))
            return true;
    if (!strncasecmp(cell->text, "GCJ", 3) || !strncasecmp(cell->text, "BD", 2))
        return COMPLAIN(reader, cell,
                        "positions of this system are hundreds of metres off; convert first");
    return COMPLAIN(reader, cell, "coordinate_system is WGS-84 or CGCS2000");
}

static bool read_position(struct reader *reader, const struct cell *lon, const struct cell *lat,
                          const struct cell *system, struct gw_camera *camera)
{
    camera->lon = camera->lat = NAN;
    if (!*lon->text && !*lat->text)
        return true;
    if (!*lon->text || !*lat->text)
        return COMPLAIN(reader, *lon->text ? lat : lon, "a position needs both lon and lat");
    return read_degrees(reader, lon, 180, &camera->lon) &&
           read_degrees(reader, lat, 90, &camera->lat) && check_system(reader, system);
}

// One error per row: the first.
static bool read_camera(struct reader *reader, int line, struct gw_camera *camera)
{
    static const struct cell none;
    const struct cell *cells[COLUMNS];
    struct cell absent = none;
    absent.line = line;
    absent.column = 1;
    for (int i = 0; i < COLUMNS; i++)
        cells[i] = &absent;
    for (int i = 0; i < reader->count; i++)
        cells[reader->order[i]] = &reader->cells[i];
    return read_id(reader, cells[ID], camera) && read_name(reader, cells[NAME], camera) &&
           read_area(reader, cells[DIVISION], cells[GRID], camera) &&
           read_url(reader, cells[RECORD_URL], camera) &&
           read_detect_url(reader, cells[DETECT_URL], camera) &&
           read_record(reader, cells[RECORD], camera) &&
           read_enabled(reader, cells[ENABLED], camera) &&
           read_position(reader, cells[LON], cells[LAT], cells[COORDINATE_SYSTEM], camera);
}

static void add_row(struct gw_sheet *sheet, const struct gw_camera *camera, int line)
{
    if (sheet->row_count % 256 == 0) {
        size_t room = (size_t)sheet->row_count + 256;
        sheet->rows = realloc(sheet->rows, room * sizeof(*sheet->rows));
        if (!sheet->rows)
            abort();
    }
    sheet->rows[sheet->row_count].camera = *camera;
    sheet->rows[sheet->row_count++].line = line;
}

// Spreadsheets write rows of nothing but commas, too.
static bool is_empty_row(const struct reader *reader, int count)
{
    for (int i = 0; i < count; i++)
        if (*reader->cells[i].text)
            return false;
    return count == 1 || count == reader->count;
}

static void read_one(struct reader *reader)
{
    struct gw_camera camera = {0};
    int line = reader->line, count;
    if (!read_row(reader, reader->cells, reader->count, &count))
        return;
    if (is_empty_row(reader, count))
        return;
    if (count < reader->count)
        complain(reader, line, 1, "the row has %d cells, the header has %d", count, reader->count);
    else if (read_camera(reader, line, &camera))
        add_row(reader->sheet, &camera, line);
}

void gw_sheet_parse(struct gw_sheet *ret, const char *text, size_t size)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        abort();
    *ret = (struct gw_sheet){0};
    if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) { // what spreadsheets write before UTF-8
        text += 3;
        size -= 3;
    }
    reader->at = reader->line_start = text;
    reader->end = text + size;
    reader->line = 1;
    reader->sheet = ret;
    if (read_header(reader))
        while (reader->at < reader->end)
            read_one(reader);
    free(reader);
}

void gw_sheet_finish(struct gw_sheet *sheet)
{
    free(sheet->rows);
    free(sheet->errors);
    *sheet = (struct gw_sheet){0};
}

// --- merging -------------------------------------------------------------------------------------

// The host in a URL without credentials; ports may differ.
static size_t find_host(const char *url, const char **ret)
{
    *ret = strstr(url, "://") + 3;
    if (**ret == '[')
        return strcspn(*ret, "]/");
    return strcspn(*ret, ":/?");
}

static bool same_host(const char *a, const char *b)
{
    const char *a_host, *b_host;
    size_t a_length = find_host(a, &a_host), b_length = find_host(b, &b_host);
    return a_length == b_length && !strncasecmp(a_host, b_host, a_length);
}

void gw_sheet_merge(const struct gw_sheet *sheet, struct gw_camera *camera,
                    const struct gw_camera *registered)
{
    const struct gw_camera *old = registered;
    unsigned absent = ~sheet->columns;
    if (absent & 1u << NAME)
        memcpy(camera->name, old->name, sizeof(camera->name));
    if (absent & 1u << DIVISION)
        memcpy(camera->division, old->division, sizeof(camera->division));
    if (absent & 1u << GRID)
        memcpy(camera->grid, old->grid, sizeof(camera->grid));
    if (absent & 1u << DETECT_URL)
        memcpy(camera->detect_url, old->detect_url, sizeof(camera->detect_url));
    if (absent & 1u << RECORD)
        camera->record = old->record;
    if (absent & 1u << ENABLED)
        camera->enabled = old->enabled;
    if (absent & 1u << LON && absent & 1u << LAT) {
        camera->lon = old->lon;
        camera->lat = old->lat;
    }
    if (!*camera->username && !*camera->password &&
        same_host(camera->record_url, old->record_url)) {
        memcpy(camera->username, old->username, sizeof(camera->username));
        memcpy(camera->password, old->password, sizeof(camera->password));
    }
}

// --- writing -------------------------------------------------------------------------------------

static void write_cell(FILE *out, const char *text, char behind)
{
    if (text[strcspn(text, ",\"\r\n")] || isspace((unsigned char)*text)) {
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

void gw_sheet_write_header(FILE *out)
{
    for (int i = 0; i < COLUMNS; i++)
        fprintf(out, "%s%c", column_names[i], i + 1 < COLUMNS ? ',' : '\n');
}

static void write_url(FILE *out, const struct gw_camera *camera, const char *plain,
                      bool with_credentials)
{
    char url[GW_URL_SIZE + 3 * (GW_USERNAME_SIZE + GW_PASSWORD_SIZE)];

    snprintf(url, sizeof(url), "%s", plain);
    if (*plain && with_credentials && (*camera->username || *camera->password))
        gw_url_join(plain, camera->username, camera->password, url, sizeof(url));
    write_cell(out, url, ',');
    explicit_bzero(url, sizeof(url));
}

void gw_sheet_write_row(FILE *out, const struct gw_camera *camera, bool with_credentials)
{
    char lon[32] = "", lat[32] = "";
    bool placed = isfinite(camera->lon) && isfinite(camera->lat);
    if (placed) {
        snprintf(lon, sizeof(lon), "%.10g", camera->lon);
        snprintf(lat, sizeof(lat), "%.10g", camera->lat);
    }
    write_cell(out, camera->id, ',');
    write_cell(out, camera->name, ',');
    write_cell(out, camera->division, ',');
    write_cell(out, camera->grid, ',');
    write_url(out, camera, camera->record_url, with_credentials);
    write_url(out, camera, camera->detect_url, with_credentials);
    write_cell(out, gw_record_mode_name(camera->record), ',');
    write_cell(out, camera->enabled ? "yes" : "no", ',');
    write_cell(out, lon, ',');
    write_cell(out, lat, ',');
    write_cell(out, placed ? "WGS-84" : "", '\n');
}
