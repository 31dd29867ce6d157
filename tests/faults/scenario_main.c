// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The scenario in a process of its own, for faults that happen to the machine:
//
//   fault_scenario run STORE LEDGER PICTURES PACE_US   records until it is done or stopped
//   fault_scenario check STORE LEDGER ACKED            exits with 1 when something is missing
//
// LEDGER is a file outside of what the fault happens to; run makes it. ACKED: facts that had been
// acknowledged before the fault.

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libavutil/log.h>

#include "core/log.h"
#include "tests/faults/scenario.h"

static struct scenario_ledger *open_ledger(const char *path, int flags)
{
    const int fd = open(path, O_RDWR | flags, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(struct scenario_ledger)) < 0) {
        perror(path);
        exit(2);
    }
    void *shared =
        mmap(NULL, sizeof(struct scenario_ledger), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (shared == MAP_FAILED)
        abort();
    return shared;
}

static int check(const char *store, struct scenario_ledger *ledger, int acked)
{
    // How much was sent after the machine had lost its power nobody knows.
    const struct scenario_allowance may = {.strays = true, .kept = true, .missing = INT_MAX};
    if (acked < ledger->acked)
        ledger->acked = acked;
    const int complaints = scenario_check(store, ledger, "after the power cut", may);
    printf("%d sent, %d acknowledged, %d complaints\n", ledger->sent, ledger->acked, complaints);
    return complaints > 0;
}

int main(int count, char **arguments)
{
    gw_log_setup(GW_LOG_ERROR, 0);
    av_log_set_level(AV_LOG_QUIET);
    if (count == 6 && !strcmp(arguments[1], "run")) {
        struct scenario_ledger *ledger = open_ledger(arguments[3], O_CREAT | O_TRUNC);
        ledger->pictures = atoi(arguments[4]);
        ledger->pace_us = atoi(arguments[5]);
        scenario_run(arguments[2], ledger, NULL, 0);
        return 0;
    }
    if (count == 5 && !strcmp(arguments[1], "check"))
        return check(arguments[2], open_ledger(arguments[3], 0), atoi(arguments[4]));
    fputs("usage: fault_scenario run STORE LEDGER PICTURES PACE_US | check STORE LEDGER ACKED\n",
          stderr);
    return 2;
}
