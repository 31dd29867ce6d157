# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The console's event stream: nothing missed, nothing twice, and it ends when it should."""
import http.client
import pathlib
import time

import pytest

from console_client import Client, ConsoleHost


@pytest.fixture(scope="module")
def host():
    host = ConsoleHost("--events", 3)
    yield host
    host.close()


@pytest.fixture
def own_host():
    """A console for one test that ends it."""
    host = ConsoleHost("--events", 1)
    yield host
    host.close()


@pytest.fixture(scope="module")
def client(host):
    return Client(host).sign_in()


def test_a_new_fact_is_on_the_stream_at_once(host, client):
    with client.stream() as stream:
        assert stream.response.getheader("Content-Type") == "text/event-stream"
        assert next(stream.blocks()) == ["retry: 2000"]
        began = time.monotonic()
        event = host.ask("event")[0]
        facts = stream.facts(5)
        assert time.monotonic() - began < 1
    assert [fact["kind"] for fact in facts] == ["clip.opened", "event.opened", "alert.raised", "event.closed",
                                                "clip.closed"]
    assert facts[1]["data"]["id"] == event and facts[1]["data"]["camera_name"]


def test_a_stream_that_comes_back_gets_each_missed_fact_once(host, client):
    with client.stream() as stream:
        next(stream.blocks())
        host.ask("event")
        first = stream.facts(3)
    for _ in range(3):
        head = int(host.ask("event")[2])
    last = first[-1]["seq"]
    with client.stream(Last_Event_ID=str(last)) as stream:
        missed = stream.facts(head - last)
        head = int(host.ask("event")[2])
        live = stream.facts(5)
    seqs = [fact["seq"] for fact in first + missed + live]
    assert seqs == list(range(first[0]["seq"], head + 1))


def test_many_facts_at_once_arrive_whole_and_in_order(host, client):
    head = client.get("/api/v1/events?limit=1").json()["head"]
    with client.stream(Last_Event_ID="0") as stream:
        assert [fact["seq"] for fact in stream.facts(head)] == list(range(1, head + 1))


def test_a_stream_that_begins_where_a_list_ended_misses_nothing(host, client):
    head = client.get("/api/v1/events?limit=1").json()["head"]
    event = host.ask("event")[0]
    with client.stream(f"?since={head}") as stream:
        facts = stream.facts(5)
    assert [fact["seq"] for fact in facts] == list(range(head + 1, head + 6))
    assert facts[1]["data"]["id"] == event


def test_a_number_from_another_index_begins_now(host, client):
    with client.stream(Last_Event_ID="999999999999") as stream:
        next(stream.blocks())
        event = host.ask("event")[0]
        assert stream.facts(2)[1]["data"]["id"] == event


def test_a_stream_from_a_place_that_is_no_number_is_refused(client):
    for bad in ("x", "-1", "", "1.5", "99999999999999999999999"):
        assert client.get("/api/v1/stream", Last_Event_ID=bad).status == 400
    assert client.get("/api/v1/stream?since=x").status == 400


def test_a_quiet_stream_says_that_it_lives(host, client):
    with client.stream() as stream:
        blocks = stream.blocks()
        next(blocks)
        began = time.monotonic()
        assert next(blocks)[0].startswith(":")
        assert 13 < time.monotonic() - began < 18


def open_streams(client):
    lines = client.get("/metrics").body.decode().splitlines()
    return int(next(line for line in lines if line.startswith("gridwatch_console_event_streams ")).split()[1])


def test_a_browser_that_leaves_frees_its_stream_soon(own_host):
    client = Client(own_host).sign_in()
    streams = [client.stream() for _ in range(5)]
    for stream in streams:
        next(stream.blocks())
    assert open_streams(client) == 5
    for stream in streams:
        stream.response.close()
        stream.connection.close()
    deadline = time.monotonic() + 5
    while open_streams(client) > 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_one_stream_too_many_is_told_so_and_the_others_go_on(own_host):
    client = Client(own_host).sign_in()
    streams = [client.stream() for _ in range(128)]
    assert {stream.response.status for stream in streams} == {200}
    refused = client.get("/api/v1/stream")
    assert refused.status == 503 and "128" in refused.json()["detail"]
    assert client.request("HEAD", "/api/v1/stream").status == 200 # takes none
    event = own_host.ask("event")[0]
    for stream in (streams[0], streams[-1]):
        assert stream.facts(2)[1]["data"]["id"] == event
    streams[0].response.close()
    streams[0].connection.close()
    deadline = time.monotonic() + 5
    while client.stream().response.status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_stopping_ends_every_stream_at_once(own_host):
    client = Client(own_host).sign_in()
    streams = [client.stream() for _ in range(10)]
    for stream in streams:
        next(stream.blocks())
    began = time.monotonic()
    own_host.close()
    assert time.monotonic() - began < 3
    for stream in streams:
        assert list(stream.blocks()) == []
        stream.connection.close()


def test_stopping_does_not_wait_for_a_client_that_takes_nothing(own_host):
    client = Client(own_host).sign_in()
    clip = client.items("/api/v1/clips")[0]
    with next(pathlib.Path(own_host.store).glob(f"media/*/*/*-{clip['id']}.mp4")).open("ab") as out:
        out.truncate(64 << 20)
    connection = http.client.HTTPConnection(own_host.netloc, timeout=20)
    connection.request("GET", f"/api/v1/clips/{clip['id']}/media", headers=client.headers)
    assert connection.getresponse().read(100)
    began = time.monotonic()
    own_host.close()
    assert time.monotonic() - began < 3
    connection.close()


def test_signing_out_ends_the_session_and_its_streams(host):
    client, other = Client(host).sign_in(), Client(host).sign_in()
    with client.stream() as stream, other.stream() as goes_on:
        assert next(stream.blocks()) == ["retry: 2000"]
        answer = client.request("DELETE", "/api/v1/session")
        assert answer.status == 204 and "Max-Age=0" in answer.headers["set-cookie"]
        began = time.monotonic()
        assert list(stream.blocks()) == []
        assert time.monotonic() - began < 2
        host.ask("event")
        assert len(goes_on.facts(1)) == 1
    assert client.get("/api/v1/events").status == 401
