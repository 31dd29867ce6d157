// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/covered.h"

#include <stdlib.h>

#include "app/protocol.h"
#include "core/clock.h"
#include "core/error.h"

#define STAMP_US (10 * GW_SECOND) // how old what is known of received pictures may become

struct gw_covered {
    struct gw_index *index;
    const struct gw_log *log;
    int64_t due_us; // mono
    int count;
    struct said {
        struct gw_id boot;
        json_t *message; // NULL: nothing since the last stamp
    } said[];
};

struct gw_covered *gw_covered_create(int places, struct gw_index *index, const struct gw_log *log)
{
    struct gw_covered *covered =
        calloc(1, sizeof(*covered) + (size_t)places * sizeof(covered->said[0]));
    if (!covered)
        abort();
    covered->index = index;
    covered->log = log;
    covered->count = places;
    return covered;
}

void gw_covered_destroy(struct gw_covered **covered)
{
    if (!*covered)
        return;
    for (int i = 0; i < (*covered)->count; i++)
        json_decref((*covered)->said[i].message);
    free(*covered);
    *covered = NULL;
}

void gw_covered_note(struct gw_covered *covered, int place, const struct gw_id *boot,
                     json_t *message)
{
    struct said *said = &covered->said[place];

    json_decref(said->message);
    *said = (struct said){*boot, json_incref(message)};
}

int gw_covered_stamp(struct gw_covered *covered, int place)
{
    struct said *said = &covered->said[place];
    struct gw_coverage_stamp *stamps;

    if (!said->message)
        return 0;
    int count = gw_protocol_read_covered(said->message, &stamps);
    json_decref(said->message);
    said->message = NULL;
    if (count < 0)
        return count;
    if (gw_index_stamp_coverage(covered->index, &said->boot, stamps, count) < 0)
        gw_log_warning(covered->log, "cannot note until when cameras were received: %s",
                       gw_index_error(covered->index));
    free(stamps);
    return 0;
}

int gw_covered_stamp_when_due(struct gw_covered *covered, int64_t mono_us)
{
    int bad = 0;

    if (mono_us < covered->due_us)
        return 0;
    covered->due_us = mono_us + STAMP_US;
    for (int i = 0; i < covered->count; i++)
        bad += gw_covered_stamp(covered, i) < 0;
    return bad;
}
