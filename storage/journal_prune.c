// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/journal_prune.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/index_internal.h"
#include "storage/journal_rewrite.h"

void gw_prune_begin(struct gw_prune *prune)
{
    *prune = (struct gw_prune){0};
}

// --- which facts stay ----------------------------------------------------------------------------

struct judgement {
    struct gw_index *index;
    int64_t before_us, now_us;
    struct gw_hold *holds;
    int hold_count;
    int error; // of a row that could not be read: then nothing may be dropped
};

static bool is_held(const struct judgement *judgement, const char *camera,
                    const struct gw_place *place, int64_t wall_us)
{
    for (int i = 0; i < judgement->hold_count; i++)
        if (gw_hold_lasts(&judgement->holds[i], judgement->now_us) &&
            gw_hold_covers(&judgement->holds[i], camera, place, wall_us, wall_us))
            return true;
    return false;
}

static bool note_result(struct judgement *judgement, int result)
{
    if (result == GW_ERROR_NOT_FOUND)
        return false;
    if (result < 0)
        judgement->error = result;
    return true;
}

static bool has_event(struct judgement *judgement, const struct gw_id *id)
{
    struct gw_event_row row;
    return note_result(judgement, gw_index_event(judgement->index, id, &row));
}

static bool has_clip(struct judgement *judgement, const struct gw_id *id)
{
    struct gw_clip_row row;
    return note_result(judgement, gw_index_clip(judgement->index, id, &row));
}

static bool has_gap(struct judgement *judgement, const struct gw_id *id)
{
    struct gw_gap_row row;
    return note_result(judgement, gw_index_gap(judgement->index, id, &row));
}

static bool keep_line(void *opaque, const struct gw_journal_line *line)
{
    struct judgement *judgement = opaque;
    struct gw_place place;
    struct gw_fact fact;

    if (judgement->error || gw_fact_from_committed(&line->fact, &fact, &place) < 0)
        return true; // not ours to judge
    switch (fact.kind) {
    case GW_FACT_EVENT_OPENED:
    case GW_FACT_EVENT_UPDATED:
    case GW_FACT_EVENT_CLOSED:
    case GW_FACT_ALERT_RAISED: return has_event(judgement, &fact.event.id);
    case GW_FACT_CLIP_OPENED:
    case GW_FACT_CLIP_CLOSED: return has_clip(judgement, &fact.clip.id);
    case GW_FACT_GAP_OPENED:
    case GW_FACT_GAP_CLOSED: return has_gap(judgement, &fact.gap.id);
    case GW_FACT_EVENT_DELETED:
    case GW_FACT_CLIP_DELETED:
    case GW_FACT_GAP_DELETED:
    case GW_FACT_CAMERA_ONLINE:
    case GW_FACT_CAMERA_OFFLINE:
    case GW_FACT_CAMERA_DEGRADED:
        return line->fact.wall_us >= judgement->before_us ||
               is_held(judgement, line->fact.camera, &place, line->fact.wall_us);
    default: return true;
    }
}

// --- files ---------------------------------------------------------------------------------------

// When the first fact of a file became true. Returns 1, 0 when it has none, or -errno.
static int read_first_us(const char *store, uint64_t file, int64_t *ret_wall_us)
{
    char path[PATH_MAX], name[GW_JOURNAL_NAME_SIZE], head[64], *text;
    struct gw_journal_reader reader = {.stop = INT64_MAX};
    struct gw_journal_line line;
    int64_t offset, length = 0;

    snprintf(path, sizeof(path), "%s/" GW_JOURNAL_FOLDER "/%s", store,
             gw_journal_file_name(name, file));
    reader.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (reader.fd < 0)
        return -errno;
    const ssize_t got = pread(reader.fd, head, sizeof(head), 0);
    int result = got < 0 ? -errno : 0;
    if (!result && gw_journal_parse_header(head, (size_t)got, &length))
        result = gw_journal_seek(&reader, length, false);
    const int64_t size = result ? 0 : gw_journal_next_line(&reader, &text, &offset);
    if (size > 0 && gw_journal_parse_line(text, (size_t)size - 1, &line)) {
        *ret_wall_us = line.fact.wall_us;
        result = 1;
    } else if (size < 0) {
        result = (int)size;
    }
    gw_journal_reader_free(&reader);
    close(reader.fd);
    return result;
}

// The file behind after, and the one behind that; 0: there is none. Returns 0 or -errno.
static int find_files(const char *store, uint64_t after, uint64_t ret[2])
{
    uint64_t *firsts = NULL;
    const int count = gw_journal_list(store, &firsts);
    int found = 0;

    ret[0] = ret[1] = 0;
    for (int i = 0; i < count && found < 2; i++)
        if (firsts[i] > after)
            ret[found++] = firsts[i];
    free(firsts);
    return count < 0 ? count : 0;
}

// Facts are in order, so those of a file are older than the next one's first.
static int find_old_file(struct gw_index *index, struct gw_prune *prune, int64_t before_us,
                         uint64_t *ret)
{
    struct gw_journal_end end;
    uint64_t files[2];
    int64_t wall_us = INT64_MAX;
    int result = gw_index_read_end(index, &end);

    if (!result)
        result = find_files(index->store, prune->after, files);
    if (!result && files[1] && files[0] != end.segment && files[1] <= end.head)
        result = read_first_us(index->store, files[1], &wall_us);
    *ret = wall_us < before_us ? files[0] : 0;
    return result < 0 ? result : 0;
}

static int prune_file(struct gw_index *index, struct gw_prune *prune, uint64_t file,
                      int64_t before_us, int64_t now_us)
{
    struct judgement judgement = {.index = index, .before_us = before_us, .now_us = now_us};
    int64_t size, dropped = 0;

    judgement.hold_count = gw_index_holds(index, &judgement.holds);
    if (judgement.hold_count < 0)
        return judgement.hold_count;
    const int result = gw_journal_rewrite(index->store, index->epoch, file, -1, true, keep_line,
                                          &judgement, &size, &dropped);
    free(judgement.holds);
    prune->dropped += dropped;
    prune->after = file;
    return judgement.error ? judgement.error : result;
}

int gw_prune_next(struct gw_index *index, struct gw_prune *prune, int64_t before_us, int64_t now_us)
{
    uint64_t file;
    const int result = find_old_file(index, prune, before_us, &file);

    if (result < 0)
        return result;
    if (file)
        return prune_file(index, prune, file, before_us, now_us);
    prune->done = true;
    return 0;
}
