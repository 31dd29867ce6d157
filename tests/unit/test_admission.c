// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "ingest/admission.h"

static struct gw_admission *make(int at_once, int per_host)
{
    struct gw_admission_config config = {at_once, per_host};
    struct gw_admission *admission;
    assert_int_equal(gw_admission_create(&admission, &config), 0);
    return admission;
}

static bool inside(const struct gw_admission_place *place)
{
    return place->phase == GW_ADMISSION_INSIDE;
}

// --- the rule ------------------------------------------------------------------------------------

static void places_are_given_in_the_order_of_asking(void **state)
{
    struct gw_admission *admission = make(2, 2);
    struct gw_admission_place places[5] = {0};
    char host[8];
    for (int i = 0; i < 5; i++) {
        snprintf(host, sizeof(host), "h%d", i);
        gw_admission_queue(admission, &places[i], host, i);
        assert_int_equal(inside(&places[i]), i < 2);
    }
    gw_admission_leave(admission, &places[1], 10);
    assert_true(inside(&places[2]));
    assert_false(inside(&places[3]));
    gw_admission_leave(admission, &places[3], 11); // one that still waited
    gw_admission_leave(admission, &places[0], 12);
    assert_true(inside(&places[4]));
    gw_admission_leave(admission, &places[2], 13);
    gw_admission_leave(admission, &places[4], 13);
    gw_admission_leave(admission, &places[4], 13); // is outside already
    gw_admission_destroy(&admission);
}

static void a_full_host_holds_up_nobody_behind_it(void **state)
{
    struct gw_admission *admission = make(8, 1);
    struct gw_admission_place places[4] = {0};
    gw_admission_queue(admission, &places[0], "nvr", 0);
    gw_admission_queue(admission, &places[1], "NVR", 0);
    gw_admission_queue(admission, &places[2], "cam", 0);
    gw_admission_queue(admission, &places[3], "nvr", 0);
    assert_true(inside(&places[0]) && inside(&places[2]));
    assert_false(inside(&places[1]) || inside(&places[3]));
    assert_int_equal(gw_admission_step(admission, 60 * GW_SECOND), INT64_MAX);
    assert_false(inside(&places[1])); // a host's place lasts
    gw_admission_leave(admission, &places[0], 60 * GW_SECOND);
    assert_true(inside(&places[1]));
    assert_false(inside(&places[3]));
    for (int i = 1; i < 4; i++)
        gw_admission_leave(admission, &places[i], 60 * GW_SECOND);
    gw_admission_destroy(&admission);
}

static void cameras_that_do_not_answer_make_room_after_two_seconds(void **state)
{
    struct gw_admission *admission = make(2, 1);
    struct gw_admission_place dead[2] = {0}, live = {0};
    gw_admission_queue(admission, &dead[0], "a", 0);
    gw_admission_queue(admission, &dead[1], "b", GW_SECOND);
    gw_admission_queue(admission, &live, "c", GW_SECOND);
    assert_int_equal(gw_admission_step(admission, GW_SECOND), 2 * GW_SECOND);
    assert_false(inside(&live));
    gw_admission_step(admission, 2 * GW_SECOND);
    assert_true(inside(&live));
    gw_admission_leave(admission, &dead[0], 3 * GW_SECOND);
    gw_admission_leave(admission, &dead[1], 3 * GW_SECOND);
    gw_admission_leave(admission, &live, 3 * GW_SECOND);
    gw_admission_destroy(&admission);
}

// --- a site on fabricated time -------------------------------------------------------------------

enum { CAMERAS = 500 };

struct site {
    struct gw_admission_place places[CAMERAS];
    char hosts[CAMERAS][16];
    int64_t answer_us[CAMERAS]; // how long the camera takes
    bool done[CAMERAS];
    int most_at_once, most_per_host;
};

static void measure(struct site *site)
{
    int at_once = 0;
    for (int i = 0; i < CAMERAS; i++) {
        int per_host = 0;
        at_once += inside(&site->places[i]);
        for (int j = 0; inside(&site->places[i]) && j < CAMERAS; j++)
            per_host += inside(&site->places[j]) && !strcmp(site->hosts[i], site->hosts[j]);
        if (per_host > site->most_per_host)
            site->most_per_host = per_host;
    }
    if (at_once > site->most_at_once)
        site->most_at_once = at_once;
}

// All ask at once. Returns when the last one that matters is done.
static int64_t connect_all(struct site *site, int64_t patience_us)
{
    struct gw_admission *admission = make(32, 4);
    int64_t now_us = 0, last_us = 0;
    for (int i = 0; i < CAMERAS; i++)
        gw_admission_queue(admission, &site->places[i], site->hosts[i], 0);
    for (int left = CAMERAS; left; now_us += GW_SECOND / 100) {
        gw_admission_step(admission, now_us);
        measure(site);
        for (int i = 0; i < CAMERAS; i++) {
            struct gw_admission_place *place = &site->places[i];
            bool answered = site->answer_us[i] <= patience_us;
            int64_t takes_us = answered ? site->answer_us[i] : patience_us;
            if (!inside(place) || now_us - place->since_us < takes_us)
                continue;
            gw_admission_leave(admission, place, now_us);
            left--;
            if (answered)
                last_us = now_us;
        }
        assert_true(now_us < 600 * GW_SECOND);
    }
    gw_admission_destroy(&admission);
    return last_us;
}

static void fill(struct site *site, int64_t answer_us)
{
    memset(site, 0, sizeof(*site));
    for (int i = 0; i < CAMERAS; i++) {
        snprintf(site->hosts[i], sizeof(site->hosts[i]), "10.0.%d.%d", i / 200, i % 200);
        site->answer_us[i] = answer_us;
    }
}

static void five_hundred_cameras_connect_in_seconds_without_a_storm(void **state)
{
    static struct site site;
    fill(&site, GW_SECOND / 10);
    int64_t took_us = connect_all(&site, 10 * GW_SECOND);
    print_message("500 cameras of 100 ms: %.2f s\n", (double)took_us / GW_SECOND);
    assert_in_range(took_us, GW_SECOND, 5 * GW_SECOND);
    assert_int_equal(site.most_at_once, 32);
}

static void a_recorder_with_64_channels_sees_four_attempts_at_once(void **state)
{
    static struct site site;
    fill(&site, GW_SECOND / 10);
    for (int i = 0; i < CAMERAS; i += 7)
        if (i / 7 < 64)
            strcpy(site.hosts[i], "recorder");
    int64_t took_us = connect_all(&site, 10 * GW_SECOND);
    assert_in_range(took_us, GW_SECOND, 5 * GW_SECOND);
    assert_int_equal(site.most_per_host, 4);
}

static void a_dead_segment_does_not_keep_the_others_out(void **state)
{
    static struct site site;
    fill(&site, GW_SECOND / 10);
    for (int i = 0; i < CAMERAS; i++)
        if (i % 2)
            site.answer_us[i] = 3600 * GW_SECOND;
    int64_t took_us = connect_all(&site, 10 * GW_SECOND);
    print_message("250 cameras beside 250 dead ones: %.2f s\n", (double)took_us / GW_SECOND);
    assert_in_range(took_us, 0, 30 * GW_SECOND);
}

// --- real threads --------------------------------------------------------------------------------

struct visitor {
    struct gw_admission *admission;
    struct gw_stop *stop;
    atomic_int *now, *most;
    int error;
};

static void *visit(void *opaque)
{
    struct visitor *visitor = opaque;
    struct gw_admission_place place = {0};
    visitor->error =
        gw_admission_enter(visitor->admission, &place, "rtsp://recorder:554/ch1", visitor->stop);
    if (visitor->error)
        return NULL;
    int now = atomic_fetch_add(visitor->now, 1) + 1;
    for (int most = atomic_load(visitor->most);
         now > most && !atomic_compare_exchange_weak(visitor->most, &most, now);)
        ;
    usleep(2000);
    atomic_fetch_sub(visitor->now, 1);
    gw_admission_leave(visitor->admission, &place, gw_mono_us());
    return NULL;
}

static void threads_wait_for_their_turn(void **state)
{
    enum { THREADS = 40 };
    struct gw_admission *admission = make(32, 4);
    struct gw_stop stop;
    struct visitor visitors[THREADS];
    pthread_t threads[THREADS];
    atomic_int now = 0, most = 0;
    gw_stop_init(&stop);
    for (int i = 0; i < THREADS; i++) {
        visitors[i] = (struct visitor){admission, &stop, &now, &most, -1};
        pthread_create(&threads[i], NULL, visit, &visitors[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(visitors[i].error, 0);
    }
    assert_in_range(atomic_load(&most), 1, 4);
    gw_admission_destroy(&admission);
    gw_stop_finish(&stop);
}

static void a_stop_ends_the_wait(void **state)
{
    struct gw_admission *admission = make(1, 1);
    struct gw_admission_place place = {0};
    struct gw_stop stop;
    pthread_t thread;
    atomic_int now = 0, most = 0;
    struct visitor visitor = {admission, &stop, &now, &most, 0};
    gw_stop_init(&stop);
    gw_admission_queue(admission, &place, "recorder", gw_mono_us());
    pthread_create(&thread, NULL, visit, &visitor);
    usleep(20000);
    gw_stop_request(&stop);
    pthread_join(thread, NULL);
    assert_int_equal(visitor.error, GW_ERROR_STOPPED);
    gw_admission_leave(admission, &place, gw_mono_us());
    gw_admission_destroy(&admission);
    gw_stop_finish(&stop);
}

// Whoever looks at the clock for all may go; the next one must take over.
static void room_that_time_makes_is_noticed_by_those_who_wait(void **state)
{
    struct gw_admission *admission = make(1, 4);
    struct gw_admission_place place = {0};
    struct gw_stop stops[2];
    pthread_t threads[2];
    atomic_int now = 0, most = 0;
    struct visitor visitors[2];
    int64_t begin_us = gw_mono_us();
    gw_admission_queue(admission, &place, "dead", begin_us);
    for (int i = 0; i < 2; i++) {
        gw_stop_init(&stops[i]);
        visitors[i] = (struct visitor){admission, &stops[i], &now, &most, -1};
        pthread_create(&threads[i], NULL, visit, &visitors[i]);
        usleep(20000);
    }
    gw_stop_request(&stops[0]);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        gw_stop_finish(&stops[i]);
    }
    assert_int_equal(visitors[0].error, GW_ERROR_STOPPED);
    assert_int_equal(visitors[1].error, 0);
    assert_in_range(gw_mono_us() - begin_us, 2 * GW_SECOND, 4 * GW_SECOND);
    gw_admission_leave(admission, &place, gw_mono_us());
    gw_admission_destroy(&admission);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_given_in_the_order_of_asking),
        cmocka_unit_test(a_full_host_holds_up_nobody_behind_it),
        cmocka_unit_test(cameras_that_do_not_answer_make_room_after_two_seconds),
        cmocka_unit_test(five_hundred_cameras_connect_in_seconds_without_a_storm),
        cmocka_unit_test(a_recorder_with_64_channels_sees_four_attempts_at_once),
        cmocka_unit_test(a_dead_segment_does_not_keep_the_others_out),
        cmocka_unit_test(threads_wait_for_their_turn),
        cmocka_unit_test(a_stop_ends_the_wait),
        cmocka_unit_test(room_that_time_makes_is_noticed_by_those_who_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
