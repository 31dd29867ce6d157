// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Facts in. A fact that says nothing new (an event opened twice, an update of a closed one) changes
// nothing and is not published; what is published is in the tables already.

#include <assert.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/index_internal.h"

// --- facts ---------------------------------------------------------------------------------------

static int add_event_fact(struct gw_commit *commit, enum gw_fact_kind kind, int64_t wall_us,
                          const struct gw_event_row *row)
{
    char thumbnail[GW_MEDIA_PATH_SIZE] = "";
    if (row->event.snapshot_us != GW_NO_TIME)
        gw_event_thumbnail_path(thumbnail, &row->event);
    return gw_index_add_fact(commit->index, kind, wall_us, row->event.camera, &row->place,
                             gw_event_to_json(&row->event), thumbnail);
}

// --- events --------------------------------------------------------------------------------------

// What is known of an event after one more fact about it: its identity and place stay as they were.
static void merge_event(struct gw_event_row *row, const struct gw_event *news,
                        enum gw_event_state state)
{
    const struct gw_event old = row->event;
    struct gw_event *event = &row->event;
    *event = *news;
    memcpy(event->camera, old.camera, sizeof(event->camera));
    event->kind = old.kind;
    event->state = state;
    event->start_us = old.start_us;
    if (event->end_us < old.end_us)
        event->end_us = old.end_us;
    if (event->snapshot_us == GW_NO_TIME)
        event->snapshot_us = old.snapshot_us;
    if (event->clock_offset_us == GW_NO_TIME)
        event->clock_offset_us = old.clock_offset_us;
}

// Fills row with what the event now is. Returns 1, 0 when the fact says nothing new, or an error.
static int advance_event(struct gw_index *index, const struct gw_fact *fact,
                         struct gw_event_row *row)
{
    enum gw_event_state state =
        fact->kind == GW_FACT_EVENT_CLOSED ? GW_EVENT_CLOSED : GW_EVENT_OPEN;
    int result = gw_index_event(index, &fact->event.id, row);
    if (result == GW_ERROR_NOT_FOUND) {
        row->event = fact->event;
        row->event.state = state;
        result = gw_index_find_place(index, fact->event.camera, &row->place);
        return result < 0 ? result : 1;
    }
    if (result < 0)
        return result;
    if (fact->kind == GW_FACT_EVENT_OPENED || row->event.state == GW_EVENT_CLOSED)
        return 0;
    merge_event(row, &fact->event, state);
    return 1;
}

static int take_event(struct gw_commit *commit, const struct gw_fact *fact)
{
    struct gw_event_row row;
    struct gw_index *index = commit->index;
    int result = advance_event(index, fact, &row);
    if (result <= 0)
        return result;
    gw_event_round(&row.event);
    result = gw_index_write_event(index, &row);
    if (!result)
        result = add_event_fact(commit, fact->kind, fact->wall_us, &row);
    if (!result && fact->kind == GW_FACT_EVENT_OPENED)
        result = add_event_fact(commit, GW_FACT_ALERT_RAISED, fact->wall_us, &row);
    return result;
}

// An alert that somebody raises by hand changes no row.
static int take_alert(struct gw_commit *commit, const struct gw_fact *fact)
{
    struct gw_event_row row;
    int result = gw_index_event(commit->index, &fact->event.id, &row);
    if (result == GW_ERROR_NOT_FOUND) {
        row.event = fact->event;
        result = gw_index_find_place(commit->index, fact->event.camera, &row.place);
    }
    return result < 0 ? result : add_event_fact(commit, fact->kind, fact->wall_us, &row);
}

// --- clips ---------------------------------------------------------------------------------------

static void merge_clip(struct gw_clip_row *row, const struct gw_clip *news)
{
    const struct gw_clip old = row->clip;
    row->clip = *news;
    memcpy(row->clip.camera, old.camera, sizeof(row->clip.camera));
    row->clip.start_us = old.start_us;
    if (row->clip.clock_offset_us == GW_NO_TIME)
        row->clip.clock_offset_us = old.clock_offset_us;
}

// Fills row with what the clip now is. Returns 1, 0 when the fact says nothing new, or an error.
static int advance_clip(struct gw_index *index, const struct gw_fact *fact, struct gw_clip_row *row)
{
    int result = gw_index_clip(index, &fact->clip.id, row);
    if (result == GW_ERROR_NOT_FOUND) {
        row->clip = fact->clip;
        result = gw_index_find_place(index, fact->clip.camera, &row->place);
    } else if (result == 0) {
        if (fact->kind == GW_FACT_CLIP_OPENED || row->clip.state != GW_CLIP_RECORDING)
            return 0;
        merge_clip(row, &fact->clip);
    }
    if (result < 0)
        return result;
    if (fact->kind == GW_FACT_CLIP_OPENED)
        row->clip.state = GW_CLIP_RECORDING;
    else if (row->clip.state == GW_CLIP_RECORDING)
        row->clip.state = GW_CLIP_CLOSED;
    return 1;
}

static int take_clip(struct gw_commit *commit, const struct gw_fact *fact)
{
    struct gw_clip_row row;
    struct gw_index *index = commit->index;
    int result = advance_clip(index, fact, &row);
    if (result <= 0)
        return result;
    result = gw_index_write_clip(index, &row);
    if (!result)
        result = gw_index_add_fact(commit->index, fact->kind, fact->wall_us, row.clip.camera,
                                   &row.place, gw_clip_to_json(&row.clip), "");
    if (!result && fact->kind == GW_FACT_CLIP_CLOSED)
        result = gw_index_take_clip_end(commit, &row.clip, fact->wall_us);
    return result;
}

// --- cameras -------------------------------------------------------------------------------------

static int take_camera(struct gw_commit *commit, const struct gw_fact *fact)
{
    struct gw_place place;
    int result = gw_index_find_place(commit->index, fact->camera.camera, &place);
    if (!result)
        result = gw_index_write_camera_state(commit->index, &fact->camera);
    if (!result)
        result = gw_index_add_fact(commit->index, fact->kind, fact->wall_us, fact->camera.camera,
                                   &place, gw_camera_state_to_json(&fact->camera), "");
    return result;
}

// --- entries -------------------------------------------------------------------------------------

// Moves the boot's mark to this number. Returns 1, or 0 when it is not the next one.
static int advance_boot(struct gw_index *index, const struct gw_id *boot, uint64_t boot_seq,
                        int64_t wall_us)
{
    sqlite3_stmt *statement = gw_index_statement(
        index,
        boot_seq == 1
            ? "INSERT INTO boot (id, last_seq, last_us) VALUES (?1, ?2, ?3)"
              " ON CONFLICT (id) DO NOTHING"
            : "UPDATE boot SET last_seq = ?2, last_us = ?3 WHERE id = ?1 AND last_seq = ?2 - 1");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_id(statement, 1, boot);
    sqlite3_bind_int64(statement, 2, (int64_t)boot_seq);
    sqlite3_bind_int64(statement, 3, wall_us);
    int result = gw_index_run(index, statement);
    return result < 0 ? result : sqlite3_changes(index->db);
}

static int take_entry(struct gw_commit *commit, const struct gw_fact_entry *entry)
{
    if (!gw_id_is_null(&entry->boot)) {
        int result =
            advance_boot(commit->index, &entry->boot, entry->boot_seq, entry->fact.wall_us);
        if (result <= 0)
            return result;
    }
    switch (entry->fact.kind) {
    case GW_FACT_EVENT_OPENED:
    case GW_FACT_EVENT_UPDATED:
    case GW_FACT_EVENT_CLOSED: return take_event(commit, &entry->fact);
    case GW_FACT_ALERT_RAISED: return take_alert(commit, &entry->fact);
    case GW_FACT_CLIP_OPENED:
    case GW_FACT_CLIP_CLOSED: return take_clip(commit, &entry->fact);
    case GW_FACT_CAMERA_ONLINE:
    case GW_FACT_CAMERA_OFFLINE:
    case GW_FACT_CAMERA_DEGRADED: return take_camera(commit, &entry->fact);
    case GW_FACT_COVERAGE: return gw_index_take_coverage(commit, entry);
    case GW_FACT_GAP_OPENED:
    case GW_FACT_GAP_CLOSED:
    case GW_FACT_EVENT_DELETED:
    case GW_FACT_CLIP_DELETED:
    case GW_FACT_GAP_DELETED: return 0; // the index alone makes these
    }
    return GW_ERROR_INVALID;
}

static int take_entries(void *opaque)
{
    struct gw_commit *commit = opaque;
    for (int i = 0; i < commit->count; i++) {
        int result = take_entry(commit, &commit->entries[i]);
        if (result < 0)
            return result;
    }
    return 0;
}

int gw_index_commit(struct gw_index *index, const struct gw_fact_entry *entries, int count)
{
    assert(index->mode != GW_INDEX_READ);
    struct gw_commit commit = {index, entries, count};
    return count ? gw_index_transaction(index, take_entries, &commit) : 0;
}

int gw_index_pass_over(struct gw_index *index, const struct gw_id *boot, uint64_t boot_seq,
                       int64_t wall_us)
{
    assert(index->mode != GW_INDEX_READ);
    int result = advance_boot(index, boot, boot_seq, wall_us);
    return result < 0 ? result : 0;
}

int64_t gw_index_boot_seq(struct gw_index *index, const struct gw_id *boot)
{
    int64_t seq = 0;
    sqlite3_stmt *statement = gw_index_statement(index, "SELECT last_seq FROM boot WHERE id = ?1");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_id(statement, 1, boot);
    int result = gw_index_integer(index, statement, &seq);
    return result < 0 ? result : seq;
}
