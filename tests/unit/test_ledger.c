// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <zmq.h>

#include <sqlite3.h>

#include "app/ledger.h"
#include "app/protocol.h"
#include "index_store.h"

static const struct gw_log quiet = {.name = "test"};

// A hub's ledger with one worker's socket at the other end.
struct books {
    void *zmq, *router, *worker;
    struct gw_publisher *publisher;
    struct gw_console *console;
    struct gw_ledger *ledger;
    struct gw_id boot;
    int committed; // entries that the hub was told of
    int asked;     // for room
    bool helps;
};
static struct books books;

static void count_committed(void *opaque, const struct gw_fact_entry *entry)
{
    (void)entry;
    ((struct books *)opaque)->committed++;
}

static void run_sql(const char *sql)
{
    char path[PATH_MAX];
    sqlite3 *db;
    snprintf(path, sizeof(path), "%s/index.db", store);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

// A trigger that refuses rows stands for a full disk.
static bool make_room(void *opaque, int error)
{
    assert_true(error < 0);
    books.asked++;
    if (books.helps)
        run_sql("DROP TRIGGER full");
    return books.helps;
}

static int open_books(void **state)
{
    char error[256];
    make_store(state);
    gw_log_setup(GW_LOG_ERROR, false);
    books = (struct books){.zmq = zmq_ctx_new(), .boot = gw_id_make(1)};
    books.router = zmq_socket(books.zmq, ZMQ_ROUTER);
    books.worker = zmq_socket(books.zmq, ZMQ_DEALER);
    zmq_setsockopt(books.worker, ZMQ_ROUTING_ID, books.boot.bytes, sizeof(books.boot.bytes));
    assert_int_equal(zmq_bind(books.router, "inproc://workers"), 0);
    assert_int_equal(zmq_connect(books.worker, "inproc://workers"), 0);
    struct gw_publisher_config publisher = {
        .zmq = books.zmq, .endpoint = "inproc://bus", .source = "/gridwatch/", .store = store};
    assert_int_equal(gw_publisher_create(&books.publisher, &publisher), 0);
    struct gw_console_config console = {
        .listen = "127.0.0.1:0", .store = store, .division = "", .site_name = "", .log = &quiet};
    assert_int_equal(gw_console_create(&books.console, &console, error), 0);
    struct gw_ledger_config config = {.index = idx,
                                      .publisher = books.publisher,
                                      .console = books.console,
                                      .workers = books.router,
                                      .log = &quiet,
                                      .opaque = &books,
                                      .committed = count_committed,
                                      .make_room = make_room};
    assert_int_equal(gw_ledger_create(&books.ledger, &config), 0);
    return 0;
}

static int close_books(void **state)
{
    gw_ledger_destroy(&books.ledger);
    gw_console_destroy(&books.console);
    gw_publisher_destroy(&books.publisher);
    zmq_close(books.worker);
    zmq_close(books.router);
    zmq_ctx_term(books.zmq);
    return remove_store(state);
}

static void take(uint64_t seq, enum gw_fact_kind kind)
{
    struct gw_fact_entry entry = {.boot = books.boot, .boot_seq = seq, .fact = {.kind = kind}};
    entry.fact.camera = (struct gw_camera_state){"gate-07", GW_CAMERA_ONLINE, "", TEST_START_US};
    gw_ledger_take(books.ledger, &entry);
}

// The newest ack that the worker has got, 0 when there was none.
static uint64_t last_ack(void)
{
    uint64_t seq = 0;
    json_t *message;
    zmq_pollitem_t item = {.socket = books.worker, .events = ZMQ_POLLIN};
    while (zmq_poll(&item, 1, 50) > 0 && gw_protocol_receive(books.worker, NULL, &message) == 1) {
        assert_string_equal(gw_protocol_type(message), "ack");
        assert_int_equal(gw_protocol_read_ack(message, &seq), 0);
        json_decref(message);
    }
    return seq;
}

static void an_ack_covers_what_is_committed(void **state)
{
    take(1, GW_FACT_CAMERA_ONLINE);
    take(2, GW_FACT_CAMERA_ONLINE);
    assert_int_equal(last_ack(), 0);
    gw_ledger_flush(books.ledger);
    assert_int_equal(last_ack(), 2);
    assert_int_equal(books.committed, 2);
    assert_int_equal(gw_ledger_head(books.ledger), 2);
}

static void facts_behind_a_failed_commit_are_not_acked_before_those_in_it(void **state)
{
    take(1, GW_FACT_CAMERA_ONLINE);
    gw_ledger_flush(books.ledger);
    assert_int_equal(last_ack(), 1);

    take(2, GW_FACT_CAMERA_ONLINE);
    take(3, (enum gw_fact_kind)99); // stands for a disk that is full for a moment
    gw_ledger_flush(books.ledger);
    assert_true(gw_ledger_failing(books.ledger));
    assert_int_equal(last_ack(), 0);
    struct gw_ledger_counters counters;
    gw_ledger_count(books.ledger, &counters);
    assert_int_equal(counters.commits, 1);

    take(4, GW_FACT_CAMERA_ONLINE); // was on its way already
    gw_ledger_flush(books.ledger);
    assert_true(last_ack() <= 1);
    assert_int_equal(gw_index_head(idx), 1);
    assert_int_equal(books.committed, 1);
    assert_true(gw_ledger_failing(books.ledger)); // that commit had nothing to write

    for (uint64_t seq = 2; seq <= 4; seq++) // the worker heard no ack and begins again
        take(seq, GW_FACT_CAMERA_ONLINE);
    gw_ledger_flush(books.ledger);
    assert_int_equal(last_ack(), 4);
    assert_false(gw_ledger_failing(books.ledger));
    assert_int_equal(gw_index_head(idx), 4);
    assert_int_equal(books.committed, 4);
}

static void a_commit_for_which_room_was_made_is_tried_again_at_once(void **state)
{
    run_sql("CREATE TRIGGER full BEFORE INSERT ON boot BEGIN SELECT RAISE(ABORT, 'full'); END");
    take(1, GW_FACT_CAMERA_ONLINE);
    gw_ledger_flush(books.ledger);
    assert_true(gw_ledger_failing(books.ledger));
    assert_int_equal(books.asked, 1);
    assert_int_equal(last_ack(), 0);

    books.helps = true;
    take(1, GW_FACT_CAMERA_ONLINE);
    gw_ledger_flush(books.ledger);
    assert_false(gw_ledger_failing(books.ledger));
    assert_int_equal(last_ack(), 1);
    assert_int_equal(books.committed, 1);
}

static void a_fact_that_makes_no_sense_is_acked_in_its_turn(void **state)
{
    gw_ledger_refuse(books.ledger, &books.boot, 2);
    assert_int_equal(last_ack(), 0);
    take(1, GW_FACT_CAMERA_ONLINE);
    gw_ledger_refuse(books.ledger, &books.boot, 2);
    assert_int_equal(last_ack(), 2);
    take(3, GW_FACT_CAMERA_ONLINE);
    gw_ledger_flush(books.ledger);
    assert_int_equal(last_ack(), 3);
    assert_int_equal(gw_index_head(idx), 2);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, open_books, close_books)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(an_ack_covers_what_is_committed),
        FACT(a_commit_for_which_room_was_made_is_tried_again_at_once),
        FACT(facts_behind_a_failed_commit_are_not_acked_before_those_in_it),
        FACT(a_fact_that_makes_no_sense_is_acked_in_its_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
