// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/overlay_output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

// What a signal's handler removes; empty for nothing. Written only while signals are blocked.
static char pending[PATH_MAX];
static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT, SIGXFSZ};
enum { SIGNALS = sizeof(signals) / sizeof(signals[0]) };

// The handler is reset when it runs, so that the second time the signal does what it always does.
static void handle_signal(int number)
{
    if (pending[0])
        unlink(pending);
    raise(number);
}

// What ignores a signal (nohup) goes on ignoring it.
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = handle_signal, .sa_flags = SA_RESETHAND | SA_NODEFER};
    struct sigaction before;

    for (int i = 0; i < SIGNALS; i++)
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            sigaction(signals[i], &action, NULL);
}

static void set_pending(const char *path)
{
    sigset_t ours, before;

    sigemptyset(&ours);
    for (int i = 0; i < SIGNALS; i++)
        sigaddset(&ours, signals[i]);
    sigprocmask(SIG_BLOCK, &ours, &before);
    strcpy(pending, path);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static int say(char error[GW_OVERLAY_ERROR_SIZE], const char *path, int code, const char *what)
{
    snprintf(error, GW_OVERLAY_ERROR_SIZE, "%.300s: %s", path, what);
    return code;
}

static const char exists[] = "exists already; remove it, or choose another name";

int gw_overlay_output_open(struct gw_overlay_output *output, const char *path, const char *input,
                           char error[GW_OVERLAY_ERROR_SIZE])
{
    struct stat there, source;

    *output = (struct gw_overlay_output){.path = path, .fd = -1};
    if (stat(path, &there) == 0 && stat(input, &source) == 0 && there.st_dev == source.st_dev &&
        there.st_ino == source.st_ino)
        return say(error, path, -EEXIST, "is the FILE to analyze; choose another name");
    if (lstat(path, &there) == 0)
        return say(error, path, -EEXIST, exists);
    char temporary[PATH_MAX];
    if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
        return say(error, path, -ENAMETOOLONG, gw_strerror(-ENAMETOOLONG));
    catch_signals();
    output->fd = mkostemp(temporary, O_CLOEXEC);
    if (output->fd < 0) {
        const int code = -errno;
        char what[128];
        snprintf(what, sizeof(what), "cannot be written there: %s", gw_strerror(code));
        return say(error, path, code, what);
    }
    strcpy(output->temporary, temporary);
    set_pending(temporary);
    return 0;
}

// Not every file system knows RENAME_NOREPLACE.
static int rename_new(const char *from, const char *to)
{
    struct stat there;

    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    if (lstat(to, &there) == 0)
        return -EEXIST;
    return rename(from, to) < 0 ? -errno : 0;
}

int gw_overlay_output_publish(struct gw_overlay_output *output, char error[GW_OVERLAY_ERROR_SIZE])
{
    int code = fsync(output->fd) < 0 ? -errno : rename_new(output->temporary, output->path);

    if (code < 0)
        return say(error, output->path, code, code == -EEXIST ? exists : gw_strerror(code));
    set_pending("");
    output->temporary[0] = 0;
    return 0;
}

void gw_overlay_output_close(struct gw_overlay_output *output)
{
    if (output->temporary[0])
        unlink(output->temporary);
    set_pending("");
    if (output->fd >= 0)
        close(output->fd);
    *output = (struct gw_overlay_output){.fd = -1};
}
