// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Hundreds of RTSP cameras in one cheap process, for benches.
//
//   camera_farm [--port P] [--fps N] FILE        FILE: H.264 or H.265, Annex B, without B-frames
//
// Prints "port P", then serves FILE for ever at rtsp://127.0.0.1:P/cam0, /cam1, … to any number of
// clients over interleaved TCP. Every picture is packetised once (farm_film.c); a client's own
// numbers are written into its packets and they are sent with one call. Clients differ in phase:
// each begins with another keyframe, at another moment within the time between two pictures.
//
// A client that does not read loses whole pictures, which are counted. Signals, each answered by
// one line of JSON on stdout:
//   SIGUSR1   counts: {"cameras": {"cam0": [sessions, sent, dropped], …}, "sent", "dropped",
//             "playing", "starting_peak" (most connections at once that did not play yet),
//             "late_us" (how late the latest picture was sent)}
//   SIGUSR2   stops sending, or goes on; answers with the counts
//   SIGTERM   answers with the counts and ends
//
// Pictures of a session are numbered from 0 in an SEI message (farm_film.h), dropped ones counted,
// so that what was recorded can be compared with what was sent, picture by picture.

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/farm_film.h"

#define SECOND          INT64_C(1000000)
#define TICK_US         2000 // clients that are due within one are served together
#define REPORT_EVERY_US (5 * SECOND)
#define NTP_EPOCH_S     2208988800u

enum { MOST_CAMERAS = 4096, INPUT_SIZE = 4096, SEND_BUFFER = 512 << 10, MOST_EVENTS = 64 };

struct camera {
    uint64_t sessions, sent, dropped;
};

struct client {
    int fd, camera;
    bool set_up, playing;
    char input[INPUT_SIZE];
    size_t input_used;
    uint8_t *pending; // what the socket did not take
    size_t pending_at, pending_size;
    uint8_t channel; // of RTP; the next one is RTCP's
    uint32_t ssrc, first_time;
    uint16_t seq;
    uint32_t packets, octets;
    uint64_t number; // of the next picture
    int next;        // in the film
    int64_t begin_us, report_us;
};

struct farm {
    struct farm_film film;
    int fps, listener, epoll, timer, signals;
    bool paused;
    int64_t paused_us;
    struct client **clients;
    int count, room, playing, starting_peak;
    int64_t late_us;
    struct camera cameras[MOST_CAMERAS];
};

static int64_t now_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * SECOND + now.tv_nsec / 1000;
}

// --- sending -------------------------------------------------------------------------------------

static void keep(struct client *client, const uint8_t *bytes, size_t size)
{
    const size_t left = client->pending_size - client->pending_at;
    uint8_t *pending = malloc(left + size);

    if (!pending)
        abort();
    if (left)
        memcpy(pending, client->pending + client->pending_at, left);
    memcpy(pending + left, bytes, size);
    free(client->pending);
    client->pending = pending;
    client->pending_at = 0;
    client->pending_size = left + size;
}

// Returns how much the socket took; a broken one is noticed when it is read.
static size_t push(const struct client *client, const uint8_t *bytes, size_t size)
{
    const ssize_t sent = send(client->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent > 0 ? (size_t)sent : 0;
}

static bool flush(struct client *client)
{
    if (!client->pending)
        return true;
    client->pending_at += push(client, client->pending + client->pending_at,
                               client->pending_size - client->pending_at);
    if (client->pending_at < client->pending_size)
        return false;
    free(client->pending);
    client->pending = NULL;
    client->pending_at = client->pending_size = 0;
    return true;
}

static void send_all(struct client *client, const uint8_t *bytes, size_t size)
{
    const size_t sent = flush(client) ? push(client, bytes, size) : 0;
    if (sent < size)
        keep(client, bytes + sent, size - sent);
}

static uint32_t media_time(const struct farm *farm, const struct client *client)
{
    return client->first_time + (uint32_t)(client->number * FARM_CLOCK / (uint64_t)farm->fps);
}

static void put32(uint8_t *at, uint32_t value)
{
    const uint32_t big = htonl(value);
    memcpy(at, &big, sizeof(big));
}

// A sender report and the source's name, which RTCP wants with it.
static void send_report(struct farm *farm, struct client *client)
{
    uint8_t bytes[4 + 28 + 16] = {'$', (uint8_t)(client->channel + 1), 0, 28 + 16};
    uint8_t *report = bytes + 4, *name = report + 28;
    const int64_t wall_us = now_us(CLOCK_REALTIME);

    memcpy(report, (uint8_t[]){0x80, 200, 0, 6}, 4);
    put32(report + 4, client->ssrc);
    put32(report + 8, (uint32_t)(wall_us / SECOND) + NTP_EPOCH_S);
    put32(report + 12, (uint32_t)(((uint64_t)(wall_us % SECOND) << 32) / (uint64_t)SECOND));
    put32(report + 16, media_time(farm, client));
    put32(report + 20, client->packets);
    put32(report + 24, client->octets);
    memcpy(name, (uint8_t[]){0x81, 202, 0, 3}, 4);
    put32(name + 4, client->ssrc);
    memcpy(name + 8, (uint8_t[]){1, 4, 'f', 'a', 'r', 'm', 0, 0}, 8);
    send_all(client, bytes, sizeof(bytes));
}

static int64_t due_us(const struct farm *farm, const struct client *client)
{
    return client->begin_us + (int64_t)client->number * SECOND / farm->fps;
}

static void send_picture(struct farm *farm, struct client *client)
{
    struct farm_picture *picture = &farm->film.pictures[client->next];
    struct camera *camera = &farm->cameras[client->camera];
    const struct farm_stamp stamp = {client->channel, client->seq, media_time(farm, client),
                                     client->ssrc, client->number};

    if (flush(client)) {
        farm_picture_stamp(picture, &stamp);
        send_all(client, picture->bytes, picture->size);
        client->seq = (uint16_t)(client->seq + picture->packet_count);
        client->packets += (uint32_t)picture->packet_count;
        client->octets += (uint32_t)(picture->size - (size_t)picture->packet_count *
                                                         (FARM_FRAME_SIZE + FARM_RTP_SIZE));
        camera->sent++;
    } else {
        camera->dropped++;
    }
    client->number++;
    client->next = client->next + 1 < farm->film.count ? client->next + 1 : 0;
}

static void serve(struct farm *farm, struct client *client, int64_t mono_us)
{
    flush(client);
    if (!client->playing || farm->paused)
        return;
    for (int64_t at_us; (at_us = due_us(farm, client)) <= mono_us;) {
        if (mono_us - at_us > farm->late_us)
            farm->late_us = mono_us - at_us;
        send_picture(farm, client);
    }
    if (mono_us >= client->report_us) {
        send_report(farm, client);
        client->report_us = mono_us + REPORT_EVERY_US;
    }
}

// --- RTSP ----------------------------------------------------------------------------------------

struct request {
    char method[16], url[512];
    int cseq, channel; // channel: -1 when it asks for none over this connection
    size_t size;       // with its body
};

__attribute__((format(printf, 4, 5))) static void reply(struct client *client,
                                                        const struct request *request,
                                                        const char *status, const char *format, ...)
{
    char text[8192];
    va_list arguments;
    int used = snprintf(text, sizeof(text), "RTSP/1.0 %s\r\nCSeq: %d\r\n", status, request->cseq);

    va_start(arguments, format);
    used += vsnprintf(text + used, sizeof(text) - (size_t)used, format, arguments);
    va_end(arguments);
    if (used >= (int)sizeof(text))
        abort(); // the description has its own, smaller limit
    send_all(client, (const uint8_t *)text, (size_t)used);
}

static void describe(struct farm *farm, struct client *client, const struct request *request)
{
    char text[6144];
    const int size = snprintf(text, sizeof(text),
                              "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera farm\r\nt=0 0\r\n"
                              "a=control:*\r\nm=video 0 RTP/AVP %d\r\nc=IN IP4 0.0.0.0\r\n%s"
                              "a=framerate:%d\r\na=control:track1\r\n",
                              FARM_PAYLOAD_TYPE, farm->film.media, farm->fps);

    reply(client, request, "200 OK",
          "Content-Base: %s/\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
          request->url, size, text);
}

static void set_up(struct client *client, const struct request *request)
{
    if (request->channel < 0 || request->channel > 254) {
        reply(client, request, "461 Unsupported Transport", "\r\n");
        return;
    }
    client->channel = (uint8_t)request->channel;
    client->set_up = true;
    reply(client, request, "200 OK",
          "Transport: RTP/AVP/TCP;unicast;interleaved=%d-%d;ssrc=%08X\r\n"
          "Session: %08X;timeout=60\r\n\r\n",
          request->channel, request->channel + 1, client->ssrc, client->ssrc);
}

// The answer first, then pictures. Neighbours begin a golden section of a picture's time apart.
static void play(struct farm *farm, struct client *client, const struct request *request)
{
    const int64_t period_us = SECOND / farm->fps, now = now_us(CLOCK_MONOTONIC);

    if (!client->set_up || client->playing) {
        reply(client, request, client->playing ? "200 OK" : "455 Method Not Valid in This State",
              "\r\n");
        return;
    }
    reply(client, request, "200 OK",
          "Session: %08X\r\nRange: npt=now-\r\nRTP-Info: url=%s/track1;seq=%u;rtptime=%u\r\n\r\n",
          client->ssrc, request->url, client->seq, client->first_time);
    client->playing = true;
    farm->playing++;
    farm->cameras[client->camera].sessions++;
    client->next = farm->film.keys[client->camera % farm->film.key_count];
    client->begin_us = now + period_us * (client->camera * 618 % 1000) / 1000;
    client->report_us = client->begin_us;
}

// "/cam12" or "/cam12/track1" in the URL; -1 when there is no such camera.
static int camera_number(const char *url)
{
    const char *name = strstr(url, "/cam");
    char *end;
    const long number = name && name[4] >= '0' && name[4] <= '9' ? strtol(name + 4, &end, 10) : -1;

    return number >= 0 && number < MOST_CAMERAS && (!*end || *end == '/') ? (int)number : -1;
}

static bool is(const struct request *request, const char *method)
{
    return !strcmp(request->method, method);
}

// Returns whether the connection goes on.
static bool answer(struct farm *farm, struct client *client, const struct request *request)
{
    const int camera = camera_number(request->url);

    if (is(request, "OPTIONS") || is(request, "GET_PARAMETER")) {
        reply(client, request, "200 OK",
              "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN\r\n\r\n");
    } else if (is(request, "TEARDOWN")) {
        reply(client, request, "200 OK", "\r\n");
        return false;
    } else if (camera < 0) {
        reply(client, request, "404 Not Found", "\r\n");
    } else if (is(request, "DESCRIBE")) {
        describe(farm, client, request);
    } else if (is(request, "SETUP")) {
        client->camera = camera;
        set_up(client, request);
    } else if (is(request, "PLAY")) {
        play(farm, client, request);
    } else {
        reply(client, request, "501 Not Implemented", "\r\n");
    }
    return true;
}

static long header_number(const char *text, const char *name, const char *before)
{
    const char *line = strcasestr(text, name);
    const char *at = line ? strstr(line, before) : NULL;
    const char *end = line ? strstr(line + 2, "\r\n") : NULL;
    return at && at < end ? strtol(at + strlen(before), NULL, 10) : -1;
}

// Returns whether a whole request is there.
static bool parse(const struct client *client, struct request *ret)
{
    char text[INPUT_SIZE + 1];

    memcpy(text, client->input, client->input_used);
    text[client->input_used] = 0;
    char *end = strstr(text, "\r\n\r\n");
    if (!end)
        return false;
    end[2] = 0;
    *ret = (struct request){0};
    const long body = header_number(text, "\r\nContent-Length:", ":");
    ret->size = (size_t)(end - text) + 4 + (body > 0 ? (size_t)body : 0);
    if (sscanf(text, "%15s %511s", ret->method, ret->url) != 2)
        ret->method[0] = 0;
    ret->cseq = (int)header_number(text, "\r\nCSeq:", ":");
    ret->channel = (int)header_number(text, "\r\nTransport:", "interleaved=");
    return ret->size <= client->input_used;
}

// The size of the RTCP packet that the input begins with, 0 while it is not complete.
static size_t interleaved_size(const struct client *client)
{
    const uint8_t *at = (const uint8_t *)client->input;
    const size_t size = client->input_used < 4 ? SIZE_MAX : 4u + (size_t)(at[2] << 8 | at[3]);
    return size <= client->input_used ? size : 0;
}

static void consume(struct client *client, size_t size)
{
    client->input_used -= size;
    memmove(client->input, client->input + size, client->input_used);
}

// Returns whether the connection goes on.
static bool read_client(struct farm *farm, struct client *client)
{
    const ssize_t got = recv(client->fd, client->input + client->input_used,
                             INPUT_SIZE - client->input_used, MSG_DONTWAIT);
    bool more = true;

    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    client->input_used += (size_t)got;
    while (more && client->input_used) {
        struct request request;
        size_t size = 0;
        if (client->input[0] == '$')
            size = interleaved_size(client);
        else if (parse(client, &request))
            size = request.size;
        if (!size)
            return client->input_used < INPUT_SIZE;
        if (client->input[0] != '$')
            more = answer(farm, client, &request);
        consume(client, size);
    }
    return more;
}

// --- connections ---------------------------------------------------------------------------------

static void note_starting(struct farm *farm)
{
    if (farm->count - farm->playing > farm->starting_peak)
        farm->starting_peak = farm->count - farm->playing;
}

static void accept_client(struct farm *farm)
{
    const int fd = accept4(farm->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    const int yes = 1, buffer = SEND_BUFFER;
    struct client *client = fd < 0 ? NULL : calloc(1, sizeof(*client));

    if (!client)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
    client->fd = fd;
    client->ssrc = (uint32_t)random();
    client->first_time = (uint32_t)random();
    client->seq = (uint16_t)random();
    if (farm->count == farm->room) {
        farm->room = 2 * farm->room + 64;
        farm->clients = realloc(farm->clients, (size_t)farm->room * sizeof(struct client *));
        if (!farm->clients)
            abort();
    }
    farm->clients[farm->count++] = client;
    note_starting(farm);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    epoll_ctl(farm->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void drop_client(struct farm *farm, struct client *client)
{
    int i = 0;

    while (farm->clients[i] != client)
        i++;
    farm->clients[i] = farm->clients[--farm->count];
    farm->playing -= client->playing;
    close(client->fd);
    free(client->pending);
    free(client);
}

// --- signals -------------------------------------------------------------------------------------

static void print_counts(const struct farm *farm)
{
    uint64_t sent = 0, dropped = 0;
    const char *comma = "";

    printf("{\"cameras\": {");
    for (int i = 0; i < MOST_CAMERAS; i++) {
        const struct camera *camera = &farm->cameras[i];
        if (!camera->sessions)
            continue;
        printf("%s\"cam%d\": [%" PRIu64 ", %" PRIu64 ", %" PRIu64 "]", comma, i, camera->sessions,
               camera->sent, camera->dropped);
        sent += camera->sent;
        dropped += camera->dropped;
        comma = ", ";
    }
    printf("}, \"sent\": %" PRIu64 ", \"dropped\": %" PRIu64
           ", \"playing\": %d, \"starting_peak\": %d, \"late_us\": %" PRId64 "}\n",
           sent, dropped, farm->playing, farm->starting_peak, farm->late_us);
    fflush(stdout);
}

// Pictures that were not due during a pause are not late after it.
static void toggle_pause(struct farm *farm)
{
    const int64_t mono_us = now_us(CLOCK_MONOTONIC);

    farm->paused = !farm->paused;
    if (farm->paused)
        farm->paused_us = mono_us;
    for (int i = 0; !farm->paused && i < farm->count; i++)
        farm->clients[i]->begin_us += mono_us - farm->paused_us;
}

// Returns whether to go on.
static bool handle_signal(struct farm *farm)
{
    struct signalfd_siginfo info;

    if (read(farm->signals, &info, sizeof(info)) != sizeof(info))
        return true;
    if (info.ssi_signo == SIGUSR2)
        toggle_pause(farm);
    print_counts(farm);
    return info.ssi_signo != SIGTERM && info.ssi_signo != SIGINT;
}

// --- the loop ------------------------------------------------------------------------------------

static void tick(struct farm *farm)
{
    uint64_t expirations;
    const int64_t mono_us = now_us(CLOCK_MONOTONIC);

    if (read(farm->timer, &expirations, sizeof(expirations)) < 0)
        return;
    for (int i = 0; i < farm->count; i++)
        serve(farm, farm->clients[i], mono_us);
}

static void run(struct farm *farm)
{
    struct epoll_event events[MOST_EVENTS];

    for (;;) {
        const int count = epoll_wait(farm->epoll, events, MOST_EVENTS, -1);
        for (int i = 0; i < count; i++) {
            void *what = events[i].data.ptr;
            if (what == &farm->listener)
                accept_client(farm);
            else if (what == &farm->timer)
                tick(farm);
            else if (what != &farm->signals && !read_client(farm, what))
                drop_client(farm, what);
            else if (what == &farm->signals && !handle_signal(farm))
                return;
        }
    }
}

static void watch(struct farm *farm, int fd, void *what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};
    if (epoll_ctl(farm->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        abort();
}

static bool listen_on(struct farm *farm, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    const int yes = 1;

    farm->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(farm->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(farm->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(farm->listener, SOMAXCONN) < 0 ||
        getsockname(farm->listener, (struct sockaddr *)&address, &size) < 0) {
        fprintf(stderr, "camera_farm: port %d: %s\n", port, strerror(errno));
        return false;
    }
    printf("port %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return true;
}

static void prepare(struct farm *farm)
{
    const struct itimerspec every = {.it_interval.tv_nsec = TICK_US * 1000,
                                     .it_value.tv_nsec = TICK_US * 1000};
    struct rlimit files;
    sigset_t signals;

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    farm->epoll = epoll_create1(EPOLL_CLOEXEC);
    farm->signals = signalfd(-1, &signals, SFD_CLOEXEC);
    farm->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    timerfd_settime(farm->timer, 0, &every, NULL);
    watch(farm, farm->signals, &farm->signals);
    watch(farm, farm->timer, &farm->timer);
    watch(farm, farm->listener, &farm->listener);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'}, {"fps", required_argument, NULL, 'f'}, {0}};
    static struct farm farm = {.fps = 25};
    int option, port = 0;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p')
            port = atoi(optarg);
        else if (option == 'f')
            farm.fps = atoi(optarg);
        else
            optind = argc;
    }
    if (optind + 1 != argc || farm.fps < 1) {
        fprintf(stderr, "usage: camera_farm [--port P] [--fps N] FILE\n");
        return 2;
    }
    if (!farm_film_load(&farm.film, argv[optind]) || !listen_on(&farm, port))
        return 1;
    prepare(&farm);
    run(&farm);
    return 0;
}
