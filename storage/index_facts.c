// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Facts out: read from the journal, as far as the index says that it goes.
//
// Order of a commit: the transaction changes rows and adds facts -> the journal is appended and
// synced -> the transaction, with the journal's new end, commits. So no row is without its fact,
// and a fact behind the end is one that nobody was told of.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/error.h"
#include "storage/index_internal.h"

int gw_index_read_end(struct gw_index *index, struct gw_journal_end *ret)
{
    int result;
    sqlite3_stmt *statement =
        gw_index_statement(index, "SELECT (SELECT value FROM meta WHERE key = 'head'),"
                                  " (SELECT value FROM meta WHERE key = 'journal_file'),"
                                  " (SELECT value FROM meta WHERE key = 'journal_offset')");
    if (!statement)
        return GW_ERROR_INDEX;
    result = gw_index_step(index, statement);
    if (result == 1)
        *ret = (struct gw_journal_end){.head = (uint64_t)sqlite3_column_int64(statement, 0),
                                       .segment = (uint64_t)sqlite3_column_int64(statement, 1),
                                       .offset = sqlite3_column_int64(statement, 2)};
    gw_index_reset(statement);
    return result < 0 ? result : 0;
}

int gw_index_write_end(struct gw_index *index, const struct gw_journal_end *end)
{
    sqlite3_stmt *statement = gw_index_statement(
        index, "UPDATE meta SET value = CASE key WHEN 'head' THEN ?1 WHEN 'journal_file' THEN ?2"
               " ELSE ?3 END WHERE key IN ('head', 'journal_file', 'journal_offset')");
    if (!statement)
        return GW_ERROR_INDEX;
    sqlite3_bind_int64(statement, 1, (int64_t)end->head);
    sqlite3_bind_int64(statement, 2, (int64_t)end->segment);
    sqlite3_bind_int64(statement, 3, end->offset);
    return gw_index_run(index, statement);
}

static int fail(struct gw_index *index, int error)
{
    snprintf(index->error, sizeof(index->error), "%s", gw_journal_error(index->journal));
    return error;
}

int gw_index_flush_journal(struct gw_index *index)
{
    if (!gw_journal_pending(index->journal))
        return 0;
    int result = gw_journal_append(index->journal, &index->end);
    return result < 0 ? fail(index, result) : gw_index_write_end(index, &index->end);
}

int64_t gw_index_head(struct gw_index *index)
{
    struct gw_journal_end end = {0};
    int result = gw_index_read_end(index, &end);
    return result < 0 ? result : (int64_t)end.head;
}

int gw_index_facts(struct gw_index *index, uint64_t since, int limit,
                   int (*callback)(void *opaque, const struct gw_committed_fact *fact),
                   void *opaque)
{
    struct gw_journal_end end;
    int result = gw_index_read_end(index, &end);

    if (!result)
        result = gw_journal_read(index->journal, &end, since, limit, callback, opaque);
    else
        return result;
    return result < 0 ? fail(index, result) : result;
}

int gw_index_add_fact(struct gw_index *index, enum gw_fact_kind kind, int64_t wall_us,
                      const char *camera, const struct gw_place *place, json_t *noun,
                      const char *thumbnail)
{
    char topic[160];
    int result = 0;

    if (!gw_journal_pending(index->journal)) {
        result = gw_index_read_end(index, &index->end);
        index->head = index->end.head;
    }
    snprintf(topic, sizeof(topic), "%s/%s%s/%s", gw_fact_topic_class(kind),
             *place->division ? place->division : "000000", place->grid, camera);
    gw_place_to_json_numbered(noun, place);
    char *data = json_dumps(noun, JSON_COMPACT | JSON_REAL_PRECISION(12));
    json_decref(noun);
    if (!data)
        abort();
    const struct gw_committed_fact fact = {
        .seq = index->head + 1,
        .wall_us = wall_us,
        .kind = gw_fact_kind_name(kind),
        .topic = topic,
        .camera = camera,
        .data = data,
        .thumbnail = thumbnail,
    };
    if (!result) {
        gw_journal_add(index->journal, &fact);
        index->head++;
    }
    free(data);
    return result;
}

// --- facts of before version 5 -------------------------------------------------------------------

// Gives an old fact the number of its place, which its text describes.
static int number_place(struct gw_index *index, const char *camera, json_t *data)
{
    struct gw_place place = gw_place_unknown;
    json_t *numbered = json_copy(data);
    sqlite3_stmt *statement = gw_index_statement(
        index, "SELECT number, since_us FROM place INDEXED BY place_by_camera WHERE camera = ?1"
               " AND camera_name = ?2 AND division = ?3 AND grid = ?4 AND lon IS ?5 AND lat IS ?6");
    int result = GW_ERROR_INVALID;

    // With any number it can be read as a place.
    json_object_set_new(numbered, "place", json_integer(1));
    json_object_set_new(numbered, "place_since_us", json_integer(0));
    if (statement && numbered)
        result = gw_place_from_json(numbered, &place);
    json_decref(numbered);
    if (result)
        return result;
    gw_index_bind_text(statement, 1, camera);
    gw_index_bind_text(statement, 2, place.camera_name);
    gw_index_bind_text(statement, 3, place.division);
    gw_index_bind_text(statement, 4, place.grid);
    gw_index_bind_degrees(statement, 5, place.lon);
    gw_index_bind_degrees(statement, 6, place.lat);
    result = gw_index_step(index, statement);
    place.number = result == 1 ? sqlite3_column_int64(statement, 0) : 0;
    place.since_us = result == 1 ? sqlite3_column_int64(statement, 1) : 0;
    gw_index_reset(statement);
    if (result == 0) { // only a state was ever told of it there
        result = gw_index_put_place(index, camera, &place);
        place.number = sqlite3_last_insert_rowid(index->db);
    }
    json_object_set_new(data, "place", json_integer(place.number));
    json_object_set_new(data, "place_since_us", json_integer(place.since_us));
    return result < 0 ? result : 0;
}

static const char *column_text(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    return text ? (const char *)text : "";
}

static int move_fact(struct gw_index *index, sqlite3_stmt *statement)
{
    struct gw_committed_fact fact = {
        .seq = (uint64_t)sqlite3_column_int64(statement, 0),
        .wall_us = sqlite3_column_int64(statement, 1),
        .kind = column_text(statement, 2),
        .topic = column_text(statement, 3),
        .camera = column_text(statement, 4),
        .thumbnail = column_text(statement, 6),
    };
    json_t *data = json_loads(column_text(statement, 5), 0, NULL);
    int result = data ? number_place(index, fact.camera, data) : GW_ERROR_INVALID;
    char *text = result ? NULL : json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(12));

    json_decref(data);
    if (!result) {
        fact.data = text;
        gw_journal_add(index->journal, &fact);
    } else if (result == GW_ERROR_INVALID)
        snprintf(index->error, sizeof(index->error),
                 "fact %" PRIu64 " holds what no gridwatch wrote", fact.seq);
    free(text);
    return result;
}

// A crash may leave the files of an upgrade that did not commit: the next one begins with none,
// because the journal has no end yet.
int gw_index_move_facts(struct gw_index *index)
{
    struct gw_journal_end end = {0};
    int result;
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(index->db,
                           "SELECT seq, wall_us, kind, topic, camera, data, thumbnail FROM fact"
                           " ORDER BY seq",
                           -1, &statement, NULL) != SQLITE_OK)
        return gw_index_fail(index);
    for (int i = 1; (result = gw_index_step(index, statement)) == 1; i++) {
        result = move_fact(index, statement);
        if (!result && i % 4096 == 0) {
            result = gw_journal_append(index->journal, &end);
            if (result < 0)
                fail(index, result);
        }
        if (result)
            break;
    }
    sqlite3_finalize(statement);
    if (!result) {
        result = gw_journal_append(index->journal, &end);
        if (result < 0)
            fail(index, result);
    }
    gw_journal_forget(index->journal);
    return result < 0 ? result : gw_index_write_end(index, &end);
}
