// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch analyze: what a worker does with a camera, done with files, as fast as they can be
// read.
//
//   file -> media_file.c -> analyze/analyzer.h -> JSON lines on stdout

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#include <libavutil/pixdesc.h>

#include "analyze/analyzer.h"
#include "app/cli.h"
#include "app/media_file.h"
#include "app/overlay.h"
#include "app/overlay_draw.h"
#include "app/verbs.h"
#include "core/clock.h"
#include "core/error.h"
#include "ingest/av_log.h"

static const char help[] =
    "usage: gridwatch analyze [--zones FILE] [--level auto|gate|keyframes|full] [--trace OUT] "
    "[--overlay OUT.mp4]\n"
    "                         FILE…\n"
    "\n"
    "Detects events in video files and prints one JSON line per event, in seconds from the file's\n"
    "first frame, then one summary line per file.\n"
    "\n"
    "  --zones FILE   zones and masks, as JSON: parts of the picture that count, or are never "
    "looked at\n"
    "  --level LEVEL  full: decode every picture (the default); keyframes: those that stand alone, "
    "and\n"
    "                 what lies around one that shows something; gate: what the sizes and "
    "quantisers of\n"
    "                 the coded pictures say is worth it; auto: what proves good for this camera\n"
    "  --trace OUT    what was thought of each packet and picture, as JSON lines\n"
    "  --overlay OUT.mp4\n"
    "                 what the detector saw, drawn into a copy of the one FILE: boxes of motion, "
    "zones,\n"
    "                 events, the gate's signal. Made in a second pass. It holds footage: only you "
    "may\n"
    "                 read it, and what masks hide is black in it. A file that exists is kept\n";

static const struct option options[] = {
    {"zones", required_argument, NULL, 'z'}, {"level", required_argument, NULL, 'l'},
    {"trace", required_argument, NULL, 't'}, {"overlay", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},        {0},
};

// One file's analysis.
struct job {
    const char *path;
    struct gw_media_file file;
    struct gw_analyzer *analyzer;
    int64_t shown_us; // monotonic, when progress was last shown
    bool show_progress;
    FILE *trace;                // NULL without --trace
    struct gw_overlay *overlay; // NULL without --overlay
};

static double seconds(int64_t us, double digits)
{
    const double scale = pow(10, digits);
    return round((double)us * 1e-6 * scale) / scale;
}

static double thousandths(double value)
{
    return round(value * 1000) / 1000;
}

// Takes over json.
static void print_line(json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12));

    if (!text)
        abort();
    puts(text);
    free(text);
    json_decref(json);
    fflush(stdout);
}

// The file's name as JSON. A name need not be UTF-8, but JSON must: such a name's bytes outside
// ASCII become question marks.
static json_t *name_file(const char *path)
{
    json_t *name = json_string(path);
    if (name)
        return name;
    char *ascii = strdup(path);
    if (!ascii)
        abort();
    for (char *c = ascii; *c; c++)
        if (*c & 0x80)
            *c = '?';
    name = json_string(ascii);
    free(ascii);
    return name;
}

static void hide_progress(const struct job *job)
{
    if (job->show_progress)
        fputs("\r\033[K", stderr);
}

static void handle_event(void *opaque, enum gw_event_phase phase, const struct gw_event *event,
                         const struct gw_snapshot *snapshot)
{
    const struct job *job = opaque;
    const struct gw_box *box = &event->box;
    json_t *zones = json_array();

    if (job->overlay)
        gw_overlay_trace_event(gw_overlay_trace(job->overlay), phase, event);
    if (phase != GW_EVENT_PHASE_CLOSED) {
        json_decref(zones);
        return;
    }
    for (int i = 0; i < event->zone_count; i++)
        json_array_append_new(zones, json_string(event->zones[i]));
    hide_progress(job);
    print_line(json_pack("{s:o, s:s, s:f, s:f, s:f, s:o, s:[ffff]}", "file", name_file(job->path),
                         "kind", gw_event_kind_name(event->kind), "start_s",
                         seconds(event->start_us, 3), "end_s", seconds(event->end_us, 3), "score",
                         thousandths(event->score), "zones", zones, "box", thousandths(box->x),
                         thousandths(box->y), thousandths(box->w), thousandths(box->h)));
}

// JSON has no NaN.
static json_t *number_or_null(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

static void print_trace(struct job *job, json_t *json)
{
    json_dumpf(json, job->trace, JSON_COMPACT | JSON_REAL_PRECISION(7));
    fputc('\n', job->trace);
    json_decref(json);
}

static void trace_packet(void *opaque, const struct gw_packet_trace *trace)
{
    struct job *job = opaque;

    if (job->overlay)
        gw_overlay_trace_packet(gw_overlay_trace(job->overlay), trace);
    if (!job->trace)
        return;
    print_trace(job,
                json_pack("{s:f, s:i, s:i, s:o, s:o, s:b, s:s}", "t", seconds(trace->wall_us, 3),
                          "bytes", trace->bytes, "qp", trace->qp, "signal",
                          number_or_null(trace->signal), "limit", number_or_null(trace->limit),
                          "decoded", trace->decoded, "level", gw_level_name(trace->level)));
}

static void trace_picture(void *opaque, const struct gw_picture_trace *trace)
{
    struct job *job = opaque;

    if (job->overlay)
        gw_overlay_trace_picture(gw_overlay_trace(job->overlay), trace);
    if (!job->trace)
        return;
    print_trace(job, json_pack("{s:f, s:f, s:b, s:b, s:b}", "t", seconds(trace->wall_us, 3), "area",
                               trace->motion.area, "something", trace->motion.something, "hint",
                               trace->motion.hint, "open", trace->open));
}

static double used_cpu_s(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static double finite_or_0(double value)
{
    return isfinite(value) ? thousandths(value) : 0;
}

// What speaks for each level, where one is chosen.
static json_t *list_cases(const struct gw_analyzer_counters *counters)
{
    json_t *list = json_object();

    for (enum gw_level level = GW_LEVEL_GATE; level <= GW_LEVEL_FULL; level++) {
        const struct gw_level_case *one = &counters->cases[level];
        json_object_set_new(list, gw_level_name(level),
                            json_pack("{s:f, s:f, s:f, s:b}", "cost", finite_or_0(one->cost),
                                      "miss_rate", finite_or_0(one->miss_rate), "miss_high",
                                      finite_or_0(one->miss_high), "good", one->good));
    }
    return list;
}

static void print_summary(const struct job *job, bool chosen, double cpu_s)
{
    struct gw_analyzer_counters counters;
    const int64_t media_us = gw_media_file_length_us(&job->file);

    gw_analyzer_count(job->analyzer, &counters);
    if (counters.decode_errors > 0)
        fprintf(stderr,
                "gridwatch: %s: %llu of %lld packets could not be decoded; their pictures were "
                "left out\n",
                job->path, (unsigned long long)counters.decode_errors,
                (long long)job->file.packets);
    json_t *evidence = chosen ? json_pack("{s:I, s:o}", "audits", (json_int_t)counters.audits,
                                          "levels", list_cases(&counters))
                              : NULL;
    print_line(json_pack("{s:o, s:{s:f, s:I, s:I, s:s, s:f, s:o*}}", "file", name_file(job->path),
                         "summary", "media_s", seconds(media_us, 2), "frames",
                         (json_int_t)job->file.packets, "decoded", (json_int_t)counters.decoded,
                         "level", gw_level_name(counters.level), "cpu_s", thousandths(cpu_s),
                         "auto", evidence));
}

// Of either pass, which reads the file that far.
static void show_progress(void *opaque, const struct gw_media_file *file)
{
    enum { WIDTH = 40 };
    struct job *job = opaque;
    const int64_t now_us = gw_mono_us();
    const double share = gw_media_file_share(file);
    const int filled = (int)(share * WIDTH);

    if (!job->show_progress || now_us - job->shown_us < GW_SECOND / 5)
        return;
    job->shown_us = now_us;
    fprintf(stderr, "\r[%.*s%*s] %3.0f %% %s%s\033[K", filled,
            "########################################", WIDTH - filled, "", share * 100,
            file == &job->file ? "" : "overlay of ", job->path);
}

static int run(struct job *job)
{
    int error;

    for (;;) {
        struct gw_packet packet = {0};
        if ((error = gw_media_file_read(&job->file, &packet)) <= 0)
            break;
        error = gw_analyzer_feed(job->analyzer, &packet);
        gw_packet_unref(&packet);
        if (error < 0)
            break;
        show_progress(job, &job->file);
    }
    gw_analyzer_flush(job->analyzer);
    hide_progress(job);
    return error;
}

// Whether every picture was one in which motion can be found; says so if not.
static bool saw_all(const struct job *job)
{
    struct gw_analyzer_counters counters;
    const char *format = av_get_pix_fmt_name(job->file.track->codecpar->format);

    gw_analyzer_count(job->analyzer, &counters);
    if (counters.unseen > 0)
        gw_cli_fail("%s: no motion is found in pictures of format %s; convert the file to yuv420p",
                    job->path, format ? format : "unknown");
    return counters.unseen == 0;
}

// The second pass. Returns whether it was made; says so if not.
static bool make_overlay(struct job *job)
{
    char error[GW_OVERLAY_ERROR_SIZE];

    job->shown_us = 0;
    const int made = gw_overlay_make(job->overlay, show_progress, job, error);

    hide_progress(job);
    if (made < 0)
        gw_cli_fail("%s", error);
    return made >= 0;
}

// What every file of this run is analyzed with.
struct order {
    enum gw_level level;
    const struct gw_zones *zones; // NULL for none
    FILE *trace;                  // NULL for none
    struct gw_overlay *overlay;   // NULL for none
};

// Returns an exit code.
static int analyze_file(const char *path, const struct order *order)
{
    struct job job = {.trace = order->trace,
                      .overlay = order->overlay,
                      .path = path,
                      .show_progress = isatty(STDERR_FILENO)};
    struct gw_analyzer_config config = gw_analyzer_defaults;
    const double cpu_before_s = used_cpu_s();

    config.level = order->level;
    config.zones = order->zones;
    config.opaque = &job;
    config.event = handle_event;
    if (order->trace || order->overlay) {
        config.packet_trace = trace_packet;
        config.picture_trace = trace_picture;
    }
    int error = gw_media_file_open(&job.file, path);
    if (error >= 0)
        error = gw_analyzer_create(&job.analyzer, &config);
    if (error >= 0)
        error = run(&job);
    bool good = error >= 0 && saw_all(&job);
    if (good)
        print_summary(&job, order->level == GW_LEVEL_AUTO, used_cpu_s() - cpu_before_s);
    else if (error < 0)
        gw_cli_fail("%s: %s", path, gw_media_file_explain(error));
    gw_analyzer_destroy(&job.analyzer);
    gw_media_file_close(&job.file);
    if (good && job.overlay)
        good = make_overlay(&job);
    return good ? GW_EXIT_OK : GW_EXIT_FAILED;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), end_length = strlen(end);
    return length > end_length && !strcasecmp(text + length - end_length, end);
}

// Names that the overlay's letters cannot write stand in it as numbers; says which.
static void list_numbered_zones(const struct gw_zones *zones)
{
    char label[GW_ZONE_LABEL_SIZE];

    for (int i = 0; i < zones->zone_count; i++)
        if (!gw_overlay_zone_label(zones, i, label))
            fprintf(stderr, "gridwatch: in the overlay, %s is the zone \"%s\"\n", label,
                    zones->zones[i].name);
}

static int analyze_files(char **paths, int count, struct order *order, const char *overlay_path)
{
    char error[GW_OVERLAY_ERROR_SIZE];
    int exit_code = GW_EXIT_OK;

    if (overlay_path &&
        gw_overlay_open(&order->overlay, overlay_path, paths[0], order->zones, error) < 0)
        return gw_cli_fail("%s", error);
    if (overlay_path && order->zones)
        list_numbered_zones(order->zones);
    for (int i = 0; i < count; i++)
        if (analyze_file(paths[i], order) != GW_EXIT_OK)
            exit_code = GW_EXIT_FAILED;
    gw_overlay_close(&order->overlay);
    return exit_code;
}

int gw_verb_analyze(int argc, char **argv)
{
    struct gw_zones zones = {0};
    char zones_error[GW_ZONES_ERROR_SIZE];
    const char *zones_path = NULL, *trace_path = NULL, *overlay_path = NULL;
    struct order order = {0};
    int level = gw_analyzer_defaults.level, option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case 'z': zones_path = optarg; break;
        case 't': trace_path = optarg; break;
        case 'o': overlay_path = optarg; break;
        case 'l': level = gw_level_from_name(optarg); break;
        case 'h': fputs(help, stdout); return GW_EXIT_OK;
        default:
            return gw_cli_usage("analyze", "\"%s\" is no option, or lacks its value",
                                argv[optind - 1]);
        }
    }
    if (level < 0 || level == GW_LEVEL_OFF)
        return gw_cli_usage("analyze", "--level takes auto, gate, keyframes or full");
    if (optind == argc)
        return gw_cli_usage("analyze", "which FILE?");
    if (overlay_path && !ends_with(overlay_path, ".mp4"))
        return gw_cli_usage("analyze", "--overlay takes a name that ends in .mp4");
    if (overlay_path && argc - optind > 1)
        return gw_cli_usage("analyze", "--overlay takes one FILE at a time");
    gw_av_log_install();
    if (zones_path && gw_zones_load(&zones, zones_path, zones_error) < 0)
        return gw_cli_fail("%s", zones_error);
    if (trace_path && !(order.trace = fopen(trace_path, "w")))
        return gw_cli_fail("%s: %s", trace_path, strerror(errno));
    order.level = (enum gw_level)level;
    order.zones = zones_path ? &zones : NULL;
    const int exit_code = analyze_files(argv + optind, argc - optind, &order, overlay_path);
    if (order.trace && fclose(order.trace) != 0)
        return gw_cli_fail("%s: %s", trace_path, strerror(errno));
    return exit_code;
}
