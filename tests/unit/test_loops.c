// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The loops that this processor runs say what the plain ones say.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyze/loops.h"

enum { ROUNDS = 300, MAX_WIDTH = 400, MAX_LEVEL = 255 * GW_LOOP_LEVEL };

static const struct gw_loop_reach reach = {5 * GW_LOOP_LEVEL, 3, 80 * GW_LOOP_LEVEL};

static uint32_t noise(void)
{
    static uint32_t seed = 1;

    seed = seed * 1664525 + 1013904223;
    return seed >> 8;
}

// Of exactly the size that a loop may touch, so that a sanitizer sees one that goes too far.
static void *random_bytes(size_t size)
{
    uint8_t *bytes = malloc(size);

    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = noise() % 3 ? (uint8_t)noise() : 0;
    return bytes;
}

static int16_t *random_levels(int count, int low, int high)
{
    int16_t *levels = malloc((size_t)count * sizeof(*levels));

    assert_non_null(levels);
    for (int i = 0; i < count; i++)
        levels[i] = (int16_t)(low + (int)(noise() % (uint32_t)(high - low + 1)));
    return levels;
}

static void *copy(const void *from, size_t size)
{
    void *to = malloc(size);

    assert_non_null(to);
    return memcpy(to, from, size);
}

static int random_width(void)
{
    return 1 + (int)(noise() % MAX_WIDTH);
}

static void averages_are_the_same(void **state)
{
    for (int round = 0; round < ROUNDS; round++) {
        const int width = random_width(), pairs = round % 2 ? 3 : 1 + (int)(noise() % 8);
        // Three pairs of 42 rows fit 16 bits, which is the way that has most of its own code.
        const int rows = 1 + (int)(noise() % (pairs == 3 ? 42 : 128));
        int16_t *sums = random_levels(width * pairs, 0, rows * 510 < INT16_MAX ? rows * 510 : 1);
        uint8_t *plain = random_bytes((size_t)width), *best = random_bytes((size_t)width);
        gw_loops_plain.average_pairs(width, (uint16_t *)sums, pairs, rows, plain);
        gw_loops_best()->average_pairs(width, (uint16_t *)sums, pairs, rows, best);
        assert_memory_equal(plain, best, (size_t)width);
        for (int x = 0; x < width; x++) {
            double sum = 0;
            for (int i = 0; i < pairs; i++)
                sum += sums[x * pairs + i];
            assert_float_equal(plain[x], sum / (2 * pairs * rows), 3);
        }
        free(sums);
        free(plain);
        free(best);
    }
}

static void ranges_and_what_is_outside_are_the_same(void **state)
{
    for (int round = 0; round < ROUNDS; round++) {
        const int width = random_width();
        const size_t size = (size_t)width * sizeof(int16_t);
        uint8_t *pixels = random_bytes((size_t)width);
        int16_t *mean = random_levels(width, 0, MAX_LEVEL);
        int16_t *deviation = random_levels(width, 0, 80 * GW_LOOP_LEVEL);
        int16_t *low[2][2], *high[2][2];
        uint8_t *levels[2];
        for (int i = 0; i < 2; i++) {
            const struct gw_loops *loops = i ? gw_loops_best() : &gw_loops_plain;
            for (int j = 0; j < 2; j++) {
                low[i][j] = malloc(size);
                high[i][j] = malloc(size);
                assert_true(low[i][j] && high[i][j]);
            }
            loops->spread(width, mean, deviation, reach, low[i][0], high[i][0]);
            loops->widen(width, low[i][0], high[i][0], low[i][1], high[i][1]);
            const int16_t *const lows[3] = {low[i][0], low[i][1], mean};
            const int16_t *const highs[3] = {high[i][0], high[i][1], mean};
            levels[i] = random_bytes((size_t)width);
            loops->outside(width, pixels, lows, highs, levels[i]);
            for (int x = 0; x < width; x++) { // by the words of the header
                const int value = pixels[x] * GW_LOOP_LEVEL;
                const int below = low[i][1][x] - value, above = value - high[i][1][x];
                assert_true(low[i][1][x] <= low[i][0][x] && high[i][1][x] >= high[i][0][x]);
                assert_int_equal(levels[i][x], (below > 0   ? below
                                                : above > 0 ? above
                                                            : 0) /
                                                   GW_LOOP_LEVEL);
            }
        }
        for (int j = 0; j < 2; j++) {
            assert_memory_equal(low[0][j], low[1][j], size);
            assert_memory_equal(high[0][j], high[1][j], size);
        }
        for (int i = 0; i < 2; i++) {
            free(levels[i]);
            for (int j = 0; j < 2; j++) {
                free(low[i][j]);
                free(high[i][j]);
            }
        }
        free(pixels);
        free(mean);
        free(deviation);
    }
}

static void distances_are_the_same(void **state)
{
    for (int round = 0; round < ROUNDS; round++) {
        const int width = random_width();
        uint8_t *pixels = random_bytes((size_t)width);
        uint8_t *plain = random_bytes((size_t)width), *best = random_bytes((size_t)width);
        int16_t *mean = random_levels(width, 0, MAX_LEVEL);
        int16_t *deviation = random_levels(width, 0, 80 * GW_LOOP_LEVEL);
        gw_loops_plain.away(width, pixels, mean, deviation, reach, plain);
        gw_loops_best()->away(width, pixels, mean, deviation, reach, best);
        assert_memory_equal(plain, best, (size_t)width);
        for (int x = 0; x < width; x++) {
            const int far = abs(pixels[x] * GW_LOOP_LEVEL - mean[x]);
            const int may = 5 * GW_LOOP_LEVEL + 3 * deviation[x];
            const int beyond = far - (may < 80 * GW_LOOP_LEVEL ? may : 80 * GW_LOOP_LEVEL);
            assert_int_equal(plain[x], (beyond > 0 ? beyond : 0) / GW_LOOP_LEVEL);
        }
        free(pixels);
        free(plain);
        free(best);
        free(mean);
        free(deviation);
    }
}

static void learning_is_the_same(void **state)
{
    for (int round = 0; round < ROUNDS; round++) {
        const int width = random_width();
        const size_t size = (size_t)width * sizeof(int16_t);
        const struct gw_loop_shares shares = {.fast = (int16_t)(noise() % 32768),
                                              .mean = (int16_t)(noise() % 32768),
                                              .deviation = (int16_t)(noise() % 32768)};
        uint8_t *pixels = random_bytes((size_t)width);
        int16_t *fast = random_levels(width, 0, MAX_LEVEL), *fast2 = copy(fast, size);
        int16_t *mean = random_levels(width, 0, MAX_LEVEL), *mean2 = copy(mean, size);
        int16_t *spread = random_levels(width, 0, 80 * GW_LOOP_LEVEL),
                *spread2 = copy(spread, size);
        gw_loops_plain.learn(width, pixels, shares, reach, fast, mean, spread);
        gw_loops_best()->learn(width, pixels, shares, reach, fast2, mean2, spread2);
        assert_memory_equal(fast, fast2, size);
        assert_memory_equal(mean, mean2, size);
        assert_memory_equal(spread, spread2, size);
        for (int x = 0; x < width; x++) {
            assert_in_range(fast[x], 0, MAX_LEVEL);
            assert_in_range(mean[x], 0, MAX_LEVEL);
            assert_in_range(spread[x], 0, 80 * GW_LOOP_LEVEL);
        }
        free(pixels);
        free(fast);
        free(fast2);
        free(mean);
        free(mean2);
        free(spread);
        free(spread2);
    }
}

static void edges_are_the_same(void **state)
{
    for (int round = 0; round < ROUNDS; round++) {
        const int width = random_width(), stride = width + 2;
        uint8_t *pixels = random_bytes((size_t)width);
        int16_t *mean = random_levels(3 * stride, 0, MAX_LEVEL);
        const int16_t *row = mean + stride + 1;
        const struct gw_loop_edges plain = gw_loops_plain.edges(width, pixels, row, stride, 6, 30);
        const struct gw_loop_edges best = gw_loops_best()->edges(width, pixels, row, stride, 6, 30);
        int64_t xr = 0, samples = 0;
        for (int x = 0; x < width; x++) {
            const int dx = (row[x + 1] - row[x - 1]) / GW_LOOP_LEVEL;
            const int dy = (row[x + stride] - row[x - stride]) / GW_LOOP_LEVEL;
            const int r = pixels[x] - row[x] / GW_LOOP_LEVEL;
            if (abs(dx) + abs(dy) < 6)
                continue;
            samples++;
            xr += dx * (r > 30 ? 30 : r < -30 ? -30 : r);
        }
        assert_memory_equal(&plain, &best, sizeof(plain));
        assert_int_equal(plain.samples, samples);
        assert_int_equal(plain.xr, xr);
        free(pixels);
        free(mean);
    }
}

static void counts_are_the_same(void **state)
{
    for (int round = 0; round < ROUNDS; round++) {
        const int width = random_width(), rows = 1 + (int)(noise() % 4);
        uint8_t *values = random_bytes((size_t)(width * rows));
        uint8_t *plain = random_bytes((size_t)width), *best = random_bytes((size_t)width);
        gw_loops_plain.count(width, rows, values, plain);
        gw_loops_best()->count(width, rows, values, best);
        assert_memory_equal(plain, best, (size_t)width);
        for (int x = 0; x < width; x++) {
            int set = 0;
            for (int y = 0; y < rows; y++)
                set += values[y * width + x] != 0;
            assert_int_equal(plain[x], set);
        }
        free(values);
        free(plain);
        free(best);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(averages_are_the_same),
        cmocka_unit_test(ranges_and_what_is_outside_are_the_same),
        cmocka_unit_test(distances_are_the_same),
        cmocka_unit_test(learning_is_the_same),
        cmocka_unit_test(edges_are_the_same),
        cmocka_unit_test(counts_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
