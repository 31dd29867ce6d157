// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The connection below the RTSP conversation: requests out; answers, the camera's requests and
// media in.

#include "ingest/rtsp_connection.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libavutil/error.h>
#include <libavutil/intreadwrite.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/url.h"

enum {
    MOST_LOGINS = 3,          // of one request: a challenge, and nonces that were too old
    MOST_GARBAGE = 256 << 10, // bytes skipped in search of a message, between two of them
    REQUEST_SIZE = 4096,
};
// A description without its length ends when nothing came for so long.
#define UNTOLD_BODY_US (GW_SECOND * 3 / 10)

// --- connecting ----------------------------------------------------------------------------------

int gw_rtsp_connection_open(struct gw_rtsp_connection *connection, const char *url,
                            int64_t deadline_mono_us)
{
    const struct gw_rtsp_config *config = connection->config;
    const struct gw_dialer *dialer = config->dialer;
    char home[GW_URL_HOST_SIZE], host[GW_URL_HOST_SIZE];
    const bool tls = !strncasecmp(url, "rtsps:", 6);
    uint16_t port;

    connection->due_us = INT64_MAX;
    if (gw_url_host(config->url, home, &port) < 0 || gw_url_host(url, host, &port) < 0)
        return GW_ERROR_INVALID;
    connection->foreign = strcasecmp(home, host) != 0;
    int fd = dialer->connect(dialer->opaque, home, host, port, deadline_mono_us, config->stop);
    if (fd < 0)
        return fd;
    int error = gw_channel_create(&connection->channel, fd, config->stop);
    return error ? error : gw_channel_connect(connection->channel, tls, host, deadline_mono_us);
}

void gw_rtsp_connection_close(struct gw_rtsp_connection *connection)
{
    gw_channel_destroy(&connection->channel);
    connection->auth = (struct gw_rtsp_auth){0};
    *connection->session = 0;
    connection->garbage = 0;
    connection->unanswered = 0;
}

// --- sending -------------------------------------------------------------------------------------

static int write_login(struct gw_rtsp_connection *connection, const char *method, const char *uri,
                       char ret[GW_RTSP_LOGIN_SIZE])
{
    *ret = 0;
    if (connection->foreign)
        return 0;
    return gw_rtsp_auth_write(&connection->auth, connection->config->username,
                              connection->config->password, method, uri, ret);
}

// Writes a request into text, which the caller wipes. Returns its length or an error.
static int write_request(struct gw_rtsp_connection *connection, const char *method, const char *uri,
                         const char *lines, char *text, size_t size)
{
    char login[GW_RTSP_LOGIN_SIZE];
    const bool has_session = *connection->session;

    connection->unanswered = connection->unanswered << 1 | 1;
    int error = write_login(connection, method, uri, login);
    int length = snprintf(text, size,
                          "%s %s RTSP/1.0\r\nCSeq: %u\r\nUser-Agent: Gridwatch/" GW_VERSION
                          "\r\n%s%s%s%s%s\r\n",
                          method, uri, ++connection->sequence, has_session ? "Session: " : "",
                          connection->session, has_session ? "\r\n" : "", login, lines);
    explicit_bzero(login, sizeof(login));
    if (error < 0)
        return error;
    return length >= 0 && (size_t)length < size ? length : GW_ERROR_INVALID;
}

int gw_rtsp_connection_send(struct gw_rtsp_connection *connection, const char *method,
                            const char *uri, const char *lines, int64_t deadline_mono_us)
{
    char text[REQUEST_SIZE];

    int length = write_request(connection, method, uri, lines, text, sizeof(text));
    if (length > 0)
        length = gw_channel_send(connection->channel, text, (size_t)length, deadline_mono_us);
    explicit_bzero(text, sizeof(text));
    gw_log_trace(connection->config->log, "asked %s", method);
    return length;
}

void gw_rtsp_connection_offer(struct gw_rtsp_connection *connection, const char *method,
                              const char *uri)
{
    char text[REQUEST_SIZE];

    int length = write_request(connection, method, uri, "", text, sizeof(text));
    if (length > 0)
        gw_channel_offer(connection->channel, text, (size_t)length);
    explicit_bzero(text, sizeof(text));
}

int gw_rtsp_connection_send_media(struct gw_rtsp_connection *connection, int channel,
                                  const uint8_t *bytes, size_t size)
{
    uint8_t frame[4 + 64];

    if (size > sizeof(frame) - 4)
        return GW_ERROR_INVALID;
    frame[0] = '$';
    frame[1] = (uint8_t)channel;
    AV_WB16(frame + 2, (uint16_t)size);
    memcpy(frame + 4, bytes, size);
    return gw_channel_send(connection->channel, frame, size + 4, gw_mono_us() + GW_SECOND);
}

// --- what comes ----------------------------------------------------------------------------------

// A camera's own request: it is answered, and else has no effect.
static int answer_request(struct gw_rtsp_connection *connection,
                          const struct gw_rtsp_message *request)
{
    char sequence[32], text[256];

    if (!strcmp(request->method, "TEARDOWN"))
        return AVERROR_EOF;
    const bool known = !strcmp(request->method, "OPTIONS") ||
                       !strcmp(request->method, "GET_PARAMETER") ||
                       !strcmp(request->method, "SET_PARAMETER");
    gw_rtsp_message_header(request, "CSeq", 0, sequence, sizeof(sequence));
    int length = snprintf(text, sizeof(text), "RTSP/1.0 %s\r\nCSeq: %s\r\n\r\n",
                          known ? "200 OK" : "501 Not Implemented", sequence);
    int64_t due_us = gw_mono_us() + GW_SECOND;
    if (due_us > connection->due_us)
        due_us = connection->due_us;
    return gw_channel_send(connection->channel, text, (size_t)length, due_us);
}

// Whether it is the answer to a request before the last, which had none when the next was sent. By
// other numbers nothing can be told: some cameras count wrongly, or always say the same.
static bool is_late(const struct gw_rtsp_connection *connection,
                    const struct gw_rtsp_message *answer)
{
    char text[16], *end;

    gw_rtsp_message_header(answer, "CSeq", 0, text, sizeof(text));
    if (!isdigit((unsigned char)*text))
        return false;
    const unsigned long number = strtoul(text, &end, 10);
    if (*end || number >= connection->sequence)
        return false;
    const unsigned long age = connection->sequence - number;
    return age < 64 && connection->unanswered >> age & 1;
}

// Keeps the answer that was waited for, because the buffer moves on.
static void keep_answer(struct gw_rtsp_connection *connection, const struct gw_rtsp_message *answer,
                        const uint8_t *bytes)
{
    memcpy(connection->text, bytes, answer->size + answer->body_size);
    connection->text[answer->size + answer->body_size] = 0;
    connection->answer = *answer;
    connection->answer.head = connection->text + (answer->head - (const char *)bytes);
    connection->waiting = false;
}

// A whole message with its body.
static int handle_message(struct gw_rtsp_connection *connection,
                          const struct gw_rtsp_message *message, const uint8_t *bytes)
{
    connection->garbage = 0;
    if (message->is_request)
        return answer_request(connection, message);
    gw_log_trace(connection->config->log, "answered %d", message->status);
    if (is_late(connection, message)) {
        gw_log_debug(connection->config->log, "passed over an answer to an earlier request");
        return 0;
    }
    if (message->status >= 200)
        connection->unanswered &= ~UINT64_C(1);
    if (!connection->waiting)
        return connection->unasked(connection->opaque, message);
    if (message->status >= 200) // else it goes on working on it
        keep_answer(connection, message, bytes);
    return 0;
}

// Whether the bytes may be media within the connection: with a payload that looks like RTP or RTCP.
static bool is_media(const uint8_t *bytes, size_t size)
{
    return bytes[0] == '$' && (size < 5 || bytes[4] >> 6 == 2);
}

static bool may_begin_message(const uint8_t *bytes, size_t size)
{
    return isupper(bytes[0]) && (size < 2 || isupper(bytes[1]));
}

// Lets bytes go that are no message, up to the next that may be one.
static int skip_garbage(struct gw_rtsp_connection *connection, const uint8_t *bytes, size_t size)
{
    size_t skip = 1;
    while (skip < size && !is_media(bytes + skip, size - skip) &&
           !may_begin_message(bytes + skip, size - skip))
        skip++;
    gw_channel_consume(connection->channel, skip);
    connection->garbage += skip;
    return connection->garbage > MOST_GARBAGE ? GW_ERROR_INVALID : 1;
}

static bool is_line_break(uint8_t byte)
{
    return byte == '\r' || byte == '\n';
}

static int take_media(struct gw_rtsp_connection *connection, const uint8_t *bytes, size_t size)
{
    const struct gw_rtsp_config *config = connection->config;
    const size_t length = size < 4 ? 0 : AV_RB16(bytes + 2);

    if (size < 4 || size < 4 + length)
        return 0;
    int error = config->media(config->opaque, bytes[1], bytes + 4, length);
    gw_channel_consume(connection->channel, 4 + length);
    connection->garbage = 0;
    return error < 0 ? error : 1;
}

static int take_message(struct gw_rtsp_connection *connection, const uint8_t *bytes, size_t size)
{
    struct gw_rtsp_message message;

    int got = gw_rtsp_message_parse((const char *)bytes, size, &message);
    if (got < 0)
        return connection->garbage || *connection->session ? skip_garbage(connection, bytes, size)
                                                           : got;
    if (!got || size < message.size + message.body_size)
        return 0;
    int error = handle_message(connection, &message, bytes);
    gw_channel_consume(connection->channel, message.size + message.body_size);
    return error < 0 ? error : 1;
}

// Takes one thing out of the buffer. Returns 1, 0 when more has to come first, or an error.
static int take_one(struct gw_rtsp_connection *connection)
{
    size_t size;
    const uint8_t *bytes = gw_channel_peek(connection->channel, &size);

    if (!size)
        return 0;
    if (is_line_break(*bytes)) {
        gw_channel_consume(connection->channel, 1);
        return 1;
    }
    if (*bytes == '$' && (!connection->garbage || is_media(bytes, size)))
        return take_media(connection, bytes, size);
    if (may_begin_message(bytes, size))
        return take_message(connection, bytes, size);
    return *connection->session ? skip_garbage(connection, bytes, size) : GW_ERROR_INVALID;
}

// When a request waits, only up to its answer.
int gw_rtsp_connection_take(struct gw_rtsp_connection *connection)
{
    const bool waiting = connection->waiting;
    int got;

    while (connection->waiting == waiting && (got = take_one(connection)) != 0)
        if (got < 0)
            return got;
    return 0;
}

int gw_rtsp_connection_step(struct gw_rtsp_connection *connection, struct pollfd *others, int count,
                            int64_t deadline_mono_us)
{
    int got = gw_channel_wait(connection->channel, others, count, deadline_mono_us);
    if (got <= 0)
        return got;
    got = gw_channel_read(connection->channel);
    // What came before the end still counts.
    int error = gw_rtsp_connection_take(connection);
    return error < 0 ? error : got < 0 ? got : 0;
}

// --- asking --------------------------------------------------------------------------------------

static int await_answer(struct gw_rtsp_connection *connection, int64_t deadline_mono_us)
{
    for (;;) {
        int got = gw_rtsp_connection_take(connection);
        if (got < 0)
            return got;
        if (!connection->waiting)
            return 0;
        got = gw_channel_wait(connection->channel, NULL, 0, deadline_mono_us);
        // A camera may send without end, and never the answer.
        if (got == 0 || (got > 0 && gw_mono_us() >= deadline_mono_us))
            return -ETIMEDOUT;
        if (got > 0)
            got = gw_channel_read(connection->channel);
        if (got < 0)
            return got;
    }
}

static int ask_once(struct gw_rtsp_connection *connection, const char *method, const char *uri,
                    const char *lines, int64_t deadline_mono_us)
{
    int error = gw_rtsp_connection_send(connection, method, uri, lines, deadline_mono_us);
    if (error < 0)
        return error;
    connection->answer.status = 0;
    connection->waiting = true;
    connection->due_us = deadline_mono_us;
    error = await_answer(connection, deadline_mono_us);
    connection->waiting = false;
    connection->due_us = INT64_MAX;
    return error;
}

int gw_rtsp_connection_ask(struct gw_rtsp_connection *connection, const char *method,
                           const char *uri, const char *lines, int64_t deadline_mono_us)
{
    for (int logins = 0;; logins++) {
        int error = ask_once(connection, method, uri, lines, deadline_mono_us);
        if (error < 0 || connection->answer.status != 401)
            return error;
        const bool answered = connection->auth.scheme != GW_RTSP_NO_LOGIN;
        if (connection->foreign || !*connection->config->username || logins == MOST_LOGINS ||
            !gw_rtsp_auth_challenge(&connection->auth, &connection->answer) ||
            (answered && logins && !connection->auth.stale))
            return GW_ERROR_UNAUTHORIZED;
    }
}

// Reads what has come within UNTOLD_BODY_US. Returns 1, 0 when that was nothing more, or an error.
static int read_more_body(struct gw_rtsp_connection *connection, int64_t deadline_mono_us)
{
    const int64_t mono_us = gw_mono_us();
    int64_t due_us = mono_us + UNTOLD_BODY_US;

    if (mono_us >= deadline_mono_us)
        return -ETIMEDOUT;
    if (due_us > deadline_mono_us)
        due_us = deadline_mono_us;
    int got = gw_channel_wait(connection->channel, NULL, 0, due_us);
    if (got > 0)
        got = gw_channel_read(connection->channel);
    if (got == GW_ERROR_STOPPED)
        return got;
    if (got == 0 && due_us == deadline_mono_us)
        return -ETIMEDOUT;
    return got > 0;
}

int gw_rtsp_connection_read_body(struct gw_rtsp_connection *connection, int64_t deadline_mono_us)
{
    size_t size;
    int got;

    while ((got = read_more_body(connection, deadline_mono_us)) > 0)
        ;
    if (got < 0)
        return got;
    const uint8_t *bytes = gw_channel_peek(connection->channel, &size);
    if (size > GW_RTSP_MOST_BODY)
        return GW_ERROR_INVALID;
    memcpy(connection->text + connection->answer.size, bytes, size);
    connection->answer.body_size = size;
    gw_channel_consume(connection->channel, size);
    return 0;
}
