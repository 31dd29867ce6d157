// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/config_value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/camera.h"
#include "storage/index_redis.h"

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit durations[] = {{"us", 1},       {"ms", 1000},      {"s", 1000000},
                                        {"m", 60000000}, {"h", 3600000000}, {0}};
static const struct unit sizes[] = {
    {"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {0}};
static const struct unit none[] = {{"", 1}, {0}};

// "5s" with the units of durations to 5000000. A number without unit is refused, unless it is 0:
// nobody should have to guess whether 5 means seconds.
static bool parse_number(const char *text, const struct unit *units, int64_t *ret)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || errno || isspace((unsigned char)*text))
        return false;
    if (number == 0 && !*end) {
        *ret = 0;
        return true;
    }
    for (; units->name; units++)
        if (!strcmp(end, units->name))
            return !__builtin_mul_overflow(number, units->factor, ret);
    return false;
}

// "5 s", "16 MiB": the largest unit that divides the value.
static const char *format_number(int64_t value, const struct unit *units, char *buffer, size_t size)
{
    const struct unit *best = units;
    for (const struct unit *unit = units; unit->name; unit++)
        if (value && value % unit->factor == 0)
            best = unit;
    snprintf(buffer, size, "%lld%s", (long long)(value / best->factor), best->name);
    return buffer;
}

static bool set_number(void *field, const struct gw_config_option *option, const char *text,
                       const struct unit *units, const char *example, char problem[160])
{
    char min[32], max[32];
    int64_t value;

    if (!parse_number(text, units, &value)) {
        snprintf(problem, 160, "\"%.40s\" is no %s", text, example);
        return false;
    }
    if (value < option->min || value > option->max) {
        snprintf(problem, 160, "%.40s is out of range; it takes %s to %s", text,
                 format_number(option->min, units, min, sizeof(min)),
                 format_number(option->max, units, max, sizeof(max)));
        return false;
    }
    memcpy(field, &value, sizeof(value));
    return true;
}

// host:port; "*" as port picks a free one, as ZeroMQ writes it, and so does 0.
static bool is_listen(const char *text)
{
    const char *colon = strrchr(text, ':');
    char *end;
    if (!colon || colon == text || strpbrk(text, " /@"))
        return false;
    if (!strcmp(colon + 1, "*"))
        return true;
    long port = strtol(colon + 1, &end, 10);
    return isdigit((unsigned char)colon[1]) && !*end && port >= 0 && port <= 65535;
}

// host:port whose host is 127.x.y.z. ZeroMQ binds to numbers, not to names.
static bool is_loopback(const char *text)
{
    struct in_addr address;
    char host[INET_ADDRSTRLEN];
    size_t length = (size_t)(strrchr(text, ':') - text);

    if (length >= sizeof(host))
        return false;
    memcpy(host, text, length);
    host[length] = 0;
    return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static bool is_choice(const char *choices, const char *text)
{
    size_t length = strlen(text);
    if (strchr(text, ' '))
        return false; // that would be two of them
    for (const char *at = choices; length && (at = strstr(at, text)); at += length)
        if ((at == choices || at[-1] == ' ') && (!at[length] || at[length] == ' '))
            return true;
    return false;
}

static bool set_text(char *field, const struct gw_config_option *option, const char *text,
                     char problem[160])
{
    if (strlen(text) >= option->size) {
        snprintf(problem, 160, "longer than %zu characters", option->size - 1);
        return false;
    }
    strcpy(field, text);
    return true;
}

bool gw_config_value_set(struct gw_config *config, const struct gw_config_option *option,
                         const char *text, char problem[160])
{
    char *field = (char *)config + option->offset;

    switch (option->type) {
    case GW_VALUE_INTEGER: return set_number(field, option, text, none, "whole number", problem);
    case GW_VALUE_DURATION:
        return set_number(field, option, text, durations,
                          "duration; write one like 5s, 500ms or 10m", problem);
    case GW_VALUE_SIZE:
        return set_number(field, option, text, sizes, "size; write one like 16MiB", problem);
    case GW_VALUE_TEXT:
        if (*text || !*option->fallback)
            return set_text(field, option, text, problem);
        snprintf(problem, 160, "is empty; leave the key out for %.80s", option->fallback);
        return false;
    case GW_VALUE_DIVISION:
        if (gw_division_valid(text))
            return set_text(field, option, text, problem);
        snprintf(problem, 160, "\"%.40s\" is no division code; it has 6, 9 or 12 digits", text);
        return false;
    case GW_VALUE_LOOPBACK:
        if (is_listen(text) && !is_loopback(text)) {
            snprintf(problem, 160,
                     "%.40s is not an address on loopback; others need CURVE, which this version "
                     "does not have; use 127.0.0.1",
                     text);
            return false;
        }
        __attribute__((fallthrough));
    case GW_VALUE_LISTEN:
        if (is_listen(text))
            return set_text(field, option, text, problem);
        snprintf(problem, 160,
                 "\"%.40s\" is no address to listen on; write one like 127.0.0.1:8471", text);
        return false;
    case GW_VALUE_REDIS:
        return gw_index_redis_address_valid(text, problem) &&
               set_text(field, option, text, problem);
    case GW_VALUE_CHOICE:
        if (is_choice(option->choices, text))
            return set_text(field, option, text, problem);
        snprintf(problem, 160, "\"%.40s\" is not possible; one of: %s", text, option->choices);
        return false;
    }
    return false;
}
