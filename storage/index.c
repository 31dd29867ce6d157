// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/index.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/index_internal.h"
#include "storage/read_around.h"
#include "storage/turn.h"

#define APPLICATION_ID  0x47576978 // "GWix", in the file's header
#define BUSY_TIMEOUT_MS 10000
#define WALK_PATIENCE   20000 // rows looked at; about 5 ms

// --- statements ----------------------------------------------------------------------------------

// "disk I/O error" alone does not say what to do.
static int find_system_error(struct gw_index *index, int code)
{
    return code == SQLITE_IOERR || code == SQLITE_CANTOPEN ? sqlite3_system_errno(index->db) : 0;
}

int gw_index_fail(struct gw_index *index)
{
    const int code = sqlite3_errcode(index->db), system = find_system_error(index, code & 0xff);
    snprintf(index->error, sizeof(index->error), "%s%s%s", sqlite3_errmsg(index->db),
             system ? ": " : "", system ? strerror(system) : "");
    switch (code & 0xff) {
    case SQLITE_BUSY: return GW_ERROR_BUSY;
    case SQLITE_FULL: return -ENOSPC;
    case SQLITE_IOERR:
        if (system == ENOSPC || system == EDQUOT)
            return -ENOSPC;
        return GW_ERROR_INDEX;
    default: return GW_ERROR_INDEX;
    }
}

sqlite3_stmt *gw_index_statement(struct gw_index *index, const char *sql)
{
    int i = 0;
    for (; i < GW_INDEX_STATEMENTS && index->statements[i].sql; i++)
        if (index->statements[i].sql == sql)
            return index->statements[i].statement;
    assert(i < GW_INDEX_STATEMENTS);
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v3(index->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
        SQLITE_OK) {
        gw_index_fail(index);
        return NULL;
    }
    index->statements[i].sql = sql;
    index->statements[i].statement = statement;
    return statement;
}

int gw_index_step(struct gw_index *index, sqlite3_stmt *statement)
{
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        return 1;
    return result == SQLITE_DONE ? 0 : gw_index_fail(index);
}

void gw_index_reset(sqlite3_stmt *statement)
{
    sqlite3_reset(statement); // repeats the code of the step before
    sqlite3_clear_bindings(statement);
}

int gw_index_run(struct gw_index *index, sqlite3_stmt *statement)
{
    int result = gw_index_step(index, statement);
    gw_index_reset(statement);
    return result < 0 ? result : 0;
}

int gw_index_integer(struct gw_index *index, sqlite3_stmt *statement, int64_t *ret)
{
    int result = gw_index_step(index, statement);
    if (result == 1)
        *ret = sqlite3_column_int64(statement, 0);
    gw_index_reset(statement);
    return result;
}

static int run_sql(struct gw_index *index, const char *sql)
{
    return sqlite3_exec(index->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : gw_index_fail(index);
}

static int read_pragma(struct gw_index *index, const char *sql, int64_t *ret)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(index->db, sql, -1, &statement, NULL) != SQLITE_OK)
        return gw_index_fail(index);
    int result = gw_index_integer(index, statement, ret);
    sqlite3_finalize(statement);
    return result < 0 ? result : 0;
}

// --- transactions --------------------------------------------------------------------------------

static int transact(struct gw_index *index, int (*callback)(void *opaque), void *opaque)
{
    int result = run_sql(index, "BEGIN IMMEDIATE");
    if (result < 0)
        return result;
    index->in_transaction = true;
    result = callback(opaque);
    if (result >= 0) {
        int committed = gw_index_flush_journal(index);
        if (!committed)
            committed = run_sql(index, "COMMIT");
        index->in_transaction = false;
        if (committed == 0)
            return result;
        result = committed;
    }
    index->in_transaction = false;
    gw_journal_forget(index->journal);
    gw_index_forget_places(index); // some may never have been
    // The engine may have rolled back by itself already (disk full); its complaint about that
    // must not hide the first one.
    if (!sqlite3_get_autocommit(index->db))
        sqlite3_exec(index->db, "ROLLBACK", NULL, NULL, NULL);
    return result;
}

int gw_index_transaction(struct gw_index *index, int (*callback)(void *opaque), void *opaque)
{
    if (index->in_transaction)
        return callback(opaque);
    const bool taken = gw_turn_take();
    const int result = transact(index, callback, opaque);
    gw_turn_give(taken);
    return result;
}

int gw_index_snapshot(struct gw_index *index, int (*callback)(void *opaque), void *opaque)
{
    if (!sqlite3_get_autocommit(index->db))
        return callback(opaque);
    sqlite3_stmt *begin = gw_index_statement(index, "BEGIN"),
                 *end = gw_index_statement(index, "COMMIT");
    int result = begin && end ? gw_index_run(index, begin) : GW_ERROR_INDEX;
    if (result)
        return result;
    result = callback(opaque);
    int ended = gw_index_run(index, end);
    return result < 0 ? result : ended < 0 ? ended : result;
}

// --- open ----------------------------------------------------------------------------------------

// Makes an empty file that only its owner can read. Left alone when it is there: closing a second
// descriptor of it would drop the locks of this process's other handles.
static int make_file(const char *store, const char *path)
{
    if (mkdir(store, 0750) < 0 && errno != EEXIST)
        return -errno;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? 0 : -errno;
    close(fd);
    return 0;
}

static int make_epoch(struct gw_index *index)
{
    uint64_t epoch = 0;
    char sql[96];
    // 53 bits, so that JSON readers that know only doubles keep it whole.
    while ((epoch & ((UINT64_C(1) << 53) - 1)) == 0)
        if (getrandom(&epoch, sizeof(epoch), 0) != sizeof(epoch))
            return -errno;
    epoch &= (UINT64_C(1) << 53) - 1;
    snprintf(sql, sizeof(sql), "INSERT INTO meta VALUES ('epoch', %lld)", (long long)epoch);
    return run_sql(index, sql);
}

static int open_journal(struct gw_index *index)
{
    int64_t epoch = 0;
    int result = read_pragma(index, "SELECT value FROM meta WHERE key = 'epoch'", &epoch);

    index->epoch = (uint64_t)epoch;
    if (!result)
        index->journal = gw_journal_open(index->store, index->epoch);
    return result;
}

// Days begin at the midnight of this machine's clock, whatever becomes of its time zone later.
static int set_days(struct gw_index *index)
{
    char sql[96];
    struct tm local;
    const time_t now = time(NULL);

    localtime_r(&now, &local);
    snprintf(sql, sizeof(sql), "INSERT INTO meta VALUES ('day_offset_us', %lld)",
             (long long)(local.tm_gmtoff * GW_SECOND));
    return run_sql(index, sql);
}

// Brings the index from one version to the next.
static int upgrade_to(struct gw_index *index, int version)
{
    int result = version == 5 ? set_days(index) : 0;

    for (int part = 0; !result && gw_index_schema(version, part); part++)
        result = run_sql(index, gw_index_schema(version, part));
    if (!result && version == 1)
        result = make_epoch(index);
    if (result || version != 5)
        return result;
    result = open_journal(index);
    if (!result)
        result = gw_index_move_facts(index);
    return result ? result : run_sql(index, "DROP TABLE fact");
}

static int upgrade(void *opaque)
{
    struct gw_index *index = opaque;
    int64_t version;
    char sql[96];

    int result = read_pragma(index, "PRAGMA user_version", &version);
    for (int64_t next = version + 1; !result && next <= GW_INDEX_SCHEMA_VERSION; next++)
        result = upgrade_to(index, (int)next);
    snprintf(sql, sizeof(sql), "PRAGMA application_id=%d; PRAGMA user_version=%d", APPLICATION_ID,
             GW_INDEX_SCHEMA_VERSION);
    return result ? result : run_sql(index, sql);
}

static int refuse(struct gw_index *index, const char *why)
{
    snprintf(index->error, sizeof(index->error), "%s", why);
    return GW_ERROR_INVALID;
}

struct header {
    int64_t application, version, tables;
};

// In one transaction: another process may be setting it up.
static int read_header(struct gw_index *index, struct header *ret)
{
    int result = run_sql(index, "BEGIN");
    if (result)
        return result;
    result = read_pragma(index, "PRAGMA application_id", &ret->application);
    if (!result)
        result = read_pragma(index, "PRAGMA user_version", &ret->version);
    if (!result)
        result = read_pragma(index, "SELECT count(*) FROM sqlite_schema", &ret->tables);
    sqlite3_exec(index->db, "ROLLBACK", NULL, NULL, NULL); // nothing was written
    return result;
}

// A file of another program or of a later version is left as it is. Returns the version or an
// error.
static int check_version(struct gw_index *index)
{
    struct header header = {0};
    const int result = read_header(index, &header);
    const int64_t version = header.version;
    if (result)
        return result;
    if (header.tables && header.application != APPLICATION_ID)
        return refuse(index, "it is a database of another program");
    if (version > GW_INDEX_SCHEMA_VERSION)
        return refuse(index, "it was made by a later version of gridwatch; use that one");
    if (index->mode == GW_INDEX_READ && version < GW_INDEX_SCHEMA_VERSION)
        return refuse(
            index, version ? "it is of an earlier version; start gridwatch serve once to upgrade it"
                           : "it is empty; start gridwatch serve once to set it up");
    return (int)version;
}

static int configure(struct gw_index *index)
{
    sqlite3_busy_timeout(index->db, BUSY_TIMEOUT_MS);
    int result = run_sql(index, "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;"
                                "PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864;"
                                "PRAGMA cache_size=-32768");
    if (result)
        return result;
    int version = check_version(index);
    if (version < 0)
        return version;
    if (index->mode == GW_INDEX_READ)
        return run_sql(index, "PRAGMA query_only=ON");
    result = run_sql(index, "PRAGMA journal_mode=WAL");
    if (!result && gw_index_add_seal(index) != SQLITE_OK)
        result = gw_index_fail(index);
    if (!result && version < GW_INDEX_SCHEMA_VERSION)
        result = gw_index_transaction(index, upgrade, index);
    if (!result)
        gw_index_scrub(index);
    return result;
}

static int place_cameras(void *opaque)
{
    return gw_index_place_cameras(opaque, gw_wall_us());
}

// Behind the journal's end there may be one commit that the index does not know: it failed at the
// last step, and nobody was told. More of them the index has forgotten.
static int check_journal(struct gw_index *index)
{
    struct gw_journal_end end = {0};
    int result = gw_index_read_end(index, &end);

    if (!result)
        result = gw_journal_beyond(index->journal, &end);
    if (result > 1)
        return refuse(index,
                      "it is older than the fact journal beside it (from a backup?); make it "
                      "again: gridwatch index rebuild");
    if (result < 0)
        snprintf(index->error, sizeof(index->error), "%.200s", gw_journal_error(index->journal));
    return result < 0 ? result : 0;
}

// What is needed beyond the tables.
static int begin(struct gw_index *index)
{
    int result = index->journal ? 0 : open_journal(index);

    if (!result)
        result = read_pragma(index, "SELECT value FROM meta WHERE key = 'day_offset_us'",
                             &index->day_offset_us);
    if (result || index->mode != GW_INDEX_WRITE)
        return result;
    result = check_journal(index);
    return result ? result : gw_index_transaction(index, place_cameras, index);
}

// Takes the lock of the store's folder, until the descriptor is closed. Waits as long as for any
// other lock of the index.
static int lock_folder(struct gw_index *index, const char *store, int *ret_fd)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    const int64_t until_us = gw_mono_us() + BUSY_TIMEOUT_MS * INT64_C(1000);
    int fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;

    if (fd < 0)
        result = -errno;
    while (!result && flock(fd, LOCK_EX | LOCK_NB) < 0)
        if (errno != EWOULDBLOCK)
            result = -errno;
        else if (gw_mono_us() > until_us)
            result = GW_ERROR_BUSY;
        else
            nanosleep(&pause, NULL);
    if (result) {
        snprintf(index->error, sizeof(index->error), "%s", gw_strerror(result));
        if (fd >= 0)
            close(fd);
    }
    *ret_fd = fd;
    return result;
}

// Writers one after the other: SQLite does not wait for another process that changes the journal
// mode at the same time, but says that the database is locked.
static int set_up(struct gw_index *index, const char *store)
{
    int fd, result;

    if (index->mode == GW_INDEX_READ)
        return configure(index);
    result = lock_folder(index, store, &fd);
    if (result)
        return result;
    result = configure(index);
    close(fd);
    return result;
}

static int open_file(struct gw_index *index, const char *store, const char *path)
{
    if (index->mode == GW_INDEX_WRITE) {
        int result = make_file(store, path);
        if (result < 0) {
            snprintf(index->error, sizeof(index->error), "%s", gw_strerror(result));
            return result;
        }
    } else if (access(path, F_OK) < 0) {
        int result = -errno;
        snprintf(index->error, sizeof(index->error),
                 "%s; is this the store of a site that ran before?", gw_strerror(result));
        return result;
    }
    // READWRITE for readers, too: the shared memory of WAL needs it; query_only keeps them readers.
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    const int result = sqlite3_open_v2(path, &index->db, flags, gw_read_around_vfs());
    return result == SQLITE_OK ? 0 : gw_index_fail(index);
}

int gw_index_open(struct gw_index **ret, const char *store, enum gw_index_mode mode,
                  const char *division, char error[GW_INDEX_ERROR_SIZE])
{
    char path[PATH_MAX];
    struct gw_index *index = calloc(1, sizeof(*index));
    if (!index)
        abort();
    index->mode = mode;
    index->walk_patience = WALK_PATIENCE;
    snprintf(index->store, sizeof(index->store), "%s", store);
    snprintf(index->division, sizeof(index->division), "%s", division ? division : "");
    gw_credentials_create(&index->credentials, store);
    int result = -ENAMETOOLONG;
    snprintf(index->error, sizeof(index->error), "its path is too long");
    if (snprintf(path, sizeof(path), "%s/index.db", store) < (int)sizeof(path))
        result = open_file(index, store, path);
    if (!result)
        result = set_up(index, store);
    if (!result)
        result = begin(index);
    if (result < 0) {
        snprintf(error, GW_INDEX_ERROR_SIZE, "cannot open the index %.110s: %.115s", path,
                 index->error);
        gw_index_close(&index);
        return result;
    }
    *ret = index;
    return 0;
}

void gw_index_close(struct gw_index **index)
{
    struct gw_index *gone = *index;
    *index = NULL;
    if (!gone)
        return;
    for (int i = 0; i < GW_INDEX_STATEMENTS; i++)
        sqlite3_finalize(gone->statements[i].statement);
    sqlite3_close(gone->db);
    gw_journal_close(&gone->journal);
    gw_index_forget_places(gone);
    gw_credentials_destroy(&gone->credentials);
    free(gone);
}

const char *gw_index_error(const struct gw_index *index)
{
    return index->error;
}

uint64_t gw_index_epoch(const struct gw_index *index)
{
    return index->epoch;
}
