// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/media_planner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/process.h"
#include "core/clock.h"
#include "core/error.h"
#include "storage/join_wire.h"

#define STEP_MS       100 // how soon it is noticed that this process is to stop
#define BLIND_STEP_MS 5   // and that the other one has ended, on a kernel that does not tell

extern char **environ;

// Three files in memory. None has a number that the process is to be given one by.
struct channel {
    int request_fd, result_fd, made_fd;
};

static int make_file(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, GW_PLAN_MADE_FD + 1);
    if (high < 0)
        high = -errno;
    close(fd);
    return high;
}

static void close_channel(struct channel *channel)
{
    int *fds[] = {&channel->request_fd, &channel->result_fd, &channel->made_fd};
    for (int i = 0; i < 3; i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
}

static int open_channel(struct channel *channel, const struct gw_join_request *request)
{
    *channel = (struct channel){make_file("request"), make_file("result"), make_file("made")};
    int result = channel->request_fd < 0  ? channel->request_fd
                 : channel->result_fd < 0 ? channel->result_fd
                 : channel->made_fd < 0   ? channel->made_fd
                                          : 0;
    return result ? result : gw_join_send_request(channel->request_fd, request);
}

static int start(const struct gw_media_planner *planner, const struct channel *channel,
                 pid_t *ret_pid)
{
    char *arguments[] = {(char *)"gridwatch", (char *)"plan-media", (char *)"--store",
                         (char *)planner->store, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, channel->request_fd, GW_PLAN_REQUEST_FD);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, channel->result_fd, GW_PLAN_RESULT_FD);
    posix_spawn_file_actions_adddup2(&actions, channel->made_fd, GW_PLAN_MADE_FD);
    int error = posix_spawn(ret_pid, "/proc/self/exe", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return -error;
}

// Waits for its end, unless this process is to stop. Returns 0, GW_ERROR_STALLED after having
// killed it, or GW_ERROR_INVALID.
static int await(const struct gw_media_planner *planner, pid_t pid)
{
    struct pollfd end = {.fd = pidfd_open(pid, 0), .events = POLLIN};
    const int64_t deadline_us = gw_mono_us() + GW_PLAN_LIMIT_US;
    int status;
    pid_t ended;
    while (!(ended = waitpid(pid, &status, WNOHANG)) && gw_mono_us() < deadline_us &&
           !gw_process_stop_requested())
        poll(&end, 1, end.fd < 0 ? BLIND_STEP_MS : STEP_MS);
    if (end.fd >= 0)
        close(end.fd);
    if (ended == 0) {
        kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        return GW_ERROR_STALLED;
    }
    if (ended == pid && WIFEXITED(status) && WEXITSTATUS(status) == GW_EXIT_OK)
        return 0;
    if (ended == pid && WIFSIGNALED(status) && !gw_process_stop_requested())
        gw_log_error(planner->log, "the process that joins clips was ended by signal %d",
                     WTERMSIG(status));
    return GW_ERROR_INVALID;
}

static int take_result(const struct gw_media_planner *planner, struct channel *channel,
                       const struct gw_join_request *request, struct gw_media_plan **ret,
                       enum gw_join_problem *ret_problem, int64_t *ret_problem_us)
{
    struct gw_join join;
    // Nobody changes them from now on, even if the process left another one behind.
    const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
    if (fcntl(channel->result_fd, F_ADD_SEALS, seals) < 0 ||
        fcntl(channel->made_fd, F_ADD_SEALS, seals) < 0)
        return -errno;
    int result = gw_join_receive(channel->result_fd, &join);
    if (result < 0)
        return result;
    *ret_problem = join.problem;
    *ret_problem_us = join.problem_us;
    *ret = NULL;
    if (join.problem != GW_JOIN_FINE) {
        gw_join_finish(&join);
        return 0;
    }
    const int made_fd = channel->made_fd;
    channel->made_fd = -1;
    return gw_media_plan_create(ret, planner->store, request, &join, made_fd);
}

int gw_media_planner_plan(const struct gw_media_planner *planner,
                          const struct gw_join_request *request, struct gw_media_plan **ret,
                          enum gw_join_problem *ret_problem, int64_t *ret_problem_us)
{
    struct channel channel;
    pid_t pid;
    int result = open_channel(&channel, request);
    if (!result)
        result = start(planner, &channel, &pid);
    if (!result)
        result = await(planner, pid);
    if (!result)
        result = take_result(planner, &channel, request, ret, ret_problem, ret_problem_us);
    close_channel(&channel);
    return result;
}
