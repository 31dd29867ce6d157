// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/baseline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Fewer values than this are no custom yet.
enum { ENOUGH = 8 };
// Median and spread are taken anew when so many values came since: they move slowly, sorting costs.
enum { RENEW_EVERY = 6 };

static int compare(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static float middle(float *values, int count)
{
    qsort(values, (size_t)count, sizeof(*values), compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static void renew(struct gw_baseline *baseline)
{
    float values[GW_BASELINE_SIZE];

    memcpy(values, baseline->values, sizeof(values));
    baseline->median = middle(values, baseline->count);
    for (int i = 0; i < baseline->count; i++)
        values[i] = fabsf(values[i] - baseline->median);
    baseline->spread = 1.4826F * middle(values, baseline->count);
    baseline->unused = 0;
}

void gw_baseline_add(struct gw_baseline *baseline, double value)
{
    baseline->values[baseline->next] = (float)value;
    baseline->next = (baseline->next + 1) % GW_BASELINE_SIZE;
    if (baseline->count < GW_BASELINE_SIZE)
        baseline->count++;
    baseline->unused++;
    if (baseline->unused >= RENEW_EVERY || baseline->count <= 2 * ENOUGH)
        renew(baseline);
}

bool gw_baseline_ready(const struct gw_baseline *baseline)
{
    return baseline->count >= ENOUGH;
}

double gw_baseline_deviation(const struct gw_baseline *baseline, double value, double floor)
{
    return (value - baseline->median) / fmax(baseline->spread, floor);
}

double gw_baseline_quantile(const struct gw_baseline *baseline, double share)
{
    float values[GW_BASELINE_SIZE];
    int rank = (int)ceil(share * baseline->count) - 1;

    if (baseline->count == 0)
        return 0;
    memcpy(values, baseline->values, sizeof(values));
    qsort(values, (size_t)baseline->count, sizeof(*values), compare);
    rank = rank < 0 ? 0 : rank >= baseline->count ? baseline->count - 1 : rank;
    return values[rank];
}
