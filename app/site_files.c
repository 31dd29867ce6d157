// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/site_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/error.h"

// mkdir -p with mode 0700 for what it makes.
static int make_folder(const char *path)
{
    char partial[PATH_MAX];
    snprintf(partial, sizeof(partial), "%s", path);
    for (char *slash = partial + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        if (mkdir(partial, 0700) < 0 && errno != EEXIST)
            return -errno;
        *slash = '/';
    }
    if (mkdir(partial, 0700) < 0 && errno != EEXIST)
        return -errno;
    return access(partial, R_OK | W_OK | X_OK) < 0 ? -errno : 0;
}

int gw_site_lock(const char *store, int *ret_fd)
{
    char path[PATH_MAX + 8];
    snprintf(path, sizeof(path), "%s/lock", store);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        int error = errno == EWOULDBLOCK ? GW_ERROR_BUSY : -errno;
        close(fd);
        return error;
    }
    *ret_fd = fd;
    return 0;
}

// A socket's path must fit into sockaddr_un; a long store gets a private folder for it elsewhere.
static int place_socket(struct gw_site_files *files, const char *run_dir)
{
    if (strlen(run_dir) + strlen("/workers") < sizeof(((struct sockaddr_un *)0)->sun_path)) {
        snprintf(files->worker_endpoint, sizeof(files->worker_endpoint), "ipc://%s/workers",
                 run_dir);
        return 0;
    }
    strcpy(files->temporary, "/tmp/gridwatch-XXXXXX");
    if (!mkdtemp(files->temporary)) {
        files->temporary[0] = 0;
        return -errno;
    }
    snprintf(files->worker_endpoint, sizeof(files->worker_endpoint), "ipc://%s/workers",
             files->temporary);
    return 0;
}

int gw_site_files_init(struct gw_site_files *files, const struct gw_config *site, char error[512])
{
    char run_dir[PATH_MAX + 8];
    int result;

    *files = (struct gw_site_files){.lock_fd = -1};
    if (*site->run_dir)
        snprintf(run_dir, sizeof(run_dir), "%s", site->run_dir);
    else
        snprintf(run_dir, sizeof(run_dir), "%s/run", site->store);

    if ((result = make_folder(site->store)) < 0) {
        snprintf(error, 512,
                 "cannot use the store %s: %s; choose another with --store or \"store:\"",
                 site->store, gw_strerror(result));
    } else if ((result = gw_site_lock(site->store, &files->lock_fd)) == GW_ERROR_BUSY) {
        snprintf(error, 512,
                 "the store %s is in use by another gridwatch serve; stop that one or choose "
                 "another store",
                 site->store);
    } else if (result < 0) {
        snprintf(error, 512, "cannot lock the store %s: %s", site->store, gw_strerror(result));
    } else if ((result = make_folder(run_dir)) < 0 || (result = place_socket(files, run_dir)) < 0) {
        snprintf(error, 512,
                 "cannot use the folder for sockets %s: %s; choose another with \"run_dir:\"",
                 run_dir, gw_strerror(result));
    }
    if (result < 0)
        gw_site_files_finish(files);
    return result;
}

void gw_site_files_finish(struct gw_site_files *files)
{
    const char *path = files->worker_endpoint + strlen("ipc://");
    if (*files->worker_endpoint)
        unlink(path);
    if (*files->temporary)
        rmdir(files->temporary);
    if (files->lock_fd >= 0)
        close(files->lock_fd);
    files->lock_fd = -1;
}
