// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: pictures out of payloads (ingest/assembler.h).
//
// The first byte is the codec (0 H.264, 1 H.265, by its lowest bit). Then pieces (pieces.h), each
// with a byte before the payload: bit 0 the marker, bits 1 and 2 how far the time stamp moves, bit
// 3 a loss before it, bit 4 an end before it, bit 5 the other codec from here on.

#include <assert.h>

#include <libavcodec/defs.h>

#include "ingest/assembler.h"
#include "tests/fuzz/pieces.h"
#include "tests/fuzz/target.h"

struct check {
    size_t fed;    // bytes of payload since the beginning
    bool any;      // a picture was given
    bool need_key; // after a loss, or at the beginning
};

static int check_picture(void *opaque, const struct gw_picture *picture)
{
    struct check *check = opaque;

    // What is left of a payload at worst is a start code before each of its bytes.
    assert(picture->size > 4 && picture->size <= 4 * check->fed);
    assert(!memcmp(picture->bytes, (const uint8_t[]){0, 0, 0, 1}, 4));
    for (int i = 0; i < AV_INPUT_BUFFER_PADDING_SIZE; i++)
        assert(!picture->bytes[picture->size + (size_t)i]);
    assert(picture->key || (check->any && !picture->after_loss));
    assert(picture->key || !check->need_key);
    check->any = true;
    check->need_key = false;
    return 0;
}

static void check_skipped(void *opaque)
{
    struct check *check = opaque;
    check->need_key = true;
}

static int feed(struct gw_assembler *assembler, struct check *check, enum AVCodecID *codec,
                const uint8_t *piece, size_t size, uint32_t *timestamp)
{
    const uint8_t flags = piece[0];
    int error = 0;

    *timestamp += (flags >> 1 & 3) * 3600U;
    if (flags & 0x10)
        error = gw_assembler_finish(assembler);
    if (!error && flags & 0x08) {
        error = gw_assembler_lose(assembler);
        check->need_key = true;
    }
    if (flags & 0x20) {
        *codec = *codec == AV_CODEC_ID_H264 ? AV_CODEC_ID_HEVC : AV_CODEC_ID_H264;
        gw_assembler_set_codec(assembler, *codec);
        check->need_key = true;
    }
    check->fed += size + 1;
    return error ? error
                 : gw_assembler_feed(assembler, piece + 1, size - 1, *timestamp, flags & 1, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct check check = {.need_key = true};
    const struct gw_assembler_config config = {&check, check_picture, check_skipped};
    struct gw_assembler *assembler;
    uint32_t timestamp = 0xffff0000;
    size_t left = size > 0 ? size - 1 : 0, piece_size;
    const uint8_t *at = data + 1;
    uint8_t *piece;

    if (size == 0 || gw_assembler_create(&assembler, &config) < 0)
        return 0;
    enum AVCodecID codec = data[0] & 1 ? AV_CODEC_ID_HEVC : AV_CODEC_ID_H264;
    gw_assembler_set_codec(assembler, codec);
    while ((piece = take_piece(&at, &left, &piece_size))) {
        if (piece_size > 0)
            assert(feed(assembler, &check, &codec, piece, piece_size, &timestamp) == 0);
        free(piece);
    }
    assert(gw_assembler_finish(assembler) == 0);
    gw_assembler_destroy(&assembler);
    return 0;
}
