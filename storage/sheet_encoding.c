// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "storage/sheet_internal.h"

// The length of the UTF-8 character that begins at text, 0 when none does.
static size_t character_length(const unsigned char *text, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char first = *text;
    const size_t length = first < 0x80             ? 1
                          : (first & 0xe0) == 0xc0 ? 2
                          : (first & 0xf0) == 0xe0 ? 3
                          : (first & 0xf8) == 0xf0 ? 4
                                                   : 0;
    if (!length || length > left)
        return 0;
    uint32_t code = length == 1 ? first : first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3f);
    }
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    return code < least[length] || code > 0x10ffff || surrogate ? 0 : length;
}

struct utf8_count {
    size_t valid; // bytes before the first that is wrong
    int chinese;  // characters of three bytes
    int wrong;    // bytes that begin no character
};

static struct utf8_count count_utf8(const char *text, size_t size)
{
    struct utf8_count count = {.valid = size};
    size_t at = 0;

    while (at < size) {
        const size_t length = character_length((const unsigned char *)text + at, size - at);
        if (!length && !count.wrong++)
            count.valid = at;
        count.chinese += length == 3;
        at += length ? length : 1;
    }
    return count;
}

// Some broken bytes in what else is UTF-8 can be read as GB18030, as nonsense. In GB18030 hardly
// three bytes in a row look like a character of UTF-8.
static bool is_broken_utf8(const struct utf8_count *count)
{
    return count->wrong && count->chinese > 8 * count->wrong;
}

// How much of it is valid; *ret_known: whether this system knows GB18030 at all.
static size_t valid_gb18030(const char *text, size_t size, bool *ret_known)
{
    char sink[4096], *in = (char *)text; // iconv takes it so and leaves it alone
    size_t left = size;
    iconv_t convert = iconv_open("UTF-8", "GB18030");

    *ret_known = convert != (iconv_t)-1;
    if (!*ret_known)
        return 0;
    for (;;) {
        char *out = sink;
        size_t room = sizeof(sink);
        if (iconv(convert, &in, &left, &out, &room) != (size_t)-1 || errno != E2BIG)
            break;
    }
    iconv_close(convert);
    return size - left;
}

// What spreadsheet programs keep and people take for CSV.
static const char *find_other_format(const char *text, size_t size)
{
    if (size >= 2 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2)))
        return "this is UTF-16; save the sheet as CSV UTF-8";
    if (size >= 4 && (!memcmp(text, "PK\x03\x04", 4) || !memcmp(text, "\xd0\xcf\x11\xe0", 4)))
        return "this is a workbook; save the sheet as CSV UTF-8";
    if (memchr(text, 0, size < 4096 ? size : 4096))
        return "this is no text; save the sheet as CSV UTF-8";
    if (!memchr(text, '\n', size) && memchr(text, '\r', size))
        return "its lines end with CR alone; save the sheet as CSV UTF-8";
    return NULL;
}

int gw_sheet_detect(const char *text, size_t size, size_t *ret_wrong, const char **ret_what)
{
    bool known;

    *ret_wrong = 0;
    *ret_what = find_other_format(text, size);
    if (*ret_what)
        return -1;
    const struct utf8_count utf8 = count_utf8(text, size);
    if (!utf8.wrong)
        return GW_SHEET_UTF8;
    if (is_broken_utf8(&utf8)) {
        *ret_wrong = utf8.valid;
        *ret_what = "a character of UTF-8 is broken here; save the sheet as CSV UTF-8 again";
        return -1;
    }
    const size_t gb18030 = valid_gb18030(text, size, &known);
    if (known && gb18030 == size)
        return GW_SHEET_GB18030;
    *ret_wrong = utf8.valid > gb18030 ? utf8.valid : gb18030;
    *ret_what = known ? "this is neither UTF-8 nor GB18030; save the sheet as CSV UTF-8"
                      : "this is not UTF-8, and this system does not know GB18030; save the sheet "
                        "as CSV UTF-8";
    return -1;
}
