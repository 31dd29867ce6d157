// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch camera import and export: the registry as a sheet (docs/ref/cameras-sheet.md).

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/camera_words.h"
#include "app/cli.h"
#include "core/error.h"
#include "storage/sheet.h"
#include "storage/sheet_import.h"

// --- import --------------------------------------------------------------------------------------

static const char import_help[] =
    "usage: gridwatch camera import [OPTION]… FILE\n"
    "\n"
    "Takes over a sheet (CSV, UTF-8); cameras that it does not name stay. Importing it again "
    "changes\n"
    "nothing. Rows that are wrong are named as FILE:LINE:COLUMN and left out; exit code 1 then.\n"
    "\n"
    "  FILE                  the sheet; - reads standard input\n"
    "  --dry-run             only say what would happen\n"
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

static int read_sheet(struct gw_camera_call *call, struct gw_sheet *ret)
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

static int import_sheet(struct gw_camera_call *call, const struct gw_sheet *sheet)
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

static int run_import(struct gw_camera_call *call)
{
    struct gw_sheet sheet = {0};
    int result = read_sheet(call, &sheet);
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
