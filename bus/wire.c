// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "bus/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/error.h"

static void pack_u64(uint8_t *ret, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        ret[i] = (uint8_t)(value >> (56 - 8 * i));
}

static uint64_t parse_u64(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return value;
}

void gw_wire_pack_stamp(const struct gw_wire_stamp *stamp, uint8_t ret[GW_WIRE_STAMP_SIZE])
{
    pack_u64(ret, stamp->epoch);
    pack_u64(ret + 8, stamp->seq);
}

int gw_wire_parse_stamp(const uint8_t *bytes, size_t size, struct gw_wire_stamp *ret)
{
    if (size != GW_WIRE_STAMP_SIZE)
        return GW_ERROR_INVALID;
    *ret = (struct gw_wire_stamp){.epoch = parse_u64(bytes), .seq = parse_u64(bytes + 8)};
    return 0;
}

// CloudEvents 1.0 (JSON format). Steals data. "sequence" is the specification's own extension of
// that name: a string, so that numbers beyond 2^53 survive JavaScript.
static char *envelope(const struct gw_wire_stamp *stamp, const char *source, const char *kind,
                      const char *subject, int64_t wall_us, json_t *data)
{
    char id[48], type[64], time[GW_RFC3339_SIZE], sequence[24];

    snprintf(id, sizeof(id), "%016" PRIx64 "-%" PRIu64, stamp->epoch, stamp->seq);
    snprintf(type, sizeof(type), "gridwatch.%s", kind);
    snprintf(sequence, sizeof(sequence), "%" PRIu64, stamp->seq);
    json_t *json =
        json_pack("{ss ss ss ss ss ss ss ss so}", "specversion", "1.0", "id", id, "source", source,
                  "type", type, "subject", subject, "time", gw_format_rfc3339(time, wall_us),
                  "datacontenttype", "application/json", "sequence", sequence, "data", data);
    // Twelve digits, as in the index and the API: 0.83 and not 0.82999999999999996.
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(json);
    return text;
}

char *gw_wire_envelope(uint64_t epoch, const struct gw_committed_fact *fact, const char *source)
{
    const struct gw_wire_stamp stamp = {.epoch = epoch, .seq = fact->seq};
    json_t *data = json_loads(fact->data, 0, NULL);

    if (!data)
        return NULL;
    return envelope(&stamp, source, fact->kind, fact->camera, fact->wall_us, data);
}

char *gw_wire_heartbeat(const struct gw_wire_stamp *stamp, int64_t wall_us, const char *source)
{
    // A beat is no fact and repeats a seq, so the time makes its id unique.
    char time[GW_RFC3339_SIZE], id[64];
    snprintf(id, sizeof(id), "%016" PRIx64 "-heartbeat-%" PRId64, stamp->epoch, wall_us);
    json_t *json =
        json_pack("{ss ss ss ss ss ss s{sI}}", "specversion", "1.0", "id", id, "source", source,
                  "type", "gridwatch.heartbeat", "time", gw_format_rfc3339(time, wall_us),
                  "datacontenttype", "application/json", "data", "head", (json_int_t)stamp->seq);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text;
}
