// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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

#define FILE_SIZE (16 << 20) // a file that has grown beyond this is followed by the next

struct gw_journal {
    char store[PATH_MAX];
    uint64_t epoch;
    char error[GW_JOURNAL_ERROR_SIZE];

    // The next append.
    FILE *pending;
    char *text;
    size_t size;
    uint64_t first, last; // facts of it; 0: none
    bool tidy;            // no file lies behind the end

    // Where the last read ended.
    struct gw_journal_reader reader;
    uint64_t file, next_file; // 0: none is open; there is none behind it
    uint64_t next;            // fact that the next line holds, or a later one
};

static int complain(struct gw_journal *journal, uint64_t file, int error, const char *why)
{
    char name[GW_JOURNAL_NAME_SIZE];

    snprintf(journal->error, sizeof(journal->error), "%s/%s: %s", GW_JOURNAL_FOLDER,
             gw_journal_file_name(name, file), why);
    return error;
}

static int complain_errno(struct gw_journal *journal, uint64_t file)
{
    const int error = -errno;
    return complain(journal, file, error, gw_strerror(error));
}

static char *file_path(const struct gw_journal *journal, uint64_t file, char ret[PATH_MAX])
{
    char name[GW_JOURNAL_NAME_SIZE];
    snprintf(ret, PATH_MAX, "%s/" GW_JOURNAL_FOLDER "/%s", journal->store,
             gw_journal_file_name(name, file));
    return ret;
}

struct gw_journal *gw_journal_open(const char *store, uint64_t epoch)
{
    struct gw_journal *journal = calloc(1, sizeof(*journal));

    if (!journal)
        abort();
    snprintf(journal->store, sizeof(journal->store), "%s", store);
    journal->epoch = epoch;
    journal->reader.fd = -1;
    return journal;
}

static void close_file(struct gw_journal *journal)
{
    if (journal->reader.fd >= 0)
        close(journal->reader.fd);
    journal->reader.fd = -1;
    journal->file = 0;
}

void gw_journal_close(struct gw_journal **journal)
{
    struct gw_journal *gone = *journal;

    *journal = NULL;
    if (!gone)
        return;
    gw_journal_forget(gone);
    close_file(gone);
    gw_journal_reader_free(&gone->reader);
    free(gone);
}

const char *gw_journal_error(const struct gw_journal *journal)
{
    return journal->error;
}

// --- appending -----------------------------------------------------------------------------------

void gw_journal_add(struct gw_journal *journal, const struct gw_committed_fact *fact)
{
    if (!journal->pending) {
        journal->pending = open_memstream(&journal->text, &journal->size);
        if (!journal->pending)
            abort();
        journal->first = fact->seq;
    }
    journal->last = fact->seq;
    gw_journal_format_line(journal->pending, journal->first, fact);
}

bool gw_journal_pending(const struct gw_journal *journal)
{
    return journal && journal->pending;
}

void gw_journal_forget(struct gw_journal *journal)
{
    if (!journal || !journal->pending)
        return;
    fclose(journal->pending);
    free(journal->text);
    journal->pending = NULL;
    journal->text = NULL;
}

static int write_all(int fd, const char *bytes, size_t size, int64_t offset)
{
    while (size) {
        ssize_t written = pwrite(fd, bytes, size, offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        bytes += written;
        offset += written;
        size -= (size_t)written;
    }
    return 0;
}

// Makes a file with its first line, durably. One of this name is left of an append that failed: no
// fact of it was ever committed. Returns a descriptor or an error.
static int make_file(struct gw_journal *journal, uint64_t file, int64_t *ret_offset)
{
    char path[PATH_MAX], below[64], name[GW_JOURNAL_NAME_SIZE], header[64];
    const int length = gw_journal_format_header(header, sizeof(header), journal->epoch);

    snprintf(below, sizeof(below), GW_JOURNAL_FOLDER "/%s", gw_journal_file_name(name, file));
    int result = gw_media_make_folders(journal->store, below);
    if (result < 0)
        return complain(journal, file, result, gw_strerror(result));
    file_path(journal, file, path);
    if (unlink(path) < 0 && errno != ENOENT)
        return complain_errno(journal, file);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return complain_errno(journal, file);
    result = write_all(fd, header, (size_t)length, 0);
    if (!result && fdatasync(fd) < 0)
        result = -errno;
    if (!result)
        result = gw_media_sync_folder(journal->store, below);
    if (result) {
        close(fd);
        unlink(path);
        return complain(journal, file, result, gw_strerror(result));
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
    int fd = open(file_path(journal, file, path), O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return complain_errno(journal, file);
    int result = fstat(fd, &status) < 0 ? complain_errno(journal, file) : 0;
    if (!result && status.st_size < offset)
        result = complain(journal, file, GW_ERROR_INDEX, "is shorter than the index says");
    if (!result && status.st_size > offset && ftruncate(fd, offset) < 0)
        result = complain_errno(journal, file);
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
        if (firsts[i] > last && unlink(file_path(journal, firsts[i], path)) < 0)
            result = -errno;
    free(firsts);
    journal->tidy = !result;
    return result ? complain(journal, last, result, gw_strerror(result)) : 0;
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
    result = write_all(fd, journal->text, journal->size, next.offset);
    if (!result && fdatasync(fd) < 0)
        result = -errno;
    close(fd);
    if (result) {
        note_broken(journal, next.segment);
        return complain(journal, next.segment, result, gw_strerror(result));
    }
    next.offset += (int64_t)journal->size;
    next.head = journal->last;
    note_append(journal, end, &next);
    *end = next;
    gw_journal_forget(journal);
    return 0;
}

// --- reading -------------------------------------------------------------------------------------

// Opens the file that holds a fact or, when there is none such, the first behind it. Files behind
// the last one are nobody's. Returns 1, 0 when there is none, or an error.
static int open_file_of(struct gw_journal *journal, uint64_t last, uint64_t seq)
{
    char path[PATH_MAX];
    uint64_t *firsts;
    int count = gw_journal_list(journal->store, &firsts), i = count - 1;

    close_file(journal);
    while (count > 0 && firsts[count - 1] > last)
        i = --count - 1;
    if (count <= 0) {
        free(firsts);
        return count < 0 ? complain(journal, seq, count, gw_strerror(count)) : 0;
    }
    while (i > 0 && firsts[i] > seq)
        i--;
    journal->file = firsts[i];
    journal->next_file = i + 1 < count ? firsts[i + 1] : 0;
    free(firsts);
    journal->reader.fd = open(file_path(journal, journal->file, path), O_RDONLY | O_CLOEXEC);
    if (journal->reader.fd < 0) {
        const int result = complain_errno(journal, journal->file);
        journal->file = 0;
        return result;
    }
    return 1;
}

// Where the open file's facts end, for this end of the journal.
static int find_stop(struct gw_journal *journal, const struct gw_journal_end *end)
{
    struct stat status;

    if (journal->file == end->segment) {
        journal->reader.stop = end->offset;
        return 0;
    }
    if (fstat(journal->reader.fd, &status) < 0)
        return complain_errno(journal, journal->file);
    journal->reader.stop = status.st_size;
    return 0;
}

static int check_header(struct gw_journal *journal)
{
    char text[64];
    int64_t length = 0;
    const ssize_t got = pread(journal->reader.fd, text, sizeof(text), 0);

    if (got < 0)
        return complain_errno(journal, journal->file);
    const uint64_t epoch = gw_journal_parse_header(text, (size_t)got, &length);
    if (!epoch)
        return complain(journal, journal->file, GW_ERROR_INDEX, "does not begin as a journal does");
    if (epoch != journal->epoch)
        return complain(journal, journal->file, GW_ERROR_INDEX, "is of another index");
    return gw_journal_seek(&journal->reader, length, false);
}

static int damaged(struct gw_journal *journal, int64_t offset)
{
    char why[64];
    snprintf(why, sizeof(why), "the line at byte %" PRId64 " is damaged", offset);
    return complain(journal, journal->file, GW_ERROR_INDEX, why);
}

// Halves the file until few bytes are left before a fact. Lines are in order.
static int bisect(struct gw_journal *journal, uint64_t seq)
{
    struct gw_journal_reader *reader = &journal->reader;
    struct gw_journal_line line;
    int64_t low = reader->offset, high = reader->stop, offset;
    char *text;
    int result = 0;

    while (!result && high - low > 65536) {
        const int64_t middle = low + (high - low) / 2;
        result = gw_journal_seek(reader, middle, true);
        const int64_t length = result ? 0 : gw_journal_next_line(reader, &text, &offset);
        if (length < 0)
            return (int)length;
        if (!length) {
            high = middle;
            continue;
        }
        // A damaged line is passed over here, and found by who reads up to it.
        if (gw_journal_parse_line(text, (size_t)length - 1, &line) && line.fact.seq <= seq)
            low = offset;
        else
            high = middle;
    }
    return result ? result : gw_journal_seek(reader, low, false);
}

// Makes the reader stand at a fact, or before it. Returns 1, 0 when there is no such file, or an
// error.
static int go_to(struct gw_journal *journal, const struct gw_journal_end *end, uint64_t seq)
{
    const bool here =
        journal->file && journal->next == seq &&
        (journal->next_file ? seq < journal->next_file : journal->file == end->segment);
    if (here)
        return find_stop(journal, end) < 0 ? GW_ERROR_INDEX : 1;
    int result = open_file_of(journal, end->segment, seq);
    if (result <= 0)
        return result;
    result = find_stop(journal, end);
    if (!result)
        result = check_header(journal);
    if (!result)
        result = bisect(journal, seq);
    if (result) {
        close_file(journal);
        return result;
    }
    journal->next = seq;
    return 1;
}

// The next fact from seq on in the open file. Returns 1, 0 at its end, or an error.
static int next_in_file(struct gw_journal *journal, uint64_t seq, struct gw_journal_line *ret)
{
    char *text;
    int64_t offset, length;

    while ((length = gw_journal_next_fact(&journal->reader, &text, &offset)) > 0) {
        const bool good = gw_journal_parse_line(text, (size_t)length - 1, ret);
        // Behind its last commit a file may hold what is left of one that failed.
        if (journal->next_file && (good ? ret->fact.seq : seq) >= journal->next_file)
            return 0;
        if (!good)
            return damaged(journal, offset);
        if (ret->fact.seq >= seq)
            return 1;
    }
    return length < 0 ? complain(journal, journal->file, (int)length, gw_strerror((int)length)) : 0;
}

static int next_fact(struct gw_journal *journal, const struct gw_journal_end *end, uint64_t seq,
                     struct gw_journal_line *ret)
{
    for (;;) {
        int result = next_in_file(journal, seq, ret);
        if (result || journal->file == end->segment || !journal->next_file)
            return result;
        // What is not there was removed with the rows that it told of.
        if (seq < journal->next_file)
            seq = journal->next_file;
        result = go_to(journal, end, seq);
        if (result <= 0)
            return result;
    }
}

int gw_journal_read(struct gw_journal *journal, const struct gw_journal_end *end, uint64_t since,
                    int limit, int (*callback)(void *opaque, const struct gw_committed_fact *fact),
                    void *opaque)
{
    struct gw_journal_line line;
    int calls = 0;

    if (since >= end->head || limit <= 0)
        return 0;
    int result = go_to(journal, end, since + 1);
    while (result == 1 && calls < limit && since < end->head) {
        result = next_fact(journal, end, since + 1, &line);
        if (result != 1)
            break;
        since = line.fact.seq;
        journal->next = since + 1;
        calls++;
        if (callback(opaque, &line.fact))
            break;
    }
    if (result < 0)
        close_file(journal);
    return result < 0 ? result : calls;
}

// --- the end -------------------------------------------------------------------------------------

// Looks at whole lines from the reader's offset on, and says of each whether to go on.
static int scan(struct gw_journal_reader *reader,
                bool (*look)(void *opaque, const struct gw_journal_line *line, int64_t end),
                void *opaque)
{
    struct gw_journal_line line;
    char *text;
    int64_t offset, length;

    while ((length = gw_journal_next_fact(reader, &text, &offset)) > 0)
        if (!gw_journal_parse_line(text, (size_t)length - 1, &line) ||
            !look(opaque, &line, offset + length))
            return 0;
    return (int)length;
}

struct beyond {
    uint64_t head, commit;
    int commits;
};

static bool count_commit(void *opaque, const struct gw_journal_line *line, int64_t end)
{
    struct beyond *beyond = opaque;

    if (line->fact.seq > beyond->head && line->commit != beyond->commit) {
        beyond->commit = line->commit;
        beyond->commits++;
    }
    return true;
}

// Whether the open file was begun by a process that died before its first line was whole. No fact
// can be in it.
static bool is_only_begun(const struct gw_journal *journal)
{
    char text[64];
    const ssize_t got = pread(journal->reader.fd, text, sizeof(text), 0);
    return got >= 0 && got < (ssize_t)sizeof(text) && !memchr(text, '\n', (size_t)got);
}

// Scans a file from an offset on (0: from behind its first line).
static int scan_file(struct gw_journal *journal, uint64_t file, int64_t offset,
                     struct beyond *beyond)
{
    struct stat status;
    int result = open_file_of(journal, file, file);

    if (result <= 0)
        return result;
    if (journal->file != file)
        return complain(journal, file, GW_ERROR_INDEX,
                        "is not there, but the index says that it is");
    if (!offset && is_only_begun(journal)) {
        close_file(journal);
        return 0;
    }
    result = check_header(journal);
    if (!result && fstat(journal->reader.fd, &status) < 0)
        result = complain_errno(journal, file);
    if (!result && status.st_size < offset)
        result = complain(journal, file, GW_ERROR_INDEX, "is shorter than the index says");
    if (!result && offset)
        result = gw_journal_seek(&journal->reader, offset, false);
    if (!result) {
        journal->reader.stop = status.st_size;
        result = scan(&journal->reader, count_commit, beyond);
    }
    close_file(journal);
    return result;
}

int gw_journal_beyond(struct gw_journal *journal, const struct gw_journal_end *end)
{
    struct beyond beyond = {.head = end->head};
    uint64_t *firsts;
    int count = gw_journal_list(journal->store, &firsts), result = count < 0 ? count : 0;

    if (!result && end->segment) {
        if (!count)
            result = complain(journal, end->segment, GW_ERROR_INDEX,
                              "is not there, but the index says that it is");
        else
            result = scan_file(journal, end->segment, end->offset, &beyond);
    }
    for (int i = 0; !result && i < count; i++)
        if (firsts[i] > end->segment)
            result = scan_file(journal, firsts[i], 0, &beyond);
    free(firsts);
    return result < 0 ? result : beyond.commits;
}

struct last {
    uint64_t seq;
    int64_t end;
};

static bool note_last(void *opaque, const struct gw_journal_line *line, int64_t end)
{
    struct last *last = opaque;

    if (line->fact.seq <= last->seq && line->fact.seq != line->commit)
        return false; // a commit that was tried again begins anew
    *last = (struct last){line->fact.seq, end};
    return true;
}

int gw_journal_find_end(const char *store, struct gw_journal_end *ret, uint64_t *ret_epoch)
{
    struct gw_journal *journal = gw_journal_open(store, 0);
    uint64_t *firsts;
    int count = gw_journal_list(store, &firsts), result = count < 0 ? count : 0;

    *ret = (struct gw_journal_end){0};
    *ret_epoch = 0;
    // The last file may hold no whole fact; then the one before it is the last.
    for (int i = count - 1; result == 0 && i >= 0 && !ret->head; i--) {
        char text[64];
        struct stat status;
        struct last last = {.seq = firsts[i] - 1};
        int64_t length = 0;
        result = open_file_of(journal, firsts[i], firsts[i]);
        if (result <= 0)
            break;
        const ssize_t got = pread(journal->reader.fd, text, sizeof(text), 0);
        result = got < 0 || fstat(journal->reader.fd, &status) < 0 ? -errno : 0;
        const uint64_t epoch = result ? 0 : gw_journal_parse_header(text, (size_t)got, &length);
        if (!epoch)
            continue;
        journal->reader.stop = status.st_size;
        result = gw_journal_seek(&journal->reader, length, false);
        if (!result)
            result = scan(&journal->reader, note_last, &last);
        *ret_epoch = epoch;
        if (last.end)
            *ret = (struct gw_journal_end){last.seq, firsts[i], last.end};
    }
    free(firsts);
    gw_journal_close(&journal);
    return result < 0 ? result : 0;
}
