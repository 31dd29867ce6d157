// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A clip: one fragmented MP4 file of one camera, and what the index says of it. A plain value.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/camera.h"
#include "core/event.h"
#include "core/id.h"

enum gw_clip_state {
    GW_CLIP_RECORDING, // its file grows
    GW_CLIP_CLOSED,    // complete
    GW_CLIP_REPAIRED,  // its worker was lost; it ends with the last whole fragment
    GW_CLIP_LOST,      // its worker was lost before one whole fragment was on the disk
};

struct gw_clip {
    struct gw_id id;
    char camera[GW_CAMERA_ID_SIZE];
    enum gw_clip_state state;
    int64_t start_us, end_us; // wall, of its first picture and of the end of its last
    int64_t size_bytes;
    int64_t frames;
    char codec[8]; // "h264", "h265"
    int width, height;
    bool truncated; // packets are missing inside, because the disk was slower than the camera
    int64_t clock_offset_us; // the camera's clock minus ours at that time; GW_NO_TIME: not known
};

#define GW_MEDIA_PATH_SIZE 192

// Where media lies below the store: "media/<camera>/<UTC day>/<HHMMSS>-<id>.mp4" (".jpg" and
// ".thumb.jpg" for an event). A function of values that never change, so no path is ever stored.
// Returns buffer.
char *gw_clip_path(char buffer[GW_MEDIA_PATH_SIZE], const struct gw_clip *clip);
char *gw_event_snapshot_path(char buffer[GW_MEDIA_PATH_SIZE], const struct gw_event *event);
char *gw_event_thumbnail_path(char buffer[GW_MEDIA_PATH_SIZE], const struct gw_event *event);

const char *gw_clip_state_name(enum gw_clip_state state);
int gw_clip_state_from_name(const char *name); // -1 when unknown
