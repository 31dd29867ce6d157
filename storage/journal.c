// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "storage/journal_internal.h"

int gw_journal_complain(struct gw_journal *journal, uint64_t file, int error, const char *why)
{
    char name[GW_JOURNAL_NAME_SIZE];

    snprintf(journal->error, sizeof(journal->error), "%s/%s: %s", GW_JOURNAL_FOLDER,
             gw_journal_file_name(name, file), why);
    return error;
}

int gw_journal_complain_errno(struct gw_journal *journal, uint64_t file)
{
    const int error = -errno;
    return gw_journal_complain(journal, file, error, gw_strerror(error));
}

char *gw_journal_path(const struct gw_journal *journal, uint64_t file, char ret[PATH_MAX])
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

void gw_journal_close_file(struct gw_journal *journal)
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
    gw_journal_close_file(gone);
    gw_journal_reader_free(&gone->reader);
    free(gone);
}

const char *gw_journal_error(const struct gw_journal *journal)
{
    return journal->error;
}

// --- the next append
// -------------------------------------------------------------------------------

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

// --- reading -------------------------------------------------------------------------------------

int gw_journal_open_file_of(struct gw_journal *journal, uint64_t last, uint64_t seq)
{
    char path[PATH_MAX];
    uint64_t *firsts;
    int count = gw_journal_list(journal->store, &firsts), i = count - 1;

    gw_journal_close_file(journal);
    while (count > 0 && firsts[count - 1] > last)
        i = --count - 1;
    if (count <= 0) {
        free(firsts);
        return count < 0 ? gw_journal_complain(journal, seq, count, gw_strerror(count)) : 0;
    }
    while (i > 0 && firsts[i] > seq)
        i--;
    journal->file = firsts[i];
    journal->next_file = i + 1 < count ? firsts[i + 1] : 0;
    free(firsts);
    journal->reader.fd = open(gw_journal_path(journal, journal->file, path), O_RDONLY | O_CLOEXEC);
    if (journal->reader.fd < 0) {
        const int result = gw_journal_complain_errno(journal, journal->file);
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
        return gw_journal_complain_errno(journal, journal->file);
    journal->reader.stop = status.st_size;
    return 0;
}

int gw_journal_check_header(struct gw_journal *journal)
{
    char text[64];
    int64_t length = 0;
    const ssize_t got = pread(journal->reader.fd, text, sizeof(text), 0);

    if (got < 0)
        return gw_journal_complain_errno(journal, journal->file);
    const uint64_t epoch = gw_journal_parse_header(text, (size_t)got, &length);
    if (!epoch)
        return gw_journal_complain(journal, journal->file, GW_ERROR_INDEX,
                                   "does not begin as a journal does");
    if (epoch != journal->epoch)
        return gw_journal_complain(journal, journal->file, GW_ERROR_INDEX, "is of another index");
    return gw_journal_seek(&journal->reader, length, false);
}

static int damaged(struct gw_journal *journal, int64_t offset)
{
    char why[64];
    snprintf(why, sizeof(why), "the line at byte %" PRId64 " is damaged", offset);
    return gw_journal_complain(journal, journal->file, GW_ERROR_INDEX, why);
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
    int result = gw_journal_open_file_of(journal, end->segment, seq);
    if (result <= 0)
        return result;
    result = find_stop(journal, end);
    if (!result)
        result = gw_journal_check_header(journal);
    if (!result)
        result = bisect(journal, seq);
    if (result) {
        gw_journal_close_file(journal);
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
    return length < 0
               ? gw_journal_complain(journal, journal->file, (int)length, gw_strerror((int)length))
               : 0;
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
        gw_journal_close_file(journal);
    return result < 0 ? result : calls;
}
