// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The store after a fault, against the ledger outside of it.

#include <dirent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavformat/avformat.h>

#include "core/clock.h"
#include "core/error.h"
#include "tests/faults/scenario.h"

enum { MOST = 200 };

struct check {
    const char *store, *what;
    const struct scenario_ledger *ledger;
    struct scenario_allowance may;
    struct gw_index *index;
    struct gw_clip_row clips[MOST];
    struct gw_event_row events[MOST];
    struct gw_gap_row gaps[MOST];
    int clip_count, event_count, gap_count;
    int *clip_of; // picture -> clip, -1 for none
    int complaints;
};

__attribute__((format(printf, 2, 3))) static void complain(struct check *check, const char *format,
                                                           ...)
{
    va_list rest;
    va_start(rest, format);
    fprintf(stderr, "%s: ", check->what);
    vfprintf(stderr, format, rest);
    fputc('\n', stderr);
    va_end(rest);
    check->complaints++;
}

static const char *id_text(const struct gw_id *id)
{
    static char text[GW_ID_TEXT_SIZE];
    return gw_id_format(text, id);
}

// --- what was acknowledged -----------------------------------------------------------------------

static const struct gw_clip *find_clip(const struct check *check, const struct gw_id *id)
{
    for (int i = 0; i < check->clip_count; i++)
        if (gw_id_equal(&check->clips[i].clip.id, id))
            return &check->clips[i].clip;
    return NULL;
}

static const struct gw_event *find_event(const struct check *check, const struct gw_id *id)
{
    for (int i = 0; i < check->event_count; i++)
        if (gw_id_equal(&check->events[i].event.id, id))
            return &check->events[i].event;
    return NULL;
}

static void check_clip_fact(struct check *check, const struct gw_fact *fact)
{
    const struct gw_clip *told = &fact->clip, *row = find_clip(check, &told->id);
    if (!row)
        complain(check, "clip %s was acknowledged and is not there", id_text(&told->id));
    else if (row->start_us != told->start_us)
        complain(check, "clip %s begins at another time", id_text(&told->id));
    else if (row->state == GW_CLIP_RECORDING)
        complain(check, "clip %s was not repaired", id_text(&told->id));
    else if (fact->kind == GW_FACT_CLIP_CLOSED &&
             (row->state != told->state || row->frames != told->frames ||
              row->size_bytes != told->size_bytes || row->end_us != told->end_us))
        complain(check, "clip %s is not what was acknowledged", id_text(&told->id));
}

static void check_event_fact(struct check *check, const struct gw_fact *fact)
{
    const struct gw_event *told = &fact->event, *row = find_event(check, &told->id);
    if (!row)
        complain(check, "event %s was acknowledged and is not there", id_text(&told->id));
    else if (row->start_us != told->start_us || row->end_us < told->end_us)
        complain(check, "event %s is not what was acknowledged", id_text(&told->id));
    else if (fact->kind == GW_FACT_EVENT_CLOSED && row->interrupted)
        complain(check, "event %s was closed in order and is called interrupted",
                 id_text(&told->id));
    else if (told->snapshot_us != GW_NO_TIME && row->snapshot_us < told->snapshot_us)
        complain(check, "event %s has lost its snapshot", id_text(&told->id));
}

struct outbox {
    struct check *check;
    uint64_t seq;
    int found[SCENARIO_FACTS]; // per acknowledged fact
};

// What an acknowledged fact is about, as the outbox has it.
static bool is_about(const struct gw_fact *fact, const struct gw_committed_fact *committed)
{
    const struct gw_id *id = fact->kind == GW_FACT_CLIP_OPENED || fact->kind == GW_FACT_CLIP_CLOSED
                                 ? &fact->clip.id
                                 : &fact->event.id;
    return !strcmp(committed->kind, gw_fact_kind_name(fact->kind)) &&
           committed->wall_us == fact->wall_us && strstr(committed->data, id_text(id));
}

static int look_into_outbox(void *opaque, const struct gw_committed_fact *committed)
{
    struct outbox *outbox = opaque;
    const struct scenario_ledger *ledger = outbox->check->ledger;
    if (committed->seq != outbox->seq + 1)
        complain(outbox->check, "fact %llu follows %llu", (unsigned long long)committed->seq,
                 (unsigned long long)outbox->seq);
    outbox->seq = committed->seq;
    for (int i = 0; i < ledger->acked; i++)
        if (ledger->facts[i].kind != GW_FACT_COVERAGE && is_about(&ledger->facts[i], committed))
            outbox->found[i]++;
    return 0;
}

static void check_acknowledged(struct check *check)
{
    static struct outbox outbox;
    outbox = (struct outbox){.check = check};
    if (gw_index_facts(check->index, 0, INT_MAX, look_into_outbox, &outbox) < 0)
        complain(check, "the facts cannot be read: %s", gw_index_error(check->index));
    for (int i = 0; i < check->ledger->acked; i++) {
        const struct gw_fact *fact = &check->ledger->facts[i];
        const bool clip = fact->kind == GW_FACT_CLIP_OPENED || fact->kind == GW_FACT_CLIP_CLOSED;
        if (fact->kind == GW_FACT_COVERAGE)
            continue;
        if (outbox.found[i] != 1)
            complain(check, "fact %d (%s) is there %d times", i, gw_fact_kind_name(fact->kind),
                     outbox.found[i]);
        clip ? check_clip_fact(check, fact) : check_event_fact(check, fact);
    }
}

// --- the index against the files -----------------------------------------------------------------

// The pictures of a clip's file, entered in clip_of. Returns how many, -1 when it cannot be played.
static int read_pictures(struct check *check, int clip, const char *full)
{
    AVFormatContext *input = NULL;
    AVPacket *packet = av_packet_alloc();
    char url[PATH_MAX + 8];
    int count = 0, before = -1;
    snprintf(url, sizeof(url), "file:%s", full);
    if (avformat_open_input(&input, url, av_find_input_format("mov"), NULL) < 0) {
        av_packet_free(&packet);
        return -1;
    }
    while (av_read_frame(input, packet) >= 0) {
        const int number = scenario_read_number(packet->data, packet->size);
        const int64_t wall_us = check->clips[clip].clip.start_us + packet->pts * 100 / 9;
        if (number < 0 || number >= check->ledger->pictures || (count && number != before + 1))
            complain(check, "%s: picture %d follows %d", full, number, before);
        else if (llabs(wall_us - scenario_time_us(number)) > 1000)
            complain(check, "%s: picture %d is at another time", full, number);
        else if (check->clip_of[number] >= 0 &&
                 !check->ledger->events_only) // each has its pre-roll
            complain(check, "%s: picture %d is in another clip, too", full, number);
        else
            check->clip_of[number] = clip;
        before = number;
        count++;
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    avformat_close_input(&input);
    return count;
}

static void check_clip_file(struct check *check, int i)
{
    const struct gw_clip *clip = &check->clips[i].clip;
    char path[GW_MEDIA_PATH_SIZE], full[PATH_MAX];
    struct stat status;
    snprintf(full, sizeof(full), "%s/%s", check->store, gw_clip_path(path, clip));
    const bool there = stat(full, &status) == 0;
    if (clip->state == GW_CLIP_LOST) {
        if (there && !check->may.kept)
            complain(check, "%s is called lost and is there", path);
        return;
    }
    if (!there) {
        complain(check, "%s is not there", path);
        return;
    }
    if (check->may.kept ? status.st_size < clip->size_bytes : status.st_size != clip->size_bytes)
        complain(check, "%s has %lld bytes instead of %lld", path, (long long)status.st_size,
                 (long long)clip->size_bytes);
    const int frames = read_pictures(check, i, full);
    if (frames != clip->frames)
        complain(check, "%s has %d pictures instead of %lld", path, frames,
                 (long long)clip->frames);
}

static void check_picture_file(struct check *check, const char *path, const struct gw_event *event,
                               bool thumbnail)
{
    static uint8_t bytes[2][SCENARIO_SNAPSHOT_SIZE + 1];
    const int picture =
        (int)((event->start_us - SCENARIO_START_US) / SCENARIO_PICTURE_US) - SCENARIO_ASKS_FROM;
    const size_t size = thumbnail ? SCENARIO_THUMBNAIL_SIZE : SCENARIO_SNAPSHOT_SIZE;
    char full[PATH_MAX];
    snprintf(full, sizeof(full), "%s/%s", check->store, path);
    FILE *file = fopen(full, "rb");
    if (!file) {
        complain(check, "%s is promised and is not there", path);
        return;
    }
    const size_t got = fread(bytes[0], 1, sizeof(bytes[0]), file);
    fclose(file);
    for (int version = 0; version < 2; version++) {
        for (size_t n = 0; n < size; n++)
            bytes[1][n] = scenario_snapshot_byte(picture, version, thumbnail, (int)n);
        if (got == size && !memcmp(bytes[0], bytes[1], size))
            return;
    }
    complain(check, "%s is not whole", path);
}

static void check_snapshots(struct check *check, const struct gw_event *event)
{
    char path[GW_MEDIA_PATH_SIZE];
    if (event->snapshot_us == GW_NO_TIME)
        return;
    check_picture_file(check, gw_event_snapshot_path(path, event), event, false);
    check_picture_file(check, gw_event_thumbnail_path(path, event), event, true);
}

// --- the files against the index -----------------------------------------------------------------

// "<HHMMSS>-<id>.<kind>"
static void check_file(struct check *check, const char *folder, const char *name)
{
    char text[GW_ID_TEXT_SIZE];
    struct gw_id id;
    const bool part = strstr(name, ".part"), clip = strstr(name, ".mp4");
    if (strlen(name) > 7 + sizeof(text) - 1) {
        snprintf(text, sizeof(text), "%s", name + 7);
        if (!part && !gw_id_parse(text, &id) &&
            (clip ? !!find_clip(check, &id) : !!find_event(check, &id)))
            return;
    }
    if (!check->may.strays && !(part && check->may.kept))
        complain(check, "%s/%s is a file that the index does not know", folder, name);
}

static void walk(struct check *check, const char *folder, int depth)
{
    DIR *entries = opendir(folder);
    struct dirent *entry;
    while (entries && (entry = readdir(entries))) {
        char path[PATH_MAX];
        if (*entry->d_name == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (depth)
            walk(check, path, depth - 1);
        else
            check_file(check, folder, entry->d_name);
    }
    if (entries)
        closedir(entries);
}

// --- pictures: in one clip, or said to be missing ------------------------------------------------

static const struct gw_gap *find_gap(const struct check *check, int64_t wall_us)
{
    for (int i = 0; i < check->gap_count; i++) {
        const struct gw_gap *gap = &check->gaps[i].gap;
        if (gap->from_us <= wall_us && (gap->open || wall_us < gap->to_us))
            return gap;
    }
    return NULL;
}

// Whether the index must know where this picture is: always, or when an event asks for it. Events
// of which nobody was told ask for nothing.
static bool is_asked_for(const struct check *check, int picture)
{
    const int since = picture % SCENARIO_EVENT_EVERY;
    if (!check->ledger->events_only)
        return true;
    for (int i = 0; i < check->event_count; i++)
        if (check->events[i].event.start_us ==
            scenario_time_us(picture - since + SCENARIO_ASKS_FROM))
            return since >= SCENARIO_ASKS_FROM && since < SCENARIO_ASKS_TO;
    return false;
}

static void check_pictures(struct check *check)
{
    int silent = 0, false_gaps = 0, late = 0, gone = 0;
    for (int i = 0; i < check->ledger->sent; i++) {
        const bool there = check->clip_of[i] >= 0;
        if (!is_asked_for(check, i))
            continue;
        // In the middle of the picture: borders are rounded to ticks.
        const bool missing = find_gap(check, scenario_time_us(i) + SCENARIO_PICTURE_US / 2);
        gone += !there;
        silent += !there && !missing;
        false_gaps += there && missing;
        late += !there && check->ledger->healed && i >= check->ledger->healed + 3 * SCENARIO_GOP;
    }
    if (silent)
        complain(check, "%d pictures are neither in a clip nor in a gap", silent);
    if (false_gaps)
        complain(check, "%d pictures are in a clip and in a gap", false_gaps);
    if (gone > check->may.missing)
        complain(check, "%d pictures are missing, and there may be %d", gone, check->may.missing);
    if (late)
        complain(check, "%d pictures were not recorded although the disk was well again", late);
}

// --- all of it -----------------------------------------------------------------------------------

static void read_rows(struct check *check)
{
    struct gw_query query;
    char cursor[64];
    gw_query_init(&query);
    query.limit = MOST;
    check->clip_count = gw_index_clips(check->index, &query, check->clips, cursor);
    check->event_count = gw_index_events(check->index, &query, check->events, cursor);
    check->gap_count = gw_index_gaps(check->index, &query, check->gaps, cursor);
    if (check->clip_count < 0 || check->event_count < 0 || check->gap_count < 0)
        complain(check, "the index cannot be read: %s", gw_index_error(check->index));
}

static void compare(struct check *check)
{
    char media[PATH_MAX];
    read_rows(check);
    check_acknowledged(check);
    for (int i = 0; i < check->clip_count; i++)
        check_clip_file(check, i);
    for (int i = 0; i < check->event_count; i++)
        check_snapshots(check, &check->events[i].event);
    snprintf(media, sizeof(media), "%s/media", check->store);
    walk(check, media, 2);
    if (check->ledger->started)
        check_pictures(check);
}

int scenario_check(const char *store, const struct scenario_ledger *ledger, const char *what,
                   struct scenario_allowance may)
{
    static struct check it; // large, and needed again and again
    struct check *check = &it;
    char error[GW_INDEX_ERROR_SIZE];
    memset(&it, 0, sizeof(it));
    it.store = store;
    it.what = what;
    it.ledger = ledger;
    it.may = may;
    check->clip_of = malloc((size_t)ledger->pictures * sizeof(int));
    if (!check->clip_of)
        abort();
    for (int i = 0; i < ledger->pictures; i++)
        check->clip_of[i] = -1;
    const int recovered =
        scenario_recover(store, scenario_time_us(ledger->pictures) + 10 * GW_SECOND);
    if (recovered < 0)
        complain(check, "it cannot be repaired: %s", gw_strerror(recovered));
    if (gw_index_open(&check->index, store, GW_INDEX_CHANGE, "640323", error) < 0)
        complain(check, "%s", error);
    else
        compare(check);
    gw_index_close(&check->index);
    const int complaints = check->complaints;
    free(check->clip_of);
    return complaints;
}
