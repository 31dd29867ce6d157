// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/av_log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libavutil/log.h>

static _Thread_local const struct gw_log *attached;

// What is above VERBOSE holds whole requests with their Authorization line, and goes nowhere.
static void handle_message(void *context, int level, const char *format, va_list arguments)
{
    char text[1024];

    if (level > AV_LOG_VERBOSE)
        return;
    vsnprintf(text, sizeof(text), format, arguments);
    text[strcspn(text, "\r\n")] = 0;
    if (!*text)
        return;
    const AVClass *class = context ? *(const AVClass **)context : NULL;
    gw_log(attached, level <= AV_LOG_WARNING ? GW_LOG_DEBUG : GW_LOG_TRACE, "%s: %s",
           class ? class->item_name(context) : "ffmpeg", text);
}

static void install(void)
{
    av_log_set_callback(handle_message);
}

void gw_av_log_install(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
}

void gw_av_log_attach(const struct gw_log *log)
{
    attached = log;
}
