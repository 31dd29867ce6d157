// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The inner loop of luma.c for 8-bit pictures: brightness of pairs of pixels, added up over rows.
//
//   luma.c -> [luma_pairs]
//
// Any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

// More rows do not fit the sums.
enum { GW_LUMA_PAIR_ROWS = 128 };

// sum[i] = brightness of the pixels 2 i and 2 i + 1 in rows rows (1..GW_LUMA_PAIR_ROWS) that lie
// stride bytes apart. Reads 2 * pairs bytes of each row and no more.
typedef void gw_luma_pairs_fn(uint16_t *restrict sum, const uint8_t *restrict row, ptrdiff_t stride,
                              int rows, int pairs);

gw_luma_pairs_fn gw_luma_pairs_plain;

// The fastest one that this processor has; the same result.
gw_luma_pairs_fn *gw_luma_pairs_best(void);
