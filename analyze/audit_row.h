// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// When the next GOP is decoded although the level would not: the first audits come quickly, and
// the longer nothing new comes of them, the rarer they are.
//
//   plan.c -> watch.c -> [audit_row]
//
// Counts GOPs, not time: what is audited is a share of all. A plain value, one thread at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct gw_audit_row {
    int gops;       // since the last audit, or since the row began
    int clean;      // audits in a row that found nothing new
    uint64_t count; // of all audits, for people
};

// Counts one GOP. Returns whether it is to be audited.
bool gw_audit_row_due(struct gw_audit_row *row);
// An audit found what the level missed: the next ones come quickly.
void gw_audit_row_missed(struct gw_audit_row *row);
// Another level does the work: its row begins.
void gw_audit_row_begin(struct gw_audit_row *row);
