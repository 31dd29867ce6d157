// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The audit log: who looked at what, when and from where. A row per look, written before the first
// byte of footage leaves; rows are only ever added.
//
// Any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "console/db.h"
#include "core/clock.h"

// A player fetches one clip in many parts; within this time they are one look.
#define GW_AUDIT_LOOK_US (60 * GW_SECOND)

struct gw_audit_entry {
    int64_t wall_us;
    const char *session; // id; on the command line "os:USER"
    // "session.open", "session.revoke", "clip.media", "range.media", "event.snapshot", "export",
    // "export.written"
    const char *action;
    const char *object; // id, or "FROM-TO", of what was looked at; of an export JSON; "" for none
    const char *camera; // "" for none
    const char *remote; // address
    bool continued;     // part of a look: no new row if one of the same look is recent enough
};

// Adds the row. Returns 1, 0 when this belongs to a look that has its row, or GW_ERROR_INDEX:
// then nothing may be shown.
int gw_audit_record(struct gw_console_db *db, const struct gw_audit_entry *entry);

// The same from another process than the console's, in store/console.db. On failure one line for
// people in error.
int gw_audit_record_in(const char *store, const struct gw_audit_entry *entry, char error[256]);
