// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The second half of the sandbox: system calls, by seccomp.

#include "app/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/sandbox_build.h"
#include "core/error.h"

// Every call here is harmless with any arguments for a process that has only the files and sockets
// of a worker. What needs a look at its arguments is below.
// clang-format off
static const char *const harmless[] = {
    // files
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "lseek", "open",
    "openat", "close", "close_range", "dup", "dup2", "dup3", "pipe", "pipe2", "stat", "lstat",
    "fstat", "newfstatat", "statx", "statfs", "fstatfs", "access", "faccessat", "faccessat2",
    "readlink", "readlinkat", "getcwd", "getdents64", "mkdir", "mkdirat", "rename", "renameat",
    "renameat2", "unlink", "unlinkat", "ftruncate", "fallocate", "fadvise64", "fsync", "fdatasync",
    "sync_file_range", "flock", "umask",
    // sockets that it was given
    "recvfrom", "shutdown", "getsockname", "getpeername", "getsockopt",
    // waiting
    "poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait",
    "epoll_pwait", "epoll_pwait2", "eventfd2", "timerfd_create", "timerfd_settime", "nanosleep",
    "clock_nanosleep", "restart_syscall",
    // memory
    "brk", "mmap", "munmap", "mremap", "mprotect", "madvise", "mincore", "mlock", "munlock",
    // threads and time
    "futex", "set_robust_list", "get_robust_list", "rseq", "set_tid_address", "membarrier",
    "sched_yield", "sched_getaffinity", "sched_setaffinity", "sched_getparam", "sched_getscheduler",
    "sched_get_priority_max", "sched_get_priority_min", "getcpu", "gettid", "getpid", "getppid",
    "exit", "exit_group", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
    "clock_gettime", "clock_getres", "gettimeofday", "time", "times", "getrusage", "arch_prctl",
    // about itself and the system
    "getuid", "geteuid", "getgid", "getegid", "getrlimit", "uname", "sysinfo", "getrandom",
};
// clang-format on

// For a process that has no door.
static const char *const networking[] = {"socket",  "socketpair", "connect", "bind",
                                         "sendmsg", "sendmmsg",   "recvmsg", "recvmmsg"};

// LeakSanitizer stops all threads at exit, from a process of its own.
static const char *const sanitizing[] = {
    "getdents",           "clone",       "ptrace",          "wait4", "prctl", "kill", "tgkill",
    "sched_setscheduler", "personality", "process_vm_readv"};

struct checked {
    const char *call;
    unsigned argument;
    uint64_t value;
};

// clang-format off
static const struct checked checked[] = {
    {"sendto", 4, 0},         // only where the socket is connected to
    {"prctl", 0, PR_SET_NAME},
    {"prctl", 0, PR_GET_NAME},
    {"prctl", 0, PR_SET_VMA}, // the C library names its memory
    {"prlimit64", 0, 0},      // its own
    {"fcntl", 1, F_GETFD},
    {"fcntl", 1, F_SETFD},
    {"fcntl", 1, F_GETFL},
    {"fcntl", 1, F_SETFL},
    {"fcntl", 1, F_DUPFD_CLOEXEC},
    {"ioctl", 1, FIONBIO},
    {"ioctl", 1, FIONREAD},
    {"ioctl", 1, TCGETS},     // isatty
};
// clang-format on

// Level and name of the socket options that may be set.
static const int options[][2] = {
    {SOL_SOCKET, SO_RCVBUF},         {SOL_SOCKET, SO_SNDBUF},     {SOL_SOCKET, SO_KEEPALIVE},
    {SOL_SOCKET, SO_RCVTIMEO},       {SOL_SOCKET, SO_SNDTIMEO},   {SOL_SOCKET, SO_RCVLOWAT},
    {SOL_SOCKET, SO_LINGER},         {SOL_SOCKET, SO_TIMESTAMP},  {SOL_SOCKET, SO_TIMESTAMPNS},
    {SOL_SOCKET, SO_RXQ_OVFL},       {IPPROTO_TCP, TCP_NODELAY},  {IPPROTO_TCP, TCP_QUICKACK},
    {IPPROTO_TCP, TCP_USER_TIMEOUT}, {IPPROTO_TCP, TCP_KEEPIDLE}, {IPPROTO_TCP, TCP_KEEPINTVL},
    {IPPROTO_TCP, TCP_KEEPCNT},
};

// Not every processor has every call by every name; one that is not there is not missed.
static int permit(scmp_filter_ctx filter, const char *call, unsigned count,
                  const struct scmp_arg_cmp *arguments)
{
    int number = seccomp_syscall_resolve_name(call);
    return number < 0 ? 0
                      : seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, count, arguments);
}

static int permit_names(scmp_filter_ctx filter, const char *const *names, size_t count)
{
    int error = 0;
    for (size_t i = 0; !error && i < count; i++)
        error = permit(filter, names[i], 0, NULL);
    return error;
}

// Threads of this process, and no processes. The flags of clone3 lie where a filter cannot look;
// the C library then takes clone.
static int permit_threads(scmp_filter_ctx filter)
{
    const uint64_t flags = CLONE_THREAD | CLONE_VM | CLONE_SIGHAND;
    const struct scmp_arg_cmp argument = SCMP_A0(SCMP_CMP_MASKED_EQ, flags, flags);
    int clone3 = seccomp_syscall_resolve_name("clone3");
    int error = clone3 < 0 ? 0 : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), clone3, 0);
    return error ? error : permit(filter, "clone", 1, &argument);
}

static int permit_options(scmp_filter_ctx filter)
{
    int error = 0;
    for (size_t i = 0; !error && i < COUNT(options); i++) {
        const struct scmp_arg_cmp arguments[] = {SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)options[i][0]),
                                                 SCMP_A2(SCMP_CMP_EQ, (scmp_datum_t)options[i][1])};
        error = permit(filter, "setsockopt", 2, arguments);
    }
    return error;
}

static int permit_checked(scmp_filter_ctx filter, const struct gw_sandbox_config *config)
{
    // abort() and the like; nobody else.
    const struct scmp_arg_cmp self = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid());
    const struct scmp_arg_cmp door = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)config->door_fd);
    int error = permit(filter, "tgkill", 1, &self);

    for (size_t i = 0; !error && i < COUNT(checked); i++) {
        const struct scmp_arg_cmp argument =
            SCMP_CMP(checked[i].argument, SCMP_CMP_EQ, checked[i].value);
        error = permit(filter, checked[i].call, 1, &argument);
    }
    if (!error && config->door_fd >= 0)
        error = permit(filter, "recvmsg", 1, &door);
    return error;
}

static int fill(scmp_filter_ctx filter, const struct gw_sandbox_config *config)
{
    int error = permit_names(filter, harmless, COUNT(harmless));
    if (!error)
        error = permit_threads(filter);
    if (!error)
        error = permit_options(filter);
    if (!error)
        error = permit_checked(filter, config);
    if (!error && config->sockets) {
        error = permit_names(filter, networking, COUNT(networking));
        if (!error)
            error = permit(filter, "setsockopt", 0, NULL);
        if (!error)
            error = permit(filter, "sendto", 0, NULL);
        if (!error)
            error = permit(filter, "ioctl", 0, NULL);
    }
    if (!error && SANITIZED)
        error = permit_names(filter, sanitizing, COUNT(sanitizing));
    return error;
}

static int restrict_calls(const struct gw_sandbox_config *config)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter)
        return -ENOMEM;
    int error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    // Decoding would pay for a protection that concerns programs of others in the same process.
    if (!error)
        error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
    // A few comparisons for each call instead of a hundred.
    if (!error)
        error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (!error)
        error = fill(filter, config);
    if (!error)
        error = seccomp_load(filter);
    seccomp_release(filter);
    return error;
}

int gw_sandbox_calls(const struct gw_sandbox_config *config)
{
    int error = restrict_calls(config);
    if (error)
        gw_log_warning(config->log,
                       "system calls of this worker are not restricted: seccomp: %s; a kernel with "
                       "seccomp filters would do that",
                       gw_strerror(error));
    else if (config->sockets)
        gw_log_info(config->log, "this worker makes its own connections, so it may connect to "
                                 "anything");
    return error;
}
