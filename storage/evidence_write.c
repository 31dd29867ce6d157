// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/evidence_write.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/error.h"
#include "storage/evidence_verify.h"
#include "storage/write_all.h"

#define BLOCK (256 * 1024)

struct gw_evidence_writer {
    char folder[PATH_MAX]; // without a '/' at its end
    char part[PATH_MAX];
    int fd; // of the folder in which it is made
    json_t *files;
    int64_t bytes;
    uint8_t block[BLOCK];
};

__attribute__((format(printf, 3, 4))) static int fail(char error[GW_EVIDENCE_ERROR], int code,
                                                      const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(error, GW_EVIDENCE_ERROR, format, values);
    va_end(values);
    return code;
}

// --- begin ---------------------------------------------------------------------------------------

static bool is_empty(const char *folder)
{
    DIR *directory = opendir(folder);
    bool empty = directory != NULL;
    if (!directory)
        return false;
    for (const struct dirent *entry; empty && (entry = readdir(directory));)
        empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
    closedir(directory);
    return empty;
}

static int check_folder(struct gw_evidence_writer *writer, const char *folder,
                        char error[GW_EVIDENCE_ERROR])
{
    struct stat status;
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    if (length == 0 || length >= sizeof(writer->folder) - 8 || !strcmp(folder, "/"))
        return fail(error, GW_ERROR_INVALID, "\"%.200s\" is no usable folder", folder);
    memcpy(writer->folder, folder, length);
    snprintf(writer->part, sizeof(writer->part), "%.*s.part", (int)length, folder);
    if (lstat(writer->folder, &status) == 0 && !is_empty(writer->folder))
        return fail(error, -EEXIST, "%.300s exists and is not empty; choose a new folder",
                    writer->folder);
    return 0;
}

int gw_evidence_begin(struct gw_evidence_writer **ret, const char *folder,
                      char error[GW_EVIDENCE_ERROR])
{
    struct gw_evidence_writer *writer = calloc(1, sizeof(*writer));
    if (!writer || sodium_init() < 0)
        abort();
    int result = check_folder(writer, folder, error);
    if (!result && mkdir(writer->part, 0700) < 0) {
        result = -errno;
        if (result == -EEXIST)
            fail(error, result,
                 "%.300s is there: another export writes to it, or one was interrupted; remove it "
                 "if none runs",
                 writer->part);
        else
            fail(error, result, "cannot make %.300s: %s", writer->part, gw_strerror(result));
    }
    if (result < 0) {
        free(writer);
        return result;
    }
    writer->files = json_array();
    writer->fd = open(writer->part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (writer->fd < 0) {
        result = fail(error, -errno, "cannot open %.300s: %s", writer->part, strerror(errno));
        gw_evidence_abandon(&writer);
        return result;
    }
    *ret = writer;
    return 0;
}

// --- files ---------------------------------------------------------------------------------------

// *ret_ours: whether writing failed, not reading.
static int copy(struct gw_evidence_writer *writer, int fd, gw_evidence_read read, void *opaque,
                int64_t *ret_size, uint8_t hash[GW_EVIDENCE_HASH], bool *ret_ours)
{
    crypto_hash_sha256_state state;
    ssize_t got;
    crypto_hash_sha256_init(&state);
    *ret_size = 0;
    *ret_ours = false;
    while ((got = read(opaque, *ret_size, writer->block, sizeof(writer->block))) > 0) {
        crypto_hash_sha256_update(&state, writer->block, (size_t)got);
        int result = gw_write_all(fd, writer->block, (size_t)got);
        if (result < 0) {
            *ret_ours = true;
            return result;
        }
        *ret_size += got;
    }
    crypto_hash_sha256_final(&state, hash);
    return (int)got;
}

static int write_file(struct gw_evidence_writer *writer, const char *name, gw_evidence_read read,
                      void *opaque, int64_t *ret_size, uint8_t hash[GW_EVIDENCE_HASH],
                      char error[GW_EVIDENCE_ERROR])
{
    bool ours = true;
    int fd = openat(writer->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int result = fd < 0 ? -errno : 0;
    if (!result)
        result = copy(writer, fd, read, opaque, ret_size, hash, &ours);
    if (!result && fsync(fd) < 0) {
        result = -errno;
        ours = true;
    }
    if (fd >= 0 && close(fd) < 0 && !result)
        result = -errno;
    if (result < 0 && ours)
        return fail(error, result, "cannot write %.250s/%.150s: %s", writer->part, name,
                    gw_strerror(result));
    if (result < 0)
        return fail(error, result, "cannot read what is to be %.150s: %s", name,
                    gw_strerror(result));
    return 0;
}

int gw_evidence_add(struct gw_evidence_writer *writer, const char *name, gw_evidence_read read,
                    void *opaque, char error[GW_EVIDENCE_ERROR])
{
    uint8_t hash[GW_EVIDENCE_HASH];
    char text[GW_EVIDENCE_HASH * 2 + 1];
    int64_t size = 0;
    assert(gw_evidence_name_fits(name));
    int result = write_file(writer, name, read, opaque, &size, hash, error);
    if (result < 0)
        return result;
    writer->bytes += size;
    json_array_append_new(
        writer->files, json_pack("{s:s, s:I, s:s}", "name", name, "size", (json_int_t)size,
                                 "sha256", sodium_bin2hex(text, sizeof(text), hash, sizeof(hash))));
    return 0;
}

struct span {
    const uint8_t *bytes;
    size_t size;
};

static ssize_t read_span(void *opaque, int64_t position, void *bytes, size_t size)
{
    const struct span *span = opaque;
    const size_t rest = span->size - (size_t)position, count = rest < size ? rest : size;
    memcpy(bytes, span->bytes + position, count);
    return (ssize_t)count;
}

int gw_evidence_add_text(struct gw_evidence_writer *writer, const char *name, const char *text,
                         char error[GW_EVIDENCE_ERROR])
{
    struct span span = {(const uint8_t *)text, strlen(text)};
    return gw_evidence_add(writer, name, read_span, &span, error);
}

int gw_evidence_count(const struct gw_evidence_writer *writer, int64_t *ret_bytes)
{
    *ret_bytes = writer->bytes;
    return (int)json_array_size(writer->files);
}

// --- finish --------------------------------------------------------------------------------------

static int write_manifest(struct gw_evidence_writer *writer, json_t *manifest,
                          const struct gw_evidence_key *key, uint8_t hash[GW_EVIDENCE_HASH],
                          char error[GW_EVIDENCE_ERROR])
{
    char key_text[GW_EVIDENCE_KEY_TEXT_SIZE];
    uint8_t signature[GW_EVIDENCE_SIGNATURE], unused[GW_EVIDENCE_HASH];
    int64_t size;
    json_object_set_new(manifest, "format", json_string(GW_EVIDENCE_FORMAT));
    json_object_set_new(manifest, "format_version", json_integer(GW_EVIDENCE_VERSION));
    json_object_set_new(manifest, "public_key",
                        json_string(gw_evidence_key_format(key_text, key->public_half)));
    json_object_set(manifest, "files", writer->files);
    char *text = json_dumps(manifest, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
    if (!text)
        abort();
    struct span span = {(const uint8_t *)text, strlen(text)};
    struct span signed_span = {signature, sizeof(signature)};
    crypto_sign_detached(signature, NULL, span.bytes, span.size, key->secret);
    int result = write_file(writer, GW_EVIDENCE_MANIFEST, read_span, &span, &size, hash, error);
    if (!result)
        result =
            write_file(writer, GW_EVIDENCE_SIGNED, read_span, &signed_span, &size, unused, error);
    free(text);
    return result;
}

static int sync_parent(const char *folder)
{
    char copy_of[PATH_MAX];
    snprintf(copy_of, sizeof(copy_of), "%s", folder);
    int fd = open(dirname(copy_of), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return result;
}

int gw_evidence_finish(struct gw_evidence_writer **writer, json_t *manifest,
                       const struct gw_evidence_key *key, uint8_t ret_hash[GW_EVIDENCE_HASH],
                       char error[GW_EVIDENCE_ERROR])
{
    struct gw_evidence_writer *it = *writer;
    int result = write_manifest(it, manifest, key, ret_hash, error);
    if (!result && (fsync(it->fd) < 0 || rename(it->part, it->folder) < 0))
        result = fail(error, -errno, "cannot complete %.300s: %s", it->folder, strerror(errno));
    if (!result) {
        result = sync_parent(it->folder);
        if (result < 0)
            fail(error, result, "cannot sync the folder of %.300s: %s", it->folder,
                 gw_strerror(result));
        snprintf(it->part, sizeof(it->part), "%s", it->folder); // what there is to remove now
    }
    if (result < 0) {
        gw_evidence_abandon(writer);
        return result;
    }
    close(it->fd);
    json_decref(it->files);
    free(it);
    *writer = NULL;
    return 0;
}

void gw_evidence_abandon(struct gw_evidence_writer **writer)
{
    struct gw_evidence_writer *gone = *writer;
    *writer = NULL;
    if (!gone)
        return;
    DIR *directory = opendir(gone->part);
    for (const struct dirent *entry; directory && (entry = readdir(directory));)
        unlinkat(dirfd(directory), entry->d_name, 0);
    if (directory)
        closedir(directory);
    rmdir(gone->part);
    if (gone->fd >= 0)
        close(gone->fd);
    json_decref(gone->files);
    free(gone);
}
