// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The tables. docs/ref/index.md says what each column means and in which unit; a test keeps the two
// together. A released version never changes: a change is a new entry at the end.

#include <assert.h>

#include "storage/index_internal.h"

static const char *const versions[GW_INDEX_SCHEMA_VERSION] = {
    // 1
    "CREATE TABLE meta ("
    "  key TEXT PRIMARY KEY,"
    "  value INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "INSERT INTO meta VALUES ('longest_event_us', 0), ('longest_clip_us', 0);"

    "CREATE TABLE boot ("
    "  id BLOB PRIMARY KEY,"
    "  last_seq INTEGER NOT NULL,"
    "  last_us INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE fact ("
    "  seq INTEGER PRIMARY KEY,"
    "  wall_us INTEGER NOT NULL,"
    "  kind TEXT NOT NULL,"
    "  topic TEXT NOT NULL,"
    "  camera TEXT NOT NULL,"
    "  data TEXT NOT NULL,"
    "  thumbnail TEXT NOT NULL"
    ") STRICT;"

    "CREATE TABLE event ("
    "  id BLOB PRIMARY KEY,"
    "  camera TEXT NOT NULL,"
    "  state TEXT NOT NULL,"
    "  start_us INTEGER NOT NULL,"
    "  end_us INTEGER NOT NULL,"
    "  kind TEXT NOT NULL,"
    "  confirmed_us INTEGER NOT NULL,"
    "  score REAL NOT NULL,"
    "  box_x REAL NOT NULL,"
    "  box_y REAL NOT NULL,"
    "  box_w REAL NOT NULL,"
    "  box_h REAL NOT NULL,"
    "  zones TEXT NOT NULL,"
    "  snapshot_us INTEGER,"
    "  interrupted INTEGER NOT NULL,"
    "  camera_name TEXT NOT NULL,"
    "  division TEXT NOT NULL,"
    "  grid TEXT NOT NULL,"
    "  lon REAL,"
    "  lat REAL,"
    "  area TEXT AS (division || grid) VIRTUAL,"
    "  township TEXT AS (substr(division || grid, 1, 9)) VIRTUAL,"
    "  village TEXT AS (substr(division || grid, 1, 12)) VIRTUAL"
    ") STRICT;"
    "CREATE INDEX event_by_start ON event (start_us, id);"
    "CREATE INDEX event_by_camera ON event (camera, start_us, id);"
    "CREATE INDEX event_by_township ON event (township, start_us, id);"
    "CREATE INDEX event_by_village ON event (village, start_us, id);"
    "CREATE INDEX event_unfinished ON event (start_us, id) WHERE state = 'open';"

    "CREATE TABLE clip ("
    "  id BLOB PRIMARY KEY,"
    "  camera TEXT NOT NULL,"
    "  state TEXT NOT NULL,"
    "  start_us INTEGER NOT NULL,"
    "  end_us INTEGER NOT NULL,"
    "  size_bytes INTEGER NOT NULL,"
    "  frames INTEGER NOT NULL,"
    "  codec TEXT NOT NULL,"
    "  width INTEGER NOT NULL,"
    "  height INTEGER NOT NULL,"
    "  truncated INTEGER NOT NULL,"
    "  camera_name TEXT NOT NULL,"
    "  division TEXT NOT NULL,"
    "  grid TEXT NOT NULL,"
    "  lon REAL,"
    "  lat REAL,"
    "  area TEXT AS (division || grid) VIRTUAL,"
    "  township TEXT AS (substr(division || grid, 1, 9)) VIRTUAL,"
    "  village TEXT AS (substr(division || grid, 1, 12)) VIRTUAL"
    ") STRICT;"
    "CREATE INDEX clip_by_start ON clip (start_us, id);"
    "CREATE INDEX clip_by_camera ON clip (camera, start_us, id);"
    "CREATE INDEX clip_by_township ON clip (township, start_us, id);"
    "CREATE INDEX clip_by_village ON clip (village, start_us, id);"
    "CREATE INDEX clip_unfinished ON clip (start_us, id) WHERE state = 'recording';"

    "CREATE TABLE camera ("
    "  id TEXT PRIMARY KEY,"
    "  name TEXT NOT NULL,"
    "  division TEXT NOT NULL,"
    "  grid TEXT NOT NULL,"
    "  record_url TEXT NOT NULL,"
    "  username TEXT NOT NULL,"
    "  password TEXT NOT NULL,"
    "  record TEXT NOT NULL,"
    "  enabled INTEGER NOT NULL,"
    "  lon REAL,"
    "  lat REAL"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE camera_state ("
    "  camera TEXT PRIMARY KEY REFERENCES camera (id) ON DELETE CASCADE,"
    "  status TEXT NOT NULL,"
    "  reason TEXT NOT NULL,"
    "  since_us INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;",

    // 2
    "ALTER TABLE camera ADD COLUMN detect_url TEXT NOT NULL DEFAULT '';",

    // 3
    "INSERT INTO meta VALUES ('longest_gap_us', 0);"
    "CREATE TABLE gap ("
    "  id BLOB PRIMARY KEY,"
    "  camera TEXT NOT NULL,"
    "  state TEXT NOT NULL,"
    "  start_us INTEGER NOT NULL,"
    "  end_us INTEGER NOT NULL,"
    "  cause TEXT NOT NULL,"
    "  camera_name TEXT NOT NULL,"
    "  division TEXT NOT NULL,"
    "  grid TEXT NOT NULL,"
    "  lon REAL,"
    "  lat REAL,"
    "  area TEXT AS (division || grid) VIRTUAL,"
    "  township TEXT AS (substr(division || grid, 1, 9)) VIRTUAL,"
    "  village TEXT AS (substr(division || grid, 1, 12)) VIRTUAL"
    ") STRICT;"
    "CREATE INDEX gap_by_start ON gap (start_us, id);"
    "CREATE INDEX gap_by_camera ON gap (camera, start_us, id);"
    "CREATE INDEX gap_by_township ON gap (township, start_us, id);"
    "CREATE INDEX gap_by_village ON gap (village, start_us, id);"
    "CREATE INDEX gap_unfinished ON gap (start_us, id) WHERE state = 'open';"
    "CREATE UNIQUE INDEX gap_open ON gap (camera) WHERE state = 'open';"

    "CREATE INDEX clip_recording ON clip (camera, start_us) WHERE state = 'recording';"

    "CREATE TABLE coverage ("
    "  run INTEGER PRIMARY KEY,"
    "  camera TEXT NOT NULL,"
    "  boot BLOB,"
    "  state TEXT NOT NULL,"
    "  start_us INTEGER NOT NULL,"
    "  end_us INTEGER NOT NULL,"
    "  next_us INTEGER"
    ") STRICT;"
    "CREATE INDEX coverage_by_camera ON coverage (camera, run);"
    "CREATE INDEX coverage_by_boot ON coverage (state, boot);",

    // 4
    "ALTER TABLE camera_state ADD COLUMN frame_rate REAL NOT NULL DEFAULT 0;"
    "ALTER TABLE camera_state ADD COLUMN bit_rate REAL NOT NULL DEFAULT 0;"
    "ALTER TABLE camera_state ADD COLUMN key_age_us INTEGER;"
    "ALTER TABLE camera_state ADD COLUMN reconnects INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE camera_state ADD COLUMN clock_offset_us INTEGER;"
    "ALTER TABLE event ADD COLUMN clock_offset_us INTEGER;"
    "ALTER TABLE clip ADD COLUMN clock_offset_us INTEGER;",

    // 5
    "CREATE TABLE garbage ("
    "  path TEXT PRIMARY KEY,"
    "  since_us INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE hold ("
    "  id INTEGER PRIMARY KEY,"
    "  case_name TEXT NOT NULL,"
    "  reason TEXT NOT NULL,"
    "  author TEXT NOT NULL,"
    "  created_us INTEGER NOT NULL,"
    "  until_us INTEGER NOT NULL,"
    "  camera TEXT NOT NULL,"
    "  division TEXT NOT NULL,"
    "  from_us INTEGER,"
    "  to_us INTEGER,"
    "  removed_us INTEGER,"
    "  removed_by TEXT NOT NULL DEFAULT '',"
    "  removed_reason TEXT NOT NULL DEFAULT ''"
    ") STRICT;",
};

const char *gw_index_schema(int version)
{
    assert(version >= 1 && version <= GW_INDEX_SCHEMA_VERSION);
    return versions[version - 1];
}
