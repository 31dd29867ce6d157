// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Measures the index of a county: queries while events are being committed, and commits. Printed as
// JSON, one object per line; tests/bench/index makes a table of it.

#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/bench/index_beside.h"
#include "tests/bench/index_county.h"

enum { READERS_MAX = 16, SAMPLES_MAX = 1 << 20, PAGE = 100 };

struct bench {
    struct county county;
    int readers;
    double seconds;
    double asked_per_s;     // by each reader
    double events_per_s;    // committed beside the queries
    double sustained_per_s; // in the part that only commits
    const char *redis;      // address of an empty one; NULL: none
    int64_t redis_events;
    atomic_bool stop;
};

// --- samples -------------------------------------------------------------------------------------

struct samples {
    double *ms;
    int count;
};

static void add(struct samples *samples, double ms)
{
    if (!samples->ms)
        samples->ms = malloc(SAMPLES_MAX * sizeof(double));
    if (samples->count < SAMPLES_MAX)
        samples->ms[samples->count++] = ms;
}

static int by_size(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double percentile(struct samples *samples, double share)
{
    if (!samples->count)
        return 0;
    qsort(samples->ms, (size_t)samples->count, sizeof(double), by_size);
    return samples->ms[(int)((samples->count - 1) * share)];
}

static void print_samples(const char *what, const char *part, struct samples *wall,
                          struct samples *cpu, const char *more)
{
    printf(
        "{\"part\": \"%s\", \"what\": \"%s\", \"count\": %d, \"p50_ms\": %.3f, \"p99_ms\": %.3f, "
        "\"max_ms\": %.3f, \"cpu_p99_ms\": %.3f%s}\n",
        part, what, wall->count, percentile(wall, 0.5), percentile(wall, 0.99), percentile(wall, 1),
        cpu ? percentile(cpu, 0.99) : 0, more);
    fflush(stdout);
}

static void die(const char *what, const char *why)
{
    fprintf(stderr, "index bench: %s: %s\n", what, why);
    exit(1);
}

static double thread_cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void sleep_until(int64_t mono_us)
{
    const int64_t wait_us = mono_us - gw_mono_us();
    if (wait_us > 0)
        usleep((useconds_t)wait_us);
}

static struct gw_index *open_index(const struct bench *bench, enum gw_index_mode mode)
{
    char error[GW_INDEX_ERROR_SIZE];
    struct gw_index *index;

    if (gw_index_open(&index, bench->county.store, mode, COUNTY_DIVISION, error) < 0)
        die("cannot open the index", error);
    return index;
}

// --- readers -------------------------------------------------------------------------------------

struct reader {
    struct bench *bench;
    pthread_t thread;
    uint64_t seed;
    struct samples wall[QUESTION_COUNT], cpu[QUESTION_COUNT];
    int64_t rows[QUESTION_COUNT];
};

// A first page: of events and of clips in turn.
static int ask(struct gw_index *index, const struct gw_query *query, bool clips, void *rows)
{
    char cursor[64];
    return clips ? gw_index_clips(index, query, rows, cursor)
                 : gw_index_events(index, query, rows, cursor);
}

// The handle is made ready before it is asked, as the console does with those of its pool.
static void *read_on(void *opaque)
{
    struct reader *reader = opaque;
    struct bench *bench = reader->bench;
    struct gw_index *index = open_index(bench, GW_INDEX_READ);
    struct gw_event_row *rows = calloc(PAGE, sizeof(*rows));
    const int64_t step_us = (int64_t)(1e6 / bench->asked_per_s);

    if (gw_index_warm(index))
        die("cannot read places", gw_index_error(index));
    int64_t next_us = gw_mono_us();
    for (int i = 0; !bench->stop; i++) {
        const enum county_question question = (enum county_question)(i % QUESTION_COUNT);
        struct gw_query query;
        county_ask(&bench->county, question, &reader->seed, &query);
        query.limit = PAGE;
        const int64_t start_us = gw_mono_us();
        const double start_ms = thread_cpu_ms();
        const int count = ask(index, &query, i / QUESTION_COUNT % 2, rows);
        if (count < 0)
            die("a query failed", gw_index_error(index));
        add(&reader->wall[question], (double)(gw_mono_us() - start_us) / 1e3);
        add(&reader->cpu[question], thread_cpu_ms() - start_ms);
        reader->rows[question] += count;
        next_us += step_us;
        if (next_us < gw_mono_us())
            next_us = gw_mono_us();
        sleep_until(next_us);
    }
    free(rows);
    gw_index_close(&index);
    return NULL;
}

static void join_samples(struct samples *ret, const struct samples *more)
{
    for (int i = 0; i < more->count; i++)
        add(ret, more->ms[i]);
}

static void print_readers(struct reader *readers, int count, const char *part)
{
    for (int question = 0; question < QUESTION_COUNT; question++) {
        struct samples wall = {0}, cpu = {0};
        char more[64];
        int64_t rows = 0;
        for (int i = 0; i < count; i++) {
            join_samples(&wall, &readers[i].wall[question]);
            join_samples(&cpu, &readers[i].cpu[question]);
            rows += readers[i].rows[question];
        }
        snprintf(more, sizeof(more), ", \"rows\": %.1f",
                 (double)rows / (wall.count ? wall.count : 1));
        print_samples(county_question_names[question], part, &wall, &cpu, more);
        free(wall.ms);
        free(cpu.ms);
    }
}

// --- the writer ----------------------------------------------------------------------------------

struct writer {
    struct bench *bench;
    double per_s;
    struct samples wall;
    int64_t events;
    double took_s;
};

// Commits what a hub would have got meanwhile: events that arrive evenly, in batches of up to 256.
static void *write_on(void *opaque)
{
    struct writer *writer = opaque;
    struct gw_index *index = open_index(writer->bench, GW_INDEX_WRITE);
    static struct gw_fact_entry batch[256];
    uint64_t state = 4711;
    const int64_t begun_us = gw_mono_us();

    while (!writer->bench->stop) {
        const int64_t now_us = gw_mono_us();
        const int64_t due = (int64_t)((double)(now_us - begun_us) / 1e6 * writer->per_s);
        int count = 0;
        for (; count < 256 && writer->events + count < due; count++) {
            batch[count] = (struct gw_fact_entry){
                .fact = {.kind = GW_FACT_EVENT_OPENED, .wall_us = gw_wall_us()}};
            county_event(&writer->bench->county, &state, gw_wall_us(), &batch[count].fact.event);
        }
        if (!count) {
            usleep(2000);
            continue;
        }
        const int64_t start_us = gw_mono_us();
        if (gw_index_commit(index, batch, count))
            die("a commit failed", gw_index_error(index));
        add(&writer->wall, (double)(gw_mono_us() - start_us) / 1e3);
        writer->events += count;
    }
    writer->took_s = (double)(gw_mono_us() - begun_us) / 1e6;
    gw_index_close(&index);
    return NULL;
}

static void print_writer(struct writer *writer, const char *part, const char *what)
{
    char more[96];
    snprintf(more, sizeof(more), ", \"events_per_s\": %.0f, \"wanted_per_s\": %.0f",
             (double)writer->events / writer->took_s, writer->per_s);
    print_samples(what, part, &writer->wall, NULL, more);
}

// --- parts ---------------------------------------------------------------------------------------

static int open_file(const struct bench *bench)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/index.db", bench->county.store);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        die(path, "cannot be read");
    return fd;
}

// A site that runs has its index in memory, as far as there is room.
static void fill_page_cache(const struct bench *bench)
{
    static char bytes[1 << 20];
    const int fd = open_file(bench);
    while (read(fd, bytes, sizeof(bytes)) > 0)
        continue;
    close(fd);
}

static void empty_page_cache(const struct bench *bench)
{
    const int fd = open_file(bench);
    fsync(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
}

// cold: of an index that is not in memory.
static void measure_queries(struct bench *bench, bool cold, double seconds)
{
    static struct reader readers[READERS_MAX];
    struct writer writer = {.bench = bench, .per_s = bench->events_per_s};
    pthread_t thread;

    bench->stop = false;
    pthread_create(&thread, NULL, write_on, &writer);
    for (int i = 0; i < bench->readers; i++) {
        readers[i] = (struct reader){.bench = bench, .seed = 1000003 * (uint64_t)(i + 1)};
        pthread_create(&readers[i].thread, NULL, read_on, &readers[i]);
    }
    usleep((useconds_t)(seconds * 1e6));
    bench->stop = true;
    for (int i = 0; i < bench->readers; i++)
        pthread_join(readers[i].thread, NULL);
    pthread_join(thread, NULL);
    print_readers(readers, bench->readers, cold ? "cold" : "query");
    print_writer(&writer, cold ? "cold" : "commit", "commits beside the queries");
}

static void measure_commits(struct bench *bench)
{
    struct writer writer = {.bench = bench, .per_s = bench->sustained_per_s};
    pthread_t thread;

    bench->stop = false;
    pthread_create(&thread, NULL, write_on, &writer);
    usleep((useconds_t)(bench->seconds * 1e6));
    bench->stop = true;
    pthread_join(thread, NULL);
    print_writer(&writer, "commit", "commits alone");
}

static void measure_start(const struct bench *bench)
{
    const int64_t start_us = gw_mono_us();
    struct gw_index *index = open_index(bench, GW_INDEX_WRITE);
    printf("{\"part\": \"open\", \"ms\": %.1f}\n", (double)(gw_mono_us() - start_us) / 1e3);
    gw_index_close(&index);
}

static void print_size(const struct bench *bench)
{
    char path[4096];
    struct stat status;
    const double rows = (double)(bench->county.events + bench->county.clips) / 1e6;

    snprintf(path, sizeof(path), "%s/index.db", bench->county.store);
    if (stat(path, &status) < 0)
        die(path, "cannot be looked at");
    printf("{\"part\": \"size\", \"events\": %" PRId64 ", \"clips\": %" PRId64
           ", \"mib\": %.1f, \"mib_per_million_rows\": %.1f}\n",
           bench->county.events, bench->county.clips, (double)status.st_size / (1 << 20),
           (double)status.st_size / (1 << 20) / rows);
}

struct answers {
    struct samples ms[2][QUESTION_COUNT]; // of the embedded engine, and of Redis
};

static void note_answer(void *opaque, const char *engine, enum county_question question, double ms,
                        int rows)
{
    struct answers *answers = opaque;
    add(&answers->ms[!strcmp(engine, "redis")][question], ms);
}

static void measure_beside(struct bench *bench)
{
    static struct answers answers;
    struct beside beside = {.county = &bench->county,
                            .index = open_index(bench, GW_INDEX_READ),
                            .address = bench->redis,
                            .events = bench->redis_events,
                            .rounds = 200,
                            .opaque = &answers,
                            .answered = note_answer};

    beside_run(&beside);
    for (int engine = 0; engine < 2; engine++)
        for (int question = 0; question < QUESTION_COUNT; question++)
            print_samples(county_question_names[question], engine ? "redis" : "sqlite",
                          &answers.ms[engine][question], NULL, "");
    gw_index_close(&beside.index);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"store", required_argument, NULL, 's'},        {"events", required_argument, NULL, 'e'},
        {"clips", required_argument, NULL, 'c'},        {"cameras", required_argument, NULL, 'k'},
        {"seconds", required_argument, NULL, 't'},      {"readers", required_argument, NULL, 'r'},
        {"asked", required_argument, NULL, 'a'},        {"redis", required_argument, NULL, 'R'},
        {"redis-events", required_argument, NULL, 'E'}, {0}};
    struct bench bench = {
        .county = {.cameras = 5000, .events = 10000000, .clips = 5000000, .seed = 20260504},
        .readers = 4,
        .seconds = 60,
        .asked_per_s = 10,
        .events_per_s = 500,
        .sustained_per_s = 2000};

    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (option) {
        case 's': bench.county.store = optarg; break;
        case 'e': bench.county.events = atoll(optarg); break;
        case 'c': bench.county.clips = atoll(optarg); break;
        case 'k': bench.county.cameras = atoi(optarg); break;
        case 't': bench.seconds = atof(optarg); break;
        case 'r': bench.readers = atoi(optarg); break;
        case 'a': bench.asked_per_s = atof(optarg); break;
        case 'R': bench.redis = optarg; break;
        case 'E': bench.redis_events = atoll(optarg); break;
        default: return 2;
        }
    if (!bench.county.store || bench.readers < 1 || bench.readers > READERS_MAX ||
        bench.county.cameras < 1 || bench.asked_per_s <= 0) {
        fprintf(stderr, "usage: index_bench --store DIR [--events N] [--clips N] [--cameras N]"
                        " [--seconds S] [--readers N] [--asked PER_S]"
                        " [--redis ADDRESS [--redis-events N]]\n");
        return 2;
    }
    const int64_t start_us = gw_mono_us();
    county_make(&bench.county);
    printf("{\"part\": \"made\", \"s\": %.0f}\n", (double)(gw_mono_us() - start_us) / 1e6);
    fflush(stdout);
    print_size(&bench);
    measure_start(&bench);
    fill_page_cache(&bench);
    measure_queries(&bench, false, bench.seconds);
    empty_page_cache(&bench);
    measure_queries(&bench, true, bench.seconds / 4);
    measure_commits(&bench);
    if (bench.redis)
        measure_beside(&bench);
    return 0;
}
