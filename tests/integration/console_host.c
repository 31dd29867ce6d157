// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A console on a store full of made-up facts, without cameras, workers or a bus: what the API's
// test drives, and a backend to work on the page with.
//
//   console_host [--store DIR] [--listen HOST:PORT] [--web DIR] [--events N] [--live]
//
// Prints "address URL", "login URL" and "ready". Then obeys lines on stdin, answering each with
// one:
//   event    commit a closed event with clip and pictures   -> "event ID seq HEAD"
//   open     commit an event and a clip that go on          -> "open EVENT CLIP"
//   login    make another one-time login                    -> "login URL"
//   expire   make a login that is too old                   -> "login URL"
//   move     put the first camera elsewhere                 -> "move"
//   leave    take the second one out of the registry        -> "leave"
//   sick / well   what /readyz says                         -> "sick" / "well"
//   quit     (or the end of stdin)
// --live commits an event each second and keeps running without stdin. Needs ffmpeg for its media.

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "console/console.h"
#include "core/clock.h"
#include "core/error.h"
#include "storage/index.h"
#include "storage/media.h"

extern char **environ;

#define CLIP_SECONDS 8

struct host {
    char store[200];
    struct gw_index *index;
    struct gw_console *console;
    struct gw_id boot;
    uint64_t boot_seq;
    atomic_int made; // read by console threads too
    atomic_bool sick;
    uint8_t *clip, *snapshot, *thumbnail; // what every event gets
    size_t clip_size, snapshot_size, thumbnail_size;
};

static void die(const char *what, int error)
{
    fprintf(stderr, "console_host: %s: %s\n", what, gw_strerror(error));
    exit(1);
}

// Runs a line of shell with one argument, $1.
static void run_shell(const char *script, const char *argument)
{
    const char *const arguments[] = {"sh", "-ec", script, "sh", argument, NULL};
    pid_t child;
    int status;
    int result = posix_spawnp(&child, "sh", NULL, NULL, (char *const *)arguments, environ);

    if (result != 0)
        die("cannot run a shell", -result);
    if (waitpid(child, &status, 0) < 0 || status != 0)
        die(script, -EIO);
}

static uint8_t *read_whole(const char *folder, const char *name, size_t *ret_size)
{
    char path[256];
    struct stat status;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *in = fopen(path, "rb");
    if (!in || fstat(fileno(in), &status) < 0)
        die(path, -errno);
    uint8_t *bytes = malloc((size_t)status.st_size);
    *ret_size = (size_t)status.st_size;
    if (!bytes || fread(bytes, 1, *ret_size, in) != *ret_size)
        die(path, -EIO);
    fclose(in);
    unlink(path);
    return bytes;
}

static void make_media(struct host *host)
{
    run_shell("cd \"$1\"; ffmpeg -nostdin -v error -y -f lavfi -i testsrc=size=640x360:rate=25 -t 8"
              " -c:v libx264 -pix_fmt yuv420p -preset ultrafast -g 50 -bf 0"
              " -movflags +frag_keyframe+empty_moov+default_base_moof sample.mp4;"
              " ffmpeg -nostdin -v error -y -ss 2 -i sample.mp4 -frames:v 1 -update 1 sample.jpg;"
              " ffmpeg -nostdin -v error -y -i sample.jpg -vf scale=320:-2 -update 1 thumb.jpg",
              host->store);
    host->clip = read_whole(host->store, "sample.mp4", &host->clip_size);
    host->snapshot = read_whole(host->store, "sample.jpg", &host->snapshot_size);
    host->thumbnail = read_whole(host->store, "thumb.jpg", &host->thumbnail_size);
}

static const struct {
    const char *id, *name, *division, *grid, *url;
    double lon, lat, range_m;
} cameras[] = {
    {"gate-07", "East gate", "640323101", "004", "rtsp://10.0.7.7/stream1", 106.4210, 37.7850, 0},
    {"market-02", "集贸市场", "640323102", "011", "rtsp://10.0.7.8/live?channel=2&password=hunter2",
     106.4350, 37.7910, 60},
    {"bridge-01", "North bridge", "640323101", "009", "rtsp://10.0.7.9/h264", NAN, NAN, 0},
};

static void commit(struct host *host, const struct gw_fact *facts, int count)
{
    struct gw_fact_entry entries[8];

    for (int i = 0; i < count; i++)
        entries[i] = (struct gw_fact_entry){host->boot, ++host->boot_seq, facts[i]};
    int result = gw_index_commit(host->index, entries, count);
    if (result < 0)
        die(gw_index_error(host->index), result);
    if (host->console)
        gw_console_notify(host->console, (uint64_t)gw_index_head(host->index));
}

// A hole an hour ago, and a gap since a minute ago.
static void add_gaps(struct host *host, const char *camera)
{
    const int64_t now_us = gw_wall_us(), hour_ago_us = now_us - 3600 * GW_SECOND;
    const struct gw_coverage_news news[] = {
        {"", GW_COVERAGE_BEGAN, GW_GAP_NONE, hour_ago_us - 60 * GW_SECOND, 0},
        {"", GW_COVERAGE_HOLE, GW_GAP_SLOW_NETWORK, hour_ago_us, hour_ago_us + 10 * GW_SECOND},
        {"", GW_COVERAGE_BROKE, GW_GAP_UNREACHABLE, now_us - 60 * GW_SECOND, 0}};
    for (size_t i = 0; i < sizeof(news) / sizeof(news[0]); i++) {
        struct gw_fact fact = {.kind = GW_FACT_COVERAGE, .wall_us = now_us, .coverage = news[i]};
        strcpy(fact.coverage.camera, camera);
        commit(host, &fact, 1);
    }
}

static void add_details(struct gw_camera *camera)
{
    camera->view = (struct gw_view){135, 90, 60, 6};
    camera->registration = (struct gw_registration){"64032300001310000007", GW_SITE_CLASS_1,
                                                    "Public security", "Wires & Co."};
    strcpy(camera->zones, "{\"masks\":[{\"polygon\":[[0,0],[1,0],[1,0.1]]}]}");
    camera->retention_days = 90;
}

static struct gw_camera put_camera(struct host *host, size_t number, double lon, double lat)
{
    struct gw_camera camera = {.enabled = true, .lon = lon, .lat = lat};
    strcpy(camera.id, cameras[number].id);
    strcpy(camera.name, cameras[number].name);
    strcpy(camera.division, cameras[number].division);
    strcpy(camera.grid, cameras[number].grid);
    strcpy(camera.record_url, cameras[number].url);
    strcpy(camera.username, "viewer");
    strcpy(camera.password, "s3cr3t-of-the-camera");
    if (number == 0)
        add_details(&camera);
    if (gw_index_put_camera(host->index, &camera) < 0)
        die(gw_index_error(host->index), GW_ERROR_INDEX);
    return camera;
}

static void add_cameras(struct host *host)
{
    for (size_t i = 0; i < sizeof(cameras) / sizeof(cameras[0]); i++) {
        struct gw_camera camera = put_camera(host, i, cameras[i].lon, cameras[i].lat);
        struct gw_fact fact = {.kind = GW_FACT_CAMERA_ONLINE, .wall_us = gw_wall_us()};
        fact.camera =
            (struct gw_camera_state){.since_us = gw_wall_us(), .status = GW_CAMERA_ONLINE};
        strcpy(fact.camera.camera, camera.id);
        if (i == 2) {
            fact.kind = GW_FACT_CAMERA_OFFLINE;
            fact.camera.status = GW_CAMERA_OFFLINE;
            strcpy(fact.camera.reason, "nobody answers at this address");
            add_gaps(host, camera.id);
        }
        if (i != 1) // of one nothing is known yet
            commit(host, &fact, 1);
    }
}

static struct gw_event make_event(const char *camera, int64_t start_us, int number)
{
    struct gw_event event = {
        .id = gw_id_make(start_us),
        .start_us = start_us,
        .end_us = start_us,
        .confirmed_us = start_us + 400000,
        .score = 0.5 + 0.04 * (number % 12),
        .box = {0.05 * (number % 10), 0.30, 0.12, 0.25},
        .snapshot_us = start_us + GW_SECOND,
    };
    strcpy(event.camera, camera);
    return event;
}

static struct gw_clip make_clip(const char *camera, int64_t start_us)
{
    struct gw_clip clip = {.id = gw_id_make(start_us),
                           .start_us = start_us,
                           .end_us = start_us,
                           .codec = "h264",
                           .width = 640,
                           .height = 360,
                           .clock_offset_us = GW_NO_TIME};
    strcpy(clip.camera, camera);
    return clip;
}

static void write_pictures(struct host *host, const struct gw_event *event)
{
    char path[GW_MEDIA_PATH_SIZE];

    int result = gw_media_write(host->store, gw_event_snapshot_path(path, event), host->snapshot,
                                host->snapshot_size);
    if (result == 0)
        result = gw_media_write(host->store, gw_event_thumbnail_path(path, event), host->thumbnail,
                                host->thumbnail_size);
    if (result < 0)
        die("cannot write a picture", result);
}

static void write_clip(struct host *host, const struct gw_clip *clip, size_t size)
{
    char path[GW_MEDIA_PATH_SIZE];
    int result = gw_media_write(host->store, gw_clip_path(path, clip), host->clip, size);

    if (result < 0)
        die("cannot write a clip", result);
}

static struct gw_fact event_fact(enum gw_fact_kind kind, const struct gw_event *event)
{
    return (struct gw_fact){.kind = kind, .wall_us = gw_wall_us(), .event = *event};
}

static struct gw_fact clip_fact(enum gw_fact_kind kind, const struct gw_clip *clip)
{
    return (struct gw_fact){.kind = kind, .wall_us = gw_wall_us(), .clip = *clip};
}

// An event and its clip, from the beginning to the end.
static struct gw_event add_event(struct host *host, int64_t start_us)
{
    const char *camera = cameras[host->made % 3].id;
    struct gw_event event = make_event(camera, start_us, host->made++);
    struct gw_clip clip = make_clip(camera, start_us - 3 * GW_SECOND);
    struct gw_fact facts[4];

    write_clip(host, &clip, host->clip_size);
    write_pictures(host, &event);
    facts[0] = clip_fact(GW_FACT_CLIP_OPENED, &clip);
    facts[1] = event_fact(GW_FACT_EVENT_OPENED, &event);
    event.state = GW_EVENT_CLOSED;
    event.end_us = start_us + 2 * GW_SECOND;
    facts[2] = event_fact(GW_FACT_EVENT_CLOSED, &event);
    clip.state = GW_CLIP_CLOSED;
    clip.end_us = clip.start_us + CLIP_SECONDS * GW_SECOND;
    clip.size_bytes = (int64_t)host->clip_size;
    clip.frames = CLIP_SECONDS * 25;
    facts[3] = clip_fact(GW_FACT_CLIP_CLOSED, &clip);
    commit(host, facts, 4);
    return event;
}

static void add_open(struct host *host)
{
    char event_id[GW_ID_TEXT_SIZE], clip_id[GW_ID_TEXT_SIZE];
    struct gw_event event = make_event(cameras[0].id, gw_wall_us() - GW_SECOND, 1);
    struct gw_clip clip = make_clip(cameras[0].id, event.start_us - 3 * GW_SECOND);

    event.snapshot_us = GW_NO_TIME;
    write_clip(host, &clip, host->clip_size / 2);
    struct gw_fact facts[] = {clip_fact(GW_FACT_CLIP_OPENED, &clip),
                              event_fact(GW_FACT_EVENT_OPENED, &event)};
    commit(host, facts, 2);
    printf("open %s %s\n", gw_id_format(event_id, &event.id), gw_id_format(clip_id, &clip.id));
}

static void print_login(struct host *host, int64_t valid_us)
{
    char code[GW_LOGIN_CODE_SIZE];
    int result = gw_console_make_login(host->store, valid_us, code);

    if (result < 0)
        die("cannot make a login", result);
    printf("login %s/#/login/%s\n", gw_console_address(host->console), code);
}

static const char *not_ready(void *opaque)
{
    return ((struct host *)opaque)->sick ? "no worker is connected" : NULL;
}

static void write_metrics(void *opaque, FILE *out)
{
    fprintf(out, "gridwatch_made_up_events %d\n", ((struct host *)opaque)->made);
}

// One camera works, of one nothing was ever heard, one was analysed before it went offline.
static int list_cameras(void *opaque, struct gw_console_camera **ret)
{
    static const struct gw_console_camera reported[] = {
        {.metrics = {.camera = "bridge-01", .analysis_packets = 9000}, .decoded_share = 1},
        {.metrics = {.camera = "gate-07",
                     .online = true,
                     .detect_online = true,
                     .level = GW_LEVEL_GATE,
                     .analysis_packets = 90000,
                     .audits = 41,
                     .judged = 18,
                     .miss_rate = 0,
                     .miss_high = 0.12,
                     .status = GW_CAMERA_ONLINE,
                     .signs = {.frame_rate = 24.987,
                               .bit_rate = 3e6,
                               .key_age_us = 1500000,
                               .clock_offset_us = -120000,
                               .reconnects = 2}},
         .decoded_share = 0.07},
    };

    *ret = malloc(sizeof(reported));
    if (!*ret)
        return -ENOMEM;
    memcpy(*ret, reported, sizeof(reported));
    return sizeof(reported) / sizeof(reported[0]);
}

// Returns false when asked to quit.
static bool obey(struct host *host, const char *line)
{
    char id[GW_ID_TEXT_SIZE];

    if (!strcmp(line, "quit"))
        return false;
    if (!strcmp(line, "event")) {
        struct gw_event event = add_event(host, gw_wall_us() - 3 * GW_SECOND);
        printf("event %s seq %lld\n", gw_id_format(id, &event.id),
               (long long)gw_index_head(host->index));
    } else if (!strcmp(line, "open")) {
        add_open(host);
    } else if (!strcmp(line, "move")) {
        put_camera(host, 0, 106.5, 37.9);
        puts(line);
    } else if (!strcmp(line, "leave")) {
        if (gw_index_remove_camera(host->index, cameras[1].id) < 0)
            die(gw_index_error(host->index), GW_ERROR_INDEX);
        puts(line);
    } else if (!strcmp(line, "login")) {
        print_login(host, 600 * GW_SECOND);
    } else if (!strcmp(line, "expire")) {
        print_login(host, -1);
    } else {
        host->sick = !strcmp(line, "sick");
        puts(line);
    }
    fflush(stdout);
    return true;
}

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    interrupted = 1;
}

static void run_live(struct host *host)
{
    while (!interrupted) {
        add_event(host, gw_wall_us() - 3 * GW_SECOND);
        poll(NULL, 0, 1000);
    }
}

static void run_obedient(struct host *host)
{
    char line[64];

    while (!interrupted && fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (!obey(host, line))
            return;
    }
}

static void open_store(struct host *host)
{
    char error[GW_INDEX_ERROR_SIZE];

    if (mkdir(host->store, 0700) < 0 && errno != EEXIST)
        die(host->store, -errno);
    if (gw_index_open(&host->index, host->store, GW_INDEX_WRITE, "640323", error) < 0)
        die(error, GW_ERROR_INDEX);
    host->boot = gw_id_make(gw_wall_us());
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"store", 1, NULL, 's'}, {"listen", 1, NULL, 'l'},
                                            {"web", 1, NULL, 'w'},   {"events", 1, NULL, 'e'},
                                            {"live", 0, NULL, 'v'},  {0}};
    struct host host = {.store = "/tmp/console-host-XXXXXX"};
    struct gw_log log = {.name = "console"};
    struct gw_console_config config = {.listen = "127.0.0.1:0",
                                       .division = "640323",
                                       .site_name = "Test county",
                                       .log = &log,
                                       .opaque = &host,
                                       .write_metrics = write_metrics,
                                       .list_cameras = list_cameras,
                                       .not_ready = not_ready};
    int events = 12, option;
    bool live = false, keep = false;
    char error[256] = "";

    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        switch (option) {
        case 's':
            snprintf(host.store, sizeof(host.store), "%s", optarg);
            keep = true;
            break;
        case 'l': config.listen = optarg; break;
        case 'w': config.web_root = optarg; break;
        case 'e': events = atoi(optarg); break;
        case 'v': live = true; break;
        default: return 2;
        }
    }
    const struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (!keep && !mkdtemp(host.store))
        die(host.store, -errno);
    open_store(&host);
    make_media(&host);
    add_cameras(&host);
    for (int i = events; i > 0; i--)
        add_event(&host, gw_wall_us() - i * 60 * GW_SECOND);

    config.store = host.store;
    if (gw_console_create(&host.console, &config, error) < 0)
        die(error, -EIO);
    printf("address %s\n", gw_console_address(host.console));
    print_login(&host, 600 * GW_SECOND);
    printf("store %s\nready\n", host.store);
    fflush(stdout);
    if (live)
        run_live(&host);
    else
        run_obedient(&host);

    gw_console_destroy(&host.console);
    gw_index_close(&host.index);
    free(host.clip);
    free(host.snapshot);
    free(host.thumbnail);
    if (!keep)
        run_shell("rm -rf -- \"$1\"", host.store);
    return 0;
}
