# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding by place and time, as the API and the command line do it, on a console with three cameras: one
looks south-east, one nobody knows whither, one stands nobody knows where. And once on a whole site."""
import json
import subprocess
import time

import pytest

from console_client import BINARY, Client, ConsoleHost
from gridwatch_site import wait_for

EVENTS = 12 # each camera's in turn, a minute apart
GATE, MARKET = (106.4210, 37.7850), (106.4350, 37.7910)
BEFORE_GATE, BEHIND_GATE = "106.4213,37.7847", "106.4207,37.7853"


@pytest.fixture(scope="module")
def host():
    host = ConsoleHost("--events", EVENTS)
    yield host
    host.close()


@pytest.fixture(scope="module")
def client(host):
    return Client(host).sign_in()


@pytest.fixture
def moving():
    """A console for one test, whose cameras come and go."""
    host = ConsoleHost("--events", 3)
    yield host
    host.close()


def cameras(rows):
    return {row["camera"] for row in rows}


AREAS = {
    "box=106.42,37.78,106.43,37.79": {"gate-07"},
    "box=106.42,37.78,106.44,37.80": {"gate-07", "market-02"},
    "box=106.44,37.78,106.42,37.80": set(), # the other way round the globe
    "polygon=106.42,37.784;106.422,37.784;106.421,37.787": {"gate-07"},
    "polygon=106.40,37.70;106.50,37.70;106.45,37.95": {"gate-07", "market-02"},
    "near=106.4350,37.7910,100": {"market-02"},
    f"covers={BEFORE_GATE}": {"gate-07"},
    f"covers={BEHIND_GATE}": set(), # within its range, but behind it
    "covers=106.4217,37.7844": set(), # before it, but 91 m away
    "covers=106.4350,37.7910": set(), # nobody knows how far that one sees
    "division=640323101": {"gate-07", "bridge-01"},
    "division=640323101&grid=004": {"gate-07"},
    "division=640323101&grid=0": {"gate-07", "bridge-01"},
    "division=640323&box=106.42,37.78,106.43,37.79": {"gate-07"},
    "camera=market-02&box=106.42,37.78,106.43,37.79": set(),
    "crs=CGCS2000&near=106.4350,37.7910,100": {"market-02"},
}


@pytest.mark.parametrize("area, expected", AREAS.items())
def test_an_area_finds_what_its_cameras_recorded(client, area, expected):
    for noun in ("events", "clips"):
        assert cameras(client.items(f"/api/v1/{noun}?limit=1000&{area}")) == expected
    assert cameras(client.items(f"/api/v1/gaps?{area}")) == expected & {"bridge-01"}
    assert cameras(client.items(f"/api/v1/places?{area}")) == expected


def test_a_score_leaves_out_what_is_lower(client):
    events = client.items("/api/v1/events?limit=1000")
    bound = sorted(event["score"] for event in events)[len(events) // 2]
    found = client.items(f"/api/v1/events?limit=1000&min_score={bound}")
    assert [event["id"] for event in found] == [event["id"] for event in events if event["score"] >= bound]
    assert 0 < len(found) < len(events)


def test_pages_of_an_area_give_each_of_its_events_once(client):
    whole = [event["id"] for event in client.items(f"/api/v1/events?limit=1000&covers={BEFORE_GATE}")]
    found, cursor = [], ""
    while True:
        page = client.get(f"/api/v1/events?limit=2&covers={BEFORE_GATE}&cursor={cursor}").json()
        found += [event["id"] for event in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    assert found == whole and len(found) >= EVENTS // 3


def test_a_place_says_where_a_camera_looks(client):
    [gate] = client.items(f"/api/v1/places?covers={BEFORE_GATE}")
    assert (gate["lon"], gate["lat"]) == GATE and gate["registered"] and "until" not in gate
    assert tuple(gate[name] for name in ("heading_deg", "fov_deg", "range_m", "height_m")) == (135, 90, 60, 6)
    [bridge] = client.items("/api/v1/places?camera=bridge-01")
    assert not {"lon", "lat", "range_m"} & set(bridge)


def test_counts_by_day_and_by_cell_are_those_of_the_list(client):
    events = client.items("/api/v1/events?limit=1000")
    days = client.get("/api/v1/counts/days?of=events").json()
    assert days["total"] == len(days["items"]) >= 1
    for day in days["items"]:
        begun = [event for event in events if day["from_us"] <= event["start_us"] < day["to_us"]]
        assert day["count"] == len(begun)
        assert day["to_us"] - day["from_us"] in (23 * 3600e6, 24 * 3600e6, 25 * 3600e6)
    assert sum(day["count"] for day in days["items"]) == len(events)
    cells = client.items("/api/v1/counts/cells?of=events")
    assert [(cell["division"], cell["grid"]) for cell in cells] == \
        [("640323101", "004"), ("640323101", "009"), ("640323102", "011")]
    for cell in cells:
        there = [event for event in events if (event["division"], event["grid"]) == (cell["division"], cell["grid"])]
        assert cell["count"] == len(there)
    assert (cells[0]["lon"], cells[0]["lat"]) == pytest.approx(GATE) and "lon" not in cells[1]


def test_counts_are_narrowed_by_place_and_kind(client):
    gate = client.items(f"/api/v1/events?limit=1000&covers={BEFORE_GATE}")
    for by in ("days", "cells"):
        rows = client.items(f"/api/v1/counts/{by}?of=events&covers={BEFORE_GATE}")
        assert sum(row["count"] for row in rows) == len(gate)
        assert client.items(f"/api/v1/counts/{by}?of=events&kind=covered") == []
        assert sum(row["count"] for row in client.items(f"/api/v1/counts/{by}?of=gaps")) == 2
    assert client.items("/api/v1/counts/days?of=clips&to=2001-01-01T00:00:00Z") == []


def test_a_question_that_makes_no_sense_names_what_is_wrong(client):
    wrong = {"places?limit=5": "limit", "places?state=open": "state", "counts/days": "of:", "counts/days?of=cats": "of:",
             "counts/cells?of=clips&kind=motion": "kind:", "events?polygon=1,2;3,4": "polygon:", "events?box=1,2,3,2": "box:",
             "clips?min_score=0.5": "min_score", "events?min_score=2": "min_score:", "gaps?covers=1": "covers:",
             "events?crs=BD-09&near=1,2,3": "crs:", "events?grid=004": "division", "counts/days?of=events&cursor=x": "cursor"}
    for path, names in wrong.items():
        answer = client.get("/api/v1/" + path)
        assert answer.status == 400 and names in answer.json()["detail"], (path, answer.body)


def test_a_camera_that_was_moved_is_found_where_it_stood(moving):
    client = Client(moving).sign_in()
    before = client.items("/api/v1/events?camera=gate-07")
    moved_us = time.time_ns() // 1000
    moving.ask("move")
    moving.ask("event") # the first camera's again
    old, new = "near=106.4210,37.7850,50", "near=106.5,37.9,50"
    [event] = client.items(f"/api/v1/events?{new}")
    assert (event["camera"], event["lon"], event["lat"]) == ("gate-07", 106.5, 37.9)
    assert client.items(f"/api/v1/events?{old}") == before
    first, second = client.items("/api/v1/places?camera=gate-07")
    assert (first["lon"], second["lon"]) == (GATE[0], 106.5)
    assert moved_us <= first["until_us"] == second["since_us"] and "until" not in second
    assert cameras(client.items(f"/api/v1/places?{old}&from={second['since_us'] + 1}")) == set()
    assert cameras(client.items(f"/api/v1/places?{new}&to={first['until_us']}")) == set()


def test_a_camera_that_left_the_registry_is_found_where_it_stood(moving):
    client = Client(moving).sign_in()
    before = client.items("/api/v1/events?camera=market-02")
    moving.ask("leave")
    assert before and client.items("/api/v1/events?near=106.4350,37.7910,50") == before
    [place] = client.items("/api/v1/places?near=106.4350,37.7910,50")
    assert place["camera"] == "market-02" and not place["registered"]


def listed(host, *arguments):
    done = subprocess.run([BINARY, *arguments, "--store", host.store, "--json"], capture_output=True, text=True, timeout=20,
                          check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_command_line_finds_what_the_api_finds(host, client):
    for area, expected in AREAS.items():
        options = [part for pair in area.split("&") for part in ("--" + pair.split("=")[0], pair.split("=")[1])]
        for noun in ("events", "clips"):
            assert cameras(listed(host, noun, *options, "--limit", "1000")) == expected, area
    best = client.items("/api/v1/events?min_score=0.8&limit=1000")
    assert [event["id"] for event in listed(host, "events", "--min-score", "0.8", "--limit", "1000")] == \
        [event["id"] for event in best]


def test_the_registry_says_which_cameras_can_see_a_point(host):
    for point, expected in ((BEFORE_GATE, {"gate-07"}), (BEHIND_GATE, set())):
        assert {row["id"] for row in listed(host, "camera", "list", "--covers", point)} == expected
    done = subprocess.run([BINARY, "camera", "list", "--store", host.store, "--covers", "106"], capture_output=True,
                          text=True, timeout=20, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "--covers" in done.stderr


def camera(word, *options):
    return subprocess.run([BINARY, "camera", word, *options], capture_output=True, text=True, timeout=20, check=False)


def test_a_camera_that_is_added_by_hand_has_its_view(tmp_path):
    store, url = ("--store", str(tmp_path)), "rtsp://192.0.2.1/ch1"
    assert camera("add", *store, "--id", "gate", "--lon", "106.4210", "--lat", "37.7850", "--heading", "90", "--fov", "60",
                  "--range", "80.5", "--height", "4", "--retention-days", "60", url).returncode == 0
    for point, seen in (("106.4215,37.7850", True), ("106.4205,37.7850", False), ("106.4230,37.7850", False)):
        assert ("gate" in camera("list", *store, "--covers", point).stdout) == seen, point
    assert ",90,60,80.5,4," in camera("export", *store).stdout
    assert camera("add", *store, "--fov", "0", url).returncode == 0  # all round; what is not named stays
    assert "gate" in camera("list", *store, "--covers", "106.4205,37.7850").stdout
    for option, value in (("--heading", "361"), ("--fov", "wide"), ("--range", "-1"), ("--height", "nan"),
                          ("--retention-days", "1.5")):
        done = camera("add", *store, option, value, url)
        assert done.returncode == 2 and done.stderr.count("\n") == 1 and option in done.stderr


def test_a_running_site_finds_by_place_what_happened_a_moment_ago(make_site):
    site = make_site()
    for camera, (lon, lat) in {"gate": GATE, "market": MARKET}.items(): # nobody listens there
        site.run("camera add", "--id", camera, "--lon", str(lon), "--lat", str(lat), "--grid", "004", "rtsp://127.0.0.1:1/ch1")
    site.start()
    wait_for("a gap of each", lambda: len(site.get("/gaps?state=open")["items"]) == 2, 20)
    for area, expected in {"near=106.4350,37.7910,100": {"market"}, "box=106.42,37.78,106.43,37.79": {"gate"},
                           "division=640323&grid=004": {"gate", "market"}}.items():
        assert cameras(site.get(f"/gaps?{area}")["items"]) == expected
        assert cameras(site.get(f"/places?{area}")["items"]) == expected
        assert sum(cell["count"] for cell in site.get(f"/counts/cells?of=gaps&{area}")["items"]) == len(expected)
    found = site.run("gaps", "--near", "106.4350,37.7910,100", "--json")
    assert cameras(map(json.loads, found.splitlines())) == {"market"}
