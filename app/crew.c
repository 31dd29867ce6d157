// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/crew.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"

#define SHORT_LIFE_US  (10 * GW_SECOND)
#define FIRST_RETRY_US (GW_SECOND / 2)
#define LAST_RETRY_US  (10 * GW_SECOND)

// Where a worker finds its end of the door.
enum { DOOR_FD = 3 };

extern char **environ;

struct gw_crew {
    struct gw_crew_config config;
    int total; // members, with the bench
    bool stopping;
    struct gw_crew_member members[];
};

int gw_crew_create(struct gw_crew **ret, const struct gw_crew_config *config)
{
    int total = config->count + config->bench;
    struct gw_crew *crew = calloc(1, sizeof(*crew) + (size_t)total * sizeof(struct gw_crew_member));
    if (!crew)
        return -ENOMEM;
    crew->config = *config;
    crew->total = total;
    for (int i = 0; i < total; i++) {
        snprintf(crew->members[i].name, sizeof(crew->members[i].name), "w%d", i);
        crew->members[i].wanted = i < config->count;
    }
    *ret = crew;
    return 0;
}

void gw_crew_destroy(struct gw_crew **crew)
{
    struct gw_crew *c = *crew;
    if (!c)
        return;
    for (int i = 0; i < c->total; i++) {
        if (c->members[i].pid) {
            kill(c->members[i].pid, SIGKILL);
            waitpid(c->members[i].pid, NULL, 0);
        }
        gw_id_set_finish(&c->members[i].open);
    }
    free(c);
    *crew = NULL;
}

int gw_crew_count(const struct gw_crew *crew)
{
    return crew->total;
}

struct gw_crew_member *gw_crew_member(struct gw_crew *crew, int i)
{
    return &crew->members[i];
}

struct gw_crew_member *gw_crew_find(struct gw_crew *crew, const struct gw_id *boot)
{
    for (int i = 0; i < crew->total; i++)
        if (crew->members[i].present && gw_id_equal(&crew->members[i].boot, boot))
            return &crew->members[i];
    return NULL;
}

struct gw_crew_member *gw_crew_welcome(struct gw_crew *crew, const struct gw_id *boot,
                                       const char *name, int64_t mono_us)
{
    for (int i = 0; i < crew->total; i++) {
        struct gw_crew_member *member = &crew->members[i];
        if (!member->pid || strcmp(member->name, name))
            continue;
        if (!member->present)
            member->present_us = mono_us;
        member->present = true;
        member->boot = *boot;
        member->heard_us = mono_us;
        return member;
    }
    return NULL;
}

// --- starting and ending -------------------------------------------------------------------------

static int spawn(const struct gw_crew_config *config, struct gw_crew_member *member, int door_fd)
{
    char door[] = "--door-fd", number[8], workers[8];
    char *arguments[] = {(char *)"gridwatch",
                         (char *)"worker",
                         (char *)"--hub",
                         (char *)config->endpoint,
                         (char *)"--store",
                         (char *)config->store,
                         (char *)"--name",
                         member->name,
                         (char *)"--log-level",
                         (char *)config->log_level,
                         (char *)"--log-format",
                         (char *)config->log_format,
                         (char *)"--workers",
                         workers,
                         (char *)"--end-with-parent",
                         door_fd >= 0 ? door : NULL,
                         number,
                         NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    snprintf(number, sizeof(number), "%d", DOOR_FD);
    snprintf(workers, sizeof(workers), "%d", config->count);
    if (door_fd >= 0)
        posix_spawn_file_actions_adddup2(&actions, door_fd, DOOR_FD); // not closed on exec
    int error = posix_spawn(&member->pid, config->program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

// The two ends of a worker's door: ret[0] stays here.
static int make_door(const struct gw_crew_config *config, int ret[2])
{
    ret[0] = ret[1] = -1;
    if (config->door && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0)
        return errno;
    return 0;
}

static void start(struct gw_crew *crew, struct gw_crew_member *member, int64_t mono_us)
{
    const struct gw_crew_config *config = &crew->config;
    int ends[2];
    int error = make_door(config, ends);

    if (!error)
        error = spawn(config, member, ends[1]);
    if (ends[1] >= 0)
        close(ends[1]);
    if (error) {
        gw_log_error(config->log, "cannot start worker %s (%s): %s", member->name, config->program,
                     strerror(error));
        if (ends[0] >= 0)
            close(ends[0]);
        member->pid = 0;
        member->restart_us = mono_us + LAST_RETRY_US;
        return;
    }
    if (config->door)
        gw_door_admit(config->door, (int)(member - crew->members), ends[0]);
    member->started_us = member->heard_us = mono_us;
    member->present_us = 0;
    member->dismissed = member->silenced = false;
}

static void kill_if_silent(struct gw_crew *crew, struct gw_crew_member *member, int64_t mono_us)
{
    if (mono_us - member->heard_us < GW_CREW_SILENCE_US)
        return;
    gw_log_error(crew->config.log, "worker %s said nothing for %d s; killing it", member->name,
                 (int)(GW_CREW_SILENCE_US / GW_SECOND));
    kill(member->pid, SIGKILL);
    member->silenced = true;
    member->heard_us = mono_us; // one kill is enough; reap takes it from here
}

void gw_crew_step(struct gw_crew *crew, int64_t mono_us)
{
    for (int i = 0; i < crew->total; i++) {
        struct gw_crew_member *member = &crew->members[i];
        if (member->pid)
            kill_if_silent(crew, member, mono_us);
        else if (!crew->stopping && member->wanted && mono_us >= member->restart_us)
            start(crew, member, mono_us);
    }
}

static void describe_end(const struct gw_crew *crew, const struct gw_crew_member *member,
                         int status)
{
    const char *next = crew->stopping || !member->wanted ? "" : "; starting it again";

    if ((crew->stopping || member->dismissed) && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    if (WIFSIGNALED(status))
        gw_log_error(crew->config.log, "worker %s was killed by signal %d (%s)%s", member->name,
                     WTERMSIG(status), strsignal(WTERMSIG(status)), next);
    else
        gw_log_error(crew->config.log, "worker %s ended with code %d%s", member->name,
                     WEXITSTATUS(status), next);
}

// A worker dies of what it does, or because a person, or a kernel out of memory, ends it. Of the
// second kind no camera is to blame, unless the worker hung.
static bool is_crash(const struct gw_crew *crew, const struct gw_crew_member *member, int status)
{
    const int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    if (crew->stopping || member->dismissed)
        return false;
    if (!number)
        return WEXITSTATUS(status) != 0;
    return member->silenced || (number != SIGKILL && number != SIGTERM && number != SIGINT);
}

static void schedule_restart(struct gw_crew_member *member, int64_t mono_us)
{
    int64_t wait_us = FIRST_RETRY_US;

    if (member->dismissed || mono_us - member->started_us >= SHORT_LIFE_US)
        member->failures = 0;
    if (member->dismissed) {
        member->restart_us = mono_us;
        return;
    }
    // The first restart is immediate: cameras must be recording again within 5 s.
    if (member->failures++ == 0)
        wait_us = 0;
    for (int i = 2; i < member->failures && wait_us < LAST_RETRY_US; i++)
        wait_us *= 2;
    member->restart_us = mono_us + (wait_us < LAST_RETRY_US ? wait_us : LAST_RETRY_US);
}

struct gw_crew_member *gw_crew_reap(struct gw_crew *crew, int64_t mono_us)
{
    for (int i = 0; i < crew->total; i++) {
        struct gw_crew_member *member = &crew->members[i];
        int status;
        if (!member->pid || waitpid(member->pid, &status, WNOHANG) != member->pid)
            continue;
        describe_end(crew, member, status);
        member->crashed = is_crash(crew, member, status);
        member->pid = 0;
        member->present = false;
        gw_id_set_clear(&member->open);
        schedule_restart(member, mono_us);
        return member;
    }
    return NULL;
}

static struct gw_crew_member *find_bench(struct gw_crew *crew)
{
    return crew->config.bench ? &crew->members[crew->config.count] : NULL;
}

void gw_crew_want_bench(struct gw_crew *crew, bool wanted)
{
    struct gw_crew_member *bench = find_bench(crew);

    bench->wanted = wanted;
    // Once it is there, so that it hears the signal in good order.
    if (!wanted && bench->present && !bench->dismissed) {
        bench->dismissed = true;
        kill(bench->pid, SIGTERM);
    }
}

void gw_crew_forgive_bench(struct gw_crew *crew)
{
    struct gw_crew_member *bench = find_bench(crew);

    bench->failures = 0;
    bench->restart_us = 0;
}

void gw_crew_stop(struct gw_crew *crew)
{
    crew->stopping = true;
    for (int i = 0; i < crew->total; i++)
        if (crew->members[i].pid)
            kill(crew->members[i].pid, SIGTERM);
}

bool gw_crew_running(const struct gw_crew *crew)
{
    for (int i = 0; i < crew->total; i++)
        if (crew->members[i].pid)
            return true;
    return false;
}

// --- what each of them has open ------------------------------------------------------------------

void gw_crew_note(struct gw_crew_member *member, const struct gw_fact *fact)
{
    switch (fact->kind) {
    case GW_FACT_EVENT_OPENED:
    case GW_FACT_EVENT_UPDATED: gw_id_set_add(&member->open, &fact->event.id); break;
    case GW_FACT_EVENT_CLOSED: gw_id_set_remove(&member->open, &fact->event.id); break;
    case GW_FACT_CLIP_OPENED: gw_id_set_add(&member->open, &fact->clip.id); break;
    case GW_FACT_CLIP_CLOSED: gw_id_set_remove(&member->open, &fact->clip.id); break;
    case GW_FACT_ALERT_RAISED:
    case GW_FACT_CAMERA_ONLINE:
    case GW_FACT_CAMERA_OFFLINE:
    case GW_FACT_CAMERA_DEGRADED:
    case GW_FACT_GAP_OPENED:
    case GW_FACT_GAP_CLOSED:
    case GW_FACT_EVENT_DELETED:
    case GW_FACT_CLIP_DELETED:
    case GW_FACT_GAP_DELETED:
    case GW_FACT_COVERAGE: break;
    }
}

bool gw_crew_has_open(const struct gw_crew *crew, const struct gw_id *id)
{
    for (int i = 0; i < crew->total; i++)
        if (gw_id_set_has(&crew->members[i].open, id))
            return true;
    return false;
}
