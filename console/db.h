// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// console.db: what the console itself has to remember. SQLite, WAL, synchronous=FULL, mode 0600.
//
//   login_code  hash, expires_us                                          one-time codes not yet
//   used session     id, token_hash, created_us, expires_us, revoked_us, remote audit       seq,
//   wall_us, session, action, object, camera, remote      who looked at what
//
// Codes and tokens are stored as BLAKE2b hashes: who reads this file cannot sign in with it.
// One handle for all console threads; hold the lock around everything but open and close.
#pragma once

#include <pthread.h>

#include <sqlite3.h>

struct gw_console_db {
    sqlite3 *handle;
    pthread_mutex_t lock;
};

// Opens store/console.db, creating it. The store must exist. Returns 0, or an error with one line
// for people in error, which names the file.
int gw_console_db_open(struct gw_console_db *db, const char *store, char error[256]);
void gw_console_db_close(struct gw_console_db *db);

// Prepares sql with its parameters bound. types has a letter for each: 'i' int64_t, 't' text,
// 'b' a 32-byte hash. Texts and hashes are borrowed until the statement is finalized.
// Returns 0 or GW_ERROR_INDEX.
int gw_console_db_prepare(struct gw_console_db *db, sqlite3_stmt **ret, const char *sql,
                          const char *types, ...);

// The same for a statement without rows, run at once. Returns how many rows it changed, or an
// error.
int gw_console_db_run(struct gw_console_db *db, const char *sql, const char *types, ...);
