// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/things.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { QUIET, MOVES, COUNTED };

int gw_things_create(struct gw_things *things, int columns, int rows)
{
    const size_t blocks = (size_t)(columns * rows);

    *things = (struct gw_things){.columns = columns, .rows = rows};
    things->moves = calloc(blocks, 1);
    things->before = calloc(blocks, 1);
    things->blocks = calloc(blocks, sizeof(*things->blocks));
    things->queue = calloc(blocks, sizeof(*things->queue));
    if (things->moves && things->before && things->blocks && things->queue)
        return 0;
    gw_things_destroy(things);
    return -ENOMEM;
}

void gw_things_destroy(struct gw_things *things)
{
    free(things->moves);
    free(things->before);
    free(things->blocks);
    free(things->queue);
    *things = (struct gw_things){0};
}

void gw_things_begin(struct gw_things *things)
{
    uint8_t *moved = things->moves;

    things->moves = things->before;
    things->before = moved;
    memset(things->moves, QUIET, (size_t)(things->columns * things->rows));
    things->next = 0;
}

void gw_things_mark(struct gw_things *things, int index, struct gw_block block)
{
    things->moves[index] = MOVES;
    things->blocks[index] = block;
}

// The block and its neighbours: those that wait go to the queue's end. Returns whether one of them
// moved before.
static bool visit(struct gw_things *things, int block, int *end)
{
    const int column = block % things->columns, row = block / things->columns;
    const int left = column > 0 ? column - 1 : 0, top = row > 0 ? row - 1 : 0;
    const int right = column + 1 < things->columns ? column + 1 : column;
    const int bottom = row + 1 < things->rows ? row + 1 : row;
    bool known = false;

    for (int y = top; y <= bottom; y++)
        for (int x = left; x <= right; x++) {
            const int neighbour = y * things->columns + x;
            known |= things->before[neighbour] != QUIET;
            if (things->moves[neighbour] != MOVES)
                continue;
            things->moves[neighbour] = COUNTED;
            things->queue[(*end)++] = neighbour;
        }
    return known;
}

static struct gw_thing grow(struct gw_things *things, int first)
{
    struct gw_thing thing = {.blocks = things->queue,
                             .left = things->columns,
                             .top = things->rows,
                             .right = -1,
                             .bottom = -1};
    int end = 1;

    things->moves[first] = COUNTED;
    things->queue[0] = first;
    for (; thing.count < end; thing.count++) {
        const int block = things->queue[thing.count];
        const int column = block % things->columns, row = block / things->columns;
        thing.known += visit(things, block, &end);
        thing.texture += things->blocks[block].texture;
        thing.changed += things->blocks[block].changed;
        thing.x += column;
        thing.y += row;
        thing.left = column < thing.left ? column : thing.left;
        thing.right = column > thing.right ? column : thing.right;
        thing.top = row < thing.top ? row : thing.top;
        thing.bottom = row > thing.bottom ? row : thing.bottom;
    }
    thing.x /= thing.count;
    thing.y /= thing.count;
    return thing;
}

bool gw_things_next(struct gw_things *things, struct gw_thing *ret)
{
    const int left = things->columns * things->rows - things->next;
    const uint8_t *first = memchr(things->moves + things->next, MOVES, (size_t)left);

    things->next = first ? (int)(first - things->moves) : things->next + left;
    if (!first)
        return false;
    *ret = grow(things, things->next);
    return true;
}
