// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A connection to Redis: one thread's, every call with a limit of time. What fails is told in words
// that name the address, never the password.

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "storage/redis_internal.h"

#define PASSWORD_SIZE 512

// --- addresses -----------------------------------------------------------------------------------

// "127.0.0.1:6379" or "[::1]:6379". Returns false when it is none, or not loopback.
static bool parse_loopback(const char *text, char host[64], int *ret_port)
{
    struct in_addr v4;
    const char *colon = strrchr(text, ':');
    char *end;

    if (!colon || colon == text || (size_t)(colon - text) >= 64)
        return false;
    snprintf(host, 64, "%.*s", (int)(colon - text), text);
    const long port = strtol(colon + 1, &end, 10);
    if (end == colon + 1 || *end || port < 1 || port > 65535)
        return false;
    *ret_port = (int)port;
    if (!strcmp(host, "[::1]")) {
        strcpy(host, "::1");
        return true;
    }
    return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

bool gw_index_redis_address_valid(const char *address, char problem[160])
{
    char host[64];
    int port;

    if (!strncmp(address, "unix:/", 6)) {
        if (strlen(address + 5) < 108)
            return true;
        snprintf(problem, 160, "a socket's path is at most 107 characters long");
        return false;
    }
    if (!strncmp(address, "tcp://", 6) && parse_loopback(address + 6, host, &port))
        return true;
    snprintf(problem, 160,
             "\"%.40s\" is no address of a Redis; write unix:/run/redis/redis.sock, or "
             "tcp://127.0.0.1:6379 (loopback only: nothing is encrypted)",
             address);
    return false;
}

// --- failures ------------------------------------------------------------------------------------

void gw_redis_disconnect(struct gw_redis *redis)
{
    if (redis->context)
        redisFree(redis->context);
    redis->context = NULL;
    gw_redis_forget_taken(redis);
}

static int fail_connection(struct gw_redis *redis)
{
    const redisContext *context = redis->context;
    const bool late = context->err == REDIS_ERR_IO && errno == EAGAIN;

    snprintf(redis->error, sizeof(redis->error), "Redis at %s: %s", redis->address,
             late ? "no answer in time" : context->errstr);
    gw_redis_disconnect(redis);
    return -ENOTCONN;
}

int gw_redis_odd(struct gw_redis *redis, const char *what)
{
    snprintf(redis->error, sizeof(redis->error),
             "Redis at %s: %s holds what no gridwatch wrote; is it shared with another program?",
             redis->address, what);
    return GW_ERROR_INDEX;
}

static bool begins(const redisReply *reply, const char *word)
{
    return !strncmp(reply->str, word, strlen(word));
}

// What an error that Redis answered is for us.
static int fail_reply(struct gw_redis *redis, const redisReply *reply)
{
    snprintf(redis->error, sizeof(redis->error), "Redis at %s: %s", redis->address, reply->str);
    if (begins(reply, "NOAUTH") || begins(reply, "WRONGPASS") || begins(reply, "ERR AUTH"))
        return GW_ERROR_UNAUTHORIZED;
    if (begins(reply, "LOADING") || begins(reply, "MASTERDOWN"))
        return -ENOTCONN;
    return begins(reply, "DAYS") ? GW_ERROR_LAPPED : GW_ERROR_INDEX;
}

// --- commands ------------------------------------------------------------------------------------

static void *grown(void *list, int count, int *room, size_t size)
{
    if (count < *room)
        return list;
    *room = *room ? 2 * *room : 64;
    list = realloc(list, (size_t)*room * size);
    if (!list)
        abort();
    return list;
}

void gw_redis_add_bytes(struct gw_redis_command *command, const void *bytes, size_t length)
{
    int room = command->room;

    command->words = grown(command->words, command->count, &room, sizeof(*command->words));
    command->lengths =
        grown(command->lengths, command->count, &command->room, sizeof(*command->lengths));
    command->words[command->count] = bytes;
    command->lengths[command->count++] = length;
}

void gw_redis_add(struct gw_redis_command *command, const char *text)
{
    gw_redis_add_bytes(command, text, strlen(text));
}

void gw_redis_add_owned_bytes(struct gw_redis_command *command, char *bytes, size_t length)
{
    command->owned =
        grown(command->owned, command->owned_count, &command->owned_room, sizeof(*command->owned));
    command->owned[command->owned_count++] = bytes;
    gw_redis_add_bytes(command, bytes, length);
}

void gw_redis_add_owned(struct gw_redis_command *command, char *text)
{
    if (!text)
        abort();
    gw_redis_add_owned_bytes(command, text, strlen(text));
}

void gw_redis_add_integer(struct gw_redis_command *command, int64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, value);
    gw_redis_add_owned(command, strdup(text));
}

void gw_redis_add_call(struct gw_redis_command *command, const char *how, const char *function,
                       const struct gw_redis *redis)
{
    gw_redis_add(command, how);
    gw_redis_add(command, function);
    gw_redis_add(command, "1");
    gw_redis_add(command, redis->node);
}

void gw_redis_command_finish(struct gw_redis_command *command)
{
    for (int i = 0; i < command->owned_count; i++)
        free(command->owned[i]);
    free(command->owned);
    free(command->words);
    free(command->lengths);
    *command = (struct gw_redis_command){0};
}

char *gw_redis_key(const struct gw_redis *redis, char buffer[GW_REDIS_KEY_SIZE], const char *format,
                   ...)
{
    va_list arguments;
    int used = snprintf(buffer, GW_REDIS_KEY_SIZE, "%s:", redis->node);

    va_start(arguments, format);
    vsnprintf(buffer + used, (size_t)(GW_REDIS_KEY_SIZE - used), format, arguments);
    va_end(arguments);
    return buffer;
}

int gw_redis_send(struct gw_redis *redis, const struct gw_redis_command *command)
{
    if (redisAppendCommandArgv(redis->context, command->count, command->words, command->lengths) ==
        REDIS_OK)
        return 0;
    return fail_connection(redis);
}

int gw_redis_receive(struct gw_redis *redis, redisReply **ret)
{
    void *reply;

    if (redisGetReply(redis->context, &reply) != REDIS_OK)
        return fail_connection(redis);
    *ret = reply;
    if ((*ret)->type != REDIS_REPLY_ERROR)
        return 0;
    const int error = fail_reply(redis, *ret);
    freeReplyObject(reply);
    return error;
}

static int exchange(struct gw_redis *redis, const struct gw_redis_command *command,
                    redisReply **ret)
{
    int error = gw_redis_send(redis, command);
    return error ? error : gw_redis_receive(redis, ret);
}

bool gw_redis_lacks_library(const struct gw_redis *redis, int error)
{
    return error == GW_ERROR_INDEX && strstr(redis->error, "Function not found");
}

int gw_redis_run(struct gw_redis *redis, const struct gw_redis_command *command, redisReply **ret)
{
    int error = gw_redis_connect(redis);

    assert(!redis->waiting);
    if (!error)
        error = exchange(redis, command, ret);
    if (gw_redis_lacks_library(redis, error)) { // it alone: the data may be as it was
        error = gw_redis_load_library(redis);
        if (!error)
            error = exchange(redis, command, ret);
    }
    return error;
}

// --- connecting ----------------------------------------------------------------------------------

static struct timeval time_of(int64_t us)
{
    return (struct timeval){.tv_sec = us / GW_SECOND, .tv_usec = us % GW_SECOND};
}

static redisContext *dial(const char *address)
{
    char host[64];
    int port;

    if (!strncmp(address, "unix:", 5))
        return redisConnectUnixWithTimeout(address + 5, time_of(GW_REDIS_CONNECT_US));
    if (!parse_loopback(address + strlen("tcp://"), host, &port))
        return NULL;
    return redisConnectWithTimeout(host, port, time_of(GW_REDIS_CONNECT_US));
}

static int read_password(struct gw_redis *redis, char ret[PASSWORD_SIZE])
{
    FILE *file = fopen(redis->password_file, "re");

    if (!file || !fgets(ret, PASSWORD_SIZE, file)) {
        snprintf(redis->error, sizeof(redis->error),
                 "cannot read the password for Redis from %s: %s", redis->password_file,
                 file ? "it is empty" : strerror(errno));
        if (file)
            fclose(file);
        return GW_ERROR_UNAUTHORIZED;
    }
    fclose(file);
    ret[strcspn(ret, "\r\n")] = 0;
    return 0;
}

static int log_in(struct gw_redis *redis)
{
    char password[PASSWORD_SIZE];
    struct gw_redis_command command = {0};
    redisReply *reply;

    if (!*redis->password_file)
        return 0;
    int error = read_password(redis, password);
    if (error)
        return error;
    gw_redis_add(&command, "AUTH");
    gw_redis_add(&command, password);
    error = exchange(redis, &command, &reply);
    if (!error)
        freeReplyObject(reply);
    else if (error == GW_ERROR_INDEX) // whatever it says of a password, it does not let us in
        error = GW_ERROR_UNAUTHORIZED;
    gw_redis_command_finish(&command);
    explicit_bzero(password, sizeof(password));
    return error;
}

// A number of INFO, such as "maxmemory:0"; a word with its end. Returns NULL when it is not there.
static const char *info_of(const char *info, const char *name)
{
    const char *found = strstr(info, name);
    return found ? found + strlen(name) : NULL;
}

// A Redis that may throw rows away on its own would answer wrongly.
static int check_eviction(struct gw_redis *redis)
{
    struct gw_redis_command command = {0};
    redisReply *reply;

    gw_redis_add(&command, "INFO");
    gw_redis_add(&command, "memory");
    int error = exchange(redis, &command, &reply);
    gw_redis_command_finish(&command);
    if (error)
        return error;
    if (reply->type == REDIS_REPLY_STRING) {
        const char *most = info_of(reply->str, "\nmaxmemory:"),
                   *policy = info_of(reply->str, "\nmaxmemory_policy:");
        if (most && policy && *most != '0' && strncmp(policy, "noeviction", 10) != 0) {
            snprintf(redis->error, sizeof(redis->error),
                     "Redis at %s may throw rows away when it is full (maxmemory-policy %.*s); set "
                     "it to noeviction",
                     redis->address, (int)strcspn(policy, "\r\n"), policy);
            error = GW_ERROR_INDEX;
        }
    }
    freeReplyObject(reply);
    return error;
}

int gw_redis_connect(struct gw_redis *redis)
{
    if (redis->context)
        return 0;
    redis->context = dial(redis->address);
    if (!redis->context) {
        snprintf(redis->error, sizeof(redis->error), "Redis at %s: no memory", redis->address);
        return -ENOTCONN;
    }
    if (redis->context->err)
        return fail_connection(redis);
    fcntl(redis->context->fd, F_SETFD, FD_CLOEXEC); // workers that are started have no use for it
    if (redisSetTimeout(redis->context, time_of(GW_REDIS_TIMEOUT_US)) != REDIS_OK)
        return fail_connection(redis);
    *redis->places_known = 0;
    int error = log_in(redis);
    if (!error)
        error = check_eviction(redis);
    if (!error)
        error = gw_redis_load_library(redis);
    if (error)
        gw_redis_disconnect(redis);
    return error;
}
