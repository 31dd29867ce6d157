// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the verbs share: how they complain, and which configuration they work with.
#pragma once

#include "app/config.h"

// One line on stderr, "gridwatch VERB: …; see gridwatch VERB --help". Returns GW_EXIT_USAGE.
__attribute__((format(printf, 2, 3))) int gw_cli_usage(const char *verb, const char *format, ...);

// One line on stderr, "gridwatch: …". Returns GW_EXIT_FAILED.
__attribute__((format(printf, 1, 2))) int gw_cli_fail(const char *format, ...);

// The configuration to work with: file if given, else GW_CONFIG_FILE if it exists, else the
// defaults; store, if given (not NULL), replaces its store. Returns 0, or GW_EXIT_CONFIG after one
// line on stderr.
int gw_cli_config(struct gw_config *ret, const char *file, const char *store);
