// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Every call that changes a file fails once, for five seconds, or for good, or is the last thing
// that its process does: n = 1, 2, 3, … until the scenario passes untouched. After each, the ledger
// outside is compared with the index and the files (scenario_check.c).
//
// `tests/run` takes some n only of the classes that have many; GRIDWATCH_FAULTS=all takes all.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libavutil/log.h>

#include "core/clock.h"
#include "core/log.h"
#include "tests/faults/scenario.h"

#define ILL_US (5 * GW_SECOND)

static const char *const class_names[FAULT_CLASSES] = {"write",  "sync",     "rename",
                                                       "create", "truncate", "unlink"};

struct fault {
    enum fault_class class;
    enum fault_act act;
    int error;
    enum { ONCE, A_WHILE, FOR_GOOD } lasts;
    const char *part; // of the path
    bool events_only; // what is recorded
};

// --- processes -----------------------------------------------------------------------------------

static char store[PATH_MAX], log_path[PATH_MAX + 8];
static struct scenario_ledger *ledger;
static struct fault_state *faults;

static void *share(size_t size)
{
    void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        abort();
    return shared;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    return remove(path);
}

static void forget_store(void)
{
    if (nftw(store, remove_entry, 16, FTW_DEPTH | FTW_PHYS) < 0)
        assert_int_equal(errno, ENOENT);
}

static int begin(void **state)
{
    ledger = share(sizeof(*ledger));
    faults = share(sizeof(*faults));
    // What fails is told by the shim, so the fastest disk is the best.
    snprintf(store, sizeof(store), "%s/gridwatch-faults-%d",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (int)getpid());
    snprintf(log_path, sizeof(log_path), "%s.log", store);
    gw_log_setup(GW_LOG_ERROR, 0);
    av_log_set_level(AV_LOG_QUIET);
    return 0;
}

static int end(void **state)
{
    forget_store();
    unlink(log_path);
    munmap(ledger, sizeof(*ledger));
    munmap(faults, sizeof(*faults));
    return 0;
}

static void print_log(void)
{
    char line[512];
    FILE *log = fopen(log_path, "r");
    while (log && fgets(line, sizeof(line), log))
        fputs(line, stderr);
    if (log)
        fclose(log);
}

// In a process of its own, which must end in order or, if it may, by a signal. What it logs is what
// is being done to it, and of no interest unless it ends badly.
static void in_child(bool may_die, void (*work)(const void *argument), const void *argument)
{
    int status;
    const pid_t child = fork();
    if (child == 0) {
        if (!freopen(log_path, "w", stderr))
            _exit(2);
        work(argument);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) ? WEXITSTATUS(status) == 0 : may_die && WTERMSIG(status) == SIGKILL)
        return;
    print_log();
    fail_msg("the scenario's process ended with %x", status);
}

static void plan(const struct fault *fault, int n)
{
    struct fault_plan *plan = &faults->plans[fault->class];
    memset(faults, 0, sizeof(*faults));
    plan->from = n;
    plan->to = fault->lasts == ONCE ? n : INT64_MAX;
    plan->act = (int32_t)fault->act;
    plan->error = fault->error;
    snprintf(plan->part, sizeof(plan->part), "%s", fault->part ? fault->part : "");
}

static void run(const void *argument)
{
    const struct fault *fault = argument;
    fault_use(faults, store);
    scenario_run(store, ledger, faults, fault && fault->lasts != FOR_GOOD ? ILL_US : 0);
}

static void recover(const void *argument)
{
    fault_use(faults, store);
    scenario_recover(store, scenario_time_us(SCENARIO_PICTURES) + 5 * GW_SECOND);
}

static void record(const struct fault *fault, bool may_die)
{
    memset(ledger, 0, offsetof(struct scenario_ledger, facts));
    ledger->pictures = SCENARIO_PICTURES;
    ledger->events_only = fault && fault->events_only;
    forget_store();
    in_child(may_die, run, fault);
}

static void compare(const char *what, struct scenario_allowance may)
{
    assert_int_equal(scenario_check(store, ledger, what, may), 0);
    scenario_set_clock(0);
}

// --- sweeps --------------------------------------------------------------------------------------

static int step(int usual)
{
    const char *all = getenv("GRIDWATCH_FAULTS");
    return all && !strcmp(all, "all") ? 1 : usual;
}

// GRIDWATCH_FAULTS_FROM: to look at one again.
static int first_n(void)
{
    const char *from = getenv("GRIDWATCH_FAULTS_FROM");
    return from ? atoi(from) : 1;
}

// A killed process: the fragment that it was writing, and what begins with the next one. One
// failure: what the one before it was to put on the disk, the second until it is tried again, and
// what is left of a GOP then.
static int most_missing(const struct fault *fault)
{
    if (fault->act == FAULT_KILL)
        return SCENARIO_GOP + 1;
    return fault->lasts == ONCE ? 4 * SCENARIO_GOP : INT_MAX;
}

// What the scenario left may differ from an undisturbed one.
static struct scenario_allowance allowance(const struct fault *fault)
{
    return (struct scenario_allowance){.strays = !ledger->drained || fault->class == FAULT_UNLINK,
                                       .kept =
                                           !ledger->finished || fault->class == FAULT_UNLINK ||
                                           (fault->class == FAULT_TRUNCATE && fault->lasts != ONCE),
                                       .missing = most_missing(fault)};
}

static void sweep(struct fault fault, int usual_step)
{
    const bool dies = fault.act == FAULT_KILL;
    int n = first_n();
    for (bool untouched = false; !untouched; n += step(usual_step)) {
        char what[64];
        snprintf(what, sizeof(what), "%s %d", class_names[fault.class], n);
        plan(&fault, n);
        record(&fault, dies);
        untouched = !faults->plans[fault.class].hits;
        compare(what, allowance(&fault));
        if (fault.lasts != FOR_GOOD && !dies && ledger->started)
            assert_true(ledger->drained); // it came back by itself
    }
    print_message("%s: untouched from %d on\n", class_names[fault.class], n - step(usual_step));
    assert_true(n > 1 + step(usual_step));
}

// The scenario's process is killed in a clip, and what the next start does about it is disturbed;
// then there is another start.
static void sweep_repair(struct fault fault, int usual_step)
{
    const struct fault killed = {FAULT_WRITE, FAULT_KILL, 0, ONCE, ".mp4"};
    int n = 1;
    for (bool untouched = false; !untouched; n += step(usual_step)) {
        char what[64];
        snprintf(what, sizeof(what), "%s %d of a repair", class_names[fault.class], n);
        plan(&killed, 50);
        record(&killed, true);
        assert_false(ledger->finished);
        plan(&fault, n);
        in_child(fault.act == FAULT_KILL, recover, NULL);
        untouched = !faults->plans[fault.class].hits;
        compare(what, allowance(&fault));
    }
    print_message("%s: untouched from %d on\n", class_names[fault.class], n - step(usual_step));
    assert_true(n > 1 + step(usual_step));
}

static void an_undisturbed_scenario_leaves_nothing_missing(void **state)
{
    memset(faults, 0, sizeof(*faults));
    record(NULL, false);
    assert_true(ledger->drained);
    compare("undisturbed", (struct scenario_allowance){.missing = 0});
}

static void an_undisturbed_scenario_has_all_that_events_ask_for(void **state)
{
    const struct fault none = {.events_only = true};
    memset(faults, 0, sizeof(*faults));
    record(&none, false);
    assert_true(ledger->drained);
    compare("undisturbed", (struct scenario_allowance){.missing = 0});
}

#define SWEEP(name, usual_step, ...)                                                               \
    static void name(void **state)                                                                 \
    {                                                                                              \
        sweep((struct fault){__VA_ARGS__}, usual_step);                                            \
    }

SWEEP(nothing_acknowledged_is_lost_when_any_write_fails_once, 61, FAULT_WRITE, FAULT_FAIL, EIO)
SWEEP(nothing_acknowledged_is_lost_when_the_disk_is_full_for_a_while, 61, FAULT_WRITE, FAULT_CUT,
      ENOSPC, A_WHILE)
SWEEP(nothing_acknowledged_is_lost_when_the_disk_is_full_for_good, 61, FAULT_WRITE, FAULT_CUT,
      ENOSPC, FOR_GOOD)
SWEEP(nothing_acknowledged_is_lost_when_any_write_of_a_clip_fails_once, 5, FAULT_WRITE, FAULT_CUT,
      ENOSPC, ONCE, ".mp4")
SWEEP(nothing_acknowledged_is_lost_when_any_write_of_a_clip_fails_for_a_while, 9, FAULT_WRITE,
      FAULT_CUT, EDQUOT, A_WHILE, ".mp4")
SWEEP(nothing_acknowledged_is_lost_when_its_process_is_killed_in_any_write, 31, FAULT_WRITE,
      FAULT_KILL, 0)
SWEEP(nothing_acknowledged_is_lost_when_its_process_is_killed_writing_a_clip, 9, FAULT_WRITE,
      FAULT_KILL, 0, ONCE, ".mp4")

SWEEP(no_event_is_without_its_pictures_or_a_gap_when_any_write_of_a_clip_fails_once, 4, FAULT_WRITE,
      FAULT_CUT, ENOSPC, ONCE, ".mp4", true)
SWEEP(no_event_is_without_its_pictures_or_a_gap_when_no_file_can_be_made_for_a_while, 4,
      FAULT_CREATE, FAULT_FAIL, ENOSPC, A_WHILE, "", true)
SWEEP(no_event_is_without_its_pictures_or_a_gap_when_any_sync_fails_once, 9, FAULT_SYNC, FAULT_LOSE,
      EIO, ONCE, "", true)
SWEEP(no_event_is_without_its_pictures_or_a_gap_when_its_process_is_killed_in_any_write, 61,
      FAULT_WRITE, FAULT_KILL, 0, ONCE, "", true)

SWEEP(nothing_acknowledged_is_lost_when_any_sync_fails_once, 7, FAULT_SYNC, FAULT_LOSE, EIO)
SWEEP(nothing_acknowledged_is_lost_when_syncs_fail_for_a_while, 13, FAULT_SYNC, FAULT_LOSE, EIO,
      A_WHILE)
SWEEP(nothing_acknowledged_is_lost_when_syncs_fail_for_good, 9, FAULT_SYNC, FAULT_FAIL, EIO,
      FOR_GOOD)
SWEEP(nothing_acknowledged_is_lost_when_its_process_is_killed_in_any_sync, 13, FAULT_SYNC,
      FAULT_KILL, 0)

SWEEP(nothing_acknowledged_is_lost_when_any_rename_fails_once, 4, FAULT_RENAME, FAULT_FAIL, EIO)
SWEEP(nothing_acknowledged_is_lost_when_renames_fail_for_good, 3, FAULT_RENAME, FAULT_FAIL, ENOSPC,
      FOR_GOOD)
SWEEP(nothing_acknowledged_is_lost_when_its_process_is_killed_in_any_rename, 3, FAULT_RENAME,
      FAULT_KILL, 0)

SWEEP(nothing_acknowledged_is_lost_when_any_file_cannot_be_made_once, 4, FAULT_CREATE, FAULT_FAIL,
      ENOSPC)
SWEEP(nothing_acknowledged_is_lost_when_no_file_can_be_made_for_a_while, 5, FAULT_CREATE,
      FAULT_FAIL, ENOSPC, A_WHILE)
SWEEP(nothing_acknowledged_is_lost_when_the_disk_turns_read_only, 5, FAULT_CREATE, FAULT_FAIL,
      EROFS, FOR_GOOD)
SWEEP(nothing_acknowledged_is_lost_when_its_process_is_killed_making_any_file, 5, FAULT_CREATE,
      FAULT_KILL, 0)

SWEEP(nothing_acknowledged_is_lost_when_no_file_can_be_cut, 1, FAULT_TRUNCATE, FAULT_FAIL, EIO,
      FOR_GOOD)
SWEEP(nothing_acknowledged_is_lost_when_nothing_can_be_removed, 1, FAULT_UNLINK, FAULT_FAIL, EROFS,
      FOR_GOOD)

#define SWEEP_REPAIR(name, usual_step, ...)                                                        \
    static void name(void **state)                                                                 \
    {                                                                                              \
        sweep_repair((struct fault){__VA_ARGS__}, usual_step);                                     \
    }

SWEEP_REPAIR(a_repair_is_done_again_after_any_write_of_it_failed, 20, FAULT_WRITE, FAULT_FAIL,
             ENOSPC)
SWEEP_REPAIR(a_repair_is_done_again_after_any_sync_of_it_failed, 1, FAULT_SYNC, FAULT_LOSE, EIO)
SWEEP_REPAIR(a_repair_is_done_again_after_it_could_not_cut_a_file, 1, FAULT_TRUNCATE, FAULT_FAIL,
             EROFS)
SWEEP_REPAIR(a_repair_is_done_again_after_it_was_killed_in_any_write, 20, FAULT_WRITE, FAULT_KILL,
             0)

// test_faults [PATTERN]: those whose name fits
int main(int count, char **arguments)
{
    if (count > 1)
        cmocka_set_test_filter(arguments[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_undisturbed_scenario_leaves_nothing_missing),
        cmocka_unit_test(an_undisturbed_scenario_has_all_that_events_ask_for),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_any_write_fails_once),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_the_disk_is_full_for_a_while),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_the_disk_is_full_for_good),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_any_write_of_a_clip_fails_once),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_any_write_of_a_clip_fails_for_a_while),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_its_process_is_killed_in_any_write),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_its_process_is_killed_writing_a_clip),
        cmocka_unit_test(
            no_event_is_without_its_pictures_or_a_gap_when_any_write_of_a_clip_fails_once),
        cmocka_unit_test(
            no_event_is_without_its_pictures_or_a_gap_when_no_file_can_be_made_for_a_while),
        cmocka_unit_test(no_event_is_without_its_pictures_or_a_gap_when_any_sync_fails_once),
        cmocka_unit_test(
            no_event_is_without_its_pictures_or_a_gap_when_its_process_is_killed_in_any_write),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_any_sync_fails_once),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_syncs_fail_for_a_while),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_syncs_fail_for_good),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_its_process_is_killed_in_any_sync),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_any_rename_fails_once),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_renames_fail_for_good),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_its_process_is_killed_in_any_rename),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_any_file_cannot_be_made_once),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_no_file_can_be_made_for_a_while),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_the_disk_turns_read_only),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_its_process_is_killed_making_any_file),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_no_file_can_be_cut),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_nothing_can_be_removed),
        cmocka_unit_test(a_repair_is_done_again_after_any_write_of_it_failed),
        cmocka_unit_test(a_repair_is_done_again_after_any_sync_of_it_failed),
        cmocka_unit_test(a_repair_is_done_again_after_it_could_not_cut_a_file),
        cmocka_unit_test(a_repair_is_done_again_after_it_was_killed_in_any_write),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
