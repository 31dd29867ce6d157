// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "console/console.h"
#include "console/session.h"
#include "core/error.h"

#define NOW INT64_C(1777863721000000)

static char store[64];
static struct gw_console_db db;

static void path_of(char path[96], const char *name)
{
    snprintf(path, 96, "%s/%s", store, name);
}

static int open_db(void **state)
{
    char error[256];
    strcpy(store, "/tmp/gw-session-XXXXXX");
    return sodium_init() < 0 || !mkdtemp(store) || gw_console_db_open(&db, store, error) < 0;
}

static int close_db(void **state)
{
    const char *names[] = {"console.db", "console.db-wal", "console.db-shm"};
    char path[96];
    gw_console_db_close(&db);
    for (int i = 0; i < 3; i++) {
        path_of(path, names[i]);
        unlink(path);
    }
    return rmdir(store);
}

static void make_code(char code[GW_LOGIN_CODE_SIZE])
{
    assert_int_equal(gw_console_session_make_code(&db, NOW, NOW + 600 * GW_SECOND, code), 0);
}

static void sign_in(struct gw_console_session *session, char token[GW_SESSION_TOKEN_SIZE])
{
    char code[GW_LOGIN_CODE_SIZE];
    make_code(code);
    assert_int_equal(gw_console_session_open(&db, code, "10.0.0.9", NOW, session, token), 0);
}

static void a_code_opens_one_session_and_no_second(void **state)
{
    char code[GW_LOGIN_CODE_SIZE], token[GW_SESSION_TOKEN_SIZE];
    struct gw_console_session session, found;
    make_code(code);
    assert_int_equal(gw_console_session_open(&db, code, "10.0.0.9", NOW, &session, token), 0);
    assert_int_equal(gw_console_session_find(&db, token, NOW, &found), 0);
    assert_string_equal(found.id, session.id);
    assert_int_equal(gw_console_session_open(&db, code, "10.0.0.9", NOW, &session, token),
                     GW_ERROR_UNAUTHORIZED);
}

static void a_code_too_old_opens_nothing(void **state)
{
    char code[GW_LOGIN_CODE_SIZE], token[GW_SESSION_TOKEN_SIZE];
    struct gw_console_session session;
    make_code(code);
    assert_int_equal(
        gw_console_session_open(&db, code, "10.0.0.9", NOW + 600 * GW_SECOND, &session, token),
        GW_ERROR_UNAUTHORIZED);
}

static void a_session_ends_after_twelve_hours(void **state)
{
    char token[GW_SESSION_TOKEN_SIZE];
    struct gw_console_session session;
    sign_in(&session, token);
    assert_int_equal(session.expires_us, NOW + 12 * 3600 * GW_SECOND);
    assert_int_equal(gw_console_session_find(&db, token, session.expires_us - 1, &session), 0);
    assert_int_equal(gw_console_session_find(&db, token, session.expires_us, &session),
                     GW_ERROR_UNAUTHORIZED);
    assert_int_equal(gw_console_session_check(&db, session.id, session.expires_us),
                     GW_ERROR_UNAUTHORIZED);
}

static void a_revoked_session_ends_at_once_and_others_go_on(void **state)
{
    char token[GW_SESSION_TOKEN_SIZE], other_token[GW_SESSION_TOKEN_SIZE];
    struct gw_console_session session, other;
    sign_in(&session, token);
    sign_in(&other, other_token);
    assert_int_equal(gw_console_session_revoke(&db, session.id, NOW), 0);
    assert_int_equal(gw_console_session_find(&db, token, NOW, &session), GW_ERROR_UNAUTHORIZED);
    assert_int_equal(gw_console_session_check(&db, session.id, NOW), GW_ERROR_UNAUTHORIZED);
    assert_int_equal(gw_console_session_check(&db, other.id, NOW), 0);
}

static void a_session_survives_a_restart(void **state)
{
    char token[GW_SESSION_TOKEN_SIZE], error[256];
    struct gw_console_session session, found;
    sign_in(&session, token);
    gw_console_db_close(&db);
    assert_int_equal(gw_console_db_open(&db, store, error), 0);
    assert_int_equal(gw_console_session_find(&db, token, NOW, &found), 0);
    assert_string_equal(found.id, session.id);
}

static bool file_holds(const char *name, const char *secret)
{
    static char bytes[1 << 20];
    char path[96];
    path_of(path, name);
    FILE *in = fopen(path, "rb");
    if (!in)
        return false;
    size_t size = fread(bytes, 1, sizeof(bytes), in);
    fclose(in);
    return memmem(bytes, size, secret, strlen(secret)) != NULL;
}

static void neither_code_nor_token_is_in_the_file(void **state)
{
    char code[GW_LOGIN_CODE_SIZE], token[GW_SESSION_TOKEN_SIZE];
    struct gw_console_session session;
    sign_in(&session, token);
    make_code(code);
    assert_true(file_holds("console.db-wal", session.id)); // so the search itself works
    assert_false(file_holds("console.db-wal", token) || file_holds("console.db", token));
    assert_false(file_holds("console.db-wal", code) || file_holds("console.db", code));
}

static void only_its_owner_reads_the_file(void **state)
{
    struct stat status;
    char path[96];
    path_of(path, "console.db");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void a_login_can_be_made_beside_a_running_console(void **state)
{
    char code[GW_LOGIN_CODE_SIZE], token[GW_SESSION_TOKEN_SIZE];
    struct gw_console_session session;
    assert_int_equal(gw_console_make_login(store, 60 * GW_SECOND, code), 0);
    assert_int_equal(gw_console_session_open(&db, code, "10.0.0.9", gw_wall_us(), &session, token),
                     0);
}

static void a_login_for_a_store_that_is_not_there_is_refused(void **state)
{
    char code[GW_LOGIN_CODE_SIZE];
    assert_int_equal(gw_console_make_login("/nonexistent/store", 60 * GW_SECOND, code), -ENOENT);
}

static void a_login_link_names_where_the_console_listens(void **state)
{
    char link[GW_LOGIN_LINK_SIZE];
    assert_string_equal(gw_console_login_link(link, "127.0.0.1:8471", "abc"),
                        "http://127.0.0.1:8471/#/login/abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_code_opens_one_session_and_no_second, open_db, close_db),
        cmocka_unit_test_setup_teardown(a_code_too_old_opens_nothing, open_db, close_db),
        cmocka_unit_test_setup_teardown(a_session_ends_after_twelve_hours, open_db, close_db),
        cmocka_unit_test_setup_teardown(a_revoked_session_ends_at_once_and_others_go_on, open_db,
                                        close_db),
        cmocka_unit_test_setup_teardown(a_session_survives_a_restart, open_db, close_db),
        cmocka_unit_test_setup_teardown(neither_code_nor_token_is_in_the_file, open_db, close_db),
        cmocka_unit_test_setup_teardown(only_its_owner_reads_the_file, open_db, close_db),
        cmocka_unit_test_setup_teardown(a_login_can_be_made_beside_a_running_console, open_db,
                                        close_db),
        cmocka_unit_test(a_login_for_a_store_that_is_not_there_is_refused),
        cmocka_unit_test(a_login_link_names_where_the_console_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
