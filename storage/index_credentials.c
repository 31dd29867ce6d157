// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Sealed user names and passwords in the table camera, and their way out of older indexes that
// kept them as text.

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "storage/index_internal.h"

// --- one row -------------------------------------------------------------------------------------

int gw_index_bind_credentials(struct gw_index *index, sqlite3_stmt *statement, int parameter,
                              const struct gw_camera *camera)
{
    uint8_t sealed[GW_SEALED_SIZE];

    if (!*camera->username && !*camera->password)
        return 0; // bound to NULL
    const int result = gw_credentials_seal(index->credentials, camera, sealed);
    if (result < 0) {
        snprintf(index->error, sizeof(index->error), "%s",
                 gw_credentials_error(index->credentials));
        return result;
    }
    sqlite3_bind_blob(statement, parameter, sealed, sizeof(sealed), SQLITE_TRANSIENT);
    return 0;
}

void gw_index_read_credentials(struct gw_index *index, sqlite3_stmt *statement, int column,
                               struct gw_camera_row *ret)
{
    const void *sealed = sqlite3_column_blob(statement, column);

    ret->locked = sealed && gw_credentials_open(index->credentials, sealed,
                                                (size_t)sqlite3_column_bytes(statement, column),
                                                &ret->camera) < 0;
    if (ret->locked)
        snprintf(index->locked, sizeof(index->locked), "%s",
                 gw_credentials_error(index->credentials));
}

const char *gw_index_locked(const struct gw_index *index)
{
    return index->locked;
}

// --- out of older indexes ------------------------------------------------------------------------

static void copy_text(char *ret, size_t size, sqlite3_value *value)
{
    const unsigned char *text = sqlite3_value_text(value);
    snprintf(ret, size, "%s", text ? (const char *)text : "");
}

// gw_seal(id, username, password): the blob, or NULL when both are empty.
static void seal_function(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct gw_credentials *credentials = sqlite3_user_data(context);
    struct gw_camera camera = {0};
    uint8_t sealed[GW_SEALED_SIZE];

    copy_text(camera.id, sizeof(camera.id), values[0]);
    copy_text(camera.username, sizeof(camera.username), values[1]);
    copy_text(camera.password, sizeof(camera.password), values[2]);
    if (!*camera.username && !*camera.password)
        sqlite3_result_null(context);
    else if (gw_credentials_seal(credentials, &camera, sealed) < 0)
        sqlite3_result_error(context, gw_credentials_error(credentials), -1);
    else
        sqlite3_result_blob(context, sealed, sizeof(sealed), SQLITE_TRANSIENT);
    explicit_bzero(&camera, sizeof(camera));
}

int gw_index_add_seal(struct gw_index *index)
{
    return sqlite3_create_function(index->db, "gw_seal", 3, SQLITE_UTF8 | SQLITE_DIRECTONLY,
                                   index->credentials, seal_function, NULL, NULL);
}

// Text that was overwritten or deleted stays in pages until they are used again, and in the
// write-ahead log. VACUUM writes every page anew, the checkpoint empties the log.
void gw_index_scrub(struct gw_index *index)
{
    sqlite3_stmt *statement = NULL;
    int64_t marked = 0, busy = 1;

    if (sqlite3_prepare_v2(index->db, "SELECT value FROM meta WHERE key = 'unscrubbed'", -1,
                           &statement, NULL) == SQLITE_OK)
        gw_index_integer(index, statement, &marked);
    sqlite3_finalize(statement);
    if (!marked || sqlite3_exec(index->db, "VACUUM", NULL, NULL, NULL) != SQLITE_OK)
        return;
    if (sqlite3_prepare_v2(index->db, "PRAGMA wal_checkpoint(TRUNCATE)", -1, &statement, NULL) ==
        SQLITE_OK)
        gw_index_integer(index, statement, &busy);
    sqlite3_finalize(statement);
    if (!busy)
        sqlite3_exec(index->db, "DELETE FROM meta WHERE key = 'unscrubbed'", NULL, NULL, NULL);
}
