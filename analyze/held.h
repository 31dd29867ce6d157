// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What is held of a stream, and the decoder that it is given to sooner, later, or never: the GOP
// that comes in, and what came before it while that may still be wanted.
//
//   analyzer.c, plan.c, key_look.c -> [held: gop.c -> decode.c] -> pictures
//
// A GOP may be decoded twice (its first pictures to peek at them, then all of it), but no picture
// is handed out twice to be looked at. Used by one thread at a time.
#pragma once

#include <stdbool.h>

#include "analyze/decode.h"
#include "analyze/gop.h"
#include "core/frame.h"
#include "core/packet.h"

struct gw_held_config {
    void *opaque;
    // A picture to look at, in order of capture. Borrowed.
    void (*picture)(void *opaque, const struct gw_frame *frame);
    // A packet is let go, in order of decoding: now it is settled whether it is decoded.
    void (*let_go)(void *opaque, const struct gw_gop_packet *packet);
};

// Its fields may be read; verbs change them.
struct gw_held {
    struct gw_held_config config;
    struct gw_decoder *decoder;
    struct gw_gop now, before; // the GOP that comes in; what came before it
    bool broken;               // the head of what came in is not held any more
    bool drained;              // the decoder has lost its place in the GOP
    int64_t seen_until_us;     // pictures up to here were looked at before; GW_NO_TIME for none
    // While somebody peeks, pictures are theirs.
    void (*peek)(void *opaque, const struct gw_frame *frame);
    void *peek_opaque;
    bool peeked; // and got one
};

// Returns 0 or -ENOMEM. The struct stays where it is until finished.
int gw_held_init(struct gw_held *held, const struct gw_held_config *config);
void gw_held_finish(struct gw_held *held); // lets go without a word

// Holds a packet of the GOP that comes in. Returns its entry, or NULL without memory.
struct gw_gop_packet *gw_held_push(struct gw_held *held, const struct gw_packet *packet);

// --- decoding; each returns the first error or 0 -------------------------------------------------

// Decodes what came in since the last time; references: only what other pictures need. What came
// before is let go. looked_us: pictures up to then were looked at.
int gw_held_decode(struct gw_held *held, bool references, int64_t looked_us);
// Decodes what came before, and lets go of it.
int gw_held_decode_before(struct gw_held *held, int64_t looked_us);
// What came in is decoded from its keyframe on when it is decoded next.
void gw_held_rewind(struct gw_held *held, int64_t looked_us);
// Decodes what came in, which is a keyframe and perhaps a few more, and hands out the pictures to
// peek: they do not count as looked at.
void gw_held_peek(struct gw_held *held, void (*peek)(void *opaque, const struct gw_frame *frame),
                  void *opaque);
// The decoder hands out what is still inside, or forgets it; then it waits for a keyframe.
void gw_held_drain(struct gw_held *held);
void gw_held_reset(struct gw_held *held);
// It is wall_us of the media now: a decoder that nobody needed for a second gives its memory back,
// unless it has its place in the GOP that comes in.
void gw_held_rest(struct gw_held *held, int64_t wall_us);
// Whether a picture was not looked at before.
bool gw_held_is_new(const struct gw_held *held, int64_t wall_us);

// --- letting go ----------------------------------------------------------------------------------

// The next packet is a keyframe: what came in becomes what came before, unless it is done with.
// longer: what came before is still wanted too.
void gw_held_end_gop(struct gw_held *held, bool longer);
void gw_held_drop_before(struct gw_held *held);
// What came in, if all of it was decoded: it will not be again, and neither will what came before.
void gw_held_drop_done(struct gw_held *held);
// All of it.
void gw_held_forget(struct gw_held *held);

// At most 2.5 MB are held: whether what came in is more than that alone, or with what came before.
bool gw_held_now_is_full(const struct gw_held *held);
bool gw_held_is_full(const struct gw_held *held);
