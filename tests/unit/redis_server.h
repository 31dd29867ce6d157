// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A redis-server of a test's own: on a socket in a folder of its own, on no port, nothing on disk.
#pragma once

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct redis_server {
    char folder[64];
    char address[128]; // as gw_redis_config takes it
    pid_t pid;         // 0: it does not run
};

static inline bool have_redis_server(void)
{
    if (system("command -v redis-server >/dev/null 2>&1") == 0)
        return true;
    print_message("skipped: there is no redis-server; deploy/packages test installs it\n");
    return false;
}

static inline int make_redis_folder(struct redis_server *server)
{
    strcpy(server->folder, "/tmp/gridwatch-redis-XXXXXX");
    if (!mkdtemp(server->folder))
        return -1;
    snprintf(server->address, sizeof(server->address), "unix:%s/redis.sock", server->folder);
    return 0;
}

// password "": none. Returns 0 when it listens.
static inline int start_redis(struct redis_server *server, const char *password)
{
    char path[128];
    snprintf(path, sizeof(path), "%s", server->address + strlen("unix:"));
    const char *const arguments[] = {"redis-server",
                                     "--port",
                                     "0",
                                     "--unixsocket",
                                     path,
                                     "--save",
                                     "",
                                     "--appendonly",
                                     "no",
                                     "--dir",
                                     server->folder,
                                     "--requirepass",
                                     password,
                                     NULL};
    posix_spawn_file_actions_t actions;

    unlink(path);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    int error = posix_spawnp(&server->pid, "redis-server", &actions, NULL, (char *const *)arguments,
                             environ);
    posix_spawn_file_actions_destroy(&actions);
    for (int i = 0; !error && access(path, R_OK) < 0; i++) {
        if (i == 500)
            return -1;
        usleep(10000);
    }
    return error ? -1 : 0;
}

static inline void stop_redis(struct redis_server *server)
{
    if (server->pid <= 0)
        return;
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

static inline int remove_redis_folder(struct redis_server *server)
{
    char command[128];
    stop_redis(server);
    snprintf(command, sizeof(command), "rm -rf '%s'", server->folder);
    return system(command);
}
