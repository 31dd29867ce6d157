// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A county's committed facts, made by a real index, and what rows they leave: a plain list, against
// which the engines are held.
#pragma once

#include "core/error.h"
#include "storage/index_internal.h"
#include "tests/unit/index_store.h"

#define CAMERAS   14
#define ROWS      300 // of events and of clips
#define GAPS      60
#define FACTS_MAX 8000
#define TRUTH_MAX 4000
#define SPAN_US   (40 * 3600 * GW_SECOND) // touches three days

static struct gw_camera cameras[CAMERAS];

static struct gw_committed_fact facts[FACTS_MAX]; // pointers are owned
static int fact_count;

struct truth {
    enum gw_noun noun;
    struct gw_fact fact; // the newest
    struct gw_place place;
    bool gone;
};
static struct truth truths[TRUTH_MAX];
static int truth_count;

// --- facts ---------------------------------------------------------------------------------------

static int keep_fact(void *opaque, const struct gw_committed_fact *fact)
{
    struct gw_committed_fact *kept = &facts[fact_count++];
    assert_true(fact_count <= FACTS_MAX);
    *kept = *fact;
    kept->kind = strdup(fact->kind);
    kept->topic = strdup(fact->topic);
    kept->camera = strdup(fact->camera);
    kept->data = strdup(fact->data);
    kept->thumbnail = strdup(fact->thumbnail);
    return 0;
}

static void forget_facts(void)
{
    for (int i = 0; i < fact_count; i++) {
        free((char *)facts[i].kind);
        free((char *)facts[i].topic);
        free((char *)facts[i].camera);
        free((char *)facts[i].data);
        free((char *)facts[i].thumbnail);
    }
    fact_count = truth_count = 0;
}

static const struct gw_id *id_of(const struct truth *truth)
{
    return truth->noun == GW_NOUN_EVENT  ? &truth->fact.event.id
           : truth->noun == GW_NOUN_CLIP ? &truth->fact.clip.id
                                         : &truth->fact.gap.id;
}

static struct truth *truth_of(enum gw_noun noun, const struct gw_id *id)
{
    for (int i = 0; i < truth_count; i++)
        if (truths[i].noun == noun && gw_id_equal(id_of(&truths[i]), id))
            return &truths[i];
    return NULL;
}

static void note_truth(enum gw_noun noun, const struct gw_fact *fact, const struct gw_place *place)
{
    const struct truth news = {.noun = noun, .fact = *fact, .place = *place};
    struct truth *old = truth_of(noun, id_of(&news));
    if (!old)
        old = &truths[truth_count++];
    assert_true(truth_count <= TRUTH_MAX);
    *old = news;
}

// From fact number `first` of the list on.
static void learn_truth(int first)
{
    struct gw_fact fact;
    struct gw_place place;

    for (int i = first; i < fact_count; i++) {
        if (gw_fact_from_committed(&facts[i], &fact, &place) < 0)
            fail_msg("%s %s", facts[i].kind, facts[i].data);
        if (!strncmp(facts[i].kind, "event.", 6) && fact.kind != GW_FACT_EVENT_DELETED)
            note_truth(GW_NOUN_EVENT, &fact, &place);
        else if (!strncmp(facts[i].kind, "clip.", 5) && fact.kind != GW_FACT_CLIP_DELETED)
            note_truth(GW_NOUN_CLIP, &fact, &place);
        else if (!strncmp(facts[i].kind, "gap.", 4) && fact.kind != GW_FACT_GAP_DELETED)
            note_truth(GW_NOUN_GAP, &fact, &place);
    }
}

static void collect_facts(void)
{
    const int first = fact_count;
    const uint64_t since = first ? facts[first - 1].seq : 0;
    assert_true(gw_index_facts(idx, since, FACTS_MAX, keep_fact, NULL) >= 0);
    learn_truth(first);
}

// --- a county ------------------------------------------------------------------------------------

static void place_camera(int i, double lon, double lat, double heading)
{
    cameras[i].lon = lon;
    cameras[i].lat = lat;
    cameras[i].view = (struct gw_view){.range_m = 50 * (i % 5)};
    if (i % 2) {
        cameras[i].view.heading_deg = heading;
        cameras[i].view.fov_deg = 90;
    }
    assert_true(gw_index_put_camera(idx, &cameras[i]) >= 0);
}

static void make_cameras(void)
{
    static const char *const divisions[] = {"640323", "640323101", "640323101201", "640323102",
                                            "640324"};
    for (int i = 0; i < CAMERAS; i++) {
        char id[16], grid[16] = "";
        snprintf(id, sizeof(id), "cam-%d", i);
        if (i % 3)
            snprintf(grid, sizeof(grid), "%03d", i % 6);
        cameras[i] = make_camera(id, divisions[i % 5], grid);
        cameras[i].record = GW_RECORD_CONTINUOUS;
        place_camera(i, i % 4 ? 106 + 0.0007 * i : NAN, i % 4 ? 37.5 + 0.0004 * i : NAN, 25 * i);
    }
}

// Durations: mostly seconds, some none at all, few of half an hour.
static int64_t pick_duration(void)
{
    int64_t choice = rand() % 20;
    return choice == 0 ? 0 : choice == 1 ? 1800 * GW_SECOND : rand() % 20000000;
}

static int64_t pick_start(void)
{
    return TEST_START_US + rand() % (SPAN_US / GW_SECOND) / 10 * 10 * GW_SECOND; // many together
}

static struct gw_event pick_event(int i, const char *camera, int64_t start_us)
{
    struct gw_event event = make_event(camera, start_us, start_us + pick_duration());
    event.kind = rand() % 4 ? GW_EVENT_MOTION : (enum gw_event_kind)(rand() % GW_EVENT_KIND_COUNT);
    event.score = rand() % 10001 / 1e4;
    event.zone_count = rand() % 3;
    for (int zone = 0; zone < event.zone_count; zone++)
        snprintf(event.zones[zone], sizeof(event.zones[zone]), "zone %d", zone);
    if (rand() % 3 == 0)
        event.snapshot_us = GW_NO_TIME;
    event.clock_offset_us = rand() % 2 ? GW_NO_TIME : rand() % 5000000 - 2500000;
    event.interrupted = i % 7 == 0;
    return event;
}

// Every 20th never ends.
static void fill_row(int i)
{
    const char *camera = cameras[rand() % CAMERAS].id;
    struct gw_event event = pick_event(i, camera, pick_start());
    struct gw_clip clip = make_clip(camera, event.start_us, event.end_us);

    clip.truncated = i % 6 == 0;
    clip.state = i % 3 ? GW_CLIP_CLOSED : i % 2 ? GW_CLIP_REPAIRED : GW_CLIP_LOST;
    assert_int_equal(commit_event(GW_FACT_EVENT_OPENED, &event), 0);
    assert_int_equal(commit_clip(GW_FACT_CLIP_OPENED, &clip), 0);
    if (i % 5 == 0) {
        event.score = 0.99;
        assert_int_equal(commit_event(GW_FACT_EVENT_UPDATED, &event), 0);
    }
    if (i % 20) {
        assert_int_equal(commit_event(GW_FACT_EVENT_CLOSED, &event), 0);
        assert_int_equal(commit_clip(GW_FACT_CLIP_CLOSED, &clip), 0);
    }
}

// Each camera has holes in its recording, and some have none left after the last.
static void fill_gaps(void)
{
    struct gw_id boot = gw_id_make(TEST_START_US);
    uint64_t seq = 0;

    assert_int_equal(gw_index_settle_coverage(idx, &boot, 1, TEST_START_US), 0);
    for (int i = 0; i < GAPS + CAMERAS; i++) {
        const int64_t at_us = TEST_START_US + (i / CAMERAS) * 3600 * GW_SECOND;
        struct gw_fact_entry entry = {
            .boot = boot,
            .boot_seq = ++seq,
            .fact = {.kind = GW_FACT_COVERAGE,
                     .wall_us = at_us,
                     .coverage = {.change = i < CAMERAS ? GW_COVERAGE_BEGAN : GW_COVERAGE_HOLE,
                                  .cause = i < CAMERAS ? GW_GAP_NONE
                                                       : (enum gw_gap_cause)(1 + rand() % 10),
                                  .from_us = at_us,
                                  .to_us = at_us + (i < CAMERAS ? 0 : 1 + pick_duration())}}};
        strcpy(entry.fact.coverage.camera, cameras[i % CAMERAS].id);
        if (i >= GAPS && i % 2) {
            entry.fact.coverage.change = GW_COVERAGE_BROKE;
            entry.fact.coverage.to_us = at_us;
        }
        assert_int_equal(gw_index_commit(idx, &entry, 1), 0);
    }
}

// Events that were opened, in one commit.
static inline void open_events(const struct gw_event *events, int count)
{
    struct gw_fact_entry *entries = calloc((size_t)count, sizeof(*entries));
    for (int i = 0; i < count; i++)
        entries[i] = (struct gw_fact_entry){.fact = {.kind = GW_FACT_EVENT_OPENED,
                                                     .wall_us = events[i].end_us,
                                                     .event = events[i]}};
    assert_int_equal(gw_index_commit(idx, entries, count), 0);
    free(entries);
}

static int fill(void *opaque)
{
    for (int i = 0; i < ROWS; i++) {
        if (i == ROWS / 2) // two are moved, one is turned
            for (int moved = 5; moved < 8; moved++)
                place_camera(moved, 106.002 + 0.001 * moved, 37.503, 200);
        fill_row(i);
    }
    for (int i = 0; i < CAMERAS; i++) {
        struct gw_fact_entry entry = {
            .fact = {.kind = i % 2 ? GW_FACT_CAMERA_ONLINE : GW_FACT_CAMERA_OFFLINE,
                     .wall_us = TEST_START_US + SPAN_US,
                     .camera = {.status = i % 2 ? GW_CAMERA_ONLINE : GW_CAMERA_OFFLINE,
                                .since_us = TEST_START_US + SPAN_US,
                                .signs = gw_camera_no_signs}}};
        strcpy(entry.fact.camera.camera, cameras[i].id);
        assert_int_equal(gw_index_commit(idx, &entry, 1), 0);
    }
    fill_gaps();
    return 0;
}

// Once for all tests; those that need more commit more.
static int make_county(void **state)
{
    int result = make_store(state);
    srand(7);
    // What a power cut leaves is another test's.
    sqlite3_exec(idx->db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
    make_cameras();
    if (!result)
        result = gw_index_transaction(idx, fill, NULL);
    collect_facts();
    return result;
}

static int remove_county(void **state)
{
    forget_facts();
    return remove_store(state);
}
