// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Writes a bundle of evidence: files that are hashed while they are written, a manifest that names
// them, and its signature. docs/ref/evidence.md has the format.
//
//   media_plan.h, index -> app/export.c -> [evidence_write] -> FOLDER
//
// The bundle is made in FOLDER.part and gets its name when all of it is on the disk. One thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <jansson.h>

#include "storage/evidence_key.h"

#define GW_EVIDENCE_FORMAT   "gridwatch-evidence"
#define GW_EVIDENCE_VERSION  1
#define GW_EVIDENCE_MANIFEST "manifest.json"
#define GW_EVIDENCE_SIGNED   "manifest.sig"
#define GW_EVIDENCE_HASH     32 // bytes of a SHA-256
#define GW_EVIDENCE_ERROR    512

struct gw_evidence_writer;

// Makes FOLDER.part; FOLDER must not exist or be empty. On failure one line for people in error.
int gw_evidence_begin(struct gw_evidence_writer **ret, const char *folder,
                      char error[GW_EVIDENCE_ERROR]);

// Writes a file of the bundle and notes size and hash for the manifest. read gives up to size bytes
// from a position on: how many, 0 at the end, negative: an error of its own, which is returned.
typedef ssize_t (*gw_evidence_read)(void *opaque, int64_t position, void *bytes, size_t size);
int gw_evidence_add(struct gw_evidence_writer *writer, const char *name, gw_evidence_read read,
                    void *opaque, char error[GW_EVIDENCE_ERROR]);
int gw_evidence_add_text(struct gw_evidence_writer *writer, const char *name, const char *text,
                         char error[GW_EVIDENCE_ERROR]);

// How many files and bytes there are so far.
int gw_evidence_count(const struct gw_evidence_writer *writer, int64_t *ret_bytes);

// Adds format, version, public key and files to the manifest (borrowed), writes and signs it, gives
// the bundle its name, and frees the writer; on failure nothing is left. ret_hash: of the manifest.
int gw_evidence_finish(struct gw_evidence_writer **writer, json_t *manifest,
                       const struct gw_evidence_key *key, uint8_t ret_hash[GW_EVIDENCE_HASH],
                       char error[GW_EVIDENCE_ERROR]);

// Removes all that was written. Accepts NULL inside.
void gw_evidence_abandon(struct gw_evidence_writer **writer);
