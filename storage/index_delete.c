// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/index_delete.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/hold.h"
#include "storage/index_internal.h"

struct deletion {
    struct gw_index *index;
    const struct gw_victim *victims;
    int count;
    enum gw_deletion_reason reason;
    int64_t now_us;
    struct gw_hold *holds;
    int hold_count;
    bool *deleted; // of each victim; may be NULL
};

// One row that shall go: what it was, and where its files are.
struct doomed {
    enum gw_noun noun;
    enum gw_fact_kind kind;
    struct gw_deletion deletion;
    struct gw_place place;
    int64_t end_us;
    bool finished;
    int path_count;
    char paths[2][GW_MEDIA_PATH_SIZE];
};

// --- reading -------------------------------------------------------------------------------------

static void describe(struct doomed *doomed, enum gw_fact_kind kind, const struct gw_id *id,
                     const char *camera, int64_t start_us, int64_t end_us, bool finished)
{
    doomed->kind = kind;
    doomed->deletion.id = *id;
    snprintf(doomed->deletion.camera, sizeof(doomed->deletion.camera), "%s", camera);
    doomed->deletion.start_us = start_us;
    doomed->end_us = end_us;
    doomed->finished = finished;
}

static int read_event(struct gw_index *index, const struct gw_id *id, struct doomed *ret)
{
    struct gw_event_row row;
    int result = gw_index_event(index, id, &row);
    if (result)
        return result;
    const struct gw_event *event = &row.event;
    describe(ret, GW_FACT_EVENT_DELETED, id, event->camera, event->start_us, event->end_us,
             event->state == GW_EVENT_CLOSED);
    ret->place = row.place;
    if (event->snapshot_us != GW_NO_TIME) {
        gw_event_snapshot_path(ret->paths[0], event);
        gw_event_thumbnail_path(ret->paths[1], event);
        ret->path_count = 2;
    }
    return 0;
}

static int read_clip(struct gw_index *index, const struct gw_id *id, struct doomed *ret)
{
    struct gw_clip_row row;
    int result = gw_index_clip(index, id, &row);
    if (result)
        return result;
    const struct gw_clip *clip = &row.clip;
    describe(ret, GW_FACT_CLIP_DELETED, id, clip->camera, clip->start_us, clip->end_us,
             clip->state != GW_CLIP_RECORDING);
    ret->place = row.place;
    gw_clip_path(ret->paths[0], clip);
    ret->path_count = clip->state != GW_CLIP_LOST;
    return 0;
}

static int read_gap(struct gw_index *index, const struct gw_id *id, struct doomed *ret)
{
    struct gw_gap_row row;
    int result = gw_index_gap(index, id, &row);
    if (result)
        return result;
    describe(ret, GW_FACT_GAP_DELETED, id, row.gap.camera, row.gap.from_us, row.gap.to_us,
             !row.gap.open);
    ret->place = row.place;
    return 0;
}

static int read_victim(struct gw_index *index, const struct gw_victim *victim, struct doomed *ret)
{
    *ret = (struct doomed){.noun = victim->noun};
    switch (victim->noun) {
    case GW_NOUN_EVENT: return read_event(index, &victim->id, ret);
    case GW_NOUN_CLIP: return read_clip(index, &victim->id, ret);
    case GW_NOUN_GAP: return read_gap(index, &victim->id, ret);
    }
    return GW_ERROR_INVALID;
}

static bool is_held(const struct deletion *deletion, const struct doomed *doomed)
{
    if (deletion->reason == GW_DELETED_MISSING)
        return false;
    for (int i = 0; i < deletion->hold_count; i++) {
        const struct gw_hold *hold = &deletion->holds[i];
        if (gw_hold_lasts(hold, deletion->now_us) &&
            gw_hold_covers(hold, doomed->deletion.camera, &doomed->place, doomed->deletion.start_us,
                           doomed->end_us))
            return true;
    }
    return false;
}

// --- rows ----------------------------------------------------------------------------------------

static int add_garbage(struct gw_index *index, const char *path, int64_t now_us)
{
    sqlite3_stmt *statement = gw_index_statement(
        index, "INSERT INTO garbage (path, since_us) VALUES (?1, ?2) ON CONFLICT DO NOTHING");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, path);
    sqlite3_bind_int64(statement, 2, now_us);
    return gw_index_run(index, statement);
}

static int delete_row(struct deletion *deletion, struct doomed *doomed)
{
    struct gw_index *index = deletion->index;
    int result = gw_index_remove_row(index, doomed->noun, &doomed->deletion.id);
    if (result > 0)
        result = 0;
    for (int i = 0; !result && i < doomed->path_count; i++)
        result = add_garbage(index, doomed->paths[i], deletion->now_us);
    doomed->deletion.reason = deletion->reason;
    if (!result)
        result = gw_index_add_fact(index, doomed->kind, deletion->now_us, doomed->deletion.camera,
                                   &doomed->place, gw_deletion_to_json(&doomed->deletion), "");
    return result;
}

static int delete_rows(void *opaque)
{
    struct deletion *deletion = opaque;
    struct gw_index *index = deletion->index;
    int deleted = 0;

    // Read within the transaction: a hold that was added before it counts.
    deletion->hold_count = gw_index_holds(index, &deletion->holds);
    if (deletion->hold_count < 0)
        return deletion->hold_count;
    for (int i = 0; i < deletion->count; i++) {
        struct doomed doomed;
        int result = read_victim(index, &deletion->victims[i], &doomed);
        if (result == GW_ERROR_NOT_FOUND)
            continue;
        if (!result && (!doomed.finished || is_held(deletion, &doomed)))
            continue;
        if (!result)
            result = delete_row(deletion, &doomed);
        if (result < 0)
            return result;
        if (deletion->deleted)
            deletion->deleted[i] = true;
        deleted++;
    }
    return deleted;
}

int gw_index_delete(struct gw_index *index, const struct gw_victim *victims, int count,
                    enum gw_deletion_reason reason, int64_t now_us, bool *ret_deleted)
{
    assert(index->mode != GW_INDEX_READ && count <= GW_DELETE_BATCH);
    struct deletion deletion = {.index = index,
                                .victims = victims,
                                .count = count,
                                .reason = reason,
                                .now_us = now_us,
                                .deleted = ret_deleted};
    if (ret_deleted)
        memset(ret_deleted, 0, (size_t)count * sizeof(*ret_deleted));
    int result = count ? gw_index_transaction(index, delete_rows, &deletion) : 0;
    free(deletion.holds);
    return result;
}
