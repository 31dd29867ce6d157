// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/clip.h"

#include <stdio.h>
#include <time.h>

#include "core/clock.h"
#include "core/names.h"

static const char *const states[] = {"recording", "closed", "repaired", "lost"};

// media/<camera>/2026-05-04/030201-<id><suffix>
static char *format_path(char buffer[GW_MEDIA_PATH_SIZE], const char *camera, int64_t wall_us,
                         const struct gw_id *id, const char *suffix)
{
    char time_text[32], id_text[GW_ID_TEXT_SIZE];
    time_t seconds = wall_us / GW_SECOND;
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(time_text, sizeof(time_text), "%Y-%m-%d/%H%M%S", &tm);
    snprintf(buffer, GW_MEDIA_PATH_SIZE, "media/%s/%s-%s%s", camera, time_text,
             gw_id_format(id_text, id), suffix);
    return buffer;
}

char *gw_clip_path(char buffer[GW_MEDIA_PATH_SIZE], const struct gw_clip *clip)
{
    return format_path(buffer, clip->camera, clip->start_us, &clip->id, ".mp4");
}

char *gw_event_snapshot_path(char buffer[GW_MEDIA_PATH_SIZE], const struct gw_event *event)
{
    return format_path(buffer, event->camera, event->start_us, &event->id, ".jpg");
}

char *gw_event_thumbnail_path(char buffer[GW_MEDIA_PATH_SIZE], const struct gw_event *event)
{
    return format_path(buffer, event->camera, event->start_us, &event->id, ".thumb.jpg");
}

const char *gw_clip_state_name(enum gw_clip_state state)
{
    return states[state];
}

int gw_clip_state_from_name(const char *name)
{
    return gw_find_name(states, GW_COUNT(states), name);
}
