// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Things: blocks of a picture that move and touch each other, also at corners.
//
//   motion.c -> [things] -> motion.c
//
// For every picture: begin, mark the blocks that move, then ask for one thing after the other.
// Knows blocks only, no pixels and no zones. Used by one thread at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Side of a block, in small pixels: small enough for a person at the far end of a yard, large
// enough that noise does not fill one.
enum { GW_BLOCK = 4 };

// Pixels of a block that moves.
struct gw_block {
    uint8_t texture; // that another structure than the background's is worth; texture.h
    uint8_t changed; // are not as they were a moment ago; recent.h
};

struct gw_things {
    int columns, rows;
    // Per block. moves: 0 = quiet, or how far the search got. before: moved in the picture before.
    uint8_t *moves, *before;
    struct gw_block *blocks; // of those that move
    int *queue;              // the blocks of the thing found last
    int next;                // where the search goes on
};

struct gw_thing {
    const int *blocks; // valid until the next search; row * columns + column
    int count;
    int texture, changed;         // pixels; see gw_block
    int known;                    // blocks at or beside one that moved in the picture before
    int left, top, right, bottom; // columns and rows, inclusive
    double x, y;                  // the middle of all its blocks, columns and rows
};

// Returns 0 or -ENOMEM.
int gw_things_create(struct gw_things *things, int columns, int rows);
void gw_things_destroy(struct gw_things *things);

// The next picture: nothing moves in it yet.
void gw_things_begin(struct gw_things *things);
void gw_things_mark(struct gw_things *things, int index, struct gw_block block);

// Finds the next thing, from top to bottom. Returns false when there is none left.
bool gw_things_next(struct gw_things *things, struct gw_thing *ret);
