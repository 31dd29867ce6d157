// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the redis_*.c files share. Private to storage/.
//
//   redis_connection.c  connect, commands, answers
//   redis_library.c     the Redis functions, and how they get there (redis_functions.lua)
//   redis_row.c         one row to and from its bytes
//   redis_change.c      facts to the words of a call
//   redis_take.c        facts in, and what is taken
//   redis_places.c      where cameras were
//   redis_query.c       events, clips and gaps by place and time
//   redis_counts.c      how many, by day and cell
//   redis_engine.c      open, clear, the engine's table of functions
#pragma once

#include <hiredis/hiredis.h>

#include "storage/index_internal.h"
#include "storage/index_redis.h"

#define GW_REDIS_KEY_SIZE 160

struct gw_redis {
    struct redisContext *context; // NULL: not connected
    char *address, *password_file;
    char county[8]; // the hash tag: 6 digits, or "site"
    char epoch[20]; // in hexadecimal
    char node[48];  // what every key of this epoch begins with
    char nodes[32]; // the key with what is taken of each epoch
    int64_t day_offset_us;
    int64_t taken; // as last heard; -1: not known
    int64_t sent;  // what it will be when every answer is as expected; -1: not known
    int waiting;   // answers to what was sent
    uint8_t *told; // by place number: whether Redis knows it
    int64_t told_room;

    char clearing[32];             // where SCAN goes on; "": it is not being cleared
    int64_t budget;                // entries that one call of a query looks at
    char places_known[24];         // how many places there were when they were read; "": never
    struct gw_index_place *places; // by number
    int64_t place_count;           // number of the last one, + 1
    char error[GW_INDEX_ERROR_SIZE];
};

// --- connection ----------------------------------------------------------------------------------

// Connects if it is not. Returns 0, -ENOTCONN, GW_ERROR_UNAUTHORIZED, or GW_ERROR_INDEX.
int gw_redis_connect(struct gw_redis *redis);
void gw_redis_disconnect(struct gw_redis *redis);

// The words of one command. Those that are borrowed must live until it is sent.
struct gw_redis_command {
    const char **words;
    size_t *lengths;
    char **owned; // words that are freed with the command
    int count, room, owned_count, owned_room;
};
void gw_redis_add(struct gw_redis_command *command, const char *text); // borrows
void gw_redis_add_bytes(struct gw_redis_command *command, const void *bytes, size_t length);
void gw_redis_add_integer(struct gw_redis_command *command, int64_t value);
// Take what malloc gave.
void gw_redis_add_owned(struct gw_redis_command *command, char *text);
void gw_redis_add_owned_bytes(struct gw_redis_command *command, char *bytes, size_t length);
// Begins with a call of a Redis function: its name, and the node's key.
void gw_redis_add_call(struct gw_redis_command *command, const char *how, const char *function,
                       const struct gw_redis *redis);
void gw_redis_command_finish(struct gw_redis_command *command);

// Connects if need be, sends, and waits; not while other answers are awaited. Returns 0 with an
// answer for freeReplyObject, or an error.
int gw_redis_run(struct gw_redis *redis, const struct gw_redis_command *command,
                 struct redisReply **ret);
// The same on a connection that is there.
int gw_redis_send(struct gw_redis *redis, const struct gw_redis_command *command);
int gw_redis_receive(struct gw_redis *redis, struct redisReply **ret);
// Whether an error is that somebody removed the functions under us; connecting loads them again.
bool gw_redis_lacks_library(const struct gw_redis *redis, int error);
// For what Redis answered that it never should.
int gw_redis_odd(struct gw_redis *redis, const char *what);

// Brings the library there up to date. Returns 0 or an error.
int gw_redis_load_library(struct gw_redis *redis);
// The text of the library: source and length, from redis_functions.lua.
extern const unsigned char gw_redis_functions[];
extern const size_t gw_redis_functions_size;

// "gw:{640323}:<epoch>:<rest>". Returns buffer.
char *gw_redis_key(const struct gw_redis *redis, char buffer[GW_REDIS_KEY_SIZE], const char *format,
                   ...) __attribute__((format(printf, 3, 4)));

// --- rows ----------------------------------------------------------------------------------------

extern const char *const gw_redis_noun_names[]; // "event", "clip", "gap"

#define GW_REDIS_ROW_SIZE 512
// Whether the row goes on, and so on, as docs/ref/redis.md says. Return the length.
size_t gw_redis_pack_event(uint8_t ret[GW_REDIS_ROW_SIZE], const struct gw_event *event,
                           int64_t place);
size_t gw_redis_pack_clip(uint8_t ret[GW_REDIS_ROW_SIZE], const struct gw_clip *clip,
                          int64_t place);
size_t gw_redis_pack_gap(uint8_t ret[GW_REDIS_ROW_SIZE], const struct gw_gap *gap, int64_t place);
// All but id, camera and place. Return the place's number, or GW_ERROR_INVALID.
int64_t gw_redis_unpack_event(const void *bytes, size_t size, struct gw_event *ret);
int64_t gw_redis_unpack_clip(const void *bytes, size_t size, struct gw_clip *ret);
int64_t gw_redis_unpack_gap(const void *bytes, size_t size, struct gw_gap *ret);

// --- facts, places, queries ----------------------------------------------------------------------

// What is taken: 0 when there is nothing, GW_ERROR_LAPPED when it must be cleared, or an error.
int64_t gw_redis_taken(void *self);
int gw_redis_take(void *self, const struct gw_committed_fact *facts, int count);
// Sends the call of gw_take for facts that follow what was sent. Returns 0, or an error.
int gw_redis_send_take(struct gw_redis *redis, const struct gw_committed_fact *facts, int count);
// Forgets what was heard of what Redis has.
void gw_redis_forget_taken(struct gw_redis *redis);

// Reads all places again. Returns 0 or an error.
int gw_redis_load_places(struct gw_redis *redis);
void gw_redis_forget_places(struct gw_redis *redis);

int gw_redis_events(void *self, const struct gw_query *query, struct gw_event_row *rows,
                    char ret_cursor[64]);
int gw_redis_clips(void *self, const struct gw_query *query, struct gw_clip_row *rows,
                   char ret_cursor[64]);
int gw_redis_gaps(void *self, const struct gw_query *query, struct gw_gap_row *rows,
                  char ret_cursor[64]);
int gw_redis_event(void *self, const struct gw_id *id, struct gw_event_row *ret);
int gw_redis_clip(void *self, const struct gw_id *id, struct gw_clip_row *ret);
int gw_redis_gap(void *self, const struct gw_id *id, struct gw_gap_row *ret);
int gw_redis_places(void *self, const struct gw_query *query, struct gw_placed *rows, int limit);
int gw_redis_count_days(void *self, enum gw_noun noun, const struct gw_query *query,
                        struct gw_day_count *rows, int limit);
int gw_redis_count_cells(void *self, enum gw_noun noun, const struct gw_query *query,
                         struct gw_cell_count *rows, int limit);
