// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Invariants 15 and 16: the fact journal.

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/fsck_internal.h"
#include "storage/journal_rewrite.h"

// --- 15: every line can be read ------------------------------------------------------------------

struct scan {
    uint64_t epoch, file, next_file; // next_file 0: it is the last
    int64_t stop;                    // -1: the whole file
    char *what;
};

static bool complain(const struct scan *scan, const char *format, int64_t number)
{
    char name[GW_JOURNAL_NAME_SIZE];
    const int used = snprintf(scan->what, GW_FSCK_TEXT_SIZE, GW_JOURNAL_FOLDER "/%s ",
                              gw_journal_file_name(name, scan->file));
    snprintf(scan->what + used, GW_FSCK_TEXT_SIZE - (size_t)used, "%s %" PRId64, format, number);
    return true;
}

// What is left of a commit that failed may lie behind a file's last fact.
static bool is_leftover(const struct scan *scan, uint64_t last)
{
    return scan->next_file && last + 1 >= scan->next_file;
}

// Returns 1 with the first complaint, 0, or -errno.
static int scan_lines(const struct scan *scan, struct gw_journal_reader *reader)
{
    struct gw_journal_line line;
    int64_t offset, length;
    uint64_t last = 0;
    char *text;

    while ((length = gw_journal_next_fact(reader, &text, &offset)) > 0) {
        const bool good = gw_journal_parse_line(text, (size_t)length - 1, &line);
        if (scan->next_file && good && line.fact.seq >= scan->next_file)
            return 0;
        if (!good && is_leftover(scan, last))
            return 0;
        if (!good)
            return complain(scan, "has a damaged line at byte", offset);
        if (line.fact.seq <= last || line.fact.seq < scan->file)
            return complain(scan, "is out of order at fact", (int64_t)line.fact.seq);
        last = line.fact.seq;
    }
    if (length < 0)
        return (int)length;
    return reader->offset < reader->stop && !scan->next_file
               ? complain(scan, "has no whole line from byte", reader->offset)
               : 0;
}

static int scan_open_file(struct scan *scan, int fd)
{
    char head[64];
    struct stat status;
    int64_t length = 0;
    struct gw_journal_reader reader = {.fd = fd};
    const ssize_t got = pread(fd, head, sizeof(head), 0);

    if (got < 0 || fstat(fd, &status) < 0)
        return -errno;
    if (scan->stop > status.st_size)
        return 0; // invariant 16
    reader.stop = scan->stop < 0 ? status.st_size : scan->stop;
    if (gw_journal_parse_header(head, (size_t)got, &length) != scan->epoch)
        return complain(scan, "does not begin as one of index", (int64_t)scan->epoch);
    int result = gw_journal_seek(&reader, length, false);
    if (!result)
        result = scan_lines(scan, &reader);
    gw_journal_reader_free(&reader);
    return result;
}

static int scan_file(struct gw_fsck *fsck, struct scan *scan)
{
    char below[64], name[GW_JOURNAL_NAME_SIZE], path[PATH_MAX];

    snprintf(below, sizeof(below), GW_JOURNAL_FOLDER "/%s", gw_journal_file_name(name, scan->file));
    const int fd = open(gw_fsck_path(fsck, below, path), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno; // pruned meanwhile
    const int result = scan_open_file(scan, fd);
    close(fd);
    return result;
}

// Fills in how far a file goes. Returns 0 or an error.
static int prepare_scan(struct gw_fsck *fsck, uint64_t file, struct scan *ret)
{
    struct gw_journal_end end;
    uint64_t *firsts = NULL;
    int result = gw_index_read_end(fsck->index, &end);
    const int count = result ? 0 : gw_journal_list(fsck->config->store, &firsts);

    *ret = (struct scan){.epoch = fsck->index->epoch, .file = file, .stop = -1};
    for (int i = 0; i < count; i++)
        if (firsts[i] > file && firsts[i] <= end.head &&
            (!ret->next_file || firsts[i] < ret->next_file))
            ret->next_file = firsts[i];
    free(firsts);
    if (file == end.segment) {
        ret->stop = end.offset;
        ret->next_file = 0;
    }
    return count < 0 ? count : result;
}

static int judge_file(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                      char what[GW_FSCK_TEXT_SIZE])
{
    struct scan scan;
    const int result = prepare_scan(fsck, (uint64_t)suspect->number, &scan);
    scan.what = what;
    return result ? result : scan_file(fsck, &scan);
}

static int look_at_files(struct gw_fsck *fsck)
{
    char what[GW_FSCK_TEXT_SIZE];
    struct gw_journal_end end;
    uint64_t *firsts = NULL;
    int result = gw_index_read_end(fsck->index, &end);
    const int count = result ? result : gw_journal_list(fsck->config->store, &firsts);

    result = count < 0 ? count : 0;
    for (int i = 0; !result && i < count; i++) {
        const struct gw_suspect suspect = {.number = (int64_t)firsts[i]};
        const int judged = firsts[i] > end.head ? 0 : judge_file(fsck, &suspect, what);
        if (judged > 0)
            gw_fsck_suspect(fsck, &suspect);
        result = judged < 0 ? judged : 0;
        gw_fsck_progress(fsck, i + 1, count);
    }
    free(firsts);
    return result;
}

// Lines in order.
static bool keep_ascending(void *opaque, const struct gw_journal_line *line)
{
    uint64_t *last = opaque;
    const bool keep = line->fact.seq > *last;
    if (keep)
        *last = line->fact.seq;
    return keep;
}

static int repair_file(struct gw_fsck *fsck, const struct gw_suspect *suspect)
{
    struct gw_journal_end end;
    struct scan scan;
    uint64_t last = (uint64_t)suspect->number - 1;
    int64_t size, dropped;
    int result = gw_index_read_end(fsck->index, &end);

    if (!result)
        result = prepare_scan(fsck, (uint64_t)suspect->number, &scan);
    if (!result)
        result = gw_journal_rewrite(fsck->config->store, fsck->index->epoch, scan.file, scan.stop,
                                    false, keep_ascending, &last, &size, &dropped);
    if (result || scan.file != end.segment)
        return result;
    end.offset = size;
    return gw_index_write_end(fsck->index, &end);
}

// --- 16: the journal ends where the index says ---------------------------------------------------

static int look_at_end(struct gw_fsck *fsck)
{
    gw_fsck_suspect(fsck, &(struct gw_suspect){0});
    return 0;
}

static int judge_end(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                     char what[GW_FSCK_TEXT_SIZE])
{
    struct gw_journal_end end;
    const int result = gw_index_read_end(fsck->index, &end);
    if (result)
        return result;
    const int beyond = gw_journal_beyond(fsck->index->journal, &end);

    if (beyond >= 0 && (beyond <= 1 || fsck->config->live))
        return 0;
    if (beyond < 0)
        snprintf(what, GW_FSCK_TEXT_SIZE, "%s", gw_journal_error(fsck->index->journal));
    else
        snprintf(what, GW_FSCK_TEXT_SIZE,
                 "the journal holds %d commits that the index does not know: it is older", beyond);
    return 1;
}

// Facts that the index does not know make their rows; a number that it gave is never given again.
static int take_more(void *opaque, const struct gw_committed_fact *fact)
{
    struct gw_index *index = opaque;
    return gw_index_take(index, fact, 1) < 0;
}

static int repair_end(struct gw_fsck *fsck, const struct gw_suspect *suspect)
{
    struct gw_index *index = fsck->index;
    struct gw_journal_end end, found;
    uint64_t epoch;
    int result = gw_index_read_end(index, &end);

    if (!result)
        result = gw_journal_find_end(fsck->config->store, &found, &epoch);
    if (result)
        return result;
    if (found.head > end.head) {
        const int more =
            gw_journal_read(index->journal, &found, end.head, INT32_MAX, take_more, index);
        if (more < 0)
            return more;
        result = gw_index_read_end(index, &end);
    }
    if (end.head > found.head)
        found.head = end.head;
    return result ? result : gw_index_write_end(index, &found);
}

const struct gw_fsck_check gw_fsck_journal_checks[] = {
    {15, "the journal's lines", "the file is written again without what cannot be read",
     look_at_files, judge_file, repair_file},
    {16, "the journal's end", "what the index does not know is taken; the end is set", look_at_end,
     judge_end, repair_end},
};
const int gw_fsck_journal_check_count =
    sizeof(gw_fsck_journal_checks) / sizeof(gw_fsck_journal_checks[0]);
