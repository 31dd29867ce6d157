// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: what a camera may say in its parameter sets and slice heads (analyze/slice.h).
//
// The input's first byte is the codec (0 H.264, 1 H.265, by its lowest bit). What follows are
// pieces, each with two bytes of length before it, big endian: the stream's extradata first, then
// access units. The last piece may be shorter than it says.

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/slice.h"
#include "tests/fuzz/target.h"

// The next piece, in memory of its own size so that a sanitizer sees a read beyond it. The caller
// frees it. NULL at the end.
static uint8_t *take_piece(const uint8_t **data, size_t *left, size_t *ret_size)
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_slice_reader *reader;
    struct gw_picture_info info;
    size_t left = size > 0 ? size - 1 : 0, piece_size = 0;
    const uint8_t *at = data + 1;
    uint8_t *piece;

    if (size == 0 || gw_slice_reader_create(&reader) < 0)
        return 0;
    piece = take_piece(&at, &left, &piece_size);
    gw_slice_reader_reset(reader, data[0] & 1 ? AV_CODEC_ID_HEVC : AV_CODEC_ID_H264, piece,
                          piece ? piece_size : 0);
    free(piece);
    while ((piece = take_piece(&at, &left, &piece_size))) {
        const bool understood = gw_slice_read(reader, piece, piece_size, &info);
        assert(info.slices >= 0 && info.slice_bytes >= 0 && (size_t)info.slice_bytes <= piece_size);
        assert(info.qp >= -1 && info.qp <= 51 + 6 * 8);
        assert(info.type >= GW_PICTURE_UNKNOWN && info.type <= GW_PICTURE_B);
        assert(!understood || info.slices > 0);
        free(piece);
    }
    gw_slice_reader_destroy(&reader);
    return 0;
}
