// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// One option of the configuration and how its text becomes a value. Private to config.c and its
// tests.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gw_value_type {
    GW_VALUE_TEXT,
    GW_VALUE_DIVISION, // 6, 9 or 12 digits, or nothing
    GW_VALUE_LISTEN,   // "127.0.0.1:8471"
    GW_VALUE_LOOPBACK, // the same, loopback addresses only
    GW_VALUE_INTEGER,
    GW_VALUE_DURATION, // "5s" to microseconds
    GW_VALUE_SIZE,     // "16MiB" to bytes
    GW_VALUE_REDIS,    // gw_index_redis_address_valid
    GW_VALUE_CHOICE,
};

struct gw_config_option {
    const char *key; // "section.name" or "name"
    enum gw_value_type type;
    size_t offset, size;  // of the field in struct gw_config
    const char *fallback; // the default, as text
    int64_t min, max;     // of numbers, in the field's unit
    const char *help;     // one sentence
    const char *choices;  // of GW_VALUE_CHOICE, separated by spaces
};

struct gw_config;

// Parses text into the option's field. On failure returns false, with what is wrong and what would
// be right in problem, and leaves the field alone.
bool gw_config_value_set(struct gw_config *config, const struct gw_config_option *option,
                         const char *text, char problem[160]);
