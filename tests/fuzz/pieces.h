// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// How targets cut their input: pieces with two bytes of length before each, big endian. The last
// one may be shorter than it says.
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// The next piece, in memory of its own size so that a sanitizer sees a read beyond it. The caller
// frees it. NULL at the end.
static inline uint8_t *take_piece(const uint8_t **data, size_t *left, size_t *ret_size)
{
    if (*left < 2)
        return NULL;
    const size_t said = (size_t)(*data)[0] << 8 | (*data)[1], rest = *left - 2;
    const size_t size = said < rest ? said : rest;
    uint8_t *piece = malloc(size > 0 ? size : 1);

    if (!piece)
        abort();
    memcpy(piece, *data + 2, size);
    *data += 2 + size;
    *left = rest - size;
    *ret_size = size;
    return piece;
}

// The input as a string, which a zero byte in it ends. The caller frees it.
static inline char *take_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = 0;
    return text;
}
