// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "tests/bench/index_beside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "storage/index_redis.h"

enum { PAGE = 100, STEP = 500 };

struct feeding {
    const struct beside *beside;
    struct gw_redis *redis;
    struct gw_committed_fact facts[STEP];
    int count;
    uint64_t seq;
    int64_t oldest_us; // the later of where events and clips begin
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "index bench: %s: %s\n", what, why);
    exit(1);
}

static void flush(struct feeding *feeding)
{
    if (gw_index_redis_send(feeding->redis, feeding->facts, feeding->count))
        die("Redis took no facts", gw_index_redis.error(feeding->redis));
    for (int i = 0; i < feeding->count; i++)
        free((char *)feeding->facts[i].data);
    feeding->count = 0;
}

// The fact that tells of a row; takes its JSON.
static void feed(struct feeding *feeding, const char *kind, int64_t wall_us, json_t *noun,
                 const struct gw_place *place)
{
    gw_place_to_json_numbered(noun, place);
    feeding->facts[feeding->count++] =
        (struct gw_committed_fact){.seq = ++feeding->seq,
                                   .wall_us = wall_us,
                                   .kind = kind,
                                   .topic = "",
                                   .camera = "",
                                   .data = json_dumps(noun, JSON_COMPACT | JSON_REAL_PRECISION(12)),
                                   .thumbnail = ""};
    json_decref(noun);
    if (feeding->count == STEP)
        flush(feeding);
}

static void feed_events(struct feeding *feeding)
{
    struct gw_event_row *rows = calloc(1000, sizeof(*rows));
    struct gw_query query;
    int64_t fed = 0, oldest_us = INT64_MAX;
    int count;

    gw_query_init(&query);
    query.limit = 1000;
    query.to_us = feeding->beside->county->last_us;
    do {
        count = gw_index_events(feeding->beside->index, &query, rows, query.cursor);
        for (int i = 0; i < count; i++) {
            oldest_us = rows[i].event.start_us;
            feed(feeding, "event.closed", rows[i].event.end_us, gw_event_to_json(&rows[i].event),
                 &rows[i].place);
        }
        fed += count;
    } while (count > 0 && *query.cursor && fed < feeding->beside->events);
    feeding->oldest_us = oldest_us;
    free(rows);
}

static void feed_clips(struct feeding *feeding)
{
    struct gw_clip_row *rows = calloc(1000, sizeof(*rows));
    struct gw_query query;
    int64_t fed = 0, oldest_us = INT64_MAX;
    int count;

    gw_query_init(&query);
    query.limit = 1000;
    query.to_us = feeding->beside->county->last_us;
    do {
        count = gw_index_clips(feeding->beside->index, &query, rows, query.cursor);
        for (int i = 0; i < count; i++) {
            oldest_us = rows[i].clip.start_us;
            feed(feeding, "clip.closed", rows[i].clip.end_us, gw_clip_to_json(&rows[i].clip),
                 &rows[i].place);
        }
        fed += count;
    } while (count > 0 && *query.cursor && fed < feeding->beside->events / 2);
    if (oldest_us > feeding->oldest_us)
        feeding->oldest_us = oldest_us;
    free(rows);
}

static void ask(const struct beside *beside, const struct gw_index_engine *engine, void *self,
                enum county_question question, const struct gw_query *query)
{
    static struct gw_event_row rows[PAGE];
    char cursor[64];
    const int64_t start_us = gw_mono_us();
    const int count = engine->events(self, query, rows, cursor);

    if (count < 0)
        die(engine->name, engine->error(self));
    beside->answered(beside->opaque, engine->name, question,
                     (double)(gw_mono_us() - start_us) / 1e3, count);
}

void beside_run(const struct beside *beside)
{
    char error[GW_INDEX_ERROR_SIZE];
    const struct gw_redis_config config = {.address = beside->address,
                                           .division = COUNTY_DIVISION,
                                           .epoch = gw_index_epoch(beside->index),
                                           .day_offset_us =
                                               -gw_index_day_start_us(beside->index, 0)};
    struct feeding feeding = {.beside = beside};
    struct county window = *beside->county;
    uint64_t state = 99;

    if (gw_index_redis_open(&feeding.redis, &config, error) < 0)
        die("cannot use the Redis", error);
    const int64_t start_us = gw_mono_us();
    feed_events(&feeding);
    feed_clips(&feeding);
    flush(&feeding);
    if (gw_index_redis_settle(feeding.redis))
        die("Redis took no facts", gw_index_redis.error(feeding.redis));
    printf("{\"part\": \"fill\", \"rows\": %" PRIu64 ", \"s\": %.1f}\n", feeding.seq,
           (double)(gw_mono_us() - start_us) / 1e6);
    window.first_us = feeding.oldest_us;
    for (int i = 0; i < beside->rounds * QUESTION_COUNT; i++) {
        const enum county_question question = (enum county_question)(i % QUESTION_COUNT);
        struct gw_query query;
        county_ask(&window, question, &state, &query);
        query.limit = PAGE;
        ask(beside, &gw_index_sqlite, beside->index, question, &query);
        ask(beside, &gw_index_redis, feeding.redis, question, &query);
    }
    gw_index_redis.close(feeding.redis);
}
