// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Invariant 17: rows say what their newest facts say.

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/error.h"
#include "storage/fsck_internal.h"

// Without --deep, only so many of the newest facts are held against rows.
#define SAMPLE 20000

// Which fact of each row is its newest, in a database of its own that goes with its handle.
struct newest {
    struct gw_fsck *fsck;
    sqlite3 *db;
    sqlite3_stmt *put, *get;
    uint64_t since, seq; // read up to
    int64_t done, total;
    int result;
};

static int noun_of(enum gw_fact_kind kind)
{
    switch (kind) {
    case GW_FACT_EVENT_OPENED:
    case GW_FACT_EVENT_UPDATED:
    case GW_FACT_EVENT_CLOSED:
    case GW_FACT_EVENT_DELETED: return GW_NOUN_EVENT;
    case GW_FACT_CLIP_OPENED:
    case GW_FACT_CLIP_CLOSED:
    case GW_FACT_CLIP_DELETED: return GW_NOUN_CLIP;
    case GW_FACT_GAP_OPENED:
    case GW_FACT_GAP_CLOSED:
    case GW_FACT_GAP_DELETED: return GW_NOUN_GAP;
    default: return -1;
    }
}

static bool is_deletion(enum gw_fact_kind kind)
{
    return kind == GW_FACT_EVENT_DELETED || kind == GW_FACT_CLIP_DELETED ||
           kind == GW_FACT_GAP_DELETED;
}

static const struct gw_id *id_of(const struct gw_fact *fact)
{
    if (is_deletion(fact->kind))
        return &fact->deletion.id;
    switch (noun_of(fact->kind)) {
    case GW_NOUN_CLIP: return &fact->clip.id;
    case GW_NOUN_GAP: return &fact->gap.id;
    default: return &fact->event.id;
    }
}

static int open_newest(struct newest *newest)
{
    static const char make[] = "CREATE TABLE newest (id BLOB PRIMARY KEY, seq INTEGER NOT NULL)"
                               " WITHOUT ROWID; BEGIN",
                      put[] = "INSERT INTO newest VALUES (?1, ?2)"
                              " ON CONFLICT (id) DO UPDATE SET seq = excluded.seq",
                      get[] = "SELECT seq FROM newest WHERE id = ?1";
    if (sqlite3_open("", &newest->db) != SQLITE_OK ||
        sqlite3_exec(newest->db, make, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(newest->db, put, -1, &newest->put, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(newest->db, get, -1, &newest->get, NULL) != SQLITE_OK)
        return -ENOMEM;
    return 0;
}

static void close_newest(struct newest *newest)
{
    sqlite3_finalize(newest->put);
    sqlite3_finalize(newest->get);
    sqlite3_close(newest->db);
}

// Reads a fact that is about a row. Returns its noun, or -1.
static int read_fact(const struct gw_committed_fact *committed, struct gw_fact *ret,
                     struct gw_place *ret_place)
{
    if (gw_fact_from_committed(committed, ret, ret_place) < 0)
        return -1;
    return noun_of(ret->kind);
}

static int note_fact(void *opaque, const struct gw_committed_fact *committed)
{
    struct newest *newest = opaque;
    struct gw_fact fact;
    struct gw_place place;

    newest->seq = committed->seq;
    if (++newest->done % 1000 == 0)
        gw_fsck_progress(newest->fsck, newest->done, newest->total);
    if (read_fact(committed, &fact, &place) < 0)
        return 0;
    sqlite3_bind_blob(newest->put, 1, id_of(&fact)->bytes, sizeof(struct gw_id), SQLITE_STATIC);
    sqlite3_bind_int64(newest->put, 2, (int64_t)committed->seq);
    if (sqlite3_step(newest->put) != SQLITE_DONE)
        newest->result = -ENOSPC;
    sqlite3_reset(newest->put);
    return newest->result;
}

static uint64_t newest_of(struct newest *newest, const struct gw_id *id)
{
    uint64_t seq = 0;
    sqlite3_bind_blob(newest->get, 1, id->bytes, sizeof(*id), SQLITE_STATIC);
    if (sqlite3_step(newest->get) == SQLITE_ROW)
        seq = (uint64_t)sqlite3_column_int64(newest->get, 0);
    sqlite3_reset(newest->get);
    return seq;
}

static bool same_json(json_t *a, json_t *b)
{
    const bool same = json_equal(a, b);
    json_decref(a);
    json_decref(b);
    return same;
}

// Whether the row is as the fact says: 1 or 0, or an error.
static int agrees(struct gw_fsck *fsck, const struct gw_fact *fact, const struct gw_place *place)
{
    struct gw_event_row event;
    struct gw_clip_row clip;
    struct gw_gap_row gap;
    struct gw_index *index = fsck->index;
    int result;

    switch (noun_of(fact->kind)) {
    case GW_NOUN_EVENT:
        result = gw_index_event(index, id_of(fact), &event);
        if (result || is_deletion(fact->kind))
            break;
        return event.place.number == place->number &&
               same_json(gw_event_to_json(&event.event), gw_event_to_json(&fact->event));
    case GW_NOUN_CLIP:
        result = gw_index_clip(index, id_of(fact), &clip);
        if (result || is_deletion(fact->kind))
            break;
        return clip.place.number == place->number &&
               same_json(gw_clip_to_json(&clip.clip), gw_clip_to_json(&fact->clip));
    default:
        result = gw_index_gap(index, id_of(fact), &gap);
        if (result || is_deletion(fact->kind))
            break;
        return gap.place.number == place->number &&
               same_json(gw_gap_to_json(&gap.gap), gw_gap_to_json(&fact->gap));
    }
    if (result == GW_ERROR_NOT_FOUND)
        return is_deletion(fact->kind);
    if (gw_fsck_is_nonsense(fsck, result))
        return 1;
    return result; // 0: deleted, and still there
}

static int compare_fact(void *opaque, const struct gw_committed_fact *committed)
{
    struct newest *newest = opaque;
    struct gw_fact fact;
    struct gw_place place;
    const int noun = read_fact(committed, &fact, &place);

    newest->seq = committed->seq;
    if (++newest->done % 1000 == 0)
        gw_fsck_progress(newest->fsck, newest->done, newest->total);
    if (noun < 0 || newest_of(newest, id_of(&fact)) != committed->seq)
        return 0;
    const int result = agrees(newest->fsck, &fact, &place);
    if (result == 0)
        gw_fsck_suspect(newest->fsck, &(struct gw_suspect){.noun = (enum gw_noun)noun,
                                                           .id = *id_of(&fact),
                                                           .number = (int64_t)committed->seq});
    newest->result = result < 0 ? result : 0;
    return newest->result;
}

// Reads all facts behind newest->since.
static int read_facts(struct newest *newest,
                      int (*callback)(void *opaque, const struct gw_committed_fact *fact))
{
    int count = 1;
    newest->seq = newest->since;
    while (count > 0 && !newest->result)
        count = gw_index_facts(newest->fsck->index, newest->seq, 10000, callback, newest);
    return count < 0 ? count : newest->result;
}

static int look_at_facts(struct gw_fsck *fsck)
{
    struct newest newest = {.fsck = fsck};
    const int64_t head = gw_index_head(fsck->index);

    if (head < 0)
        return (int)head;
    if (!fsck->config->deep && head > SAMPLE)
        newest.since = (uint64_t)(head - SAMPLE);
    newest.total = 2 * (head - (int64_t)newest.since);
    int result = open_newest(&newest);
    if (!result)
        result = read_facts(&newest, note_fact);
    if (!result)
        result = read_facts(&newest, compare_fact);
    close_newest(&newest);
    // A line that cannot be read is invariant 15's, a missing end 16's; nothing behind is compared.
    return result == GW_ERROR_INDEX && gw_fsck_is_nonsense(fsck, result) ? 0 : result;
}

// The newest fact of a row from a fact on.
struct search {
    const struct gw_id *id;
    bool found;
    uint64_t seq;
    struct gw_fact fact;
    struct gw_place place;
};

static int find_fact(void *opaque, const struct gw_committed_fact *committed)
{
    struct search *search = opaque;
    struct gw_fact fact;
    struct gw_place place;

    search->seq = committed->seq;
    if (read_fact(committed, &fact, &place) >= 0 && gw_id_equal(id_of(&fact), search->id)) {
        search->found = true;
        search->fact = fact;
        search->place = place;
    }
    return 0;
}

static int search_newest(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                         struct search *search)
{
    int count = 1;
    *search = (struct search){.id = &suspect->id, .seq = (uint64_t)suspect->number - 1};
    while (count > 0)
        count = gw_index_facts(fsck->index, search->seq, 10000, find_fact, search);
    return count;
}

static int judge_fact(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                      char what[GW_FSCK_TEXT_SIZE])
{
    static const char *const nouns[] = {
        [GW_NOUN_EVENT] = "event", [GW_NOUN_CLIP] = "clip", [GW_NOUN_GAP] = "gap"};
    struct search search;
    char id[GW_ID_TEXT_SIZE];
    int result = search_newest(fsck, suspect, &search);

    if (result || !search.found)
        return result;
    result = agrees(fsck, &search.fact, &search.place);
    if (result)
        return result < 0 ? result : 0;
    snprintf(what, GW_FSCK_TEXT_SIZE, "the row of %s %s is not as fact %" PRId64 " (%s) says",
             nouns[suspect->noun], gw_id_format(id, &suspect->id), suspect->number,
             gw_fact_kind_name(search.fact.kind));
    return 1;
}

static int write_row(void *opaque)
{
    const struct search *search = ((void **)opaque)[1];
    struct gw_index *index = ((void **)opaque)[0];
    const struct gw_event_row event = {search->fact.event, search->place};
    const struct gw_clip_row clip = {search->fact.clip, search->place};
    const struct gw_gap_row gap = {search->fact.gap, search->place};
    const enum gw_noun noun = (enum gw_noun)noun_of(search->fact.kind);

    int result = gw_index_remove_row(index, noun, search->id);
    if (result < 0 || is_deletion(search->fact.kind))
        return result < 0 ? result : 0;
    result = gw_index_put_place(index, gw_fact_camera(&search->fact), &search->place);
    if (result)
        return result;
    switch (noun) {
    case GW_NOUN_EVENT: return gw_index_write_event(index, &event);
    case GW_NOUN_CLIP: return gw_index_write_clip(index, &clip);
    case GW_NOUN_GAP: return gw_index_write_gap(index, &gap);
    }
    return GW_ERROR_INVALID;
}

static int repair_row(struct gw_fsck *fsck, const struct gw_suspect *suspect)
{
    struct search search;
    void *opaque[2] = {fsck->index, &search};
    const int result = search_newest(fsck, suspect, &search);
    return result ? result : gw_index_transaction(fsck->index, write_row, opaque);
}

const struct gw_fsck_check gw_fsck_fact_checks[] = {
    {17, "rows and facts", "the row becomes what the fact says", look_at_facts, judge_fact,
     repair_row},
};
const int gw_fsck_fact_check_count = sizeof(gw_fsck_fact_checks) / sizeof(gw_fsck_fact_checks[0]);
