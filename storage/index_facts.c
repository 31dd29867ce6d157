// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Facts out: the outbox from which bus and event streams are fed.

#include "core/error.h"
#include "storage/index_internal.h"

int64_t gw_index_head(struct gw_index *index)
{
    int64_t head = 0;
    sqlite3_stmt *statement = gw_index_statement(index, "SELECT max(seq) FROM fact");
    if (!statement)
        return GW_ERROR_INDEX;
    int result = gw_index_integer(index, statement, &head);
    return result < 0 ? result : head;
}

static const char *column_text(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    return text ? (const char *)text : "";
}

int gw_index_facts(struct gw_index *index, uint64_t since, int limit,
                   int (*callback)(void *opaque, const struct gw_committed_fact *fact),
                   void *opaque)
{
    sqlite3_stmt *statement = gw_index_statement(
        index, "SELECT seq, wall_us, kind, topic, camera, data, thumbnail FROM fact"
               " WHERE seq > ?1 ORDER BY seq LIMIT ?2");
    if (!statement)
        return GW_ERROR_INDEX;
    if (since > INT64_MAX) // no fact will ever have such a number
        return 0;
    sqlite3_bind_int64(statement, 1, (int64_t)since);
    sqlite3_bind_int(statement, 2, limit);
    int calls = 0, result;
    while ((result = gw_index_step(index, statement)) == 1) {
        struct gw_committed_fact fact = {
            .seq = (uint64_t)sqlite3_column_int64(statement, 0),
            .wall_us = sqlite3_column_int64(statement, 1),
            .kind = column_text(statement, 2),
            .topic = column_text(statement, 3),
            .camera = column_text(statement, 4),
            .data = column_text(statement, 5),
            .thumbnail = column_text(statement, 6),
        };
        calls++;
        if (callback(opaque, &fact))
            break;
    }
    gw_index_reset(statement);
    return result < 0 ? result : calls;
}
