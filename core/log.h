// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Logging: one line per message on stderr, as logfmt text or JSON.
//
// A handle has a parent and a name, so a line reads `cam-07/ingest: …`. Library-like code returns
// codes and logs at debug only; whoever decides what happens next logs once and says so.
// Nothing per frame above trace. Any thread. URLs are stripped of their credentials on the way out.
#pragma once

enum gw_log_level { GW_LOG_ERROR, GW_LOG_WARNING, GW_LOG_INFO, GW_LOG_DEBUG, GW_LOG_TRACE };

struct gw_log {
    const struct gw_log *parent; // borrowed, may be NULL; must outlive this handle
    const char *name;            // borrowed
};

// Call once at start, before threads exist. level: most talkative level that is printed.
void gw_log_setup(enum gw_log_level level, int json);

// Names "error".."trace" to a level; -1 for anything else.
int gw_log_level_from_name(const char *name);

// log may be NULL (then the line has no name).
__attribute__((format(printf, 3, 4))) void gw_log(const struct gw_log *log, enum gw_log_level level,
                                                  const char *format, ...);

#define gw_log_error(log, ...)   gw_log(log, GW_LOG_ERROR, __VA_ARGS__)
#define gw_log_warning(log, ...) gw_log(log, GW_LOG_WARNING, __VA_ARGS__)
#define gw_log_info(log, ...)    gw_log(log, GW_LOG_INFO, __VA_ARGS__)
#define gw_log_debug(log, ...)   gw_log(log, GW_LOG_DEBUG, __VA_ARGS__)
#define gw_log_trace(log, ...)   gw_log(log, GW_LOG_TRACE, __VA_ARGS__)
