// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/sse.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/server.h"
#include "core/error.h"

#define BATCH         200              // facts per read of the index
#define TICK_US       GW_SECOND        // how soon we notice that the client has gone
#define KEEP_ALIVE_US (15 * GW_SECOND) // a comment, so that proxies keep the connection
#define BLOCK_SIZE    16384

struct stream {
    struct gw_console *console;
    int socket; // only to see whether the client has gone
    struct gw_console_session session;
    uint64_t since;                 // number of the last fact taken
    uint64_t revocations;           // sessions ended when we last checked ours
    int64_t checked_us, written_us; // mono; when we last checked our session, and wrote
    char *text;                     // waiting to be sent; NULL for nothing
    size_t size, sent;
};

// data may hold line ends only between its tokens, where a space is as good.
static void write_line(FILE *out, const char *text)
{
    for (; *text; text++)
        putc(*text == '\n' || *text == '\r' ? ' ' : *text, out);
}

struct batch {
    FILE *out;
    uint64_t last;
};

static int write_fact(void *opaque, const struct gw_committed_fact *fact)
{
    struct batch *batch = opaque;

    fprintf(batch->out,
            "id: %" PRIu64 "\nevent: %s\ndata: {\"seq\":%" PRIu64
            ",\"kind\":\"%s\",\"wall_us\":%" PRId64 ",\"camera\":\"%s\",\"data\":",
            fact->seq, fact->kind, fact->seq, fact->kind, fact->wall_us, fact->camera);
    write_line(batch->out, fact->data);
    fputs("}\n\n", batch->out);
    batch->last = fact->seq;
    return 0;
}

static int read_facts(struct stream *stream, struct batch *batch)
{
    char error[GW_INDEX_ERROR_SIZE] = "";
    struct gw_index *index;
    int result = gw_pool_take(&stream->console->pool, &index, error);

    if (result < 0) {
        gw_log_error(stream->console->log, "%s", error);
        return result;
    }
    result = gw_index_facts(index, stream->since, BATCH, write_fact, batch);
    if (result < 0)
        gw_log_error(stream->console->log, "cannot read facts: %s", gw_index_error(index));
    gw_pool_give(&stream->console->pool, &index);
    return result;
}

static bool set_text(struct stream *stream, FILE *out)
{
    stream->sent = 0;
    stream->written_us = gw_mono_us();
    return fclose(out) == 0;
}

// The next facts become text. Returns false when that failed: the client comes back and goes on.
static bool take_facts(struct stream *stream, uint64_t head)
{
    struct batch batch = {.out = open_memstream(&stream->text, &stream->size), .last = head};

    if (!batch.out)
        return false;
    int result = read_facts(stream, &batch);
    stream->since = batch.last;
    return set_text(stream, batch.out) && result >= 0;
}

static bool say(struct stream *stream, const char *words)
{
    FILE *out = open_memstream(&stream->text, &stream->size);
    if (!out)
        return false;
    fputs(words, out);
    return set_text(stream, out);
}

static bool client_has_gone(const struct stream *stream)
{
    struct pollfd poll_fd = {.fd = stream->socket, .events = POLLRDHUP};
    return poll(&poll_fd, 1, 0) > 0 && poll_fd.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL);
}

// Another process may end sessions too, so time alone is a reason to look again.
static bool session_has_ended(struct stream *stream, uint64_t revocations)
{
    int64_t now_us = gw_mono_us();

    if (revocations == stream->revocations && now_us - stream->checked_us < KEEP_ALIVE_US)
        return gw_wall_us() >= stream->session.expires_us;
    stream->revocations = revocations;
    stream->checked_us = now_us;
    return gw_console_session_check(&stream->console->db, stream->session.id, gw_wall_us()) < 0;
}

// Waits for the next text to send. Returns false when the stream is over.
static bool next_text(struct stream *stream)
{
    while (stream->size == stream->sent) {
        free(stream->text);
        stream->text = NULL;
        stream->size = stream->sent = 0;
        struct gw_feed_view view =
            gw_feed_wait(&stream->console->feed, stream->since, stream->revocations, TICK_US);
        if (view.stopping || session_has_ended(stream, view.revocations) || client_has_gone(stream))
            return false;
        if (view.head > stream->since) {
            if (!take_facts(stream, view.head))
                return false;
        } else if (gw_mono_us() - stream->written_us >= KEEP_ALIVE_US) {
            if (!say(stream, ": still here\n\n"))
                return false;
        }
    }
    return true;
}

static ssize_t read_stream(void *cls, uint64_t position, char *buffer, size_t room)
{
    struct stream *stream = cls;

    if (!next_text(stream))
        return MHD_CONTENT_READER_END_OF_STREAM;
    size_t count = stream->size - stream->sent < room ? stream->size - stream->sent : room;
    memcpy(buffer, stream->text + stream->sent, count);
    stream->sent += count;
    return (ssize_t)count;
}

static void end_stream(void *cls)
{
    struct stream *stream = cls;

    gw_feed_leave(&stream->console->feed);
    free(stream->text);
    free(stream);
}

static struct stream *create_stream(const struct gw_request *request, uint64_t since)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct stream *stream = calloc(1, sizeof(*stream));

    if (!stream)
        return NULL;
    stream->console = request->console;
    stream->socket = info->connect_fd;
    stream->session = request->session;
    stream->since = since;
    // First of all a word, so that the headers leave at once.
    if (say(stream, "retry: 2000\n\n"))
        return stream;
    free(stream->text);
    free(stream);
    return NULL;
}

// A stream without its body. libmicrohttpd would end the body that there is not, and the client
// would take that for the beginning of its next answer.
static enum MHD_Result reply_head(struct gw_request *request)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);

    gw_response_header(response, "Content-Type", "text/event-stream");
    return gw_reply(request, 200, response);
}

enum MHD_Result gw_sse_reply(struct gw_request *request, uint64_t since)
{
    struct gw_feed *feed = &request->console->feed;

    if (request->head)
        return reply_head(request);
    if (!gw_feed_enter(feed, GW_STREAMS))
        return gw_reply_problem(request, 503, "%d event streams are open already; close some pages",
                                GW_STREAMS);
    struct stream *stream = create_stream(request, since);
    struct MHD_Response *response =
        stream ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE, read_stream,
                                                   stream, end_stream)
               : NULL;
    if (!response) {
        if (stream)
            end_stream(stream);
        else
            gw_feed_leave(feed);
        return MHD_NO;
    }
    gw_response_header(response, "Content-Type", "text/event-stream");
    gw_response_header(response, "X-Accel-Buffering", "no");
    return gw_reply(request, 200, response);
}
