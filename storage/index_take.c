// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Facts that were committed before, in: the rows that they tell of, made again. A fact says all
// that its row holds (docs/design/storage.md), so the newest one of each row makes it.

#include <inttypes.h>
#include <stdio.h>

#include "core/error.h"
#include "storage/index_internal.h"

static int take_event(struct gw_index *index, const struct gw_fact *fact,
                      const struct gw_place *place)
{
    const struct gw_event_row row = {fact->event, *place};
    return gw_index_write_event(index, &row);
}

static int take_clip(struct gw_index *index, const struct gw_fact *fact,
                     const struct gw_place *place)
{
    const struct gw_clip_row row = {fact->clip, *place};
    return gw_index_write_clip(index, &row);
}

static int take_gap(struct gw_index *index, const struct gw_fact *fact,
                    const struct gw_place *place)
{
    const struct gw_gap_row row = {fact->gap, *place};
    return gw_index_write_gap(index, &row);
}

static int take_deletion(struct gw_index *index, enum gw_noun noun, const struct gw_fact *fact)
{
    const int result = gw_index_remove_row(index, noun, &fact->deletion.id);
    return result < 0 ? result : 0;
}

static int take_fact(struct gw_index *index, const struct gw_fact *fact,
                     const struct gw_place *place)
{
    int result = gw_index_put_place(index, gw_fact_camera(fact), place);

    if (result)
        return result;
    switch (fact->kind) {
    case GW_FACT_EVENT_OPENED:
    case GW_FACT_EVENT_UPDATED:
    case GW_FACT_EVENT_CLOSED: return take_event(index, fact, place);
    case GW_FACT_CLIP_OPENED:
    case GW_FACT_CLIP_CLOSED: return take_clip(index, fact, place);
    case GW_FACT_GAP_OPENED:
    case GW_FACT_GAP_CLOSED: return take_gap(index, fact, place);
    case GW_FACT_CAMERA_ONLINE:
    case GW_FACT_CAMERA_OFFLINE:
    case GW_FACT_CAMERA_DEGRADED: return gw_index_write_camera_state(index, &fact->camera);
    case GW_FACT_EVENT_DELETED: return take_deletion(index, GW_NOUN_EVENT, fact);
    case GW_FACT_CLIP_DELETED: return take_deletion(index, GW_NOUN_CLIP, fact);
    case GW_FACT_GAP_DELETED: return take_deletion(index, GW_NOUN_GAP, fact);
    case GW_FACT_ALERT_RAISED: return 0;            // makes no row
    case GW_FACT_COVERAGE: return GW_ERROR_INVALID; // is never committed
    }
    return GW_ERROR_INVALID;
}

struct taking {
    struct gw_index *index;
    const struct gw_committed_fact *facts;
    int count;
};

static int take_facts(void *opaque)
{
    const struct taking *taking = opaque;
    struct gw_index *index = taking->index;
    struct gw_journal_end end;
    int result = gw_index_read_end(index, &end);

    for (int i = 0; !result && i < taking->count; i++) {
        const struct gw_committed_fact *committed = &taking->facts[i];
        struct gw_fact fact;
        struct gw_place place;
        if (committed->seq <= end.head)
            continue;
        result = gw_fact_from_committed(committed, &fact, &place);
        if (!result)
            result = take_fact(index, &fact, &place);
        if (result == GW_ERROR_INVALID)
            snprintf(index->error, sizeof(index->error),
                     "fact %" PRIu64 " (%s) holds what no gridwatch wrote", committed->seq,
                     committed->kind);
        end.head = committed->seq;
    }
    return result ? result : gw_index_write_end(index, &end);
}

// The numbers of facts that left the journal are missing, but none goes back.
static int check_order(struct gw_index *index, const struct gw_committed_fact *facts, int count)
{
    for (int i = 1; i < count; i++) {
        if (facts[i].seq > facts[i - 1].seq)
            continue;
        snprintf(index->error, sizeof(index->error), "fact %" PRIu64 " cannot follow fact %" PRIu64,
                 facts[i].seq, facts[i - 1].seq);
        return GW_ERROR_INVALID;
    }
    return 0;
}

int gw_index_take(struct gw_index *index, const struct gw_committed_fact *facts, int count)
{
    struct taking taking = {index, facts, count};
    const int result = check_order(index, facts, count);
    return result ? result : gw_index_transaction(index, take_facts, &taking);
}
