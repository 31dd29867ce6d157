// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <stdatomic.h>
#include <unistd.h>

#include "app/decode_pool.h"

struct counting_task {
    struct gw_decode_task task; // first, so that a pointer to it is a pointer to this
    atomic_int runs, inside, most_inside;
    int wanted; // runs until it has no more to do
};

static bool count(struct gw_decode_task *task)
{
    struct counting_task *counting = (struct counting_task *)task;
    int inside = atomic_fetch_add(&counting->inside, 1) + 1;
    if (inside > atomic_load(&counting->most_inside))
        atomic_store(&counting->most_inside, inside);
    usleep(100);
    atomic_fetch_sub(&counting->inside, 1);
    return atomic_fetch_add(&counting->runs, 1) + 1 < counting->wanted;
}

static void wait_for(atomic_int *value, int wanted)
{
    for (int i = 0; i < 5000 && atomic_load(value) < wanted; i++)
        usleep(1000);
    assert_true(atomic_load(value) >= wanted);
}

static void a_task_runs_until_it_has_no_more_to_do(void **state)
{
    struct gw_decode_pool *pool;
    struct counting_task task = {.task.run = count, .wanted = 20};
    assert_int_equal(gw_decode_pool_create(&pool, 2), 0);
    gw_decode_pool_wake(pool, &task.task);
    wait_for(&task.runs, 20);
    gw_decode_pool_retire(pool, &task.task);
    assert_int_equal(atomic_load(&task.runs), 20);
    gw_decode_pool_destroy(&pool);
}

static void a_task_is_never_run_by_two_threads_at_once(void **state)
{
    struct gw_decode_pool *pool;
    struct counting_task task = {.task.run = count, .wanted = 1};
    assert_int_equal(gw_decode_pool_create(&pool, 4), 0);
    for (int i = 0; i < 2000; i++)
        gw_decode_pool_wake(pool, &task.task);
    wait_for(&task.runs, 1);
    gw_decode_pool_retire(pool, &task.task);
    assert_int_equal(atomic_load(&task.most_inside), 1);
    gw_decode_pool_destroy(&pool);
}

static void a_wake_while_running_is_not_forgotten(void **state)
{
    struct gw_decode_pool *pool;
    struct counting_task task = {.task.run = count, .wanted = 1};
    assert_int_equal(gw_decode_pool_create(&pool, 1), 0);
    for (int i = 1; i <= 50; i++) {
        gw_decode_pool_wake(pool, &task.task);
        wait_for(&task.runs, i);
    }
    gw_decode_pool_retire(pool, &task.task);
    gw_decode_pool_destroy(&pool);
}

static void every_task_gets_its_turn(void **state)
{
    struct gw_decode_pool *pool;
    struct counting_task busy = {.task.run = count, .wanted = 1 << 30},
                         other = {.task.run = count, .wanted = 1};
    assert_int_equal(gw_decode_pool_create(&pool, 1), 0);
    gw_decode_pool_wake(pool, &busy.task);
    gw_decode_pool_wake(pool, &other.task);
    wait_for(&other.runs, 1);
    gw_decode_pool_retire(pool, &busy.task);
    gw_decode_pool_retire(pool, &other.task);
    int runs = atomic_load(&busy.runs);
    usleep(2000);
    assert_int_equal(atomic_load(&busy.runs), runs);
    gw_decode_pool_destroy(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_runs_until_it_has_no_more_to_do),
        cmocka_unit_test(a_task_is_never_run_by_two_threads_at_once),
        cmocka_unit_test(a_wake_while_running_is_not_forgotten),
        cmocka_unit_test(every_task_gets_its_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
