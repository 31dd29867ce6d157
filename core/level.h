// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// How much of a camera's pictures is decoded to find out whether something moves.
#pragma once

enum gw_level {
    GW_LEVEL_AUTO,      // chosen among the others, per camera, while it runs
    GW_LEVEL_GATE,      // decode when the bitstream says that something happens
    GW_LEVEL_KEYFRAMES, // decode keyframes, and the GOPs around one that shows something
    GW_LEVEL_FULL,      // decode everything
    GW_LEVEL_OFF,       // no analysis at all; an analyzer is never told this
};
enum { GW_LEVEL_COUNT = 5 };

const char *gw_level_name(enum gw_level level); // "auto", "gate", "keyframes", "full", "off"
int gw_level_from_name(const char *name);       // -1 when unknown
