// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Any recorded range of a camera as one file, and what time is where in it.

#include "console/routes/routes.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "console/joined.h"
#include "console/routes/list.h"
#include "console/routes/look.h"
#include "console/server.h"
#include "core/error.h"

#define LONGEST_US (24 * 3600 * GW_SECOND)
#define LATEST_US  (INT64_C(253402300800) * GW_SECOND) // the year 10000
#define WAIT_US    (60 * GW_SECOND)                    // for others' plans
#define PAGE       1000

// The clips of the range, oldest first.
struct range_clips {
    struct gw_clip *clips;
    int count;
    bool too_many;
};

// --- what is asked for ---------------------------------------------------------------------------

static bool takes(const void *opaque, const char *name)
{
    return !strcmp(name, "camera") || !strcmp(name, "from") || !strcmp(name, "to");
}

static const char *get_argument(void *opaque, const char *name)
{
    return takes(NULL, name) ? gw_request_argument(opaque, name) : NULL;
}

static int read_query(struct gw_request *request, struct gw_query *query,
                      char error[GW_ARGUMENT_ERROR_SIZE])
{
    if (!gw_request_arguments_fit(request, takes, NULL, error) ||
        gw_arguments_parse(query, GW_ARGUMENTS_CLIPS, get_argument, request, error) < 0)
        return GW_ERROR_INVALID;
    const char *missing = !*query->camera                ? "camera"
                          : query->from_us == GW_NO_TIME ? "from"
                          : query->to_us == GW_NO_TIME   ? "to"
                                                         : NULL;
    if (missing)
        snprintf(error, GW_ARGUMENT_ERROR_SIZE, "%s: is needed; camera, from and to are", missing);
    else if (query->from_us < 0 || query->to_us > LATEST_US)
        snprintf(error, GW_ARGUMENT_ERROR_SIZE, "from: must be between 1970 and 9999, as to");
    else if (query->to_us - query->from_us > LONGEST_US)
        snprintf(error, GW_ARGUMENT_ERROR_SIZE, "to: must be at most 24 hours after from");
    else
        return 0;
    return GW_ERROR_INVALID;
}

// --- the clips -----------------------------------------------------------------------------------

static bool add_page(struct range_clips *found, const struct gw_clip_row *rows, int count)
{
    for (int i = 0; i < count; i++) {
        if (rows[i].clip.state == GW_CLIP_LOST)
            continue;
        if (found->count == GW_JOIN_CLIPS)
            return false;
        found->clips[found->count++] = rows[i].clip;
    }
    return true;
}

static void turn_around(struct range_clips *found)
{
    for (int i = 0, j = found->count - 1; i < j; i++, j--) {
        const struct gw_clip clip = found->clips[i];
        found->clips[i] = found->clips[j];
        found->clips[j] = clip;
    }
}

// Returns 0 or the index's error. The caller frees ret->clips.
static int list_clips(struct gw_request *request, struct gw_query *query, struct range_clips *ret)
{
    struct gw_clip_row *rows = calloc(PAGE, sizeof(*rows));
    int count;
    *ret = (struct range_clips){.clips = calloc(GW_JOIN_CLIPS, sizeof(*ret->clips))};
    if (!rows || !ret->clips)
        abort();
    query->limit = PAGE;
    do {
        count = gw_index_clips(request->index, query, rows, query->cursor);
        ret->too_many = count > 0 && !add_page(ret, rows, count);
    } while (count > 0 && !ret->too_many && *query->cursor);
    free(rows);
    turn_around(ret);
    return count < 0 ? count : 0;
}

// Changes when a clip comes, goes, or is written on.
static void describe_state(const struct gw_request *request, const struct range_clips *found,
                           uint8_t state[GW_PLAN_STATE_SIZE])
{
    crypto_generichash_state hash;
    crypto_generichash_init(&hash, NULL, 0, GW_PLAN_STATE_SIZE);
    for (int i = 0; i < found->count; i++) {
        const struct gw_clip *clip = &found->clips[i];
        char path[GW_MEDIA_PATH_SIZE], full[PATH_MAX];
        struct stat status;
        int64_t numbers[] = {clip->state, clip->size_bytes};
        snprintf(full, sizeof(full), "%s/%s", request->console->store, gw_clip_path(path, clip));
        if (clip->state == GW_CLIP_RECORDING && stat(full, &status) == 0)
            numbers[1] = status.st_size;
        crypto_generichash_update(&hash, clip->id.bytes, sizeof(clip->id.bytes));
        crypto_generichash_update(&hash, (const uint8_t *)numbers, sizeof(numbers));
    }
    crypto_generichash_final(&hash, state, GW_PLAN_STATE_SIZE);
}

// --- the plan ------------------------------------------------------------------------------------

static enum MHD_Result refuse_problem(struct gw_request *request, enum gw_join_problem problem,
                                      int64_t problem_us)
{
    char time_text[GW_RFC3339_SIZE];
    switch (problem) {
    case GW_JOIN_CODEC:
        return gw_reply_problem(
            request, 409,
            "the camera changed its codec at %s, and one file cannot hold both; "
            "ask for a range that ends there, and for one that begins there",
            gw_format_rfc3339(time_text, problem_us));
    case GW_JOIN_TOO_LARGE:
        return gw_reply_problem(request, 400,
                                "to: this is too much for one file; "
                                "ask for a shorter range");
    case GW_JOIN_UNREADABLE:
        return gw_reply_problem(request, 404,
                                "the index knows clips of this time, but their files "
                                "are missing or damaged");
    case GW_JOIN_EMPTY:
    case GW_JOIN_FINE:
    case GW_JOIN_PROBLEMS: break;
    }
    return gw_reply_problem(request, 404, "nothing of this camera was recorded in this time");
}

static enum MHD_Result refuse_failure(struct gw_request *request, const char *camera, int error)
{
    gw_log_error(request->console->log, "cannot join clips of %s: %s", camera, gw_strerror(error));
    return gw_reply_problem(request, 503, "%s",
                            error == GW_ERROR_STALLED
                                ? "the clips cannot be read fast enough; ask for a shorter range"
                                : "the clips cannot be joined; the site's log says why");
}

// Makes the plan. Returns NULL with an answer that says why not in *ret_refusal.
static struct gw_media_plan *make_plan(struct gw_request *request, const struct gw_plan_key *key,
                                       const struct range_clips *found,
                                       enum MHD_Result *ret_refusal)
{
    const struct gw_console_config *config = &request->console->config;
    const struct gw_join_request join = {key->from_us, key->to_us, found->clips, found->count};
    struct gw_media_plan *plan = NULL;
    enum gw_join_problem problem = GW_JOIN_EMPTY;
    int64_t problem_us = 0;
    int error = 0;
    if (found->too_many)
        problem = GW_JOIN_TOO_LARGE;
    else if (found->count)
        error = config->plan_media
                    ? config->plan_media(config->planner, &join, &plan, &problem, &problem_us)
                    : GW_ERROR_FORBIDDEN;
    if (error < 0) {
        atomic_fetch_add(&request->console->plans_failed, 1);
        *ret_refusal = refuse_failure(request, key->camera, error);
        return NULL;
    }
    if (plan)
        atomic_fetch_add(&request->console->plans_made, 1);
    else
        *ret_refusal = refuse_problem(request, problem, problem_us);
    return plan;
}

// The same, one at a time for a session; others of it may have made it meanwhile.
static struct gw_media_plan *make_in_turn(struct gw_request *request, const struct gw_plan_key *key,
                                          const struct range_clips *found,
                                          enum MHD_Result *ret_refusal)
{
    struct gw_plan_cache *cache = &request->console->plans;
    struct gw_media_plan *plan = gw_plan_cache_find(cache, key, false);
    if (plan)
        return plan;
    if (!gw_plan_cache_enter(cache, key->session, WAIT_US)) {
        *ret_refusal = gw_reply_problem(request, 503,
                                        "too many ranges are being joined just now; "
                                        "try again in a moment");
        return NULL;
    }
    plan = gw_plan_cache_find(cache, key, false);
    if (!plan && (plan = make_plan(request, key, found, ret_refusal)))
        gw_plan_cache_put(cache, key, plan);
    gw_plan_cache_leave(cache, key->session);
    return plan;
}

// A further part of what this session plays: the plan stays what it was when it began.
static bool goes_on(const struct gw_request *request)
{
    const char *range = gw_request_header(request, "Range");
    return range && strncmp(range, "bytes=0-", 8) != 0;
}

// The plan of what the request asks for, else NULL with an answer in *ret_refusal.
static struct gw_media_plan *find_plan(struct gw_request *request, struct gw_query *query,
                                       enum MHD_Result *ret_refusal)
{
    char error[GW_ARGUMENT_ERROR_SIZE];
    struct gw_plan_key key = {0};
    struct range_clips found;
    if (read_query(request, query, error) < 0) {
        *ret_refusal = gw_reply_problem(request, 400, "%s", error);
        return NULL;
    }
    memcpy(key.session, request->session.id, sizeof(key.session));
    memcpy(key.camera, query->camera, sizeof(key.camera));
    key.from_us = query->from_us;
    key.to_us = query->to_us;
    struct gw_media_plan *plan =
        goes_on(request) ? gw_plan_cache_find(&request->console->plans, &key, true) : NULL;
    if (plan)
        return plan;
    int result = list_clips(request, query, &found);
    if (result < 0) {
        *ret_refusal = gw_reply_index_error(request, result, "clip");
    } else {
        describe_state(request, &found, key.state);
        plan = make_in_turn(request, &key, &found, ret_refusal);
    }
    free(found.clips);
    return plan;
}

// --- answers -------------------------------------------------------------------------------------

enum MHD_Result gw_route_joined_media(struct gw_request *request)
{
    struct gw_query query;
    enum MHD_Result result;
    struct gw_media_plan *plan = find_plan(request, &query, &result);
    if (!plan)
        return result;
    snprintf(request->target, sizeof(request->target), "%" PRId64 "-%" PRId64, query.from_us,
             query.to_us);
    if (gw_look_audit(request, "range.media", query.camera,
                      gw_request_header(request, "Range") != NULL))
        result = gw_reply_joined(request, plan);
    else
        result = gw_look_refuse(request, NULL);
    gw_media_plan_unref(&plan);
    return result;
}

static json_t *piece_to_json(const struct gw_media_plan *plan, const struct gw_media_piece *piece)
{
    char id[GW_ID_TEXT_SIZE], from[GW_RFC3339_SIZE], to[GW_RFC3339_SIZE];
    return json_pack("{s:s, s:s, s:I, s:s, s:I, s:I, s:I}", "clip",
                     gw_id_format(id, &plan->clips[piece->clip].id), "from",
                     gw_format_rfc3339(from, piece->from_us), "from_us", (json_int_t)piece->from_us,
                     "to", gw_format_rfc3339(to, piece->to_us), "to_us", (json_int_t)piece->to_us,
                     "at_us", (json_int_t)piece->at_us, "frames", (json_int_t)piece->frames);
}

enum MHD_Result gw_route_joined_timeline(struct gw_request *request)
{
    struct gw_query query;
    enum MHD_Result result;
    struct gw_media_plan *plan = find_plan(request, &query, &result);
    if (!plan)
        return result;
    json_t *items = json_array();
    for (int64_t i = 0; i < plan->piece_count; i++)
        json_array_append_new(items, piece_to_json(plan, &plan->pieces[i]));
    json_t *json =
        json_pack("{s:o, s:I, s:I, s:I}", "items", items, "size_bytes", (json_int_t)plan->size,
                  "frames", (json_int_t)plan->frames, "unreadable", (json_int_t)plan->unreadable);
    gw_media_plan_unref(&plan);
    return gw_reply_json(request, 200, json);
}
