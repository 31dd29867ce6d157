// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The gridwatch program's verbs: one function and one file (verb_<name>.c) each, listed in main.c.
// argv[0] is the verb; each parses its own options with getopt_long, prints its own --help on
// stdout, and returns an exit code of core/error.h. The words of `gridwatch camera` are in
// camera_words.h.
#pragma once

int gw_verb_serve(int argc, char **argv);
int gw_verb_worker(int argc, char **argv);
int gw_verb_analyze(int argc, char **argv);
int gw_verb_probe(int argc, char **argv);
int gw_verb_camera(int argc, char **argv);
int gw_verb_events(int argc, char **argv);
int gw_verb_clips(int argc, char **argv);
int gw_verb_gaps(int argc, char **argv);
int gw_verb_hold(int argc, char **argv);
int gw_verb_retention(int argc, char **argv);
int gw_verb_fsck(int argc, char **argv);
int gw_verb_subscribe(int argc, char **argv);
int gw_verb_export(int argc, char **argv);
int gw_verb_verify(int argc, char **argv);
int gw_verb_index(int argc, char **argv);
int gw_verb_user(int argc, char **argv);
int gw_verb_check_config(int argc, char **argv);
int gw_verb_plan_media(int argc, char **argv); // not for people: started by the program itself
