// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Pictures out of RTP payloads: H.264 (RFC 6184) and H.265 (RFC 7798), as Annex B.
//
//   rtp.h -> [assembler] -> session.c
//
// A picture ends with the packet that carries the marker bit, or when the next one begins. Cameras
// that never set the bit, or set it on every packet, are known: it is trusted only after it was
// right for some pictures, and never again once it was wrong. After a loss, pictures are let go up
// to the next keyframe that came whole, which begins with its first slice. Parameter sets go with
// the picture that follows, whatever their own time stamp is. Pure: times are arguments. Used by
// one thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libavcodec/codec_id.h>

// Larger pictures are let go. A keyframe of 8K at the best quality is smaller.
#define GW_ASSEMBLER_MOST_BYTES (16 << 20)

struct gw_picture {
    const uint8_t *bytes; // Annex B, AV_INPUT_BUFFER_PADDING_SIZE zeros behind it; borrowed
    size_t size;
    bool key;           // decodes without any other
    bool after_loss;    // pictures before it were let go or never came
    uint32_t timestamp; // RTP ticks
    int64_t mono_us;    // arrival of its last byte
};

struct gw_assembler;

struct gw_assembler_config {
    void *opaque;
    // A whole picture, in decoding order. Returns 0, or an error that ends the feeding.
    int (*picture)(void *opaque, const struct gw_picture *picture);
    // A picture was let go, because a part of it or of what it refers to is missing.
    void (*skipped)(void *opaque);
};

int gw_assembler_create(struct gw_assembler **ret, const struct gw_assembler_config *config);
void gw_assembler_destroy(struct gw_assembler **assembler);

// What comes from here on is this codec; what is unfinished is let go.
void gw_assembler_set_codec(struct gw_assembler *assembler, enum AVCodecID codec);

// The next payload in order. Returns 0, what picture returned, -ENOMEM.
int gw_assembler_feed(struct gw_assembler *assembler, const uint8_t *payload, size_t size,
                      uint32_t timestamp, bool marker, int64_t mono_us);

// Packets are missing before the next payload. Returns as feed.
int gw_assembler_lose(struct gw_assembler *assembler);
// The next payload is of a camera that began anew, or nothing follows: gives the last picture if it
// is whole.
int gw_assembler_finish(struct gw_assembler *assembler);
