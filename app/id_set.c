// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/id_set.h"

#include <stdlib.h>

// A worker has a few dozen things open, so a walk is quick enough.
static int find(const struct gw_id_set *set, const struct gw_id *id)
{
    for (int i = 0; i < set->count; i++)
        if (gw_id_equal(&set->ids[i], id))
            return i;
    return -1;
}

void gw_id_set_add(struct gw_id_set *set, const struct gw_id *id)
{
    if (find(set, id) >= 0)
        return;
    if (set->count == set->room) {
        set->room = set->room ? 2 * set->room : 16;
        set->ids = realloc(set->ids, (size_t)set->room * sizeof(*set->ids));
        if (!set->ids)
            abort();
    }
    set->ids[set->count++] = *id;
}

void gw_id_set_remove(struct gw_id_set *set, const struct gw_id *id)
{
    int i = find(set, id);
    if (i >= 0)
        set->ids[i] = set->ids[--set->count];
}

bool gw_id_set_has(const struct gw_id_set *set, const struct gw_id *id)
{
    return find(set, id) >= 0;
}

void gw_id_set_clear(struct gw_id_set *set)
{
    set->count = 0;
}

void gw_id_set_finish(struct gw_id_set *set)
{
    free(set->ids);
    *set = (struct gw_id_set){0};
}
