// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// From what workers tell of coverage to gaps in the index.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "core/error.h"
#include "storage/index_internal.h"
#include "tests/unit/index_store.h"

#define S GW_SECOND
#define T TEST_START_US

// --- workers -------------------------------------------------------------------------------------

static struct gw_id boots[3]; // of runs of workers; made anew for each
static uint64_t seqs[3];

static void start_worker(int worker)
{
    boots[worker] = gw_id_make(T);
    seqs[worker] = 0;
}

static void add_camera(enum gw_record_mode record, bool enabled)
{
    struct gw_camera camera = make_camera("gate", "640323101", "004");
    camera.record = record;
    camera.enabled = enabled;
    assert_true(gw_index_put_camera(idx, &camera) >= 0);
}

static void settle_with(int64_t now_us, int workers)
{
    assert_int_equal(gw_index_settle_coverage(idx, boots, workers, now_us), 0);
}

static void settle(int64_t now_us)
{
    settle_with(now_us, 3);
}

static void begin_site(void)
{
    for (int i = 0; i < 3; i++)
        start_worker(i);
    add_camera(GW_RECORD_CONTINUOUS, true);
    settle(T);
}

static int start_site(void **state)
{
    int result = make_store(state);
    // What a power cut leaves is another test's; this one commits a lot.
    sqlite3_exec(idx->db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
    begin_site();
    return result;
}

static struct gw_fact_entry next_entry(int worker, enum gw_fact_kind kind)
{
    return (struct gw_fact_entry){
        .boot = boots[worker], .boot_seq = ++seqs[worker], .fact = {.kind = kind, .wall_us = T}};
}

static void tell_of(int worker, enum gw_coverage_change change, enum gw_gap_cause cause,
                    int64_t from_us, int64_t to_us)
{
    struct gw_fact_entry entry = next_entry(worker, GW_FACT_COVERAGE);
    entry.fact.coverage = (struct gw_coverage_news){
        .camera = "gate", .change = change, .cause = cause, .from_us = from_us, .to_us = to_us};
    assert_int_equal(gw_index_commit(idx, &entry, 1), 0);
    // It is sent again, as if the ack had been lost.
    assert_int_equal(gw_index_commit(idx, &entry, 1), 0);
}

static void began(int worker, int64_t at_us)
{
    tell_of(worker, GW_COVERAGE_BEGAN, GW_GAP_NONE, at_us, at_us);
}

static void broke(int worker, int64_t at_us, enum gw_gap_cause cause)
{
    tell_of(worker, GW_COVERAGE_BROKE, cause, at_us, at_us);
}

static void ended(int worker, int64_t at_us)
{
    tell_of(worker, GW_COVERAGE_ENDED, GW_GAP_NONE, at_us, at_us);
}

static void clip_fact(int worker, enum gw_fact_kind kind, const struct gw_clip *clip)
{
    struct gw_fact_entry entry = next_entry(worker, kind);
    entry.fact.clip = *clip;
    assert_int_equal(gw_index_commit(idx, &entry, 1), 0);
}

static struct gw_clip open_clip(int worker, int64_t start_us)
{
    struct gw_clip clip = make_clip("gate", start_us, start_us);
    clip_fact(worker, GW_FACT_CLIP_OPENED, &clip);
    return clip;
}

static void close_clip(int worker, struct gw_clip *clip, enum gw_clip_state state, int64_t end_us)
{
    clip->state = state;
    clip->end_us = end_us;
    clip_fact(worker, GW_FACT_CLIP_CLOSED, clip);
}

// --- gaps ----------------------------------------------------------------------------------------

static struct gw_gap_row rows[1000];

// The oldest first.
static int read_gaps(void)
{
    struct gw_query query;
    char cursor[64];
    gw_query_init(&query);
    query.limit = 1000;
    int count = gw_index_gaps(idx, &query, rows, cursor);
    assert_true(count >= 0 && !*cursor);
    for (int i = 0; i < count / 2; i++) {
        struct gw_gap_row row = rows[i];
        rows[i] = rows[count - 1 - i];
        rows[count - 1 - i] = row;
    }
    return count;
}

// to_us GW_NO_TIME: it is open.
static void assert_gap(int i, enum gw_gap_cause cause, int64_t from_us, int64_t to_us)
{
    assert_true(i < read_gaps());
    assert_string_equal(gw_gap_cause_name(rows[i].gap.cause), gw_gap_cause_name(cause));
    assert_int_equal(rows[i].gap.open, to_us == GW_NO_TIME);
    assert_int_equal(rows[i].gap.from_us, from_us);
    if (to_us != GW_NO_TIME)
        assert_int_equal(rows[i].gap.to_us, to_us);
    assert_string_equal(rows[i].gap.camera, "gate");
    assert_string_equal(rows[i].place.camera_name, "The camera gate");
    assert_string_equal(rows[i].place.grid, "004");
}

static void assert_gaps(int count)
{
    assert_int_equal(read_gaps(), count);
}

struct seen {
    char text[512];
};

static int note_fact(void *opaque, const struct gw_committed_fact *fact)
{
    struct seen *seen = opaque;
    if (!strncmp(fact->kind, "gap.", 4) || !strcmp(fact->kind, "coverage")) {
        strcat(seen->text, fact->kind);
        strcat(seen->text, " ");
        assert_string_equal(fact->topic, "camera/640323101004/gate");
    }
    return 0;
}

// The kinds of the facts about gaps, in order.
static void assert_facts(const char *kinds)
{
    struct seen seen = {""};
    assert_true(gw_index_facts(idx, 0, 1000, note_fact, &seen) >= 0);
    assert_string_equal(seen.text, kinds);
}

// --- one worker ----------------------------------------------------------------------------------

static void a_new_camera_that_delivers_at_once_has_no_gap(void **state)
{
    began(0, T + 5 * S);
    assert_gaps(0);
    assert_facts("");
}

static void a_new_camera_counts_from_its_assignment_when_it_takes_long(void **state)
{
    tell_of(0, GW_COVERAGE_BEGAN, GW_GAP_STALLED, T + 20 * S, T + 20 * S);
    assert_gaps(1);
    assert_gap(0, GW_GAP_STALLED, T, T + 20 * S);
    assert_facts("gap.closed ");
}

static void a_new_camera_that_fails_has_a_gap_from_its_assignment(void **state)
{
    broke(0, T + S, GW_GAP_REFUSED);
    assert_gap(0, GW_GAP_REFUSED, T, GW_NO_TIME);
    broke(0, T + S, GW_GAP_UNREACHABLE);
    began(0, T + 3 * S);
    assert_gaps(1);
    assert_gap(0, GW_GAP_REFUSED, T, T + 3 * S);
    assert_facts("gap.opened gap.closed ");
}

static void an_outage_is_one_gap(void **state)
{
    began(0, T + S);
    broke(0, T + 10 * S, GW_GAP_STALLED);
    assert_gap(0, GW_GAP_STALLED, T + 10 * S, GW_NO_TIME);
    struct gw_id id = rows[0].gap.id;
    began(0, T + 15 * S);
    assert_gap(0, GW_GAP_STALLED, T + 10 * S, T + 15 * S);
    assert_true(gw_id_equal(&id, &rows[0].gap.id));
    broke(0, T + 20 * S, GW_GAP_UNREACHABLE);
    assert_gap(1, GW_GAP_UNREACHABLE, T + 20 * S, GW_NO_TIME);
    assert_facts("gap.opened gap.closed gap.opened ");
}

static void a_hole_is_told_by_one_fact(void **state)
{
    began(0, T + S);
    tell_of(0, GW_COVERAGE_HOLE, GW_GAP_SLOW_NETWORK, T + 3 * S, T + 4 * S);
    assert_gaps(1);
    assert_gap(0, GW_GAP_SLOW_NETWORK, T + 3 * S, T + 4 * S);
    assert_facts("gap.closed ");
}

static void what_lies_in_a_gap_already_is_not_told_again(void **state)
{
    began(0, T + S);
    tell_of(0, GW_COVERAGE_HOLE, GW_GAP_SLOW_NETWORK, T + 3 * S, T + 4 * S);
    tell_of(0, GW_COVERAGE_HOLE, GW_GAP_SLOW_NETWORK, T + 6 * S, T + 7 * S);
    // An event asked for all since T + 2 s.
    broke(0, T + 2 * S, GW_GAP_DISK_FULL);
    assert_gaps(5);
    assert_gap(0, GW_GAP_DISK_FULL, T + 2 * S, T + 3 * S);
    assert_gap(1, GW_GAP_SLOW_NETWORK, T + 3 * S, T + 4 * S);
    assert_gap(2, GW_GAP_DISK_FULL, T + 4 * S, T + 6 * S);
    assert_gap(3, GW_GAP_SLOW_NETWORK, T + 6 * S, T + 7 * S);
    assert_gap(4, GW_GAP_DISK_FULL, T + 7 * S, GW_NO_TIME);
    tell_of(0, GW_COVERAGE_HOLE, GW_GAP_STALLED, T + 8 * S, T + 9 * S);
    assert_gaps(5);
}

static void a_clock_that_was_put_back_leaves_a_gap_without_length(void **state)
{
    began(0, T + S);
    broke(0, T + 10 * S, GW_GAP_STALLED);
    began(0, T + 2 * S);
    assert_gaps(1);
    assert_gap(0, GW_GAP_STALLED, T + 10 * S, T + 10 * S);
}

// --- the registry --------------------------------------------------------------------------------

static void a_camera_that_is_switched_off_has_a_gap_of_that_cause(void **state)
{
    began(0, T + S);
    add_camera(GW_RECORD_CONTINUOUS, false);
    settle(T + 10 * S);
    assert_gaps(0); // its worker has the last word
    ended(0, T + 11 * S);
    assert_gap(0, GW_GAP_DISABLED, T + 11 * S, GW_NO_TIME);
    add_camera(GW_RECORD_CONTINUOUS, true);
    settle(T + 20 * S);
    began(0, T + 21 * S);
    assert_gaps(1);
    assert_gap(0, GW_GAP_DISABLED, T + 11 * S, T + 21 * S);
}

static void a_camera_that_is_switched_off_while_it_fails_keeps_its_gap(void **state)
{
    began(0, T + S);
    broke(0, T + 5 * S, GW_GAP_STALLED);
    add_camera(GW_RECORD_CONTINUOUS, false);
    ended(0, T);
    settle(T + 10 * S);
    assert_gaps(1);
    assert_gap(0, GW_GAP_STALLED, T + 5 * S, GW_NO_TIME);
}

static void a_camera_that_was_never_on_is_missed_only_once_it_is(void **state)
{
    add_camera(GW_RECORD_CONTINUOUS, false);
    settle(T + S);
    assert_gap(0, GW_GAP_DISABLED, T, GW_NO_TIME); // it was on since T
    assert_int_equal(gw_index_remove_camera(idx, "gate"), 0);
    settle(T + 2 * S);
    add_camera(GW_RECORD_CONTINUOUS, false);
    settle(T + 3 * S);
    assert_gaps(1);
    add_camera(GW_RECORD_CONTINUOUS, true);
    settle(T + 9 * S);
    broke(0, T + 10 * S, GW_GAP_REFUSED);
    assert_gap(1, GW_GAP_REFUSED, T + 9 * S, GW_NO_TIME);
}

static void a_removed_camera_has_no_gap_from_then_on(void **state)
{
    began(0, T + S);
    broke(0, T + 5 * S, GW_GAP_STALLED);
    assert_int_equal(gw_index_remove_camera(idx, "gate"), 0);
    settle(T + 10 * S);
    assert_int_equal(read_gaps(), 1);
    assert_false(rows[0].gap.open);
    assert_int_equal(rows[0].gap.to_us, T + 10 * S);
    // What its worker says late changes nothing.
    broke(0, T + 12 * S, GW_GAP_STALLED);
    began(0, T + 13 * S);
    ended(0, T + 14 * S);
    settle(T + 15 * S);
    assert_gaps(1);
}

static void a_camera_that_is_not_recorded_has_no_gaps(void **state)
{
    began(0, T + S);
    add_camera(GW_RECORD_OFF, true);
    settle(T + 5 * S);
    ended(0, T + 5 * S);
    broke(1, T + 6 * S, GW_GAP_STALLED);
    assert_gaps(0);
    add_camera(GW_RECORD_EVENTS, true);
    settle(T + 20 * S);
    began(1, T + 21 * S);
    assert_gaps(0);
}

// --- workers that come and go --------------------------------------------------------------------

static void an_orderly_restart_is_a_gap(void **state)
{
    began(0, T + S);
    ended(0, T + 10 * S);
    assert_gap(0, GW_GAP_WORKER_RESTARTED, T + 10 * S, GW_NO_TIME);
    start_worker(0);
    settle(T + 11 * S);
    began(0, T + 12 * S);
    assert_gaps(1);
    assert_gap(0, GW_GAP_WORKER_RESTARTED, T + 10 * S, T + 12 * S);
}

static void a_gap_outlives_its_worker(void **state)
{
    began(0, T + S);
    broke(0, T + 5 * S, GW_GAP_STALLED);
    start_worker(0);
    settle(T + 8 * S);
    broke(0, T + 9 * S, GW_GAP_REFUSED);
    began(0, T + 12 * S);
    assert_gaps(1);
    assert_gap(0, GW_GAP_STALLED, T + 5 * S, T + 12 * S);
}

static void a_lost_workers_gap_begins_where_its_clip_ends(void **state)
{
    began(0, T + S);
    struct gw_clip clip = open_clip(0, T + S);
    start_worker(0);
    settle(T + 10 * S);
    assert_gaps(0); // nobody knows yet where the clip ends
    close_clip(1, &clip, GW_CLIP_REPAIRED, T + 8 * S);
    assert_gap(0, GW_GAP_WORKER_RESTARTED, T + 8 * S, GW_NO_TIME);
    began(0, T + 12 * S);
    assert_gaps(1);
    assert_gap(0, GW_GAP_WORKER_RESTARTED, T + 8 * S, T + 12 * S);
}

static void a_repair_may_come_long_after_the_successor_began(void **state)
{
    began(0, T + S);
    struct gw_clip clip = open_clip(0, T + S);
    start_worker(0);
    settle(T + 10 * S);
    began(0, T + 12 * S);
    struct gw_clip next = open_clip(0, T + 12 * S);
    broke(0, T + 15 * S, GW_GAP_STALLED);
    assert_gaps(1);
    close_clip(1, &clip, GW_CLIP_REPAIRED, T + 8 * S);
    assert_gap(0, GW_GAP_WORKER_RESTARTED, T + 8 * S, T + 12 * S);
    assert_gap(1, GW_GAP_STALLED, T + 15 * S, GW_NO_TIME);
    close_clip(0, &next, GW_CLIP_CLOSED, T + 15 * S);
    assert_gaps(2);
}

static void a_successor_may_begin_before_anybody_knows_of_the_loss(void **state)
{
    began(0, T + S);
    struct gw_clip clip = open_clip(0, T + S);
    start_worker(0);
    began(0, T + 12 * S);
    assert_gaps(0);
    close_clip(1, &clip, GW_CLIP_REPAIRED, T + 8 * S);
    settle(T + 13 * S);
    assert_gaps(1);
    assert_gap(0, GW_GAP_WORKER_RESTARTED, T + 8 * S, T + 12 * S);
}

static void a_lost_clip_takes_its_time_with_it(void **state)
{
    began(0, T + S);
    broke(0, T + 5 * S, GW_GAP_STALLED);
    began(0, T + 7 * S);
    struct gw_clip clip = open_clip(0, T + 7 * S);
    start_worker(0);
    settle(T + 10 * S);
    began(0, T + 12 * S);
    close_clip(1, &clip, GW_CLIP_LOST, T + 7 * S);
    assert_gaps(2);
    assert_gap(1, GW_GAP_WORKER_RESTARTED, T + 7 * S, T + 12 * S);
}

static void a_gap_that_was_told_before_the_clip_was_cut_short_stands(void **state)
{
    began(0, T + S);
    struct gw_clip clip = open_clip(0, T + S);
    tell_of(0, GW_COVERAGE_HOLE, GW_GAP_SLOW_NETWORK, T + 5 * S, T + 6 * S);
    start_worker(0);
    settle(T + 10 * S);
    close_clip(1, &clip, GW_CLIP_REPAIRED, T + 4 * S);
    began(0, T + 12 * S);
    assert_gaps(3);
    assert_gap(0, GW_GAP_WORKER_RESTARTED, T + 4 * S, T + 5 * S);
    assert_gap(1, GW_GAP_SLOW_NETWORK, T + 5 * S, T + 6 * S);
    assert_gap(2, GW_GAP_WORKER_RESTARTED, T + 6 * S, T + 12 * S);
}

static void received_pictures_are_known_by_their_stamps(void **state)
{
    struct gw_coverage_stamp stamp = {"gate", T + 6 * S};
    add_camera(GW_RECORD_EVENTS, true);
    began(0, T + S);
    assert_int_equal(gw_index_stamp_coverage(idx, &boots[0], &stamp, 1), 0);
    stamp.until_us = T + 3 * S;
    assert_int_equal(gw_index_stamp_coverage(idx, &boots[0], &stamp, 1), 0);
    stamp.until_us = T + 9 * S;
    assert_int_equal(gw_index_stamp_coverage(idx, &boots[1], &stamp, 1), 0); // not its camera
    start_worker(0);
    settle(T + 10 * S);
    assert_gap(0, GW_GAP_WORKER_RESTARTED, T + 6 * S, GW_NO_TIME);
}

static void a_worker_that_still_runs_is_not_lost(void **state)
{
    began(0, T + S);
    began(1, T + S); // never happens; must not hurt
    settle(T + 10 * S);
    settle(T + 11 * S);
    assert_gaps(0);
}

static void settling_again_changes_nothing(void **state)
{
    began(0, T + S);
    settle_with(T + 10 * S, 0);
    assert_gaps(1);
    int64_t head = gw_index_head(idx);
    settle_with(T + 11 * S, 0);
    settle_with(T + 12 * S, 0);
    assert_int_equal(gw_index_head(idx), head);
}

// --- anything ------------------------------------------------------------------------------------

enum { MOST_CLIPS = 256, END_S = 2000 };

// What is truly recorded, second by second, and the clips that hold it.
static bool recorded[END_S], torn[END_S]; // torn: not, although a clip spans it
static struct {
    struct gw_clip clip;
    int from, to;
    bool broken; // its worker was lost; to be repaired
} clips[MOST_CLIPS];
static int clip_count;

struct site {
    int now;     // seconds since T
    bool covers; // a clip grows: the last one
    int from;    // since when
};

static void begin_clip(struct site *site)
{
    assert_true(clip_count < MOST_CLIPS);
    began(0, T + site->now * S);
    clips[clip_count].clip = open_clip(0, T + site->now * S);
    clips[clip_count].from = site->now;
    clips[clip_count++].broken = false;
    site->covers = true;
}

static void note_recorded(int from, int to)
{
    for (int at = from; at < to; at++)
        recorded[at] = !torn[at];
}

static void end_clip(struct site *site)
{
    if (!site->covers)
        return;
    int i = clip_count - 1;
    close_clip(0, &clips[i].clip, GW_CLIP_CLOSED, T + site->now * S);
    note_recorded(clips[i].from, site->now);
    site->covers = false;
}

// The worker is killed: the clip has less than was recorded.
static void lose_worker(struct site *site)
{
    if (site->covers) {
        int i = clip_count - 1;
        clips[i].broken = true;
        clips[i].to = site->now - rand() % 3;
        if (clips[i].to < clips[i].from)
            clips[i].to = clips[i].from;
        note_recorded(clips[i].from, clips[i].to);
    }
    site->covers = false;
    start_worker(0);
}

static void repair_one(void)
{
    for (int i = 0; i < clip_count; i++)
        if (clips[i].broken) {
            bool lost = clips[i].to == clips[i].from;
            close_clip(1, &clips[i].clip, lost ? GW_CLIP_LOST : GW_CLIP_REPAIRED,
                       T + clips[i].to * S);
            clips[i].broken = false;
            return;
        }
}

// Part of the clip that grows is missing in it.
static void lose_packets(struct site *site)
{
    const int from = site->now, to = site->now + 1 + rand() % 4;
    if (!site->covers)
        return;
    tell_of(0, GW_COVERAGE_HOLE, GW_GAP_SLOW_NETWORK, T + from * S, T + to * S);
    for (int at = from; at < to; at++)
        torn[at] = true;
    site->now = to;
}

static void do_anything(struct site *site)
{
    switch (rand() % 9) {
    case 0:
    case 1:
        if (!site->covers)
            begin_clip(site);
        break;
    case 2:
        end_clip(site);
        broke(0, T + site->now * S, rand() % 2 ? GW_GAP_STALLED : GW_GAP_REFUSED);
        break;
    case 3: lose_worker(site); break;
    case 4:
        lose_worker(site);
        settle(T + site->now * S);
        break;
    case 5: repair_one(); break;
    case 6:
        end_clip(site);
        ended(0, T + site->now * S);
        break;
    case 7: settle(T + site->now * S); break;
    case 8: lose_packets(site); break;
    }
    site->now += 1 + rand() % 9;
}

static void assert_all_or_nothing(int end)
{
    bool missing[END_S] = {false};
    int count = read_gaps();
    for (int i = 0; i < count; i++) {
        const struct gw_gap *gap = &rows[i].gap;
        int64_t to_us = gap->open ? T + end * S : gap->to_us;
        if (i + 1 < count)
            assert_true(!gap->open && gap->to_us <= rows[i + 1].gap.from_us);
        for (int64_t at = (gap->from_us - T) / S; at < (to_us - T) / S; at++)
            missing[at] = true;
    }
    for (int at = 0; at < end; at++)
        if (recorded[at] == missing[at])
            fail_msg("second %d is %s", at, recorded[at] ? "in a clip and a gap" : "in neither");
}

static void whatever_happens_each_second_is_in_a_clip_or_in_a_gap(void **state)
{
    for (int round = 0; round < 30; round++) {
        struct site site = {0};
        srand((unsigned)round);
        memset(recorded, 0, sizeof(recorded));
        memset(torn, 0, sizeof(torn));
        clip_count = 0;
        assert_int_equal(sqlite3_exec(idx->db,
                                      "DELETE FROM gap; DELETE FROM coverage; DELETE FROM clip;"
                                      "DELETE FROM boot",
                                      NULL, NULL, NULL),
                         SQLITE_OK);
        begin_site();
        if (round % 2)
            broke(0, T, GW_GAP_REFUSED);
        else
            begin_clip(&site);
        for (int i = 0; i < 150; i++)
            do_anything(&site);
        end_clip(&site);
        ended(0, T + site.now * S);
        for (int i = 0; i < clip_count; i++)
            repair_one();
        settle(T + site.now * S);
        assert_all_or_nothing(site.now);
    }
}

// --- queries -------------------------------------------------------------------------------------

static void gaps_are_found_by_what_they_overlap(void **state)
{
    struct gw_query query;
    char cursor[64];
    began(0, T);
    for (int i = 1; i <= 5; i++)
        tell_of(0, GW_COVERAGE_HOLE, GW_GAP_STALLED, T + i * 10 * S, T + (i * 10 + 5) * S);
    broke(0, T + 100 * S, GW_GAP_UNREACHABLE);

    gw_query_init(&query);
    query.from_us = T + 22 * S;
    query.to_us = T + 31 * S;
    assert_int_equal(gw_index_gaps(idx, &query, rows, cursor), 2);
    query.from_us = T + 200 * S; // an open one reaches to the end of time
    query.to_us = GW_NO_TIME;
    assert_int_equal(gw_index_gaps(idx, &query, rows, cursor), 1);
    assert_int_equal(rows[0].gap.cause, GW_GAP_UNREACHABLE);
    query.state = false;
    assert_int_equal(gw_index_gaps(idx, &query, rows, cursor), 0);
    gw_query_init(&query);
    query.state = true;
    assert_int_equal(gw_index_gaps(idx, &query, rows, cursor), 1);
    gw_query_init(&query);
    strcpy(query.division, "640323102");
    assert_int_equal(gw_index_gaps(idx, &query, rows, cursor), 0);
    strcpy(query.division, "640323101");
    strcpy(query.camera, "gate");
    query.limit = 4;
    assert_int_equal(gw_index_gaps(idx, &query, rows, cursor), 4);
    assert_true(*cursor);
    strcpy(query.cursor, cursor);
    assert_int_equal(gw_index_gaps(idx, &query, rows, cursor), 2);
    assert_false(*cursor);
    assert_int_equal(rows[1].gap.from_us, T + 10 * S);
}

#define SITE_TEST(name) cmocka_unit_test_setup_teardown(name, start_site, remove_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE_TEST(a_new_camera_that_delivers_at_once_has_no_gap),
        SITE_TEST(a_new_camera_counts_from_its_assignment_when_it_takes_long),
        SITE_TEST(a_new_camera_that_fails_has_a_gap_from_its_assignment),
        SITE_TEST(an_outage_is_one_gap),
        SITE_TEST(a_hole_is_told_by_one_fact),
        SITE_TEST(what_lies_in_a_gap_already_is_not_told_again),
        SITE_TEST(a_clock_that_was_put_back_leaves_a_gap_without_length),
        SITE_TEST(a_camera_that_is_switched_off_has_a_gap_of_that_cause),
        SITE_TEST(a_camera_that_is_switched_off_while_it_fails_keeps_its_gap),
        SITE_TEST(a_camera_that_was_never_on_is_missed_only_once_it_is),
        SITE_TEST(a_removed_camera_has_no_gap_from_then_on),
        SITE_TEST(a_camera_that_is_not_recorded_has_no_gaps),
        SITE_TEST(an_orderly_restart_is_a_gap),
        SITE_TEST(a_gap_outlives_its_worker),
        SITE_TEST(a_lost_workers_gap_begins_where_its_clip_ends),
        SITE_TEST(a_repair_may_come_long_after_the_successor_began),
        SITE_TEST(a_successor_may_begin_before_anybody_knows_of_the_loss),
        SITE_TEST(a_lost_clip_takes_its_time_with_it),
        SITE_TEST(a_gap_that_was_told_before_the_clip_was_cut_short_stands),
        SITE_TEST(received_pictures_are_known_by_their_stamps),
        SITE_TEST(a_worker_that_still_runs_is_not_lost),
        SITE_TEST(settling_again_changes_nothing),
        SITE_TEST(whatever_happens_each_second_is_in_a_clip_or_in_a_gap),
        SITE_TEST(gaps_are_found_by_what_they_overlap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
