// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The words of `gridwatch camera`: "add", "list" and so on. One struct each says what it is called,
// what it takes and what it does; the structs lie beside their code.
//
//   verb_camera.c: options -> [word: prepare] -> index opened -> [word: run]
#pragma once

#include <stdbool.h>

#include "core/camera.h"
#include "storage/index.h"

// The end of every word's help.
#define GW_CAMERA_OPTIONS "  --store DIR, -c FILE  another store, another configuration file\n"

// One call: what the command line said. Texts are NULL when not given.
struct gw_camera_call {
    const char *word;                // "camera add", for messages
    const char *config_file, *store; // for all words
    const char *id, *name, *division, *grid, *lon, *lat, *record, *detect_url; // for add
    const char *heading, *fov, *range, *height, *retention_days;               // likewise
    const char *covers;                                                        // for list
    struct gw_query query;                                                     // the same, read
    bool json, dry_run, all_or_nothing, with_credentials;
    const char *argument;    // what follows the options
    struct gw_camera camera; // of add: from the URL
    // When run() is called: the index, open, and the division that the configuration says.
    struct gw_index *index;
    char site_division[GW_DIVISION_SIZE];
};

struct gw_camera_word {
    const char *name, *full; // full: for messages
    const char *help;
    const char *argument;    // what it must be given, in words; NULL when nothing
    enum gw_index_mode mode; // so that only what adds a camera makes an index
    // Both return 0, or an exit code after one line on stderr. prepare checks what can be checked
    // before the index is opened; may be NULL.
    int (*prepare)(struct gw_camera_call *call);
    int (*run)(struct gw_camera_call *call);
};

// In camera_add.c, camera_list.c, camera_change.c and camera_sheet.c:
extern const struct gw_camera_word gw_camera_add, gw_camera_list;
extern const struct gw_camera_word gw_camera_remove, gw_camera_enable, gw_camera_disable;
extern const struct gw_camera_word gw_camera_import, gw_camera_export;
