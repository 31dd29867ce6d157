// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The check of a store: each numbered invariant of docs/design/storage.md is looked at, and what
// does not hold is named by its number, and repaired when asked to.
//
//   index, journal, media -> [fsck] -> gridwatch fsck
//
// Beside a running hub it only looks, and looks again after a moment before it says anything: what
// is being written is no finding. One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define GW_FSCK_TEXT_SIZE 512

struct gw_fsck_finding {
    int invariant;
    char what[GW_FSCK_TEXT_SIZE]; // and where
    const char *cure;             // what --repair does, or did
    bool repaired;
    const char *problem; // why it could not be repaired; NULL when it was not tried
};

struct gw_fsck_config {
    const char *store, *division; // borrowed
    bool live;                    // a hub runs
    bool repair;                  // only when none does
    bool deep;                    // every byte of the journal against every row; every fragment
    void *opaque;
    void (*found)(void *opaque, const struct gw_fsck_finding *finding);
    // How far an invariant is looked at; total 0: not known.
    void (*progress)(void *opaque, int invariant, const char *what, int64_t done, int64_t total);
};

struct gw_fsck_result {
    int64_t found, repaired;
};

// Returns 0 when everything could be looked at, whatever was found, or an error with one line for
// people in error (256 bytes).
int gw_fsck_run(const struct gw_fsck_config *config, struct gw_fsck_result *ret, char error[256]);
