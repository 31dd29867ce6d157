// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <strings.h>

#include "storage/sheet_internal.h"

struct word {
    const char *text;
    int value;
};

static int find(const struct word *words, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (!strcasecmp(words[i].text, text))
            return words[i].value;
    return -1;
}

#define FIND(words, text) find(words, sizeof(words) / sizeof((words)[0]), text)

int gw_sheet_record_word(const char *text)
{
    static const struct word words[] = {
        {"events", GW_RECORD_EVENTS},   {"continuous", GW_RECORD_CONTINUOUS},
        {"off", GW_RECORD_OFF},         {"事件", GW_RECORD_EVENTS},
        {"事件录像", GW_RECORD_EVENTS}, {"连续", GW_RECORD_CONTINUOUS},
        {"全天", GW_RECORD_CONTINUOUS}, {"全天录像", GW_RECORD_CONTINUOUS},
        {"不录像", GW_RECORD_OFF},
    };
    return FIND(words, text);
}

int gw_sheet_yes_word(const char *text)
{
    static const struct word words[] = {
        {"yes", 1}, {"no", 0}, {"true", 1}, {"false", 0}, {"1", 1},
        {"0", 0},   {"是", 1}, {"否", 0},   {"启用", 1},  {"停用", 0},
    };
    return FIND(words, text);
}

int gw_sheet_site_class_word(const char *text)
{
    static const struct word words[] = {
        {"class-1", GW_SITE_CLASS_1},
        {"class-2", GW_SITE_CLASS_2},
        {"class-3", GW_SITE_CLASS_3},
        {"1", GW_SITE_CLASS_1},
        {"2", GW_SITE_CLASS_2},
        {"3", GW_SITE_CLASS_3},
        {"一类", GW_SITE_CLASS_1},
        {"二类", GW_SITE_CLASS_2},
        {"三类", GW_SITE_CLASS_3},
        {"一类点", GW_SITE_CLASS_1},
        {"二类点", GW_SITE_CLASS_2},
        {"三类点", GW_SITE_CLASS_3},
        {"一类视频监控点", GW_SITE_CLASS_1},
        {"二类视频监控点", GW_SITE_CLASS_2},
        {"三类视频监控点", GW_SITE_CLASS_3},
    };
    return FIND(words, text);
}

int gw_sheet_heading_word(const char *text)
{
    static const struct word words[] = {
        {"北", 0},     {"东北", 45},  {"东", 90},    {"东南", 135}, {"南", 180},
        {"西南", 225}, {"西", 270},   {"西北", 315}, {"正北", 0},   {"正东", 90},
        {"正南", 180}, {"正西", 270}, {"N", 0},      {"NE", 45},    {"E", 90},
        {"SE", 135},   {"S", 180},    {"SW", 225},   {"W", 270},    {"NW", 315},
    };
    return FIND(words, text);
}
