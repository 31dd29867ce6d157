// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/coordinates.h"
#include "core/url.h"
#include "storage/sheet_internal.h"

// A row's cells by column.
typedef const struct gw_csv_cell *const cells_by_column[GW_SHEET_COLUMNS];

// --- ids and texts -------------------------------------------------------------------------------

// Notes the line of an id; complains when it was noted before.
static bool note_once(struct gw_sheet_reader *reader, json_t *lines, const char *id,
                      const struct gw_csv_cell *cell, const char *noun)
{
    const json_t *before = json_object_get(lines, id);

    if (before)
        return GW_COMPLAIN(reader, cell, "%s %s is in line %d already", noun, id,
                           (int)json_integer_value(before));
    json_object_set_new(lines, id, json_integer(cell->line));
    return true;
}

// Without an id of its own, a camera has that of its device.
static bool read_id(struct gw_sheet_reader *reader, cells_by_column cells, struct gw_sheet_row *row)
{
    const struct gw_csv_cell *cell = cells[GW_COLUMN_ID];

    row->id_is_device = !*cell->text && *cells[GW_COLUMN_DEVICE_ID]->text;
    if (row->id_is_device)
        cell = cells[GW_COLUMN_DEVICE_ID];
    // What has come from a URL's column is not shown.
    const char *shown =
        gw_camera_name_valid(cell->text) && !strchr(cell->text, '@') ? cell->text : "";
    if (!gw_camera_id_valid(cell->text))
        return GW_COMPLAIN(
            reader, cell,
            "\"%.40s\" is no id; use up to %d letters, digits, dots, dashes and underscores", shown,
            GW_CAMERA_ID_SIZE - 1);
    strcpy(row->camera.id, cell->text);
    return note_once(reader, reader->ids, cell->text, cell, "id");
}

static bool read_line(struct gw_sheet_reader *reader, const struct gw_csv_cell *cell,
                      const char *noun, char ret[GW_CAMERA_NAME_SIZE])
{
    if (strlen(cell->text) >= GW_CAMERA_NAME_SIZE)
        return GW_COMPLAIN(reader, cell, "the %s is longer than %d bytes", noun,
                           GW_CAMERA_NAME_SIZE - 1);
    if (!gw_camera_name_valid(cell->text))
        return GW_COMPLAIN(reader, cell, "the %s is not text of one line", noun);
    strcpy(ret, cell->text);
    return true;
}

static bool read_name(struct gw_sheet_reader *reader, cells_by_column cells,
                      struct gw_camera *camera)
{
    const struct gw_csv_cell *cell = cells[GW_COLUMN_NAME];

    if (*cell->text)
        return read_line(reader, cell, "name", camera->name);
    strcpy(camera->name, camera->id);
    return true;
}

static_assert(GW_UNIT_SIZE == GW_CAMERA_NAME_SIZE, "read_line reads both");

static bool read_units(struct gw_sheet_reader *reader, cells_by_column cells,
                       struct gw_registration *registration)
{
    const bool owner =
        read_line(reader, cells[GW_COLUMN_OWNER_UNIT], "owner unit", registration->owner_unit);
    return read_line(reader, cells[GW_COLUMN_MAINTENANCE_UNIT], "maintenance unit",
                     registration->maintenance_unit) &&
           owner;
}

// --- codes ---------------------------------------------------------------------------------------

// Spreadsheets make numbers of long codes, and digits get lost.
static bool is_ruined(const char *text)
{
    const size_t digits = strspn(text, "0123456789.");
    return digits && toupper((unsigned char)text[digits]) == 'E' && text[digits + 1];
}

static bool check_code(struct gw_sheet_reader *reader, const struct gw_csv_cell *cell)
{
    if (is_ruined(cell->text))
        return GW_COMPLAIN(reader, cell,
                           "a spreadsheet made a number of this code and lost digits; "
                           "make its column text there and enter it again");
    return true;
}

static bool read_area(struct gw_sheet_reader *reader, cells_by_column cells,
                      struct gw_camera *camera)
{
    const struct gw_csv_cell *division = cells[GW_COLUMN_DIVISION], *grid = cells[GW_COLUMN_GRID];
    bool good = true;

    if (!gw_division_valid(division->text))
        good = check_code(reader, division) &&
               GW_COMPLAIN(reader, division,
                           "a division has 6, 9 or 12 digits, or none for the site's");
    else
        strcpy(camera->division, division->text);
    if (!gw_grid_valid(grid->text))
        return check_code(reader, grid) &&
               GW_COMPLAIN(reader, grid, "a grid cell has at most %d digits", GW_GRID_SIZE - 1);
    strcpy(camera->grid, grid->text);
    return good;
}

static bool read_device_id(struct gw_sheet_reader *reader, cells_by_column cells,
                           struct gw_sheet_row *row)
{
    const struct gw_csv_cell *cell = cells[GW_COLUMN_DEVICE_ID];
    struct gw_camera *camera = &row->camera;
    const char *division = *camera->division ? camera->division : reader->rules->division;

    if (!*cell->text)
        return true;
    if (!check_code(reader, cell))
        return false;
    const char *fault = gw_device_id_fault(cell->text, division);
    if (fault)
        return GW_COMPLAIN(reader, cell, "%s", fault);
    strcpy(camera->registration.device_id, cell->text);
    row->device_line = cell->line;
    row->device_column = cell->column;
    return note_once(reader, reader->device_ids, cell->text, cell, "device id");
}

// --- streams -------------------------------------------------------------------------------------

static bool read_url(struct gw_sheet_reader *reader, const struct gw_csv_cell *cell,
                     struct gw_camera *camera)
{
    // What is no URL is not shown: it may hold a password all the same.
    if (gw_url_split(cell->text, camera->record_url, camera->username, camera->password) < 0)
        return GW_COMPLAIN(reader, cell,
                           "this is no camera URL; it is like rtsp://USER:PASSWORD@HOST/PATH");
    return true;
}

// A second stream of the same camera: its user and password are those of the first.
static bool read_detect_url(struct gw_sheet_reader *reader, const struct gw_csv_cell *cell,
                            struct gw_camera *camera)
{
    char username[GW_USERNAME_SIZE], password[GW_PASSWORD_SIZE];
    bool good = true;

    if (!*cell->text)
        return true;
    if (gw_url_split(cell->text, camera->detect_url, username, password) < 0)
        return GW_COMPLAIN(reader, cell,
                           "this is no camera URL; it is like rtsp://USER:PASSWORD@HOST/PATH");
    if ((*username || *password) && *camera->record_url &&
        (strcmp(username, camera->username) || strcmp(password, camera->password)))
        good = GW_COMPLAIN(reader, cell, "user and password must be those of record_url, or none");
    explicit_bzero(password, sizeof(password));
    return good;
}

// --- words ---------------------------------------------------------------------------------------

static bool read_words(struct gw_sheet_reader *reader, cells_by_column cells,
                       struct gw_camera *camera)
{
    const struct gw_csv_cell *record = cells[GW_COLUMN_RECORD], *enabled = cells[GW_COLUMN_ENABLED];
    const struct gw_csv_cell *site_class = cells[GW_COLUMN_SITE_CLASS];
    const int mode = *record->text ? gw_sheet_record_word(record->text) : GW_RECORD_EVENTS;
    const int yes = *enabled->text ? gw_sheet_yes_word(enabled->text) : 1;
    const int class =
        *site_class->text ? gw_sheet_site_class_word(site_class->text) : GW_SITE_CLASS_NONE;
    bool good = true;

    if (mode < 0)
        good = GW_COMPLAIN(reader, record, "record is events, continuous or off");
    if (yes < 0)
        good = GW_COMPLAIN(reader, enabled, "enabled is yes or no");
    if (class < 0)
        good =
            GW_COMPLAIN(reader, site_class, "site_class is class-1, class-2 or class-3, or none");
    if (!good)
        return false;
    camera->record = (enum gw_record_mode)mode;
    camera->enabled = yes;
    camera->registration.site_class = (enum gw_site_class) class;
    return true;
}

// --- numbers -------------------------------------------------------------------------------------

// A plain decimal number, perhaps with its unit behind it.
static bool parse_number(const char *text, const char *const units[3], double *ret)
{
    char *end;
    const double number = strtod(text, &end);

    if (end == text || strspn(text, "+-.0123456789eE") < (size_t)(end - text) || !isfinite(number))
        return false;
    while (*end == ' ')
        end++;
    for (int i = 0; *end && i < 3 && units[i]; i++)
        if (!strcmp(end, units[i]))
            end += strlen(end);
    if (*end)
        return false;
    *ret = number;
    return true;
}

static const char *const degrees[3] = {"°", "度"}, *const metres[3] = {"m", "米"},
                         *const days[3] = {"d", "天", "日"};

// Empty: 0, which is "not known".
static bool read_number(struct gw_sheet_reader *reader, const struct gw_csv_cell *cell,
                        const char *const units[3], double most, double *ret)
{
    double number = 0;

    if (*cell->text && (!parse_number(cell->text, units, &number) || number < 0 || number > most))
        return GW_COMPLAIN(reader, cell, "this is no number of %s between 0 and %g",
                           units == degrees  ? "degrees"
                           : units == metres ? "metres"
                                             : "days",
                           most);
    *ret = number;
    return true;
}

static bool read_view(struct gw_sheet_reader *reader, cells_by_column cells, struct gw_view *view)
{
    const struct gw_csv_cell *heading = cells[GW_COLUMN_HEADING];
    const int word = gw_sheet_heading_word(heading->text);
    bool good = true;

    if (word >= 0)
        view->heading_deg = word;
    else
        good = read_number(reader, heading, degrees, 360, &view->heading_deg);
    if (view->heading_deg == 360)
        view->heading_deg = 0;
    good &= read_number(reader, cells[GW_COLUMN_FOV], degrees, 360, &view->fov_deg);
    good &= read_number(reader, cells[GW_COLUMN_RANGE], metres, 100000, &view->range_m);
    good &= read_number(reader, cells[GW_COLUMN_HEIGHT], metres, 1000, &view->height_m);
    return good;
}

static bool read_retention(struct gw_sheet_reader *reader, const struct gw_csv_cell *cell,
                           struct gw_camera *camera)
{
    double number = 0;

    if (!read_number(reader, cell, days, GW_RETENTION_DAYS, &number))
        return false;
    if (number != floor(number))
        return GW_COMPLAIN(reader, cell, "this is no whole number of days");
    camera->retention_days = (int)number;
    return true;
}

// --- position ------------------------------------------------------------------------------------

static bool read_degrees(struct gw_sheet_reader *reader, const struct gw_csv_cell *cell,
                         double limit, double *ret)
{
    double number;

    if (!parse_number(cell->text, degrees, &number) || fabs(number) > 180)
        return GW_COMPLAIN(reader, cell, "this is no number of degrees between -%g and %g", limit,
                           limit);
    if (fabs(number) > limit)
        return GW_COMPLAIN(reader, cell,
                           "a latitude is between -%g and %g; lon and lat look swapped", limit,
                           limit);
    *ret = number;
    return true;
}

// Returns the system, or -1 after a complaint.
static int read_system(struct gw_sheet_reader *reader, const struct gw_csv_cell *cell)
{
    const int system = gw_coordinates_from_name(cell->text);

    if (system == GW_COORDINATES_BD09)
        GW_COMPLAIN(reader, cell,
                    "BD-09 cannot be converted exactly; export the positions as "
                    "GCJ-02 or WGS-84");
    else if (system >= 0)
        return system;
    else
        GW_COMPLAIN(reader, cell,
                    *cell->text ? "coordinate_system is WGS-84, CGCS2000 or GCJ-02"
                                : "a position needs its coordinate_system: WGS-84, CGCS2000 or "
                                  "GCJ-02");
    return -1;
}

static bool read_position(struct gw_sheet_reader *reader, cells_by_column cells,
                          struct gw_sheet_row *row)
{
    const struct gw_csv_cell *lon = cells[GW_COLUMN_LON], *lat = cells[GW_COLUMN_LAT];
    double x = NAN, y = NAN;

    row->camera.lon = row->camera.lat = NAN;
    if (!*lon->text && !*lat->text)
        return true;
    if (!*lon->text || !*lat->text)
        return GW_COMPLAIN(reader, *lon->text ? lat : lon, "a position needs both lon and lat");
    bool good = read_degrees(reader, lon, 180, &x);
    good &= read_degrees(reader, lat, 90, &y);
    const int system = read_system(reader, cells[GW_COLUMN_SYSTEM]);
    if (!good || system < 0)
        return false;
    if (system == GW_COORDINATES_GCJ02)
        gw_wgs84_from_gcj02(&x, &y);
    row->camera.lon = x;
    row->camera.lat = y;
    row->position_line = lon->line;
    row->position_column = lon->column;
    return true;
}

// --- zones ---------------------------------------------------------------------------------------

static bool keep_zones(struct gw_sheet_reader *reader, const struct gw_csv_cell *cell,
                       const char *text, struct gw_camera *camera)
{
    char error[GW_SHEET_WHAT_SIZE];

    if (!text || strlen(text) >= sizeof(camera->zones))
        return GW_COMPLAIN(reader, cell, "the zones are longer than %d bytes; use fewer points",
                           GW_ZONES_TEXT_SIZE - 1);
    if (reader->rules->check_zones && reader->rules->check_zones(text, error) < 0)
        return GW_COMPLAIN(reader, cell, "%s", error);
    strcpy(camera->zones, text);
    return true;
}

// Kept in one way of writing, so that another layout is no change.
static bool read_zones(struct gw_sheet_reader *reader, const struct gw_csv_cell *cell,
                       struct gw_camera *camera)
{
    json_error_t error;

    if (!*cell->text)
        return true;
    json_t *json = json_loads(cell->text, JSON_REJECT_DUPLICATES, &error);
    if (!json)
        return GW_COMPLAIN(reader, cell,
                           "zones: this is no JSON from line %d, column %d of the cell", error.line,
                           error.column);
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(6));
    const bool good = json_is_object(json) ? keep_zones(reader, cell, text, camera)
                                           : GW_COMPLAIN(reader, cell, "zones: must be {…}");
    free(text);
    json_decref(json);
    return good;
}

// --- a row ---------------------------------------------------------------------------------------

bool gw_sheet_read_camera(struct gw_sheet_reader *reader, int line, struct gw_sheet_row *ret)
{
    const struct gw_csv_cell *cells[GW_SHEET_COLUMNS];
    struct gw_camera *camera = &ret->camera;
    bool good = true;

    *ret = (struct gw_sheet_row){.line = line};
    reader->absent.line = line;
    reader->absent.column = 1;
    for (int i = 0; i < GW_SHEET_COLUMNS; i++)
        cells[i] = &reader->absent;
    for (int i = 0; i < reader->count; i++)
        cells[reader->order[i]] = &reader->cells[i];
    good &= read_id(reader, cells, ret);
    good &= read_name(reader, cells, camera);
    good &= read_area(reader, cells, camera);
    good &= read_device_id(reader, cells, ret);
    good &= read_url(reader, cells[GW_COLUMN_RECORD_URL], camera);
    good &= read_detect_url(reader, cells[GW_COLUMN_DETECT_URL], camera);
    good &= read_words(reader, cells, camera);
    good &= read_position(reader, cells, ret);
    good &= read_view(reader, cells, &camera->view);
    good &= read_units(reader, cells, &camera->registration);
    good &= read_zones(reader, cells[GW_COLUMN_ZONES], camera);
    good &= read_retention(reader, cells[GW_COLUMN_RETENTION_DAYS], camera);
    return good;
}
