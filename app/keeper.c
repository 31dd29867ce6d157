// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/keeper.h"

#include <stdlib.h>

#include "app/retention_thread.h"
#include "storage/media.h"

// With less room than this an index that cannot be written fails for want of it, whatever it says.
#define TIGHT_BYTES (1 << 20)

struct gw_keeper {
    const char *store;
    struct gw_reserve reserve;
    struct gw_retention_thread *retention;
};

static struct gw_retention_rules rules_of(const struct gw_config *site)
{
    return (struct gw_retention_rules){.floor_us = site->floor_days * GW_DAY_US,
                                       .ceiling_us = site->ceiling_days * GW_DAY_US,
                                       .motion_us = site->motion_days * GW_DAY_US,
                                       .fault_us = site->fault_days * GW_DAY_US,
                                       .gap_us = site->gap_days * GW_DAY_US};
}

int gw_keeper_create(struct gw_keeper **ret, const struct gw_config *site, const struct gw_log *log,
                     char error[256])
{
    struct gw_keeper *keeper = calloc(1, sizeof(*keeper));
    if (!keeper)
        abort();
    keeper->store = site->store;
    gw_reserve_init(&keeper->reserve, site->store, site->reserve_bytes);
    const struct gw_retention_config config = {.store = site->store,
                                               .division = site->division,
                                               .rules = rules_of(site),
                                               .min_free_bytes = site->min_free_bytes,
                                               .reserve = &keeper->reserve,
                                               .log = log};
    int result = gw_retention_thread_create(&keeper->retention, &config, error);
    if (result < 0) {
        gw_keeper_destroy(&keeper);
        return result;
    }
    *ret = keeper;
    return 0;
}

void gw_keeper_destroy(struct gw_keeper **keeper)
{
    struct gw_keeper *gone = *keeper;
    *keeper = NULL;
    if (!gone)
        return;
    gw_retention_thread_destroy(&gone->retention);
    gw_reserve_finish(&gone->reserve);
    free(gone);
}

static bool is_for_want_of_room(const char *store, int error)
{
    return gw_reserve_helps(error) || gw_media_room(store) <= TIGHT_BYTES;
}

bool gw_keeper_make_room(struct gw_keeper *keeper, int error)
{
    return is_for_want_of_room(keeper->store, error) && gw_reserve_release(&keeper->reserve);
}

bool gw_keeper_make_room_to_start(const struct gw_config *site, int error)
{
    struct gw_reserve reserve;

    if (!is_for_want_of_room(site->store, error))
        return false;
    gw_reserve_init(&reserve, site->store, site->reserve_bytes);
    const bool released = gw_reserve_release(&reserve);
    gw_reserve_finish(&reserve);
    return released;
}

json_t *gw_keeper_describe_storage(void *opaque)
{
    struct gw_keeper *keeper = opaque;
    struct gw_retention_report report;

    gw_retention_thread_report(keeper->retention, &report);
    return gw_retention_report_to_json(&report);
}

void gw_keeper_write_metrics(void *opaque, FILE *out)
{
    struct gw_keeper *keeper = opaque;
    struct gw_retention_report report;

    gw_retention_thread_report(keeper->retention, &report);
    gw_retention_report_write_metrics(&report, out);
}
