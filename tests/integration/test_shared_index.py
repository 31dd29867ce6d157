# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A site with a Redis beside its index: what Redis holds, read as another program would, is what the site
recorded; also after Redis was killed, came back empty, or was emptied."""
import pathlib
import shutil
import signal
import struct
import subprocess
import tempfile
import uuid

import pytest
import redis

from gridwatch_site import wait_for

EQUAL_WITHIN_S = 30  # of the return of Redis
STATES = {"event": ["open", "closed"], "clip": ["recording", "closed", "repaired", "lost"], "gap": ["closed", "open"]}
PASSWORD = "only-for-this-test"


class RedisServer:
    """On a socket in a folder of its own, on no port, nothing on disk."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gridwatch-redis."))
        self.socket = self.folder / "redis.sock"
        self.password_file = self.folder / "password"
        self.password_file.write_text(PASSWORD + "\n")
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "", "--appendonly", "no", "--dir",
             self.folder, "--requirepass", PASSWORD], stdout=subprocess.DEVNULL)
        wait_for("redis-server", self.answers, 10)

    def client(self):
        return redis.Redis(unix_socket_path=str(self.socket), password=PASSWORD)

    def answers(self):
        try:
            return self.client().ping()
        except redis.ConnectionError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.socket.unlink(missing_ok=True)

    def close(self):
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder)


@pytest.fixture
def server(opened):
    if not shutil.which("redis-server"):
        pytest.skip("there is no redis-server; deploy/packages test installs it")
    server = RedisServer()
    opened.callback(server.close)
    server.start()
    return server


def shared_rows(server, noun):
    """{id: (state, start, end or None while it goes on)} of Redis."""
    client, rows = server.client(), {}
    for key in client.scan_iter(f"gw:{{640323}}:*:{noun}:rows:*"):
        for row_id, row in client.hgetall(key).items():
            state, _, flags, _, start, end = struct.unpack(">BBBIQQ", row[:23])
            rows[str(uuid.UUID(bytes=row_id))] = (STATES[noun][state], start, None if flags & 1 else end)
    return rows


def own_rows(site, noun):
    rows = {}
    for item in site.get(f"/{noun}s?limit=1000")["items"]:
        start, end = ("from_us", "to_us") if noun == "gap" else ("start_us", "end_us")
        goes_on = item["state"] in ("open", "recording")
        rows[item["id"]] = (item["state"], item[start], None if goes_on else item[end])
    return rows


def is_equal(site, server):
    return all(shared_rows(server, noun) == own_rows(site, noun) for noun in STATES)


def readiness(site):
    status, _, body = site.request("/readyz")
    return status, body.decode()


def metric(site, name):
    lines = site.request("/metrics")[2].decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"gridwatch_shared_index_{name} "))


def record_more(site):
    """A clip ends and another one begins, with a gap between them."""
    known = {clip["id"] for clip in site.clips()}
    site.run("camera disable", "gate")
    wait_for("clip closed", lambda: all(clip["state"] == "closed" for clip in site.clips()), 10)
    site.run("camera enable", "gate")
    wait_for("another clip", lambda: {clip["id"] for clip in site.clips()} - known, 15)


@pytest.fixture
def watched(make_site, make_camera, footage, server):
    site = make_site(f"workers: 1\nindex:\n  engine: redis\n  redis: unix:{server.socket}\n"
                     f"  redis_password_file: {server.password_file}\n").start()
    camera = make_camera({"gate": footage["h264"]}, live=True)
    site.add_camera("gate", camera.url("gate"), record="continuous")
    wait_for("a clip", site.clips, 15)
    return site


def test_redis_may_die_come_back_empty_or_be_emptied(watched, server):
    site = watched
    wait_for("equal rows", lambda: is_equal(site, server), 10)
    wait_for("ready", lambda: readiness(site)[0] == 200, 5)

    server.kill()
    wait_for("the site says so", lambda: readiness(site)[0] == 503, 5)
    assert "the shared index cannot be reached" in readiness(site)[1]
    assert metric(site, "up") == 0
    record_more(site)
    assert own_rows(site, "gap") and len(own_rows(site, "clip")) >= 2

    server.start()
    wait_for("equal rows", lambda: is_equal(site, server), EQUAL_WITHIN_S)
    wait_for("ready", lambda: readiness(site)[0] == 200, 5)
    assert metric(site, "up") == 1 and metric(site, "lag_facts") == 0

    refills = metric(site, "refills_total")
    server.client().flushall()
    wait_for("it is noticed", lambda: metric(site, "refills_total") > refills, EQUAL_WITHIN_S)
    wait_for("equal rows", lambda: is_equal(site, server), EQUAL_WITHIN_S)
    assert PASSWORD not in site.log()


def test_a_redis_that_hangs_holds_up_nobody(watched, server):
    site = watched
    wait_for("equal rows", lambda: is_equal(site, server), 10)
    server.process.send_signal(signal.SIGSTOP)
    record_more(site)
    wait_for("the site says so", lambda: readiness(site)[0] == 503, 10)
    server.process.send_signal(signal.SIGCONT)
    wait_for("equal rows", lambda: is_equal(site, server), EQUAL_WITHIN_S)
    assert site.stop() < 10
