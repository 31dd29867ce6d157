// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A layer between SQLite and the file of an index: when a page was not in memory, its neighbours
// are read with it, because what is asked for together (rows of some hours, entries of a time) lies
// together, and a read of 128 KB takes hardly longer than one of 4 KB. SQLite asks for single
// pages, backwards, so the system's own read-ahead never begins.
#pragma once

// The name for sqlite3_open_v2; registers it with the first call. NULL, which is SQLite's own way,
// when that cannot be. Any thread.
const char *gw_read_around_vfs(void);
