// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A fuzz target, as libFuzzer names it: takes any bytes, aborts when a promise was broken.
//
//   libFuzzer or replay.c -> [target] -> one parser
#pragma once

#include <stddef.h>
#include <stdint.h>

// Borrows data. Returns 0.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
