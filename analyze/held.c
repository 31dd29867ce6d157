// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/held.h"

#include "core/clock.h"

// Handles are held on so many bytes: two GOPs of 2 s at 5 Mb/s. What does not fit is decoded.
#define HELD_BYTES (5 << 19)

static void handle_frame(void *opaque, const struct gw_frame *frame)
{
    struct gw_held *held = opaque;

    if (held->peek) {
        held->peeked = true;
        held->peek(held->peek_opaque, frame);
    } else if (gw_held_is_new(held, frame->wall_us)) {
        held->config.picture(held->config.opaque, frame);
    }
}

int gw_held_init(struct gw_held *held, const struct gw_held_config *config)
{
    const struct gw_decoder_config decoder = {.opaque = held, .frame = handle_frame};

    *held = (struct gw_held){.config = *config, .seen_until_us = GW_NO_TIME};
    return gw_decoder_create(&held->decoder, &decoder);
}

void gw_held_finish(struct gw_held *held)
{
    gw_gop_finish(&held->now);
    gw_gop_finish(&held->before);
    gw_decoder_destroy(&held->decoder);
}

struct gw_gop_packet *gw_held_push(struct gw_held *held, const struct gw_packet *packet)
{
    return gw_gop_push(&held->now, packet);
}

static void let_go(struct gw_held *held, struct gw_gop *gop)
{
    for (int i = 0; i < gop->count; i++)
        held->config.let_go(held->config.opaque, &gop->packets[i]);
    gw_gop_clear(gop);
}

// --- decoding ------------------------------------------------------------------------------------

// Puts the decoder at the beginning of a GOP. What was looked at already is not looked at again.
static void rewind_gop(struct gw_held *held, struct gw_gop *gop, int64_t looked_us)
{
    gw_decoder_reset(held->decoder);
    gop->fed = 0;
    held->drained = false;
    held->seen_until_us = looked_us;
}

// Decodes the packets that were not. Returns the first error.
static int decode(struct gw_held *held, struct gw_gop *gop, bool references)
{
    int error = 0;

    for (; gop->fed < gop->count; gop->fed++) {
        struct gw_gop_packet *entry = &gop->packets[gop->fed];
        if (references && !entry->reference)
            continue;
        entry->decoded = true;
        const int result = gw_decoder_feed(held->decoder, &entry->packet);
        error = error < 0 ? error : result;
    }
    return error;
}

int gw_held_decode(struct gw_held *held, bool references, int64_t looked_us)
{
    if (held->now.fed == held->now.count)
        return 0;
    let_go(held, &held->before);
    if (held->drained)
        rewind_gop(held, &held->now, looked_us);
    return decode(held, &held->now, references);
}

int gw_held_decode_before(struct gw_held *held, int64_t looked_us)
{
    if (held->before.count == 0)
        return 0;
    rewind_gop(held, &held->before, looked_us);
    const int error = decode(held, &held->before, false);
    gw_decoder_drain(held->decoder);
    let_go(held, &held->before);
    held->drained = held->now.fed > 0; // the decoder was at what came in
    return error;
}

void gw_held_rewind(struct gw_held *held, int64_t looked_us)
{
    rewind_gop(held, &held->now, looked_us);
}

void gw_held_reset(struct gw_held *held)
{
    gw_decoder_reset(held->decoder);
}

void gw_held_peek(struct gw_held *held, void (*peek)(void *opaque, const struct gw_frame *frame),
                  void *opaque)
{
    gw_decoder_reset(held->decoder);
    held->peek = peek;
    held->peek_opaque = opaque;
    held->peeked = false;
    held->now.fed = 0;
    decode(held, &held->now, false);
    // With B-frames the picture waits inside for others; getting it out costs the decoder's place.
    const bool waits = !held->peeked;
    if (waits)
        gw_decoder_drain(held->decoder);
    // Pictures after the first were not looked at.
    held->drained = waits || held->now.count > 1;
    held->peek = NULL;
}

void gw_held_drain(struct gw_held *held)
{
    gw_decoder_drain(held->decoder);
}

void gw_held_rest(struct gw_held *held, int64_t wall_us)
{
    if (!gw_decoder_rests(held->decoder, wall_us))
        return;
    if (held->drained) // it begins anew in any case
        gw_decoder_reset(held->decoder);
    gw_decoder_rest(held->decoder, wall_us);
}

bool gw_held_is_new(const struct gw_held *held, int64_t wall_us)
{
    return held->seen_until_us == GW_NO_TIME || wall_us > held->seen_until_us;
}

// --- letting go ----------------------------------------------------------------------------------

// What comes next begins with a keyframe.
static void begin_gop(struct gw_held *held)
{
    held->broken = held->drained = false;
    held->seen_until_us = GW_NO_TIME;
}

void gw_held_end_gop(struct gw_held *held, bool longer)
{
    struct gw_gop *now = &held->now, *before = &held->before;
    const bool all_fed = now->fed == now->count && !held->drained;
    const bool done = all_fed || held->broken;

    if (longer && gw_gop_append(before, now) >= 0) {
        gw_decoder_reset(held->decoder);
        begin_gop(held);
        return;
    }
    let_go(held, before);
    if (done) {
        let_go(held, now);
    } else {
        const struct gw_gop empty = *before;
        *before = *now;
        *now = empty;
    }
    // The decoder goes on only where nothing was left out.
    if (!all_fed)
        gw_decoder_reset(held->decoder);
    begin_gop(held);
}

void gw_held_drop_before(struct gw_held *held)
{
    let_go(held, &held->before);
}

void gw_held_drop_done(struct gw_held *held)
{
    if (held->now.fed < held->now.count || held->drained)
        return;
    let_go(held, &held->before);
    let_go(held, &held->now);
    held->broken = true;
}

void gw_held_forget(struct gw_held *held)
{
    let_go(held, &held->before);
    let_go(held, &held->now);
    held->drained = false;
    held->seen_until_us = GW_NO_TIME;
}

bool gw_held_now_is_full(const struct gw_held *held)
{
    return held->now.bytes > HELD_BYTES;
}

bool gw_held_is_full(const struct gw_held *held)
{
    return held->now.bytes + held->before.bytes > HELD_BYTES;
}
