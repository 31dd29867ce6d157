// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Identities: UUID version 7 (RFC 9562), made where the thing happens, so that sending it twice
// is a no-op, and ordered by time of creation.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define GW_ID_TEXT_SIZE 37

struct gw_id {
    uint8_t bytes[16];
};

// wall_us becomes the id's 48-bit millisecond time stamp. Randomness from getrandom(). Any thread.
struct gw_id gw_id_make(int64_t wall_us);

// "0190a5c2-…" lower case. Returns buffer.
char *gw_id_format(char buffer[GW_ID_TEXT_SIZE], const struct gw_id *id);

// Returns 0 or GW_ERROR_INVALID. Accepts any UUID in canonical form.
int gw_id_parse(const char *text, struct gw_id *ret);

bool gw_id_equal(const struct gw_id *a, const struct gw_id *b);
bool gw_id_is_null(const struct gw_id *id);
