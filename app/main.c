// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The gridwatch program: finds the verb and hands over. One file per verb, listed here.

#include <stdio.h>
#include <string.h>

#include "app/verbs.h"
#include "core/error.h"

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} verbs[] = {
    {"serve", gw_verb_serve, "run a site: the hub and its workers"},
    {"worker", gw_verb_worker, "run one ingest worker of a hub"},
    {"analyze", gw_verb_analyze, "detect events in files, as JSON lines"},
    {"probe", gw_verb_probe, "connect to a camera once and say what is there or what is wrong"},
    {"camera", gw_verb_camera, "the registry: add, list, remove, enable, disable, import, export"},
    {"events", gw_verb_events, "list events by place and time"},
    {"clips", gw_verb_clips, "list clips by place and time"},
    {"gaps", gw_verb_gaps, "list when cameras were not recorded, and why"},
    {"hold", gw_verb_hold, "case holds: what must not be deleted"},
    {"retention", gw_verb_retention, "say that the clock is right, so that retention goes on"},
    {"fsck", gw_verb_fsck, "check a store, and repair it"},
    {"subscribe", gw_verb_subscribe, "follow the bus"},
    {"export", gw_verb_export, "export recordings as evidence that proves itself"},
    {"verify", gw_verb_verify, "check exported evidence, anywhere"},
    {"index", gw_verb_index, "make the index again from the facts and the files"},
    {"user", gw_verb_user, "make a one-time login for the console"},
    {"check-config", gw_verb_check_config,
     "read a configuration file and say what is wrong with it"},
    {"plan-media", gw_verb_plan_media, NULL}, // started by the program itself
};
enum { VERB_COUNT = sizeof(verbs) / sizeof(verbs[0]) };

static void print_help(FILE *out)
{
    fputs("usage: gridwatch VERB [OPTION]…   (gridwatch VERB --help says more)\n\n", out);
    for (int i = 0; i < VERB_COUNT; i++)
        if (verbs[i].help)
            fprintf(out, "  %-14s%s\n", verbs[i].name, verbs[i].help);
    fputs("\nexit codes: 0 ok, 1 what was asked for failed, 2 wrong usage, 78 bad configuration\n",
          out);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    for (int i = 0; i < VERB_COUNT; i++)
        if (!strcmp(name, verbs[i].name))
            return verbs[i].run(argc - 1, argv + 1);
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
        print_help(stdout);
        return GW_EXIT_OK;
    }
    if (!strcmp(name, "--version")) {
        puts("gridwatch " GW_VERSION);
        return GW_EXIT_OK;
    }
    if (*name)
        fprintf(stderr, "gridwatch: there is no verb \"%s\"; see gridwatch --help\n", name);
    else
        print_help(stderr);
    return GW_EXIT_USAGE;
}
