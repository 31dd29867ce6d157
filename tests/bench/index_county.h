// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A county for measuring the index: cameras with places, and events and clips of ninety days, the
// same ones for the same seed. Rows are put into the tables directly, because committing fifteen
// million facts takes hours; their form is that of committed ones.
#pragma once

#include <stdint.h>

#include "storage/index.h"

#define COUNTY_DIVISION "640323"
#define COUNTY_DAYS     90

struct county {
    const char *store;
    int cameras;
    int64_t events, clips;
    uint64_t seed;
    int64_t first_us, last_us; // set by county_make and county_describe
};

// A seeded generator (xorshift64*, Vigna 2016). Never give it 0.
uint64_t county_random(uint64_t *state);
double county_fraction(uint64_t *state); // 0 to < 1

// Where camera number i (from 0) stands, and what it sees.
void county_camera(const struct county *county, int i, struct gw_camera *ret);

// Makes the store, unless it is there already with as many rows. Exits with a line on failure.
void county_make(struct county *county);

// Random queries of the four kinds that the county's people ask.
enum county_question { POLYGON_DAY, CIRCLE_MONTH, DIVISION_HOUR, COVERS_WEEK, QUESTION_COUNT };
extern const char *const county_question_names[];
void county_ask(const struct county *county, enum county_question question, uint64_t *state,
                struct gw_query *ret);

// A new event of a random camera, now.
void county_event(const struct county *county, uint64_t *state, int64_t now_us,
                  struct gw_event *ret);
