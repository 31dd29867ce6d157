// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: what a camera may say in its parameter sets and slice heads (analyze/slice.h).
//
// The input's first byte is the codec (0 H.264, 1 H.265, by its lowest bit). What follows are
// pieces (pieces.h): the stream's extradata first, then access units.

#include <assert.h>

#include "analyze/slice.h"
#include "tests/fuzz/pieces.h"
#include "tests/fuzz/target.h"

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
