// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/evidence_verify.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/error.h"

#define MANIFEST_LIMIT (64 << 20) // bytes: hundreds of thousands of files
#define BLOCK          (256 * 1024)
#define HASH_TEXT      (GW_EVIDENCE_HASH * 2)

struct verify {
    struct gw_evidence_report *report;
    int folder_fd;
    const uint8_t *pinned;
    uint8_t signature[GW_EVIDENCE_SIGNATURE];
    char *text; // the manifest
    size_t size;
    json_t *manifest;
    const json_t *files;
    uint8_t block[BLOCK];
};

__attribute__((format(printf, 3, 4))) static int wrong(struct verify *verify, int code,
                                                       const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(verify->report->problem, sizeof(verify->report->problem), format, values);
    va_end(values);
    return code;
}

bool gw_evidence_name_fits(const char *name)
{
    const size_t length = strlen(name);
    return length > 0 && length <= 200 && name[0] != '.' &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
               length;
}

// --- files ---------------------------------------------------------------------------------------

// Opens a regular file of the folder, and nothing that a link leads to.
static int open_file(struct verify *verify, const char *name, int64_t *ret_size)
{
    struct stat status;
    int fd = openat(verify->folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return wrong(verify, GW_ERROR_INVALID, "%s is missing", name);
    if (fd < 0 && errno == ELOOP)
        return wrong(verify, GW_ERROR_INVALID, "%s is a link, not a file", name);
    if (fd < 0 || fstat(fd, &status) < 0) {
        const int error = -errno;
        if (fd >= 0)
            close(fd);
        return wrong(verify, error, "%s cannot be read: %s", name, gw_strerror(error));
    }
    if (!S_ISREG(status.st_mode)) {
        close(fd);
        return wrong(verify, GW_ERROR_INVALID, "%s is no file", name);
    }
    *ret_size = status.st_size;
    return fd;
}

static int read_some(struct verify *verify, int fd, const char *name, void *bytes, size_t size)
{
    for (;;) {
        ssize_t got = read(fd, bytes, size);
        if (got < 0 && errno == EINTR)
            continue;
        return got < 0 ? wrong(verify, -errno, "%s cannot be read: %s", name, strerror(errno))
                       : (int)got;
    }
}

// The whole file, which may have at most limit bytes.
static int read_whole(struct verify *verify, const char *name, int64_t limit, char **ret,
                      size_t *ret_size)
{
    int64_t size;
    int fd = open_file(verify, name, &size);
    if (fd < 0)
        return fd;
    int result = 0;
    size_t done = 0;
    char *text = NULL;
    if (size > limit)
        result = wrong(verify, GW_ERROR_INVALID, "%s has %lld bytes, more than any such file", name,
                       (long long)size);
    else if (!(text = malloc((size_t)size + 1)))
        result = wrong(verify, -ENOMEM, "%s cannot be read: out of memory", name);
    while (!result && done < (size_t)size) {
        const int got = read_some(verify, fd, name, text + done, (size_t)size - done);
        if (got <= 0)
            result = got < 0 ? got : wrong(verify, GW_ERROR_INVALID, "%s became shorter", name);
        done += got > 0 ? (size_t)got : 0;
    }
    close(fd);
    if (result < 0) {
        free(text);
        return result;
    }
    text[done] = 0;
    *ret = text;
    *ret_size = done;
    return 0;
}

static int hash_file(struct verify *verify, int fd, const char *name, uint8_t ret[GW_EVIDENCE_HASH])
{
    crypto_hash_sha256_state state;
    int got;
    crypto_hash_sha256_init(&state);
    while ((got = read_some(verify, fd, name, verify->block, sizeof(verify->block))) > 0)
        crypto_hash_sha256_update(&state, verify->block, (size_t)got);
    crypto_hash_sha256_final(&state, ret);
    return got;
}

// --- the manifest --------------------------------------------------------------------------------

static int read_signature(struct verify *verify)
{
    char *bytes;
    size_t size;
    int result = read_whole(verify, GW_EVIDENCE_SIGNED, 4096, &bytes, &size);
    if (result < 0)
        return result;
    if (size == sizeof(verify->signature))
        memcpy(verify->signature, bytes, size);
    else
        result = wrong(verify, GW_ERROR_INVALID, "%s is no signature: it has %zu bytes, not %d",
                       GW_EVIDENCE_SIGNED, size, GW_EVIDENCE_SIGNATURE);
    free(bytes);
    return result;
}

static int parse_manifest(struct verify *verify)
{
    json_error_t error;
    verify->manifest = json_loadb(verify->text, verify->size, JSON_REJECT_DUPLICATES, &error);
    if (!verify->manifest)
        return wrong(verify, GW_ERROR_INVALID, "%s is not readable: line %d", GW_EVIDENCE_MANIFEST,
                     error.line);
    const char *format = json_string_value(json_object_get(verify->manifest, "format"));
    if (!format || strcmp(format, GW_EVIDENCE_FORMAT) != 0)
        return wrong(verify, GW_ERROR_INVALID, "%s is not one of gridwatch export",
                     GW_EVIDENCE_MANIFEST);
    const json_int_t version =
        json_integer_value(json_object_get(verify->manifest, "format_version"));
    if (version != GW_EVIDENCE_VERSION)
        return wrong(verify, GW_ERROR_INVALID,
                     "%s has format version %lld, this program reads %d; use the version that made "
                     "it or a later one",
                     GW_EVIDENCE_MANIFEST, (long long)version, GW_EVIDENCE_VERSION);
    return 0;
}

static int check_signature(struct verify *verify)
{
    uint8_t *public_half = verify->report->public_half;
    char said[GW_EVIDENCE_KEY_TEXT_SIZE], expected[GW_EVIDENCE_KEY_TEXT_SIZE];
    const char *text = json_string_value(json_object_get(verify->manifest, "public_key"));
    if (!text || !gw_evidence_key_parse(text, public_half))
        return wrong(verify, GW_ERROR_INVALID, "%s names no key", GW_EVIDENCE_MANIFEST);
    if (verify->pinned && memcmp(verify->pinned, public_half, GW_EVIDENCE_PUBLIC_SIZE) != 0)
        return wrong(verify, GW_ERROR_INVALID,
                     "%s is signed with an unknown key: %s, not %s as --key says",
                     GW_EVIDENCE_MANIFEST, gw_evidence_key_format(said, public_half),
                     gw_evidence_key_format(expected, verify->pinned));
    if (crypto_sign_verify_detached(verify->signature, (const uint8_t *)verify->text, verify->size,
                                    public_half) != 0)
        return wrong(verify, GW_ERROR_INVALID,
                     "%s was changed after it was signed, or its signature in %s was",
                     GW_EVIDENCE_MANIFEST, GW_EVIDENCE_SIGNED);
    return 0;
}

static int read_manifest(struct verify *verify)
{
    int result =
        read_whole(verify, GW_EVIDENCE_MANIFEST, MANIFEST_LIMIT, &verify->text, &verify->size);
    if (!result)
        result = parse_manifest(verify);
    if (!result)
        result = read_signature(verify);
    if (!result)
        result = check_signature(verify);
    if (!result)
        crypto_hash_sha256(verify->report->manifest_hash, (const uint8_t *)verify->text,
                           verify->size);
    return result;
}

// --- what it names -------------------------------------------------------------------------------

static const char *name_of(const json_t *file)
{
    const char *name = json_string_value(json_object_get(file, "name"));
    return name ? name : "";
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// The names of all files and of the two that are not among them, sorted; each fits and is there
// once.
static int list_names(struct verify *verify, const char ***ret, size_t *ret_count)
{
    const size_t count = json_array_size(verify->files) + 2;
    const char **names = calloc(count, sizeof(*names));
    if (!names)
        return wrong(verify, -ENOMEM, "%s: out of memory", GW_EVIDENCE_MANIFEST);
    names[0] = GW_EVIDENCE_MANIFEST;
    names[1] = GW_EVIDENCE_SIGNED;
    int result = 0;
    for (size_t i = 2; !result && i < count; i++) {
        names[i] = name_of(json_array_get(verify->files, i - 2));
        if (!gw_evidence_name_fits(names[i]))
            result = wrong(verify, GW_ERROR_INVALID,
                           "%s names file %zu in a way that may lead out of the folder",
                           GW_EVIDENCE_MANIFEST, i - 1);
    }
    if (!result)
        qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 1; !result && i < count; i++)
        if (!strcmp(names[i - 1], names[i]))
            result = wrong(verify, GW_ERROR_INVALID, "%s names %s twice", GW_EVIDENCE_MANIFEST,
                           names[i]);
    if (result < 0) {
        free(names);
        return result;
    }
    *ret = names;
    *ret_count = count;
    return 0;
}

static int check_file(struct verify *verify, const json_t *file)
{
    const char *name = name_of(file);
    const char *said = json_string_value(json_object_get(file, "sha256"));
    const json_t *said_size = json_object_get(file, "size");
    uint8_t hash[GW_EVIDENCE_HASH];
    char text[HASH_TEXT + 1];
    int64_t size;
    if (!said || strlen(said) != HASH_TEXT || strspn(said, "0123456789abcdef") != HASH_TEXT ||
        !json_is_integer(said_size))
        return wrong(verify, GW_ERROR_INVALID, "%s says no size or hash of %s",
                     GW_EVIDENCE_MANIFEST, name);
    int fd = open_file(verify, name, &size);
    if (fd < 0)
        return fd;
    int result = hash_file(verify, fd, name, hash);
    close(fd);
    if (result < 0)
        return result;
    sodium_bin2hex(text, sizeof(text), hash, sizeof(hash));
    if (strcmp(text, said) != 0 || size != json_integer_value(said_size))
        return wrong(verify, GW_ERROR_INVALID,
                     "%s was changed: it has %lld bytes with SHA-256 %s; signed were %lld bytes "
                     "with %.64s",
                     name, (long long)size, text, (long long)json_integer_value(said_size), said);
    verify->report->files++;
    verify->report->bytes += size;
    return 0;
}

static void print_name(char ret[64], const char *name)
{
    snprintf(ret, 64, "%s", name);
    for (char *at = ret; *at; at++)
        if ((unsigned char)*at < 0x20 || (unsigned char)*at > 0x7e)
            *at = '?';
}

static int check_nothing_more(struct verify *verify, const char **names, size_t count)
{
    char printed[64];
    int fd = dup(verify->folder_fd);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    int result = 0;
    if (!directory) {
        if (fd >= 0)
            close(fd);
        return wrong(verify, -errno, "the folder cannot be listed: %s", strerror(errno));
    }
    rewinddir(directory);
    for (const struct dirent *entry; !result && (entry = readdir(directory));) {
        const char *name = entry->d_name;
        if (!strcmp(name, ".") || !strcmp(name, "..") ||
            bsearch(&name, names, count, sizeof(*names), compare_names))
            continue;
        print_name(printed, name);
        result = wrong(verify, GW_ERROR_INVALID, "%s does not belong here: %s does not name it",
                       printed, GW_EVIDENCE_MANIFEST);
    }
    closedir(directory);
    return result;
}

static int check_files(struct verify *verify)
{
    const char **names = NULL;
    size_t count = 0, i;
    const json_t *file;
    verify->files = json_object_get(verify->manifest, "files");
    if (!json_is_array(verify->files))
        return wrong(verify, GW_ERROR_INVALID, "%s names no files", GW_EVIDENCE_MANIFEST);
    int result = list_names(verify, &names, &count);
    if (result < 0)
        return result;
    json_array_foreach(verify->files, i, file)
    {
        if (result < 0)
            break;
        result = check_file(verify, file);
    }
    if (!result)
        result = check_nothing_more(verify, names, count);
    free(names);
    return result;
}

int gw_evidence_verify(struct gw_evidence_report *ret, const char *folder,
                       const uint8_t pinned[GW_EVIDENCE_PUBLIC_SIZE])
{
    struct verify *verify = calloc(1, sizeof(*verify));
    if (!verify || sodium_init() < 0)
        abort();
    *ret = (struct gw_evidence_report){0};
    verify->report = ret;
    verify->pinned = pinned;
    verify->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = 0;
    if (verify->folder_fd < 0)
        result = wrong(verify, -errno, "%.300s cannot be opened: %s", folder, strerror(errno));
    if (!result)
        result = read_manifest(verify);
    if (!result)
        result = check_files(verify);
    if (verify->folder_fd >= 0)
        close(verify->folder_fd);
    free(verify->text);
    if (result < 0)
        json_decref(verify->manifest);
    else
        ret->manifest = verify->manifest;
    free(verify);
    return result;
}

void gw_evidence_report_finish(struct gw_evidence_report *report)
{
    json_decref(report->manifest);
    report->manifest = NULL;
}
