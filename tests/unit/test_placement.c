// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "app/placement.h"
#include "core/clock.h"

enum { CAMERAS = 40, WORKERS_MAX = 4 };

#define STEP_US  (GW_SECOND / 10)
#define START_US (3 * GW_SECOND / 10) // until a worker that was started says hello
#define SHORT_US (10 * GW_SECOND)     // a shorter life makes the crew wait

// --- a site on fabricated time -------------------------------------------------------------------

// What one process slot does; the crew's rule as crew.h says it.
struct process {
    bool running, wanted;
    int64_t started_us, there_us, restart_us;
    int failures;
};

struct site {
    struct gw_assignment assignment;
    struct gw_camera cameras[CAMERAS];
    struct process processes[WORKERS_MAX + 1]; // the bench is the one behind the workers
    int workers;
    int64_t now_us;
    int64_t kills_after_us[CAMERAS]; // how long a worker survives it; 0: it does no harm
    int deaths, worker_deaths;       // of any; not of the bench
    int64_t suffered_us;             // when last an innocent camera had no running worker
    int64_t worst_us, down_us[CAMERAS];
};

static void open_site(struct site *site, int workers)
{
    memset(site, 0, sizeof(*site));
    site->workers = workers;
    site->now_us = GW_SECOND;
    for (int i = 0; i < CAMERAS; i++) {
        site->cameras[i].enabled = true;
        snprintf(site->cameras[i].id, sizeof(site->cameras[i].id), "c%02d", i);
        strcpy(site->cameras[i].record_url, "rtsp://host/a");
    }
    for (int i = 0; i < workers; i++)
        site->processes[i].wanted = true;
    gw_assignment_update(&site->assignment, site->cameras, CAMERAS, workers);
}

static void close_site(struct site *site)
{
    gw_assignment_finish(&site->assignment);
}

static void end_process(struct site *site, int i)
{
    struct process *process = &site->processes[i];
    int64_t there_us = process->there_us, wait_us = 0;
    if (site->now_us - process->started_us >= SHORT_US)
        process->failures = 0;
    if (process->failures++)
        for (wait_us = GW_SECOND / 2; wait_us < SHORT_US && process->failures > 2;
             process->failures--)
            wait_us *= 2;
    process->running = false;
    process->there_us = 0;
    process->restart_us = site->now_us + wait_us;
    site->deaths++;
    site->worker_deaths += i < site->workers;
    gw_placement_death(&site->assignment, site->workers, i, there_us, site->now_us);
}

static void step_process(struct site *site, int i)
{
    struct process *process = &site->processes[i];
    if (!process->wanted) {
        *process = (struct process){0};
    } else if (!process->running && site->now_us >= process->restart_us) {
        process->running = true;
        process->started_us = site->now_us;
    } else if (process->running && !process->there_us &&
               site->now_us - process->started_us >= START_US) {
        process->there_us = site->now_us;
    }
}

static bool step_placement(struct site *site)
{
    int64_t there_us[WORKERS_MAX + 1];
    bool waits[WORKERS_MAX];
    for (int i = 0; i <= site->workers; i++)
        there_us[i] = site->processes[i].there_us;
    for (int i = 0; i < site->workers; i++)
        waits[i] = !site->processes[i].running && site->processes[i].restart_us > site->now_us;
    struct gw_placement_crew crew = {site->workers, there_us, waits};
    bool changed = gw_placement_step(&site->assignment, &crew, site->now_us);
    struct process *bench = &site->processes[site->workers];
    bench->wanted = gw_placement_needs_bench(&site->assignment, site->workers);
    if (changed && !bench->running)
        bench->restart_us = 0; // another set of cameras: the crew forgives it
    return changed;
}

// A killer does its work when it has run so long on a worker that is there.
static void let_killers_act(struct site *site)
{
    for (int i = 0; i < CAMERAS; i++) {
        const struct gw_assigned *camera = &site->assignment.cameras[i];
        if (!site->kills_after_us[i] || camera->worker < 0)
            continue;
        const struct process *process = &site->processes[camera->worker];
        int64_t since_us = camera->suspicion.placed_us > process->there_us
                               ? camera->suspicion.placed_us
                               : process->there_us;
        if (process->there_us && site->now_us - since_us >= site->kills_after_us[i])
            end_process(site, camera->worker);
    }
}

static void note_suffering(struct site *site)
{
    for (int i = 0; i < CAMERAS; i++) {
        int worker = site->assignment.cameras[i].worker;
        if (site->kills_after_us[i])
            continue;
        bool up = worker >= 0 && site->processes[worker].there_us;
        site->down_us[i] = up ? 0 : site->down_us[i] + STEP_US;
        if (up)
            continue;
        site->suffered_us = site->now_us;
        if (site->down_us[i] > site->worst_us)
            site->worst_us = site->down_us[i];
    }
}

static void run_site(struct site *site, int64_t duration_us)
{
    for (int64_t end_us = site->now_us + duration_us; site->now_us < end_us;
         site->now_us += STEP_US) {
        for (int i = 0; i <= site->workers; i++)
            step_process(site, i);
        let_killers_act(site);
        step_placement(site);
        note_suffering(site);
    }
}

static void kill_worker(struct site *site, int worker)
{
    assert_true(site->processes[worker].running);
    end_process(site, worker);
}

static int worker_of(const struct site *site, int camera)
{
    return site->assignment.cameras[camera].worker;
}

static int load_of(const struct site *site, int worker)
{
    int count = 0;
    for (int i = 0; i < site->assignment.count; i++)
        count += site->assignment.cameras[i].worker == worker;
    return count;
}

static void expect_even(const struct site *site, int cameras)
{
    for (int i = 0; i < site->workers; i++)
        assert_in_range(load_of(site, i), cameras / site->workers,
                        (cameras + site->workers - 1) / site->workers);
}

// --- workers that die ----------------------------------------------------------------------------

static void a_worker_that_dies_once_keeps_its_cameras(void **state)
{
    struct site site;
    int before[CAMERAS];
    open_site(&site, 4);
    run_site(&site, 60 * GW_SECOND);
    for (int i = 0; i < CAMERAS; i++)
        before[i] = worker_of(&site, i);
    kill_worker(&site, 2);
    run_site(&site, 60 * GW_SECOND);
    for (int i = 0; i < CAMERAS; i++)
        assert_int_equal(worker_of(&site, i), before[i]);
    assert_in_range(site.worst_us, 0, GW_SECOND);
    close_site(&site);
}

// The crew makes a worker wait that dies before it says hello: a program that cannot start.
static void cameras_of_a_worker_that_keeps_dying_go_to_the_others_and_come_back(void **state)
{
    struct site site;
    int before[CAMERAS], moved = 0;
    open_site(&site, 4);
    run_site(&site, 60 * GW_SECOND);
    kill_worker(&site, 1);
    for (int i = 0; i < 6; i++) {
        run_site(&site, STEP_US);
        if (site.processes[1].running)
            end_process(&site, 1); // at once again, before it ran a camera
    }
    run_site(&site, STEP_US);
    assert_int_equal(load_of(&site, 1), 0);
    for (int i = 0; i < 4; i++)
        if (i != 1)
            assert_in_range(load_of(&site, i), 13, 14);
    for (int i = 0; i < CAMERAS; i++)
        before[i] = worker_of(&site, i);
    run_site(&site, 59 * GW_SECOND);
    assert_int_equal(load_of(&site, 1), 0); // not before it has lived for a minute
    run_site(&site, 60 * GW_SECOND);
    expect_even(&site, CAMERAS);
    for (int i = 0; i < CAMERAS; i++)
        moved += worker_of(&site, i) != before[i];
    assert_int_equal(moved, 10);
    close_site(&site);
}

static void changes_of_the_registry_touch_only_what_they_name(void **state)
{
    struct site site;
    int before[CAMERAS];
    open_site(&site, 2);
    run_site(&site, 120 * GW_SECOND);
    for (int i = 0; i < CAMERAS; i++)
        before[i] = worker_of(&site, i);
    // All cameras of worker 0 are switched off: the others stay where they are.
    for (int i = 0; i < CAMERAS; i++)
        site.cameras[i].enabled = before[i] != 0;
    gw_assignment_update(&site.assignment, site.cameras, CAMERAS, 2);
    for (int i = 0; i < 1200; i++, site.now_us += STEP_US)
        assert_false(step_placement(&site));
    assert_int_equal(load_of(&site, 1), CAMERAS / 2);
    close_site(&site);
}

// --- cameras that kill ---------------------------------------------------------------------------

// Runs until nothing has changed for long; prints and checks what it cost.
static void expect_found(int workers, int poison, int64_t after_us, int most_deaths,
                         int most_worker_deaths, int64_t worst_us)
{
    struct site site;
    open_site(&site, workers);
    run_site(&site, 30 * GW_SECOND);
    int64_t begin_us = site.now_us;
    site.kills_after_us[poison] = after_us;
    site.worst_us = 0;
    memset(site.down_us, 0, sizeof(site.down_us));
    run_site(&site, 300 * GW_SECOND);
    const struct gw_suspicion *found = &site.assignment.cameras[poison].suspicion;
    int isolations = found->isolations;
    print_message("%d workers, camera %2d kills after %4.1f s: %2d deaths (%d of workers) until it "
                  "suffers alone, after %5.1f s; longest gap of another camera %4.1f s\n",
                  workers, poison, (double)after_us / GW_SECOND, site.deaths - isolations + 1,
                  site.worker_deaths, (double)(site.suffered_us - begin_us) / GW_SECOND,
                  (double)site.worst_us / GW_SECOND);
    assert_int_equal(found->phase, GW_SUSPICION_ISOLATED);
    assert_in_range(site.deaths - isolations + 1, 3, most_deaths);
    assert_in_range(site.worker_deaths, 2, most_worker_deaths);
    assert_in_range(site.worst_us, 0, worst_us);
    for (int i = 0; i < CAMERAS; i++)
        if (i != poison)
            assert_in_range(worker_of(&site, i), 0, workers - 1);
    expect_even(&site, CAMERAS - 1);
    close_site(&site);
}

static void a_camera_that_kills_at_once_is_found_on_two_workers(void **state)
{
    for (int poison = 0; poison < CAMERAS; poison += 3)
        expect_found(2, poison, GW_SECOND / 2, 7, 2, 17 * GW_SECOND);
}

static void a_camera_that_kills_at_once_is_found_on_four_workers(void **state)
{
    for (int poison = 0; poison < CAMERAS; poison += 3)
        expect_found(4, poison, GW_SECOND / 2, 6, 2, 12 * GW_SECOND);
}

static void a_camera_that_kills_at_once_is_found_when_there_is_one_worker(void **state)
{
    expect_found(1, 17, GW_SECOND / 2, 8, 2, 17 * GW_SECOND);
}

static void a_camera_that_kills_slowly_is_found(void **state)
{
    expect_found(2, 5, 8 * GW_SECOND, 9, 3, 120 * GW_SECOND);
    expect_found(4, 31, 20 * GW_SECOND, 9, 3, 180 * GW_SECOND);
}

static void an_isolated_camera_is_tried_ever_more_rarely_and_touches_nobody(void **state)
{
    struct site site;
    open_site(&site, 2);
    site.kills_after_us[7] = GW_SECOND / 2;
    run_site(&site, 60 * GW_SECOND);
    int64_t suffered_us = site.suffered_us;
    int deaths = site.deaths;
    run_site(&site, 4 * 3600 * GW_SECOND);
    assert_int_equal(site.suffered_us, suffered_us);
    assert_in_range(site.deaths - deaths, 6, 10); // after 1, 2, 4, … 60 minutes
    close_site(&site);
}

static void two_killers_are_both_found(void **state)
{
    struct site site;
    open_site(&site, 2);
    run_site(&site, 30 * GW_SECOND);
    site.kills_after_us[3] = site.kills_after_us[8] = GW_SECOND / 2;
    site.kills_after_us[20] = GW_SECOND;
    run_site(&site, 900 * GW_SECOND);
    for (int i = 0; i < CAMERAS; i++) {
        bool killer = site.kills_after_us[i];
        assert_int_equal(site.assignment.cameras[i].suspicion.phase == GW_SUSPICION_ISOLATED,
                         killer);
        assert_int_equal(worker_of(&site, i) >= 0, !killer);
    }
    int64_t suffered_us = site.suffered_us;
    run_site(&site, 3600 * GW_SECOND);
    assert_int_equal(site.suffered_us, suffered_us);
    close_site(&site);
}

static void a_camera_that_was_repaired_is_trusted_again(void **state)
{
    struct site site;
    open_site(&site, 2);
    site.kills_after_us[7] = GW_SECOND / 2;
    run_site(&site, 120 * GW_SECOND);
    assert_int_equal(site.assignment.cameras[7].suspicion.phase, GW_SUSPICION_ISOLATED);
    site.kills_after_us[7] = 0; // new firmware
    run_site(&site, 3600 * GW_SECOND);
    assert_int_equal(site.assignment.cameras[7].suspicion.phase, GW_SUSPICION_NONE);
    assert_in_range(worker_of(&site, 7), 0, 1);
    assert_int_equal(site.assignment.cameras[7].suspicion.deaths, 0);
    assert_false(site.processes[2].wanted);
    close_site(&site);
}

static void a_new_registration_clears_a_camera_at_once(void **state)
{
    struct site site;
    open_site(&site, 2);
    site.kills_after_us[7] = GW_SECOND / 2;
    run_site(&site, 120 * GW_SECOND);
    site.kills_after_us[7] = 0;
    strcpy(site.cameras[7].record_url, "rtsp://host/other");
    assert_true(gw_assignment_update(&site.assignment, site.cameras, CAMERAS, 2));
    assert_in_range(worker_of(&site, 7), 0, 1);
    assert_int_equal(site.assignment.cameras[7].suspicion.deaths, 0);
    close_site(&site);
}

static void deaths_long_apart_make_nobody_suspect(void **state)
{
    struct site site;
    open_site(&site, 2);
    for (int i = 0; i < 5; i++) {
        run_site(&site, 700 * GW_SECOND);
        kill_worker(&site, 0);
        assert_false(gw_placement_needs_bench(&site.assignment, 2));
    }
    close_site(&site);
}

static void a_bench_that_does_not_come_holds_nobody_for_long(void **state)
{
    struct site site;
    open_site(&site, 2);
    run_site(&site, 20 * GW_SECOND);
    kill_worker(&site, 0);
    run_site(&site, GW_SECOND);
    kill_worker(&site, 0);
    assert_true(gw_placement_needs_bench(&site.assignment, 2));
    for (int i = 0; i < 700; i++, site.now_us += STEP_US) {
        step_process(&site, 0);
        step_placement(&site);
    }
    expect_even(&site, CAMERAS);
    close_site(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_that_dies_once_keeps_its_cameras),
        cmocka_unit_test(cameras_of_a_worker_that_keeps_dying_go_to_the_others_and_come_back),
        cmocka_unit_test(changes_of_the_registry_touch_only_what_they_name),
        cmocka_unit_test(a_camera_that_kills_at_once_is_found_on_two_workers),
        cmocka_unit_test(a_camera_that_kills_at_once_is_found_on_four_workers),
        cmocka_unit_test(a_camera_that_kills_at_once_is_found_when_there_is_one_worker),
        cmocka_unit_test(a_camera_that_kills_slowly_is_found),
        cmocka_unit_test(an_isolated_camera_is_tried_ever_more_rarely_and_touches_nobody),
        cmocka_unit_test(two_killers_are_both_found),
        cmocka_unit_test(a_camera_that_was_repaired_is_trusted_again),
        cmocka_unit_test(a_new_registration_clears_a_camera_at_once),
        cmocka_unit_test(deaths_long_apart_make_nobody_suspect),
        cmocka_unit_test(a_bench_that_does_not_come_holds_nobody_for_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
