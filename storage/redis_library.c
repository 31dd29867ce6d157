// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The library of Redis functions: loaded when there is none there, or an older one. A newer one
// stays, and this program then has nothing to say to that Redis.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "storage/redis_internal.h"

// Counts up when the layout of keys or rows changes, or what functions take and give.
enum { VERSION = 1 };

// FNV-1a: tells apart two texts of one version.
static void digest(char ret[20])
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < gw_redis_functions_size; i++)
        hash = (hash ^ gw_redis_functions[i]) * UINT64_C(1099511628211);
    snprintf(ret, 20, "%016" PRIx64, hash);
}

// The library that is there: 0 when there is none, or an error.
static int read_version(struct gw_redis *redis, int64_t *ret, char ret_digest[20])
{
    struct gw_redis_command command = {0};
    redisReply *reply;

    *ret = 0;
    gw_redis_add(&command, "FCALL_RO");
    gw_redis_add(&command, "gw_version");
    gw_redis_add(&command, "0");
    int error = gw_redis_send(redis, &command);
    if (!error)
        error = gw_redis_receive(redis, &reply);
    gw_redis_command_finish(&command);
    if (error)
        return gw_redis_lacks_library(redis, error) ? 0 : error;
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
        reply->element[0]->type == REDIS_REPLY_INTEGER &&
        reply->element[1]->type == REDIS_REPLY_STRING) {
        *ret = reply->element[0]->integer;
        snprintf(ret_digest, 20, "%s", reply->element[1]->str);
    } else {
        error = gw_redis_odd(redis, "its function gw_version");
    }
    freeReplyObject(reply);
    return error;
}

static int load(struct gw_redis *redis, const char *own)
{
    struct gw_redis_command command = {0};
    redisReply *reply;
    char *source;

    if (asprintf(&source, "#!lua name=gridwatch\nlocal VERSION, DIGEST = %d, '%s'\n%.*s", VERSION,
                 own, (int)gw_redis_functions_size, (const char *)gw_redis_functions) < 0)
        abort();
    gw_redis_add(&command, "FUNCTION");
    gw_redis_add(&command, "LOAD");
    gw_redis_add(&command, "REPLACE");
    gw_redis_add_owned(&command, source);
    int error = gw_redis_send(redis, &command);
    if (!error)
        error = gw_redis_receive(redis, &reply);
    gw_redis_command_finish(&command);
    if (!error)
        freeReplyObject(reply);
    else if (error == GW_ERROR_INDEX && strstr(redis->error, "unknown command"))
        snprintf(redis->error, sizeof(redis->error),
                 "Redis at %s is older than 7.0 and has no functions; update it", redis->address);
    return error;
}

int gw_redis_load_library(struct gw_redis *redis)
{
    char own[20], theirs[20] = "";
    int64_t version;
    int error = read_version(redis, &version, theirs);

    digest(own);
    if (error == GW_ERROR_INDEX && strstr(redis->error, "unknown command"))
        error = version = 0; // load says it better
    if (error || (version == VERSION && !strcmp(own, theirs)))
        return error;
    if (version > VERSION) {
        snprintf(redis->error, sizeof(redis->error),
                 "Redis at %s is used by a newer gridwatch (its functions are of version %" PRId64
                 ", ours of %d); update this one",
                 redis->address, version, VERSION);
        return GW_ERROR_INDEX;
    }
    return load(redis, own);
}
