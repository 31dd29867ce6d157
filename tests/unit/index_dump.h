// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// All rows of a table as text, a line each, in the order of its first three columns: to compare two
// indexes. The caller frees it.
#pragma once

#include <stdio.h>

#include "storage/index_internal.h"

static inline char *dump_table(struct gw_index *index, const char *table)
{
    char sql[128], *text = NULL;
    size_t size;
    sqlite3_stmt *statement;
    FILE *out = open_memstream(&text, &size);
    snprintf(sql, sizeof(sql), "SELECT * FROM %s ORDER BY 1, 2, 3", table);
    assert_int_equal(sqlite3_prepare_v2(index->db, sql, -1, &statement, NULL), SQLITE_OK);
    for (; sqlite3_step(statement) == SQLITE_ROW; fprintf(out, "\n"))
        for (int i = 0; i < sqlite3_column_count(statement); i++)
            if (sqlite3_column_type(statement, i) == SQLITE_BLOB)
                for (int j = 0; j < sqlite3_column_bytes(statement, i); j++)
                    fprintf(out, "%02x", ((const uint8_t *)sqlite3_column_blob(statement, i))[j]);
            else
                fprintf(out, "|%s", (const char *)sqlite3_column_text(statement, i));
    sqlite3_finalize(statement);
    fclose(out);
    return text;
}
