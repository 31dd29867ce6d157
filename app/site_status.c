// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/site_status.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

// A camera's decoded share is of the packets since the last mark but one: 3000 to 6000 of them,
// some minutes at the usual rates.
enum { MARK_EVERY = 3000 };

struct mark {
    uint64_t packets, decoded;
};

struct reported {
    int worker;
    struct gw_camera_metrics metrics;
    struct mark before, last;
};

struct gw_site_status {
    pthread_mutex_t lock;
    struct reported *cameras;
    int count, room;
    struct gw_site_counters counters;
    const char *problem;
};

int gw_site_status_create(struct gw_site_status **ret)
{
    struct gw_site_status *status = calloc(1, sizeof(*status));
    if (!status)
        return -ENOMEM;
    pthread_mutex_init(&status->lock, NULL);
    status->problem = "the site is starting";
    *ret = status;
    return 0;
}

void gw_site_status_destroy(struct gw_site_status **status)
{
    if (!*status)
        return;
    pthread_mutex_destroy(&(*status)->lock);
    free((*status)->cameras);
    free(*status);
    *status = NULL;
}

// Called with the lock held.
static void forget(struct gw_site_status *status, int worker, const struct gw_camera_metrics *news,
                   int count)
{
    int kept = 0;
    for (int i = 0; i < status->count; i++) {
        bool stale = status->cameras[i].worker == worker;
        for (int j = 0; !stale && j < count; j++)
            stale = !strcmp(status->cameras[i].metrics.camera, news[j].camera);
        if (!stale)
            status->cameras[kept++] = status->cameras[i];
    }
    status->count = kept;
}

// A worker reports its cameras in the same order every time: the next one is where the last one was
// found, or after it. Called with the lock held.
static const struct reported *find(const struct gw_site_status *status, const char *camera,
                                   int *place)
{
    for (int i = 0; i < status->count; i++) {
        const int at = (*place + i) % status->count;
        if (!strcmp(status->cameras[at].metrics.camera, camera)) {
            *place = at + 1;
            return &status->cameras[at];
        }
    }
    return NULL;
}

static struct reported report(const struct reported *old, int worker,
                              const struct gw_camera_metrics *metrics)
{
    struct reported now = {.worker = worker, .metrics = *metrics};

    // A worker that was started anew counts anew.
    if (!old || metrics->analysis_packets < old->metrics.analysis_packets ||
        metrics->decoded < old->metrics.decoded)
        return now;
    now.before = old->before;
    now.last = old->last;
    if (metrics->analysis_packets - now.last.packets >= MARK_EVERY) {
        now.before = now.last;
        now.last = (struct mark){metrics->analysis_packets, metrics->decoded};
    }
    return now;
}

void gw_site_status_put(struct gw_site_status *status, int worker,
                        const struct gw_camera_metrics *metrics, int count)
{
    struct reported *reports = calloc((size_t)count + 1, sizeof(*reports));
    int place = 0;

    if (!reports)
        abort();
    pthread_mutex_lock(&status->lock);
    for (int i = 0; i < count; i++)
        reports[i] = report(find(status, metrics[i].camera, &place), worker, &metrics[i]);
    forget(status, worker, metrics, count);
    if (status->count + count > status->room) {
        status->room = 2 * (status->count + count);
        status->cameras = realloc(status->cameras, (size_t)status->room * sizeof(*status->cameras));
        if (!status->cameras)
            abort();
    }
    for (int i = 0; i < count; i++)
        status->cameras[status->count++] = reports[i];
    pthread_mutex_unlock(&status->lock);
    free(reports);
}

static void lose_camera(struct gw_camera_metrics *metrics)
{
    metrics->online = false;
    metrics->status = GW_CAMERA_OFFLINE;
    metrics->signs.frame_rate = metrics->signs.bit_rate = metrics->signs.loss = 0;
}

void gw_site_status_lose(struct gw_site_status *status, int worker)
{
    pthread_mutex_lock(&status->lock);
    for (int i = 0; i < status->count; i++)
        if (status->cameras[i].worker == worker)
            lose_camera(&status->cameras[i].metrics);
    pthread_mutex_unlock(&status->lock);
}

void gw_site_status_set(struct gw_site_status *status, const struct gw_site_counters *counters,
                        const char *problem)
{
    pthread_mutex_lock(&status->lock);
    status->counters = *counters;
    status->problem = problem;
    pthread_mutex_unlock(&status->lock);
}

const char *gw_site_status_not_ready(void *opaque)
{
    struct gw_site_status *status = opaque;
    pthread_mutex_lock(&status->lock);
    const char *problem = status->problem;
    pthread_mutex_unlock(&status->lock);
    return problem;
}

static double decoded_share(const struct reported *camera)
{
    const uint64_t packets = camera->metrics.analysis_packets - camera->before.packets;
    const uint64_t decoded = camera->metrics.decoded - camera->before.decoded;

    // What an audit or a beginning needs is decoded twice now and then.
    return packets > 0 ? fmin(1, (double)decoded / (double)packets) : NAN;
}

static int compare_cameras(const void *a, const void *b)
{
    const struct gw_console_camera *x = a, *y = b;
    return strcmp(x->metrics.camera, y->metrics.camera);
}

int gw_site_status_list_cameras(void *opaque, struct gw_console_camera **ret)
{
    struct gw_site_status *status = opaque;

    pthread_mutex_lock(&status->lock);
    const int count = status->count;
    struct gw_console_camera *cameras = calloc((size_t)count + 1, sizeof(*cameras));
    for (int i = 0; cameras && i < count; i++)
        cameras[i] = (struct gw_console_camera){status->cameras[i].metrics,
                                                decoded_share(&status->cameras[i])};
    pthread_mutex_unlock(&status->lock);
    if (!cameras)
        return -ENOMEM;
    qsort(cameras, (size_t)count, sizeof(*cameras), compare_cameras);
    *ret = cameras;
    return count;
}

// --- Prometheus text -----------------------------------------------------------------------------

struct site_metric {
    const char *name, *type, *help;
    double (*value)(const struct gw_site_counters *counters);
};

// clang-format off: tables of one-line readers
static double workers(const struct gw_site_counters *c)
{
    return c->workers;
}
static double workers_present(const struct gw_site_counters *c)
{
    return c->workers_present;
}
static double worker_restarts(const struct gw_site_counters *c)
{
    return (double)c->worker_restarts;
}
static double facts(const struct gw_site_counters *c)
{
    return (double)c->ledger.facts;
}
static double commits(const struct gw_site_counters *c)
{
    return (double)c->ledger.commits;
}
static double commit_seconds(const struct gw_site_counters *c)
{
    return (double)c->ledger.commit_us / GW_SECOND;
}
static double bad_messages(const struct gw_site_counters *c)
{
    return (double)c->bad_messages;
}
static double suspects(const struct gw_site_counters *c)
{
    return c->suspects;
}
static double door_sockets(const struct gw_site_counters *c)
{
    return (double)c->door.made;
}
static double door_refused(const struct gw_site_counters *c)
{
    return (double)(c->door.refused + c->door.malformed);
}
static double published(const struct gw_site_counters *c)
{
    return (double)c->bus.published;
}
// Of a shared index; without one there is no line.
static double shared_up(const struct gw_site_counters *c)
{
    return c->has_shared ? !c->shared.problem : NAN;
}
static double shared_lag(const struct gw_site_counters *c)
{
    return c->has_shared ? (double)(c->shared.head - c->shared.taken) : NAN;
}
static double shared_fed(const struct gw_site_counters *c)
{
    return c->has_shared ? (double)c->shared.fed : NAN;
}
static double shared_refills(const struct gw_site_counters *c)
{
    return c->has_shared ? (double)c->shared.refills : NAN;
}
static double shared_failures(const struct gw_site_counters *c)
{
    return c->has_shared ? (double)c->shared.failures : NAN;
}
// clang-format on

static const struct site_metric site_metrics[] = {
    {"gridwatch_workers", "gauge", "Worker processes that the site wants.", workers},
    {"gridwatch_workers_present", "gauge", "Worker processes that answer.", workers_present},
    {"gridwatch_worker_restarts_total", "counter", "Worker processes that ended unasked.",
     worker_restarts},
    {"gridwatch_suspect_cameras", "gauge",
     "Cameras that no worker has for now, because theirs died of one of them.", suspects},
    {"gridwatch_door_sockets_total", "counter", "Sockets to cameras that workers were given.",
     door_sockets},
    {"gridwatch_door_refused_total", "counter", "Sockets that workers asked for and may not have.",
     door_refused},
    {"gridwatch_facts_total", "counter", "Facts received from workers.", facts},
    {"gridwatch_index_commits_total", "counter", "Transactions committed.", commits},
    {"gridwatch_index_commit_seconds_total", "counter", "Time spent committing.", commit_seconds},
    {"gridwatch_bad_messages_total", "counter", "Messages from workers that made no sense.",
     bad_messages},
    {"gridwatch_bus_published_total", "counter", "Facts published on the bus.", published},
    {"gridwatch_shared_index_up", "gauge", "1 while the shared index is fed and lacks nothing.",
     shared_up},
    {"gridwatch_shared_index_lag_facts", "gauge", "Facts that the shared index does not have yet.",
     shared_lag},
    {"gridwatch_shared_index_facts_total", "counter", "Facts fed into the shared index.",
     shared_fed},
    {"gridwatch_shared_index_refills_total", "counter",
     "How often the shared index was filled from the beginning.", shared_refills},
    {"gridwatch_shared_index_failures_total", "counter",
     "How often the shared index could not be reached, or refused.", shared_failures},
};

struct camera_metric {
    const char *name, *type, *help;
    double (*value)(const struct gw_camera_metrics *metrics);
};

// clang-format off
static double online(const struct gw_camera_metrics *m) { return m->online; }
static double detect_online(const struct gw_camera_metrics *m) { return m->detect_online; }
static double packets(const struct gw_camera_metrics *m) { return (double)m->packets; }
static double bytes(const struct gw_camera_metrics *m) { return (double)m->bytes; }
static double reconnects(const struct gw_camera_metrics *m) { return (double)m->reconnects; }
static double decoded(const struct gw_camera_metrics *m) { return (double)m->decoded; }
static double dropped(const struct gw_camera_metrics *m) { return (double)m->analysis_dropped; }
static double events(const struct gw_camera_metrics *m) { return (double)m->events; }
static double clips(const struct gw_camera_metrics *m) { return (double)m->clips; }
static double truncated(const struct gw_camera_metrics *m) { return (double)m->clips_truncated; }
static double ring_bytes(const struct gw_camera_metrics *m) { return (double)m->ring_bytes; }
static double ring_shed(const struct gw_camera_metrics *m) { return (double)m->ring_shed; }
static double level(const struct gw_camera_metrics *m) { return m->level == GW_LEVEL_OFF ? 0 : m->level; }
static double analysed(const struct gw_camera_metrics *m) { return (double)m->analysis_packets; }
static double cpu(const struct gw_camera_metrics *m) { return (double)m->analysis_cpu_us / GW_SECOND; }
static double audits(const struct gw_camera_metrics *m) { return (double)m->audits; }
static double judged(const struct gw_camera_metrics *m) { return (double)m->judged; }
static double miss_rate(const struct gw_camera_metrics *m) { return m->miss_rate; }
static double miss_high(const struct gw_camera_metrics *m) { return m->miss_high; }
// clang-format on

// clang-format off
static double state(const struct gw_camera_metrics *m) { return m->status; }
static double frame_rate(const struct gw_camera_metrics *m) { return m->signs.frame_rate; }
static double bit_rate(const struct gw_camera_metrics *m) { return m->signs.bit_rate; }
static double longest_gop(const struct gw_camera_metrics *m) { return (double)m->signs.longest_gop_us / GW_SECOND; }
static double loss(const struct gw_camera_metrics *m) { return m->signs.loss; }
static double lost(const struct gw_camera_metrics *m) { return (double)m->signs.lost_packets; }
static double skipped(const struct gw_camera_metrics *m) { return (double)m->signs.skipped; }
// clang-format on

static double key_age(const struct gw_camera_metrics *m)
{
    return m->signs.key_age_us < 0 ? -1 : (double)m->signs.key_age_us / GW_SECOND;
}

static double clock_offset(const struct gw_camera_metrics *m)
{
    return m->signs.clock_offset_us == GW_NO_TIME ? NAN
                                                  : (double)m->signs.clock_offset_us / GW_SECOND;
}

static double packet_age(const struct gw_camera_metrics *m)
{
    return m->last_packet_age_us < 0 ? -1 : (double)m->last_packet_age_us / GW_SECOND;
}

static const struct camera_metric camera_metrics[] = {
    {"gridwatch_camera_online", "gauge", "1 while the camera delivers frames.", online},
    {"gridwatch_camera_detect_online", "gauge",
     "1 while detect_url delivers frames, or there is none.", detect_online},
    {"gridwatch_camera_state", "gauge", "0 offline, 1 online, 2 degraded.", state},
    {"gridwatch_camera_frame_rate", "gauge", "Pictures a second, of the last 10 s.", frame_rate},
    {"gridwatch_camera_bit_rate", "gauge", "Bits a second, of the last 10 s.", bit_rate},
    {"gridwatch_camera_key_age_seconds", "gauge", "Since the last keyframe; -1 before the first.",
     key_age},
    {"gridwatch_camera_longest_gop_seconds", "gauge",
     "Longest time between two keyframes of this session.", longest_gop},
    {"gridwatch_camera_clock_offset_seconds", "gauge",
     "The camera's clock minus ours; absent while it tells none.", clock_offset},
    {"gridwatch_camera_loss_ratio", "gauge", "Share of RTP packets lost, of the last 10 s.", loss},
    {"gridwatch_camera_lost_packets_total", "counter", "RTP packets that never came.", lost},
    {"gridwatch_camera_skipped_total", "counter", "Pictures that could not be used.", skipped},
    {"gridwatch_camera_packets_total", "counter", "Packets received.", packets},
    {"gridwatch_camera_bytes_total", "counter", "Bytes of video received.", bytes},
    {"gridwatch_camera_reconnects_total", "counter", "Sessions after the first.", reconnects},
    {"gridwatch_camera_decoded_total", "counter", "Pictures decoded.", decoded},
    {"gridwatch_camera_analysis_dropped_total", "counter", "Packets that analysis skipped.",
     dropped},
    {"gridwatch_camera_events_total", "counter", "Events opened.", events},
    {"gridwatch_camera_clips_total", "counter", "Clips begun.", clips},
    {"gridwatch_camera_clips_truncated_total", "counter", "Clips that lack packets.", truncated},
    {"gridwatch_camera_ring_bytes", "gauge", "Pre-roll held in memory.", ring_bytes},
    {"gridwatch_camera_ring_shed_total", "counter",
     "GOPs of pre-roll dropped because all cameras together held too much.", ring_shed},
    {"gridwatch_camera_last_packet_age_seconds", "gauge",
     "Since the last packet; -1 before the first.", packet_age},
    {"gridwatch_camera_analysis_level", "gauge", "0 off, 1 gate, 2 keyframes, 3 full.", level},
    {"gridwatch_camera_analysis_packets_total", "counter", "Packets that analysis has had.",
     analysed},
    {"gridwatch_camera_analysis_cpu_seconds_total", "counter", "CPU time of decoding and looking.",
     cpu},
    {"gridwatch_camera_analysis_audits_total", "counter",
     "GOPs decoded although the level would not.", audits},
    {"gridwatch_camera_analysis_judged_events", "gauge",
     "Events lately that the level could have missed.", judged},
    {"gridwatch_camera_analysis_miss_rate", "gauge", "Share of them that it would have missed.",
     miss_rate},
    {"gridwatch_camera_analysis_miss_rate_high", "gauge", "Upper bound of that, 90 % confidence.",
     miss_high},
};

static void write_head(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

// What is not known has no line.
static void write_value(FILE *out, const struct camera_metric *metric,
                        const struct gw_camera_metrics *metrics)
{
    double value = metric->value(metrics);
    if (!isnan(value))
        fprintf(out, "%s{camera=\"%s\"} %.17g\n", metric->name, metrics->camera, value);
}

void gw_site_status_write_metrics(void *opaque, FILE *out)
{
    struct gw_site_status *status = opaque;

    pthread_mutex_lock(&status->lock);
    for (size_t i = 0; i < sizeof(site_metrics) / sizeof(site_metrics[0]); i++) {
        const struct site_metric *metric = &site_metrics[i];
        const double value = metric->value(&status->counters);
        write_head(out, metric->name, metric->type, metric->help);
        if (!isnan(value))
            fprintf(out, "%s %.17g\n", metric->name, value);
    }
    for (size_t i = 0; i < sizeof(camera_metrics) / sizeof(camera_metrics[0]); i++) {
        const struct camera_metric *metric = &camera_metrics[i];
        write_head(out, metric->name, metric->type, metric->help);
        for (int j = 0; j < status->count; j++)
            write_value(out, metric, &status->cameras[j].metrics);
    }
    pthread_mutex_unlock(&status->lock);
}
