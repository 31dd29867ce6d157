// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Big-endian numbers in MP4 boxes. Private to storage/.
#pragma once

#include <stdint.h>

static inline uint64_t gw_read_big_endian(const uint8_t *bytes, int size)
{
    uint64_t value = 0;
    for (int i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

// Returns where the next one goes.
static inline uint8_t *gw_put_big_endian(uint8_t *bytes, uint64_t value, int size)
{
    for (int i = size - 1; i >= 0; i--, value >>= 8)
        bytes[i] = (uint8_t)value;
    return bytes + size;
}
