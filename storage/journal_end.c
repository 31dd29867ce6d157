// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Where the fact journal ends: what lies behind the end that the index names, and the end by the
// files alone.

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "storage/journal_internal.h"

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
    int result = gw_journal_open_file_of(journal, file, file);

    if (result <= 0)
        return result;
    if (journal->file != file)
        return gw_journal_complain(journal, file, GW_ERROR_INDEX,
                                   "is not there, but the index says that it is");
    if (!offset && is_only_begun(journal)) {
        gw_journal_close_file(journal);
        return 0;
    }
    result = gw_journal_check_header(journal);
    if (!result && fstat(journal->reader.fd, &status) < 0)
        result = gw_journal_complain_errno(journal, file);
    if (!result && status.st_size < offset)
        result =
            gw_journal_complain(journal, file, GW_ERROR_INDEX, "is shorter than the index says");
    if (!result && offset)
        result = gw_journal_seek(&journal->reader, offset, false);
    if (!result) {
        journal->reader.stop = status.st_size;
        result = scan(&journal->reader, count_commit, beyond);
    }
    gw_journal_close_file(journal);
    return result;
}

int gw_journal_beyond(struct gw_journal *journal, const struct gw_journal_end *end)
{
    struct beyond beyond = {.head = end->head};
    uint64_t *firsts;
    int count = gw_journal_list(journal->store, &firsts), result = count < 0 ? count : 0;

    if (!result && end->segment) {
        if (!count)
            result = gw_journal_complain(journal, end->segment, GW_ERROR_INDEX,
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
        result = gw_journal_open_file_of(journal, firsts[i], firsts[i]);
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
