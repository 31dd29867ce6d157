// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "storage/index_internal.h"
#include "tests/unit/index_store.h"

#define SECRET "hunter2-Zq9x-password"

static const char *path_of(const char *name)
{
    static char path[PATH_MAX + 32];
    snprintf(path, sizeof(path), "%s/%s", store, name);
    return path;
}

static struct gw_camera make_secret(const char *id)
{
    struct gw_camera camera = make_camera(id, "", "");
    strcpy(camera.username, "hunter2-Zq9x-user");
    strcpy(camera.password, SECRET);
    return camera;
}

static struct gw_camera_row read_row(struct gw_index *index, const char *id)
{
    struct gw_camera_row row;
    assert_int_equal(gw_index_camera(index, id, &row), 0);
    return row;
}

// Whether a text is anywhere in the files of the store.
static bool is_in_files(const char *text)
{
    DIR *folder = opendir(store);
    bool found = false;
    for (struct dirent *entry; (entry = readdir(folder));) {
        FILE *file = *entry->d_name == '.' ? NULL : fopen(path_of(entry->d_name), "rb");
        if (!file)
            continue;
        static char bytes[1 << 22];
        const size_t size = fread(bytes, 1, sizeof(bytes), file);
        assert_true(size < sizeof(bytes));
        found |= memmem(bytes, size, text, strlen(text)) != NULL;
        fclose(file);
    }
    closedir(folder);
    return found;
}

static void write_key(char byte, size_t size)
{
    char key[64];
    memset(key, byte, sizeof(key));
    FILE *file = fopen(path_of("registry.key"), "wb");
    assert_int_equal(fwrite(key, 1, size, file), size);
    fclose(file);
}

static void move(const char *from, const char *to)
{
    char path[PATH_MAX + 32];
    strcpy(path, path_of(from));
    assert_int_equal(rename(path, path_of(to)), 0);
}

static void reopen(void)
{
    gw_index_close(&idx);
    idx = open_index(GW_INDEX_WRITE);
}

// --- sealing -------------------------------------------------------------------------------------

static void what_was_sealed_is_opened_and_looks_like_nothing(void **state)
{
    struct gw_credentials *credentials;
    struct gw_camera camera = make_secret("a"), opened = {.id = "a"};
    uint8_t one[GW_SEALED_SIZE], other[GW_SEALED_SIZE];
    gw_credentials_create(&credentials, store);
    assert_int_equal(gw_credentials_seal(credentials, &camera, one), 0);
    assert_int_equal(gw_credentials_seal(credentials, &camera, other), 0);
    assert_memory_not_equal(one, other, sizeof(one));
    assert_null(memmem(one, sizeof(one), "hunter2", 7));
    assert_int_equal(gw_credentials_open(credentials, one, sizeof(one), &opened), 0);
    assert_string_equal(opened.username, camera.username);
    assert_string_equal(opened.password, camera.password);
    assert_string_equal(gw_credentials_error(credentials), "");
    gw_credentials_destroy(&credentials);
}

static void a_changed_byte_or_another_camera_opens_nothing(void **state)
{
    struct gw_credentials *credentials;
    struct gw_camera camera = make_secret("a"), opened = {.id = "a"}, other = {.id = "b"};
    uint8_t sealed[GW_SEALED_SIZE];
    gw_credentials_create(&credentials, store);
    gw_credentials_seal(credentials, &camera, sealed);
    assert_true(gw_credentials_open(credentials, sealed, sizeof(sealed), &other) < 0);
    assert_string_equal(other.password, "");
    assert_true(gw_credentials_open(credentials, sealed, sizeof(sealed) - 1, &opened) < 0);
    for (size_t i = 0; i < sizeof(sealed); i += 13) {
        sealed[i] ^= 1;
        strcpy(opened.password, "before");
        assert_int_equal(gw_credentials_open(credentials, sealed, sizeof(sealed), &opened),
                         GW_ERROR_INVALID);
        assert_string_equal(opened.password, "");
        sealed[i] ^= 1;
    }
    assert_int_equal(gw_credentials_open(credentials, sealed, sizeof(sealed), &opened), 0);
    gw_credentials_destroy(&credentials);
}

static void the_key_is_made_once_and_is_its_owners(void **state)
{
    struct stat status, again;
    struct gw_camera camera = make_camera("a", "", "");
    gw_index_put_camera(idx, &camera);
    assert_int_equal(stat(path_of("registry.key"), &status), -1); // nothing to seal, no key
    camera = make_secret("a");
    gw_index_put_camera(idx, &camera);
    assert_int_equal(stat(path_of("registry.key"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(status.st_size, 32);
    camera = make_secret("b");
    gw_index_put_camera(idx, &camera);
    assert_int_equal(stat(path_of("registry.key"), &again), 0);
    assert_int_equal(again.st_ino, status.st_ino);
}

static void a_key_that_root_makes_is_the_sites(void **state)
{
    struct stat status;
    struct gw_camera camera = make_secret("a");
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(store, 65534, 65534), 0);
    gw_index_put_camera(idx, &camera);
    assert_int_equal(stat(path_of("registry.key"), &status), 0);
    assert_int_equal(status.st_uid, 65534);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void processes_that_make_the_key_at_once_make_one(void **state)
{
    int status, failed = 0;
    for (int i = 0; i < 8; i++)
        if (fork() == 0) {
            struct gw_credentials *credentials;
            char id[] = {(char)('a' + i), 0};
            struct gw_camera camera = make_secret(id);
            uint8_t sealed[GW_SEALED_SIZE];
            gw_credentials_create(&credentials, store);
            bool good = gw_credentials_seal(credentials, &camera, sealed) == 0;
            FILE *file = fopen(path_of(id), "wb");
            good &= fwrite(sealed, sizeof(sealed), 1, file) == 1;
            fclose(file);
            _exit(!good);
        }
    while (wait(&status) > 0)
        failed += status != 0;
    assert_int_equal(failed, 0);
    struct gw_credentials *credentials;
    gw_credentials_create(&credentials, store);
    for (int i = 0; i < 8; i++) {
        struct gw_camera camera = {.id = {(char)('a' + i)}};
        uint8_t sealed[GW_SEALED_SIZE];
        FILE *file = fopen(path_of(camera.id), "rb");
        assert_int_equal(fread(sealed, sizeof(sealed), 1, file), 1);
        fclose(file);
        assert_int_equal(gw_credentials_open(credentials, sealed, sizeof(sealed), &camera), 0);
    }
    gw_credentials_destroy(&credentials);
    char command[PATH_MAX + 64];
    snprintf(command, sizeof(command), "ls '%s' | grep -c part >/dev/null", store);
    assert_int_not_equal(system(command), 0); // nothing is left lying about
}

// --- in the index --------------------------------------------------------------------------------

static void the_password_is_in_no_file(void **state)
{
    struct gw_camera camera = make_secret("a");
    gw_index_put_camera(idx, &camera);
    assert_string_equal(read_row(idx, "a").camera.password, SECRET);
    assert_false(is_in_files("hunter2"));
    assert_true(is_in_files("rtsp://192.0.2.1/a")); // the search itself works
    strcpy(camera.password, "another-Zq9x");
    gw_index_put_camera(idx, &camera);
    gw_index_remove_camera(idx, "a");
    reopen();
    assert_false(is_in_files("hunter2") || is_in_files("another-Zq9x"));
}

static void a_store_without_its_key_lists_cameras_and_opens_nothing(void **state)
{
    struct gw_camera camera = make_secret("a"), open = make_camera("b", "", "");
    gw_index_put_camera(idx, &camera);
    gw_index_put_camera(idx, &open);
    move("registry.key", "elsewhere");
    reopen();
    struct gw_camera_row row = read_row(idx, "a");
    assert_true(row.locked);
    assert_string_equal(row.camera.username, "");
    assert_string_equal(row.camera.password, "");
    assert_string_equal(row.camera.record_url, camera.record_url);
    assert_non_null(
        strstr(gw_index_locked(idx), "registry.key is not there; put the right one back"));
    assert_false(read_row(idx, "b").locked);
    assert_string_equal(gw_index_locked(idx), "");
    move("elsewhere", "registry.key");
    assert_string_equal(read_row(idx, "a").camera.password, SECRET); // without opening it again
}

static void a_wrong_key_is_named_and_never_overwritten(void **state)
{
    struct gw_camera camera = make_secret("a");
    gw_index_put_camera(idx, &camera);
    write_key('x', 32);
    reopen();
    assert_true(read_row(idx, "a").locked);
    assert_non_null(strstr(gw_index_locked(idx), "registry.key is not the one"));
    write_key('x', 33);
    reopen();
    assert_true(read_row(idx, "a").locked);
    assert_non_null(strstr(gw_index_locked(idx), "is no key of 32 bytes"));
    assert_true(gw_index_put_camera(idx, &camera) < 0);
    assert_non_null(strstr(gw_index_error(idx), "is no key of 32 bytes"));
    struct stat status;
    assert_int_equal(stat(path_of("registry.key"), &status), 0);
    assert_int_equal(status.st_size, 33);
}

static void importing_credentials_again_mends_a_lost_key(void **state)
{
    struct gw_camera a = make_secret("a"), b = make_secret("b");
    gw_index_put_camera(idx, &a);
    gw_index_put_camera(idx, &b);
    unlink(path_of("registry.key"));
    reopen();
    assert_int_equal(gw_index_put_camera(idx, &a), 0);
    assert_string_equal(read_row(idx, "a").camera.password, SECRET);
    assert_true(read_row(idx, "b").locked);
}

static void what_cannot_be_opened_is_kept_for_its_host_and_for_no_other(void **state)
{
    struct gw_camera camera = make_secret("a");
    gw_index_put_camera(idx, &camera);
    move("registry.key", "elsewhere");
    reopen();
    struct gw_camera_row row = read_row(idx, "a");
    row.camera.enabled = false; // as gridwatch camera disable does
    assert_int_equal(gw_index_put_camera(idx, &row.camera), 0);
    assert_true(read_row(idx, "a").locked);
    strcpy(row.camera.record_url, "rtsp://192.0.2.99/a");
    assert_int_equal(gw_index_put_camera(idx, &row.camera), 0);
    assert_false(read_row(idx, "a").locked);
}

// --- out of older indexes ------------------------------------------------------------------------

// The index as version 4 left it, with a password in it, one that was changed, and one whose camera
// was removed.
static void make_version_4(void)
{
    char sql[8192];
    gw_index_close(&idx);
    unlink(path_of("index.db"));
    unlink(path_of("index.db-wal"));
    unlink(path_of("index.db-shm"));
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path_of("index.db"), &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA secure_delete=OFF; PRAGMA journal_mode=WAL", NULL, NULL, NULL),
        SQLITE_OK);
    for (int version = 1; version <= 4; version++)
        assert_int_equal(sqlite3_exec(db, gw_index_schema(version, 0), NULL, NULL, NULL),
                         SQLITE_OK);
    for (int i = 0; i < 300; i++) {
        snprintf(sql, sizeof(sql),
                 "INSERT INTO camera VALUES ('c%d', 'n', '', '', 'rtsp://h/%d', 'user-Zq9x', "
                 "'first-Zq9x-%d', 'events', 1, NULL, NULL, '')",
                 i, i, i);
        assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    }
    assert_int_equal(
        sqlite3_exec(db,
                     "INSERT INTO camera_state (camera, status, reason, since_us) VALUES"
                     " ('c7', 'online', '', 5);"
                     "UPDATE camera SET password = 'second-Zq9x-' || id WHERE id LIKE '%7';"
                     "UPDATE camera SET username = '', password = '' WHERE id = 'c8';"
                     "DELETE FROM camera WHERE id LIKE '%3';"
                     "INSERT INTO meta VALUES ('epoch', 7);"
                     "PRAGMA application_id=1196910968; PRAGMA user_version=4",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
}

static void an_older_index_is_sealed_and_its_text_is_gone_from_the_files(void **state)
{
    struct gw_camera_row *rows;
    make_version_4();
    assert_true(is_in_files("first-Zq9x"));
    idx = open_index(GW_INDEX_WRITE);
    struct gw_camera_row row = read_row(idx, "c7");
    assert_string_equal(row.camera.username, "user-Zq9x");
    assert_string_equal(row.camera.password, "second-Zq9x-c7");
    assert_int_equal(row.state.status, GW_CAMERA_ONLINE);
    assert_string_equal(read_row(idx, "c9").camera.password, "first-Zq9x-9");
    assert_string_equal(read_row(idx, "c8").camera.password, "");
    assert_int_equal(gw_index_cameras(idx, &rows), 270);
    free(rows);
    assert_false(is_in_files("Zq9x")); // also while it is open, in the log and in free pages
    assert_true(is_in_files("rtsp://h/7"));
}

static void an_upgrade_that_cannot_make_its_key_says_so_and_changes_nothing(void **state)
{
    struct gw_index *index = NULL;
    char error[GW_INDEX_ERROR_SIZE];
    make_version_4();
    write_key('x', 7);
    assert_true(gw_index_open(&index, store, GW_INDEX_WRITE, "", error) < 0);
    assert_non_null(strstr(error, "registry.key is no key of 32 bytes"));
    unlink(path_of("registry.key"));
    idx = open_index(GW_INDEX_WRITE);
    assert_string_equal(read_row(idx, "c9").camera.password, "first-Zq9x-9");
}

#define STORE(name) cmocka_unit_test_setup_teardown(name, make_store, remove_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE(what_was_sealed_is_opened_and_looks_like_nothing),
        STORE(a_changed_byte_or_another_camera_opens_nothing),
        STORE(the_key_is_made_once_and_is_its_owners),
        STORE(a_key_that_root_makes_is_the_sites),
        STORE(processes_that_make_the_key_at_once_make_one),
        STORE(the_password_is_in_no_file),
        STORE(a_store_without_its_key_lists_cameras_and_opens_nothing),
        STORE(a_wrong_key_is_named_and_never_overwritten),
        STORE(importing_credentials_again_mends_a_lost_key),
        STORE(what_cannot_be_opened_is_kept_for_its_host_and_for_no_other),
        STORE(an_older_index_is_sealed_and_its_text_is_gone_from_the_files),
        STORE(an_upgrade_that_cannot_make_its_key_says_so_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
