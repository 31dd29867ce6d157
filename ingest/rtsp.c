// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The conversation with a camera: OPTIONS, DESCRIBE, SETUP, PLAY, signs of life, TEARDOWN.

#include "ingest/rtsp.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libavutil/error.h>

#include "core/clock.h"
#include "core/error.h"
#include "ingest/rtsp_connection.h"

enum {
    MOST_REDIRECTS = 3,
    USUAL_TIMEOUT_S = 60, // RFC 2326, 12.37
    LONGEST_KEEPALIVE_S = 25,
};

#define REDIRECTED (-0x7ffffff1) // to rtsp->location; never leaves this file

struct gw_rtsp {
    struct gw_rtsp_config config;
    char url[GW_URL_SIZE];      // what is asked for; after a redirect, where to
    char base[GW_URL_SIZE];     // control URLs are relative to it
    char location[GW_URL_SIZE]; // where a redirect leads

    int64_t alive_every_us, alive_due_us; // when to say that we are still here
    bool get_parameter;                   // by which method: this, else OPTIONS
    bool alive_asked, alive_again;        // an answer is due; it was asked a second time already

    struct gw_rtsp_connection connection; // last, because its text is not set to zero
};

// --- asking --------------------------------------------------------------------------------------

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

static int note_redirect(struct gw_rtsp *rtsp)
{
    char location[GW_URL_SIZE], username[GW_USERNAME_SIZE], password[GW_PASSWORD_SIZE];

    if (!gw_rtsp_message_header(&rtsp->connection.answer, "Location", 0, location,
                                sizeof(location)) ||
        gw_url_split(location, rtsp->location, username, password) < 0)
        return GW_ERROR_INVALID;
    explicit_bzero(location, sizeof(location)); // what it says about users is not ours to use
    explicit_bzero(password, sizeof(password));
    return REDIRECTED;
}

// Asks and waits for the answer, which is then in rtsp->connection.
static int request(struct gw_rtsp *rtsp, const char *method, const char *uri, const char *lines,
                   int64_t deadline_mono_us)
{
    rtsp->alive_asked = false;
    int error = gw_rtsp_connection_ask(&rtsp->connection, method, uri, lines, deadline_mono_us);
    if (error < 0)
        return error;
    const int status = rtsp->connection.answer.status;
    return status >= 300 && status < 400 ? note_redirect(rtsp) : error_of_status(status);
}

// --- signs of life -------------------------------------------------------------------------------

static int keep_alive(struct gw_rtsp *rtsp, int64_t mono_us)
{
    rtsp->alive_asked = true;
    rtsp->alive_due_us = mono_us + rtsp->alive_every_us;
    return gw_rtsp_connection_send(&rtsp->connection,
                                   rtsp->get_parameter ? "GET_PARAMETER" : "OPTIONS", rtsp->base,
                                   "", mono_us + GW_SECOND);
}

// What the camera says to a sign of life. Whatever it says, it heard us; what matters is whether
// it will go on.
static int handle_alive(void *opaque, const struct gw_rtsp_message *answer)
{
    struct gw_rtsp *rtsp = opaque;
    const bool again = rtsp->alive_again;

    if (!rtsp->alive_asked)
        return 0;
    rtsp->alive_asked = rtsp->alive_again = false;
    if (answer->status == 454) // no such session
        return AVERROR_EOF;
    if (answer->status < 400 || again)
        return 0;
    if (answer->status == 401 && !gw_rtsp_auth_challenge(&rtsp->connection.auth, answer))
        return 0;
    if (answer->status != 401 && !rtsp->get_parameter)
        return 0;
    if (answer->status != 401)
        rtsp->get_parameter = false;
    rtsp->alive_again = true;
    return keep_alive(rtsp, gw_mono_us());
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
    if (error < 0 && !rtsp->connection.answer.status)
        return error;
    if (error == REDIRECTED || error == GW_ERROR_UNAUTHORIZED)
        return error;
    gw_rtsp_message_header(&rtsp->connection.answer, "Public", 0, methods, sizeof(methods));
    rtsp->get_parameter = lists(methods, "GET_PARAMETER");
    return 0;
}

static void find_base(struct gw_rtsp *rtsp)
{
    if (!gw_rtsp_message_header(&rtsp->connection.answer, "Content-Base", 0, rtsp->base,
                                sizeof(rtsp->base)) &&
        !gw_rtsp_message_header(&rtsp->connection.answer, "Content-Location", 0, rtsp->base,
                                sizeof(rtsp->base)))
        strcpy(rtsp->base, rtsp->url);
    if (strncasecmp(rtsp->base, "rtsp", 4)) // it is relative, or nonsense
        strcpy(rtsp->base, rtsp->url);
}

static int ask_description(struct gw_rtsp *rtsp, struct gw_sdp *ret, int64_t deadline_mono_us)
{
    struct gw_rtsp_connection *connection = &rtsp->connection;

    int error =
        request(rtsp, "DESCRIBE", rtsp->url, "Accept: application/sdp\r\n", deadline_mono_us);
    if (error < 0)
        return error;
    // Some cameras do not say how long their description is.
    if (!connection->answer.body_size)
        error = gw_rtsp_connection_read_body(connection, deadline_mono_us);
    if (error < 0)
        return error;
    find_base(rtsp);
    gw_sdp_parse(connection->text + connection->answer.size, connection->answer.body_size, ret);
    return ret->format_count ? 0 : GW_ERROR_NO_VIDEO;
}

static int open_once(struct gw_rtsp *rtsp, struct gw_sdp *ret, int64_t deadline_mono_us)
{
    int error = gw_rtsp_connection_open(&rtsp->connection, rtsp->url, deadline_mono_us);
    if (!error)
        error = ask_options(rtsp, deadline_mono_us);
    return error ? error : ask_description(rtsp, ret, deadline_mono_us);
}

static bool is_tls(const char *url)
{
    return !strncasecmp(url, "rtsps:", 6);
}

// Where the camera sent us is asked instead; from TLS never to a connection without it.
static int follow_redirect(struct gw_rtsp *rtsp)
{
    if (is_tls(rtsp->url) && !is_tls(rtsp->location))
        return GW_ERROR_FORBIDDEN;
    gw_log_debug(rtsp->config.log, "redirected to %s", rtsp->location);
    strcpy(rtsp->url, rtsp->location);
    gw_rtsp_connection_close(&rtsp->connection);
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
    memset(rtsp, 0, offsetof(struct gw_rtsp, connection.text));
    rtsp->config = *config;
    rtsp->connection.config = &rtsp->config;
    rtsp->connection.opaque = rtsp;
    rtsp->connection.unasked = handle_alive;
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
    char header[sizeof(rtsp->connection.session)], timeout[16];
    int seconds = USUAL_TIMEOUT_S;

    if (!gw_rtsp_message_header(&rtsp->connection.answer, "Session", 0, header, sizeof(header)))
        return;
    if (gw_rtsp_parameter(header, "timeout", timeout, sizeof(timeout)) && atoi(timeout) > 0)
        seconds = atoi(timeout);
    header[strcspn(header, "; \t")] = 0;
    strcpy(rtsp->connection.session, header);
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

    if (!gw_rtsp_message_header(&rtsp->connection.answer, "Transport", 0, transport,
                                sizeof(transport)))
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
    snprintf(rtsp->base, sizeof(rtsp->base), "%s", uri); // what later requests are about
    rtsp->alive_due_us = gw_mono_us() + rtsp->alive_every_us;
    if (!error)
        error = gw_rtsp_connection_take(&rtsp->connection); // media that came with the answer
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
    return gw_rtsp_connection_step(&rtsp->connection, others, count, deadline_mono_us);
}

int gw_rtsp_send_media(struct gw_rtsp *rtsp, int channel, const uint8_t *bytes, size_t size)
{
    return gw_rtsp_connection_send_media(&rtsp->connection, channel, bytes, size);
}

int gw_rtsp_fd(const struct gw_rtsp *rtsp)
{
    return gw_channel_fd(rtsp->connection.channel);
}

void gw_rtsp_close(struct gw_rtsp **ret, bool polite)
{
    struct gw_rtsp *rtsp = *ret;

    if (!rtsp)
        return;
    if (polite && rtsp->connection.channel && *rtsp->connection.session)
        gw_rtsp_connection_offer(&rtsp->connection, "TEARDOWN", rtsp->base);
    gw_rtsp_connection_close(&rtsp->connection);
    free(rtsp);
    *ret = NULL;
}
