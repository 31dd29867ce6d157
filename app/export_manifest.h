// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The parts of a manifest: what was asked for, and each thing in the bundle or missing from it.
// Private to export.c. The fields are described in docs/ref/evidence.md.
#pragma once

#include "app/export.h"
#include "storage/media_plan.h"

// Each returns a new reference.
json_t *gw_manifest_create(const struct gw_export_request *request, const char *id);
json_t *gw_manifest_clip(const struct gw_clip_row *row, const struct gw_media_plan *plan,
                         const char *name);
json_t *gw_manifest_missing(const struct gw_clip_row *row, const char *why);
json_t *gw_manifest_gap(const struct gw_gap_row *row);
json_t *gw_manifest_snapshot(const struct gw_event_row *row, const char *name);

// What stands in README.txt.
extern const char gw_evidence_readme[];
