// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What lost workers left behind: events that nobody will close and clips that nobody will finish.
//
//   storage/index.h, crew.h -> [strays] -> ledger.h, a worker that repairs
//
// A row that the index lists as unfinished and that no running worker has open is a stray. It does
// not matter how it became one: a killed worker, a killed hub, a power cut. Hub's thread only.
#pragma once

#include "app/crew.h"
#include "app/ledger.h"

struct gw_strays_config {
    struct gw_index *index; // all borrowed
    struct gw_crew *crew;
    struct gw_ledger *ledger;
    void *workers; // ROUTER socket
    const struct gw_log *log;
};

// Closes stray events as interrupted, where their last report left them, and hands stray clips to a
// present worker, which has them open from then on. Returns whether nothing is left to do; false
// (the index failed, no worker is present, there were very many) means: call again.
bool gw_strays_settle(const struct gw_strays_config *config);
