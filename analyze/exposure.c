// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/exposure.h"

#include <stdlib.h>
#include <string.h>

enum {
    ONE_LEVEL = 64,
    BAND_LEVELS = 256 / GW_EXPOSURE_BANDS,
    STRIDE = 2, // every second pixel of every fourth row is plenty for a median
    ROW_STRIDE = 4,
    SLOPE_PARTS = 2,  // a tone curve's offset changes by at most half of what the level does
    CLOSE_LEVELS = 4, // a pixel this near its background is explained
};

static void take_samples(struct gw_exposure *exposure, const uint8_t *pixels, const int16_t *mean,
                         int width, int height)
{
    memset(exposure->histogram, 0, sizeof(exposure->histogram));
    exposure->samples = 0;
    for (int y = 0; y < height; y += ROW_STRIDE) {
        const uint8_t *row = pixels + (size_t)y * (size_t)width;
        const int16_t *mean_row = mean + (size_t)y * (size_t)width;
        for (int x = 0; x < width; x += STRIDE) {
            const unsigned level = (unsigned)mean_row[x] / ONE_LEVEL;
            exposure->histogram[level / BAND_LEVELS][256 + row[x] - level]++;
            exposure->samples++;
        }
    }
}

static int band_size(const uint16_t *histogram)
{
    int size = 0;
    for (int i = 0; i < 512; i++)
        size += histogram[i];
    return size;
}

static int band_median(const uint16_t *histogram, int size)
{
    int i = 0, below = histogram[0];
    while (2 * below < size)
        below += histogram[++i];
    return i - 256;
}

// How many samples of the band are close to the background moved by offset.
static int band_explained(const uint16_t *histogram, int offset)
{
    int explained = 0;
    for (int i = offset - CLOSE_LEVELS; i <= offset + CLOSE_LEVELS; i++)
        if (i >= -256 && i < 256)
            explained += histogram[i + 256];
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
        const uint16_t *histogram = exposure->histogram[band];
        size[count] = band_size(histogram);
        if (size[count] * 50 < exposure->samples) // too few to have an opinion
            continue;
        middle[count] = band * BAND_LEVELS + BAND_LEVELS / 2;
        offset[count] = band_median(histogram, size[count]);
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
