// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The Range header of RFC 9110: one range of bytes out of a file. Pure.
#pragma once

#include <stdint.h>

enum gw_range_kind {
    GW_RANGE_WHOLE,         // none asked for, or one that may be ignored: send everything (200)
    GW_RANGE_PART,          // send this part (206)
    GW_RANGE_UNSATISFIABLE, // nothing of it exists (416)
};

struct gw_range {
    uint64_t first, length; // bytes; only for GW_RANGE_PART, and then length > 0
};

// What a request with this Range header (NULL: without) wants of size bytes. As the RFC allows, a
// malformed header, another unit and several ranges at once mean the whole file.
enum gw_range_kind gw_range_parse(const char *header, uint64_t size, struct gw_range *ret);
