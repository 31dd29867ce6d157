// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Has clips joined (storage/clip_join.h) by a sandboxed process that lives just for that: the hub
// and the command line read no byte that came from a camera.
//
//   console, `gridwatch export` -> [media_planner] -> `gridwatch plan-media` -> media_plan.h
//
// Any thread; each call starts a process and waits for it.
#pragma once

#include "core/log.h"
#include "storage/media_plan.h"

#define GW_PLAN_LIMIT_US INT64_C(60000000) // a process that takes longer is killed

struct gw_media_planner {
    const char *store; // borrowed, as the rest
    const struct gw_log *log;
};

// Returns 0 with a plan, or with *ret NULL and what is wrong in *ret_problem; GW_ERROR_STALLED when
// it took too long, GW_ERROR_INVALID when the process failed or lied, -errno.
int gw_media_planner_plan(const struct gw_media_planner *planner,
                          const struct gw_join_request *request, struct gw_media_plan **ret,
                          enum gw_join_problem *ret_problem, int64_t *ret_problem_us);

// The other side: `gridwatch plan-media`. Descriptors that it is given.
#define GW_PLAN_REQUEST_FD 0
#define GW_PLAN_RESULT_FD  3
#define GW_PLAN_MADE_FD    4
