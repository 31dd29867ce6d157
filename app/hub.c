// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/hub.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "app/hub_internal.h"
#include "app/placement.h"
#include "app/process.h"
#include "app/protocol.h"
#include "app/strays.h"
#include "core/clock.h"
#include "core/error.h"

#define TICK_US        (1 * GW_SECOND)
#define STOP_LIMIT_US  (4 * GW_SECOND) // then workers that have not stopped are killed
#define LOGIN_VALID_US (12 * 3600 * GW_SECOND)

static const struct gw_log hub_log = {.name = "hub"};

// --- facts ---------------------------------------------------------------------------------------

static int place_of(const struct gw_hub *hub, const struct gw_crew_member *member)
{
    return (int)(member - gw_crew_member(hub->crew, 0));
}

static bool note_camera(struct gw_hub *hub, const struct gw_crew_member *member,
                        const struct gw_camera_state *state)
{
    return gw_assignment_note(&hub->assignment, place_of(hub, member), state->camera,
                              gw_camera_delivers(state->status));
}

// Keeps the books of what is open and which camera is online; what a worker opened that is gone is
// nobody's, and so is a camera that was taken from its worker.
void gw_hub_handle_committed(void *opaque, const struct gw_fact_entry *entry)
{
    struct gw_hub *hub = opaque;
    struct gw_crew_member *member = gw_crew_find(hub->crew, &entry->boot);
    enum gw_fact_kind kind = entry->fact.kind;

    if (!member) {
        hub->strays = true;
        return;
    }
    gw_crew_note(member, &entry->fact);
    if (kind == GW_FACT_CAMERA_ONLINE || kind == GW_FACT_CAMERA_OFFLINE ||
        kind == GW_FACT_CAMERA_DEGRADED)
        hub->strays |= !note_camera(hub, member, &entry->fact.camera);
}

static void settle_strays(struct gw_hub *hub)
{
    const struct gw_strays_config config = {.index = hub->index,
                                            .crew = hub->crew,
                                            .assignment = &hub->assignment,
                                            .ledger = hub->ledger,
                                            .workers = hub->workers,
                                            .log = &hub_log,
                                            .stopping = gw_process_stop_requested()};
    hub->strays = !gw_strays_settle(&config);
}

// --- workers -------------------------------------------------------------------------------------

static void assign(struct gw_hub *hub, struct gw_crew_member *member)
{
    struct gw_camera *cameras = calloc((size_t)hub->assignment.count + 1, sizeof(*cameras));
    if (!cameras)
        abort();
    int count = gw_assignment_of(&hub->assignment, place_of(hub, member), cameras);
    gw_protocol_send(hub->workers, &member->boot,
                     gw_protocol_assign(&hub->settings, cameras, count));
    free(cameras);
}

static void handle_hello(struct gw_hub *hub, const struct gw_id *boot, const json_t *message)
{
    struct gw_id said;
    char name[32];
    struct gw_crew_member *member = NULL;

    if (gw_protocol_read_hello(message, &said, name) == 0 && gw_id_equal(&said, boot))
        member = gw_crew_welcome(hub->crew, boot, name, gw_mono_us());
    if (!member) {
        gw_log_warning(&hub_log,
                       "a worker that this hub did not start said hello; it gets no cameras");
        return;
    }
    assign(hub, member);
}

static void handle_status(struct gw_hub *hub, struct gw_crew_member *member, const json_t *message)
{
    struct gw_camera_metrics *metrics;
    int count = gw_protocol_read_status(message, &metrics);

    if (count < 0) {
        hub->counters.bad_messages++;
        return;
    }
    if (member) {
        member->heard_us = gw_mono_us();
        gw_site_status_put(hub->status, place_of(hub, member), metrics, count);
    }
    free(metrics);
}

static void handle_covered(struct gw_hub *hub, const struct gw_crew_member *member, json_t *message)
{
    if (member)
        gw_covered_note(hub->covered, place_of(hub, member), &member->boot, message);
}

// --- messages ------------------------------------------------------------------------------------

static void handle_fact(struct gw_hub *hub, const struct gw_id *boot, const json_t *message)
{
    struct gw_fact_entry entry = {.boot = *boot};

    if (gw_protocol_read_fact(message, &entry.boot_seq, &entry.fact) == 0) {
        gw_ledger_take(hub->ledger, &entry);
        return;
    }
    hub->counters.bad_messages++;
    gw_log_error(&hub_log,
                 "a worker sent a fact that makes no sense (its number %llu); it is dropped",
                 (unsigned long long)entry.boot_seq);
    if (entry.boot_seq)
        gw_ledger_refuse(hub->ledger, boot, entry.boot_seq);
}

static void handle_message(struct gw_hub *hub, const struct gw_id *boot, json_t *message)
{
    const char *type = gw_protocol_type(message);

    if (!strcmp(type, "fact"))
        handle_fact(hub, boot, message);
    else if (!strcmp(type, "status"))
        handle_status(hub, gw_crew_find(hub->crew, boot), message);
    else if (!strcmp(type, "covered"))
        handle_covered(hub, gw_crew_find(hub->crew, boot), message);
    else if (!strcmp(type, "hello"))
        handle_hello(hub, boot, message);
    else
        hub->counters.bad_messages++;
}

// Takes everything that has arrived; what came together is committed together.
static void receive(struct gw_hub *hub)
{
    struct gw_id boot;
    json_t *message;
    int got;

    while ((got = gw_protocol_receive(hub->workers, &boot, &message)) != 0) {
        if (got < 0) {
            hub->counters.bad_messages++;
            continue;
        }
        handle_message(hub, &boot, message);
        json_decref(message);
    }
    gw_ledger_flush(hub->ledger);
}

// Tells every worker what it has from now on; the door first, so that it knows whom they ask for.
static void assign_all(struct gw_hub *hub)
{
    gw_door_assign(hub->door, &hub->assignment);
    for (int i = 0; i < gw_crew_count(hub->crew); i++)
        if (gw_crew_member(hub->crew, i)->present)
            assign(hub, gw_crew_member(hub->crew, i));
}

static void judge(struct gw_hub *hub, const struct gw_crew_member *member)
{
    const struct gw_placement_verdict verdict =
        gw_placement_death(&hub->assignment, hub->counters.workers, place_of(hub, member),
                           member->present_us, gw_mono_us());
    if (verdict.suspects)
        gw_log_error(&hub_log,
                     "worker %s died again with the same cameras: the %d of them are tried in turn "
                     "to find out which one does it",
                     member->name, verdict.suspects);
    if (*verdict.isolated)
        gw_log_error(&hub_log, "camera %s makes its worker die, alone; it is tried again in %d min",
                     verdict.isolated, (int)(verdict.retry_after_us / (60 * GW_SECOND)));
}

static void reap(struct gw_hub *hub)
{
    struct gw_crew_member *member;
    while ((member = gw_crew_reap(hub->crew, gw_mono_us()))) {
        const bool died = !gw_process_stop_requested() && !member->dismissed;
        hub->counters.worker_restarts += died;
        receive(hub); // its last words
        hub->counters.bad_messages += gw_covered_stamp(hub->covered, place_of(hub, member)) < 0;
        gw_site_status_lose(hub->status, place_of(hub, member));
        gw_assignment_lose(&hub->assignment, place_of(hub, member));
        if (member->crashed)
            judge(hub, member);
        hub->strays = true;
    }
}

// Moves cameras as far as dead workers, and those that live again, make it necessary.
static void place_cameras(struct gw_hub *hub)
{
    enum { MOST = 256 }; // as many as the configuration allows
    int64_t there_us[MOST + 1];
    bool waits[MOST];
    const int64_t now_us = gw_mono_us();
    const int workers = hub->counters.workers;

    assert(workers <= MOST);
    for (int i = 0; i <= workers; i++) {
        const struct gw_crew_member *member = gw_crew_member(hub->crew, i);
        there_us[i] = member->present ? member->present_us : 0;
        if (i < workers)
            waits[i] = !member->pid && member->restart_us > now_us;
    }
    const struct gw_placement_crew crew = {workers, there_us, waits};
    if (gw_placement_step(&hub->assignment, &crew, now_us)) {
        hub->strays = true;
        gw_crew_forgive_bench(hub->crew);
        assign_all(hub);
    }
    gw_crew_want_bench(hub->crew, gw_placement_needs_bench(&hub->assignment, workers));
}

// --- the registry --------------------------------------------------------------------------------

// Cameras whose passwords cannot be opened are connected to without them; once, the log says why
// they will refuse.
static void tell_locked(struct gw_hub *hub)
{
    const char *locked = gw_index_locked(hub->index);

    if (*locked && strcmp(locked, hub->locked))
        gw_log_error(&hub_log, "cameras get no user name and password: %s", locked);
    snprintf(hub->locked, sizeof(hub->locked), "%s", locked);
}

// Reads the registry when somebody changed it, and tells the workers.
static void update_cameras(struct gw_hub *hub, bool force)
{
    struct gw_camera_row *rows;
    int64_t version = gw_index_version(hub->index);

    if (!force && version == hub->index_version)
        return;
    int count = gw_index_cameras(hub->index, &rows);
    if (count < 0) {
        gw_log_error(&hub_log, "cannot read the registry: %s", gw_index_error(hub->index));
        return;
    }
    hub->index_version = version;
    tell_locked(hub);
    hub->strays = true; // a camera that was disabled is not online, one that was removed has no gap
    struct gw_camera *cameras = calloc((size_t)count + 1, sizeof(*cameras));
    if (!cameras)
        abort();
    for (int i = 0; i < count; i++)
        cameras[i] = rows[i].camera;
    free(rows);
    if (gw_assignment_update(&hub->assignment, cameras, count, hub->counters.workers)) {
        gw_log_info(&hub_log, "%d cameras", hub->assignment.count);
        gw_strays_settle_coverage(hub->ledger, hub->crew);
        assign_all(hub);
    }
    free(cameras);
}

// --- the loop ------------------------------------------------------------------------------------

static const char *find_problem(const struct gw_hub *hub)
{
    if (gw_ledger_failing(hub->ledger))
        return "the index does not commit; is the disk full?";
    if (hub->counters.workers_present < hub->counters.workers)
        return "a worker is not there yet";
    return hub->counters.shared.problem;
}

static void tick(struct gw_hub *hub)
{
    hub->counters.workers_present = 0;
    for (int i = 0; i < hub->counters.workers; i++)
        hub->counters.workers_present += gw_crew_member(hub->crew, i)->present;
    update_cameras(hub, false);
    hub->counters.bad_messages += (uint64_t)gw_covered_stamp_when_due(hub->covered, gw_mono_us());
    if (hub->strays && !gw_process_stop_requested())
        settle_strays(hub);
    gw_ledger_count(hub->ledger, &hub->counters.ledger);
    gw_publisher_count(hub->publisher, &hub->counters.bus);
    gw_door_count(hub->door, &hub->counters.door);
    if (hub->feeder)
        gw_feeder_read(hub->feeder, &hub->counters.shared);
    hub->counters.suspects = gw_placement_suspects(&hub->assignment);
    gw_ledger_publish(hub->ledger); // what retention deleted
    gw_publisher_heartbeat(hub->publisher, gw_ledger_head(hub->ledger), gw_wall_us());
    gw_site_status_set(hub->status, &hub->counters, find_problem(hub));
}

// Once, when every worker has come: scripts wait for this line.
static void say_ready(struct gw_hub *hub)
{
    for (int i = 0; !hub->ready && i < hub->counters.workers; i++)
        if (!gw_crew_member(hub->crew, i)->present)
            return;
    if (hub->ready)
        return;
    hub->ready = true;
    tick(hub);
    puts("ready");
    fflush(stdout);
}

static void wait_for_work(struct gw_hub *hub)
{
    zmq_pollitem_t items[] = {
        {.socket = hub->workers, .events = ZMQ_POLLIN},
        {.socket = gw_publisher_socket(hub->publisher), .events = ZMQ_POLLIN},
    };
    zmq_poll(items, 2, 100); // a signal interrupts it, which is as good as work
    if (items[1].revents)
        gw_publisher_read(hub->publisher);
}

static void run(struct gw_hub *hub)
{
    int64_t next_tick_us = 0, stop_us = 0;

    while (!stop_us || gw_crew_running(hub->crew)) {
        int64_t now_us = gw_mono_us();
        if (!stop_us && gw_process_stop_requested()) {
            gw_crew_stop(hub->crew);
            stop_us = now_us;
        }
        if (stop_us && now_us - stop_us > STOP_LIMIT_US) {
            gw_log_warning(&hub_log, "a worker did not stop within %d s and is killed",
                           (int)(STOP_LIMIT_US / GW_SECOND));
            break;
        }
        if (!stop_us)
            place_cameras(hub);
        gw_crew_step(hub->crew, now_us);
        wait_for_work(hub);
        receive(hub);
        reap(hub);
        say_ready(hub);
        if (now_us >= next_tick_us) {
            next_tick_us = now_us + TICK_US;
            tick(hub);
        }
    }
    receive(hub);
    settle_strays(hub); // all but clips, which need a worker: the next run has one
}

static void announce(struct gw_hub *hub)
{
    char code[GW_LOGIN_CODE_SIZE];

    printf("console %s\n", gw_console_address(hub->console));
    if (gw_console_make_login(hub->site->store, LOGIN_VALID_US, code) == 0)
        printf("login %s/#/login/%s\n", gw_console_address(hub->console), code);
    else
        gw_log_error(&hub_log, "cannot make a login; try `gridwatch user login`");
    printf("bus %s\n", gw_publisher_endpoint(hub->publisher));
    fflush(stdout);
}

int gw_hub_run(const struct gw_hub_config *config)
{
    const struct gw_config *site = config->site;
    struct gw_hub *hub = calloc(1, sizeof(*hub));

    if (!hub)
        abort();
    hub->site = site;
    hub->settings = gw_settings_of(site);
    hub->files.lock_fd = -1;
    gw_process_prepare();
    int code = gw_hub_open(hub, config);
    if (!code) {
        update_cameras(hub, true);
        announce(hub);
        run(hub);
        gw_log_info(&hub_log, "stopped");
    }
    gw_hub_close(hub);
    free(hub);
    return code;
}
