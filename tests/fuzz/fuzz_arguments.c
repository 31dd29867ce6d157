// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: the filters of lists, places and counts (console/arguments.h).
//
// The first byte is the noun. Then name=value, separated by line breaks.

#include <assert.h>
#include <math.h>

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

static void check_query(const struct gw_query *query)
{
    assert(query->limit >= 1 && query->limit <= 1000);
    assert(query->min_score >= 0 && query->min_score <= 1);
    assert(query->polygon_count == 0 || query->polygon_count >= 3);
    assert(query->polygon_count <= GW_QUERY_POINTS);
    for (int i = 0; i < query->polygon_count; i++)
        assert(isfinite(query->polygon[i].lon) && isfinite(query->polygon[i].lat));
    if (query->in_box)
        assert(query->box.south < query->box.north);
    if (query->near)
        assert(query->near_m > 0 && fabs(query->near_lat) <= 90);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arguments arguments = {0};
    struct gw_query query;
    char error[GW_ARGUMENT_ERROR_SIZE] = "";

    if (size == 0)
        return 0;
    // The lowest bit is the first two's, as in the corpus.
    static const enum gw_arguments_noun nouns[] = {
        GW_ARGUMENTS_EVENTS, GW_ARGUMENTS_CLIPS, GW_ARGUMENTS_GAPS,   GW_ARGUMENTS_CLIPS,
        GW_ARGUMENTS_PLACES, GW_ARGUMENTS_CLIPS, GW_ARGUMENTS_COUNTS, GW_ARGUMENTS_CLIPS};
    const enum gw_arguments_noun noun = nouns[data[0] & 7];
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
        check_query(&query);
    free(text);
    return 0;
}
