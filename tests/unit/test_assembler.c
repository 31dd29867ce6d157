// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Pictures out of payloads, and what becomes of them when packets are missing.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/assembler.h"

enum { MOST_GOT = 64, MOST_BYTES = 512 };

static struct got {
    bool key, after_loss;
    uint32_t timestamp;
    int64_t mono_us;
    size_t size;
    uint8_t bytes[MOST_BYTES]; // as far as they fit
} got[MOST_GOT];
static int got_count, skipped_count;

static struct gw_assembler *assembler;

static int keep(void *opaque, const struct gw_picture *picture)
{
    assert_true(got_count < MOST_GOT);
    struct got *next = &got[got_count++];
    next->key = picture->key;
    next->after_loss = picture->after_loss;
    next->timestamp = picture->timestamp;
    next->mono_us = picture->mono_us;
    next->size = picture->size;
    memcpy(next->bytes, picture->bytes, picture->size < MOST_BYTES ? picture->size : MOST_BYTES);
    return 0;
}

static void count_skipped(void *opaque)
{
    skipped_count++;
}

static void create(enum AVCodecID codec)
{
    const struct gw_assembler_config config = {NULL, keep, count_skipped};
    gw_assembler_destroy(&assembler);
    got_count = skipped_count = 0;
    assert_int_equal(gw_assembler_create(&assembler, &config), 0);
    gw_assembler_set_codec(assembler, codec);
}

static int set_up(void **state)
{
    create(AV_CODEC_ID_H264);
    return 0;
}

static int tear_down(void **state)
{
    gw_assembler_destroy(&assembler);
    assert_null(assembler);
    return 0;
}

static int64_t clock_us;

// In memory of its own size, for a sanitizer to see a read beyond it.
static void feed(const uint8_t *payload, size_t size, uint32_t timestamp, bool marker)
{
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    if (size)
        memcpy(copy, payload, size);
    assert_int_equal(gw_assembler_feed(assembler, copy, size, timestamp, marker, ++clock_us), 0);
    free(copy);
}

static void lose(void)
{
    assert_int_equal(gw_assembler_lose(assembler), 0);
}

static void finish(void)
{
    assert_int_equal(gw_assembler_finish(assembler), 0);
}

#define FEED(timestamp, marker, ...)                                                               \
    do {                                                                                           \
        const uint8_t payload_[] = {__VA_ARGS__};                                                  \
        feed(payload_, sizeof(payload_), timestamp, marker);                                       \
    } while (0)

static void assert_got(int n, uint32_t timestamp, bool key, const uint8_t *bytes, size_t size)
{
    assert_true(n < got_count);
    assert_int_equal(got[n].timestamp, timestamp);
    assert_int_equal(got[n].key, key);
    assert_int_equal(got[n].size, size);
    assert_memory_equal(got[n].bytes, bytes, size);
}

#define ASSERT_GOT(n, timestamp, key, ...)                                                         \
    do {                                                                                           \
        const uint8_t bytes_[] = {__VA_ARGS__};                                                    \
        assert_got(n, timestamp, key, bytes_, sizeof(bytes_));                                     \
    } while (0)

#define START 0, 0, 0, 1

// First bytes of H.264 NAL units. In a slice the first bit behind the header is set when it is the
// picture's first, and the bits after it are its type.
#define SPS   0x67, 0x4d, 0x00, 0x1f
#define PPS   0x68, 0xee, 0x3c, 0x80
#define IDR   0x65, 0x88, 0x84, 0, 1, 2, 3, 4, 5, 6
#define IDR_2 0x65, 0x48, 0x84, 0, 1, 2, 3, 4, 5, 7 // not the first
#define P     0x41, 0x9a, 0x24, 0, 1, 2, 3, 4, 5, 8
#define P_2   0x41, 0x46, 0x24, 0, 1, 2, 3, 4, 5, 9 // not the first
#define I     0x41, 0x88, 0x84, 0, 1, 2, 3, 4, 5, 10
#define SEI   0x06, 0x05, 0x01, 0xaa, 0x80
#define POINT 0x06, 0x05, 0x01, 0xaa, 0x06, 0x01, 0xc4, 0x80 // a recovery point, at this picture

// A keyframe and some pictures more, so that the marker bit is believed from here on.
static uint32_t gain_trust(void)
{
    FEED(0, true, IDR);
    for (uint32_t i = 1; i <= 5; i++)
        FEED(i, true, P);
    assert_int_equal(got_count, 6);
    got_count = 0;
    return 6;
}

// --- H.264 ---------------------------------------------------------------------------------------

static void each_way_of_packing_gives_the_same_picture(void **state)
{
    // Alone.
    FEED(1, false, SPS);
    FEED(1, false, PPS);
    FEED(1, true, IDR);
    // Together.
    FEED(2, true, 0x78, 0, 4, SPS, 0, 4, PPS, 0, 10, IDR);
    // The sets together, the slice in three parts.
    FEED(3, false, 0x18, 0, 4, SPS, 0, 4, PPS);
    FEED(3, false, 0x7c, 0x85, 0x88);
    FEED(3, false, 0x7c, 0x05, 0x84, 0, 1, 2, 3);
    FEED(3, true, 0x7c, 0x45, 4, 5, 6);
    FEED(4, true, P);
    assert_int_equal(got_count, 3);
    ASSERT_GOT(0, 1, true, START, SPS, START, PPS, START, IDR);
    ASSERT_GOT(1, 2, true, START, SPS, START, PPS, START, IDR);
    // In so small a part its type does not show; it is an IDR picture all the same.
    ASSERT_GOT(2, 3, true, START, SPS, START, PPS, START, IDR);
    finish();
    ASSERT_GOT(3, 4, false, START, P);
    assert_int_equal(skipped_count, 0);
}

static void slices_of_one_picture_stay_together(void **state)
{
    for (uint32_t i = 0; i < 10; i++) {
        FEED(i, false, IDR);
        FEED(i, false, IDR_2);
        FEED(i, true, IDR_2);
    }
    finish();
    assert_int_equal(got_count, 10);
    for (int i = 0; i < 10; i++)
        ASSERT_GOT(i, (uint32_t)i, true, START, IDR, START, IDR_2, START, IDR_2);
}

static void pictures_before_the_first_keyframe_are_let_go(void **state)
{
    FEED(1, true, P);
    FEED(2, true, P);
    FEED(3, true, IDR);
    FEED(4, true, P);
    finish();
    assert_int_equal(skipped_count, 2);
    assert_int_equal(got_count, 2);
    assert_int_equal(got[0].timestamp, 3);
    assert_true(got[0].after_loss);
    assert_false(got[1].after_loss);
}

// A session begins anywhere, also within a keyframe.
static void a_keyframe_whose_first_slice_never_came_is_let_go(void **state)
{
    FEED(1, false, IDR_2);
    FEED(1, true, IDR_2);
    FEED(2, true, P);
    FEED(3, false, SPS);
    FEED(3, true, IDR);
    finish();
    assert_int_equal(got_count, 1);
    ASSERT_GOT(0, 3, true, START, SPS, START, IDR);
}

static void a_recovery_point_with_intra_slices_is_a_keyframe(void **state)
{
    FEED(1, false, POINT);
    FEED(1, true, I);
    FEED(2, true, P);
    FEED(3, false, SEI);
    FEED(3, true, I); // any picture may be intra
    FEED(4, false, POINT);
    FEED(4, false, I);
    FEED(4, true, P_2); // with a slice that needs others
    FEED(5, false, 0x06, 0x06, 0x01, 0x44, 0x80);
    FEED(5, true, I); // recovery comes some pictures later
    FEED(6, false, POINT);
    FEED(6, true, P);
    finish();
    assert_int_equal(got_count, 6);
    for (int i = 0; i < 6; i++)
        assert_int_equal(got[i].key, i == 0);
}

static void endless_sei_numbers_end_with_the_packet(void **state)
{
    uint8_t sei[200];
    memset(sei, 0xff, sizeof(sei));
    sei[0] = 0x06;
    for (size_t size = 1; size < sizeof(sei); size++)
        feed(sei, size, 1, false);
    FEED(1, true, 0x06, 0x06);
    FEED(1, true, 0x06, 0x06, 0x01);
    FEED(2, true, P);
    finish();
    assert_int_equal(got_count, 0);
}

// --- when a picture ends -------------------------------------------------------------------------

static void a_marker_that_was_right_for_a_while_ends_pictures_at_once(void **state)
{
    FEED(0, true, IDR);
    for (uint32_t i = 1; i <= 4; i++) {
        assert_int_equal(got_count, (int)i - 1); // given with the next one
        FEED(i, true, P);
    }
    FEED(5, false, P);
    assert_int_equal(got_count, 5);
    FEED(5, true, P_2);
    assert_int_equal(got_count, 6);
    assert_true(got[5].mono_us == clock_us);
    FEED(6, true, P);
    assert_int_equal(got_count, 7);
    assert_int_equal(skipped_count, 0);
}

static void a_marker_that_never_comes_is_not_waited_for(void **state)
{
    for (uint32_t i = 0; i < 20; i++) {
        FEED(i, false, IDR);
        const int64_t last_us = clock_us;
        FEED(i + 1, false, P);
        assert_true(got[got_count - 1].mono_us == last_us);
        i++;
    }
    assert_int_equal(got_count, 19);
    assert_int_equal(skipped_count, 0);
    finish(); // and nobody knows whether the last one is whole
    assert_int_equal(got_count, 19);
    assert_int_equal(skipped_count, 1);
}

static void a_marker_on_every_packet_ends_nothing(void **state)
{
    for (uint32_t i = 0; i < 20; i++) {
        FEED(i, true, SPS);
        FEED(i, true, IDR);
        FEED(i, true, IDR_2);
    }
    assert_int_equal(got_count, 19);
    for (int i = 0; i < 19; i++)
        ASSERT_GOT(i, (uint32_t)i, true, START, SPS, START, IDR, START, IDR_2);
    assert_int_equal(skipped_count, 0);
}

static void a_marker_that_begins_to_lie_costs_one_group_and_is_never_believed_again(void **state)
{
    uint32_t t = gain_trust();
    FEED(t, true, P); // given here
    FEED(t, true, P_2);
    FEED(t + 1, true, P);
    FEED(t + 2, true, IDR);
    FEED(t + 2, true, IDR_2);
    for (uint32_t i = 3; i < 12; i++) {
        FEED(t + i, true, P);
        FEED(t + i, true, P_2);
    }
    FEED(t + 12, true, IDR);
    assert_int_equal(skipped_count, 2);
    assert_int_equal(got_count, 11);
    assert_true(got[1].key && got[1].after_loss);
    ASSERT_GOT(1, t + 2, true, START, IDR, START, IDR_2);
    for (int i = 2; i < 11; i++)
        ASSERT_GOT(i, t + (uint32_t)i + 1, false, START, P, START, P_2);
}

static void parameter_sets_with_their_own_marker_stay_with_their_picture(void **state)
{
    for (uint32_t i = 0; i < 16; i += 2) {
        FEED(i, true, SPS);
        FEED(i, true, PPS);
        FEED(i, true, IDR);
        FEED(i + 1, true, P);
        if (i >= 6) // which is no lie
            assert_int_equal(got_count, (int)i + 2);
    }
    for (int i = 0; i < 16; i += 2)
        ASSERT_GOT(i, (uint32_t)i, true, START, SPS, START, PPS, START, IDR);
    assert_int_equal(skipped_count, 0);
}

// RFC 6184 gives them the time stamp of their picture, but some cameras do not.
static void parameter_sets_with_their_own_time_stamp_stay_with_their_picture(void **state)
{
    for (int trusted = 0; trusted < 2; trusted++) {
        create(AV_CODEC_ID_H264);
        uint32_t t = trusted ? gain_trust() : 0;
        FEED(t, false, SPS);
        FEED(t + 1, true, PPS);
        FEED(t + 2, true, IDR);
        // Those of the next one still have the time of the one before it.
        FEED(t + 3, true, P);
        FEED(t + 3, false, SPS);
        FEED(t + 3, false, PPS);
        FEED(t + 4, true, IDR);
        finish();
        assert_int_equal(got_count, 3);
        ASSERT_GOT(0, t + 2, true, START, SPS, START, PPS, START, IDR);
        ASSERT_GOT(1, t + 3, false, START, P);
        ASSERT_GOT(2, t + 4, true, START, SPS, START, PPS, START, IDR);
        assert_int_equal(skipped_count, 0);
    }
}

static void what_follows_a_picture_is_no_part_of_the_next(void **state)
{
    uint32_t t = gain_trust();
    FEED(t, true, P);
    FEED(t, true, 0x0c, 0xff, 0xff, 0x80); // filler
    FEED(t + 1, true, P);
    FEED(t + 1, true, 0x0a); // the end of a sequence
    FEED(t + 2, true, IDR);
    finish();
    assert_int_equal(got_count, 3);
    ASSERT_GOT(1, t + 1, false, START, P);
    ASSERT_GOT(2, t + 2, true, START, IDR);
}

static void pictures_of_the_same_time_are_told_by_their_first_slices(void **state)
{
    for (int trusted = 0; trusted < 2; trusted++) {
        create(AV_CODEC_ID_H264);
        uint32_t t = trusted ? gain_trust() : 0;
        FEED(t, false, SPS);
        FEED(t, false, IDR);
        FEED(t, true, IDR_2);
        FEED(t, false, P);
        FEED(t, true, P_2);
        FEED(t, true, P);
        const int64_t arrived_us = clock_us;
        FEED(t, false, SPS);
        FEED(t, false, IDR);
        FEED(t, true, IDR_2);
        finish();
        assert_int_equal(got_count, 4);
        assert_true(got[2].mono_us == arrived_us); // not when the next one told that it ended
        ASSERT_GOT(0, t, true, START, SPS, START, IDR, START, IDR_2);
        ASSERT_GOT(1, t, false, START, P, START, P_2);
        ASSERT_GOT(2, t, false, START, P);
        ASSERT_GOT(3, t, true, START, SPS, START, IDR, START, IDR_2);
        assert_int_equal(skipped_count, 0);
    }
}

// --- losses --------------------------------------------------------------------------------------

// Groups of a keyframe with its sets, its two slices in parts, and pictures of two slices.
enum { GROUPS = 4, PICTURES = 5, KEY_PACKETS = 6, OTHER_PACKETS = 4, SET_PACKETS = 2 };
enum { GROUP_PACKETS = KEY_PACKETS + (PICTURES - 1) * OTHER_PACKETS };

struct packet {
    int picture, nth; // of the picture's
    bool last;
    size_t size;
    uint8_t bytes[16];
};

static void make_packets(enum AVCodecID codec, struct packet *packets)
{
    static const struct packet h264[2][KEY_PACKETS] = {
        {{.size = 4, .bytes = {SPS}},
         {.size = 4, .bytes = {PPS}},
         {.size = 10, .bytes = {IDR}},
         {.size = 12, .bytes = {0x7c, 0x85, 0x48, 0x84, 0, 1, 2, 3, 4, 5, 6, 7}},
         {.size = 5, .bytes = {0x7c, 0x05, 8, 9, 10}},
         {.size = 3, .bytes = {0x7c, 0x45, 11}}},
        {{.size = 10, .bytes = {P}},
         {.size = 12, .bytes = {0x5c, 0x81, 0x46, 0x24, 0, 1, 2, 3, 4, 5, 6, 7}},
         {.size = 5, .bytes = {0x5c, 0x01, 8, 9, 10}},
         {.size = 3, .bytes = {0x5c, 0x41, 11}}},
    };
    static const struct packet h265[2][KEY_PACKETS] = {
        {{.size = 5, .bytes = {0x42, 1, 1, 1, 0x60}},
         {.size = 4, .bytes = {0x44, 1, 0xc0, 0x73}},
         {.size = 5, .bytes = {0x26, 1, 0xaf, 1, 2}},
         {.size = 6, .bytes = {0x62, 1, 0x93, 0x2f, 3, 4}},
         {.size = 5, .bytes = {0x62, 1, 0x13, 5, 6}},
         {.size = 4, .bytes = {0x62, 1, 0x53, 7}}},
        {{.size = 5, .bytes = {0x02, 1, 0xd0, 1, 2}},
         {.size = 6, .bytes = {0x62, 1, 0x81, 0x50, 3, 4}},
         {.size = 5, .bytes = {0x62, 1, 0x01, 5, 6}},
         {.size = 4, .bytes = {0x62, 1, 0x41, 7}}},
    };
    int count = 0;
    for (int picture = 0; picture < GROUPS * PICTURES; picture++) {
        const bool key = picture % PICTURES == 0;
        for (int nth = 0; nth < (key ? KEY_PACKETS : OTHER_PACKETS); nth++, count++) {
            packets[count] = codec == AV_CODEC_ID_HEVC ? h265[!key][nth] : h264[!key][nth];
            packets[count].picture = picture;
            packets[count].nth = nth;
            packets[count].last = nth + 1 == (key ? KEY_PACKETS : OTHER_PACKETS);
        }
    }
}

enum markers { RIGHT, NEVER, ALWAYS };

// Feeds all but packets [from, to).
static void play(const struct packet *packets, enum markers markers, int from, int to)
{
    for (int i = 0; i < GROUPS * GROUP_PACKETS; i++) {
        if (i == from)
            i = to;
        if (i == to && to > from)
            lose();
        if (i >= GROUPS * GROUP_PACKETS)
            return;
        const bool marker = markers == ALWAYS || (markers == RIGHT && packets[i].last);
        feed(packets[i].bytes, packets[i].size, (uint32_t)packets[i].picture * 3600, marker);
    }
}

// What has to be given: all but the pictures from `first` up to the keyframe `next`.
static void assert_all_but(int first, int next, int last, size_t key_size, size_t other_size)
{
    int n = 0;
    for (int picture = 0; picture < last; picture++) {
        if (picture == first)
            picture = next;
        if (picture >= last)
            break;
        const bool key = picture % PICTURES == 0;
        assert_true(n < got_count);
        assert_int_equal(got[n].timestamp, picture * 3600);
        assert_int_equal(got[n].key, key);
        assert_int_equal(got[n].after_loss, picture == next);
        if (picture != next) // a loss may have taken its parameter sets
            assert_int_equal(got[n].size, key ? key_size : other_size);
        n++;
    }
    assert_int_equal(got_count, n);
}

// What is lost from packet `from` to `to` costs the pictures up to the next whole keyframe.
static void check_loss(enum AVCodecID codec, const struct packet *packets, enum markers markers,
                       int from, int to, size_t key_size, size_t other_size)
{
    const int end = GROUPS * GROUP_PACKETS;
    // Without a marker to believe nobody knows that the picture before the hole is whole.
    // Nor does the first marker of all say so, because it may be on every packet.
    const bool known = markers == RIGHT && from != KEY_PACKETS;
    const struct packet *first = &packets[known || from == 0 ? from : from - 1];
    int next = packets[to - 1].picture;
    const bool only_sets = next % PICTURES == 0 && packets[to - 1].nth < SET_PACKETS &&
                           (packets[from].picture != next || packets[from].nth == 0);
    if (!only_sets)
        next = (next / PICTURES + 1) * PICTURES;

    create(codec);
    play(packets, markers, from, to);
    if (markers == RIGHT)
        finish();
    // The last one is whole when its marker came; else the next one would have to tell.
    const int last = GROUPS * PICTURES - (markers != RIGHT || to == end);
    assert_all_but(first->picture, next < last ? next : last, last, key_size, other_size);
}

static void check_losses(enum AVCodecID codec, size_t key_size, size_t other_size)
{
    static struct packet packets[GROUPS * GROUP_PACKETS];
    make_packets(codec, packets);
    for (enum markers markers = RIGHT; markers <= ALWAYS; markers++) {
        create(codec);
        play(packets, markers, -1, -1);
        assert_int_equal(got_count, GROUPS * PICTURES - (markers != RIGHT));
        assert_int_equal(skipped_count, 0);
        for (int size = 1; size <= 2 * GROUP_PACKETS; size++)
            for (int from = 0; from + size <= (GROUPS - 1) * GROUP_PACKETS; from++)
                check_loss(codec, packets, markers, from, from + size, key_size, other_size);
    }
}

static void a_loss_anywhere_costs_the_pictures_up_to_the_next_whole_keyframe(void **state)
{
    check_losses(AV_CODEC_ID_H264, 4 * 4 + 4 + 4 + 10 + 11 + 3 + 1, 4 * 2 + 10 + 11 + 3 + 1);
}

static void a_loss_anywhere_in_h265_costs_the_same(void **state)
{
    check_losses(AV_CODEC_ID_HEVC, 4 * 4 + 5 + 4 + 5 + 5 + 2 + 1, 4 * 2 + 5 + 5 + 2 + 1);
}

static void a_part_whose_beginning_or_end_is_missing_damages_its_picture(void **state)
{
    FEED(1, true, IDR);
    // The end never comes, and no hole in the numbers says so.
    FEED(2, false, 0x5c, 0x81, 0x9a, 0, 1, 2, 3, 4, 5, 6);
    FEED(3, true, IDR);
    // It begins twice.
    FEED(4, false, 0x5c, 0x81, 0x9a, 0, 1, 2, 3, 4, 5, 6);
    FEED(4, false, 0x5c, 0x81, 0x9a, 0, 1, 2, 3, 4, 5, 6);
    FEED(4, true, 0x5c, 0x41, 7);
    FEED(5, true, IDR);
    // It has no beginning.
    FEED(6, false, P);
    FEED(6, true, 0x5c, 0x41, 7);
    FEED(7, true, IDR);
    finish();
    assert_int_equal(got_count, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(got[i].timestamp, 2 * i + 1);
    assert_true(got[1].after_loss && got[2].after_loss && got[3].after_loss);
    assert_int_equal(skipped_count, 4); // the one that began twice is two
}

static void an_aggregate_that_is_cut_damages_its_picture(void **state)
{
    FEED(1, true, IDR);
    FEED(2, true, 0x78, 0, 10, P, 0, 200, P_2);
    FEED(3, true, IDR);
    FEED(4, true, 0x78, 0, 10, P, 0, 0, P_2);
    FEED(5, true, 0x78, 0, 4, SPS, 0, 10, IDR);
    finish();
    assert_int_equal(got_count, 3);
    ASSERT_GOT(2, 5, true, START, SPS, START, IDR);
}

static void a_picture_beyond_the_limit_is_let_go(void **state)
{
    enum { PART = 60000 };
    uint8_t *part = calloc(1, PART);
    assert_non_null(part);
    memcpy(part, (const uint8_t[]){0x7c, 0x85, 0x88, 0x84}, 4);
    feed(part, PART, 1, false);
    part[1] = 0x05;
    for (int i = 0; i < GW_ASSEMBLER_MOST_BYTES / PART + 10; i++)
        feed(part, PART, 1, false);
    part[1] = 0x45;
    feed(part, PART, 1, true);
    free(part);
    FEED(2, true, P);
    FEED(3, true, IDR);
    FEED(4, true, P);
    finish();
    assert_int_equal(skipped_count, 2);
    assert_int_equal(got_count, 2);
    assert_true(got[0].after_loss);
    ASSERT_GOT(0, 3, true, START, IDR);
}

static void payloads_without_sense_are_passed_over(void **state)
{
    FEED(1, false, IDR);
    feed(NULL, 0, 1, false);
    FEED(1, false, 0x00);             // no type
    FEED(1, false, 0x7c);             // a part without its header
    FEED(1, false, 0x7c, 0x85);       // and without its content
    FEED(1, false, 0x78);             // nothing together
    FEED(1, false, 0x79, 1, 2, 3, 4); // kinds that nobody sends
    FEED(1, false, 0x7d, 1, 2, 3, 4);
    FEED(1, false, 0x1f, 1, 2, 3, 4);
    FEED(1, true, IDR_2);
    finish();
    assert_int_equal(got_count, 1);
    ASSERT_GOT(0, 1, true, START, IDR, START, IDR_2);
}

// --- H.265 ---------------------------------------------------------------------------------------

#define H265_P   0x02, 1, 0xd0, 1
#define H265_P_2 0x02, 1, 0x50, 1

static void each_way_of_packing_h265_gives_the_same_picture(void **state)
{
    create(AV_CODEC_ID_HEVC);
    FEED(1, false, 0x40, 1, 0x0c, 1);
    FEED(1, true, 0x26, 1, 0xaf, 1, 2, 3);
    FEED(2, true, 0x60, 1, 0, 4, 0x40, 1, 0x0c, 1, 0, 6, 0x26, 1, 0xaf, 1, 2, 3);
    FEED(3, false, 0x40, 1, 0x0c, 1);
    FEED(3, false, 0x62, 1, 0x93, 0xaf);
    FEED(3, false, 0x62, 1, 0x13, 1, 2);
    FEED(3, true, 0x62, 1, 0x53, 3);
    FEED(4, true, H265_P);
    finish();
    assert_int_equal(got_count, 4);
    for (int i = 0; i < 3; i++)
        ASSERT_GOT(i, (uint32_t)i + 1, true, START, 0x40, 1, 0x0c, 1, START, 0x26, 1, 0xaf, 1, 2,
                   3);
    ASSERT_GOT(3, 4, false, START, H265_P);
}

static void keyframes_of_h265_are_told_by_their_type(void **state)
{
    create(AV_CODEC_ID_HEVC);
    for (int type = 31; type >= 0; type--)
        FEED((uint32_t)(100 - type), true, (uint8_t)(type << 1), 1, 0xaf, 1);
    finish();
    // What comes before the first keyframe is let go.
    assert_int_equal(got_count, 22);
    for (int i = 0; i < got_count; i++) {
        const int type = 100 - (int)got[i].timestamp;
        assert_int_equal(got[i].key, type >= 16 && type <= 21);
    }
}

static void slices_of_h265_stay_together(void **state)
{
    create(AV_CODEC_ID_HEVC);
    for (uint32_t i = 0; i < 10; i++) {
        FEED(i, false, 0x46, 1, 0x50);
        FEED(i, false, 0x26, 1, 0xaf, 1);
        FEED(i, false, 0x26, 1, 0x2f, 1);
        FEED(i, true, 0x50, 1, 0x80); // an SEI behind it
    }
    finish();
    assert_int_equal(got_count, 10);
    for (int i = 0; i < 10; i++)
        ASSERT_GOT(i, (uint32_t)i, true, START, 0x46, 1, 0x50, START, 0x26, 1, 0xaf, 1, START, 0x26,
                   1, 0x2f, 1, START, 0x50, 1, 0x80);
}

static void payloads_of_h265_without_sense_are_passed_over(void **state)
{
    create(AV_CODEC_ID_HEVC);
    FEED(1, false, 0x26, 1, 0xaf, 1);
    FEED(1, false, 0x26);
    FEED(1, false, 0x26, 1);
    FEED(1, false, 0x62, 1, 0x93);
    FEED(1, false, 0x60, 1);
    FEED(1, false, 0x64, 1, 2, 3);
    FEED(1, true, 0x26, 1, 0x2f, 1);
    finish();
    assert_int_equal(got_count, 1);
    ASSERT_GOT(0, 1, true, START, 0x26, 1, 0xaf, 1, START, 0x26, 1, 0x2f, 1);
}

// --- other ---------------------------------------------------------------------------------------

static void a_codec_that_changes_begins_with_a_keyframe(void **state)
{
    FEED(1, true, IDR);
    FEED(2, true, P);
    gw_assembler_set_codec(assembler, AV_CODEC_ID_HEVC);
    FEED(3, true, H265_P);
    FEED(4, true, 0x26, 1, 0xaf, 1);
    finish();
    assert_int_equal(got_count, 2);
    assert_int_equal(got[0].timestamp, 1);
    ASSERT_GOT(1, 4, true, START, 0x26, 1, 0xaf, 1);
}

static int refuse(void *opaque, const struct gw_picture *picture)
{
    return -EPERM;
}

static void an_error_of_the_taker_ends_the_feeding(void **state)
{
    static const uint8_t idr[] = {IDR};
    const struct gw_assembler_config config = {NULL, refuse, count_skipped};
    gw_assembler_destroy(&assembler);
    assert_int_equal(gw_assembler_create(&assembler, &config), 0);
    gw_assembler_set_codec(assembler, AV_CODEC_ID_H264);
    assert_int_equal(gw_assembler_feed(assembler, idr, sizeof(idr), 1, true, 1), 0);
    assert_int_equal(gw_assembler_feed(assembler, idr, sizeof(idr), 2, true, 1), -EPERM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_way_of_packing_gives_the_same_picture),
        TEST(slices_of_one_picture_stay_together),
        TEST(pictures_before_the_first_keyframe_are_let_go),
        TEST(a_keyframe_whose_first_slice_never_came_is_let_go),
        TEST(a_recovery_point_with_intra_slices_is_a_keyframe),
        TEST(endless_sei_numbers_end_with_the_packet),
        TEST(a_marker_that_was_right_for_a_while_ends_pictures_at_once),
        TEST(a_marker_that_never_comes_is_not_waited_for),
        TEST(a_marker_on_every_packet_ends_nothing),
        TEST(a_marker_that_begins_to_lie_costs_one_group_and_is_never_believed_again),
        TEST(parameter_sets_with_their_own_marker_stay_with_their_picture),
        TEST(parameter_sets_with_their_own_time_stamp_stay_with_their_picture),
        TEST(what_follows_a_picture_is_no_part_of_the_next),
        TEST(pictures_of_the_same_time_are_told_by_their_first_slices),
        TEST(a_loss_anywhere_costs_the_pictures_up_to_the_next_whole_keyframe),
        TEST(a_loss_anywhere_in_h265_costs_the_same),
        TEST(a_part_whose_beginning_or_end_is_missing_damages_its_picture),
        TEST(an_aggregate_that_is_cut_damages_its_picture),
        TEST(a_picture_beyond_the_limit_is_let_go),
        TEST(payloads_without_sense_are_passed_over),
        TEST(each_way_of_packing_h265_gives_the_same_picture),
        TEST(keyframes_of_h265_are_told_by_their_type),
        TEST(slices_of_h265_stay_together),
        TEST(payloads_of_h265_without_sense_are_passed_over),
        TEST(a_codec_that_changes_begins_with_a_keyframe),
        TEST(an_error_of_the_taker_ends_the_feeding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
