// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/console.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "console/dispatch.h"
#include "console/listen.h"
#include "console/server.h"
#include "console/session.h"
#include "console/static.h"
#include "core/error.h"

enum { HANDLES_READY = 4 }; // on the index; more are opened when they are needed

static char *copy(const char *text)
{
    char *result = strdup(text ? text : "");
    if (!result)
        abort();
    return result;
}

static void log_daemon(void *cls, const char *format, va_list values)
{
    const struct gw_console *console = cls;
    char line[512];

    vsnprintf(line, sizeof(line), format, values);
    line[strcspn(line, "\r\n")] = '\0';
    gw_log_debug(console->log, "%s", line);
}

static struct gw_console *create_console(const struct gw_console_config *config)
{
    struct gw_console *console = calloc(1, sizeof(*console));

    if (!console)
        return NULL;
    console->config = *config;
    console->log = config->log;
    console->listen = copy(config->listen);
    console->store = copy(config->store);
    console->division = copy(config->division);
    console->site_name = copy(config->site_name);
    console->web_root = gw_static_find_root(config->web_root);
    pthread_mutex_init(&console->throttle_lock, NULL);
    gw_plan_cache_init(&console->plans);
    gw_pool_init(&console->pool, console->store, console->division);
    gw_feed_init(&console->feed, 0);
    return console;
}

// Until the first notify the streams need to know where the index stands.
static int read_head(struct gw_console *console, char error[256])
{
    char index_error[GW_INDEX_ERROR_SIZE] = "";
    struct gw_index *index;
    int result = gw_pool_fill(&console->pool, HANDLES_READY, index_error);

    if (!result)
        result = gw_pool_take(&console->pool, &index, index_error);
    if (result < 0) {
        snprintf(error, 256, "%.255s", index_error);
        return result;
    }
    int64_t head = gw_index_head(index);
    if (head < 0)
        snprintf(error, 256, "cannot read the index: %.200s", gw_index_error(index));
    else
        gw_feed_advance(&console->feed, (uint64_t)head);
    gw_pool_give(&console->pool, &index);
    return head < 0 ? (int)head : 0;
}

// Its threads leave all signals to the threads that wait for them.
static int start_daemon(struct gw_console *console, int socket)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    console->daemon = MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
            MHD_USE_ITC | MHD_USE_ERROR_LOG,
        0, NULL, NULL, gw_dispatch_handle, console, MHD_OPTION_EXTERNAL_LOGGER, log_daemon, console,
        MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_NOTIFY_COMPLETED, gw_dispatch_completed,
        console, MHD_OPTION_CONNECTION_LIMIT, GW_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        GW_CONNECTIONS_PER_ADDRESS, MHD_OPTION_CONNECTION_TIMEOUT, GW_CONNECTION_TIMEOUT_S,
        MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (console->daemon)
        return 0;
    close(socket);
    return -ENOMEM;
}

static int start_listening(struct gw_console *console, char error[256])
{
    int socket = gw_listen_open(console->listen, error);

    if (socket < 0)
        return socket;
    gw_listen_address(console->listen, gw_listen_port(socket), console->address,
                      sizeof(console->address));
    int result = start_daemon(console, socket);
    if (result < 0)
        snprintf(error, 256, "cannot start the console on %.100s: %s", console->listen,
                 gw_strerror(result));
    return result;
}

int gw_console_create(struct gw_console **ret, const struct gw_console_config *config,
                      char error[256])
{
    if (sodium_init() < 0) {
        snprintf(error, 256, "no random numbers for sessions: libsodium does not start");
        return -EIO;
    }
    struct gw_console *console = create_console(config);
    if (!console)
        return -ENOMEM;
    int result = gw_console_db_open(&console->db, console->store, error);
    if (result == 0)
        result = read_head(console, error);
    if (result == 0)
        result = start_listening(console, error);
    if (result < 0) {
        gw_console_destroy(&console);
        return result;
    }
    if (!console->web_root)
        gw_log_warning(console->log, "the page is not installed; only the API answers on %s",
                       console->address);
    *ret = console;
    return 0;
}

void gw_console_destroy(struct gw_console **console)
{
    struct gw_console *self = *console;

    if (!self)
        return;
    gw_feed_stop(&self->feed); // first: the streams sleep in it, and stopping waits for them
    if (self->daemon)
        MHD_stop_daemon(self->daemon);
    gw_console_db_close(&self->db);
    gw_plan_cache_finish(&self->plans);
    gw_pool_finish(&self->pool);
    gw_feed_finish(&self->feed);
    pthread_mutex_destroy(&self->throttle_lock);
    free(self->listen);
    free(self->store);
    free(self->division);
    free(self->site_name);
    free(self->web_root);
    free(self);
    *console = NULL;
}

const char *gw_console_address(const struct gw_console *console)
{
    return console->address;
}

void gw_console_notify(struct gw_console *console, uint64_t head)
{
    gw_feed_advance(&console->feed, head);
}

int gw_console_make_login(const char *store, int64_t valid_us, char code[GW_LOGIN_CODE_SIZE])
{
    struct gw_console_db db = {0};
    char error[256];
    int64_t now_us = gw_wall_us();

    if (sodium_init() < 0)
        return -EIO;
    int result = gw_console_db_open(&db, store, error);
    if (result < 0)
        return result;
    result = gw_console_session_make_code(&db, now_us, now_us + valid_us, code);
    gw_console_db_close(&db);
    return result;
}

char *gw_console_login_link(char buffer[GW_LOGIN_LINK_SIZE], const char *listen, const char *code)
{
    char host[GW_HOST_SIZE], address[192];
    int port = 0;

    gw_listen_split(listen, host, &port);
    gw_listen_address(listen, port, address, sizeof(address));
    snprintf(buffer, GW_LOGIN_LINK_SIZE, "%s/#/login/%s", address, code);
    return buffer;
}
