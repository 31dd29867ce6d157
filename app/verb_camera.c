// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch camera: the registry on the command line. Finds the word (camera_words.h), reads its
// options, opens the index and hands over. Writes go straight into the index, whether a hub runs
// (it notices within a second) or not.

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "app/camera_words.h"
#include "app/cli.h"
#include "app/verbs.h"
#include "core/error.h"
#include "core/url.h"

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

static const struct gw_camera_word *const words[] = {
    &gw_camera_add,     &gw_camera_list,   &gw_camera_remove, &gw_camera_enable,
    &gw_camera_disable, &gw_camera_import, &gw_camera_export,
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
    {"add", {"heading", required_argument, NULL, 'H'}},
    {"add", {"fov", required_argument, NULL, 'F'}},
    {"add", {"range", required_argument, NULL, 'R'}},
    {"add", {"height", required_argument, NULL, 'T'}},
    {"add", {"retention-days", required_argument, NULL, 'K'}},
    {"add", {"record", required_argument, NULL, 'r'}},
    {"add", {"detect-url", required_argument, NULL, 'u'}},
    {"list", {"covers", required_argument, NULL, 'v'}},
    {"list", {"json", no_argument, NULL, 'j'}},
    {"import", {"dry-run", no_argument, NULL, 'D'}},
    {"import", {"all-or-nothing", no_argument, NULL, 'A'}},
    {"export", {"with-credentials", no_argument, NULL, 'w'}},
    {NULL, {"store", required_argument, NULL, 's'}},
    {NULL, {"config", required_argument, NULL, 'c'}},
    {NULL, {"help", no_argument, NULL, 'h'}},
};
enum { OPTION_COUNT = sizeof(all_options) / sizeof(all_options[0]) };

static void pick_options(const struct gw_camera_word *word, struct option picked[OPTION_COUNT + 1])
{
    int count = 0;
    for (int i = 0; i < OPTION_COUNT; i++)
        if (!all_options[i].word || !strcmp(all_options[i].word, word->name))
            picked[count++] = all_options[i].option;
    picked[count] = (struct option){0};
}

static void set_option(struct gw_camera_call *call, int option)
{
    switch (option) {
    case 'i': call->id = optarg; break;
    case 'n': call->name = optarg; break;
    case 'd': call->division = optarg; break;
    case 'g': call->grid = optarg; break;
    case 'x': call->lon = optarg; break;
    case 'y': call->lat = optarg; break;
    case 'H': call->heading = optarg; break;
    case 'F': call->fov = optarg; break;
    case 'R': call->range = optarg; break;
    case 'T': call->height = optarg; break;
    case 'K': call->retention_days = optarg; break;
    case 'r': call->record = optarg; break;
    case 'u': call->detect_url = optarg; break;
    case 'v': call->covers = optarg; break;
    case 'j': call->json = true; break;
    case 'D': call->dry_run = true; break;
    case 'A': call->all_or_nothing = true; break;
    case 'w': call->with_credentials = true; break;
    case 's': call->store = optarg; break;
    case 'c': call->config_file = optarg; break;
    }
}

// Returns -1 to go on, or an exit code.
static int parse_options(struct gw_camera_call *call, const struct gw_camera_word *word, int argc,
                         char **argv)
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

static int open_index(struct gw_camera_call *call, enum gw_index_mode mode)
{
    struct gw_config config;
    char error[GW_INDEX_ERROR_SIZE];
    int result = gw_cli_config(&config, call->config_file, call->store);
    if (result)
        return result;
    snprintf(call->site_division, sizeof(call->site_division), "%s", config.division);
    if (gw_index_open(&call->index, config.store, mode, config.division, error) < 0)
        return gw_cli_fail("%s", error);
    return 0;
}

static int run_word(const struct gw_camera_word *word, int argc, char **argv)
{
    struct gw_camera_call call = {.word = word->full};
    int result = parse_options(&call, word, argc, argv);
    if (result >= 0)
        return result;
    result = word->prepare ? word->prepare(&call) : 0;
    gw_url_scrub_arguments(argc, argv);
    if (!result)
        result = open_index(&call, word->mode);
    if (!result)
        result = word->run(&call);
    gw_index_close(&call.index);
    explicit_bzero(&call.camera, sizeof(call.camera));
    if (!result && (fflush(stdout) < 0 || ferror(stdout)))
        return gw_cli_fail("cannot write: %s", strerror(errno));
    return result;
}

int gw_verb_camera(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (int i = 0; i < WORD_COUNT; i++)
        if (!strcmp(words[i]->name, name))
            return run_word(words[i], argc - 1, argv + 1);
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
        fputs(help, stdout);
        return GW_EXIT_OK;
    }
    if (!*name)
        return gw_cli_usage("camera", "say add, list, remove, enable, disable, import or export");
    return gw_cli_usage("camera", "there is no word \"%.40s\"", name);
}
