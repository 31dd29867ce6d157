// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Checks a bundle of evidence by itself: needs no store, no index and no network.
//
//   FOLDER -> [evidence_verify] -> `gridwatch verify`
//
// The bundle is anybody's: names that lead out of it, links and what is too large are refused. No
// media is read but to hash it. Any thread.
#pragma once

#include "storage/evidence_write.h"

struct gw_evidence_report {
    char problem[GW_EVIDENCE_ERROR]; // the first thing that is wrong, one line; "" when nothing is
    json_t *manifest;                // when nothing is; its texts are as somebody wrote them
    uint8_t public_half[GW_EVIDENCE_PUBLIC_SIZE]; // that signed it
    uint8_t manifest_hash[GW_EVIDENCE_HASH];
    int files;
    int64_t bytes; // of files
};

// pinned: the only key that counts; NULL: the one that the manifest names. Returns 0 when all is as
// it was signed; GW_ERROR_INVALID, or -errno for what could not be read, with ret->problem.
int gw_evidence_verify(struct gw_evidence_report *ret, const char *folder,
                       const uint8_t pinned[GW_EVIDENCE_PUBLIC_SIZE]);
void gw_evidence_report_finish(struct gw_evidence_report *report);

// Whether a manifest may name a file so: letters, digits, '.', '_', '-'; not hidden, not too long.
bool gw_evidence_name_fits(const char *name);
