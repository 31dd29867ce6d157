// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The decoder of one camera: packets in, pictures out, errors counted and survived.
//
//   held.c -> [decode] -> held.c -> look.c
//
// One libavcodec decoder with one thread: cores are shared between cameras, not within one.
// Used by one thread at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/frame.h"
#include "core/packet.h"

struct gw_decoder;

struct gw_decoder_config {
    void *opaque;
    void (*frame)(void *opaque, const struct gw_frame *frame); // in order of capture; borrowed
};

struct gw_decoder_counters {
    uint64_t packets, decoded, errors;
};

// Returns 0 or -ENOMEM. The decoder itself is made when the first packet says which.
int gw_decoder_create(struct gw_decoder **ret, const struct gw_decoder_config *config);
void gw_decoder_destroy(struct gw_decoder **decoder);

// Decodes and calls back for every picture that is ready. Packets before the first keyframe are
// skipped, and so are pictures that were captured before it: they lack what they refer to. A packet
// of another stream than the last hands out what the old decoder held and starts a new one. Returns
// 0 (also for a packet that the decoder refused), -ENOMEM, or an FFmpeg code when no decoder could
// be made.
int gw_decoder_feed(struct gw_decoder *decoder, const struct gw_packet *packet);

// Hands out what is still inside, then waits for the next keyframe.
void gw_decoder_drain(struct gw_decoder *decoder);

// Forgets what is inside, then waits for the next keyframe.
void gw_decoder_reset(struct gw_decoder *decoder);

// Whether there is a decoder that has had nothing to do for a second. It is wall_us of the media
// now.
bool gw_decoder_rests(const struct gw_decoder *decoder, int64_t wall_us);
// One that rests and waits for a keyframe gives back what it decodes with, a dozen megabytes for
// 1080p; the next packet makes it anew, with the same pictures.
void gw_decoder_rest(struct gw_decoder *decoder, int64_t wall_us);

void gw_decoder_count(const struct gw_decoder *decoder, struct gw_decoder_counters *ret);
