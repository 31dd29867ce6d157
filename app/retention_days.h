// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// For how many days the registry says that a camera's recordings are kept, without asking the index
// for each row. One thread.
#pragma once

#include "storage/index.h"

struct gw_retention_days;

// Empty until it is read.
struct gw_retention_days *gw_retention_days_create(void);
void gw_retention_days_destroy(struct gw_retention_days **days);

// Reads the registry, if the index may have changed. Returns 0 or an error.
int gw_retention_days_read(struct gw_retention_days *days, struct gw_index *index);

// Days of a camera; 0: as the site's, or it is not in the registry (any more).
int gw_retention_days_of(const struct gw_retention_days *days, const char *camera);
// The fewest that any camera has; 0: none has days of its own.
int gw_retention_days_fewest(const struct gw_retention_days *days);
