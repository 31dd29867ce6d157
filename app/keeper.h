// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What keeps a site's store in order beside the hub: retention's thread and the reserve.
//
//   configuration -> [keeper: retention_thread.h, reserve.h] -> console, ledger
//
// Made after the index and before the first fact of this run, because it compares the clock with
// the newest one. All but create and destroy from any thread.
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "app/config.h"
#include "core/log.h"

struct gw_keeper;

// Returns 0, or an error with one line for people in error.
int gw_keeper_create(struct gw_keeper **ret, const struct gw_config *site, const struct gw_log *log,
                     char error[256]);
void gw_keeper_destroy(struct gw_keeper **keeper);

// The index could not be written with this error: gives the reserve back, if that helps. Returns
// whether to try again.
bool gw_keeper_make_room(struct gw_keeper *keeper, int error);
// The same before there is a keeper: the index of a site could not be opened.
bool gw_keeper_make_room_to_start(const struct gw_config *site, int error);

// For gw_console_config: opaque is the keeper.
json_t *gw_keeper_describe_storage(void *opaque);
void gw_keeper_write_metrics(void *opaque, FILE *out);
