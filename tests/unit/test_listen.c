// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "console/listen.h"
#include "core/error.h"

static void an_address_splits_into_host_and_port(void **state)
{
    const struct {
        const char *listen, *host;
        int port;
    } good[] = {{"127.0.0.1:8471", "127.0.0.1", 8471},
                {"[::1]:80", "::1", 80},
                {":0", "", 0},
                {"console.example:65535", "console.example", 65535}};
    char host[GW_HOST_SIZE];
    int port;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(gw_listen_split(good[i].listen, host, &port));
        assert_string_equal(host, good[i].host);
        assert_int_equal(port, good[i].port);
    }
}

static void what_has_no_port_is_no_address(void **state)
{
    const char *bad[] = {"",
                         "8471",
                         "127.0.0.1",
                         "127.0.0.1:",
                         "127.0.0.1:http",
                         "127.0.0.1:65536",
                         "127.0.0.1:-1",
                         "::1:8471",
                         "127.0.0.1:84 71"};
    char host[GW_HOST_SIZE];
    int port;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(gw_listen_split(bad[i], host, &port));
}

static void a_port_in_use_is_said_with_its_address(void **state)
{
    char error[256], listen[64], address[192];
    int first = gw_listen_open("127.0.0.1:0", error);
    assert_true(first >= 0);
    gw_listen_address("127.0.0.1:0", gw_listen_port(first), address, sizeof(address));
    strcpy(listen, address + strlen("http://"));
    assert_int_equal(gw_listen_open(listen, error), -EADDRINUSE);
    assert_non_null(strstr(error, listen));
    close(first);
}

static void an_address_of_every_interface_is_shown_by_the_machines_name(void **state)
{
    char address[192];
    gw_listen_address("0.0.0.0:8471", 8471, address, sizeof(address));
    assert_null(strstr(address, "0.0.0.0"));
    assert_non_null(strstr(address, ":8471"));
    gw_listen_address("[::1]:0", 99, address, sizeof(address));
    assert_string_equal(address, "http://[::1]:99");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_splits_into_host_and_port),
        cmocka_unit_test(what_has_no_port_is_no_address),
        cmocka_unit_test(a_port_in_use_is_said_with_its_address),
        cmocka_unit_test(an_address_of_every_interface_is_shown_by_the_machines_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
