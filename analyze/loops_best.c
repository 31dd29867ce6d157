// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/loops.h"

#if defined(GW_LOOPS_HAVE_AVX2)
extern const struct gw_loops gw_loops_avx2;
#endif

const struct gw_loops *gw_loops_best(void)
{
#if defined(GW_LOOPS_HAVE_AVX2)
    if (__builtin_cpu_supports("avx2"))
        return &gw_loops_avx2;
#endif
    return &gw_loops_plain;
}
