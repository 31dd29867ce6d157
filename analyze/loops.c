// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Built once per instruction set; GW_LOOPS is the name of the table.

#include "analyze/loops.h"

#include <string.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#ifndef GW_LOOPS
#define GW_LOOPS gw_loops_plain
#endif

static inline int16_t min16(int16_t a, int16_t b)
{
    return a < b ? a : b;
}

static inline int16_t max16(int16_t a, int16_t b)
{
    return a > b ? a : b;
}

// a * b / 32768, rounded: in these steps compilers know it for one instruction.
static inline int16_t scale(int16_t a, int16_t b)
{
    return (int16_t)(((a * b >> 14) + 1) >> 1);
}

static inline int16_t reach_of(struct gw_loop_reach reach, int16_t deviation)
{
    return min16((int16_t)(reach.levels + reach.deviations * deviation), reach.max_levels);
}

// Inlined with a constant number of pairs; 2 * pairs * rows pixels must fit 16 bits.
static inline void average(int width, const uint16_t *restrict sums, int pairs, uint16_t half,
                           uint16_t share, uint8_t *restrict out)
{
    for (int x = 0; x < width; x++) {
        uint16_t sum = half;
        for (int i = 0; i < pairs; i++)
            sum = (uint16_t)(sum + sums[x * pairs + i]);
        out[x] = (uint8_t)((uint32_t)sum * share >> 16);
    }
}

#if defined(__AVX2__)

// Three pairs, for 16 small pixels at a time: in each half of a register 24 sums, of which every
// third is blended into one register. The three are in the same order but for a rotation.
static inline void average_three(int width, const uint16_t *restrict sums, uint16_t half,
                                 uint16_t share, uint8_t *restrict out)
{
    const __m256i halves = _mm256_set1_epi16((int16_t)half);
    const __m256i shares = _mm256_set1_epi16((int16_t)share);
    const __m256i order = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 6, 12, 2, 8, 14, 4, 10, -1, -1, -1, -1, -1, -1, -1, -1));
    int x = 0;

    for (; x + 16 <= width; x += 16) {
        const __m128i *at = (const __m128i *)(const void *)(sums + (size_t)x * 3);
        const __m256i a = _mm256_loadu2_m128i(at + 3, at), b = _mm256_loadu2_m128i(at + 4, at + 1);
        const __m256i c = _mm256_loadu2_m128i(at + 5, at + 2);
        const __m256i first = _mm256_blend_epi16(_mm256_blend_epi16(a, b, 0x92), c, 0x24);
        const __m256i second = _mm256_blend_epi16(_mm256_blend_epi16(a, b, 0x24), c, 0x49);
        const __m256i third = _mm256_blend_epi16(_mm256_blend_epi16(a, b, 0x49), c, 0x92);
        __m256i sum = _mm256_add_epi16(halves, first);
        sum = _mm256_add_epi16(sum, _mm256_alignr_epi8(second, second, 2));
        sum = _mm256_add_epi16(sum, _mm256_alignr_epi8(third, third, 4));
        const __m256i level = _mm256_shuffle_epi8(_mm256_mulhi_epu16(sum, shares), order);
        _mm_storeu_si128((__m128i *)(void *)(out + x),
                         _mm256_castsi256_si128(_mm256_permute4x64_epi64(level, 0x08)));
    }
    average(width - x, sums + (size_t)x * 3, 3, half, share, out + x);
}

#else

static inline void average_three(int width, const uint16_t *restrict sums, uint16_t half,
                                 uint16_t share, uint8_t *restrict out)
{
    average(width, sums, 3, half, share, out);
}

#endif

static void average_many(int width, const uint16_t *restrict sums, int pairs, uint32_t half,
                         uint32_t share, uint8_t *restrict out)
{
    for (int x = 0; x < width; x++) {
        uint32_t sum = half;
        for (int i = 0; i < pairs; i++)
            sum += sums[x * pairs + i];
        out[x] = (uint8_t)(sum * share >> 16);
    }
}

// The share is rounded down, so that white does not wrap to black.
static void average_pairs(int width, const uint16_t *restrict sums, int pairs, int rows,
                          uint8_t *restrict out)
{
    const uint16_t half = (uint16_t)(pairs * rows);
    const uint16_t share = (uint16_t)(65536 / (2 * pairs * rows));

    switch (half <= 128 ? pairs : 0) { // 640, 1280, 1920, 2560 and 3840 pixels become 320
    case 1: average(width, sums, 1, half, share, out); break;
    case 2: average(width, sums, 2, half, share, out); break;
    case 3: average_three(width, sums, half, share, out); break;
    case 4: average(width, sums, 4, half, share, out); break;
    case 6: average(width, sums, 6, half, share, out); break;
    default: average_many(width, sums, pairs, half, share, out); break;
    }
}

static void spread(int width, const int16_t *restrict mean, const int16_t *restrict deviation,
                   struct gw_loop_reach reach, int16_t *restrict low, int16_t *restrict high)
{
    for (int x = 0; x < width; x++) {
        const int16_t r = reach_of(reach, deviation[x]);
        low[x] = (int16_t)(mean[x] - r);
        high[x] = (int16_t)(mean[x] + r);
    }
}

static void widen(int width, const int16_t *restrict low, const int16_t *restrict high,
                  int16_t *restrict ret_low, int16_t *restrict ret_high)
{
    ret_low[0] = low[0];
    ret_high[0] = high[0];
    ret_low[width - 1] = low[width - 1];
    ret_high[width - 1] = high[width - 1];
    for (int x = 1; x < width - 1; x++) {
        ret_low[x] = min16(min16(low[x - 1], low[x + 1]), low[x]);
        ret_high[x] = max16(max16(high[x - 1], high[x + 1]), high[x]);
    }
}

static void outside(int width, const uint8_t *restrict pixels, const int16_t *restrict const low[3],
                    const int16_t *restrict const high[3], uint8_t *restrict ret)
{
    const int16_t *restrict l0 = low[0], *restrict l1 = low[1], *restrict l2 = low[2];
    const int16_t *restrict h0 = high[0], *restrict h1 = high[1], *restrict h2 = high[2];

    for (int x = 0; x < width; x++) {
        const int16_t value = (int16_t)(pixels[x] * GW_LOOP_LEVEL);
        const int16_t below = (int16_t)(min16(min16(l0[x], l1[x]), l2[x]) - value);
        const int16_t above = (int16_t)(value - max16(max16(h0[x], h1[x]), h2[x]));
        ret[x] = (uint8_t)(max16(max16(below, above), 0) / GW_LOOP_LEVEL);
    }
}

static void away(int width, const uint8_t *restrict pixels, const int16_t *restrict mean,
                 const int16_t *restrict deviation, struct gw_loop_reach reach,
                 uint8_t *restrict ret)
{
    for (int x = 0; x < width; x++) {
        const int16_t difference = (int16_t)(pixels[x] * GW_LOOP_LEVEL - mean[x]);
        const int16_t size = max16(difference, (int16_t)-difference);
        const int16_t beyond = (int16_t)(size - reach_of(reach, deviation[x]));
        ret[x] = (uint8_t)(max16(beyond, 0) / GW_LOOP_LEVEL);
    }
}

static void learn(int width, const uint8_t *restrict pixels, struct gw_loop_shares shares,
                  struct gw_loop_reach reach, int16_t *restrict fast, int16_t *restrict mean,
                  int16_t *restrict deviation)
{
    for (int x = 0; x < width; x++) {
        const int16_t value = (int16_t)(pixels[x] * GW_LOOP_LEVEL);
        const int16_t difference = (int16_t)(value - mean[x]);
        const int16_t limit = reach_of(reach, deviation[x]);
        const int16_t clipped = max16(min16(difference, limit), (int16_t)-limit);
        const int16_t size = max16(clipped, (int16_t)-clipped);
        fast[x] = (int16_t)(fast[x] + scale((int16_t)(value - fast[x]), shares.fast));
        mean[x] = (int16_t)(mean[x] + scale(clipped, shares.mean));
        deviation[x] =
            (int16_t)(deviation[x] + scale((int16_t)(size - deviation[x]), shares.deviation));
    }
}

static struct gw_loop_edges edges(int width, const uint8_t *restrict pixels,
                                  const int16_t *restrict mean, int stride, int16_t min_gradient,
                                  int16_t max_difference)
{
    int32_t xx = 0, xy = 0, yy = 0, xr = 0, yr = 0, rest = 0, samples = 0;

    for (int x = 0; x < width; x++) {
        const int16_t *m = mean + x;
        // Differences that were made 16 bits wide are divided eight or sixteen at a time.
        const int16_t along = (int16_t)(m[1] - m[-1]), down = (int16_t)(m[stride] - m[-stride]);
        const int16_t dx = (int16_t)(along / GW_LOOP_LEVEL);
        const int16_t dy = (int16_t)(down / GW_LOOP_LEVEL);
        const int16_t size = (int16_t)(max16(dx, (int16_t)-dx) + max16(dy, (int16_t)-dy));
        const int16_t here = size >= min_gradient ? -1 : 0;
        const int16_t gx = dx & here, gy = dy & here;
        const int16_t difference = (int16_t)(pixels[x] - m[0] / GW_LOOP_LEVEL);
        const int16_t r = max16(min16(difference, max_difference), (int16_t)-max_difference) & here;
        xx += gx * gx;
        xy += gx * gy;
        yy += gy * gy;
        xr += gx * r;
        yr += gy * r;
        rest += max16(r, (int16_t)-r);
        samples -= here;
    }
    return (struct gw_loop_edges){xx, xy, yy, xr, yr, rest, samples};
}

static void count(int width, int rows, const uint8_t *restrict values, uint8_t *restrict ret)
{
    memset(ret, 0, (size_t)width);
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < width; x++)
            ret[x] = (uint8_t)(ret[x] + (values[y * width + x] != 0));
}

const struct gw_loops GW_LOOPS = {
    .average_pairs = average_pairs,
    .spread = spread,
    .widen = widen,
    .outside = outside,
    .away = away,
    .learn = learn,
    .edges = edges,
    .count = count,
};
