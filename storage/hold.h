// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A case hold: what must not be deleted while it lasts, for which case, who said so and why.
//
//   gridwatch hold -> [hold] -> index_delete.h, which deletes nothing that is held
//
// It protects what was recorded in its time by its cameras, also what is recorded later. Every hold
// ends by itself. Its row is never deleted and tells who removed it. Same threads as the index.
#pragma once

#include "storage/index.h"

#define GW_HOLD_NAME_SIZE   64
#define GW_HOLD_REASON_SIZE 256
#define GW_HOLD_AREA_SIZE   (GW_DIVISION_SIZE + GW_GRID_SIZE)

struct gw_hold {
    int64_t id; // from 1
    char case_name[GW_HOLD_NAME_SIZE];
    char reason[GW_HOLD_REASON_SIZE];
    char author[GW_HOLD_NAME_SIZE];
    int64_t created_us, until_us; // wall; it lasts until then

    // What it protects; all that is set must hold.
    char camera[GW_CAMERA_ID_SIZE];   // "" for any
    char division[GW_HOLD_AREA_SIZE]; // and all below it; a grid may follow it; "" for any
    int64_t from_us, to_us;           // overlap with [from, to); GW_NO_TIME: open end

    int64_t removed_us; // GW_NO_TIME: it was not removed
    char removed_by[GW_HOLD_NAME_SIZE];
    char removed_reason[GW_HOLD_REASON_SIZE];
};

// Adds it and sets its id. Returns 0, GW_ERROR_INVALID for one that protects everything, lacks
// case, reason or author, or has ended already, or an error of the index.
int gw_index_add_hold(struct gw_index *index, struct gw_hold *hold);

// Ends it before its time. Returns 0, GW_ERROR_NOT_FOUND when there is none or it was removed
// before, or an error.
int gw_index_remove_hold(struct gw_index *index, int64_t id, const char *by, const char *reason,
                         int64_t now_us);

// All there ever were, by id. The caller frees *ret with free(). Returns how many, or an error.
int gw_index_holds(struct gw_index *index, struct gw_hold **ret);

// Whether it still protects something.
bool gw_hold_lasts(const struct gw_hold *hold, int64_t now_us);
// Whether this row of this place is what it protects, as long as it lasts. place NULL: any, for who
// does not know it yet.
bool gw_hold_covers(const struct gw_hold *hold, const char *camera, const struct gw_place *place,
                    int64_t start_us, int64_t end_us);

// {"id": 1, "case": …, "lasts": true, …}: the same for the API and the command line. New reference.
json_t *gw_hold_to_json(const struct gw_hold *hold, int64_t now_us);
