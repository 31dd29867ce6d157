// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/crew.h"
#include "core/clock.h"

// /bin/false ends at once: a worker that keeps dying.
static struct gw_crew *make_crew(const char *program)
{
    struct gw_crew_config config = {.program = program,
                                    .endpoint = "ipc://x",
                                    .store = "s",
                                    .log_level = "error",
                                    .log_format = "text",
                                    .count = 1};
    struct gw_crew *crew;
    assert_int_equal(gw_crew_create(&crew, &config), 0);
    return crew;
}

static struct gw_crew_member *reap(struct gw_crew *crew, int64_t now)
{
    struct gw_crew_member *member = NULL;
    for (int i = 0; i < 3000 && !member; i++, usleep(1000))
        member = gw_crew_reap(crew, now);
    assert_non_null(member);
    return member;
}

static void a_dead_worker_is_started_again_at_once_and_then_ever_later(void **state)
{
    struct gw_crew *crew = make_crew("/bin/false");
    struct gw_crew_member *member = gw_crew_member(crew, 0);
    int64_t now = 0, waits[4];
    for (int i = 0; i < 4; i++) {
        gw_crew_step(crew, now);
        assert_true(member->pid > 0);
        reap(crew, now);
        assert_int_equal(member->pid, 0);
        waits[i] = member->restart_us - now;
        now = member->restart_us;
    }
    assert_int_equal(waits[0], 0);
    assert_int_equal(waits[1], GW_SECOND / 2);
    assert_int_equal(waits[2], GW_SECOND);
    assert_int_equal(waits[3], 2 * GW_SECOND);
    gw_crew_destroy(&crew);
}

static void a_worker_that_lived_long_is_forgiven(void **state)
{
    struct gw_crew *crew = make_crew("/bin/false");
    struct gw_crew_member *member = gw_crew_member(crew, 0);
    gw_crew_step(crew, 0);
    reap(crew, 0);
    gw_crew_step(crew, 0);
    reap(crew, 0);
    gw_crew_step(crew, 20 * GW_SECOND);
    reap(crew, 60 * GW_SECOND);
    assert_int_equal(member->restart_us, 60 * GW_SECOND);
    gw_crew_destroy(&crew);
}

static void a_silent_worker_is_killed_and_has_crashed(void **state)
{
    char program[] = "/tmp/test_crew_XXXXXX";
    const char script[] = "#!/bin/sh\nexec sleep 60\n";
    int file = mkstemp(program);
    assert_true(write(file, script, sizeof(script) - 1) == sizeof(script) - 1);
    fchmod(file, 0700);
    close(file);

    struct gw_crew *crew = make_crew(program);
    gw_crew_step(crew, 0);
    usleep(20000);
    assert_null(gw_crew_reap(crew, 0));
    gw_crew_step(crew, GW_CREW_SILENCE_US - 1);
    usleep(20000);
    assert_null(gw_crew_reap(crew, 0));
    gw_crew_step(crew, GW_CREW_SILENCE_US);
    assert_true(reap(crew, GW_CREW_SILENCE_US)->crashed);
    gw_crew_step(crew, GW_CREW_SILENCE_US);
    usleep(20000);
    kill(gw_crew_member(crew, 0)->pid, SIGKILL);
    assert_false(reap(crew, GW_CREW_SILENCE_US)->crashed); // by somebody else
    gw_crew_destroy(&crew);
    unlink(program);
}

static void only_a_worker_of_this_hub_is_welcome(void **state)
{
    struct gw_crew *crew = make_crew("/bin/false");
    struct gw_id boot = gw_id_make(GW_SECOND), other = gw_id_make(GW_SECOND);
    assert_null(gw_crew_welcome(crew, &boot, "w0", 0)); // not started yet
    gw_crew_step(crew, 0);
    assert_null(gw_crew_welcome(crew, &boot, "w7", 0));
    assert_ptr_equal(gw_crew_welcome(crew, &boot, "w0", 0), gw_crew_member(crew, 0));
    assert_ptr_equal(gw_crew_find(crew, &boot), gw_crew_member(crew, 0));
    assert_null(gw_crew_find(crew, &other));
    reap(crew, 0);
    assert_null(gw_crew_find(crew, &boot));
    gw_crew_destroy(&crew);
}

static void a_stopped_crew_starts_nobody(void **state)
{
    struct gw_crew *crew = make_crew("/bin/false");
    gw_crew_stop(crew);
    gw_crew_step(crew, 0);
    assert_false(gw_crew_running(crew));
    gw_crew_destroy(&crew);
}

static void the_bench_runs_while_it_is_wanted_and_its_end_is_no_failure(void **state)
{
    char program[] = "/tmp/test_crew_XXXXXX";
    const char script[] = "#!/bin/sh\ntrap 'exit 0' TERM\nwhile :; do sleep 0.01; done\n";
    int file = mkstemp(program);
    assert_true(write(file, script, sizeof(script) - 1) == sizeof(script) - 1);
    fchmod(file, 0700);
    close(file);

    struct gw_crew_config config = {.program = program,
                                    .endpoint = "ipc://x",
                                    .store = "s",
                                    .log_level = "error",
                                    .log_format = "text",
                                    .bench = true};
    struct gw_id boot = gw_id_make(GW_SECOND);
    struct gw_crew *crew;
    assert_int_equal(gw_crew_create(&crew, &config), 0);
    struct gw_crew_member *bench = gw_crew_member(crew, 0);
    assert_int_equal(gw_crew_count(crew), 1);
    gw_crew_step(crew, 0);
    assert_int_equal(bench->pid, 0);
    gw_crew_want_bench(crew, true);
    gw_crew_step(crew, 0);
    assert_true(bench->pid > 0);
    usleep(100000); // until the script has its trap
    assert_ptr_equal(gw_crew_welcome(crew, &boot, "w0", GW_SECOND), bench);
    assert_int_equal(bench->present_us, GW_SECOND);
    gw_crew_want_bench(crew, false);
    assert_ptr_equal(reap(crew, 2 * GW_SECOND), bench);
    assert_true(bench->dismissed);
    gw_crew_step(crew, 3 * GW_SECOND);
    assert_int_equal(bench->pid, 0);
    gw_crew_want_bench(crew, true);
    gw_crew_step(crew, 3 * GW_SECOND); // at once: it did not fail
    assert_true(bench->pid > 0);
    gw_crew_destroy(&crew);
    unlink(program);
}

static struct gw_fact make_fact(enum gw_fact_kind kind, const struct gw_id *id)
{
    struct gw_fact fact = {.kind = kind};
    if (kind == GW_FACT_CLIP_OPENED || kind == GW_FACT_CLIP_CLOSED)
        fact.clip.id = *id;
    else
        fact.event.id = *id;
    return fact;
}

static void what_a_worker_has_open_is_kept_in_the_books(void **state)
{
    struct gw_crew *crew = make_crew("/bin/false");
    struct gw_crew_member *member = gw_crew_member(crew, 0);
    struct gw_id ids[40];
    for (int i = 0; i < 40; i++) {
        ids[i] = gw_id_make(i);
        struct gw_fact fact =
            make_fact(i % 2 ? GW_FACT_CLIP_OPENED : GW_FACT_EVENT_OPENED, &ids[i]);
        gw_crew_note(member, &fact);
        gw_crew_note(member, &fact); // resent
    }
    assert_int_equal(member->open.count, 40);
    for (int i = 0; i < 39; i++) {
        struct gw_fact fact =
            make_fact(i % 2 ? GW_FACT_CLIP_CLOSED : GW_FACT_EVENT_CLOSED, &ids[i]);
        gw_crew_note(member, &fact);
    }
    assert_false(gw_crew_has_open(crew, &ids[0]));
    assert_true(gw_crew_has_open(crew, &ids[39]));
    gw_crew_destroy(&crew);
}

static void a_worker_that_is_gone_has_nothing_open(void **state)
{
    struct gw_crew *crew = make_crew("/bin/false");
    struct gw_id id = gw_id_make(1);
    struct gw_fact fact = make_fact(GW_FACT_EVENT_UPDATED, &id);
    gw_crew_step(crew, 0);
    gw_crew_note(gw_crew_member(crew, 0), &fact);
    reap(crew, 0);
    assert_false(gw_crew_has_open(crew, &id));
    gw_crew_destroy(&crew);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_worker_is_started_again_at_once_and_then_ever_later),
        cmocka_unit_test(a_worker_that_lived_long_is_forgiven),
        cmocka_unit_test(a_silent_worker_is_killed_and_has_crashed),
        cmocka_unit_test(only_a_worker_of_this_hub_is_welcome),
        cmocka_unit_test(a_stopped_crew_starts_nobody),
        cmocka_unit_test(the_bench_runs_while_it_is_wanted_and_its_end_is_no_failure),
        cmocka_unit_test(what_a_worker_has_open_is_kept_in_the_books),
        cmocka_unit_test(a_worker_that_is_gone_has_nothing_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
