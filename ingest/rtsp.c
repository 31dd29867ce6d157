// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/rtsp.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libavutil/error.h>
#include <libavutil/intreadwrite.h>

#include "core/clock.h"
#include "core/error.h"
#include "ingest/channel.h"
#include "ingest/rtsp_auth.h"
#include "ingest/rtsp_message.h"

enum {
    MOST_REDIRECTS = 3,
    MOST_LOGINS = 3,          // of one request: a challenge, and nonces that were too old
    MOST_GARBAGE = 256 << 10, // bytes skipped in search of a message, between two of them
    USUAL_TIMEOUT_S = 60,     // RFC 2326, 12.37
    LONGEST_KEEPALIVE_S = 25,
};
// A description without its length ends when nothing came for so long.
#define UNTOLD_BODY_US (GW_SECOND * 3 / 10)

#define REDIRECTED (-0x7ffffff1) // to rtsp->location; never leaves this file

struct gw_rtsp {
    struct gw_rtsp_config config;
    struct gw_channel *channel;
    char url[GW_URL_SIZE];      // what is asked for; after a redirect, where to
    char base[GW_URL_SIZE];     // control URLs are relative to it
    char location[GW_URL_SIZE]; // where a redirect leads
    bool foreign;               // not the registered host, which alone hears who we are
    struct gw_rtsp_auth auth;
    unsigned sequence;
    char session[128]; // "" before SETUP

    int64_t alive_every_us, alive_due_us; // when to say that we are still here
    bool get_parameter;                   // by which method: this, else OPTIONS
    bool alive_asked, alive_again;        // an answer is due; it was asked a second time already

    size_t garbage;              // bytes skipped since the last message
    int64_t due_us;              // until when a request may take; INT64_MAX while there is none
    int answer_status;           // of the answer that a request waits for; 0 while it does
    struct gw_rtsp_message head; // of it; its bytes are in text
    char text[GW_RTSP_MOST_HEAD + GW_RTSP_MOST_BODY + 1];
};

// --- errors --------------------------------------------------------------------------------------

static int error_of_status(int status)
{
    switch (status) {
    case 401:
    case 403: return GW_ERROR_UNAUTHORIZED;
    case 404:
    case 410: return GW_ERROR_NOT_FOUND;
    case 461: return GW_ERROR_NO_TRANSPORT;
    case 453: return GW_ERROR_BUSY;
    }
    return status >= 500 ? GW_ERROR_BUSY : status >= 400 ? AVERROR_HTTP_OTHER_4XX : 0;
}

// --- connecting ----------------------------------------------------------------------------------

static bool is_tls(const char *url)
{
    return !strncasecmp(url, "rtsps:", 6);
}

static int connect_channel(struct gw_rtsp *rtsp, int64_t deadline_mono_us)
{
    char home[GW_URL_HOST_SIZE], host[GW_URL_HOST_SIZE];
    const bool tls = is_tls(rtsp->url);
    uint16_t port;

    if (gw_url_host(rtsp->config.url, home, &port) < 0 || gw_url_host(rtsp->url, host, &port) < 0)
        return GW_ERROR_INVALID;
    rtsp->foreign = strcasecmp(home, host) != 0;
    const struct gw_dialer *dialer = rtsp->config.dialer;
    int fd = dialer->connect(dialer->opaque, home, host, port, deadline_mono_us, rtsp->config.stop);
    if (fd < 0)
        return fd;
    int error = gw_channel_create(&rtsp->channel, fd, rtsp->config.stop);
    return error ? error : gw_channel_connect(rtsp->channel, tls, host, deadline_mono_us);
}

static void disconnect(struct gw_rtsp *rtsp)
{
    gw_channel_destroy(&rtsp->channel);
    rtsp->auth = (struct gw_rtsp_auth){0};
    *rtsp->session = 0;
    rtsp->garbage = 0;
}

int gw_rtsp_fd(const struct gw_rtsp *rtsp)
{
    return gw_channel_fd(rtsp->channel);
}

// --- sending -------------------------------------------------------------------------------------

static int write_login(struct gw_rtsp *rtsp, const char *method, const char *uri,
                       char ret[GW_RTSP_LOGIN_SIZE])
{
    *ret = 0;
    if (rtsp->foreign)
        return 0;
    return gw_rtsp_auth_write(&rtsp->auth, rtsp->config.username, rtsp->config.password, method,
                              uri, ret);
}

// Writes a request into text, which the caller wipes. Returns its length or an error.
static int write_request(struct gw_rtsp *rtsp, const char *method, const char *uri,
                         const char *lines, char *text, size_t size)
{
    char login[GW_RTSP_LOGIN_SIZE];
    const bool has_session = *rtsp->session;

    int error = write_login(rtsp, method, uri, login);
    int length = snprintf(text, size,
                          "%s %s RTSP/1.0\r\nCSeq: %u\r\nUser-Agent: Gridwatch/" GW_VERSION
                          "\r\n%s%s%s%s%s\r\n",
                          method, uri, ++rtsp->sequence, has_session ? "Session: " : "",
                          rtsp->session, has_session ? "\r\n" : "", login, lines);
    explicit_bzero(login, sizeof(login));
    if (error < 0)
        return error;
    return length >= 0 && (size_t)length < size ? length : GW_ERROR_INVALID;
}

enum { REQUEST_SIZE = 4096 };

static int send_request(struct gw_rtsp *rtsp, const char *method, const char *uri,
                        const char *lines, int64_t deadline_mono_us)
{
    char text[REQUEST_SIZE];

    int length = write_request(rtsp, method, uri, lines, text, sizeof(text));
    if (length > 0)
        length = gw_channel_send(rtsp->channel, text, (size_t)length, deadline_mono_us);
    explicit_bzero(text, sizeof(text));
    gw_log_trace(rtsp->config.log, "asked %s", method);
    return length;
}

int gw_rtsp_send_media(struct gw_rtsp *rtsp, int channel, const uint8_t *bytes, size_t size)
{
    uint8_t frame[4 + 64];

    if (size > sizeof(frame) - 4)
        return GW_ERROR_INVALID;
    frame[0] = '$';
    frame[1] = (uint8_t)channel;
    AV_WB16(frame + 2, (uint16_t)size);
    memcpy(frame + 4, bytes, size);
    return gw_channel_send(rtsp->channel, frame, size + 4, gw_mono_us() + GW_SECOND);
}

// --- what comes ----------------------------------------------------------------------------------

// A camera's own request: it is answered, and else has no effect.
static int answer_request(struct gw_rtsp *rtsp, const struct gw_rtsp_message *request)
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
    if (due_us > rtsp->due_us)
        due_us = rtsp->due_us;
    return gw_channel_send(rtsp->channel, text, (size_t)length, due_us);
}

static int keep_alive(struct gw_rtsp *rtsp, int64_t mono_us)
{
    rtsp->alive_asked = true;
    rtsp->alive_due_us = mono_us + rtsp->alive_every_us;
    return send_request(rtsp, rtsp->get_parameter ? "GET_PARAMETER" : "OPTIONS", rtsp->base, "",
                        mono_us + GW_SECOND);
}

// What the camera says to a sign of life. Whatever it says, it heard us; what matters is whether
// it will go on.
static int handle_alive(struct gw_rtsp *rtsp, const struct gw_rtsp_message *answer)
{
    const bool again = rtsp->alive_again;

    rtsp->alive_asked = rtsp->alive_again = false;
    if (answer->status == 454) // no such session
        return AVERROR_EOF;
    if (answer->status < 400 || again)
        return 0;
    if (answer->status == 401 && !gw_rtsp_auth_challenge(&rtsp->auth, answer))
        return 0;
    if (answer->status != 401 && !rtsp->get_parameter)
        return 0;
    if (answer->status != 401)
        rtsp->get_parameter = false;
    rtsp->alive_again = true;
    return keep_alive(rtsp, gw_mono_us());
}

// A whole message with its body.
static int handle_message(struct gw_rtsp *rtsp, const struct gw_rtsp_message *message,
                          const uint8_t *bytes)
{
    rtsp->garbage = 0;
    if (message->is_request)
        return answer_request(rtsp, message);
    gw_log_trace(rtsp->config.log, "answered %d", message->status);
    if (rtsp->alive_asked)
        return handle_alive(rtsp, message);
    if (message->status < 200) // it goes on working on it
        return 0;
    // Kept, because the buffer moves on.
    memcpy(rtsp->text, bytes, message->size + message->body_size);
    rtsp->text[message->size + message->body_size] = 0;
    rtsp->head = *message;
    rtsp->head.head = rtsp->text + (message->head - (const char *)bytes);
    rtsp->answer_status = message->status;
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
static int skip_garbage(struct gw_rtsp *rtsp, const uint8_t *bytes, size_t size)
{
    size_t skip = 1;
    while (skip < size && !is_media(bytes + skip, size - skip) &&
           !may_begin_message(bytes + skip, size - skip))
        skip++;
    gw_channel_consume(rtsp->channel, skip);
    rtsp->garbage += skip;
    return rtsp->garbage > MOST_GARBAGE ? GW_ERROR_INVALID : 1;
}

static bool is_line_break(uint8_t byte)
{
    return byte == '\r' || byte == '\n';
}

static int take_media(struct gw_rtsp *rtsp, const uint8_t *bytes, size_t size)
{
    const size_t length = size < 4 ? 0 : AV_RB16(bytes + 2);

    if (size < 4 || size < 4 + length)
        return 0;
    int error = rtsp->config.media(rtsp->config.opaque, bytes[1], bytes + 4, length);
    gw_channel_consume(rtsp->channel, 4 + length);
    rtsp->garbage = 0;
    return error < 0 ? error : 1;
}

static int take_message(struct gw_rtsp *rtsp, const uint8_t *bytes, size_t size)
{
    struct gw_rtsp_message message;

    int got = gw_rtsp_message_parse((const char *)bytes, size, &message);
    if (got < 0)
        return rtsp->garbage || *rtsp->session ? skip_garbage(rtsp, bytes, size) : got;
    if (!got || size < message.size + message.body_size)
        return 0;
    int error = handle_message(rtsp, &message, bytes);
    gw_channel_consume(rtsp->channel, message.size + message.body_size);
    return error < 0 ? error : 1;
}

// Takes one thing out of the buffer. Returns 1, 0 when more has to come first, or an error.
static int take_one(struct gw_rtsp *rtsp)
{
    size_t size;
    const uint8_t *bytes = gw_channel_peek(rtsp->channel, &size);

    if (!size)
        return 0;
    if (is_line_break(*bytes)) {
        gw_channel_consume(rtsp->channel, 1);
        return 1;
    }
    if (*bytes == '$' && (!rtsp->garbage || is_media(bytes, size)))
        return take_media(rtsp, bytes, size);
    if (may_begin_message(bytes, size))
        return take_message(rtsp, bytes, size);
    return *rtsp->session ? skip_garbage(rtsp, bytes, size) : GW_ERROR_INVALID;
}

// Takes all that is whole, up to the answer that a request waits for.
static int take_all(struct gw_rtsp *rtsp)
{
    int got;
    while (!rtsp->answer_status && (got = take_one(rtsp)) != 0)
        if (got < 0)
            return got;
    return 0;
}

// Takes all that is whole; answers are ones that nobody waits for.
static int take_rest(struct gw_rtsp *rtsp)
{
    int error;
    do {
        rtsp->answer_status = 0;
        error = take_all(rtsp);
    } while (!error && rtsp->answer_status);
    rtsp->answer_status = 0;
    return error;
}

// --- asking --------------------------------------------------------------------------------------

// Some cameras do not say how long their description is.
static int read_untold_body(struct gw_rtsp *rtsp, int64_t deadline_mono_us)
{
    size_t size;
    const uint8_t *bytes;

    for (;;) {
        const int64_t mono_us = gw_mono_us();
        int64_t due_us = mono_us + UNTOLD_BODY_US;
        if (mono_us >= deadline_mono_us)
            return -ETIMEDOUT;
        if (due_us > deadline_mono_us)
            due_us = deadline_mono_us;
        int got = gw_channel_wait(rtsp->channel, NULL, 0, due_us);
        if (got > 0)
            got = gw_channel_read(rtsp->channel);
        if (got == GW_ERROR_STOPPED)
            return got;
        if (got == 0 && due_us == deadline_mono_us)
            return -ETIMEDOUT;
        if (got <= 0)
            break;
    }
    bytes = gw_channel_peek(rtsp->channel, &size);
    if (size > GW_RTSP_MOST_BODY)
        return GW_ERROR_INVALID;
    memcpy(rtsp->text + rtsp->head.size, bytes, size);
    rtsp->head.body_size = size;
    gw_channel_consume(rtsp->channel, size);
    return 0;
}

static int await_answer(struct gw_rtsp *rtsp, int64_t deadline_mono_us)
{
    rtsp->answer_status = 0;
    rtsp->alive_asked = false;
    rtsp->due_us = deadline_mono_us;
    for (;;) {
        int got = take_all(rtsp);
        if (got < 0)
            return got;
        if (rtsp->answer_status)
            return 0;
        got = gw_channel_wait(rtsp->channel, NULL, 0, deadline_mono_us);
        // A camera may send without end, and never the answer.
        if (got == 0 || (got > 0 && gw_mono_us() >= deadline_mono_us))
            return -ETIMEDOUT;
        if (got > 0)
            got = gw_channel_read(rtsp->channel);
        if (got < 0)
            return got;
    }
}

static int note_redirect(struct gw_rtsp *rtsp)
{
    char location[GW_URL_SIZE], username[GW_USERNAME_SIZE], password[GW_PASSWORD_SIZE];

    if (!gw_rtsp_message_header(&rtsp->head, "Location", 0, location, sizeof(location)) ||
        gw_url_split(location, rtsp->location, username, password) < 0)
        return GW_ERROR_INVALID;
    explicit_bzero(location, sizeof(location)); // what it says about users is not ours to use
    explicit_bzero(password, sizeof(password));
    return REDIRECTED;
}

// Asks, logs in when the camera wants it, and waits for the answer, which is then in rtsp->head.
static int request(struct gw_rtsp *rtsp, const char *method, const char *uri, const char *lines,
                   int64_t deadline_mono_us)
{
    for (int logins = 0;; logins++) {
        int error = send_request(rtsp, method, uri, lines, deadline_mono_us);
        if (!error)
            error = await_answer(rtsp, deadline_mono_us);
        if (error < 0)
            return error;
        const int status = rtsp->answer_status;
        if (status >= 300 && status < 400)
            return note_redirect(rtsp);
        if (status != 401)
            return error_of_status(status);
        const bool answered = rtsp->auth.scheme != GW_RTSP_NO_LOGIN;
        if (rtsp->foreign || !*rtsp->config.username || logins == MOST_LOGINS ||
            !gw_rtsp_auth_challenge(&rtsp->auth, &rtsp->head) ||
            (answered && logins && !rtsp->auth.stale))
            return GW_ERROR_UNAUTHORIZED;
    }
}

// --- OPTIONS and DESCRIBE ------------------------------------------------------------------------

static bool lists(const char *list, const char *word)
{
    const size_t length = strlen(word);
    for (const char *at = list; (at = strcasestr(at, word)); at += length)
        if ((at == list || !isalnum((unsigned char)at[-1])) && !isalnum((unsigned char)at[length]))
            return true;
    return false;
}

// Which methods there are. Cameras that do not know even this one are asked no further.
static int ask_options(struct gw_rtsp *rtsp, int64_t deadline_mono_us)
{
    char methods[512];

    int error = request(rtsp, "OPTIONS", rtsp->url, "", deadline_mono_us);
    if (error < 0 && !rtsp->answer_status)
        return error;
    if (error == REDIRECTED || error == GW_ERROR_UNAUTHORIZED)
        return error;
    gw_rtsp_message_header(&rtsp->head, "Public", 0, methods, sizeof(methods));
    rtsp->get_parameter = lists(methods, "GET_PARAMETER");
    return 0;
}

static void find_base(struct gw_rtsp *rtsp)
{
    if (!gw_rtsp_message_header(&rtsp->head, "Content-Base", 0, rtsp->base, sizeof(rtsp->base)) &&
        !gw_rtsp_message_header(&rtsp->head, "Content-Location", 0, rtsp->base, sizeof(rtsp->base)))
        strcpy(rtsp->base, rtsp->url);
    if (strncasecmp(rtsp->base, "rtsp", 4)) // it is relative, or nonsense
        strcpy(rtsp->base, rtsp->url);
}

static int ask_description(struct gw_rtsp *rtsp, struct gw_sdp *ret, int64_t deadline_mono_us)
{
    int error =
        request(rtsp, "DESCRIBE", rtsp->url, "Accept: application/sdp\r\n", deadline_mono_us);
    if (error < 0)
        return error;
    if (!rtsp->head.body_size)
        error = read_untold_body(rtsp, deadline_mono_us);
    if (error < 0)
        return error;
    find_base(rtsp);
    gw_sdp_parse(rtsp->text + rtsp->head.size, rtsp->head.body_size, ret);
    return ret->format_count ? 0 : GW_ERROR_NO_VIDEO;
}

static int open_once(struct gw_rtsp *rtsp, struct gw_sdp *ret, int64_t deadline_mono_us)
{
    int error = connect_channel(rtsp, deadline_mono_us);
    if (!error)
        error = ask_options(rtsp, deadline_mono_us);
    return error ? error : ask_description(rtsp, ret, deadline_mono_us);
}

// Where the camera sent us is asked instead; from TLS never to a connection without it.
static int follow_redirect(struct gw_rtsp *rtsp)
{
    if (is_tls(rtsp->url) && !is_tls(rtsp->location))
        return GW_ERROR_FORBIDDEN;
    gw_log_debug(rtsp->config.log, "redirected to %s", rtsp->location);
    strcpy(rtsp->url, rtsp->location);
    disconnect(rtsp);
    return 0;
}

int gw_rtsp_open(struct gw_rtsp **ret, const struct gw_rtsp_config *config, struct gw_sdp *ret_sdp,
                 int64_t deadline_mono_us)
{
    struct gw_rtsp *rtsp = malloc(sizeof(*rtsp));
    int error = REDIRECTED;

    *ret = NULL;
    if (!rtsp)
        return -ENOMEM;
    memset(rtsp, 0, offsetof(struct gw_rtsp, text));
    rtsp->config = *config;
    rtsp->due_us = INT64_MAX;
    snprintf(rtsp->url, sizeof(rtsp->url), "%s", config->url);
    for (int i = 0; error == REDIRECTED; i++) {
        error = i ? follow_redirect(rtsp) : 0;
        if (!error)
            error = open_once(rtsp, ret_sdp, deadline_mono_us);
        if (error == REDIRECTED && i == MOST_REDIRECTS)
            error = GW_ERROR_FORBIDDEN;
    }
    if (error < 0)
        gw_rtsp_close(&rtsp, false);
    *ret = rtsp;
    return error;
}

// --- SETUP and PLAY ------------------------------------------------------------------------------

// The URL of a track or of the session, by what its control attribute says (RFC 2326, C.1.1).
static void resolve(const struct gw_rtsp *rtsp, const char *control, char ret[GW_URL_SIZE])
{
    if (!*control || !strcmp(control, "*"))
        snprintf(ret, GW_URL_SIZE, "%s", rtsp->base);
    else if (!strncasecmp(control, "rtsp://", 7) || !strncasecmp(control, "rtsps://", 8))
        snprintf(ret, GW_URL_SIZE, "%s", control);
    else
        snprintf(ret, GW_URL_SIZE, "%s%s%s", rtsp->base,
                 rtsp->base[strlen(rtsp->base) - 1] == '/' ? "" : "/", control + (*control == '/'));
}

static void note_session(struct gw_rtsp *rtsp)
{
    char header[sizeof(rtsp->session)], timeout[16];
    int seconds = USUAL_TIMEOUT_S;

    if (!gw_rtsp_message_header(&rtsp->head, "Session", 0, header, sizeof(header)))
        return;
    if (gw_rtsp_parameter(header, "timeout", timeout, sizeof(timeout)) && atoi(timeout) > 0)
        seconds = atoi(timeout);
    header[strcspn(header, "; \t")] = 0;
    strcpy(rtsp->session, header);
    rtsp->alive_every_us = seconds * GW_SECOND * 2 / 5;
    if (rtsp->alive_every_us > LONGEST_KEEPALIVE_S * GW_SECOND)
        rtsp->alive_every_us = LONGEST_KEEPALIVE_S * GW_SECOND;
}

// "2-3", or "2" for the same. Returns false when one of them is not within least and most.
static bool parse_pair(const char *text, int least, int most, int ret[2])
{
    int count = sscanf(text, "%6d-%6d", &ret[0], &ret[1]);
    if (count == 1)
        ret[1] = ret[0] + 1;
    return count > 0 && ret[0] >= least && ret[0] <= most && ret[1] >= least && ret[1] <= most;
}

// What became of what we asked for. A camera that answers with the other transport means it.
static int read_route(const struct gw_rtsp *rtsp, struct gw_rtsp_route *route)
{
    char transport[512], value[32];
    int pair[2];

    if (!gw_rtsp_message_header(&rtsp->head, "Transport", 0, transport, sizeof(transport)))
        return 0; // it says nothing, and does as it was told
    const bool tcp = strcasestr(transport, "/TCP") || strcasestr(transport, "interleaved");
    if (tcp == route->udp)
        return GW_ERROR_NO_TRANSPORT;
    if (gw_rtsp_parameter(transport, "interleaved", value, sizeof(value)) &&
        parse_pair(value, 0, UINT8_MAX, pair)) {
        route->channels[0] = pair[0];
        route->channels[1] = pair[1];
    }
    if (gw_rtsp_parameter(transport, "server_port", value, sizeof(value)) &&
        parse_pair(value, 1, UINT16_MAX, pair)) {
        route->server_port[0] = (uint16_t)pair[0];
        route->server_port[1] = (uint16_t)pair[1];
    }
    return 0;
}

int gw_rtsp_setup(struct gw_rtsp *rtsp, const struct gw_sdp *sdp, struct gw_rtsp_route *route,
                  int64_t deadline_mono_us)
{
    char uri[GW_URL_SIZE], lines[128];

    resolve(rtsp, sdp->control, uri);
    route->channels[0] = 0;
    route->channels[1] = 1;
    if (route->udp)
        snprintf(lines, sizeof(lines), "Transport: RTP/AVP/UDP;unicast;client_port=%d-%d\r\n",
                 route->client_port, route->client_port + 1);
    else
        snprintf(lines, sizeof(lines), "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n");
    int error = request(rtsp, "SETUP", uri, lines, deadline_mono_us);
    if (error == REDIRECTED)
        return GW_ERROR_FORBIDDEN;
    if (error < 0)
        return error;
    note_session(rtsp);
    return read_route(rtsp, route);
}

int gw_rtsp_play(struct gw_rtsp *rtsp, const struct gw_sdp *sdp, int64_t deadline_mono_us)
{
    char uri[GW_URL_SIZE];

    resolve(rtsp, sdp->session_control, uri);
    int error = request(rtsp, "PLAY", uri, "Range: npt=0.000-\r\n", deadline_mono_us);
    rtsp->due_us = INT64_MAX;
    snprintf(rtsp->base, sizeof(rtsp->base), "%s", uri); // what later requests are about
    rtsp->alive_due_us = gw_mono_us() + rtsp->alive_every_us;
    if (!error)
        error = take_rest(rtsp); // media that came with the answer
    return error == REDIRECTED ? GW_ERROR_FORBIDDEN : error;
}

// --- the rest of its life ------------------------------------------------------------------------

int gw_rtsp_step(struct gw_rtsp *rtsp, struct pollfd *others, int count, int64_t deadline_mono_us)
{
    const int64_t mono_us = gw_mono_us();

    if (rtsp->alive_every_us && mono_us >= rtsp->alive_due_us) {
        int error = keep_alive(rtsp, mono_us);
        if (error < 0)
            return error;
    }
    if (rtsp->alive_every_us && rtsp->alive_due_us < deadline_mono_us)
        deadline_mono_us = rtsp->alive_due_us;
    int got = gw_channel_wait(rtsp->channel, others, count, deadline_mono_us);
    if (got <= 0)
        return got;
    got = gw_channel_read(rtsp->channel);
    // What came before the end still counts.
    int error = take_rest(rtsp);
    return error < 0 ? error : got < 0 ? got : 0;
}

void gw_rtsp_close(struct gw_rtsp **ret, bool polite)
{
    struct gw_rtsp *rtsp = *ret;
    char text[REQUEST_SIZE];

    if (!rtsp)
        return;
    if (polite && rtsp->channel && *rtsp->session) {
        int length = write_request(rtsp, "TEARDOWN", rtsp->base, "", text, sizeof(text));
        if (length > 0)
            gw_channel_offer(rtsp->channel, text, (size_t)length);
        explicit_bzero(text, sizeof(text));
    }
    gw_channel_destroy(&rtsp->channel);
    free(rtsp);
    *ret = NULL;
}
