// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// That an event, a clip or a gap was deleted, and why. Plain values, copied freely.
#pragma once

#include <stdint.h>

#include "core/camera.h"
#include "core/id.h"

enum gw_deletion_reason {
    GW_DELETED_EXPIRED, // its ceiling was reached: it must not be kept any longer
    GW_DELETED_ROOM,    // the disk was too small for its floor
    GW_DELETED_MISSING, // its file was gone already, as fsck --repair found
};

struct gw_deletion {
    struct gw_id id;
    char camera[GW_CAMERA_ID_SIZE];
    int64_t start_us; // of what was deleted
    enum gw_deletion_reason reason;
};

const char *gw_deletion_reason_name(enum gw_deletion_reason reason); // "expired", "room", "missing"
int gw_deletion_reason_from_name(const char *name);                  // -1 when unknown
