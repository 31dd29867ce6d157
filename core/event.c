// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/event.h"

#include "core/names.h"

static const char *const kinds[GW_EVENT_KIND_COUNT] = {"motion", "covered", "black", "over-bright",
                                                       "frozen", "blurred", "moved"};
static const char *const states[] = {"open", "closed"};

const char *gw_event_kind_name(enum gw_event_kind kind)
{
    return kinds[kind];
}

int gw_event_kind_from_name(const char *name)
{
    return gw_find_name(kinds, GW_COUNT(kinds), name);
}

const char *gw_event_state_name(enum gw_event_state state)
{
    return states[state];
}

int gw_event_state_from_name(const char *name)
{
    return gw_find_name(states, GW_COUNT(states), name);
}
