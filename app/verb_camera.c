// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch camera: the registry on the command line. Writes go straight into the index, whether a
// hub runs (it notices within a second) or not.

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/camera_url.h"
#include "app/cli.h"
#include "app/verbs.h"
#include "core/clock.h"
#include "core/error.h"
#include "storage/index.h"
#include "storage/sheet.h"
#include "storage/sheet_import.h"

#define COMMON "  --store DIR, -c FILE  another store, another configuration file\n"

static const char help[] =
    "usage: gridwatch camera WORD [OPTION]… (gridwatch camera WORD --help says more)\n"
    "\n"
    "  add URL         register a camera\n"
    "  list            what is registered, and how it is\n"
    "  remove ID       take it out of the registry; its events and clips stay\n"
    "  enable ID       connect to it again\n"
    "  disable ID      stop connecting to it, keep it registered\n"
    "  import FILE     take over a sheet (CSV)\n"
    "  export          write the sheet to standard output\n";

static const char add_help[] =
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
    "  --record MODE         events, continuous or off (events)\n" COMMON;

static const char list_help[] = "usage: gridwatch camera list [OPTION]…\n"
                                "\n"
                                "Lists cameras by id. Never shows user names or passwords.\n"
                                "\n"
                                "  --json                one JSON object per line\n" COMMON;

static const char id_help[] = "usage: gridwatch camera remove|enable|disable [OPTION]… ID\n"
                              "\n" COMMON;

static const char import_help[] =
    "usage: gridwatch camera import [OPTION]… FILE\n"
    "\n"
    "Takes over a sheet (CSV, UTF-8); cameras that it does not name stay. Importing it again "
    "changes\n"
    "nothing. Rows that are wrong are named as FILE:LINE:COLUMN and left out; exit code 1 then.\n"
    "\n"
    "  FILE                  the sheet; - reads standard input\n"
    "  --dry-run             only say what would happen\n"
    "  --all-or-nothing      change nothing when a row is wrong\n" COMMON;

static const char export_help[] =
    "usage: gridwatch camera export [OPTION]…\n"
    "\n"
    "Writes the sheet that import reads. Importing a sheet without credentials keeps those that "
    "are\n"
    "registered.\n"
    "\n"
    "  --with-credentials    user names and passwords, too: keep such a file safe\n" COMMON;

struct call {
    const char *word;                        // "camera add", for messages
    const char *config_file, *store;         // common options
    const char *id, *name, *division, *grid; // of add; NULL when not given
    const char *lon, *lat, *record;
    bool json, dry_run, all_or_nothing, with_credentials;
    const char *argument; // what follows the options
    struct gw_index *index;
};

// --- add -----------------------------------------------------------------------------------------

static int read_url(struct call *call, char url[2 * GW_URL_SIZE])
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

static bool parse_degrees(const char *text, double limit, double *ret)
{
    char *end;
    double degrees = strtod(text, &end);
    if (end == text || *end || !isfinite(degrees) || fabs(degrees) > limit)
        return false;
    *ret = degrees;
    return true;
}

// Checks the options before anything is opened. Returns 0 or an exit code.
static int check_add(const struct call *call)
{
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
    if (!call->lon != !call->lat)
        return gw_cli_usage(call->word, "a position needs both --lon and --lat");
    if (call->lon &&
        (!parse_degrees(call->lon, 180, &degrees) || !parse_degrees(call->lat, 90, &degrees)))
        return gw_cli_usage(call->word, "--lon and --lat: WGS-84 degrees, at most 180 and 90");
    return 0;
}

static void apply_options(const struct call *call, struct gw_camera *camera)
{
    if (call->name)
        snprintf(camera->name, sizeof(camera->name), "%s", call->name);
    if (call->division)
        snprintf(camera->division, sizeof(camera->division), "%s", call->division);
    if (call->grid)
        snprintf(camera->grid, sizeof(camera->grid), "%s", call->grid);
    if (call->record)
        camera->record = (enum gw_record_mode)gw_record_mode_from_name(call->record);
    if (call->lon) {
        parse_degrees(call->lon, 180, &camera->lon);
        parse_degrees(call->lat, 90, &camera->lat);
    }
}

struct addition {
    struct call *call;
    struct gw_camera camera;
};

// Runs in one transaction, so that two of them at once make no id twice.
static int add_in_transaction(void *opaque)
{
    struct addition *addition = opaque;
    struct call *call = addition->call;
    struct gw_camera *camera = &addition->camera;
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

static int prepare_add(struct call *call, struct addition *addition)
{
    char url[2 * GW_URL_SIZE];
    int result = check_add(call);
    if (!result)
        result = read_url(call, url);
    if (result)
        return result;
    if (gw_camera_from_url(&addition->camera, url) < 0)
        result = gw_cli_usage(call->word,
                              "this is no camera URL; it is like rtsp://USER:PASSWORD@HOST/PATH");
    explicit_bzero(url, sizeof(url));
    return result;
}

static int run_add(struct call *call, struct addition *addition)
{
    int result = gw_index_transaction(call->index, add_in_transaction, addition);
    if (result == GW_ERROR_BUSY && call->id)
        return gw_cli_fail("camera %s is registered with another URL; remove it first", call->id);
    if (result < 0)
        return gw_cli_fail("cannot register the camera: %s", gw_index_error(call->index));
    puts(addition->camera.id);
    return GW_EXIT_OK;
}

// --- list ----------------------------------------------------------------------------------------

static const char *status_name(const struct gw_camera_row *row)
{
    if (!row->camera.enabled)
        return "disabled";
    if (row->state.since_us == GW_NO_TIME)
        return "unknown";
    return row->state.status == GW_CAMERA_ONLINE ? "online" : "offline";
}

static void print_camera(const struct gw_camera_row *row)
{
    const struct gw_camera *camera = &row->camera;
    char area[GW_DIVISION_SIZE + GW_GRID_SIZE];
    snprintf(area, sizeof(area), "%s%s", camera->division, camera->grid);
    printf("%-24s  %-8s  %-10s  %-15s  %s%s%s%s%s\n", camera->id, status_name(row),
           gw_record_mode_name(camera->record), area, camera->record_url,
           strcmp(camera->name, camera->id) ? "  " : "",
           strcmp(camera->name, camera->id) ? camera->name : "", *row->state.reason ? "  — " : "",
           row->state.reason);
}

static void print_camera_json(const struct gw_camera_row *row)
{
    const struct gw_camera *camera = &row->camera;
    char since[GW_RFC3339_SIZE];
    bool known = row->state.since_us != GW_NO_TIME;
    json_t *json = json_pack("{ss ss ss ss ss ss sb ss ss}", "id", camera->id, "name", camera->name,
                             "division", camera->division, "grid", camera->grid, "url",
                             camera->record_url, "record", gw_record_mode_name(camera->record),
                             "enabled", camera->enabled, "status",
                             !known                                  ? "unknown"
                             : row->state.status == GW_CAMERA_ONLINE ? "online"
                                                                     : "offline",
                             "reason", row->state.reason);
    if (known) {
        json_object_set_new(json, "since",
                            json_string(gw_format_rfc3339(since, row->state.since_us)));
        json_object_set_new(json, "since_us", json_integer(row->state.since_us));
    }
    if (isfinite(camera->lon) && isfinite(camera->lat)) {
        json_object_set_new(json, "lon", json_real(camera->lon));
        json_object_set_new(json, "lat", json_real(camera->lat));
    }
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12));
    puts(text ? text : "{}");
    free(text);
    json_decref(json);
}

static int run_list(struct call *call)
{
    struct gw_camera_row *rows = NULL;
    int count = gw_index_cameras(call->index, &rows);
    if (count < 0)
        return gw_cli_fail("cannot read the registry: %s", gw_index_error(call->index));
    if (count && !call->json)
        puts("ID                        STATUS    RECORD      AREA             URL");
    for (int i = 0; i < count; i++) {
        if (call->json)
            print_camera_json(&rows[i]);
        else
            print_camera(&rows[i]);
    }
    free(rows);
    return GW_EXIT_OK;
}

// --- remove, enable, disable ---------------------------------------------------------------------

static int fail_for(struct call *call, int error)
{
    if (error == GW_ERROR_NOT_FOUND)
        return gw_cli_fail("there is no camera %.64s; see gridwatch camera list", call->argument);
    return gw_cli_fail("cannot change camera %.64s: %s", call->argument,
                       gw_index_error(call->index));
}

static int run_remove(struct call *call)
{
    int result = gw_index_remove_camera(call->index, call->argument);
    return result < 0 ? fail_for(call, result) : GW_EXIT_OK;
}

static int enable_in_transaction(void *opaque)
{
    struct call *call = opaque;
    struct gw_camera_row row;
    int result = gw_index_camera(call->index, call->argument, &row);
    if (result < 0)
        return result;
    row.camera.enabled = !strcmp(call->word, "camera enable");
    return gw_index_put_camera(call->index, &row.camera);
}

static int run_enable(struct call *call)
{
    int result = gw_index_transaction(call->index, enable_in_transaction, call);
    return result < 0 ? fail_for(call, result) : GW_EXIT_OK;
}

// --- import --------------------------------------------------------------------------------------

#define SHEET_LIMIT (64 * 1024 * 1024)

static char *read_all(FILE *in, size_t *ret_size)
{
    size_t size = 0, room = 65536, got;
    char *text = malloc(room);
    while (text && (got = fread(text + size, 1, room - size, in)) > 0) {
        size += got;
        if (size == room && room < SHEET_LIMIT)
            text = realloc(text, room *= 2);
    }
    if (!text)
        abort();
    *ret_size = size;
    return text;
}

static int read_sheet(struct call *call, struct gw_sheet *ret)
{
    bool standard = !strcmp(call->argument, "-");
    FILE *in = standard ? stdin : fopen(call->argument, "rb");
    if (!in)
        return gw_cli_fail("cannot read %s: %s", call->argument, strerror(errno));
    size_t size;
    char *text = read_all(in, &size);
    int error = ferror(in) ? errno : 0;
    if (!standard)
        fclose(in);
    if (error)
        gw_cli_fail("cannot read %s: %s", call->argument, strerror(error));
    else if (size >= SHEET_LIMIT)
        gw_cli_fail("%s is larger than %d MiB; is it a camera sheet?", call->argument,
                    SHEET_LIMIT >> 20);
    else
        gw_sheet_parse(ret, text, size);
    free(text);
    return error || size >= SHEET_LIMIT ? GW_EXIT_FAILED : 0;
}

static int import_sheet(struct call *call, const struct gw_sheet *sheet)
{
    struct gw_sheet_counts counts;
    for (int i = 0; i < sheet->error_count; i++)
        fprintf(stderr, "%s:%d:%d: %s\n", call->argument, sheet->errors[i].line,
                sheet->errors[i].column, sheet->errors[i].what);
    if (sheet->error_count && (call->all_or_nothing || !sheet->row_count))
        return gw_cli_fail("%d %s wrong; nothing was changed", sheet->error_count,
                           sheet->error_count == 1 ? "line is" : "lines are");
    if (gw_sheet_import(sheet, call->index, call->dry_run, &counts) < 0)
        return gw_cli_fail("cannot change the registry: %s; nothing was changed",
                           gw_index_error(call->index));
    printf("%d added, %d changed, %d unchanged, %d wrong%s\n", counts.added, counts.changed,
           counts.unchanged, sheet->error_count,
           call->dry_run ? "; dry run, nothing was changed" : "");
    return sheet->error_count ? GW_EXIT_FAILED : GW_EXIT_OK;
}

static int run_import(struct call *call)
{
    struct gw_sheet sheet = {0};
    int result = read_sheet(call, &sheet);
    if (!result)
        result = import_sheet(call, &sheet);
    gw_sheet_finish(&sheet);
    return result;
}

// --- export --------------------------------------------------------------------------------------

static int run_export(struct call *call)
{
    struct gw_camera_row *rows = NULL;
    int count = gw_index_cameras(call->index, &rows);
    if (count < 0)
        return gw_cli_fail("cannot read the registry: %s", gw_index_error(call->index));
    gw_sheet_write_header(stdout);
    for (int i = 0; i < count; i++)
        gw_sheet_write_row(stdout, &rows[i].camera, call->with_credentials);
    free(rows);
    return GW_EXIT_OK;
}

// --- the words -----------------------------------------------------------------------------------

static const struct word {
    const char *name, *full; // full: for messages
    const char *help;
    const char *argument; // NULL when it takes none
    int (*run)(struct call *call);
} words[] = {
    {"add", "camera add", add_help, "a URL", NULL}, // prepared before the index is opened
    {"list", "camera list", list_help, NULL, run_list},
    {"remove", "camera remove", id_help, "an id", run_remove},
    {"enable", "camera enable", id_help, "an id", run_enable},
    {"disable", "camera disable", id_help, "an id", run_enable},
    {"import", "camera import", import_help, "a file", run_import},
    {"export", "camera export", export_help, NULL, run_export},
};
enum { WORD_COUNT = sizeof(words) / sizeof(words[0]) };

// Which word an option is for; NULL: for all.
static const struct camera_option {
    const char *word;
    struct option option;
} all_options[] = {
    {"add", {"id", required_argument, NULL, 'i'}},
    {"add", {"name", required_argument, NULL, 'n'}},
    {"add", {"division", required_argument, NULL, 'd'}},
    {"add", {"grid", required_argument, NULL, 'g'}},
    {"add", {"lon", required_argument, NULL, 'x'}},
    {"add", {"lat", required_argument, NULL, 'y'}},
    {"add", {"record", required_argument, NULL, 'r'}},
    {"list", {"json", no_argument, NULL, 'j'}},
    {"import", {"dry-run", no_argument, NULL, 'D'}},
    {"import", {"all-or-nothing", no_argument, NULL, 'A'}},
    {"export", {"with-credentials", no_argument, NULL, 'w'}},
    {NULL, {"store", required_argument, NULL, 's'}},
    {NULL, {"config", required_argument, NULL, 'c'}},
    {NULL, {"help", no_argument, NULL, 'h'}},
};
enum { OPTION_COUNT = sizeof(all_options) / sizeof(all_options[0]) };

static void pick_options(const struct word *word, struct option picked[OPTION_COUNT + 1])
{
    int count = 0;
    for (int i = 0; i < OPTION_COUNT; i++)
        if (!all_options[i].word || !strcmp(all_options[i].word, word->name))
            picked[count++] = all_options[i].option;
    picked[count] = (struct option){0};
}

static void set_option(struct call *call, int option)
{
    switch (option) {
    case 'i': call->id = optarg; break;
    case 'n': call->name = optarg; break;
    case 'd': call->division = optarg; break;
    case 'g': call->grid = optarg; break;
    case 'x': call->lon = optarg; break;
    case 'y': call->lat = optarg; break;
    case 'r': call->record = optarg; break;
    case 'j': call->json = true; break;
    case 'D': call->dry_run = true; break;
    case 'A': call->all_or_nothing = true; break;
    case 'w': call->with_credentials = true; break;
    case 's': call->store = optarg; break;
    case 'c': call->config_file = optarg; break;
    }
}

// Returns -1 to go on, or an exit code.
static int parse_options(struct call *call, const struct word *word, int argc, char **argv)
{
    struct option options[OPTION_COUNT + 1];
    int option;
    pick_options(word, options);
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(word->help, stdout);
            return GW_EXIT_OK;
        }
        if (option == ':')
            return gw_cli_usage(word->full, "%s needs a value", argv[optind - 1]);
        if (option == '?')
            return gw_cli_usage(word->full, "there is no option %s", argv[optind - 1]);
        set_option(call, option);
    }
    if (word->argument && optind == argc)
        return gw_cli_usage(word->full, "%s is missing", word->argument);
    if (word->argument)
        call->argument = argv[optind++];
    if (optind < argc)
        return gw_cli_usage(word->full, "one word too many");
    return -1;
}

static int open_index(struct call *call)
{
    struct gw_config config;
    char error[GW_INDEX_ERROR_SIZE];
    int result = gw_cli_config(&config, call->config_file, call->store);
    if (result)
        return result;
    if (gw_index_open(&call->index, config.store, GW_INDEX_WRITE, config.division, error) < 0)
        return gw_cli_fail("%s", error);
    return 0;
}

static int run_word(const struct word *word, int argc, char **argv)
{
    struct call call = {.word = word->full};
    struct addition addition = {.call = &call};
    int result = parse_options(&call, word, argc, argv);
    if (result >= 0)
        return result;
    result = word->run ? 0 : prepare_add(&call, &addition);
    gw_url_scrub_arguments(argc, argv);
    if (!result)
        result = open_index(&call);
    if (!result)
        result = word->run ? word->run(&call) : run_add(&call, &addition);
    gw_index_close(&call.index);
    explicit_bzero(&addition.camera, sizeof(addition.camera));
    if (!result && (fflush(stdout) < 0 || ferror(stdout)))
        return gw_cli_fail("cannot write: %s", strerror(errno));
    return result;
}

int gw_verb_camera(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (int i = 0; i < WORD_COUNT; i++)
        if (!strcmp(words[i].name, name))
            return run_word(&words[i], argc - 1, argv + 1);
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
        fputs(help, stdout);
        return GW_EXIT_OK;
    }
    if (!*name)
        return gw_cli_usage("camera", "say add, list, remove, enable, disable, import or export");
    return gw_cli_usage("camera", "there is no word \"%.40s\"", name);
}
