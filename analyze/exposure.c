// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/exposure.h"

#include <stdlib.h>
#include <string.h>

enum {
    ONE_LEVEL = 64,
    BAND_LEVELS = 256 / GW_EXPOSURE_BANDS,
    BINS = 512, // of a band's histogram
    ZERO_BIN = 256,
    PIECE = 512, // pixels of a row at a time; even
    STRIDE = 2,  // every second pixel of every fourth row is plenty for a median
    ROW_STRIDE = 4,
    SLOPE_PARTS = 2,  // a tone curve's offset changes by at most half of what the level does
    CLOSE_LEVELS = 4, // a pixel this near its background is explained
};

// Where in all bands' histograms each pixel of a row counts: by its background and by how far it
// is from that. Simple, for vector instructions.
static void find_bins(uint16_t *restrict bins, const uint8_t *restrict pixels,
                      const int16_t *restrict mean, int count)
{
    for (int i = 0; i < count; i++) {
        const uint16_t level = (uint16_t)mean[i] / ONE_LEVEL;
        bins[i] = (uint16_t)(level / BAND_LEVELS * BINS + ZERO_BIN + pixels[i] - level);
    }
}

// Neighbours mostly count in the same bin, and adding to what was just written waits for it, so
// they take turns in two histograms.
static void take_samples(struct gw_exposure *exposure, const uint8_t *pixels, const int16_t *mean,
                         int width, int height)
{
    uint16_t bins[PIECE], *first = exposure->histogram[0], *second = exposure->second[0];

    memset(exposure->histogram, 0, sizeof(exposure->histogram));
    memset(exposure->second, 0, sizeof(exposure->second));
    exposure->samples = 0;
    for (int y = 0; y < height; y += ROW_STRIDE)
        for (int from = 0; from < width; from += PIECE) {
            const int count = width - from < PIECE ? width - from : PIECE;
            const size_t at = (size_t)y * (size_t)width + (size_t)from;
            int x = 0;
            find_bins(bins, pixels + at, mean + at, count);
            for (; x + STRIDE < count; x += 2 * STRIDE) {
                first[bins[x]]++;
                second[bins[x + STRIDE]]++;
            }
            if (x < count)
                first[bins[x]]++;
            exposure->samples += (count + STRIDE - 1) / STRIDE;
        }
}

// Adds the second histogram to the first. Returns how many samples there are; *ret_below of them
// are darker than their background.
static int join_band(uint16_t *restrict histogram, const uint16_t *restrict second, int *ret_below)
{
    int below = 0, size = 0;

    for (int i = 0; i < ZERO_BIN; i++) {
        histogram[i] = (uint16_t)(histogram[i] + second[i]);
        below += histogram[i];
    }
    for (int i = ZERO_BIN; i < BINS; i++) {
        histogram[i] = (uint16_t)(histogram[i] + second[i]);
        size += histogram[i];
    }
    *ret_below = below;
    return below + size;
}

// below as join_band says: the median is not far from there.
static int band_median(const uint16_t *histogram, int size, int below)
{
    int i = ZERO_BIN - 1;

    while (i > 0 && 2 * (below - histogram[i]) >= size)
        below -= histogram[i--];
    while (2 * below < size)
        below += histogram[++i];
    return i - ZERO_BIN;
}

// How many samples of the band are close to the background moved by offset.
static int band_explained(const uint16_t *histogram, int offset)
{
    int explained = 0;
    for (int i = offset - CLOSE_LEVELS; i <= offset + CLOSE_LEVELS; i++)
        if (i >= -ZERO_BIN && i < BINS - ZERO_BIN)
            explained += histogram[i + ZERO_BIN];
    return explained;
}

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

// A tone curve has no jumps. From the band that most pixels lie in outwards, an offset is brought
// near to its neighbour's: what asks for more is a thing that covers most of a small band.
static void smooth(const int *middle, int *offset, int count, int largest)
{
    for (int i = largest + 1; i < count; i++) {
        const int reach = (middle[i] - middle[i - 1]) / SLOPE_PARTS;
        offset[i] = clamp(offset[i], offset[i - 1] - reach, offset[i - 1] + reach);
    }
    for (int i = largest - 1; i >= 0; i--) {
        const int reach = (middle[i + 1] - middle[i]) / SLOPE_PARTS;
        offset[i] = clamp(offset[i], offset[i + 1] - reach, offset[i + 1] + reach);
    }
}

// Straight lines between the middles of the bands that say something.
static void draw_curve(struct gw_exposure *exposure, const int *middle, const int *offset,
                       int count)
{
    for (int level = 0, i = 0; level <= 256; level++) {
        while (i + 1 < count && middle[i + 1] < level)
            i++;
        int value = offset[i] * ONE_LEVEL;
        if (level > middle[i] && i + 1 < count)
            value += (offset[i + 1] - offset[i]) * ONE_LEVEL * (level - middle[i]) /
                     (middle[i + 1] - middle[i]);
        exposure->curve[level] = (int16_t)value;
    }
}

bool gw_exposure_measure(struct gw_exposure *exposure, const uint8_t *pixels, const int16_t *mean,
                         int width, int height)
{
    int middle[GW_EXPOSURE_BANDS], offset[GW_EXPOSURE_BANDS], size[GW_EXPOSURE_BANDS];
    int count = 0, largest = 0, before = 0, after = 0, moved = 0;

    exposure->levels = 0;
    take_samples(exposure, pixels, mean, width, height);
    for (int band = 0; band < GW_EXPOSURE_BANDS; band++) {
        uint16_t *histogram = exposure->histogram[band];
        int below;
        size[count] = join_band(histogram, exposure->second[band], &below);
        if (size[count] * 50 < exposure->samples) // too few to have an opinion
            continue;
        middle[count] = band * BAND_LEVELS + BAND_LEVELS / 2;
        offset[count] = band_median(histogram, size[count], below);
        if (size[count] > size[largest])
            largest = count;
        count++;
    }
    smooth(middle, offset, count, largest);
    for (int i = 0; i < count; i++) {
        const uint16_t *histogram = exposure->histogram[middle[i] / BAND_LEVELS];
        before += band_explained(histogram, 0);
        after += band_explained(histogram, offset[i]);
        moved += abs(offset[i]) * size[i];
    }
    if (!moved || after <= before)
        return false;
    exposure->levels = (double)moved / exposure->samples;
    draw_curve(exposure, middle, offset, count);
    return true;
}

void gw_exposure_apply(const struct gw_exposure *exposure, int16_t *values, int count)
{
    for (int i = 0; i < count; i++) {
        const int value = values[i] + exposure->curve[values[i] / ONE_LEVEL];
        values[i] = (int16_t)(value < 0 ? 0 : value > 255 * ONE_LEVEL ? 255 * ONE_LEVEL : value);
    }
}
