// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

#define HASH_SIZE      32
#define SCHEMA_VERSION 1

static const char schema[] =
    "CREATE TABLE login_code (hash BLOB PRIMARY KEY, expires_us INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE session (id TEXT PRIMARY KEY, token_hash BLOB NOT NULL UNIQUE,"
    " created_us INTEGER NOT NULL, expires_us INTEGER NOT NULL, revoked_us INTEGER,"
    " remote TEXT NOT NULL);"
    "CREATE TABLE audit (seq INTEGER PRIMARY KEY AUTOINCREMENT, wall_us INTEGER NOT NULL,"
    " session TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL, camera TEXT NOT NULL,"
    " remote TEXT NOT NULL);"
    "CREATE INDEX audit_by_object ON audit (session, object, wall_us);"
    "PRAGMA user_version = 1;";

// Makes the file private before anything is in it. An existing one is left alone: opening and
// closing it here would drop the locks that SQLite holds on it elsewhere in this process.
// When root makes it (`gridwatch user login` before the first start) it goes to the store's owner.
static int create_file(const char *store, const char *path)
{
    struct stat owner;
    int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0)
        return errno == EEXIST ? 0 : -errno;
    int result = 0;
    if (geteuid() == 0 && stat(store, &owner) == 0 && fchown(fd, owner.st_uid, owner.st_gid) < 0)
        result = -errno;
    close(fd);
    return result;
}

static int read_version(sqlite3 *handle, int *ret)
{
    sqlite3_stmt *statement;

    if (sqlite3_prepare_v2(handle, "PRAGMA user_version", -1, &statement, NULL) != SQLITE_OK)
        return GW_ERROR_INDEX;
    int result = sqlite3_step(statement) == SQLITE_ROW ? 0 : GW_ERROR_INDEX;
    *ret = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return result;
}

// In one transaction, because the console and `gridwatch user login` may both be the first.
static int create_schema(sqlite3 *handle, int *ret_version)
{
    if (sqlite3_exec(handle, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return GW_ERROR_INDEX;
    int result = read_version(handle, ret_version);
    if (result == 0 && *ret_version == 0) {
        *ret_version = SCHEMA_VERSION;
        if (sqlite3_exec(handle, schema, NULL, NULL, NULL) != SQLITE_OK)
            result = GW_ERROR_INDEX;
    }
    if (result == 0 && sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL);
    return GW_ERROR_INDEX;
}

static int set_up(sqlite3 *handle, int *ret_version)
{
    sqlite3_busy_timeout(handle, 5000);
    if (sqlite3_exec(handle, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", NULL, NULL,
                     NULL) != SQLITE_OK)
        return GW_ERROR_INDEX;
    return create_schema(handle, ret_version);
}

int gw_console_db_open(struct gw_console_db *db, const char *store, char error[256])
{
    char path[PATH_MAX];
    int version = 0;

    if ((size_t)snprintf(path, sizeof(path), "%s/console.db", store) >= sizeof(path))
        return -ENAMETOOLONG;
    int result = create_file(store, path);
    if (result < 0) {
        snprintf(error, 256, "cannot create %.160s: %s", path, gw_strerror(result));
        return result;
    }
    pthread_mutex_init(&db->lock, NULL);
    result = sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK
                 ? set_up(db->handle, &version)
                 : GW_ERROR_INDEX;
    if (result == 0 && version == SCHEMA_VERSION)
        return 0;
    if (result == 0)
        snprintf(error, 256, "%.160s was made by a newer version of Gridwatch", path);
    else
        snprintf(error, 256, "cannot use %.160s: %.70s", path, sqlite3_errmsg(db->handle));
    gw_console_db_close(db);
    return GW_ERROR_INDEX;
}

void gw_console_db_close(struct gw_console_db *db)
{
    if (!db->handle)
        return;
    sqlite3_close(db->handle);
    db->handle = NULL;
    pthread_mutex_destroy(&db->lock);
}

static int bind_one(sqlite3_stmt *statement, int position, char type, va_list *values)
{
    switch (type) {
    case 'i': return sqlite3_bind_int64(statement, position, va_arg(*values, int64_t));
    case 't':
        return sqlite3_bind_text(statement, position, va_arg(*values, const char *), -1,
                                 SQLITE_STATIC);
    case 'b':
        return sqlite3_bind_blob(statement, position, va_arg(*values, const void *), HASH_SIZE,
                                 SQLITE_STATIC);
    default: assert(!"unknown parameter type"); return SQLITE_MISUSE;
    }
}

static int prepare(struct gw_console_db *db, sqlite3_stmt **ret, const char *sql, const char *types,
                   va_list *values)
{
    sqlite3_stmt *statement;

    if (sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL) != SQLITE_OK)
        return GW_ERROR_INDEX;
    for (int i = 0; types[i]; i++) {
        if (bind_one(statement, i + 1, types[i], values) != SQLITE_OK) {
            sqlite3_finalize(statement);
            return GW_ERROR_INDEX;
        }
    }
    *ret = statement;
    return 0;
}

int gw_console_db_prepare(struct gw_console_db *db, sqlite3_stmt **ret, const char *sql,
                          const char *types, ...)
{
    va_list values;

    va_start(values, types);
    int result = prepare(db, ret, sql, types, &values);
    va_end(values);
    return result;
}

int gw_console_db_run(struct gw_console_db *db, const char *sql, const char *types, ...)
{
    sqlite3_stmt *statement;
    va_list values;

    va_start(values, types);
    int result = prepare(db, &statement, sql, types, &values);
    va_end(values);
    if (result < 0)
        return result;
    result = sqlite3_step(statement) == SQLITE_DONE ? sqlite3_changes(db->handle) : GW_ERROR_INDEX;
    sqlite3_finalize(statement);
    return result;
}
