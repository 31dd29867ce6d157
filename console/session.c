// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/session.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "console/console.h"
#include "core/error.h"

#define CODE_LENGTH 24 // times 5 bits
#define HASH_SIZE   32

_Static_assert(CODE_LENGTH < GW_LOGIN_CODE_SIZE, "a code fits");

static void hash(uint8_t ret[HASH_SIZE], const char *secret)
{
    crypto_generichash(ret, HASH_SIZE, (const uint8_t *)secret, strlen(secret), NULL, 0);
}

// Letters and digits that nobody mixes up, because people do read codes to each other.
static void draw_code(char *code)
{
    static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";
    uint8_t random[CODE_LENGTH];

    _Static_assert(sizeof(alphabet) == 32 + 1, "five bits per letter");
    randombytes_buf(random, sizeof(random));
    for (int i = 0; i < CODE_LENGTH; i++)
        code[i] = alphabet[random[i] % 32];
    code[CODE_LENGTH] = '\0';
    sodium_memzero(random, sizeof(random));
}

static void draw_token(char token[GW_SESSION_TOKEN_SIZE])
{
    uint8_t random[32];

    randombytes_buf(random, sizeof(random));
    sodium_bin2base64(token, GW_SESSION_TOKEN_SIZE, random, sizeof(random),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(random, sizeof(random));
}

int gw_console_session_make_code(struct gw_console_db *db, int64_t now_us, int64_t expires_us,
                                 char *code)
{
    uint8_t code_hash[HASH_SIZE];

    draw_code(code);
    hash(code_hash, code);
    pthread_mutex_lock(&db->lock);
    int result = gw_console_db_run(db, "DELETE FROM login_code WHERE expires_us <= ?", "i", now_us);
    if (result >= 0)
        result = gw_console_db_run(db, "INSERT INTO login_code VALUES (?, ?)", "bi", code_hash,
                                   expires_us);
    pthread_mutex_unlock(&db->lock);
    return result < 0 ? result : 0;
}

// Within a transaction: the code is gone exactly when its session exists.
static int trade(struct gw_console_db *db, const uint8_t *code_hash, const uint8_t *token_hash,
                 const char *remote, int64_t now_us, const struct gw_console_session *session)
{
    int result = gw_console_db_run(db, "DELETE FROM login_code WHERE hash = ? AND expires_us > ?",
                                   "bi", code_hash, now_us);
    if (result == 0)
        return GW_ERROR_UNAUTHORIZED;
    if (result > 0)
        result = gw_console_db_run(db, "INSERT INTO session VALUES (?, ?, ?, ?, NULL, ?)", "tbiit",
                                   session->id, token_hash, now_us, session->expires_us, remote);
    return result < 0 ? result : 0;
}

int gw_console_session_open(struct gw_console_db *db, const char *code, const char *remote,
                            int64_t now_us, struct gw_console_session *ret,
                            char token[GW_SESSION_TOKEN_SIZE])
{
    uint8_t code_hash[HASH_SIZE], token_hash[HASH_SIZE];
    struct gw_id id = gw_id_make(now_us);
    struct gw_console_session session = {.expires_us = now_us + GW_SESSION_LIFETIME_US};
    char drawn[GW_SESSION_TOKEN_SIZE];

    gw_id_format(session.id, &id);
    draw_token(drawn);
    hash(code_hash, code);
    hash(token_hash, drawn);

    pthread_mutex_lock(&db->lock);
    int result = gw_console_db_run(db, "BEGIN IMMEDIATE", "");
    if (result >= 0) {
        result = trade(db, code_hash, token_hash, remote, now_us, &session);
        int end = gw_console_db_run(db, result < 0 ? "ROLLBACK" : "COMMIT", "");
        if (result == 0 && end < 0)
            result = end;
    }
    pthread_mutex_unlock(&db->lock);
    if (result < 0)
        return result;
    *ret = session;
    memcpy(token, drawn, sizeof(drawn));
    return 0;
}

// Steps a statement that selects (id, expires_us) of at most one session, and finalizes it.
static int read_session(sqlite3_stmt *statement, struct gw_console_session *ret)
{
    int step = sqlite3_step(statement);

    if (step == SQLITE_ROW) {
        snprintf(ret->id, sizeof(ret->id), "%s", (const char *)sqlite3_column_text(statement, 0));
        ret->expires_us = sqlite3_column_int64(statement, 1);
    }
    sqlite3_finalize(statement);
    if (step == SQLITE_DONE)
        return GW_ERROR_UNAUTHORIZED;
    return step == SQLITE_ROW ? 0 : GW_ERROR_INDEX;
}

#define SELECT_VALID                                                                               \
    "SELECT id, expires_us FROM session WHERE expires_us > ? AND revoked_us IS NULL AND "

int gw_console_session_find(struct gw_console_db *db, const char *token, int64_t now_us,
                            struct gw_console_session *ret)
{
    uint8_t token_hash[HASH_SIZE];
    sqlite3_stmt *statement;

    hash(token_hash, token);
    pthread_mutex_lock(&db->lock);
    int result = gw_console_db_prepare(db, &statement, SELECT_VALID "token_hash = ?", "ib", now_us,
                                       token_hash);
    if (result == 0)
        result = read_session(statement, ret);
    pthread_mutex_unlock(&db->lock);
    return result;
}

int gw_console_session_check(struct gw_console_db *db, const char *id, int64_t now_us)
{
    struct gw_console_session session;
    sqlite3_stmt *statement;

    pthread_mutex_lock(&db->lock);
    int result = gw_console_db_prepare(db, &statement, SELECT_VALID "id = ?", "it", now_us, id);
    if (result == 0)
        result = read_session(statement, &session);
    pthread_mutex_unlock(&db->lock);
    return result;
}

int gw_console_session_revoke(struct gw_console_db *db, const char *id, int64_t now_us)
{
    pthread_mutex_lock(&db->lock);
    int result = gw_console_db_run(
        db, "UPDATE session SET revoked_us = ? WHERE id = ? AND revoked_us IS NULL", "it", now_us,
        id);
    pthread_mutex_unlock(&db->lock);
    return result < 0 ? result : 0;
}
