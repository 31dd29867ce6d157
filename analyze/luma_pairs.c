// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/luma_pairs.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

// Rows outside, so that compilers turn it into vector instructions that every processor has.
static void add_columns(uint16_t *restrict sum, const uint8_t *restrict row, ptrdiff_t stride,
                        int rows, int first, int pairs)
{
    for (int i = first; i < pairs; i++)
        sum[i] = 0;
    for (int y = 0; y < rows; y++, row += stride)
        for (int i = first; i < pairs; i++)
            sum[i] = (uint16_t)(sum[i] + row[2 * i] + row[2 * i + 1]);
}

void gw_luma_pairs_plain(uint16_t *restrict sum, const uint8_t *restrict row, ptrdiff_t stride,
                         int rows, int pairs)
{
    add_columns(sum, row, stride, rows, 0, pairs);
}

#if defined(__x86_64__)

// Four times 32 pixels of each row at a time, so that the sums stay in registers.
__attribute__((target("avx2"))) static void pairs_avx2(uint16_t *restrict sum,
                                                       const uint8_t *restrict row,
                                                       ptrdiff_t stride, int rows, int pairs)
{
    const __m256i ones = _mm256_set1_epi8(1);
    int i = 0;

    for (; i + 64 <= pairs; i += 64) {
        __m256i total[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                            _mm256_setzero_si256()};
        for (int y = 0; y < rows; y++) {
            const uint8_t *at = row + y * stride + (ptrdiff_t)i * 2;
            for (int n = 0; n < 4; n++) {
                const __m256i pixels = _mm256_loadu_si256((const __m256i *)(const void *)at + n);
                total[n] = _mm256_add_epi16(total[n], _mm256_maddubs_epi16(pixels, ones));
            }
        }
        for (int n = 0; n < 4; n++)
            _mm256_storeu_si256((__m256i *)(void *)(sum + i) + n, total[n]);
    }
    add_columns(sum, row, stride, rows, i, pairs);
}

#elif defined(__aarch64__)

static void pairs_neon(uint16_t *restrict sum, const uint8_t *restrict row, ptrdiff_t stride,
                       int rows, int pairs)
{
    int i = 0;

    for (; i + 8 <= pairs; i += 8) {
        uint16x8_t total = vdupq_n_u16(0);
        for (int y = 0; y < rows; y++)
            total = vpadalq_u8(total, vld1q_u8(row + y * stride + (ptrdiff_t)i * 2));
        vst1q_u16(sum + i, total);
    }
    add_columns(sum, row, stride, rows, i, pairs);
}

#endif

gw_luma_pairs_fn *gw_luma_pairs_best(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") ? pairs_avx2 : gw_luma_pairs_plain;
#elif defined(__aarch64__)
    return pairs_neon;
#else
    return gw_luma_pairs_plain;
#endif
}
