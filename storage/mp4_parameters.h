// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The parameter sets in a sample entry, in the form that pictures have in an MP4. Private to
// storage/.
//
// A file may have several sample entries, but players take the first one only: what they need of
// another has to stand before its keyframes. Pure; any bytes.
#pragma once

#include <stdint.h>

// Writes them to out, each NAL unit behind its length in four bytes. Returns how many bytes, or 0
// when there are none, more than room, or the entry makes no sense.
int gw_mp4_find_parameters(const uint8_t *entry, int size, uint8_t *out, int room);
