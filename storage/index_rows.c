// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/index_internal.h"

// --- columns -------------------------------------------------------------------------------------

void gw_index_column_text(sqlite3_stmt *statement, int column, char *ret, size_t size)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    const size_t length = text ? (size_t)sqlite3_column_bytes(statement, column) : 0,
                 copied = length < size ? length : size - 1;

    memcpy(ret, text ? (const char *)text : "", copied);
    ret[copied] = 0;
}

double gw_index_column_degrees(sqlite3_stmt *statement, int column)
{
    if (sqlite3_column_type(statement, column) == SQLITE_NULL)
        return NAN;
    return sqlite3_column_double(statement, column);
}

void gw_index_bind_degrees(sqlite3_stmt *statement, int parameter, double degrees)
{
    if (isfinite(degrees))
        sqlite3_bind_double(statement, parameter, degrees);
    else
        sqlite3_bind_null(statement, parameter);
}

int64_t gw_index_column_known(sqlite3_stmt *statement, int column, int64_t unknown)
{
    if (sqlite3_column_type(statement, column) == SQLITE_NULL)
        return unknown;
    return sqlite3_column_int64(statement, column);
}

void gw_index_bind_known(sqlite3_stmt *statement, int parameter, int64_t value, int64_t unknown)
{
    if (value != unknown)
        sqlite3_bind_int64(statement, parameter, value);
    else
        sqlite3_bind_null(statement, parameter);
}

void gw_index_bind_text(sqlite3_stmt *statement, int parameter, const char *text)
{
    sqlite3_bind_text(statement, parameter, text, -1, SQLITE_STATIC);
}

void gw_index_bind_id(sqlite3_stmt *statement, int parameter, const struct gw_id *id)
{
    sqlite3_bind_blob(statement, parameter, id->bytes, sizeof(id->bytes), SQLITE_STATIC);
}

bool gw_index_read_id(sqlite3_stmt *statement, int column, struct gw_id *ret)
{
    const void *bytes = sqlite3_column_blob(statement, column);
    if (!bytes || sqlite3_column_bytes(statement, column) != sizeof(ret->bytes))
        return false;
    memcpy(ret->bytes, bytes, sizeof(ret->bytes));
    return true;
}

// Reads the name in a column; from_name is one of core's.
static bool read_name(sqlite3_stmt *statement, int column, int (*from_name)(const char *name),
                      int *ret)
{
    const char *name = (const char *)sqlite3_column_text(statement, column);
    *ret = name ? from_name(name) : -1;
    return *ret >= 0;
}

static int damaged(struct gw_index *index, const char *table)
{
    snprintf(index->error, sizeof(index->error), "a row of table %s holds what no gridwatch wrote",
             table);
    return GW_ERROR_INDEX;
}

// The place that a row has.
static int read_place(struct gw_index *index, sqlite3_stmt *statement, int column,
                      const char *table, struct gw_place *ret)
{
    const struct gw_index_place *place =
        gw_index_place(index, sqlite3_column_int64(statement, column));
    if (!place)
        return damaged(index, table);
    *ret = place->place;
    return 0;
}

static void bind_place(sqlite3_stmt *statement, int parameter, const struct gw_place *place)
{
    sqlite3_bind_int64(statement, parameter, place->number);
}

// --- what goes with a row ------------------------------------------------------------------------

// How far a query must look back for rows that reach into its time: the longest row ever.
static int note_length(struct gw_index *index, const char *key, int64_t length_us)
{
    sqlite3_stmt *statement =
        gw_index_statement(index, "UPDATE meta SET value = ?2 WHERE key = ?1 AND value < ?2");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, key);
    sqlite3_bind_int64(statement, 2, length_us);
    return gw_index_run(index, statement);
}

// Whether there is a row of this id: 1, 0, or an error. sql is a literal.
static int has_row(struct gw_index *index, const char *sql, const struct gw_id *id)
{
    int64_t one;
    sqlite3_stmt *statement = gw_index_statement(index, sql);
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_id(statement, 1, id);
    return gw_index_integer(index, statement, &one);
}

int gw_index_remove_row(struct gw_index *index, enum gw_noun noun, const struct gw_id *id)
{
    static const char *const sql[] = {
        [GW_NOUN_EVENT] = "DELETE FROM event WHERE id = ?1 RETURNING kind, place, start_us",
        [GW_NOUN_CLIP] = "DELETE FROM clip WHERE id = ?1 RETURNING 'clip', place, start_us",
        [GW_NOUN_GAP] = "DELETE FROM gap WHERE id = ?1 RETURNING 'gap', place, start_us",
    };
    char what[32];
    sqlite3_stmt *statement = gw_index_statement(index, sql[noun]);
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_id(statement, 1, id);
    int result = gw_index_step(index, statement);
    gw_index_column_text(statement, 0, what, sizeof(what));
    const int64_t place = sqlite3_column_int64(statement, 1),
                  start_us = sqlite3_column_int64(statement, 2);
    gw_index_reset(statement);
    if (result != 1)
        return result;
    result = gw_index_tally(index, what, place, start_us, -1);
    return result < 0 ? result : 1;
}

// --- events --------------------------------------------------------------------------------------

static bool read_zones(sqlite3_stmt *statement, int column, struct gw_event *event)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    json_t *zones = json_loads(text ? text : "", 0, NULL);
    size_t count = json_array_size(zones), i;
    json_t *zone;

    event->zone_count = 0;
    json_array_foreach(zones, i, zone) if (json_is_string(zone) && i < GW_EVENT_ZONES) snprintf(
        event->zones[event->zone_count++], GW_ZONE_NAME_SIZE, "%s", json_string_value(zone));
    bool good = json_is_array(zones) && (size_t)event->zone_count == count;
    json_decref(zones);
    return good;
}

static char *format_zones(const struct gw_event *event)
{
    json_t *zones = json_array();
    for (int i = 0; i < event->zone_count; i++)
        json_array_append_new(zones, json_string(event->zones[i]));
    char *text = json_dumps(zones, JSON_COMPACT);
    json_decref(zones);
    if (!text)
        abort();
    return text;
}

int gw_index_read_event(struct gw_index *index, sqlite3_stmt *statement, struct gw_event_row *ret)
{
    struct gw_event *event = &ret->event;
    int state, kind;
    *ret = (struct gw_event_row){0};
    if (!gw_index_read_id(statement, 0, &event->id) ||
        !read_name(statement, 2, gw_event_state_from_name, &state) ||
        !read_name(statement, 6, gw_event_kind_from_name, &kind) ||
        !read_zones(statement, 13, event))
        return damaged(index, "event");
    gw_index_column_text(statement, 1, event->camera, sizeof(event->camera));
    event->state = (enum gw_event_state)state;
    event->kind = (enum gw_event_kind)kind;
    event->start_us = sqlite3_column_int64(statement, 3);
    event->end_us = sqlite3_column_int64(statement, 4);
    event->confirmed_us = sqlite3_column_int64(statement, 7);
    event->score = sqlite3_column_double(statement, 8);
    event->box =
        (struct gw_box){sqlite3_column_double(statement, 9), sqlite3_column_double(statement, 10),
                        sqlite3_column_double(statement, 11), sqlite3_column_double(statement, 12)};
    event->snapshot_us = gw_index_column_known(statement, 14, GW_NO_TIME);
    event->interrupted = sqlite3_column_int(statement, 15);
    event->clock_offset_us = gw_index_column_known(statement, 16, GW_NO_TIME);
    return read_place(index, statement, 5, "event", &ret->place);
}

int gw_index_write_event(struct gw_index *index, const struct gw_event_row *row)
{
    const struct gw_event *event = &row->event;
    const int known = has_row(index, "SELECT 1 FROM event WHERE id = ?1", &event->id);
    sqlite3_stmt *statement = gw_index_statement(
        index,
        "INSERT INTO event (" GW_EVENT_COLUMNS ") VALUES (" GW_EVENT_PARAMETERS ")"
        " ON CONFLICT (id) DO UPDATE SET state = excluded.state, end_us = excluded.end_us,"
        " confirmed_us = excluded.confirmed_us, score = excluded.score, box_x = excluded.box_x,"
        " box_y = excluded.box_y, box_w = excluded.box_w, box_h = excluded.box_h,"
        " zones = excluded.zones, snapshot_us = excluded.snapshot_us,"
        " interrupted = excluded.interrupted, clock_offset_us = excluded.clock_offset_us");
    if (!statement || known < 0)
        return GW_ERROR_INDEX;
    char *zones = format_zones(event);
    gw_index_bind_id(statement, 1, &event->id);
    gw_index_bind_text(statement, 2, event->camera);
    gw_index_bind_text(statement, 3, gw_event_state_name(event->state));
    sqlite3_bind_int64(statement, 4, event->start_us);
    sqlite3_bind_int64(statement, 5, event->end_us);
    bind_place(statement, 6, &row->place);
    gw_index_bind_text(statement, 7, gw_event_kind_name(event->kind));
    sqlite3_bind_int64(statement, 8, event->confirmed_us);
    sqlite3_bind_double(statement, 9, event->score);
    sqlite3_bind_double(statement, 10, event->box.x);
    sqlite3_bind_double(statement, 11, event->box.y);
    sqlite3_bind_double(statement, 12, event->box.w);
    sqlite3_bind_double(statement, 13, event->box.h);
    gw_index_bind_text(statement, 14, zones);
    gw_index_bind_known(statement, 15, event->snapshot_us, GW_NO_TIME);
    sqlite3_bind_int(statement, 16, event->interrupted);
    gw_index_bind_known(statement, 17, event->clock_offset_us, GW_NO_TIME);
    int result = gw_index_run(index, statement);
    free(zones);
    if (!result && !known)
        result = gw_index_tally(index, gw_event_kind_name(event->kind), row->place.number,
                                event->start_us, 1);
    return result ? result
                  : note_length(index, "longest_event_us", event->end_us - event->start_us);
}

// --- clips ---------------------------------------------------------------------------------------

int gw_index_read_clip(struct gw_index *index, sqlite3_stmt *statement, struct gw_clip_row *ret)
{
    struct gw_clip *clip = &ret->clip;
    int state;
    *ret = (struct gw_clip_row){0};
    if (!gw_index_read_id(statement, 0, &clip->id) ||
        !read_name(statement, 2, gw_clip_state_from_name, &state))
        return damaged(index, "clip");
    gw_index_column_text(statement, 1, clip->camera, sizeof(clip->camera));
    clip->state = (enum gw_clip_state)state;
    clip->start_us = sqlite3_column_int64(statement, 3);
    clip->end_us = sqlite3_column_int64(statement, 4);
    clip->size_bytes = sqlite3_column_int64(statement, 6);
    clip->frames = sqlite3_column_int64(statement, 7);
    gw_index_column_text(statement, 8, clip->codec, sizeof(clip->codec));
    clip->width = sqlite3_column_int(statement, 9);
    clip->height = sqlite3_column_int(statement, 10);
    clip->truncated = sqlite3_column_int(statement, 11);
    clip->clock_offset_us = gw_index_column_known(statement, 12, GW_NO_TIME);
    return read_place(index, statement, 5, "clip", &ret->place);
}

int gw_index_write_clip(struct gw_index *index, const struct gw_clip_row *row)
{
    const struct gw_clip *clip = &row->clip;
    const int known = has_row(index, "SELECT 1 FROM clip WHERE id = ?1", &clip->id);
    sqlite3_stmt *statement = gw_index_statement(
        index,
        "INSERT INTO clip (" GW_CLIP_COLUMNS ") VALUES (" GW_CLIP_PARAMETERS ")"
        " ON CONFLICT (id) DO UPDATE SET state = excluded.state, end_us = excluded.end_us,"
        " size_bytes = excluded.size_bytes, frames = excluded.frames, codec = excluded.codec,"
        " width = excluded.width, height = excluded.height, truncated = excluded.truncated,"
        " clock_offset_us = excluded.clock_offset_us");
    if (!statement || known < 0)
        return GW_ERROR_INDEX;
    gw_index_bind_id(statement, 1, &clip->id);
    gw_index_bind_text(statement, 2, clip->camera);
    gw_index_bind_text(statement, 3, gw_clip_state_name(clip->state));
    sqlite3_bind_int64(statement, 4, clip->start_us);
    sqlite3_bind_int64(statement, 5, clip->end_us);
    bind_place(statement, 6, &row->place);
    sqlite3_bind_int64(statement, 7, clip->size_bytes);
    sqlite3_bind_int64(statement, 8, clip->frames);
    gw_index_bind_text(statement, 9, clip->codec);
    sqlite3_bind_int(statement, 10, clip->width);
    sqlite3_bind_int(statement, 11, clip->height);
    sqlite3_bind_int(statement, 12, clip->truncated);
    gw_index_bind_known(statement, 13, clip->clock_offset_us, GW_NO_TIME);
    int result = gw_index_run(index, statement);
    if (!result && !known)
        result = gw_index_tally(index, "clip", row->place.number, clip->start_us, 1);
    return result ? result : note_length(index, "longest_clip_us", clip->end_us - clip->start_us);
}

// --- gaps ----------------------------------------------------------------------------------------

int gw_index_read_gap(struct gw_index *index, sqlite3_stmt *statement, struct gw_gap_row *ret)
{
    struct gw_gap *gap = &ret->gap;
    int open, cause;
    *ret = (struct gw_gap_row){0};
    if (!gw_index_read_id(statement, 0, &gap->id) ||
        !read_name(statement, 2, gw_gap_state_from_name, &open) ||
        !read_name(statement, 6, gw_gap_cause_from_name, &cause))
        return damaged(index, "gap");
    gw_index_column_text(statement, 1, gap->camera, sizeof(gap->camera));
    gap->open = open;
    gap->cause = (enum gw_gap_cause)cause;
    gap->from_us = sqlite3_column_int64(statement, 3);
    gap->to_us = sqlite3_column_int64(statement, 4);
    return read_place(index, statement, 5, "gap", &ret->place);
}

int gw_index_write_gap(struct gw_index *index, const struct gw_gap_row *row)
{
    const struct gw_gap *gap = &row->gap;
    const int known = has_row(index, "SELECT 1 FROM gap WHERE id = ?1", &gap->id);
    sqlite3_stmt *statement = gw_index_statement(
        index, "INSERT INTO gap (" GW_GAP_COLUMNS ") VALUES (" GW_GAP_PARAMETERS ")"
               " ON CONFLICT (id) DO UPDATE SET state = excluded.state, end_us = excluded.end_us");
    if (!statement || known < 0)
        return GW_ERROR_INDEX;
    gw_index_bind_id(statement, 1, &gap->id);
    gw_index_bind_text(statement, 2, gap->camera);
    gw_index_bind_text(statement, 3, gw_gap_state_name(gap->open));
    sqlite3_bind_int64(statement, 4, gap->from_us);
    sqlite3_bind_int64(statement, 5, gap->to_us);
    bind_place(statement, 6, &row->place);
    gw_index_bind_text(statement, 7, gw_gap_cause_name(gap->cause));
    int result = gw_index_run(index, statement);
    if (!result && !known)
        result = gw_index_tally(index, "gap", row->place.number, gap->from_us, 1);
    return result ? result : note_length(index, "longest_gap_us", gap->to_us - gap->from_us);
}
