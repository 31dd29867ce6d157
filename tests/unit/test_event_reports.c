// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/event_reports.h"
#include "core/clock.h"
#include "index_store.h"

static const struct gw_log quiet = {.name = "test"};
static struct gw_event_reports reports;

static int begin(void **state)
{
    make_store(state);
    gw_log_setup(GW_LOG_ERROR, false);
    gw_event_reports_init(&reports);
    return 0;
}

static int end(void **state)
{
    struct gw_event_report *report;
    while ((report = gw_event_reports_take(&reports)))
        free(report);
    gw_event_reports_finish(&reports);
    return remove_store(state);
}

static void put(enum gw_event_phase phase, int64_t end_us, const struct gw_snapshot *snapshot)
{
    struct gw_event event = {.id = gw_id_make(TEST_START_US),
                             .camera = "gate-07",
                             .start_us = TEST_START_US,
                             .end_us = end_us,
                             .snapshot_us = snapshot ? TEST_START_US : GW_NO_TIME};
    gw_event_reports_put(&reports, phase, &event, snapshot);
}

// Takes the oldest, which must be this one.
static void assert_next(enum gw_event_phase phase, int64_t end_us)
{
    struct gw_event_report *report = gw_event_reports_take(&reports);
    assert_non_null(report);
    assert_int_equal(report->phase, phase);
    assert_int_equal(report->event.end_us, end_us);
    free(report);
}

static void reports_come_out_in_the_order_in_which_they_went_in(void **state)
{
    put(GW_EVENT_PHASE_OPENED, 1, NULL);
    put(GW_EVENT_PHASE_UPDATED, 2, NULL);
    assert_next(GW_EVENT_PHASE_OPENED, 1);
    put(GW_EVENT_PHASE_CLOSED, 3, NULL);
    assert_next(GW_EVENT_PHASE_UPDATED, 2);
    assert_next(GW_EVENT_PHASE_CLOSED, 3);
    assert_null(gw_event_reports_take(&reports));
}

static void a_disk_that_is_slow_costs_updates_and_never_a_beginning_or_an_end(void **state)
{
    for (int i = 0; i < 40; i++)
        put(GW_EVENT_PHASE_UPDATED, i, NULL);
    put(GW_EVENT_PHASE_OPENED, 100, NULL);
    put(GW_EVENT_PHASE_UPDATED, 101, NULL);
    put(GW_EVENT_PHASE_CLOSED, 102, NULL);
    for (int i = 0; i < 32; i++)
        assert_next(GW_EVENT_PHASE_UPDATED, i);
    assert_next(GW_EVENT_PHASE_OPENED, 100);
    assert_next(GW_EVENT_PHASE_CLOSED, 102);
    assert_null(gw_event_reports_take(&reports));
}

static const struct gw_snapshot picture = {.jpeg = (const uint8_t *)"whole picture",
                                           .jpeg_size = 13,
                                           .thumbnail = (const uint8_t *)"small",
                                           .thumbnail_size = 5};

static void assert_file(const char *path, const char *content)
{
    char full[512], read[64] = "";
    snprintf(full, sizeof(full), "%s/%s", store, path);
    FILE *file = fopen(full, "rb");
    assert_non_null(file);
    fread(read, 1, sizeof(read) - 1, file);
    fclose(file);
    assert_string_equal(read, content);
}

static void a_snapshot_is_on_the_disk_before_its_fact_can_be_posted(void **state)
{
    char path[GW_MEDIA_PATH_SIZE];
    put(GW_EVENT_PHASE_OPENED, 1, &picture);
    struct gw_event_report *report = gw_event_reports_take(&reports);
    const struct gw_fact fact = gw_event_report_write(report, store, &quiet);
    free(report);
    assert_int_equal(fact.kind, GW_FACT_EVENT_OPENED);
    assert_int_equal(fact.event.snapshot_us, TEST_START_US);
    assert_file(gw_event_snapshot_path(path, &fact.event), "whole picture");
    assert_file(gw_event_thumbnail_path(path, &fact.event), "small");
}

static void a_snapshot_that_could_not_be_written_is_not_promised(void **state)
{
    char blocked[512];
    snprintf(blocked, sizeof(blocked), "%s/media", store);
    FILE *file = fopen(blocked, "wb"); // a file where the folder would be
    assert_non_null(file);
    fclose(file);
    put(GW_EVENT_PHASE_OPENED, 1, &picture);
    struct gw_event_report *report = gw_event_reports_take(&reports);
    const struct gw_fact fact = gw_event_report_write(report, store, &quiet);
    free(report);
    assert_int_equal(fact.event.snapshot_us, GW_NO_TIME);
}

// The fact of this report, whose snapshot, if it has one, is to be written.
static struct gw_fact write_report(enum gw_event_phase phase, const struct gw_snapshot *snapshot)
{
    static struct gw_event event;
    if (phase == GW_EVENT_PHASE_OPENED)
        event = (struct gw_event){.id = gw_id_make(TEST_START_US),
                                  .camera = "gate-07",
                                  .start_us = TEST_START_US,
                                  .snapshot_us = TEST_START_US};
    gw_event_reports_put(&reports, phase, &event, snapshot);
    struct gw_event_report *report = gw_event_reports_take(&reports);
    const struct gw_fact fact = gw_event_report_write(report, store, &quiet);
    free(report);
    return fact;
}

static void an_event_that_goes_on_does_not_promise_a_snapshot_that_was_not_written(void **state)
{
    char blocked[512];
    snprintf(blocked, sizeof(blocked), "%s/media", store);
    FILE *file = fopen(blocked, "wb");
    assert_non_null(file);
    fclose(file);
    write_report(GW_EVENT_PHASE_OPENED, &picture);
    struct gw_fact fact = write_report(GW_EVENT_PHASE_UPDATED, NULL);
    assert_int_equal(fact.event.snapshot_us, GW_NO_TIME);
    fact = write_report(GW_EVENT_PHASE_UPDATED, &picture);
    assert_int_equal(fact.event.snapshot_us, GW_NO_TIME);
    assert_int_equal(remove(blocked), 0); // the disk is well again
    fact = write_report(GW_EVENT_PHASE_CLOSED, NULL);
    assert_int_equal(fact.event.snapshot_us, GW_NO_TIME);

    write_report(GW_EVENT_PHASE_OPENED, &picture);
    fact = write_report(GW_EVENT_PHASE_CLOSED, NULL);
    assert_int_equal(fact.event.snapshot_us, TEST_START_US);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(reports_come_out_in_the_order_in_which_they_went_in),
        FACT(a_disk_that_is_slow_costs_updates_and_never_a_beginning_or_an_end),
        FACT(a_snapshot_is_on_the_disk_before_its_fact_can_be_posted),
        FACT(a_snapshot_that_could_not_be_written_is_not_promised),
        FACT(an_event_that_goes_on_does_not_promise_a_snapshot_that_was_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
