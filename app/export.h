// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Exports what was recorded as a bundle of evidence: docs/ref/evidence.md.
//
//   index, clips (media_planner.h) -> [export] -> storage/evidence_write.h
//
// The process that exports reads no byte of a clip as anything but bytes. One thread.
#pragma once

#include <stdbool.h>

#include "app/config.h"
#include "core/log.h"
#include "storage/evidence_write.h"
#include "storage/index.h"

#define GW_EXPORT_TEXT_LIMIT 500 // characters of case, reason and exporter

struct gw_export_request {
    const struct gw_config *site; // borrowed, as all here
    struct gw_index *index;
    struct gw_query query; // times open where nothing was said
    const json_t *filters; // as they were given, for the manifest
    const char *case_text, *reason, *exporter, *os_user;
    bool snapshots; // those of events, too
    const struct gw_evidence_key *key;
    const struct gw_log *log;
};

struct gw_export_result {
    char id[GW_ID_TEXT_SIZE];
    int clips, gaps, snapshots, missing;
    int files; // with those that explain the others
    int64_t media_us, bytes;
    uint8_t manifest_hash[GW_EVIDENCE_HASH];
};

// Returns 0, or an error with one line for people and nothing left in the folder's place.
// GW_ERROR_NOT_FOUND: nothing was recorded there then. ret->id is made by the caller.
int gw_export(struct gw_export_result *ret, const struct gw_export_request *request,
              const char *folder, char error[GW_EVIDENCE_ERROR]);
