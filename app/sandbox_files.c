// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The first half of the sandbox: files, by Landlock.

#include "app/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/landlock.h>

#include "app/sandbox_build.h"
#include "core/error.h"
#include "storage/media.h"

// What the kernel's header may be too old to name. A kernel that does not know a right is not asked
// for it; see rights_of().
#define FS_TRUNCATE  (UINT64_C(1) << 14) // since version 3
#define FS_IOCTL_DEV (UINT64_C(1) << 15) // since version 5
#define NET_BIND     (UINT64_C(1) << 0)  // since version 4, as is the next one
#define NET_CONNECT  (UINT64_C(1) << 1)
#define SCOPE_SOCKET (UINT64_C(1) << 0) // since version 6, as is the next one
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

struct ruleset {
    uint64_t files, net, scoped;
};

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
// No links, devices or sockets, no programs, and folders stay.
#define WRITE                                                                                      \
    (READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |                       \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR | FS_TRUNCATE)
// The rights that make sense for a path that is no folder.
#define OF_A_FILE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)

// Libraries that are loaded later, certificates, what the C library asks the kernel for.
static const char *const readable[] = {
    "/usr/lib",       "/usr/lib32",    "/usr/lib64",
    "/usr/local/lib", "/usr/share",    "/usr/local/share",
    "/lib",           "/lib64",        "/etc/ld.so.cache",
    "/etc/ssl",       "/etc/pki",      "/etc/gnutls",
    "/etc/localtime", "/dev/urandom",  "/dev/random",
    "/proc/self",     "/proc/stat",    "/proc/sys/vm/overcommit_memory",
    "/proc/cpuinfo",  "/proc/meminfo", "/sys/devices/system/cpu",
};
// For a process that asks for names.
static const char *const readable_for_names[] = {
    "/etc/hosts",    "/etc/resolv.conf", "/etc/nsswitch.conf",   "/etc/host.conf",
    "/etc/gai.conf", "/etc/services",    "/run/systemd/resolve",
};

// All rights that a kernel of this version can take away.
static struct ruleset rights_of(int version, bool sockets)
{
    struct ruleset rights = {.files = (UINT64_C(1) << 13) - 1};
    if (version >= 2)
        rights.files |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3)
        rights.files |= FS_TRUNCATE;
    if (version >= 4 && !sockets)
        rights.net = NET_BIND | NET_CONNECT;
    if (version >= 5)
        rights.files |= FS_IOCTL_DEV;
    if (version >= 6)
        rights.scoped = SCOPE_SOCKET | SCOPE_SIGNAL;
    return rights;
}

static int allow(int ruleset, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access};
    struct stat about;
    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return -errno;
    if (fstat(rule.parent_fd, &about) == 0 && !S_ISDIR(about.st_mode))
        rule.allowed_access &= OF_A_FILE;
    int result = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    result = result < 0 ? -errno : 0;
    close(rule.parent_fd);
    return result;
}

// What is not there needs no rule.
static int allow_reading(int ruleset, const char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int error = allow(ruleset, paths[i], READ);
        if (error && error != -ENOENT && error != -EACCES)
            return error;
    }
    return 0;
}

static int add_rules(int ruleset, const struct gw_sandbox_config *config, uint64_t known)
{
    char media[PATH_MAX];
    snprintf(media, sizeof(media), "%s/media", config->store);
    int error = allow(ruleset, media, (config->reads_only ? READ : WRITE) & known);
    if (!error)
        error = allow_reading(ruleset, readable, COUNT(readable));
    if (!error && config->sockets)
        error = allow_reading(ruleset, readable_for_names, COUNT(readable_for_names));
    if (!error && SANITIZED) // a finding names the lines of the program
        error = allow(ruleset, "/proc/self/exe", READ);
    return error;
}

static int restrict_files(const struct gw_sandbox_config *config)
{
    int version =
        (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1)
        return -errno;
    struct ruleset rights = rights_of(version, config->sockets);
    // An older kernel takes a larger struct as long as what it does not know is 0.
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rights, sizeof(rights), 0);
    if (ruleset < 0)
        return -errno;
    int error = add_rules(ruleset, config, rights.files);
    if (!error && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
        error = -errno;
    close(ruleset);
    return error;
}

static int forbid_core_dumps(void)
{
    // 1, not 0: with 0 a program that collects core dumps (core_pattern "|…") still gets one.
    const struct rlimit limit = {1, 1};
    return setrlimit(RLIMIT_CORE, &limit) < 0 ? -errno : 0;
}

int gw_sandbox_files(const struct gw_sandbox_config *config)
{
    int error = config->reads_only ? 0 : gw_media_make_folders(config->store, "media/.");
    if (!error)
        error = forbid_core_dumps();
    if (!error && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        error = -errno;
    if (error) {
        gw_log_error(config->log, "cannot prepare the worker's sandbox in %s: %s", config->store,
                     gw_strerror(error));
        return error;
    }
    error = restrict_files(config);
    if (error)
        gw_log_warning(config->log,
                       "files beside the media folder are not closed to this worker: Landlock: %s; "
                       "a kernel of 5.13 or later that has it on (lsm=landlock,…) would do that",
                       gw_strerror(error));
    return error;
}
