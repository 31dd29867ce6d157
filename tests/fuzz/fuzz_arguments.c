// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: the filters of /events and /clips (console/arguments.h).
//
// The first byte is the noun. Then name=value, separated by line breaks.

#include <assert.h>

#include "console/arguments.h"
#include "core/error.h"
#include "tests/fuzz/pieces.h"
#include "tests/fuzz/target.h"

enum { MOST_ARGUMENTS = 32 };

struct arguments {
    const char *names[MOST_ARGUMENTS], *values[MOST_ARGUMENTS];
    int count;
};

static const char *get(void *opaque, const char *name)
{
    const struct arguments *arguments = opaque;
    for (int i = 0; i < arguments->count; i++)
        if (!strcmp(arguments->names[i], name))
            return arguments->values[i];
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arguments arguments = {0};
    struct gw_query query;
    char error[GW_ARGUMENT_ERROR_SIZE] = "";

    if (size == 0)
        return 0;
    const enum gw_arguments_noun noun = data[0] & 1 ? GW_ARGUMENTS_CLIPS : GW_ARGUMENTS_EVENTS;
    char *text = take_text(data + 1, size - 1), *rest = text, *line;
    while (arguments.count < MOST_ARGUMENTS && (line = strsep(&rest, "\n"))) {
        const char *name = strsep(&line, "=");
        arguments.names[arguments.count] = name;
        arguments.values[arguments.count++] = line ? line : "";
        gw_argument_known(noun, name);
    }
    int result = gw_arguments_parse(&query, noun, get, &arguments, error);
    if (result < 0)
        assert(result == GW_ERROR_INVALID && *error && !strchr(error, '\n'));
    else
        assert(query.limit >= 1 && query.limit <= 1000);
    free(text);
    return 0;
}
