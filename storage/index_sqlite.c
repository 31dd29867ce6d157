// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The index as an engine: its functions, as the table names them.

#include "storage/index_internal.h"

static void close_index(void *self)
{
    struct gw_index *index = self;
    gw_index_close(&index);
}

static const char *error(const void *self)
{
    return gw_index_error(self);
}

static int64_t taken(void *self)
{
    return gw_index_head(self);
}

static int take(void *self, const struct gw_committed_fact *facts, int count)
{
    return gw_index_take(self, facts, count);
}

static int events(void *self, const struct gw_query *query, struct gw_event_row *rows,
                  char ret_cursor[64])
{
    return gw_index_events(self, query, rows, ret_cursor);
}

static int clips(void *self, const struct gw_query *query, struct gw_clip_row *rows,
                 char ret_cursor[64])
{
    return gw_index_clips(self, query, rows, ret_cursor);
}

static int gaps(void *self, const struct gw_query *query, struct gw_gap_row *rows,
                char ret_cursor[64])
{
    return gw_index_gaps(self, query, rows, ret_cursor);
}

static int event(void *self, const struct gw_id *id, struct gw_event_row *ret)
{
    return gw_index_event(self, id, ret);
}

static int clip(void *self, const struct gw_id *id, struct gw_clip_row *ret)
{
    return gw_index_clip(self, id, ret);
}

static int gap(void *self, const struct gw_id *id, struct gw_gap_row *ret)
{
    return gw_index_gap(self, id, ret);
}

static int places(void *self, const struct gw_query *query, struct gw_placed *rows, int limit)
{
    return gw_index_places(self, query, rows, limit);
}

static int count_days(void *self, enum gw_noun noun, const struct gw_query *query,
                      struct gw_day_count *rows, int limit)
{
    return gw_index_count_days(self, noun, query, rows, limit);
}

static int count_cells(void *self, enum gw_noun noun, const struct gw_query *query,
                       struct gw_cell_count *rows, int limit)
{
    return gw_index_count_cells(self, noun, query, rows, limit);
}

const struct gw_index_engine gw_index_sqlite = {
    .name = "sqlite",
    .close = close_index,
    .error = error,
    .taken = taken,
    .take = take,
    .events = events,
    .clips = clips,
    .gaps = gaps,
    .event = event,
    .clip = clip,
    .gap = gap,
    .places = places,
    .count_days = count_days,
    .count_cells = count_cells,
};
