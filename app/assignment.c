// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/assignment.h"

#include <stdlib.h>
#include <string.h>

static int compare_id(const void *id, const void *assigned)
{
    return strcmp(id, ((const struct gw_assigned *)assigned)->camera.id);
}

static struct gw_assigned *find(const struct gw_assignment *assignment, const char *id)
{
    if (!assignment->count)
        return NULL;
    return bsearch(id, assignment->cameras, (size_t)assignment->count, sizeof(struct gw_assigned),
                   compare_id);
}

const struct gw_assigned *gw_assignment_find(const struct gw_assignment *assignment,
                                             const char *camera)
{
    return find(assignment, camera);
}

static int least_loaded(const int *load, int workers)
{
    int best = 0;
    for (int i = 1; i < workers; i++)
        if (load[i] < load[best])
            best = i;
    return best;
}

// What becomes of a camera that was known as old; NULL when it is new.
static struct gw_assigned take_over(const struct gw_assigned *old, const struct gw_camera *camera,
                                    int workers)
{
    struct gw_assigned next = {.camera = *camera, .worker = -1};
    if (!old)
        return next;
    next.worker = old->worker;
    next.online = old->online;
    if (gw_camera_same_work(&old->camera, camera))
        next.suspicion = old->suspicion;
    else if (next.worker >= workers)
        next.worker = -1; // it leaves the bench
    return next;
}

bool gw_assignment_update(struct gw_assignment *assignment, const struct gw_camera *cameras,
                          int count, int workers)
{
    struct gw_assigned *next = calloc((size_t)count + 1, sizeof(*next));
    int *load = calloc((size_t)workers, sizeof(*load));
    int used = 0;
    bool changed = false;

    if (!next || !load)
        abort();
    for (int i = 0; i < count; i++) {
        if (!cameras[i].enabled)
            continue;
        const struct gw_assigned *old = find(assignment, cameras[i].id);
        next[used] = take_over(old, &cameras[i], workers);
        if (next[used].worker >= 0 && next[used].worker < workers)
            load[next[used].worker]++;
        changed |= !old || !gw_camera_same_work(&old->camera, &cameras[i]);
        used++;
    }
    for (int i = 0; i < used; i++) {
        if (next[i].worker >= 0 || next[i].suspicion.phase)
            continue;
        next[i].worker = least_loaded(load, workers);
        load[next[i].worker]++;
    }
    changed |= used != assignment->count;
    free(load);
    free(assignment->cameras);
    assignment->cameras = next;
    assignment->count = used;
    return changed;
}

void gw_assignment_finish(struct gw_assignment *assignment)
{
    free(assignment->cameras);
    *assignment = (struct gw_assignment){0};
}

bool gw_assignment_note(struct gw_assignment *assignment, int worker, const char *camera,
                        bool online)
{
    struct gw_assigned *assigned = find(assignment, camera);
    if (!assigned || assigned->worker != worker)
        return false;
    assigned->online = online;
    return true;
}

void gw_assignment_lose(struct gw_assignment *assignment, int worker)
{
    for (int i = 0; i < assignment->count; i++)
        if (assignment->cameras[i].worker == worker)
            assignment->cameras[i].online = false;
}

bool gw_assignment_online(const struct gw_assignment *assignment, const char *camera)
{
    const struct gw_assigned *assigned = find(assignment, camera);
    return assigned && assigned->online;
}

int gw_assignment_of(const struct gw_assignment *assignment, int worker, struct gw_camera *ret)
{
    int count = 0;
    for (int i = 0; i < assignment->count; i++)
        if (assignment->cameras[i].worker == worker)
            ret[count++] = assignment->cameras[i].camera;
    return count;
}
