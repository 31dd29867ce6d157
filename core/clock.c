// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/error.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return now.tv_sec * GW_SECOND + now.tv_nsec / 1000;
}

int64_t gw_mono_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t gw_wall_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

char *gw_format_rfc3339(char buffer[GW_RFC3339_SIZE], int64_t wall_us)
{
    int64_t fraction = ((wall_us % GW_SECOND) + GW_SECOND) % GW_SECOND;
    time_t seconds = (wall_us - fraction) / GW_SECOND;
    struct tm tm;

    gmtime_r(&seconds, &tm);
    size_t length = strftime(buffer, GW_RFC3339_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(buffer + length, GW_RFC3339_SIZE - length, ".%06dZ", (int)fraction);
    return buffer;
}

static bool parse_microseconds(const char *text, int64_t *ret)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end || errno || isspace((unsigned char)*text))
        return false;
    *ret = value;
    return true;
}

// ".123456789" to 123456; digits beyond microseconds are read and dropped.
static const char *parse_fraction(const char *text, int64_t *ret_us)
{
    int64_t unit = GW_SECOND / 10;
    *ret_us = 0;
    if (*text != '.')
        return text;
    if (!isdigit((unsigned char)*++text))
        return NULL;
    for (; isdigit((unsigned char)*text); text++, unit /= 10)
        *ret_us += (*text - '0') * unit;
    return text;
}

// "Z" or "+08:00" to seconds east of UTC.
static const char *parse_offset(const char *text, int64_t *ret_s)
{
    int hours, minutes, length = 0;
    if (*text == 'Z' || *text == 'z') {
        *ret_s = 0;
        return text + 1;
    }
    if (*text != '+' && *text != '-')
        return NULL;
    if (sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &length) != 2 || length != 5)
        return NULL;
    if (hours > 23 || minutes > 59)
        return NULL;
    *ret_s = (*text == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return text + 1 + length;
}

int gw_parse_time(const char *text, int64_t *ret_wall_us)
{
    if (parse_microseconds(text, ret_wall_us))
        return 0;

    struct tm tm = {0};
    int length = 0;
    char separator;
    if (sscanf(text, "%4d-%2d-%2d%c%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &separator,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &length) != 7 ||
        length != 19 || (separator != 'T' && separator != 't' && separator != ' '))
        return GW_ERROR_INVALID;
    if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
        tm.tm_min > 59 || tm.tm_sec > 60)
        return GW_ERROR_INVALID;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    int day = tm.tm_mday;

    int64_t fraction_us, offset_s;
    const char *rest = parse_fraction(text + length, &fraction_us);
    rest = rest ? parse_offset(rest, &offset_s) : NULL;
    if (!rest || *rest)
        return GW_ERROR_INVALID;
    time_t seconds = timegm(&tm);
    if (tm.tm_mday != day) // timegm turned 31 February into March
        return GW_ERROR_INVALID;
    *ret_wall_us = (seconds - offset_s) * GW_SECOND + fraction_us;
    return 0;
}
