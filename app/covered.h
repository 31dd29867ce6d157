// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Until when cameras were received, as workers say it every second: the last of it is kept, and
// goes to the disk every ten seconds and when a worker is gone. Not facts: what a gap may begin
// with.
//
//   hub.c -> [covered] -> storage/index.h
//
// Used by the hub's thread only.
#pragma once

#include <jansson.h>

#include "core/log.h"
#include "storage/index.h"

struct gw_covered;

// For so many places of workers (crew.h). index and log are borrowed. Aborts without memory.
struct gw_covered *gw_covered_create(int places, struct gw_index *index, const struct gw_log *log);
// Accepts NULL. What is not on the disk is forgotten.
void gw_covered_destroy(struct gw_covered **covered);

// What the worker at this place says now. Takes a reference of its own.
void gw_covered_note(struct gw_covered *covered, int place, const struct gw_id *boot,
                     json_t *message);
// Puts what that worker said last on the disk. Returns 0, or GW_ERROR_INVALID when it made no
// sense.
int gw_covered_stamp(struct gw_covered *covered, int place);
// The same for every place, when the last time is long enough ago. Returns how many made no sense.
int gw_covered_stamp_when_due(struct gw_covered *covered, int64_t mono_us);
