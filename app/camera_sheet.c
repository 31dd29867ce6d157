// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch camera import and export: the registry as a sheet (docs/ref/cameras-sheet.md).

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/zones.h"
#include "app/camera_words.h"
#include "app/cli.h"
#include "core/error.h"
#include "core/url.h"
#include "storage/sheet.h"
#include "storage/sheet_import.h"

// --- import --------------------------------------------------------------------------------------

static const char import_help[] =
    "usage: gridwatch camera import [OPTION]… FILE\n"
    "\n"
    "Takes over a sheet (CSV, UTF-8 or GB18030); cameras that it does not name stay. Importing it\n"
    "again changes nothing. What is wrong is named as FILE:LINE:COLUMN and its row left out; exit\n"
    "code 1 then.\n"
    "\n"
    "  FILE                  the sheet; - reads standard input\n"
    "  --dry-run             only say what would change\n"
    "  --all-or-nothing      change nothing when a row is wrong\n" GW_CAMERA_OPTIONS;

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

static int check_zones(const char *text, char error[GW_SHEET_WHAT_SIZE])
{
    static struct gw_zones zones; // large, and only its being readable counts
    char what[GW_ZONES_ERROR_SIZE];

    if (gw_zones_parse(&zones, text, "zones", what) == 0)
        return 0;
    snprintf(error, GW_SHEET_WHAT_SIZE, "%s", what);
    return -1;
}

static int read_sheet(struct gw_camera_call *call, struct gw_sheet *ret)
{
    const struct gw_sheet_rules rules = {.division = call->site_division,
                                         .check_zones = check_zones};
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
        gw_sheet_parse(ret, text, size, &rules);
    explicit_bzero(text, size); // with the passwords in it
    free(text);
    return error || size >= SHEET_LIMIT ? GW_EXIT_FAILED : 0;
}

// --- what it says --------------------------------------------------------------------------------

static void print_value(const char *column, const char *value)
{
    char shown[GW_ZONES_TEXT_SIZE];

    snprintf(shown, sizeof(shown), "%s", value);
    if (strstr(column, "url"))
        gw_url_hide_secrets(shown);
    printf("%s", *shown ? shown : "(none)");
}

static void print_change(void *opaque, const char *camera, const char *column, const char *from,
                         const char *to)
{
    printf("%s: ", camera);
    if (!column) {
        puts("added");
    } else if (!from) {
        printf("%s: changed\n", column);
    } else {
        printf("%s: ", column);
        print_value(column, from);
        printf(" -> ");
        print_value(column, to);
        putchar('\n');
    }
}

static void print_warning(void *opaque, int line, int column, const char *what)
{
    const struct gw_camera_call *call = opaque;
    fprintf(stderr, "%s:%d:%d: warning: %s\n", call->argument, line, column, what);
}

static int import_sheet(struct gw_camera_call *call, const struct gw_sheet *sheet)
{
    const struct gw_sheet_watch watch = {
        .opaque = call, .change = call->dry_run ? print_change : NULL, .warn = print_warning};
    struct gw_sheet_counts counts;
    for (int i = 0; i < sheet->error_count; i++)
        fprintf(stderr, "%s:%d:%d: %s\n", call->argument, sheet->errors[i].line,
                sheet->errors[i].column, sheet->errors[i].what);
    if (sheet->wrong_rows && (call->all_or_nothing || !sheet->row_count))
        return gw_cli_fail("%d %s wrong; nothing was changed", sheet->wrong_rows,
                           sheet->wrong_rows == 1 ? "line is" : "lines are");
    if (gw_sheet_import(sheet, call->index, call->dry_run, &watch, &counts) < 0)
        return gw_cli_fail("cannot change the registry: %s; nothing was changed",
                           gw_index_error(call->index));
    printf("%d added, %d changed, %d unchanged, %d wrong%s\n", counts.added, counts.changed,
           counts.unchanged, sheet->wrong_rows,
           call->dry_run ? "; dry run, nothing was changed" : "");
    return sheet->wrong_rows ? GW_EXIT_FAILED : GW_EXIT_OK;
}

static int run_import(struct gw_camera_call *call)
{
    struct gw_sheet sheet = {0};
    int result = read_sheet(call, &sheet);
    if (!result && gw_sheet_check_devices(&sheet, call->index) < 0)
        result = gw_cli_fail("cannot read the registry: %s", gw_index_error(call->index));
    if (!result)
        result = import_sheet(call, &sheet);
    gw_sheet_finish(&sheet);
    return result;
}

const struct gw_camera_word gw_camera_import = {.name = "import",
                                                .full = "camera import",
                                                .help = import_help,
                                                .argument = "a file",
                                                .mode = GW_INDEX_WRITE,
                                                .run = run_import};

// --- export --------------------------------------------------------------------------------------

static const char export_help[] =
    "usage: gridwatch camera export [OPTION]…\n"
    "\n"
    "Writes the sheet that import reads. Importing a sheet without credentials keeps those that "
    "are\n"
    "registered.\n"
    "\n"
    "  --with-credentials    user names and passwords, too: keep such a file "
    "safe\n" GW_CAMERA_OPTIONS;

static int run_export(struct gw_camera_call *call)
{
    struct gw_camera_row *rows = NULL;
    int count = gw_index_cameras(call->index, &rows);
    if (count < 0)
        return gw_cli_fail("cannot read the registry: %s", gw_index_error(call->index));
    if (call->with_credentials && *gw_index_locked(call->index)) {
        free(rows);
        return gw_cli_fail("cannot export user names and passwords: %s",
                           gw_index_locked(call->index));
    }
    gw_sheet_write_header(stdout);
    for (int i = 0; i < count; i++)
        gw_sheet_write_row(stdout, &rows[i].camera, call->with_credentials);
    free(rows);
    return GW_EXIT_OK;
}

const struct gw_camera_word gw_camera_export = {.name = "export",
                                                .full = "camera export",
                                                .help = export_help,
                                                .mode = GW_INDEX_READ,
                                                .run = run_export};
