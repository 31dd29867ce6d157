// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "tests/faults/scenario.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>

#include "app/recorder.h"
#include "core/clock.h"

// --- the clock -----------------------------------------------------------------------------------

static int64_t clock_us; // of the scenario; 0: the true one

int clock_gettime(clockid_t id, struct timespec *ret)
{
    if (!clock_us || (id != CLOCK_REALTIME && id != CLOCK_MONOTONIC))
        return (int)syscall(SYS_clock_gettime, id, ret);
    const int64_t us = id == CLOCK_REALTIME ? clock_us : clock_us - SCENARIO_START_US + GW_SECOND;
    *ret = (struct timespec){.tv_sec = us / GW_SECOND, .tv_nsec = us % GW_SECOND * 1000};
    return 0;
}

void scenario_set_clock(int64_t wall_us)
{
    clock_us = wall_us;
}

// --- pictures ------------------------------------------------------------------------------------

// Of 128 x 96 pictures.
static const uint8_t parameter_sets[] = {0,    0, 0, 1, 0x67, 0x42, 0x00, 0x0a, 0xf8, 0x41,
                                         0xa2, 0, 0, 0, 1,    0x68, 0xce, 0x38, 0x80};

static struct gw_stream *make_stream(void)
{
    struct gw_stream *stream;
    AVCodecParameters *parameters = avcodec_parameters_alloc();
    parameters->codec_type = AVMEDIA_TYPE_VIDEO;
    parameters->codec_id = AV_CODEC_ID_H264;
    parameters->width = 128;
    parameters->height = 96;
    parameters->extradata = av_mallocz(sizeof(parameter_sets) + AV_INPUT_BUFFER_PADDING_SIZE);
    parameters->extradata_size = sizeof(parameter_sets);
    memcpy(parameters->extradata, parameter_sets, sizeof(parameter_sets));
    if (gw_stream_create(&stream, parameters, 0) < 0)
        abort();
    avcodec_parameters_free(&parameters);
    return stream;
}

static const char mark[] = "picture ";

// A slice whose content is its number and then the same bytes again and again.
static struct gw_packet make_picture(struct gw_stream *stream, int number)
{
    struct gw_packet packet = {0};
    AVPacket *av = av_packet_alloc();
    if (!av || av_new_packet(av, SCENARIO_PICTURE_SIZE) < 0)
        abort();
    const bool key = number % SCENARIO_GOP == 0;
    memcpy(av->data, (uint8_t[]){0, 0, 0, 1, key ? 0x65 : 0x41}, 5);
    memset(av->data + 5, 0x80 + number % 100, SCENARIO_PICTURE_SIZE - 5);
    char text[32];
    memcpy(av->data + 5, text, (size_t)snprintf(text, sizeof(text), "%s%06d", mark, number));
    av->pts = av->dts = scenario_time_us(number);
    av->duration = SCENARIO_PICTURE_US;
    av->flags = key ? AV_PKT_FLAG_KEY : 0;
    gw_packet_init(&packet, &av, stream, gw_mono_us());
    return packet;
}

int scenario_read_number(const uint8_t *bytes, int size)
{
    if (size != SCENARIO_PICTURE_SIZE || memcmp(bytes + 5, mark, strlen(mark)) != 0)
        return -1;
    const int number = atoi((const char *)bytes + 5 + strlen(mark));
    for (int i = 5 + (int)strlen(mark) + 6; i < size; i++)
        if (bytes[i] != 0x80 + number % 100)
            return -1;
    return number;
}

// --- facts: what link.h and ledger.h do, without the socket between ------------------------------

struct site {
    struct gw_index *index;
    struct scenario_ledger *ledger;
    struct gw_id boot;
    struct gw_fact facts[SCENARIO_FACTS];
    int posted, acked;
};

// The recorder's link, of which this program has no other.
void gw_link_post(struct gw_link *link, const struct gw_fact *fact)
{
    struct site *site = (struct site *)link;
    assert(site->posted < SCENARIO_FACTS);
    site->facts[site->posted++] = *fact;
}

static void acknowledge(struct site *site, int64_t seq)
{
    for (; site->acked < seq; site->acked++) {
        const int place = atomic_load(&site->ledger->acked);
        site->ledger->facts[place] = site->facts[site->acked];
        atomic_store(&site->ledger->acked, place + 1);
    }
}

// Commits what waits. What cannot be committed now is sent again.
static void commit(struct site *site)
{
    static struct gw_fact_entry entries[SCENARIO_FACTS];

    for (int i = site->acked; i < site->posted; i++)
        entries[i - site->acked] = (struct gw_fact_entry){
            .boot = site->boot, .boot_seq = (uint64_t)i + 1, .fact = site->facts[i]};
    if (site->posted > site->acked &&
        gw_index_commit(site->index, entries, site->posted - site->acked) == 0)
        acknowledge(site, gw_index_boot_seq(site->index, &site->boot));
}

// --- events --------------------------------------------------------------------------------------

static void report(struct gw_recorder *recorder, enum gw_event_phase phase,
                   const struct gw_event *event, int picture, int version)
{
    static uint8_t jpeg[SCENARIO_SNAPSHOT_SIZE], thumbnail[SCENARIO_THUMBNAIL_SIZE];
    const struct gw_snapshot snapshot = {.jpeg = jpeg,
                                         .jpeg_size = sizeof(jpeg),
                                         .thumbnail = thumbnail,
                                         .thumbnail_size = sizeof(thumbnail)};

    for (int i = 0; version && i < SCENARIO_SNAPSHOT_SIZE; i++)
        jpeg[i] = scenario_snapshot_byte(picture, version == 2, false, i);
    for (int i = 0; version && i < SCENARIO_THUMBNAIL_SIZE; i++)
        thumbnail[i] = scenario_snapshot_byte(picture, version == 2, true, i);
    gw_recorder_event(recorder, phase, event, version ? &snapshot : NULL);
}

// Every SCENARIO_EVENT_EVERY pictures an event opens, with a picture; goes on, with a better one;
// goes on; closes.
static void tell_of_events(struct gw_recorder *recorder, int number)
{
    static struct gw_event event;
    const int since = number % SCENARIO_EVENT_EVERY, first = number - since;
    const int64_t now_us = scenario_time_us(number);

    if (since == 7)
        event = (struct gw_event){.id = gw_id_make(now_us),
                                  .camera = SCENARIO_CAMERA,
                                  .start_us = scenario_time_us(first + SCENARIO_ASKS_FROM),
                                  .confirmed_us = now_us,
                                  .snapshot_us = now_us,
                                  .score = 0.5};
    if (since == 12)
        event.snapshot_us = now_us;
    event.end_us = now_us;
    switch (since) {
    case 7: report(recorder, GW_EVENT_PHASE_OPENED, &event, first, 1); break;
    case 12: report(recorder, GW_EVENT_PHASE_UPDATED, &event, first, 2); break;
    case 15: report(recorder, GW_EVENT_PHASE_UPDATED, &event, first, 0); break;
    case SCENARIO_ASKS_TO:
        event.state = GW_EVENT_CLOSED;
        report(recorder, GW_EVENT_PHASE_CLOSED, &event, first, 0);
    }
}

// --- the site ------------------------------------------------------------------------------------

static int put_camera(struct gw_index *index, bool events_only)
{
    const struct gw_camera camera = {.id = SCENARIO_CAMERA,
                                     .name = "The gate",
                                     .division = "640323",
                                     .record_url = "rtsp://192.0.2.1/gate",
                                     .record =
                                         events_only ? GW_RECORD_EVENTS : GW_RECORD_CONTINUOUS,
                                     .enabled = true,
                                     .lon = NAN,
                                     .lat = NAN};
    return gw_index_put_camera(index, &camera);
}

// As a service is: started again when it cannot start.
static bool start(struct site *site, const char *store)
{
    for (int tries = 0; tries < 5; tries++) {
        char error[GW_INDEX_ERROR_SIZE];
        if (gw_index_open(&site->index, store, GW_INDEX_WRITE, "640323", error) == 0) {
            if (put_camera(site->index, site->ledger->events_only) >= 0 &&
                gw_index_settle_coverage(site->index, &site->boot, 1, gw_wall_us()) == 0)
                return true;
            gw_index_close(&site->index);
        }
    }
    return false;
}

// Lets the disk be well again when its time is over.
static void heal(struct scenario_ledger *ledger, struct fault_state *faults, int64_t ill_us,
                 int picture)
{
    static int64_t ill_since_us;
    for (int i = 0; faults && i < FAULT_CLASSES; i++)
        if (!ill_since_us && faults->plans[i].hits)
            ill_since_us = gw_wall_us();
    if (!ill_us || !ill_since_us || ledger->healed || gw_wall_us() - ill_since_us < ill_us)
        return;
    for (int i = 0; i < FAULT_CLASSES; i++)
        faults->plans[i].from = 0;
    ledger->healed = picture;
}

static void play(struct site *site, struct gw_recorder *recorder, struct gw_ring *ring,
                 struct fault_state *faults, int64_t ill_us)
{
    struct gw_stream *stream = make_stream();
    for (int i = 0; i < site->ledger->pictures; i++) {
        scenario_set_clock(scenario_time_us(i));
        heal(site->ledger, faults, ill_us, i);
        struct gw_packet packet = make_picture(stream, i);
        gw_recorder_received(recorder, &packet);
        gw_ring_push(ring, &packet);
        site->ledger->sent = i + 1;
        tell_of_events(recorder, i);
        while (gw_recorder_step(recorder))
            ;
        commit(site);
        if (site->ledger->pace_us)
            usleep((useconds_t)site->ledger->pace_us);
    }
    gw_stream_unref(&stream);
}

// What is not acknowledged yet is sent again for a while.
static void drain(struct site *site, struct fault_state *faults, int64_t ill_us)
{
    const int pictures = site->ledger->pictures;
    for (int i = 0; i < 50; i++) {
        scenario_set_clock(scenario_time_us(pictures + i));
        heal(site->ledger, faults, ill_us, pictures + i);
        commit(site);
    }
}

void scenario_run(const char *store, struct scenario_ledger *ledger, struct fault_state *faults,
                  int64_t ill_us)
{
    struct site *site = calloc(1, sizeof(*site));
    struct gw_ring *ring;
    struct gw_recorder *recorder;
    static const struct gw_log log = {.name = "scenario"};

    scenario_set_clock(SCENARIO_START_US);
    site->ledger = ledger;
    if (!site || gw_ring_create(&ring, &gw_ring_defaults) < 0)
        abort();
    site->boot = gw_id_make(gw_wall_us());
    if (start(site, store)) {
        ledger->started = 1;
        const enum gw_record_mode mode =
            ledger->events_only ? GW_RECORD_EVENTS : GW_RECORD_CONTINUOUS;
        const struct gw_recorder_config config = {.camera = SCENARIO_CAMERA,
                                                  .mode = mode,
                                                  .settings = {.preroll_us = GW_SECOND,
                                                               .postroll_us = GW_SECOND,
                                                               .split_us = SCENARIO_SPLIT_US,
                                                               .stall_us = 5 * GW_SECOND},
                                                  .store = store,
                                                  .ring = ring,
                                                  .link = (struct gw_link *)site,
                                                  .log = &log};
        if (gw_recorder_create(&recorder, &config) < 0)
            abort();
        play(site, recorder, ring, faults, ill_us);
        gw_recorder_finish(recorder);
        ledger->finished = 1;
        drain(site, faults, ill_us);
        ledger->drained = site->acked == site->posted;
        gw_recorder_destroy(&recorder);
        gw_index_close(&site->index);
    }
    gw_ring_destroy(&ring);
    free(site);
}
