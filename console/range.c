// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/range.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

// Reads digits; a number beyond 64 bits becomes the largest one. Returns how many digits there
// were.
static int parse_number(const char **text, uint64_t *ret)
{
    int digits = 0;

    *ret = 0;
    for (; isdigit((unsigned char)**text); (*text)++, digits++)
        if (__builtin_mul_overflow(*ret, 10u, ret) ||
            __builtin_add_overflow(*ret, (unsigned)(**text - '0'), ret))
            *ret = UINT64_MAX;
    return digits;
}

static bool at_end(const char *text)
{
    return text[strspn(text, " \t")] == '\0';
}

static enum gw_range_kind last_bytes(uint64_t count, uint64_t size, struct gw_range *ret)
{
    if (count == 0 || size == 0)
        return GW_RANGE_UNSATISFIABLE;
    ret->length = count < size ? count : size;
    ret->first = size - ret->length;
    return GW_RANGE_PART;
}

enum gw_range_kind gw_range_parse(const char *header, uint64_t size, struct gw_range *ret)
{
    uint64_t first, last;

    if (!header || strncasecmp(header, "bytes=", 6))
        return GW_RANGE_WHOLE;
    header += 6;
    header += strspn(header, " \t");
    int first_digits = parse_number(&header, &first);
    if (*header++ != '-')
        return GW_RANGE_WHOLE;
    int last_digits = parse_number(&header, &last);
    if (!at_end(header) || (!first_digits && !last_digits))
        return GW_RANGE_WHOLE;

    if (!first_digits)
        return last_bytes(last, size, ret);
    if (last_digits && last < first)
        return GW_RANGE_WHOLE;
    if (first >= size)
        return GW_RANGE_UNSATISFIABLE;
    ret->first = first;
    ret->length = (last_digits && last < size ? last + 1 : size) - first;
    return GW_RANGE_PART;
}
