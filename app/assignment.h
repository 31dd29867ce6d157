// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Which worker runs which camera, and for which of them it is online. Pure: the registry and camera
// facts in, an assignment out; no process, no socket.
//
// A camera stays where it is as long as it is enabled and registered; a new one goes to the worker
// with the fewest. So a change in the registry touches only the cameras that it names.
#pragma once

#include "core/camera.h"

struct gw_assigned {
    struct gw_camera camera;
    int worker;
    bool online; // said by this worker, and it still runs
};

struct gw_assignment {
    struct gw_assigned *cameras; // enabled ones, by id
    int count;
};

// Takes the registry's cameras (by id, disabled ones are left out) over into the assignment.
// Returns whether anything changed that a worker must know.
bool gw_assignment_update(struct gw_assignment *assignment, const struct gw_camera *cameras,
                          int count, int workers);
void gw_assignment_finish(struct gw_assignment *assignment);

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
