// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch camera remove, enable, disable: one camera, by its id.

#include <string.h>

#include "app/camera_words.h"
#include "app/cli.h"
#include "core/error.h"

static const char help[] = "usage: gridwatch camera remove|enable|disable [OPTION]… ID\n"
                           "\n" GW_CAMERA_OPTIONS;

static int fail_for(struct gw_camera_call *call, int error)
{
    if (error == GW_ERROR_NOT_FOUND)
        return gw_cli_fail("there is no camera %.64s; see gridwatch camera list", call->argument);
    return gw_cli_fail("cannot change camera %.64s: %s", call->argument,
                       gw_index_error(call->index));
}

static int run_remove(struct gw_camera_call *call)
{
    int result = gw_index_remove_camera(call->index, call->argument);
    return result < 0 ? fail_for(call, result) : GW_EXIT_OK;
}

static int enable_in_transaction(void *opaque)
{
    struct gw_camera_call *call = opaque;
    struct gw_camera_row row;
    int result = gw_index_camera(call->index, call->argument, &row);
    if (result < 0)
        return result;
    row.camera.enabled = !strcmp(call->word, "camera enable");
    return gw_index_put_camera(call->index, &row.camera);
}

static int run_enable(struct gw_camera_call *call)
{
    int result = gw_index_transaction(call->index, enable_in_transaction, call);
    return result < 0 ? fail_for(call, result) : GW_EXIT_OK;
}

const struct gw_camera_word gw_camera_remove = {.name = "remove",
                                                .full = "camera remove",
                                                .help = help,
                                                .argument = "an id",
                                                .mode = GW_INDEX_CHANGE,
                                                .run = run_remove};

const struct gw_camera_word gw_camera_enable = {.name = "enable",
                                                .full = "camera enable",
                                                .help = help,
                                                .argument = "an id",
                                                .mode = GW_INDEX_CHANGE,
                                                .run = run_enable};

const struct gw_camera_word gw_camera_disable = {.name = "disable",
                                                 .full = "camera disable",
                                                 .help = help,
                                                 .argument = "an id",
                                                 .mode = GW_INDEX_CHANGE,
                                                 .run = run_enable};
