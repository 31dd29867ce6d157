// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: the Range header (console/range.h). The first byte says how large the file is.

#include <assert.h>

#include "console/range.h"
#include "tests/fuzz/pieces.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t sizes[] = {0, 1, 1000, UINT64_C(1) << 40, INT64_MAX, UINT64_MAX};
    struct gw_range range;

    if (size == 0)
        return 0;
    const uint64_t whole = sizes[data[0] % (sizeof(sizes) / sizeof(sizes[0]))];
    char *header = take_text(data + 1, size - 1);
    if (gw_range_parse(header, whole, &range) == GW_RANGE_PART)
        assert(range.length > 0 && range.first < whole && range.length <= whole - range.first);
    free(header);
    return 0;
}
