// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/export_manifest.h"
#include "app/media_planner.h"
#include "app/process.h"
#include "core/clock.h"
#include "core/error.h"

#define PAGE      1000
#define MOST_ROWS 100000 // clips, gaps or events of one bundle

struct bundle {
    const struct gw_export_request *request;
    struct gw_export_result *result;
    struct gw_media_planner planner;
    struct gw_evidence_writer *writer;
    json_t *manifest;
    char *error;
};

static int fail_index(struct bundle *bundle)
{
    snprintf(bundle->error, GW_EVIDENCE_ERROR, "cannot read the index: %s",
             gw_index_error(bundle->request->index));
    return GW_ERROR_INDEX;
}

static int fail_too_many(struct bundle *bundle, const char *noun)
{
    snprintf(bundle->error, GW_EVIDENCE_ERROR,
             "more than %d %s for one bundle; export shorter times or fewer cameras", MOST_ROWS,
             noun);
    return GW_ERROR_INVALID;
}

static int check_stop(struct bundle *bundle)
{
    if (!gw_process_stop_requested())
        return 0;
    snprintf(bundle->error, GW_EVIDENCE_ERROR, "interrupted; nothing was exported");
    return GW_ERROR_STOPPED;
}

static void append(struct bundle *bundle, const char *list, json_t *item)
{
    json_array_append_new(json_object_get(bundle->manifest, list), item);
}

// clip-gate-07-20260504T030201Z-0190a5c2-….mp4
static void make_name(char ret[256], const char *what, const char *camera, int64_t wall_us,
                      const struct gw_id *id, const char *suffix)
{
    char time_text[32], id_text[GW_ID_TEXT_SIZE];
    time_t seconds = wall_us / GW_SECOND;
    struct tm tm;
    gmtime_r(&seconds, &tm);
    strftime(time_text, sizeof(time_text), "%Y%m%dT%H%M%SZ", &tm);
    snprintf(ret, 256, "%s-%s-%s-%s%s", what, camera, time_text, gw_id_format(id_text, id), suffix);
}

// --- clips ---------------------------------------------------------------------------------------

static ssize_t read_plan(void *opaque, int64_t position, void *bytes, size_t size)
{
    if (gw_process_stop_requested())
        return GW_ERROR_STOPPED;
    return gw_media_read(opaque, position, bytes, size);
}

static int add_clip(struct bundle *bundle, const struct gw_clip_row *row,
                    struct gw_media_plan *plan)
{
    struct gw_media_reader *reader;
    char name[256];
    make_name(name, "clip", row->clip.camera, plan->from_us, &row->clip.id, ".mp4");
    if (gw_media_reader_create(&reader, plan) < 0)
        abort();
    int result = gw_evidence_add(bundle->writer, name, read_plan, reader, bundle->error);
    gw_media_reader_destroy(&reader);
    if (result < 0)
        return result;
    append(bundle, "clips", gw_manifest_clip(row, plan, name));
    bundle->result->clips++;
    bundle->result->media_us += plan->to_us - plan->from_us;
    return 0;
}

static void note_missing(struct bundle *bundle, const struct gw_clip_row *row, const char *why)
{
    append(bundle, "missing", gw_manifest_missing(row, why));
    bundle->result->missing++;
}

static int export_clip(struct bundle *bundle, const struct gw_clip_row *row)
{
    const struct gw_join_request request = {bundle->request->query.from_us,
                                            bundle->request->query.to_us, &row->clip, 1};
    struct gw_media_plan *plan;
    enum gw_join_problem problem;
    int64_t problem_us;
    char id[GW_ID_TEXT_SIZE];
    if (row->clip.state == GW_CLIP_LOST) {
        note_missing(bundle, row, "lost: its worker ended before any of it was on the disk");
        return 0;
    }
    int result = gw_media_planner_plan(&bundle->planner, &request, &plan, &problem, &problem_us);
    if (!result && problem == GW_JOIN_TOO_LARGE)
        result = GW_ERROR_INVALID;
    if (result < 0) {
        snprintf(bundle->error, GW_EVIDENCE_ERROR, "cannot read clip %s of %s: %s",
                 gw_id_format(id, &row->clip.id), row->clip.camera, gw_strerror(result));
        return check_stop(bundle) < 0 ? GW_ERROR_STOPPED : result;
    }
    if (problem == GW_JOIN_UNREADABLE)
        note_missing(bundle, row, "its file is missing or damaged");
    if (!plan) // or no fragment of it lies in the range
        return 0;
    result = add_clip(bundle, row, plan);
    gw_media_plan_unref(&plan);
    return result;
}

static int compare_clips(const void *a, const void *b)
{
    const struct gw_clip *x = &((const struct gw_clip_row *)a)->clip,
                         *y = &((const struct gw_clip_row *)b)->clip;
    const int order = strcmp(x->camera, y->camera);
    if (order)
        return order;
    if (x->start_us != y->start_us)
        return x->start_us < y->start_us ? -1 : 1;
    return memcmp(x->id.bytes, y->id.bytes, sizeof(x->id.bytes));
}

// All of them first: what is exported is what there is now, in the order of cameras and times.
static int list_clips(struct bundle *bundle, struct gw_clip_row **ret, int *ret_count)
{
    struct gw_query query = bundle->request->query;
    struct gw_clip_row *rows = NULL;
    int count = 0, got;
    query.limit = PAGE;
    do {
        rows = realloc(rows, (size_t)(count + PAGE) * sizeof(*rows));
        if (!rows)
            abort();
        got = gw_index_clips(bundle->request->index, &query, rows + count, query.cursor);
        count += got > 0 ? got : 0;
    } while (got > 0 && *query.cursor && count <= MOST_ROWS);
    if (got < 0 || count > MOST_ROWS) {
        free(rows);
        return got < 0 ? fail_index(bundle) : fail_too_many(bundle, "clips");
    }
    qsort(rows, (size_t)count, sizeof(*rows), compare_clips);
    *ret = rows;
    *ret_count = count;
    return 0;
}

static int export_clips(struct bundle *bundle)
{
    struct gw_clip_row *rows;
    int count, result = list_clips(bundle, &rows, &count);
    if (result < 0)
        return result;
    for (int i = 0; !result && i < count; i++) {
        result = check_stop(bundle);
        if (!result)
            result = export_clip(bundle, &rows[i]);
    }
    free(rows);
    if (!result && !bundle->result->clips) {
        snprintf(bundle->error, GW_EVIDENCE_ERROR,
                 bundle->result->missing
                     ? "of the %d clips there nothing can be read; gridwatch clips lists them"
                     : "nothing was recorded there then; gridwatch clips lists what was",
                 bundle->result->missing);
        result = GW_ERROR_NOT_FOUND;
    }
    return result;
}

// --- what belongs to them ------------------------------------------------------------------------

static int export_gaps(struct bundle *bundle)
{
    struct gw_query query = bundle->request->query;
    struct gw_gap_row *rows = calloc(PAGE, sizeof(*rows));
    int got;
    if (!rows)
        abort();
    query.limit = PAGE;
    do {
        got = gw_index_gaps(bundle->request->index, &query, rows, query.cursor);
        for (int i = 0; i < got; i++)
            append(bundle, "gaps", gw_manifest_gap(&rows[i]));
        bundle->result->gaps += got > 0 ? got : 0;
    } while (got > 0 && *query.cursor && bundle->result->gaps <= MOST_ROWS);
    free(rows);
    if (got < 0)
        return fail_index(bundle);
    return bundle->result->gaps > MOST_ROWS ? fail_too_many(bundle, "gaps") : 0;
}

static ssize_t read_file(void *opaque, int64_t position, void *bytes, size_t size)
{
    ssize_t got = pread(*(int *)opaque, bytes, size, position);
    return got < 0 ? -errno : got;
}

// An event without its picture, or whose picture is gone, has none here.
static int export_snapshot(struct bundle *bundle, const struct gw_event_row *row)
{
    char path[GW_MEDIA_PATH_SIZE], full[PATH_MAX + GW_MEDIA_PATH_SIZE], name[256];
    struct stat status;
    if (row->event.snapshot_us == GW_NO_TIME)
        return 0;
    snprintf(full, sizeof(full), "%s/%s", bundle->request->site->store,
             gw_event_snapshot_path(path, &row->event));
    int fd = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return 0;
    make_name(name, "snapshot", row->event.camera, row->event.start_us, &row->event.id, ".jpg");
    int result = 0;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        result = gw_evidence_add(bundle->writer, name, read_file, &fd, bundle->error);
        if (!result)
            append(bundle, "snapshots", gw_manifest_snapshot(row, name));
        bundle->result->snapshots += !result;
    }
    close(fd);
    return result;
}

static int export_snapshots(struct bundle *bundle)
{
    struct gw_query query = bundle->request->query;
    struct gw_event_row *rows = calloc(PAGE, sizeof(*rows));
    int got, result = 0;
    if (!rows)
        abort();
    query.limit = PAGE;
    do {
        got = gw_index_events(bundle->request->index, &query, rows, query.cursor);
        for (int i = 0; !result && i < got; i++) {
            result = check_stop(bundle);
            if (!result)
                result = export_snapshot(bundle, &rows[i]);
        }
        if (!result && bundle->result->snapshots > MOST_ROWS)
            result = fail_too_many(bundle, "snapshots");
    } while (!result && got > 0 && *query.cursor);
    free(rows);
    return got < 0 ? fail_index(bundle) : result;
}

static int explain(struct bundle *bundle)
{
    char pem[GW_EVIDENCE_PEM_SIZE];
    int result = gw_evidence_add_text(
        bundle->writer, "public-key.pem",
        gw_evidence_key_to_pem(pem, bundle->request->key->public_half), bundle->error);
    return result ? result
                  : gw_evidence_add_text(bundle->writer, "README.txt", gw_evidence_readme,
                                         bundle->error);
}

static int fill(struct bundle *bundle)
{
    int result = export_clips(bundle);
    if (!result)
        result = export_gaps(bundle);
    if (!result && bundle->request->snapshots)
        result = export_snapshots(bundle);
    if (!result)
        result = explain(bundle);
    if (result < 0)
        return result;
    bundle->result->files = gw_evidence_count(bundle->writer, &bundle->result->bytes) + 2;
    return gw_evidence_finish(&bundle->writer, bundle->manifest, bundle->request->key,
                              bundle->result->manifest_hash, bundle->error);
}

int gw_export(struct gw_export_result *ret, const struct gw_export_request *request,
              const char *folder, char error[GW_EVIDENCE_ERROR])
{
    struct bundle bundle = {.request = request,
                            .result = ret,
                            .planner = {request->site->store, request->log},
                            .error = error};
    int result = gw_evidence_begin(&bundle.writer, folder, error);
    if (result < 0)
        return result;
    bundle.manifest = gw_manifest_create(request, ret->id);
    if (!bundle.manifest)
        abort();
    result = fill(&bundle);
    gw_evidence_abandon(&bundle.writer);
    json_decref(bundle.manifest);
    return result;
}
