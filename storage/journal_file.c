// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// One file of the fact journal: its name, its first line, its lines.

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <libavutil/crc.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/journal_internal.h"

#define MAGIC        "gridwatch-journal 1 "
#define READ_STEP    65536
#define LINE_LONGEST (4 << 20) // no fact is as long

// --- lines ---------------------------------------------------------------------------------------

static uint32_t checksum(const char *bytes, size_t size)
{
    return av_crc(av_crc_get_table(AV_CRC_32_IEEE_LE), 0, (const uint8_t *)bytes, size);
}

void gw_journal_format_line(FILE *out, uint64_t commit, const struct gw_committed_fact *fact)
{
    char *text;
    int length =
        asprintf(&text, "%" PRIu64 "\t%" PRIu64 "\t%" PRId64 "\t%s\t%s\t%s\t%s", fact->seq, commit,
                 fact->wall_us, fact->kind, fact->topic, fact->thumbnail, fact->data);
    if (length < 0)
        abort();
    fprintf(out, "%08" PRIx32 "\t%s\n", checksum(text, (size_t)length), text);
    free(text);
}

// Cuts the next part off. NULL when there is none.
static char *cut(char **rest)
{
    char *part = *rest, *tab = strchr(part, '\t');
    if (!tab)
        return NULL;
    *tab = 0;
    *rest = tab + 1;
    return part;
}

bool gw_journal_parse_line(char *text, size_t length, struct gw_journal_line *ret)
{
    char *rest = text, *end;
    uint32_t sum;

    text[length] = 0;
    if (strlen(text) != length || length < 10 || text[8] != '\t')
        return false;
    sum = (uint32_t)strtoul(text, &end, 16);
    if (end != text + 8 || sum != checksum(text + 9, length - 9))
        return false;
    cut(&rest);
    const char *seq = cut(&rest), *commit = cut(&rest), *wall = cut(&rest), *kind = cut(&rest),
               *topic = cut(&rest), *thumbnail = cut(&rest);
    if (!seq || !commit || !wall || !kind || !topic || !thumbnail)
        return false;
    const char *slash = strrchr(topic, '/');
    ret->commit = strtoull(commit, NULL, 10);
    ret->fact = (struct gw_committed_fact){.seq = strtoull(seq, NULL, 10),
                                           .wall_us = strtoll(wall, NULL, 10),
                                           .kind = kind,
                                           .topic = topic,
                                           .camera = slash ? slash + 1 : topic,
                                           .data = rest,
                                           .thumbnail = thumbnail};
    return ret->fact.seq > 0;
}

// --- files ---------------------------------------------------------------------------------------

char *gw_journal_file_name(char ret[GW_JOURNAL_NAME_SIZE], uint64_t first)
{
    snprintf(ret, GW_JOURNAL_NAME_SIZE, "%020" PRIu64 ".log", first);
    return ret;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

int gw_journal_list(const char *store, uint64_t **ret)
{
    char path[PATH_MAX], name[GW_JOURNAL_NAME_SIZE];
    uint64_t *firsts = NULL;
    int count = 0;

    *ret = NULL;
    snprintf(path, sizeof(path), "%s/" GW_JOURNAL_FOLDER, store);
    DIR *folder = opendir(path);
    if (!folder)
        return errno == ENOENT ? 0 : -errno;
    for (struct dirent *entry; (entry = readdir(folder));) {
        const uint64_t first = strtoull(entry->d_name, NULL, 10);
        if (!first || strcmp(gw_journal_file_name(name, first), entry->d_name))
            continue;
        firsts = realloc(firsts, ((size_t)count + 1) * sizeof(*firsts));
        if (!firsts)
            abort();
        firsts[count++] = first;
    }
    closedir(folder);
    if (count)
        qsort(firsts, (size_t)count, sizeof(*firsts), by_number);
    *ret = firsts;
    return count;
}

int gw_journal_format_header(char *ret, size_t size, uint64_t epoch)
{
    return snprintf(ret, size, MAGIC "%" PRIu64 "\n", epoch);
}

uint64_t gw_journal_parse_header(const char *text, size_t length, int64_t *ret_length)
{
    const char *newline = memchr(text, '\n', length);
    char *end;

    if (!newline || strncmp(text, MAGIC, strlen(MAGIC)) != 0)
        return 0;
    const uint64_t epoch = strtoull(text + strlen(MAGIC), &end, 10);
    *ret_length = newline - text + 1;
    return end == newline ? epoch : 0;
}

// --- reading -------------------------------------------------------------------------------------

void gw_journal_reader_free(struct gw_journal_reader *reader)
{
    free(reader->buffer);
    reader->buffer = NULL;
    reader->size = reader->begin = reader->end = 0;
}

// Reads on behind what the buffer holds. Returns the number of bytes, 0 at the stop, or -errno.
static ssize_t fill(struct gw_journal_reader *reader)
{
    const size_t held = reader->end - reader->begin;
    const int64_t from = reader->offset + (int64_t)held;
    size_t want = READ_STEP;

    if (held)
        memmove(reader->buffer, reader->buffer + reader->begin, held);
    reader->begin = 0;
    reader->end = held;
    if (held + READ_STEP + 1 > reader->size) { // one more, for a terminating zero
        reader->size = 2 * held + READ_STEP + 1;
        reader->buffer = realloc(reader->buffer, reader->size);
        if (!reader->buffer)
            abort();
    }
    if (from + (int64_t)want > reader->stop)
        want = from < reader->stop ? (size_t)(reader->stop - from) : 0;
    if (!want || held > LINE_LONGEST)
        return 0;
    ssize_t got = pread(reader->fd, reader->buffer + held, want, from);
    if (got < 0)
        return -errno;
    reader->end += (size_t)got;
    return got;
}

// The length of the line that begins so many bytes behind what was given last, read when need be; 0
// when it does not end before the stop, or -errno.
static int64_t find_line(struct gw_journal_reader *reader, size_t behind)
{
    size_t looked = behind;

    for (;;) {
        const size_t held = reader->end - reader->begin;
        const char *text = reader->buffer + reader->begin,
                   *newline = held > looked ? memchr(text + looked, '\n', held - looked) : NULL;
        if (newline)
            return newline - text + 1 - (int64_t)behind;
        looked = held > behind ? held : behind;
        const ssize_t got = fill(reader);
        if (got <= 0)
            return got;
    }
}

int64_t gw_journal_next_line(struct gw_journal_reader *reader, char **ret_text, int64_t *ret_offset)
{
    const int64_t length = find_line(reader, 0);

    if (length <= 0)
        return length;
    *ret_text = reader->buffer + reader->begin;
    *ret_offset = reader->offset;
    reader->begin += (size_t)length;
    reader->offset += length;
    return length;
}

// The numbers that a line begins with, unchecked.
static bool peek_numbers(const char *text, uint64_t *ret_seq, uint64_t *ret_commit)
{
    char *end;

    if (strnlen(text, 10) < 10 || text[8] != '\t')
        return false;
    *ret_seq = strtoull(text + 9, &end, 10);
    if (*end != '\t')
        return false;
    *ret_commit = strtoull(end + 1, &end, 10);
    return *end == '\t';
}

// Looks at the commit that the next line belongs to. Returns how many bytes of it are to be passed
// over because it was tried again behind them, 0 when it stands, or -errno.
static int64_t find_retry(struct gw_journal_reader *reader)
{
    uint64_t seq, commit, last = 0, first_commit = 0;
    int64_t behind = 0, length;

    while ((length = find_line(reader, (size_t)behind)) > 0 &&
           peek_numbers(reader->buffer + reader->begin + behind, &seq, &commit)) {
        if (!behind && commit == reader->standing)
            return 0;
        if (!behind)
            first_commit = commit;
        if (commit != first_commit)
            break;
        if (seq <= last)
            return behind;
        last = seq;
        behind += length;
    }
    reader->standing = first_commit;
    return length < 0 ? length : 0;
}

int64_t gw_journal_next_fact(struct gw_journal_reader *reader, char **ret_text, int64_t *ret_offset)
{
    int64_t retry;

    while ((retry = find_retry(reader)) > 0) {
        reader->begin += (size_t)retry;
        reader->offset += retry;
    }
    return retry < 0 ? retry : gw_journal_next_line(reader, ret_text, ret_offset);
}

int gw_journal_seek(struct gw_journal_reader *reader, int64_t offset, bool inside_line)
{
    char *text;
    int64_t ignored;

    reader->offset = offset;
    reader->begin = reader->end = 0;
    reader->standing = 0;
    const int64_t length = inside_line ? gw_journal_next_line(reader, &text, &ignored) : 0;
    return length < 0 ? (int)length : 0;
}
