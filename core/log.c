// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <jansson.h>

#include "core/clock.h"
#include "core/url.h"

enum { LINE_SIZE = 2048, NAME_SIZE = 160 };

static const char *const level_names[] = {"error", "warning", "info", "debug", "trace"};

static enum gw_log_level threshold = GW_LOG_INFO;
static bool as_json;

void gw_log_setup(enum gw_log_level level, int json)
{
    threshold = level;
    as_json = json;
}

int gw_log_level_from_name(const char *name)
{
    for (int i = 0; i <= GW_LOG_TRACE; i++)
        if (!strcasecmp(name, level_names[i]))
            return i;
    return -1;
}

// "cam-07/ingest", outermost first.
static void append_name(const struct gw_log *log, char *buffer, size_t size)
{
    if (!log)
        return;
    append_name(log->parent, buffer, size);
    size_t used = strlen(buffer);
    snprintf(buffer + used, size - used, "%s%s", used ? "/" : "", log->name);
}

// A message is one line: what a camera or a file sent must not be able to fake a second one.
static void flatten(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ')
            *text = ' ';
}

static void print_json(const char *time, enum gw_log_level level, const char *name,
                       const char *message)
{
    json_t *line = json_pack("{ss ss ss}", "time", time, "level", level_names[level], "name", name);
    json_object_set_new(line, "message", json_stringn_nocheck(message, strlen(message)));
    char *text = json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII);
    if (text) {
        dprintf(STDERR_FILENO, "%s\n", text);
        free(text);
    }
    json_decref(line);
}

void gw_log(const struct gw_log *log, enum gw_log_level level, const char *format, ...)
{
    char raw[LINE_SIZE], message[LINE_SIZE], name[NAME_SIZE] = "", time[GW_RFC3339_SIZE];
    va_list arguments;

    if (level > threshold)
        return;
    va_start(arguments, format);
    vsnprintf(raw, sizeof(raw), format, arguments);
    va_end(arguments);
    gw_url_redact(raw, message, sizeof(message));
    flatten(message);
    append_name(log, name, sizeof(name));
    gw_format_rfc3339(time, gw_wall_us());
    // One write per line, so that lines of several threads and processes stay whole.
    if (as_json)
        print_json(time, level, name, message);
    else
        dprintf(STDERR_FILENO, "%s %-7s %s%s%s\n", time, level_names[level], name,
                *name ? ": " : "", message);
}
