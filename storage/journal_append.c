// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Appending to the fact journal: to the last file or the next one, behind what may yet turn out to
// have been committed.

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "storage/journal_internal.h"
#include "storage/media.h"
#include "storage/write_all.h"

#define FILE_SIZE (16 << 20) // a file that has grown beyond this is followed by the next

// Makes a file with its first line, durably. One of this name is left of an append that failed: no
// fact of it was ever committed. Returns a descriptor or an error.
static int make_file(struct gw_journal *journal, uint64_t file, int64_t *ret_offset)
{
    char path[PATH_MAX], below[64], name[GW_JOURNAL_NAME_SIZE], header[64];
    const int length = gw_journal_format_header(header, sizeof(header), journal->epoch);

    snprintf(below, sizeof(below), GW_JOURNAL_FOLDER "/%s", gw_journal_file_name(name, file));
    int result = gw_media_make_folders(journal->store, below);
    if (result < 0)
        return gw_journal_complain(journal, file, result, gw_strerror(result));
    gw_journal_path(journal, file, path);
    if (unlink(path) < 0 && errno != ENOENT)
        return gw_journal_complain_errno(journal, file);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return gw_journal_complain_errno(journal, file);
    result = gw_write_all_at(fd, header, (size_t)length, 0);
    if (!result && fdatasync(fd) < 0)
        result = -errno;
    if (!result)
        result = gw_media_sync_folder(journal->store, below);
    if (result) {
        close(fd);
        unlink(path);
        return gw_journal_complain(journal, file, result, gw_strerror(result));
    }
    *ret_offset = length;
    return fd;
}

// The last append of this process, to any journal: several handles append in turn. Behind a sync of
// the index that failed nobody knows whether its transaction will be there after a crash; its facts
// must be there then. So they stay until a later one has committed, and who appends in their place
// appends behind them.
static struct {
    pthread_mutex_t lock;
    char store[PATH_MAX];
    uint64_t epoch;
    struct gw_journal_end begin, end;
    uint64_t broken; // a file that took an append badly; nothing is added to it any more
} last_append = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool same_end(const struct gw_journal_end *a, const struct gw_journal_end *b)
{
    return a->head == b->head && a->segment == b->segment && a->offset == b->offset;
}

// Where to write on behind an end. *ret_doubt: what lies behind it may yet have been committed.
static struct gw_journal_end find_place(const struct gw_journal *journal,
                                        const struct gw_journal_end *end, bool *ret_doubt)
{
    struct gw_journal_end place = *end;

    pthread_mutex_lock(&last_append.lock);
    *ret_doubt = last_append.epoch == journal->epoch &&
                 !strcmp(last_append.store, journal->store) && same_end(&last_append.begin, end);
    if (*ret_doubt)
        place = last_append.end;
    pthread_mutex_unlock(&last_append.lock);
    return place;
}

// Makes it this journal's, if it was another's.
static void own_last_append(const struct gw_journal *journal)
{
    if (last_append.epoch == journal->epoch && !strcmp(last_append.store, journal->store))
        return;
    snprintf(last_append.store, sizeof(last_append.store), "%s", journal->store);
    last_append.epoch = journal->epoch;
    last_append.begin = last_append.end = (struct gw_journal_end){.head = UINT64_MAX};
    last_append.broken = 0;
}

static bool is_broken(const struct gw_journal *journal, uint64_t file)
{
    pthread_mutex_lock(&last_append.lock);
    const bool broken = last_append.broken == file && last_append.epoch == journal->epoch &&
                        !strcmp(last_append.store, journal->store);
    pthread_mutex_unlock(&last_append.lock);
    return broken;
}

// What a later sync says is no proof for what this one lost.
static void note_broken(const struct gw_journal *journal, uint64_t file)
{
    pthread_mutex_lock(&last_append.lock);
    own_last_append(journal);
    last_append.broken = file;
    pthread_mutex_unlock(&last_append.lock);
}

static void note_append(const struct gw_journal *journal, const struct gw_journal_end *begin,
                        const struct gw_journal_end *end)
{
    pthread_mutex_lock(&last_append.lock);
    own_last_append(journal);
    last_append.begin = *begin;
    last_append.end = *end;
    pthread_mutex_unlock(&last_append.lock);
}

// Opens a file for more, and cuts off what lies behind an offset. Returns a descriptor or an error.
static int open_for_more(struct gw_journal *journal, uint64_t file, int64_t offset)
{
    char path[PATH_MAX];
    struct stat status;
    int fd = open(gw_journal_path(journal, file, path), O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return gw_journal_complain_errno(journal, file);
    int result = fstat(fd, &status) < 0 ? gw_journal_complain_errno(journal, file) : 0;
    if (!result && status.st_size < offset)
        result =
            gw_journal_complain(journal, file, GW_ERROR_INDEX, "is shorter than the index says");
    if (!result && status.st_size > offset && ftruncate(fd, offset) < 0)
        result = gw_journal_complain_errno(journal, file);
    if (result) {
        close(fd);
        return result;
    }
    return fd;
}

// Removes files that an append began and no commit followed.
static int tidy(struct gw_journal *journal, uint64_t last)
{
    char path[PATH_MAX];
    uint64_t *firsts;
    int count = gw_journal_list(journal->store, &firsts), result = count < 0 ? count : 0;

    for (int i = 0; !result && i < count; i++)
        if (firsts[i] > last && unlink(gw_journal_path(journal, firsts[i], path)) < 0)
            result = -errno;
    free(firsts);
    journal->tidy = !result;
    return result ? gw_journal_complain(journal, last, result, gw_strerror(result)) : 0;
}

// Opens the file to append to at *place, or makes the next one. A file that took an append badly is
// left alone, unless it may hold facts that were committed and the next one would have its name:
// then what was lost of it is written again from where it was last synced. Returns a descriptor or
// an error.
static int open_place(struct gw_journal *journal, struct gw_journal_end *place, bool doubt)
{
    const bool more =
        place->segment && place->offset < FILE_SIZE && !is_broken(journal, place->segment);

    if (more || (doubt && place->segment == journal->first))
        return open_for_more(journal, place->segment, place->offset);
    place->segment = journal->first;
    journal->tidy = false;
    return make_file(journal, place->segment, &place->offset);
}

int gw_journal_append(struct gw_journal *journal, struct gw_journal_end *end)
{
    bool doubt;

    if (!journal->pending)
        return 0;
    fflush(journal->pending);
    struct gw_journal_end next = find_place(journal, end, &doubt);
    int result = journal->tidy ? 0 : tidy(journal, next.segment ? next.segment : next.head);
    if (result)
        return result;
    int fd = open_place(journal, &next, doubt);
    if (fd < 0)
        return fd;
    result = gw_write_all_at(fd, journal->text, journal->size, next.offset);
    if (!result && fdatasync(fd) < 0)
        result = -errno;
    close(fd);
    if (result) {
        note_broken(journal, next.segment);
        return gw_journal_complain(journal, next.segment, result, gw_strerror(result));
    }
    next.offset += (int64_t)journal->size;
    next.head = journal->last;
    note_append(journal, end, &next);
    *end = next;
    gw_journal_forget(journal);
    return 0;
}
