// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/journal_rewrite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/media.h"

struct rewrite {
    bool (*keep)(void *opaque, const struct gw_journal_line *line);
    void *opaque;
    FILE *out;
    int64_t kept, dropped;
};

// Lines are copied as they stand: a parsed one is cut up, so it is formatted again.
static int copy_lines(struct rewrite *rewrite, struct gw_journal_reader *reader)
{
    struct gw_journal_line line;
    int64_t offset, length;
    char *text;

    while ((length = gw_journal_next_fact(reader, &text, &offset)) > 0) {
        const bool good = gw_journal_parse_line(text, (size_t)length - 1, &line) &&
                          rewrite->keep(rewrite->opaque, &line);
        if (good)
            gw_journal_format_line(rewrite->out, line.commit, &line.fact);
        *(good ? &rewrite->kept : &rewrite->dropped) += 1;
    }
    if (length < 0)
        return (int)length;
    return ferror(rewrite->out) ? -EIO : 0;
}

static int finish(FILE *out)
{
    int result = fflush(out) != 0 || fsync(fileno(out)) < 0 ? -errno : 0;
    if (fclose(out) != 0 && !result)
        result = -errno;
    return result;
}

// Reads from, which may have no first line of ours: then it begins at once.
static int copy(struct rewrite *rewrite, int fd, int64_t stop)
{
    char head[64];
    int64_t length = 0;
    struct gw_journal_reader reader = {.fd = fd, .stop = stop};
    const ssize_t got = pread(fd, head, sizeof(head), 0);

    if (got < 0)
        return -errno;
    gw_journal_parse_header(head, (size_t)got, &length);
    int result = gw_journal_seek(&reader, length > 0 ? length : 0, false);
    if (!result)
        result = copy_lines(rewrite, &reader);
    gw_journal_reader_free(&reader);
    return result;
}

static int write_again(struct rewrite *rewrite, const char *path, const char *temporary,
                       uint64_t epoch, int64_t stop)
{
    char header[64];
    struct stat status;
    const int length = gw_journal_format_header(header, sizeof(header), epoch);
    const int from = open(path, O_RDONLY | O_CLOEXEC);

    if (from < 0)
        return -errno;
    const int to = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    rewrite->out = to < 0 ? NULL : fdopen(to, "w");
    int result = !rewrite->out || fstat(from, &status) < 0 ? -errno : 0;
    if (!result) {
        fwrite(header, 1, (size_t)length, rewrite->out);
        result = copy(rewrite, from, stop < 0 ? status.st_size : stop);
    }
    if (rewrite->out) {
        const int finished = finish(rewrite->out);
        result = result ? result : finished;
    }
    close(from);
    return result;
}

int gw_journal_rewrite(const char *store, uint64_t epoch, uint64_t file, int64_t stop, bool remove,
                       bool (*keep)(void *opaque, const struct gw_journal_line *line), void *opaque,
                       int64_t *ret_size, int64_t *ret_dropped)
{
    struct rewrite rewrite = {.keep = keep, .opaque = opaque};
    char below[64], name[GW_JOURNAL_NAME_SIZE], path[PATH_MAX], temporary[PATH_MAX + 8];
    struct stat status = {0};

    snprintf(below, sizeof(below), GW_JOURNAL_FOLDER "/%s", gw_journal_file_name(name, file));
    snprintf(path, sizeof(path), "%s/%s", store, below);
    snprintf(temporary, sizeof(temporary), "%s.part", path);
    int result = write_again(&rewrite, path, temporary, epoch, stop);
    const bool gone = !result && remove && !rewrite.kept;
    if (!result && !gone && rewrite.dropped &&
        (stat(temporary, &status) < 0 || rename(temporary, path) < 0))
        result = -errno;
    if (result || gone || !rewrite.dropped)
        unlink(temporary);
    if (gone && unlink(path) < 0)
        result = -errno;
    if (!result)
        result = gw_media_sync_folder(store, below);
    if (result)
        return result;
    if (!rewrite.dropped && stat(path, &status) < 0)
        return -errno;
    *ret_size = gone ? 0 : status.st_size;
    *ret_dropped = rewrite.dropped;
    return 0;
}
