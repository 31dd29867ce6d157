// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Which worker runs which camera, and for which of them it is online. Pure: the registry and camera
// facts in, an assignment out; no process, no socket.
//
// A camera stays where it is as long as it is enabled and registered; a new one goes to the worker
// with the fewest. So a change in the registry touches only the cameras that it names. What the
// death of a worker changes is placement.h's.
#pragma once

#include "core/camera.h"

enum gw_suspicion_phase {
    GW_SUSPICION_NONE,
    GW_SUSPICION_SUSPECT,  // its worker died with it again and again: waits for its trial, or is on
                           // it
    GW_SUSPICION_ISOLATED, // a worker died that ran nothing else: waits until it is tried again
};

// What is held against a camera; see placement.h. Zeroed when nothing is. Times are mono.
struct gw_suspicion {
    enum gw_suspicion_phase phase;
    int deaths;         // of workers that ran it
    int batch;          // with whom it became a suspect
    int isolations;     // how often it was the only one
    int64_t placed_us;  // at its present worker
    int64_t latency_us; // shortest time that a worker lived with it before a death
    int64_t death_us;   // the last one
    int64_t retry_us;   // isolated: when it is tried again
    bool displaced;     // is not where the registry's changes had put it
};

struct gw_assigned {
    struct gw_camera camera;
    int worker;  // -1: none, because of the suspicion
    bool online; // said by this worker, and it still runs
    struct gw_suspicion suspicion;
};

struct gw_assignment {
    struct gw_assigned *cameras; // enabled ones, by id
    int count;
    int batches; // of suspects so far
};

// Takes the registry's cameras (by id, disabled ones are left out) over into the assignment. A
// camera whose registration changed in what concerns a worker is no suspect any more. Returns
// whether anything changed that a worker must know.
bool gw_assignment_update(struct gw_assignment *assignment, const struct gw_camera *cameras,
                          int count, int workers);
void gw_assignment_finish(struct gw_assignment *assignment);

// NULL when it is not there.
const struct gw_assigned *gw_assignment_find(const struct gw_assignment *assignment,
                                             const char *camera);

// A worker said that a camera delivers (online or degraded) or went offline. Returns false, with
// nothing changed, when it is not a camera of this worker (any more).
bool gw_assignment_note(struct gw_assignment *assignment, int worker, const char *camera,
                        bool online);
// This worker has ended: no camera is online by its word.
void gw_assignment_lose(struct gw_assignment *assignment, int worker);
// Whether the worker that has this camera says it is online. False for a camera nobody has.
bool gw_assignment_online(const struct gw_assignment *assignment, const char *camera);

// Copies the cameras of one worker to ret (room for assignment->count). Returns how many.
int gw_assignment_of(const struct gw_assignment *assignment, int worker, struct gw_camera *ret);
