// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The county's newest rows in a Redis, and the same questions asked of both engines in turn.
#pragma once

#include "tests/bench/index_county.h"

struct beside {
    const struct county *county;
    struct gw_index *index;
    const char *address; // of an empty Redis
    int64_t events;      // as many of the newest ones, and half as many clips, are fed into it
    int rounds;          // of each question, asked of each engine
    // Told of each answer. engine: its name. Wall time in ms.
    void *opaque;
    void (*answered)(void *opaque, const char *engine, enum county_question question, double ms,
                     int rows);
};

// Returns 0; prints how long filling took. Exits with a line on failure.
void beside_run(const struct beside *beside);
