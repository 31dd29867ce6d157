// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The filters of lists, places and counts: query arguments, or options of the command line, to a
// gw_query. Positions become WGS-84 here. Pure.
#pragma once

#include <stdbool.h>

#include "storage/index.h"

enum gw_arguments_noun {
    GW_ARGUMENTS_EVENTS,
    GW_ARGUMENTS_CLIPS,
    GW_ARGUMENTS_GAPS,
    GW_ARGUMENTS_PLACES, // where cameras were
    GW_ARGUMENTS_COUNTS, // of what the argument "of" names
};

#define GW_ARGUMENT_ERROR_SIZE 192

// Gives an argument's decoded text, NULL when it is absent.
typedef const char *(*gw_argument_get)(void *opaque, const char *name);

// Returns 0, or GW_ERROR_INVALID with one line in error that names the argument and what it takes.
int gw_arguments_parse(struct gw_query *ret, enum gw_arguments_noun noun, gw_argument_get get,
                       void *opaque, char error[GW_ARGUMENT_ERROR_SIZE]);

// Whether the noun has a filter of this name. One that it has not is an error, because a filter
// with a typing mistake would otherwise find everything.
bool gw_argument_known(enum gw_arguments_noun noun, const char *name);

// What "of" names: "events", "clips" or "gaps", an enum gw_noun; -1 when it is none or NULL.
int gw_arguments_counted(const char *of);
