// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/door.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/door_book.h"
#include "core/clock.h"
#include "core/error.h"
#include "ingest/dial.h"
#include "ingest/resolve.h"

enum {
    PENDING_MAX = 64,     // names under way for one worker; then it has to wait
    BATCH = 16,           // messages of one worker before the next one's turn
    SEND_BUFFER = 1 << 16 // answers that a worker does not take fill it, and no more
};
#define NAME_LIMIT_US (20 * GW_SECOND) // longer than a session waits
#define PAIR_LIMIT_US (30 * GW_SECOND) // a pair that is never aimed

// A connection whose names are being asked for.
struct pending {
    struct gw_door_request request;
    struct gw_resolve *host_question, *home_question; // NULL once answered, or not needed
    struct gw_addresses host, home;
    int error; // of the host's name
    int64_t until_us;
};

struct desk {
    int fd; // -1 when no process of this worker has the other end
    struct pending *pending[PENDING_MAX];
    int pending_count;
};

struct gw_door {
    struct gw_door_config config;
    pthread_t thread;
    int wake_fd;

    pthread_mutex_t lock; // guards all below; held for moments, never over a wait
    bool stopping;
    struct desk *desks; // one per worker
    struct gw_door_book book;
    struct gw_door_counters counters;
    int64_t complained_us; // mono
    uint64_t unsaid;       // refusals since then
};

// --- answers -------------------------------------------------------------------------------------

// Once a second at most: a worker in strange hands must not fill the log.
static void complain(struct gw_door *door, int worker, const char *camera, const char *what)
{
    int64_t now_us = gw_mono_us();
    door->unsaid++;
    if (door->complained_us && now_us - door->complained_us < GW_SECOND)
        return;
    gw_log_warning(door->config.log,
                   "worker w%d asked for a socket of camera \"%s\" and does not get it: %s (%llu "
                   "since the last such line)",
                   worker, camera, what, (unsigned long long)door->unsaid);
    door->complained_us = now_us;
    door->unsaid = 0;
}

// Sends an answer with its descriptors, which stay the caller's. A worker that does not take its
// answers loses them.
static void answer(struct gw_door *door, int worker, uint32_t ticket, int error,
                   uint16_t local_port, const int *fds, int count)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    struct gw_door_answer body = {.ticket = ticket, .error = error, .local_port = local_port};
    struct iovec part = {.iov_base = &body, .iov_len = sizeof(body)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (count) {
        message.msg_control = control.room;
        message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, (size_t)count * sizeof(int));
    }
    if (sendmsg(door->desks[worker].fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 && !error)
        door->counters.made += (uint64_t)count;
}

static void refuse(struct gw_door *door, int worker, const struct gw_door_request *request,
                   int error, const char *what)
{
    door->counters.refused++;
    complain(door, worker, request->camera, what);
    answer(door, worker, request->ticket, error, 0, NULL, 0);
}

// The stream that a request is about, if this worker may ask for it; else refuses.
static struct gw_door_leaf *find_leaf(struct gw_door *door, int worker,
                                      const struct gw_door_request *request)
{
    struct gw_door_leaf *leaf = gw_door_book_find(&door->book, worker, request->camera,
                                                  (enum gw_door_stream)request->stream);
    if (leaf)
        return leaf;
    refuse(door, worker, request, GW_ERROR_FORBIDDEN, "it has no such camera or stream");
    return NULL;
}

// --- UDP -----------------------------------------------------------------------------------------

static void handle_open_udp(struct gw_door *door, int worker, const struct gw_door_request *request,
                            struct gw_door_leaf *leaf)
{
    if (!leaf->connected) {
        refuse(door, worker, request, -ENOTCONN, "a pair comes after a connection");
        return;
    }
    gw_door_leaf_drop_pair(leaf);
    int error = gw_dial_open_pair(&leaf->local, leaf->pair, &leaf->pair_port);
    leaf->pair_until_us = gw_mono_us() + PAIR_LIMIT_US;
    answer(door, worker, request->ticket, error, leaf->pair_port, leaf->pair, error ? 0 : 2);
}

static void handle_aim_udp(struct gw_door *door, int worker, const struct gw_door_request *request,
                           struct gw_door_leaf *leaf)
{
    if (leaf->pair[0] < 0 || leaf->pair_port != request->local_port) {
        answer(door, worker, request->ticket, -ENOENT, 0, NULL, 0); // it took too long
        return;
    }
    int error = gw_dial_aim_pair(&leaf->peer, leaf->pair, request->ports);
    gw_door_leaf_drop_pair(leaf);
    answer(door, worker, request->ticket, error, 0, NULL, 0);
}

// --- connections ---------------------------------------------------------------------------------

static void remember(struct gw_door_leaf *leaf, int fd, const union gw_address *peer)
{
    socklen_t size = sizeof(leaf->local);
    leaf->peer = *peer;
    leaf->connected = getsockname(fd, &leaf->local.any, &size) == 0;
}

// Every name is known: connects. The assignment may have changed while they were asked for.
static void finish_connect(struct gw_door *door, int worker, struct pending *pending)
{
    const struct gw_door_request *request = &pending->request;
    struct gw_door_leaf *leaf = find_leaf(door, worker, request);
    union gw_address peer;

    if (!leaf)
        return;
    if (pending->error) {
        answer(door, worker, request->ticket, pending->error, 0, NULL, 0);
        return;
    }
    if (strcasecmp(request->host, leaf->home) &&
        !gw_addresses_permit(&pending->host, door->config.redirects, &pending->home)) {
        refuse(door, worker, request, GW_ERROR_FORBIDDEN,
               "it was redirected to where camera.redirects does not let it go");
        return;
    }
    int fd = gw_dial_begin(&pending->host, &peer);
    if (fd >= 0)
        remember(leaf, fd, &peer);
    answer(door, worker, request->ticket, fd < 0 ? fd : 0, 0, &fd, fd >= 0);
    if (fd >= 0)
        close(fd);
}

// Numbers at once; a name becomes a question.
static int look_up(const char *host, uint16_t port, struct gw_addresses *ret,
                   struct gw_resolve **ret_question)
{
    int error = gw_resolve_numeric(host, port, ret);
    return error == GW_ERROR_NO_HOST ? gw_resolve_begin(ret_question, host, port) : error;
}

static void free_pending(struct pending *pending)
{
    gw_resolve_abandon(&pending->host_question);
    gw_resolve_abandon(&pending->home_question);
    free(pending);
}

static bool is_answered(struct pending *pending, int64_t now_us)
{
    if (pending->host_question) {
        int error = gw_resolve_take(&pending->host_question, &pending->host);
        if (!pending->host_question)
            pending->error = error;
    }
    if (pending->home_question) // its failing means that it has no address of its own
        gw_resolve_take(&pending->home_question, &pending->home);
    if (!pending->host_question && (pending->error || !pending->home_question))
        return true;
    if (now_us < pending->until_us)
        return false;
    pending->error = -ETIMEDOUT;
    return true;
}

static void handle_connect(struct gw_door *door, int worker, const struct gw_door_request *request,
                           const struct gw_door_leaf *leaf)
{
    struct desk *desk = &door->desks[worker];
    struct pending *pending = calloc(1, sizeof(*pending));
    if (!pending)
        abort();
    pending->request = *request;
    pending->until_us = gw_mono_us() + NAME_LIMIT_US;
    pending->error =
        look_up(request->host, request->ports[0], &pending->host, &pending->host_question);
    if (!pending->error && strcasecmp(request->host, leaf->home))
        look_up(leaf->home, 0, &pending->home, &pending->home_question);
    if (is_answered(pending, gw_mono_us())) {
        finish_connect(door, worker, pending);
        free_pending(pending);
    } else {
        desk->pending[desk->pending_count++] = pending;
    }
}

static void step_pending(struct gw_door *door, int worker, int64_t now_us)
{
    struct desk *desk = &door->desks[worker];
    for (int i = 0; i < desk->pending_count;) {
        struct pending *pending = desk->pending[i];
        if (!is_answered(pending, now_us)) {
            i++;
            continue;
        }
        desk->pending[i] = desk->pending[--desk->pending_count];
        finish_connect(door, worker, pending);
        free_pending(pending);
    }
}

// --- requests ------------------------------------------------------------------------------------

static bool is_terminated(const char *text, size_t size)
{
    return memchr(text, 0, size);
}

static bool is_sound(const struct gw_door_request *request, ssize_t size)
{
    return size == sizeof(*request) && request->kind >= GW_DOOR_CONNECT &&
           request->kind <= GW_DOOR_AIM_UDP && request->stream < GW_DOOR_STREAM_COUNT &&
           is_terminated(request->camera, sizeof(request->camera)) &&
           is_terminated(request->host, sizeof(request->host)) &&
           gw_camera_id_valid(request->camera) &&
           (request->kind == GW_DOOR_OPEN_UDP || request->ports[0]) &&
           (request->kind != GW_DOOR_AIM_UDP || request->ports[1]);
}

static void handle_request(struct gw_door *door, int worker, const struct gw_door_request *request)
{
    struct gw_door_leaf *leaf = find_leaf(door, worker, request);
    if (!leaf)
        return;
    if (request->kind != GW_DOOR_AIM_UDP && !gw_door_leaf_use_allowance(leaf, gw_mono_us())) {
        refuse(door, worker, request, -EAGAIN, "it asks too often");
        return;
    }
    switch ((enum gw_door_kind)request->kind) {
    case GW_DOOR_CONNECT: handle_connect(door, worker, request, leaf); break;
    case GW_DOOR_OPEN_UDP: handle_open_udp(door, worker, request, leaf); break;
    case GW_DOOR_AIM_UDP: handle_aim_udp(door, worker, request, leaf); break;
    }
}

static void close_desk(struct desk *desk)
{
    if (desk->fd >= 0)
        close(desk->fd);
    desk->fd = -1;
    for (int i = 0; i < desk->pending_count; i++)
        free_pending(desk->pending[i]);
    desk->pending_count = 0;
}

static void serve(struct gw_door *door, int worker)
{
    struct desk *desk = &door->desks[worker];
    struct {
        struct gw_door_request request;
        char more; // tells a message that is too long
    } message;

    for (int i = 0; i < BATCH && desk->pending_count < PENDING_MAX; i++) {
        // Descriptors that a worker sends along are closed by the kernel.
        ssize_t size = recv(desk->fd, &message, sizeof(message), MSG_DONTWAIT);
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (size <= 0) {
            close_desk(desk);
            return;
        }
        if (is_sound(&message.request, size)) {
            handle_request(door, worker, &message.request);
        } else {
            door->counters.malformed++;
            complain(door, worker, "?", "its message makes no sense");
        }
    }
}

// --- the thread ----------------------------------------------------------------------------------

static void add_poll(struct pollfd *polls, int *count, int fd)
{
    polls[(*count)++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

// Slot 0 is for waking, then one per worker (-1: not now), then the questions.
static int gather(const struct gw_door *door, struct pollfd *polls)
{
    int count = 0;
    add_poll(polls, &count, door->wake_fd);
    for (int i = 0; i < door->config.workers; i++) {
        const struct desk *desk = &door->desks[i];
        add_poll(polls, &count, desk->pending_count < PENDING_MAX ? desk->fd : -1);
    }
    for (int i = 0; i < door->config.workers; i++)
        for (int j = 0; j < door->desks[i].pending_count; j++) {
            const struct pending *pending = door->desks[i].pending[j];
            if (pending->host_question)
                add_poll(polls, &count, gw_resolve_fd(pending->host_question));
            if (pending->home_question)
                add_poll(polls, &count, gw_resolve_fd(pending->home_question));
        }
    return count;
}

static void step(struct gw_door *door, const struct pollfd *polls)
{
    int64_t now_us = gw_mono_us();
    uint64_t woken;

    if (polls[0].revents && read(door->wake_fd, &woken, sizeof(woken)) < 0)
        assert(errno == EAGAIN);
    for (int i = 0; i < door->config.workers; i++) {
        step_pending(door, i, now_us);
        if (polls[1 + i].revents && door->desks[i].fd >= 0)
            serve(door, i);
    }
    gw_door_book_expire(&door->book, now_us);
}

static void *run(void *opaque)
{
    struct gw_door *door = opaque;
    size_t room = 1 + (size_t)door->config.workers * (1 + 2 * PENDING_MAX);
    struct pollfd *polls = calloc(room, sizeof(*polls));
    if (!polls)
        abort();

    pthread_mutex_lock(&door->lock);
    while (!door->stopping) {
        int count = gather(door, polls);
        pthread_mutex_unlock(&door->lock);
        if (poll(polls, (nfds_t)count, 1000) < 0) // by then something may be over its time
            assert(errno == EINTR);
        pthread_mutex_lock(&door->lock);
        step(door, polls);
    }
    pthread_mutex_unlock(&door->lock);
    free(polls);
    return NULL;
}

static void wake(struct gw_door *door)
{
    // Cannot fail but for a counter near 2^64.
    if (write(door->wake_fd, &(uint64_t){1}, sizeof(uint64_t)) < 0)
        assert(errno == EAGAIN);
}

// --- from the hub's thread -----------------------------------------------------------------------

static void free_door(struct gw_door *door)
{
    for (int i = 0; i < door->config.workers; i++)
        close_desk(&door->desks[i]);
    gw_door_book_finish(&door->book);
    if (door->wake_fd >= 0)
        close(door->wake_fd);
    pthread_mutex_destroy(&door->lock);
    free(door->desks);
    free(door);
}

int gw_door_create(struct gw_door **ret, const struct gw_door_config *config)
{
    struct gw_door *door = calloc(1, sizeof(*door));
    struct desk *desks = calloc((size_t)config->workers, sizeof(*desks));
    if (!door || !desks)
        abort();
    door->config = *config;
    door->desks = desks;
    for (int i = 0; i < config->workers; i++)
        desks[i].fd = -1;
    pthread_mutex_init(&door->lock, NULL);
    door->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error = door->wake_fd < 0 ? -errno : -pthread_create(&door->thread, NULL, run, door);
    if (error) {
        free_door(door);
        return error;
    }
    pthread_setname_np(door->thread, "door");
    *ret = door;
    return 0;
}

void gw_door_destroy(struct gw_door **door)
{
    struct gw_door *it = *door;
    if (!it)
        return;
    pthread_mutex_lock(&it->lock);
    it->stopping = true;
    pthread_mutex_unlock(&it->lock);
    wake(it);
    pthread_join(it->thread, NULL);
    free_door(it);
    *door = NULL;
}

void gw_door_admit(struct gw_door *door, int worker, int fd)
{
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){SEND_BUFFER}, sizeof(int));
    pthread_mutex_lock(&door->lock);
    close_desk(&door->desks[worker]);
    door->desks[worker].fd = fd;
    gw_door_book_forget_worker(&door->book, worker);
    pthread_mutex_unlock(&door->lock);
    wake(door);
}

void gw_door_assign(struct gw_door *door, const struct gw_assignment *assignment)
{
    pthread_mutex_lock(&door->lock);
    gw_door_book_assign(&door->book, assignment, gw_mono_us());
    pthread_mutex_unlock(&door->lock);
}

void gw_door_count(struct gw_door *door, struct gw_door_counters *ret)
{
    pthread_mutex_lock(&door->lock);
    *ret = door->counters;
    pthread_mutex_unlock(&door->lock);
}
