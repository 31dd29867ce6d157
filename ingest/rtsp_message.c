// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/rtsp_message.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/error.h"

enum { MOST_FIRST_LINE = 1024 };

// Copies [begin, end) without the white space around it.
static void copy_trimmed(const char *begin, const char *end, char *ret, size_t size)
{
    while (begin < end && isspace((unsigned char)*begin))
        begin++;
    while (end > begin && isspace((unsigned char)end[-1]))
        end--;
    size_t length = (size_t)(end - begin);
    if (length >= size)
        length = size - 1;
    memcpy(ret, begin, length);
    ret[length] = 0;
}

// The end of the line at *at, without its line break; *at moves behind that. NULL when it has none.
static const char *next_line(const char **at, const char *end)
{
    const char *feed = memchr(*at, '\n', (size_t)(end - *at));
    if (!feed)
        return NULL;
    *at = feed + 1;
    return feed;
}

static bool is_empty(const char *begin, const char *end)
{
    return begin == end || (end - begin == 1 && *begin == '\r');
}

// "RTSP/1.0 200 OK" or "OPTIONS rtsp://… RTSP/1.0".
static bool parse_first_line(const char *begin, const char *end, struct gw_rtsp_message *ret)
{
    char line[256];

    copy_trimmed(begin, end, line, sizeof(line));
    if (!strncmp(line, "RTSP/", 5)) {
        const char *space = strchr(line, ' ');
        ret->status = space ? atoi(space) : 0;
        return ret->status >= 100 && ret->status <= 599;
    }
    size_t length = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    if (!length || length >= sizeof(ret->method) || line[length] != ' ')
        return false;
    ret->is_request = true;
    memcpy(ret->method, line, length);
    return true;
}

static int parse_length(struct gw_rtsp_message *message)
{
    char text[16];

    if (!gw_rtsp_message_header(message, "Content-Length", 0, text, sizeof(text)))
        return 0;
    if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 9)
        return GW_ERROR_INVALID;
    message->body_size = (size_t)atol(text);
    return message->body_size > GW_RTSP_MOST_BODY ? GW_ERROR_INVALID : 0;
}

// Whether what has arrived of a first line can become one: it is text, and not endless.
static bool may_become_line(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size && bytes[i] != '\n'; i++)
        if (i == MOST_FIRST_LINE ||
            (iscntrl((unsigned char)bytes[i]) && !isspace((unsigned char)bytes[i])))
            return false;
    return true;
}

int gw_rtsp_message_parse(const char *bytes, size_t size, struct gw_rtsp_message *ret)
{
    const char *end = bytes + (size < GW_RTSP_MOST_HEAD ? size : GW_RTSP_MOST_HEAD), *at = bytes;
    const char *line_end = next_line(&at, end);
    struct gw_rtsp_message message = {0};

    if (line_end ? !parse_first_line(bytes, line_end, &message) : !may_become_line(bytes, size))
        return GW_ERROR_INVALID;
    message.head = at;
    for (const char *line = at; line_end && (line_end = next_line(&at, end)); line = at) {
        if (!is_empty(line, line_end))
            continue;
        message.head_size = (size_t)(line - message.head);
        message.size = (size_t)(at - bytes);
        int error = parse_length(&message);
        if (error < 0)
            return error;
        *ret = message;
        return 1;
    }
    return size >= GW_RTSP_MOST_HEAD ? GW_ERROR_INVALID : 0;
}

bool gw_rtsp_message_header(const struct gw_rtsp_message *message, const char *name, int n,
                            char *ret, size_t size)
{
    const char *at = message->head, *end = message->head + message->head_size;
    const size_t length = strlen(name);

    *ret = 0;
    for (const char *line = at, *line_end; (line_end = next_line(&at, end)); line = at) {
        const char *colon = memchr(line, ':', (size_t)(line_end - line));
        if (!colon)
            continue;
        const char *name_end = colon;
        while (name_end > line && isspace((unsigned char)name_end[-1]))
            name_end--;
        if ((size_t)(name_end - line) != length || strncasecmp(line, name, length) || n--)
            continue;
        copy_trimmed(colon + 1, line_end, ret, size);
        return true;
    }
    return false;
}

bool gw_rtsp_parameter(const char *header, const char *name, char *ret, size_t size)
{
    const size_t length = strlen(name);

    *ret = 0;
    while ((header = strchr(header, ';'))) {
        header += 1 + strspn(header + 1, " \t");
        if (strncasecmp(header, name, length))
            continue;
        const char *value = header + length + strspn(header + length, " \t");
        if (*value != '=')
            continue;
        value++;
        copy_trimmed(value, value + strcspn(value, ";,"), ret, size);
        return true;
    }
    return false;
}
