// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/id.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/error.h"

struct gw_id gw_id_make(int64_t wall_us)
{
    struct gw_id id;
    uint64_t ms = wall_us < 0 ? 0 : (uint64_t)wall_us / 1000;

    // Never interrupted for 16 bytes once the kernel's generator is seeded; without it no id is
    // safe.
    if (getrandom(id.bytes, sizeof(id.bytes), 0) != sizeof(id.bytes))
        abort();
    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    id.bytes[6] = (id.bytes[6] & 0x0f) | 0x70; // version 7
    id.bytes[8] = (id.bytes[8] & 0x3f) | 0x80; // variant of RFC 9562
    return id;
}

static bool is_dash_position(int i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

char *gw_id_format(char buffer[GW_ID_TEXT_SIZE], const struct gw_id *id)
{
    static const char digits[] = "0123456789abcdef";
    int nibble = 0;
    for (int i = 0; i < GW_ID_TEXT_SIZE - 1; i++) {
        if (is_dash_position(i)) {
            buffer[i] = '-';
            continue;
        }
        uint8_t byte = id->bytes[nibble / 2];
        buffer[i] = digits[nibble % 2 ? byte & 15 : byte >> 4];
        nibble++;
    }
    buffer[GW_ID_TEXT_SIZE - 1] = 0;
    return buffer;
}

static int hex_value(char c)
{
    if (isdigit((unsigned char)c))
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int gw_id_parse(const char *text, struct gw_id *ret)
{
    struct gw_id id = {0};
    int nibble = 0;
    if (strlen(text) != GW_ID_TEXT_SIZE - 1)
        return GW_ERROR_INVALID;
    for (int i = 0; i < GW_ID_TEXT_SIZE - 1; i++) {
        if (is_dash_position(i)) {
            if (text[i] != '-')
                return GW_ERROR_INVALID;
            continue;
        }
        int value = hex_value(text[i]);
        if (value < 0)
            return GW_ERROR_INVALID;
        id.bytes[nibble / 2] |= (uint8_t)(value << (nibble % 2 ? 0 : 4));
        nibble++;
    }
    *ret = id;
    return 0;
}

bool gw_id_equal(const struct gw_id *a, const struct gw_id *b)
{
    return !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool gw_id_is_null(const struct gw_id *id)
{
    return gw_id_equal(id, &(struct gw_id){0});
}
