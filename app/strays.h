// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What lost workers left behind: events that nobody will close, clips that nobody will finish,
// cameras called online that nobody is connected to, and coverage that nobody goes on with.
//
//   storage/index.h, crew.h, assignment.h -> [strays] -> ledger.h, a worker that repairs
//
// A row that the index lists as unfinished and that no running worker has open is a stray, and so
// is a camera that the index lists as online and no running worker does. It does not matter how it
// became one: a killed worker, a killed hub, a power cut, a camera taken away. Hub's thread only.
#pragma once

#include "app/assignment.h"
#include "app/crew.h"
#include "app/ledger.h"

struct gw_strays_config {
    struct gw_index *index; // all borrowed
    struct gw_crew *crew;
    const struct gw_assignment *assignment;
    struct gw_ledger *ledger;
    void *workers; // ROUTER socket
    const struct gw_log *log;
    bool stopping; // the site is: what is offline stays so
};

// Closes stray events as interrupted, where their last report left them, calls stray cameras
// offline, and hands stray clips to a present worker, which has them open from then on. Returns
// whether nothing is left to do; false (the index failed, no worker is present, there were very
// many) means: call again.
bool gw_strays_settle(const struct gw_strays_config *config);

// The part of it that is about coverage, which also follows the registry: before a camera is
// assigned, so that it counts from then on.
bool gw_strays_settle_coverage(struct gw_ledger *ledger, struct gw_crew *crew);
