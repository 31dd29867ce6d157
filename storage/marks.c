// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/marks.h"

#include "core/clock.h"
#include "core/error.h"
#include "storage/index_internal.h"

int gw_index_mark(struct gw_index *index, const char *key, int64_t missing, int64_t *ret)
{
    sqlite3_stmt *statement = gw_index_statement(index, "SELECT value FROM meta WHERE key = ?1");
    if (!statement)
        return GW_ERROR_INDEX;
    *ret = missing;
    gw_index_bind_text(statement, 1, key);
    int result = gw_index_integer(index, statement, ret);
    return result < 0 ? result : 0;
}

int gw_index_set_mark(struct gw_index *index, const char *key, int64_t value)
{
    sqlite3_stmt *statement =
        gw_index_statement(index, "INSERT INTO meta (key, value) VALUES (?1, ?2)"
                                  " ON CONFLICT (key) DO UPDATE SET value = excluded.value");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, key);
    sqlite3_bind_int64(statement, 2, value);
    return gw_index_run(index, statement);
}

int gw_index_clear_mark(struct gw_index *index, const char *key)
{
    sqlite3_stmt *statement = gw_index_statement(index, "DELETE FROM meta WHERE key = ?1");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, key);
    return gw_index_run(index, statement);
}

static int note_time(void *opaque, const struct gw_committed_fact *fact)
{
    *(int64_t *)opaque = fact->wall_us;
    return 0;
}

int gw_index_newest_us(struct gw_index *index, int64_t *ret)
{
    *ret = GW_NO_TIME;
    const int64_t head = gw_index_head(index);
    if (head <= 0)
        return (int)head;
    const int result = gw_index_facts(index, (uint64_t)head - 1, 1, note_time, ret);
    return result < 0 ? result : 0;
}
