// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Writes all of it, however often a write is cut short or interrupted. Private to storage/. Any
// thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Both return 0 or -errno; what was written by then stays.
int gw_write_all(int fd, const void *bytes, size_t size);
int gw_write_all_at(int fd, const void *bytes, size_t size, int64_t offset);
