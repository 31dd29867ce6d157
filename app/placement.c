// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/placement.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

enum { DEATHS_OF_A_SUSPECT = 2 };

// So long without a death, and what is held against a camera is forgotten.
#define FORGET_US (600 * GW_SECOND)
// A trial lasts twice as long as the killer took before, and a little; within these.
#define SHORTEST_TRIAL_US (5 * GW_SECOND)
#define LONGEST_TRIAL_US  (60 * GW_SECOND)
#define TRIAL_MARGIN_US   (3 * GW_SECOND)
// Of one that killed the bench alone: it is being recorded there meanwhile.
#define ISOLATED_TRIAL_US (600 * GW_SECOND)
#define FIRST_RETRY_US    (60 * GW_SECOND)
#define LAST_RETRY_US     (3600 * GW_SECOND)
// A bench that does not come is no reason to leave cameras alone.
#define BENCH_LIMIT_US (30 * GW_SECOND)
// A worker that has lived so long gets its share again.
#define STEADY_US (60 * GW_SECOND)

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

static void put(struct gw_assigned *camera, int worker, int64_t mono_us)
{
    camera->worker = worker;
    camera->online = false;
    camera->suspicion.placed_us = mono_us;
}

static int count_at(const struct gw_assignment *assignment, int worker)
{
    int count = 0;
    for (int i = 0; i < assignment->count; i++)
        count += assignment->cameras[i].worker == worker;
    return count;
}

static bool is_waiting_suspect(const struct gw_assigned *camera)
{
    return camera->suspicion.phase == GW_SUSPICION_SUSPECT && camera->worker < 0;
}

// --- a death -------------------------------------------------------------------------------------

static void count_death(struct gw_suspicion *suspicion, int64_t there_us, int64_t mono_us)
{
    int64_t lived_us = mono_us - later(suspicion->placed_us, there_us);
    if (!suspicion->deaths || lived_us < suspicion->latency_us)
        suspicion->latency_us = lived_us;
    suspicion->deaths++;
    suspicion->death_us = mono_us;
}

static void isolate(struct gw_assigned *camera, struct gw_placement_verdict *verdict,
                    int64_t mono_us)
{
    struct gw_suspicion *suspicion = &camera->suspicion;
    int64_t wait_us = FIRST_RETRY_US;
    for (int i = 0; i < suspicion->isolations && wait_us < LAST_RETRY_US; i++)
        wait_us *= 2;
    wait_us = clamp(wait_us, FIRST_RETRY_US, LAST_RETRY_US);
    suspicion->phase = GW_SUSPICION_ISOLATED;
    suspicion->isolations++;
    suspicion->retry_us = mono_us + wait_us;
    put(camera, -1, mono_us);
    memcpy(verdict->isolated, camera->camera.id, sizeof(verdict->isolated));
    verdict->retry_after_us = wait_us;
}

// Those who waited while the bench died did not kill it. They go back among the others.
static void release_waiting(struct gw_assignment *assignment, int batch)
{
    for (int i = 0; i < assignment->count; i++) {
        struct gw_assigned *camera = &assignment->cameras[i];
        if (is_waiting_suspect(camera) && camera->suspicion.batch == batch)
            camera->suspicion.phase = GW_SUSPICION_NONE;
    }
}

static void judge_bench(struct gw_assignment *assignment, int bench,
                        struct gw_placement_verdict *verdict, int64_t mono_us)
{
    int count = count_at(assignment, bench);
    for (int i = 0; i < assignment->count && count; i++) {
        struct gw_assigned *camera = &assignment->cameras[i];
        if (camera->worker != bench)
            continue;
        release_waiting(assignment, camera->suspicion.batch);
        break;
    }
    for (int i = 0; i < assignment->count; i++) {
        struct gw_assigned *camera = &assignment->cameras[i];
        if (camera->worker != bench)
            continue;
        if (count == 1)
            isolate(camera, verdict, mono_us);
        else
            put(camera, -1, mono_us);
    }
}

static void judge_worker(struct gw_assignment *assignment, int worker,
                         struct gw_placement_verdict *verdict, int64_t mono_us)
{
    assignment->batches++;
    for (int i = 0; i < assignment->count; i++) {
        struct gw_assigned *camera = &assignment->cameras[i];
        if (camera->worker != worker || camera->suspicion.deaths < DEATHS_OF_A_SUSPECT)
            continue;
        camera->suspicion.phase = GW_SUSPICION_SUSPECT;
        camera->suspicion.batch = assignment->batches;
        put(camera, -1, mono_us);
        verdict->suspects++;
    }
}

struct gw_placement_verdict gw_placement_death(struct gw_assignment *assignment, int workers,
                                               int worker, int64_t there_us, int64_t mono_us)
{
    struct gw_placement_verdict verdict = {0};
    if (!there_us)
        return verdict;
    for (int i = 0; i < assignment->count; i++)
        if (assignment->cameras[i].worker == worker)
            count_death(&assignment->cameras[i].suspicion, there_us, mono_us);
    if (worker == workers)
        judge_bench(assignment, worker, &verdict, mono_us);
    else
        judge_worker(assignment, worker, &verdict, mono_us);
    return verdict;
}

// --- trials --------------------------------------------------------------------------------------

static int64_t trial_length_us(const struct gw_suspicion *suspicion)
{
    if (suspicion->isolations)
        return ISOLATED_TRIAL_US;
    return clamp(2 * suspicion->latency_us + TRIAL_MARGIN_US, SHORTEST_TRIAL_US, LONGEST_TRIAL_US);
}

static bool is_over(const struct gw_suspicion *suspicion, int64_t bench_there_us, int64_t mono_us)
{
    if (!bench_there_us)
        return mono_us - suspicion->placed_us >= BENCH_LIMIT_US;
    return mono_us - later(suspicion->placed_us, bench_there_us) >= trial_length_us(suspicion);
}

static bool has_waiting_suspects(const struct gw_assignment *assignment)
{
    for (int i = 0; i < assignment->count; i++)
        if (is_waiting_suspect(&assignment->cameras[i]))
            return true;
    return false;
}

// Nobody comes to try them on: they are no better off waiting.
static void release_all(struct gw_assignment *assignment)
{
    for (int i = 0; i < assignment->count; i++)
        if (is_waiting_suspect(&assignment->cameras[i]))
            assignment->cameras[i].suspicion.phase = GW_SUSPICION_NONE;
}

// Who lived through its trial is trusted again. One that was isolated makes room for suspects, of
// whom most are innocent.
static bool end_trials(struct gw_assignment *assignment, int bench, int64_t bench_there_us,
                       int64_t mono_us)
{
    bool changed = false, absent = false, wanted = has_waiting_suspects(assignment);
    for (int i = 0; i < assignment->count; i++) {
        struct gw_assigned *camera = &assignment->cameras[i];
        struct gw_suspicion *suspicion = &camera->suspicion;
        if (camera->worker != bench)
            continue;
        if (is_over(suspicion, bench_there_us, mono_us)) {
            suspicion->phase = GW_SUSPICION_NONE;
            absent = !bench_there_us;
        } else if (suspicion->phase == GW_SUSPICION_ISOLATED && wanted) {
            suspicion->retry_us = mono_us + FIRST_RETRY_US;
        } else {
            continue;
        }
        put(camera, -1, mono_us);
        changed = true;
    }
    if (absent)
        release_all(assignment);
    return changed;
}

static struct gw_assigned *find_due_isolated(const struct gw_assignment *assignment,
                                             int64_t mono_us)
{
    struct gw_assigned *due = NULL;
    for (int i = 0; i < assignment->count; i++) {
        struct gw_assigned *camera = &assignment->cameras[i];
        if (camera->suspicion.phase == GW_SUSPICION_ISOLATED &&
            camera->suspicion.retry_us <= mono_us &&
            (!due || camera->suspicion.retry_us < due->suspicion.retry_us))
            due = camera;
    }
    return due;
}

// The oldest batch of suspects that wait; 0 when there is none.
static int find_batch(const struct gw_assignment *assignment, int *ret_count)
{
    int batch = 0;
    *ret_count = 0;
    for (int i = 0; i < assignment->count; i++) {
        const struct gw_assigned *camera = &assignment->cameras[i];
        if (!is_waiting_suspect(camera))
            continue;
        if (!batch || camera->suspicion.batch < batch) {
            batch = camera->suspicion.batch;
            *ret_count = 0;
        }
        *ret_count += camera->suspicion.batch == batch;
    }
    return batch;
}

static bool begin_trial(struct gw_assignment *assignment, int bench, int64_t mono_us)
{
    int count, batch = find_batch(assignment, &count);
    int take = (count + 1) / 2;

    if (count_at(assignment, bench))
        return false;
    if (!batch) {
        struct gw_assigned *due = find_due_isolated(assignment, mono_us);
        if (due)
            put(due, bench, mono_us);
        return due;
    }
    for (int i = 0; i < assignment->count && take; i++) {
        struct gw_assigned *camera = &assignment->cameras[i];
        if (!is_waiting_suspect(camera) || camera->suspicion.batch != batch)
            continue;
        put(camera, bench, mono_us);
        take--;
    }
    return true;
}

static void forget_old(struct gw_assignment *assignment, const struct gw_placement_crew *crew,
                       int64_t mono_us)
{
    for (int i = 0; i < assignment->count; i++) {
        struct gw_assigned *camera = &assignment->cameras[i];
        struct gw_suspicion *suspicion = &camera->suspicion;
        if (!suspicion->deaths || suspicion->phase || camera->worker < 0 ||
            !crew->there_us[camera->worker])
            continue;
        int64_t calm_since_us =
            later(later(suspicion->death_us, suspicion->placed_us), crew->there_us[camera->worker]);
        if (mono_us - calm_since_us >= FORGET_US)
            *suspicion = (struct gw_suspicion){.placed_us = suspicion->placed_us,
                                               .displaced = suspicion->displaced};
    }
}

// --- trusted cameras -----------------------------------------------------------------------------

// The worker with the fewest cameras among those that do not wait; among all when all do.
static int find_least_loaded(const struct gw_placement_crew *crew, const int *load)
{
    int best = -1;
    for (int i = 0; i < crew->workers; i++)
        if (best < 0 || crew->waits[best] > crew->waits[i] ||
            (crew->waits[best] == crew->waits[i] && load[i] < load[best]))
            best = i;
    return best;
}

static void measure_load(const struct gw_assignment *assignment, int workers, int *load)
{
    memset(load, 0, (size_t)workers * sizeof(*load));
    for (int i = 0; i < assignment->count; i++)
        if (assignment->cameras[i].worker >= 0 && assignment->cameras[i].worker < workers)
            load[assignment->cameras[i].worker]++;
}

static bool place_homeless(struct gw_assignment *assignment, const struct gw_placement_crew *crew,
                           int *load, int64_t mono_us)
{
    bool changed = false;
    for (int i = 0; i < assignment->count; i++) {
        struct gw_assigned *camera = &assignment->cameras[i];
        bool homeless =
            camera->worker < 0 || (camera->worker < crew->workers && crew->waits[camera->worker]);
        if (camera->suspicion.phase || !homeless)
            continue;
        int worker = find_least_loaded(crew, load);
        if (worker == camera->worker || (camera->worker >= 0 && crew->waits[worker]))
            continue; // it is no better off elsewhere
        if (camera->worker >= 0)
            load[camera->worker]--;
        load[worker]++;
        put(camera, worker, mono_us);
        camera->suspicion.displaced = true;
        changed = true;
    }
    return changed;
}

static bool is_steady(const struct gw_placement_crew *crew, int worker, int64_t mono_us)
{
    return crew->there_us[worker] && mono_us - crew->there_us[worker] >= STEADY_US;
}

// A displaced camera of the worker that has the most of all cameras; NULL when that has none.
static struct gw_assigned *find_displaced(const struct gw_assignment *assignment,
                                          const struct gw_placement_crew *crew, const int *load)
{
    struct gw_assigned *best = NULL;
    for (int i = 0; i < assignment->count; i++) {
        struct gw_assigned *camera = &assignment->cameras[i];
        if (camera->suspicion.displaced && !camera->suspicion.phase && camera->worker >= 0 &&
            camera->worker < crew->workers && (!best || load[camera->worker] > load[best->worker]))
            best = camera;
    }
    return best;
}

// Displaced cameras move to a worker that lives again, until all have the same.
static bool even_out(struct gw_assignment *assignment, const struct gw_placement_crew *crew,
                     int *load, int64_t mono_us)
{
    bool changed = false;
    int target = -1, steady = 0;
    for (int i = 0; i < crew->workers; i++)
        steady += is_steady(crew, i, mono_us);
    for (struct gw_assigned *camera; (camera = find_displaced(assignment, crew, load));) {
        target = -1;
        for (int i = 0; i < crew->workers; i++)
            if (is_steady(crew, i, mono_us) && (target < 0 || load[i] < load[target]))
                target = i;
        if (target < 0 || load[camera->worker] - load[target] <= 1)
            break;
        load[camera->worker]--;
        load[target]++;
        put(camera, target, mono_us);
        camera->suspicion.displaced = false;
        changed = true;
    }
    for (int i = 0; steady == crew->workers && i < assignment->count; i++)
        if (!assignment->cameras[i].suspicion.phase)
            assignment->cameras[i].suspicion.displaced = false;
    return changed;
}

bool gw_placement_step(struct gw_assignment *assignment, const struct gw_placement_crew *crew,
                       int64_t mono_us)
{
    const int bench = crew->workers;
    int *load = calloc((size_t)crew->workers, sizeof(*load));
    if (!load)
        abort();
    forget_old(assignment, crew, mono_us);
    bool changed = end_trials(assignment, bench, crew->there_us[bench], mono_us);
    changed |= begin_trial(assignment, bench, mono_us);
    measure_load(assignment, crew->workers, load);
    changed |= place_homeless(assignment, crew, load, mono_us);
    changed |= even_out(assignment, crew, load, mono_us);
    free(load);
    return changed;
}

bool gw_placement_needs_bench(const struct gw_assignment *assignment, int workers)
{
    return count_at(assignment, workers) > 0 || has_waiting_suspects(assignment);
}

int gw_placement_suspects(const struct gw_assignment *assignment)
{
    return count_at(assignment, -1);
}
