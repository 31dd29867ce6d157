// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/nal.h"

#include <string.h>

// The next 00 00 01 at or after from; end when there is none. Ones are rare, so memchr() does it.
static const uint8_t *find_start_code(const uint8_t *from, const uint8_t *end)
{
    const uint8_t *one = end - from < 3 ? NULL : memchr(from + 2, 1, (size_t)(end - from - 2));

    while (one) {
        if (one[-1] == 0 && one[-2] == 0)
            return one - 2;
        one = memchr(one + 1, 1, (size_t)(end - one - 1));
    }
    return end;
}

void gw_nal_walk_begin(struct gw_nal_walk *walk, const uint8_t *data, size_t size, int length_size)
{
    *walk = (struct gw_nal_walk){data, data + size, length_size};
    if (length_size == 0)
        walk->at = find_start_code(data, walk->end);
}

static bool next_by_length(struct gw_nal_walk *walk, const uint8_t **ret, size_t *ret_size)
{
    size_t length = 0;

    if (walk->end - walk->at < walk->length_size)
        return false;
    for (int i = 0; i < walk->length_size; i++)
        length = length << 8 | *walk->at++;
    const size_t left = (size_t)(walk->end - walk->at);
    *ret = walk->at;
    *ret_size = length < left ? length : left;
    walk->at += *ret_size;
    return true;
}

bool gw_nal_walk_next(struct gw_nal_walk *walk, const uint8_t **ret, size_t *ret_size)
{
    if (walk->length_size > 0)
        return next_by_length(walk, ret, ret_size);
    if (walk->end - walk->at < 4)
        return false;
    *ret = walk->at + 3;
    walk->at = find_start_code(*ret, walk->end);
    *ret_size = (size_t)(walk->at - *ret);
    return true;
}

void gw_bits_begin(struct gw_bits *bits, const uint8_t *nal, size_t size, size_t header_size)
{
    int zeros = 0;

    bits->size = bits->at = 0;
    bits->bad = size < header_size;
    for (size_t i = header_size; i < size && bits->size < GW_NAL_HEAD; i++) {
        const bool prevention = zeros >= 2 && nal[i] == 3;
        zeros = nal[i] == 0 ? zeros + 1 : 0;
        if (!prevention)
            bits->bytes[bits->size++] = nal[i];
    }
}

uint32_t gw_bits_read(struct gw_bits *bits, int count)
{
    uint32_t value = 0;

    if (bits->at + (size_t)count > bits->size * 8) {
        bits->bad = true;
        return 0;
    }
    for (int i = 0; i < count; i++, bits->at++)
        value = value << 1 | (bits->bytes[bits->at / 8] >> (7 - bits->at % 8) & 1U);
    return value;
}

void gw_bits_skip(struct gw_bits *bits, int count)
{
    bits->at += (size_t)count;
    bits->bad |= bits->at > bits->size * 8;
}

bool gw_bits_flag(struct gw_bits *bits)
{
    return gw_bits_read(bits, 1) != 0;
}

uint32_t gw_bits_ue(struct gw_bits *bits, uint32_t limit)
{
    int zeros = 0;

    while (!bits->bad && !gw_bits_flag(bits))
        zeros++;
    if (bits->bad || zeros > 31) {
        bits->bad = true;
        return 0;
    }
    const uint32_t value = (UINT32_C(1) << zeros) - 1 + gw_bits_read(bits, zeros);
    if (value > limit || bits->bad) {
        bits->bad = true;
        return 0;
    }
    return value;
}

int32_t gw_bits_se(struct gw_bits *bits)
{
    const uint32_t code = gw_bits_ue(bits, 65535);
    const int32_t size = (int32_t)((code + 1) / 2);

    return code % 2 ? size : -size;
}
