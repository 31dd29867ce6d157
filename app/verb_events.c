// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch events, gridwatch clips and gridwatch gaps: the index by place and time, for people and
// for programs.

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cli.h"
#include "app/verbs.h"
#include "console/arguments.h"
#include "console/routes/json.h"
#include "core/clock.h"
#include "core/error.h"
#include "storage/index.h"

#define FILTERS                                                                                    \
    "  --from T, --to T      what overlaps this time: like 2026-05-04T03:02:01Z, or "              \
    "microseconds\n"                                                                               \
    "  --camera ID           of this camera\n"                                                     \
    "  --division D          this division and all below it; a grid cell may follow\n"             \
    "  --grid N              a grid cell of that division\n"                                       \
    "  --near LON,LAT,M      within M metres of a point\n"                                         \
    "  --polygon 'LON,LAT;LON,LAT;…'\n"                                                          \
    "                        inside it; 3 to 64 points\n"                                          \
    "  --box W,S,E,N         inside it; W > E crosses the date line\n"                             \
    "  --covers LON,LAT      of cameras that could see this point\n"                               \
    "  --crs SYSTEM          of these positions: WGS-84 (default), CGCS2000 or GCJ-02\n"
#define OUTPUT                                                                                     \
    "  --limit N             at most so many, 1 to 1000 (100)\n"                                   \
    "  --json                one JSON object per line\n"                                           \
    "  --store DIR, -c FILE  another store, another configuration file\n"

static const char events_help[] =
    "usage: gridwatch events [OPTION]…\n"
    "\n"
    "Lists events, newest first. Times are UTC.\n"
    "\n" FILTERS "  --kind K              " GW_EVENT_KIND_NAMES "\n"
    "  --state S             open or closed\n"
    "  --min-score X         with this score or more, 0 to 1\n" OUTPUT;

static const char clips_help[] =
    "usage: gridwatch clips [OPTION]…\n"
    "\n"
    "Lists clips, newest first. Times are UTC. With --json, \"path\" is the file.\n"
    "\n" FILTERS "  --state S             recording, closed, repaired or lost\n" OUTPUT;

static const char gaps_help[] =
    "usage: gridwatch gaps [OPTION]…\n"
    "\n"
    "Lists when cameras should have been recorded and were not, newest first. Times are UTC.\n"
    "\n" FILTERS "  --state S             open or closed\n" OUTPUT;

// The filters are those of the HTTP API, by the same names, but for '-' where that has '_'.
static const char *const filters[] = {"from", "to",      "camera", "division", "grid",
                                      "near", "polygon", "box",    "covers",   "crs",
                                      "kind", "state",   "limit",  "min_score"};
enum { FILTER_COUNT = sizeof(filters) / sizeof(filters[0]) };

static const struct option options[] = {
    {"from", required_argument, NULL, 0},
    {"to", required_argument, NULL, 1},
    {"camera", required_argument, NULL, 2},
    {"division", required_argument, NULL, 3},
    {"grid", required_argument, NULL, 4},
    {"near", required_argument, NULL, 5},
    {"polygon", required_argument, NULL, 6},
    {"box", required_argument, NULL, 7},
    {"covers", required_argument, NULL, 8},
    {"crs", required_argument, NULL, 9},
    {"kind", required_argument, NULL, 10},
    {"state", required_argument, NULL, 11},
    {"limit", required_argument, NULL, 12},
    {"min-score", required_argument, NULL, 13},
    {"json", no_argument, NULL, 'j'},
    {"store", required_argument, NULL, 's'},
    {"config", required_argument, NULL, 'c'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

struct listing {
    enum gw_arguments_noun noun;
    const char *verb, *help;
    int (*list)(struct listing *listing, struct gw_index *index);
    const char *values[FILTER_COUNT]; // as given; NULL when not
    const char *config_file, *store;
    bool json;
    struct gw_query query;
    struct gw_config config;
};

static const char *get_value(void *opaque, const char *name)
{
    const struct listing *listing = opaque;
    for (int i = 0; i < FILTER_COUNT; i++)
        if (!strcmp(filters[i], name))
            return listing->values[i];
    return NULL;
}

// The API's name of a filter is in the message, the command line's is what was typed.
static int refuse_value(struct listing *listing, char error[GW_ARGUMENT_ERROR_SIZE])
{
    for (char *at = error; *at && *at != ':'; at++)
        if (*at == '_')
            *at = '-';
    return gw_cli_usage(listing->verb, "--%s", error);
}

// Returns -1 to go on, or an exit code.
static int parse_options(struct listing *listing, int argc, char **argv)
{
    char error[GW_ARGUMENT_ERROR_SIZE];
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
        if (option >= 0 && option < FILTER_COUNT) {
            if (!gw_argument_known(listing->noun, filters[option]))
                return gw_cli_usage(listing->verb, "there is no option --%s", options[option].name);
            listing->values[option] = optarg;
            continue;
        }
        switch (option) {
        case 'j': listing->json = true; break;
        case 's': listing->store = optarg; break;
        case 'c': listing->config_file = optarg; break;
        case 'h': fputs(listing->help, stdout); return GW_EXIT_OK;
        case ':': return gw_cli_usage(listing->verb, "%s needs a value", argv[optind - 1]);
        default: return gw_cli_usage(listing->verb, "there is no option %s", argv[optind - 1]);
        }
    }
    if (optind < argc)
        return gw_cli_usage(listing->verb, "\"%s\" is one word too many", argv[optind]);
    if (gw_arguments_parse(&listing->query, listing->noun, get_value, listing, error) < 0)
        return refuse_value(listing, error);
    return -1;
}

// --- lines ---------------------------------------------------------------------------------------

// "2026-05-04 03:02:01"
static const char *format_second(char buffer[GW_RFC3339_SIZE], int64_t wall_us)
{
    gw_format_rfc3339(buffer, wall_us);
    buffer[10] = ' ';
    buffer[19] = 0;
    return buffer;
}

static void print_json(json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12));
    if (!text)
        abort();
    puts(text);
    free(text);
    json_decref(json);
}

static void print_event(const struct gw_event_row *row)
{
    const struct gw_event *event = &row->event;
    char start[GW_RFC3339_SIZE], area[GW_DIVISION_SIZE + GW_GRID_SIZE];
    snprintf(area, sizeof(area), "%s%s", row->place.division, row->place.grid);
    printf("%-19s  %7.1f s  %-12s%-8s  %4.2f  %-15s  %-20s  %s\n",
           format_second(start, event->start_us),
           (double)(event->end_us - event->start_us) / GW_SECOND, gw_event_kind_name(event->kind),
           event->interrupted ? "cut off" : gw_event_state_name(event->state), event->score, area,
           event->camera, row->place.camera_name);
}

static void print_clip(const struct gw_clip_row *row, const char *path)
{
    const struct gw_clip *clip = &row->clip;
    char start[GW_RFC3339_SIZE];
    printf("%-19s  %7.1f s  %-9s  %8.1f MB  %-20s  %s\n", format_second(start, clip->start_us),
           (double)(clip->end_us - clip->start_us) / GW_SECOND, gw_clip_state_name(clip->state),
           (double)clip->size_bytes / 1e6, clip->camera, path);
}

static void print_clip_json(const struct gw_clip_row *row, const char *path)
{
    json_t *json = gw_clip_row_to_json(row);
    json_object_set_new(json, "path", json_string(path));
    print_json(json);
}

// --- listings ------------------------------------------------------------------------------------

static int list_events(struct listing *listing, struct gw_index *index)
{
    char cursor[64];
    struct gw_event_row *rows = calloc((size_t)listing->query.limit, sizeof(*rows));
    if (!rows)
        abort();
    int count = gw_index_events(index, &listing->query, rows, cursor);
    if (count > 0 && !listing->json)
        puts("START (UTC)              LASTED  KIND        STATE     SCORE AREA             CAMERA"
             "                NAME");
    for (int i = 0; i < count; i++) {
        if (listing->json)
            print_json(gw_event_row_to_json(&rows[i]));
        else
            print_event(&rows[i]);
    }
    free(rows);
    return count;
}

static int list_clips(struct listing *listing, struct gw_index *index)
{
    char cursor[64], below[GW_MEDIA_PATH_SIZE], store[PATH_MAX],
        path[PATH_MAX + GW_MEDIA_PATH_SIZE];
    struct gw_clip_row *rows = calloc((size_t)listing->query.limit, sizeof(*rows));
    if (!rows)
        abort();
    if (!realpath(listing->config.store, store))
        snprintf(store, sizeof(store), "%s", listing->config.store);
    int count = gw_index_clips(index, &listing->query, rows, cursor);
    if (count > 0 && !listing->json)
        puts("START (UTC)              LASTED  STATE             SIZE  CAMERA                FILE");
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "%s/%s", store, gw_clip_path(below, &rows[i].clip));
        if (listing->json)
            print_clip_json(&rows[i], path);
        else
            print_clip(&rows[i], path);
    }
    free(rows);
    return count;
}

static int list_gaps(struct listing *listing, struct gw_index *index)
{
    char cursor[64], from[GW_RFC3339_SIZE];
    struct gw_gap_row *rows = calloc((size_t)listing->query.limit, sizeof(*rows));
    if (!rows)
        abort();
    int count = gw_index_gaps(index, &listing->query, rows, cursor);
    if (count > 0 && !listing->json)
        puts("FROM (UTC)               LASTED  CAUSE             STATE   CAMERA                "
             "NAME");
    for (int i = 0; i < count; i++) {
        const struct gw_gap *gap = &rows[i].gap;
        int64_t to_us = gap->open ? gw_wall_us() : gap->to_us;
        if (listing->json)
            print_json(gw_gap_row_to_json(&rows[i]));
        else
            printf("%-19s  %9.1f s  %-16s  %-6s  %-20s  %s\n", format_second(from, gap->from_us),
                   (double)(to_us - gap->from_us) / GW_SECOND, gw_gap_cause_name(gap->cause),
                   gw_gap_state_name(gap->open), gap->camera, rows[i].place.camera_name);
    }
    free(rows);
    return count;
}

static int run(struct listing *listing, int argc, char **argv)
{
    struct gw_index *index;
    char error[GW_INDEX_ERROR_SIZE];
    int result = parse_options(listing, argc, argv);
    if (result >= 0)
        return result;
    result = gw_cli_config(&listing->config, listing->config_file, listing->store);
    if (result)
        return result;
    if (gw_index_open(&index, listing->config.store, GW_INDEX_READ, listing->config.division,
                      error) < 0)
        return gw_cli_fail("%s", error);
    int count = listing->list(listing, index);
    if (count < 0)
        gw_cli_fail("cannot read the index: %s", gw_index_error(index));
    gw_index_close(&index);
    if (fflush(stdout) < 0 || ferror(stdout))
        return gw_cli_fail("cannot write the list: %s", strerror(errno));
    return count < 0 ? GW_EXIT_FAILED : GW_EXIT_OK;
}

int gw_verb_events(int argc, char **argv)
{
    struct listing listing = {
        .noun = GW_ARGUMENTS_EVENTS, .verb = "events", .help = events_help, .list = list_events};
    return run(&listing, argc, argv);
}

int gw_verb_clips(int argc, char **argv)
{
    struct listing listing = {
        .noun = GW_ARGUMENTS_CLIPS, .verb = "clips", .help = clips_help, .list = list_clips};
    return run(&listing, argc, argv);
}

int gw_verb_gaps(int argc, char **argv)
{
    struct listing listing = {
        .noun = GW_ARGUMENTS_GAPS, .verb = "gaps", .help = gaps_help, .list = list_gaps};
    return run(&listing, argc, argv);
}
