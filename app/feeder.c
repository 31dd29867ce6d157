// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/feeder.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/index_redis.h"

enum { BATCH = 500 }; // facts in one call; Redis serves nobody else meanwhile
// Away for longer, it is filled anew: what was deleted meanwhile may not be told any more.
#define AWAY_MOST_US (24 * 3600 * GW_SECOND)
#define CHECK_US     (2 * GW_SECOND) // how often it is asked whether it still has what it had
#define WAIT_US      (GW_SECOND / 2) // after the first failure; twice as long after each
#define WAIT_MAX_US  (5 * GW_SECOND)

static const char starting[] = "the shared index is being connected";
static const char filling[] = "the shared index is being filled; until then it lacks rows";
static const char unreachable[] =
    "the shared index cannot be reached; check that its Redis runs and that index.redis names it";
static const char unauthorised[] =
    "the shared index refuses the site's password; check index.redis_password_file";
static const char refusing[] =
    "the shared index does not take what happened here; the site's log says why";

struct batch {
    struct gw_committed_fact facts[BATCH]; // pointers are owned
    int count;
};

struct gw_feeder {
    struct gw_feeder_config config;
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct gw_feeder_state state; // under the lock
    bool stopping;                // likewise

    // The thread's own.
    struct gw_index *index;
    struct gw_redis *redis;
    uint64_t taken; // by Redis, of what this thread fed or found to be whole
    bool failing;   // said so already
    struct batch batch;
};

// --- what others see -----------------------------------------------------------------------------

static void set_problem(struct gw_feeder *feeder, const char *problem)
{
    pthread_mutex_lock(&feeder->lock);
    feeder->state.problem = problem;
    pthread_mutex_unlock(&feeder->lock);
}

static void note_taken(struct gw_feeder *feeder, uint64_t taken, int fed)
{
    feeder->taken = taken;
    pthread_mutex_lock(&feeder->lock);
    feeder->state.taken = taken;
    feeder->state.fed += (uint64_t)fed;
    if (taken > feeder->state.head)
        feeder->state.head = taken;
    pthread_mutex_unlock(&feeder->lock);
}

void gw_feeder_read(struct gw_feeder *feeder, struct gw_feeder_state *ret)
{
    pthread_mutex_lock(&feeder->lock);
    *ret = feeder->state;
    pthread_mutex_unlock(&feeder->lock);
}

void gw_feeder_wake(struct gw_feeder *feeder, uint64_t head)
{
    if (!feeder)
        return;
    pthread_mutex_lock(&feeder->lock);
    if (head > feeder->state.head)
        feeder->state.head = head;
    pthread_cond_signal(&feeder->changed);
    pthread_mutex_unlock(&feeder->lock);
}

static bool is_stopping(struct gw_feeder *feeder)
{
    pthread_mutex_lock(&feeder->lock);
    const bool stopping = feeder->stopping;
    pthread_mutex_unlock(&feeder->lock);
    return stopping;
}

// Waits until there are facts behind `since`, or it stops; at most so long. Returns whether there
// are.
static bool wait_for_news(struct gw_feeder *feeder, uint64_t since, int64_t most_us)
{
    const int64_t end_us = gw_mono_us() + most_us;
    const struct timespec end = {.tv_sec = end_us / GW_SECOND,
                                 .tv_nsec = end_us % GW_SECOND * 1000};
    int waited = 0;

    pthread_mutex_lock(&feeder->lock);
    while (feeder->state.head <= since && !feeder->stopping && waited == 0)
        waited = pthread_cond_timedwait(&feeder->changed, &feeder->lock, &end);
    const bool news = feeder->state.head > since;
    pthread_mutex_unlock(&feeder->lock);
    return news;
}

// --- batches -------------------------------------------------------------------------------------

static void empty_batch(struct batch *batch)
{
    for (int i = 0; i < batch->count; i++) {
        free((char *)batch->facts[i].kind);
        free((char *)batch->facts[i].topic);
        free((char *)batch->facts[i].camera);
        free((char *)batch->facts[i].data);
        free((char *)batch->facts[i].thumbnail);
    }
    batch->count = 0;
}

static const char *copy(const char *text)
{
    char *own = strdup(text);
    if (!own)
        abort();
    return own;
}

static int keep_fact(void *opaque, const struct gw_committed_fact *fact)
{
    struct batch *batch = opaque;

    batch->facts[batch->count++] = (struct gw_committed_fact){.seq = fact->seq,
                                                              .wall_us = fact->wall_us,
                                                              .kind = copy(fact->kind),
                                                              .topic = copy(fact->topic),
                                                              .camera = copy(fact->camera),
                                                              .data = copy(fact->data),
                                                              .thumbnail = copy(fact->thumbnail)};
    return 0;
}

// --- feeding -------------------------------------------------------------------------------------

static int open_index(struct gw_feeder *feeder)
{
    char error[GW_INDEX_ERROR_SIZE];
    const int result = feeder->index ? 0
                                     : gw_index_open(&feeder->index, feeder->config.store,
                                                     GW_INDEX_READ, feeder->config.division, error);

    if (result && !feeder->failing)
        gw_log_error(feeder->config.log, "cannot feed the shared index: %s", error);
    return result;
}

static int open_redis(struct gw_feeder *feeder)
{
    char error[GW_INDEX_ERROR_SIZE];
    const struct gw_redis_config config = {
        .address = feeder->config.address,
        .password_file = feeder->config.password_file,
        .division = feeder->config.division,
        .epoch = gw_index_epoch(feeder->index),
        .day_offset_us = -gw_index_day_start_us(feeder->index, 0),
    };
    const int result = gw_index_redis_open(&feeder->redis, &config, error);

    if (result && !feeder->failing)
        gw_log_warning(feeder->config.log,
                       "the shared index cannot be fed: %s; recording goes on, and it is tried "
                       "again at least every %d s",
                       error, (int)(WAIT_MAX_US / GW_SECOND));
    return result;
}

// The next fact to feed is the first. Removes what is there of this index, if there may be any.
static int begin_anew(struct gw_feeder *feeder, bool clear)
{
    gw_log_info(feeder->config.log, "the shared index is filled from the beginning");
    set_problem(feeder, filling);
    pthread_mutex_lock(&feeder->lock);
    feeder->state.refills++;
    pthread_mutex_unlock(&feeder->lock);
    note_taken(feeder, 0, 0);
    int result = clear;
    while (result == 1 && !is_stopping(feeder))
        result = gw_index_redis_clear_part(feeder->redis);
    return result < 0 ? result : 0;
}

// Whether the journal still has all that follows a fact: else it may lack what said that rows were
// deleted. Returns 1, 0, or an error.
static int is_whole_behind(struct gw_feeder *feeder, uint64_t seq)
{
    struct batch *batch = &feeder->batch;
    const int result = gw_index_facts(feeder->index, seq, 1, keep_fact, batch);
    const bool whole = result < 1 || (batch->facts[0].seq == seq + 1 &&
                                      gw_wall_us() - batch->facts[0].wall_us < AWAY_MOST_US);

    empty_batch(batch);
    return result < 0 ? result : whole;
}

// Finds out where to go on, or begins anew.
static int find_position(struct gw_feeder *feeder)
{
    const int64_t taken = gw_index_redis.taken(feeder->redis), head = gw_index_head(feeder->index);
    int whole = 1;

    if (head < 0)
        return (int)head;
    gw_feeder_wake(feeder, (uint64_t)head);
    if (taken > 0 && (uint64_t)taken != feeder->taken)
        whole = is_whole_behind(feeder, (uint64_t)taken);
    if (whole < 0)
        return whole;
    if (taken == GW_ERROR_LAPPED || taken > head || taken == 0 || !whole)
        return begin_anew(feeder, taken != 0);
    if (taken < 0)
        return (int)taken;
    note_taken(feeder, (uint64_t)taken, 0);
    return 0;
}

// Sends the next facts, and hears of those before them; when there are none, of all. Returns 1
// while there may be more to do, 0, or an error.
static int feed(struct gw_feeder *feeder)
{
    struct batch *batch = &feeder->batch;
    const int64_t sent = gw_index_redis_sent(feeder->redis);

    if (sent < 0)
        return (int)sent;
    if ((uint64_t)sent < feeder->taken)
        return GW_ERROR_LAPPED; // it was emptied
    int result = gw_index_facts(feeder->index, (uint64_t)sent, BATCH, keep_fact, batch);
    if (result > 0)
        result = gw_index_redis_send(feeder->redis, batch->facts, batch->count);
    else if (!result)
        result = gw_index_redis_settle(feeder->redis);
    if (!result && gw_index_redis_heard(feeder->redis) >= 0)
        note_taken(feeder, (uint64_t)gw_index_redis_heard(feeder->redis), batch->count);
    if (!result)
        result = batch->count > 0;
    empty_batch(batch);
    return result;
}

static void note_success(struct gw_feeder *feeder)
{
    if (feeder->failing)
        gw_log_info(feeder->config.log, "the shared index is up to date again");
    feeder->failing = false;
    set_problem(feeder, NULL);
}

// Whether it still has what it had.
static int check(struct gw_feeder *feeder)
{
    const int64_t taken = gw_index_redis.taken(feeder->redis);
    if (taken < 0)
        return (int)taken;
    return (uint64_t)taken == feeder->taken ? 0 : GW_ERROR_LAPPED;
}

// Feeds until something is wrong or it stops. Returns what is wrong.
static int feed_on(struct gw_feeder *feeder)
{
    int result = find_position(feeder);

    while (result >= 0 && !is_stopping(feeder)) {
        result = feed(feeder);
        if (result > 0)
            continue;
        if (!result) {
            note_success(feeder);
            if (!wait_for_news(feeder, feeder->taken, CHECK_US))
                result = check(feeder);
        }
        if (result == GW_ERROR_LAPPED)
            result = begin_anew(feeder, true);
    }
    return result;
}

// --- the thread ----------------------------------------------------------------------------------

static const char *problem_of(int error)
{
    if (error == -ENOTCONN)
        return unreachable;
    return error == GW_ERROR_UNAUTHORIZED ? unauthorised : refusing;
}

static void note_failure(struct gw_feeder *feeder, int error)
{
    if (feeder->redis && !feeder->failing)
        gw_log_warning(feeder->config.log,
                       "the shared index is not fed: %s; recording goes on, and it is tried again "
                       "at least every %d s",
                       gw_index_redis.error(feeder->redis), (int)(WAIT_MAX_US / GW_SECOND));
    feeder->failing = true;
    pthread_mutex_lock(&feeder->lock);
    feeder->state.problem = problem_of(error);
    feeder->state.taken = 0;
    feeder->state.failures++;
    pthread_mutex_unlock(&feeder->lock);
}

// One connection, from its beginning to what ended it.
static int run_once(struct gw_feeder *feeder)
{
    int result = open_index(feeder);

    if (!result)
        result = open_redis(feeder);
    if (!result)
        result = feed_on(feeder);
    if (result < 0)
        note_failure(feeder, result);
    if (feeder->redis)
        gw_index_redis.close(feeder->redis);
    feeder->redis = NULL;
    return result;
}

static void *run(void *opaque)
{
    struct gw_feeder *feeder = opaque;
    int64_t wait_us = WAIT_US;

    while (!is_stopping(feeder)) {
        const uint64_t fed = feeder->state.fed; // nobody else changes it
        const int result = run_once(feeder);
        if (feeder->state.fed != fed)
            wait_us = WAIT_US;
        if (result < 0)
            wait_for_news(feeder, UINT64_MAX, wait_us);
        wait_us = 2 * wait_us < WAIT_MAX_US ? 2 * wait_us : WAIT_MAX_US;
    }
    return NULL;
}

int gw_feeder_create(struct gw_feeder **ret, const struct gw_feeder_config *config)
{
    struct gw_feeder *feeder = calloc(1, sizeof(*feeder));
    pthread_condattr_t attributes;

    if (!feeder)
        return -ENOMEM;
    feeder->config = *config;
    feeder->state.problem = starting;
    pthread_mutex_init(&feeder->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&feeder->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&feeder->thread, NULL, run, feeder) != 0) {
        pthread_cond_destroy(&feeder->changed);
        pthread_mutex_destroy(&feeder->lock);
        free(feeder);
        return -ENOMEM;
    }
    *ret = feeder;
    return 0;
}

void gw_feeder_destroy(struct gw_feeder **feeder)
{
    struct gw_feeder *gone = *feeder;

    *feeder = NULL;
    if (!gone)
        return;
    pthread_mutex_lock(&gone->lock);
    gone->stopping = true;
    pthread_cond_signal(&gone->changed);
    pthread_mutex_unlock(&gone->lock);
    pthread_join(gone->thread, NULL);
    gw_index_close(&gone->index);
    pthread_cond_destroy(&gone->changed);
    pthread_mutex_destroy(&gone->lock);
    free(gone);
}
