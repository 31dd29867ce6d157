// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A resolver for unit tests that hangs on request. Included by one source of a test program, it
// stands before the C library's getaddrinfo.
#pragma once

#include <dlfcn.h>
#include <netdb.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static sem_t release;                  // one post lets one hanging question go
static atomic_int asking, most_asking; // names that hang now, and at most

// Stands before the C library's. "slow.test" hangs until released, "there.test" is 127.0.0.1.
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret)
{
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (hints->ai_flags & AI_NUMERICHOST)
        return real(host, service, hints, ret);
    if (!strcmp(host, "slow.test")) {
        int now = atomic_fetch_add(&asking, 1) + 1;
        if (now > atomic_load(&most_asking))
            atomic_store(&most_asking, now);
        sem_wait(&release);
        atomic_fetch_sub(&asking, 1);
        host = "there.test";
    }
    return strcmp(host, "there.test") ? EAI_NONAME : real("127.0.0.1", service, hints, ret);
}

static void wait_until(atomic_int *number, int value)
{
    for (int i = 0; atomic_load(number) != value; i++, usleep(1000))
        if (i > 5000)
            fail_msg("it stays %d", atomic_load(number));
}

static void slow_names_init(void)
{
    sem_init(&release, 0, 0);
}
