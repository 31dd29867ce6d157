// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A small set of ids. In place; zero is empty. One thread.
#pragma once

#include "core/id.h"

struct gw_id_set {
    struct gw_id *ids;
    int count, room;
};

// Adding twice is adding once; removing what is not there does nothing.
void gw_id_set_add(struct gw_id_set *set, const struct gw_id *id);
void gw_id_set_remove(struct gw_id_set *set, const struct gw_id *id);
bool gw_id_set_has(const struct gw_id_set *set, const struct gw_id *id);
void gw_id_set_clear(struct gw_id_set *set);
void gw_id_set_finish(struct gw_id_set *set);
