// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The thread in which retention works, beside the hub's.
//
//   clocks, disk -> [retention_thread: retention.h] -> console: report
//
// create returns once it runs; destroy ends it after the step it is in. The rest from any thread.
#pragma once

#include <stdio.h>

#include <jansson.h>

#include "app/retention.h"

struct gw_retention_thread;

int gw_retention_thread_create(struct gw_retention_thread **ret,
                               const struct gw_retention_config *config,
                               char error[GW_INDEX_ERROR_SIZE]);
void gw_retention_thread_destroy(struct gw_retention_thread **thread);

void gw_retention_thread_report(struct gw_retention_thread *thread,
                                struct gw_retention_report *ret);

// What GET /api/v1/storage answers. New reference.
json_t *gw_retention_report_to_json(const struct gw_retention_report *report);
// The lines of /metrics.
void gw_retention_report_write_metrics(const struct gw_retention_report *report, FILE *out);
