// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/error.h"
#include "storage/evidence_verify.h"

static char store[64], bundle[96];
static struct gw_evidence_key key;

static int make_store(void **state)
{
    strcpy(store, "/tmp/gridwatch-test-XXXXXX");
    if (!mkdtemp(store))
        return -1;
    snprintf(bundle, sizeof(bundle), "%s/bundle", store);
    return gw_evidence_key_load(&key, store);
}

static int remove_store(void **state)
{
    char command[96];
    snprintf(command, sizeof(command), "rm -rf '%s'", store);
    return system(command);
}

static char *path_in(char path[PATH_MAX], const char *name)
{
    snprintf(path, PATH_MAX, "%s/%s", bundle, name);
    return path;
}

static void write_text(const char *name, const char *text)
{
    char path[PATH_MAX];
    FILE *file = fopen(path_in(path, name), "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static json_t *new_manifest(void)
{
    return json_pack("{s:s, s:s}", "case", "2026-117", "reason", "theft at the east gate");
}

static void make_bundle(void)
{
    struct gw_evidence_writer *writer;
    char error[GW_EVIDENCE_ERROR];
    uint8_t hash[GW_EVIDENCE_HASH];
    json_t *manifest = new_manifest();
    assert_int_equal(gw_evidence_begin(&writer, bundle, error), 0);
    assert_int_equal(gw_evidence_add_text(writer, "clip-a.mp4", "pictures of a", error), 0);
    assert_int_equal(gw_evidence_add_text(writer, "clip-b.mp4", "pictures of b", error), 0);
    assert_int_equal(gw_evidence_add_text(writer, "README.txt", "", error), 0);
    assert_int_equal(gw_evidence_finish(&writer, manifest, &key, hash, error), 0);
    assert_null(writer);
    json_decref(manifest);
}

static int verify(const uint8_t *pinned, char problem[GW_EVIDENCE_ERROR])
{
    struct gw_evidence_report report;
    int result = gw_evidence_verify(&report, bundle, pinned);
    strcpy(problem, report.problem);
    assert_true(result == 0 ? !*problem : *problem != 0);
    assert_null(strchr(problem, '\n'));
    gw_evidence_report_finish(&report);
    return result;
}

// It is wrong, and says so with these words in its line.
static void assert_wrong(const char *name, const char *words)
{
    char problem[GW_EVIDENCE_ERROR];
    assert_true(verify(NULL, problem) < 0);
    if (strncmp(problem, name, strlen(name)) != 0 || !strstr(problem, words))
        fail_msg("expected \"%s … %s\": %s", name, words, problem);
}

// Signs a manifest that export would not write.
static void sign(json_t *manifest)
{
    char path[PATH_MAX], digits[GW_EVIDENCE_KEY_TEXT_SIZE];
    uint8_t signature[GW_EVIDENCE_SIGNATURE];
    if (!json_object_get(manifest, "format"))
        json_object_set_new(manifest, "format", json_string(GW_EVIDENCE_FORMAT));
    if (!json_object_get(manifest, "format_version"))
        json_object_set_new(manifest, "format_version", json_integer(GW_EVIDENCE_VERSION));
    json_object_set_new(manifest, "public_key",
                        json_string(gw_evidence_key_format(digits, key.public_half)));
    char *text = json_dumps(manifest, 0);
    write_text(GW_EVIDENCE_MANIFEST, text);
    crypto_sign_detached(signature, NULL, (const uint8_t *)text, strlen(text), key.secret);
    FILE *file = fopen(path_in(path, GW_EVIDENCE_SIGNED), "wb");
    fwrite(signature, 1, sizeof(signature), file);
    fclose(file);
    free(text);
    json_decref(manifest);
}

static json_t *with_file(const char *name, const char *hash)
{
    json_t *manifest = new_manifest();
    json_object_set_new(manifest, "files",
                        json_pack("[{s:s, s:i, s:s}]", "name", name, "size", 4, "sha256", hash));
    return manifest;
}

#define SOME_HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// --- what is good --------------------------------------------------------------------------------

static void a_bundle_verifies_as_it_was_written(void **state)
{
    struct gw_evidence_report report;
    make_bundle();
    assert_int_equal(gw_evidence_verify(&report, bundle, NULL), 0);
    assert_string_equal(report.problem, "");
    assert_int_equal(report.files, 3);
    assert_int_equal(report.bytes, 26);
    assert_memory_equal(report.public_half, key.public_half, sizeof(key.public_half));
    assert_string_equal(json_string_value(json_object_get(report.manifest, "case")), "2026-117");
    gw_evidence_report_finish(&report);
    assert_int_equal(gw_evidence_verify(&report, bundle, key.public_half), 0);
    gw_evidence_report_finish(&report);
}

// --- what is not ---------------------------------------------------------------------------------

static void a_flipped_bit_anywhere_names_its_file(void **state)
{
    static const char *const names[] = {"clip-a.mp4", "clip-b.mp4", GW_EVIDENCE_MANIFEST,
                                        GW_EVIDENCE_SIGNED};
    char path[PATH_MAX], problem[GW_EVIDENCE_ERROR];
    struct stat status;
    make_bundle();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        FILE *file = fopen(path_in(path, names[i]), "r+b");
        stat(path, &status);
        for (long at = 0; at < status.st_size; at++) {
            for (int bit = 0; bit < 8; bit += 7) {
                fseek(file, at, SEEK_SET);
                const int byte = fgetc(file);
                fseek(file, at, SEEK_SET);
                fputc(byte ^ 1 << bit, file);
                fflush(file);
                assert_true(verify(NULL, problem) < 0);
                assert_non_null(strstr(problem, names[i]));
                assert_true(verify(key.public_half, problem) < 0);
                assert_non_null(strstr(problem, names[i]));
                fseek(file, at, SEEK_SET);
                fputc(byte, file);
                fflush(file);
            }
        }
        fclose(file);
    }
    assert_int_equal(verify(NULL, problem), 0);
}

static void a_changed_file_is_named_with_both_hashes(void **state)
{
    char problem[GW_EVIDENCE_ERROR];
    make_bundle();
    write_text("clip-b.mp4", "pictures of x");
    assert_wrong("clip-b.mp4 was changed", "SHA-256");
    verify(NULL, problem);
    // printf 'pictures of b' | sha256sum, and of x.
    assert_non_null(
        strstr(problem, "91fc4adcb839d0c4afdcffc711e6327dbe52bd25f07dee70de3dfd58ea67dbbe"));
    assert_non_null(
        strstr(problem, "f9348b2aa5802e4e719aa0405ad889bd7ac25cb248f30387dd145c99267fc77c"));
}

static void a_longer_shorter_or_missing_file_is_named(void **state)
{
    char path[PATH_MAX];
    make_bundle();
    write_text("clip-a.mp4", "pictures of a and more");
    assert_wrong("clip-a.mp4 was changed", "22 bytes");
    write_text("clip-a.mp4", "");
    assert_wrong("clip-a.mp4 was changed", "0 bytes");
    unlink(path_in(path, "clip-a.mp4"));
    assert_wrong("clip-a.mp4 is missing", "");
    unlink(path_in(path, GW_EVIDENCE_SIGNED));
    assert_wrong(GW_EVIDENCE_SIGNED " is missing", "");
    unlink(path_in(path, GW_EVIDENCE_MANIFEST));
    assert_wrong(GW_EVIDENCE_MANIFEST " is missing", "");
}

static void what_the_manifest_does_not_name_is_named(void **state)
{
    char path[PATH_MAX];
    make_bundle();
    write_text("another\033[2J.mp4", "x");
    assert_wrong("another?[2J.mp4 does not belong here", "");
    unlink(path_in(path, "another\033[2J.mp4"));
    mkdir(path_in(path, "folder"), 0700);
    assert_wrong("folder does not belong here", "");
    rmdir(path);
    write_text(".hidden", "x");
    assert_wrong(".hidden does not belong here", "");
}

static void a_link_is_no_file(void **state)
{
    char path[PATH_MAX], elsewhere[PATH_MAX];
    make_bundle();
    snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", store);
    rename(path_in(path, "clip-a.mp4"), elsewhere);
    assert_int_equal(symlink(elsewhere, path), 0);
    assert_wrong("clip-a.mp4 is a link", "");
    unlink(path);
    mkdir(path, 0700);
    assert_wrong("clip-a.mp4 is no file", "");
    rmdir(path);
    mkfifo(path, 0600);
    assert_wrong("clip-a.mp4 is no file", "");
}

static void another_key_is_unknown_when_one_is_pinned(void **state)
{
    uint8_t other[GW_EVIDENCE_PUBLIC_SIZE] = {1};
    char problem[GW_EVIDENCE_ERROR];
    make_bundle();
    assert_int_equal(verify(other, problem), GW_ERROR_INVALID);
    assert_non_null(strstr(problem, "unknown key"));
    assert_int_equal(verify(key.public_half, problem), 0);
}

static void a_bundle_signed_anew_by_somebody_else_needs_the_pin(void **state)
{
    struct gw_evidence_key site = key;
    char problem[GW_EVIDENCE_ERROR], path[PATH_MAX];
    make_bundle();
    snprintf(path, sizeof(path), "%s/" GW_EVIDENCE_KEY_FILE, store);
    unlink(path);
    assert_int_equal(gw_evidence_key_load(&key, store), 0);
    json_t *manifest = json_load_file(path_in(path, GW_EVIDENCE_MANIFEST), 0, NULL);
    json_object_set_new(manifest, "case", json_string("another one"));
    sign(manifest);
    assert_int_equal(verify(NULL, problem), 0); // it is sound in itself
    assert_true(verify(site.public_half, problem) < 0);
    assert_non_null(strstr(problem, "unknown key"));
}

static void a_manifest_may_name_nothing_outside_of_its_folder(void **state)
{
    static const char *const names[] = {
        "../elsewhere", "/etc/passwd", "a/b", "",           ".",
        "..",           ".part",       "a b", "clip\n.mp4", "\xe4\xbd\xa0"};
    char path[PATH_MAX];
    mkdir(bundle, 0700);
    snprintf(path, sizeof(path), "%s/elsewhere", store);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        sign(with_file(names[i], SOME_HASH));
        assert_wrong(GW_EVIDENCE_MANIFEST, "may lead out of the folder");
    }
}

static void a_manifest_that_makes_no_sense_is_refused(void **state)
{
    mkdir(bundle, 0700);
    write_text("clip.mp4", "four");
    sign(with_file(GW_EVIDENCE_MANIFEST, SOME_HASH));
    assert_wrong(GW_EVIDENCE_MANIFEST, "twice");
    sign(with_file("clip.mp4", "short"));
    assert_wrong(GW_EVIDENCE_MANIFEST, "no size or hash of clip.mp4");
    sign(with_file("clip.mp4", SOME_HASH));
    assert_wrong("clip.mp4 was changed", "");
    sign(new_manifest());
    assert_wrong(GW_EVIDENCE_MANIFEST, "names no files");
    sign(json_pack("{s:s}", "format", "something"));
    assert_wrong(GW_EVIDENCE_MANIFEST, "not one of gridwatch export");
    sign(json_pack("{s:i}", "format_version", 2));
    assert_wrong(GW_EVIDENCE_MANIFEST, "format version 2");
    write_text(GW_EVIDENCE_MANIFEST, "{\"case\": \"1\",\n \"case\": \"2\"}");
    assert_wrong(GW_EVIDENCE_MANIFEST, "not readable: line 2");
    write_text(GW_EVIDENCE_MANIFEST, "");
    assert_wrong(GW_EVIDENCE_MANIFEST, "not readable");
    write_text(GW_EVIDENCE_MANIFEST, "{\"format\": \"gridwatch-evidence\", \"format_version\": 1}");
    assert_wrong(GW_EVIDENCE_MANIFEST, "names no key");
    write_text(GW_EVIDENCE_SIGNED, "short");
    assert_wrong(GW_EVIDENCE_SIGNED, "no signature");
}

static void a_folder_that_is_none_is_named(void **state)
{
    assert_wrong(bundle, "cannot be opened");
}

// --- writing -------------------------------------------------------------------------------------

static void nothing_is_left_of_what_was_abandoned(void **state)
{
    struct gw_evidence_writer *writer;
    char error[GW_EVIDENCE_ERROR];
    assert_int_equal(gw_evidence_begin(&writer, bundle, error), 0);
    assert_int_equal(gw_evidence_add_text(writer, "clip.mp4", "pictures", error), 0);
    gw_evidence_abandon(&writer);
    assert_null(writer);
    DIR *directory = opendir(store);
    for (const struct dirent *entry; (entry = readdir(directory));)
        assert_true(entry->d_name[0] == '.' || !strcmp(entry->d_name, GW_EVIDENCE_KEY_FILE));
    closedir(directory);
}

static void an_empty_folder_is_taken_and_one_with_something_is_not(void **state)
{
    struct gw_evidence_writer *writer;
    char error[GW_EVIDENCE_ERROR], problem[GW_EVIDENCE_ERROR];
    mkdir(bundle, 0700);
    make_bundle();
    assert_int_equal(verify(NULL, problem), 0);
    assert_int_equal(gw_evidence_begin(&writer, bundle, error), -EEXIST);
    assert_non_null(strstr(error, "not empty"));
    strcat(bundle, "2");
    assert_int_equal(gw_evidence_begin(&writer, bundle, error), 0);
    struct gw_evidence_writer *second;
    assert_int_equal(gw_evidence_begin(&second, bundle, error), -EEXIST);
    assert_non_null(strstr(error, "another export"));
    gw_evidence_abandon(&writer);
    snprintf(bundle, sizeof(bundle), "%s/none/there", store);
    assert_int_equal(gw_evidence_begin(&writer, bundle, error), -ENOENT);
}

static ssize_t fail_after_a_while(void *opaque, int64_t position, void *bytes, size_t size)
{
    memset(bytes, 0, size);
    return position ? -EIO : (ssize_t)size;
}

static void a_source_that_fails_fails_the_file(void **state)
{
    struct gw_evidence_writer *writer;
    char error[GW_EVIDENCE_ERROR];
    assert_int_equal(gw_evidence_begin(&writer, bundle, error), 0);
    assert_int_equal(gw_evidence_add(writer, "clip.mp4", fail_after_a_while, NULL, error), -EIO);
    assert_non_null(strstr(error, "clip.mp4"));
    gw_evidence_abandon(&writer);
}

// --- keys ----------------------------------------------------------------------------------------

static void a_key_is_made_once_for_its_owner_only(void **state)
{
    struct gw_evidence_key again;
    struct stat status;
    char path[PATH_MAX];
    assert_int_equal(gw_evidence_key_load(&again, store), 0);
    assert_memory_equal(&again, &key, sizeof(key));
    snprintf(path, sizeof(path), "%s/" GW_EVIDENCE_KEY_FILE, store);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    gw_evidence_key_finish(&again);
    assert_true(sodium_is_zero((const uint8_t *)&again, sizeof(again)));
}

static void a_damaged_key_is_refused_and_not_replaced(void **state)
{
    struct gw_evidence_key again;
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/" GW_EVIDENCE_KEY_FILE, store);
    assert_int_equal(truncate(path, 60), 0);
    assert_int_equal(gw_evidence_key_load(&again, store), GW_ERROR_INVALID);
    strcat(store, "/none");
    assert_int_equal(gw_evidence_key_load(&again, store), -ENOENT);
    *strrchr(store, '/') = 0;
}

static void a_key_is_read_as_it_is_printed(void **state)
{
    char text[GW_EVIDENCE_KEY_TEXT_SIZE + 8], pem[GW_EVIDENCE_PEM_SIZE];
    uint8_t read[GW_EVIDENCE_PUBLIC_SIZE];
    gw_evidence_key_format(text, key.public_half);
    assert_true(gw_evidence_key_parse(text, read));
    assert_memory_equal(read, key.public_half, sizeof(read));
    strcat(text, "\n");
    assert_true(gw_evidence_key_parse(text, read));
    strcpy(text + 64, "0");
    assert_false(gw_evidence_key_parse(text, read));
    strcpy(text + 63, "");
    assert_false(gw_evidence_key_parse(text, read));
    assert_false(gw_evidence_key_parse("", read));
    assert_false(gw_evidence_key_parse("xyz", read));
    memset(read, 0, sizeof(read));
    assert_true(gw_evidence_key_parse(gw_evidence_key_to_pem(pem, key.public_half), read));
    assert_memory_equal(read, key.public_half, sizeof(read));
    assert_non_null(strstr(gw_evidence_key_to_pem(pem, key.public_half), "\nMCowBQYDK2VwAyEA"));
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, make_store, remove_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(a_bundle_verifies_as_it_was_written),
        FACT(a_flipped_bit_anywhere_names_its_file),
        FACT(a_changed_file_is_named_with_both_hashes),
        FACT(a_longer_shorter_or_missing_file_is_named),
        FACT(what_the_manifest_does_not_name_is_named),
        FACT(a_link_is_no_file),
        FACT(another_key_is_unknown_when_one_is_pinned),
        FACT(a_bundle_signed_anew_by_somebody_else_needs_the_pin),
        FACT(a_manifest_may_name_nothing_outside_of_its_folder),
        FACT(a_manifest_that_makes_no_sense_is_refused),
        FACT(a_folder_that_is_none_is_named),
        FACT(nothing_is_left_of_what_was_abandoned),
        FACT(an_empty_folder_is_taken_and_one_with_something_is_not),
        FACT(a_source_that_fails_fails_the_file),
        FACT(a_key_is_made_once_for_its_owner_only),
        FACT(a_damaged_key_is_refused_and_not_replaced),
        FACT(a_key_is_read_as_it_is_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
