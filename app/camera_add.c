// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch camera add: a camera from its URL and what the options say of it.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/camera_url.h"
#include "app/camera_words.h"
#include "app/cli.h"
#include "core/error.h"

static const char help[] =
    "usage: gridwatch camera add [OPTION]… URL\n"
    "\n"
    "Registers a camera and prints its id. The same URL again changes what the options say.\n"
    "\n"
    "  URL                   rtsp://[USER:PASSWORD@]HOST[:PORT]/PATH; - reads it from standard "
    "input,\n"
    "                        so that the password is in no process list and no shell history\n"
    "  --id ID               letters, digits, dots, dashes, underscores (made from the URL)\n"
    "  --name NAME           for people (the id)\n"
    "  --division D          6, 9 or 12 digits (the site's)\n"
    "  --grid G              grid cell in the division, digits\n"
    "  --lon X --lat Y       position, WGS-84 degrees\n"
    "  --heading D --fov D   where it looks, degrees clockwise from north, and how wide; without "
    "a\n"
    "                        field of view it looks all round\n"
    "  --range M             how far it sees, metres; searches for who could see a spot need it\n"
    "  --height M            above the ground, metres\n"
    "  --retention-days N    how long its clips are kept; 0 for the site's\n"
    "  --record MODE         events, continuous or off (events)\n"
    "  --detect-url URL      a smaller stream of the same camera, in which events are found; with "
    "URL's\n"
    "                        user and password; \"\" for none (events are found in "
    "URL)\n" GW_CAMERA_OPTIONS;

static int read_url(struct gw_camera_call *call, char url[2 * GW_URL_SIZE])
{
    size_t length;
    if (strcmp(call->argument, "-")) {
        if (strlen(call->argument) >= 2 * GW_URL_SIZE)
            return gw_cli_usage(call->word, "the URL is too long");
        strcpy(url, call->argument);
        return 0;
    }
    if (!fgets(url, 2 * GW_URL_SIZE, stdin))
        return gw_cli_usage(call->word, "there is no URL on standard input");
    length = strcspn(url, "\r\n");
    url[length] = 0;
    return 0;
}

static bool parse_number(const char *text, double limit, double *ret)
{
    char *end;
    const double number = strtod(text, &end);
    if (end == text || *end || !isfinite(number) || fabs(number) > limit)
        return false;
    *ret = number;
    return true;
}

// Of --heading and the others that are numbers: 0 to most.
struct number {
    const char *option, *text; // text NULL: not given
    double most;
    bool whole;
    double value;
};
enum { HEADING, FOV, RANGE, HEIGHT, RETENTION, NUMBERS };

// Returns 0 or an exit code.
static int read_numbers(const struct gw_camera_call *call, struct number ret[NUMBERS])
{
    const struct number numbers[NUMBERS] = {
        [HEADING] = {"--heading", call->heading, 360},
        [FOV] = {"--fov", call->fov, 360},
        [RANGE] = {"--range", call->range, 100000},
        [HEIGHT] = {"--height", call->height, 1000},
        [RETENTION] = {"--retention-days", call->retention_days, GW_RETENTION_DAYS, true},
    };

    memcpy(ret, numbers, sizeof(numbers));
    for (int i = 0; i < NUMBERS; i++) {
        if (!ret[i].text)
            continue;
        if (!parse_number(ret[i].text, ret[i].most, &ret[i].value) || ret[i].value < 0 ||
            (ret[i].whole && ret[i].value != floor(ret[i].value)))
            return gw_cli_usage(call->word, "%s: a %snumber from 0 to %g", ret[i].option,
                                ret[i].whole ? "whole " : "", ret[i].most);
    }
    return 0;
}

static void apply_numbers(const struct gw_camera_call *call, struct gw_camera *camera)
{
    struct number numbers[NUMBERS];
    double *const views[] = {[HEADING] = &camera->view.heading_deg,
                             [FOV] = &camera->view.fov_deg,
                             [RANGE] = &camera->view.range_m,
                             [HEIGHT] = &camera->view.height_m};

    read_numbers(call, numbers); // they were checked before
    for (int i = 0; i < RETENTION; i++)
        if (numbers[i].text)
            *views[i] = numbers[i].value;
    if (camera->view.heading_deg == 360)
        camera->view.heading_deg = 0;
    if (numbers[RETENTION].text)
        camera->retention_days = (int)numbers[RETENTION].value;
}

// A camera URL without user and password: this one stays in process lists.
static bool is_plain_url(const char *text)
{
    char url[GW_URL_SIZE], username[GW_USERNAME_SIZE], password[GW_PASSWORD_SIZE];

    return gw_url_split(text, url, username, password) >= 0 && !*username && !*password;
}

// Checks the options before anything is opened. Returns 0 or an exit code.
static int check_add(const struct gw_camera_call *call)
{
    struct number numbers[NUMBERS];
    double degrees;
    if (call->id && !gw_camera_id_valid(call->id))
        return gw_cli_usage(call->word,
                            "--id: up to %d letters, digits, dots, dashes and underscores",
                            GW_CAMERA_ID_SIZE - 1);
    if (call->name && !gw_camera_name_valid(call->name))
        return gw_cli_usage(call->word, "--name: one line of UTF-8, up to %d bytes",
                            GW_CAMERA_NAME_SIZE - 1);
    if (call->division && !gw_division_valid(call->division))
        return gw_cli_usage(call->word, "--division: a division has 6, 9 or 12 digits");
    if (call->grid && !gw_grid_valid(call->grid))
        return gw_cli_usage(call->word, "--grid: a grid cell has at most %d digits",
                            GW_GRID_SIZE - 1);
    if (call->record && gw_record_mode_from_name(call->record) < 0)
        return gw_cli_usage(call->word, "--record: is events, continuous or off");
    if (call->detect_url && *call->detect_url && !is_plain_url(call->detect_url))
        return gw_cli_usage(call->word, "--detect-url: like rtsp://HOST/PATH; user and password "
                                        "are those of URL");
    if (!call->lon != !call->lat)
        return gw_cli_usage(call->word, "a position needs both --lon and --lat");
    if (call->lon &&
        (!parse_number(call->lon, 180, &degrees) || !parse_number(call->lat, 90, &degrees)))
        return gw_cli_usage(call->word, "--lon and --lat: WGS-84 degrees, at most 180 and 90");
    return read_numbers(call, numbers);
}

static void apply_options(const struct gw_camera_call *call, struct gw_camera *camera)
{
    if (call->name)
        snprintf(camera->name, sizeof(camera->name), "%s", call->name);
    if (call->division)
        snprintf(camera->division, sizeof(camera->division), "%s", call->division);
    if (call->grid)
        snprintf(camera->grid, sizeof(camera->grid), "%s", call->grid);
    if (call->record)
        camera->record = (enum gw_record_mode)gw_record_mode_from_name(call->record);
    if (call->detect_url)
        snprintf(camera->detect_url, sizeof(camera->detect_url), "%s", call->detect_url);
    if (call->lon) {
        parse_number(call->lon, 180, &camera->lon);
        parse_number(call->lat, 90, &camera->lat);
    }
    apply_numbers(call, camera);
}

// Runs in one transaction, so that two of them at once make no id twice.
static int add_in_transaction(void *opaque)
{
    struct gw_camera_call *call = opaque;
    struct gw_camera *camera = &call->camera;
    struct gw_camera_row *rows = NULL;
    int count = gw_index_cameras(call->index, &rows), result = 0;
    if (count < 0)
        return count;
    result = gw_camera_find_place(camera, call->id, rows, count);
    free(rows);
    if (result < 0)
        return result;
    apply_options(call, camera);
    return gw_index_put_camera(call->index, camera);
}

static int prepare_add(struct gw_camera_call *call)
{
    char url[2 * GW_URL_SIZE];
    int result = check_add(call);
    if (!result)
        result = read_url(call, url);
    if (result)
        return result;
    if (gw_camera_from_url(&call->camera, url) < 0)
        result = gw_cli_usage(call->word,
                              "this is no camera URL; it is like rtsp://USER:PASSWORD@HOST/PATH");
    explicit_bzero(url, sizeof(url));
    return result;
}

static int run_add(struct gw_camera_call *call)
{
    int result = gw_index_transaction(call->index, add_in_transaction, call);
    if (result == GW_ERROR_INVALID)
        return gw_cli_fail("camera %s is registered with another URL; remove it first", call->id);
    if (result < 0)
        return gw_cli_fail("cannot register the camera: %s", gw_index_error(call->index));
    puts(call->camera.id);
    return GW_EXIT_OK;
}

const struct gw_camera_word gw_camera_add = {.name = "add",
                                             .full = "camera add",
                                             .help = help,
                                             .argument = "a URL",
                                             .prepare = prepare_add,
                                             .mode = GW_INDEX_WRITE,
                                             .run = run_add};
