# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP API as a browser, a program and an attacker see it, on made-up facts."""
import http.client
import os
import pathlib
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.parse

import pytest

from console_client import BINARY, HOST, Client, ConsoleHost

EVENTS = 12
NO_ID = "0190a5c2-d3e4-7000-8000-000000000000"


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    """A page of two files, and a secret beside it."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "secret.txt").write_text("not for the web")
    (folder / "web/assets").mkdir(parents=True)
    (folder / "web/index.html").write_text("<!doctype html><title>Gridwatch</title>")
    (folder / "web/assets/index-B7Fq.js").write_text("console.log(1)")
    (folder / "web/favicon.svg").write_text("<svg/>")
    (folder / "web/.hidden").write_text("hidden")
    (folder / "web/link.txt").symlink_to(folder / "secret.txt")
    return folder / "web"


@pytest.fixture(scope="module")
def host(web):
    if not os.access(HOST, os.X_OK):
        pytest.fail(f"{HOST} is not built; run tests/run, or set GRIDWATCH_CONSOLE_HOST")
    host = ConsoleHost("--events", EVENTS, "--web", web)
    yield host
    host.close()


@pytest.fixture
def own_host():
    """A console for one test that ends or damages it."""
    host = ConsoleHost("--events", 1)
    yield host
    host.close()


@pytest.fixture(scope="module")
def client(host):
    return Client(host).sign_in()


@pytest.fixture(scope="module")
def clip(client):
    return client.items("/api/v1/clips?limit=1&state=closed")[0]


def media_file(host, noun, suffix):
    found = list(pathlib.Path(host.store).glob(f"media/{noun['camera']}/*/*-{noun['id']}{suffix}"))
    assert len(found) == 1
    return found[0]


def audit_rows(host, **where):
    with sqlite3.connect(f"file:{host.store}/console.db?mode=ro", uri=True) as db:
        condition = " AND ".join(f"{name} = ?" for name in where)
        return db.execute(f"SELECT session, action, object, camera, remote FROM audit WHERE {condition}",
                          tuple(where.values())).fetchall()


# --- getting in ----------------------------------------------------------------------------------

def test_without_a_session_nothing_is_shown(host):
    paths = ["/session", "/events", "/clips", "/gaps", "/cameras", "/stream", f"/events/{NO_ID}", f"/events/{NO_ID}/snapshot",
             f"/events/{NO_ID}/thumbnail", f"/clips/{NO_ID}", f"/clips/{NO_ID}/media"]
    for path in paths:
        answer = Client(host).get("/api/v1" + path)
        assert answer.status == 401 and answer.headers["www-authenticate"].startswith("Bearer")


def test_a_code_signs_in_once_by_cookie_that_no_script_reads(host):
    client, code = Client(host), host.new_code()
    answer = client.open_session(code, {"Origin": host.address, "Sec-Fetch-Site": "same-origin"})
    cookie, *attributes = answer.headers["set-cookie"].split("; ")
    assert answer.status == 200
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(attributes)
    assert cookie == "gridwatch_session=" + answer.json()["token"]
    assert abs(answer.json()["expires_us"] - (time.time() + 12 * 3600) * 1e6) < 60e6
    assert client.get("/api/v1/session", Cookie="other=1; " + cookie).json()["site"] == {"name": "Test county",
                                                                                        "division": "640323"}
    assert client.open_session(code).status == 401


def test_a_code_too_old_or_unknown_does_not_sign_in(host):
    assert Client(host).open_session(host.new_code("expire")).status == 401
    assert Client(host).open_session("a" * 24).status == 401
    assert Client(host).open_session("a" * 3000).status == 401


def test_a_login_that_is_no_login_is_refused(host):
    for body in (b"", b"{", b"[]", b'{"code": 5}', b'{"code": "\xff"}', b"\0\0"):
        assert Client(host).request("POST", "/api/v1/session", body=body).status == 400
    assert Client(host).request("POST", "/api/v1/session", body=b"x" * 5000).status == 413


def test_a_wrong_or_damaged_token_is_no_session(host, client):
    token = client.headers["Authorization"]
    for wrong in ("Bearer x", "Bearer", "Bearer " + "a" * 4000, token[:-1], token + "a", "Basic YTpi"):
        assert Client(host).get("/api/v1/session", Authorization=wrong).status == 401


def test_another_sites_page_can_sign_nobody_in_or_out(host, client):
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert client.open_session(host.new_code(), headers).status == 403
        assert client.request("DELETE", "/api/v1/session", headers).status == 403
    assert client.get("/api/v1/session").status == 200


def test_whoever_guesses_codes_is_slowed(own_host):
    client = Client(own_host)
    statuses = [client.open_session(f"guess{i}").status for i in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    answer = client.open_session(own_host.new_code())
    assert answer.status == 429 and 1 <= int(answer.headers["retry-after"]) <= 6


def test_a_session_survives_a_restart(tmp_path):
    first = ConsoleHost("--events", 1, "--store", tmp_path)
    client = Client(first).sign_in()
    first.close()
    client.host = second = ConsoleHost("--events", 0, "--store", tmp_path)
    try:
        assert client.get("/api/v1/session").status == 200
    finally:
        second.close()


@pytest.mark.skipif(not os.access(BINARY, os.X_OK), reason=f"{BINARY} is not built")
def test_user_login_prints_a_link_and_nothing_else(host, tmp_path):
    config = tmp_path / "gridwatch.yaml"
    config.write_text(f"console:\n  listen: {host.netloc}\n")
    command = [BINARY, "user", "login", "-c", config, "--store", host.store]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0 and done.stderr == ""
    link, = done.stdout.splitlines()
    assert link.startswith(host.address + "/#/login/")
    assert Client(host).open_session(link.rpartition("/")[2]).status == 200


@pytest.mark.skipif(not os.access(BINARY, os.X_OK), reason=f"{BINARY} is not built")
def test_user_without_a_known_order_is_wrong_usage():
    for arguments in ([], ["add"], ["login", "bob"], ["login", "--valid", "0"], ["login", "--valid", "x"]):
        done = subprocess.run([BINARY, "user", *arguments], capture_output=True, text=True, timeout=20, check=False)
        assert (done.returncode, done.stdout) == (2, "") and done.stderr
    done = subprocess.run([BINARY, "user", "login", "--store", "/nonexistent"], capture_output=True, text=True,
                          timeout=20, check=False)
    assert done.returncode == 1 and "/nonexistent" in done.stderr and len(done.stderr.splitlines()) == 1
    done = subprocess.run([BINARY, "user", "--help"], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0 and "--valid" in done.stdout


# --- finding -------------------------------------------------------------------------------------

def test_events_come_newest_first_and_every_filter_narrows(client):
    events = client.items("/api/v1/events?limit=1000")
    starts = [event["start_us"] for event in events]
    assert len(events) >= EVENTS and starts == sorted(starts, reverse=True)
    filters = {"camera=gate-07": lambda event: event["camera"] == "gate-07",
               "division=640323101": lambda event: event["division"] == "640323101",
               "division=640323": lambda event: True,
               "division=640399": lambda event: False,
               "kind=motion": lambda event: True,
               "kind=over-bright": lambda event: False,
               "state=closed": lambda event: event["state"] == "closed",
               "state=open": lambda event: event["state"] == "open",
               f"from={starts[3]}": lambda event: event["end_us"] > starts[3],
               f"to={starts[3]}": lambda event: event["start_us"] < starts[3],
               "near=106.4210,37.7850,200": lambda event: event["camera"] == "gate-07"}
    for query, holds in filters.items():
        expected = [event["id"] for event in events if holds(event)]
        assert [event["id"] for event in client.items(f"/api/v1/events?limit=1000&{query}")] == expected, query


def test_a_time_may_be_words_or_a_number(client):
    first = client.items("/api/v1/events?limit=1")[0]
    for moment in (first["start_us"], first["start"], urllib.parse.quote(first["start"])):
        assert client.items(f"/api/v1/events?from={moment}")[-1]["id"] == first["id"]


def test_pages_give_every_event_once(client):
    expected = [event["id"] for event in client.items("/api/v1/events?limit=1000")]
    found, cursor = [], ""
    while True:
        page = client.get(f"/api/v1/events?limit=5&cursor={urllib.parse.quote(cursor)}").json()
        assert len(page["items"]) <= 5
        found += [event["id"] for event in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    assert found == expected


def test_an_event_names_the_clips_that_cover_it(client):
    event = client.items("/api/v1/events?limit=1&state=closed")[0]
    whole = client.get("/api/v1/events/" + event["id"]).json()
    assert {key: whole[key] for key in event} == event
    assert client.get("/api/v1/events/" + event["id"].upper()).json() == whole
    assert whole["clips"]
    for clip in whole["clips"]:
        assert clip["camera"] == event["camera"]
        assert clip["start_us"] <= event["end_us"] and clip["end_us"] > event["start_us"]
        assert client.get("/api/v1/clips/" + clip["id"]).json() == clip


def test_clips_are_filtered_too(client):
    assert {clip["state"] for clip in client.items("/api/v1/clips?state=closed")} == {"closed"}
    assert {clip["camera"] for clip in client.items("/api/v1/clips?camera=market-02")} == {"market-02"}
    assert client.items("/api/v1/clips?state=lost") == []


def test_gaps_have_their_cause_and_an_end_once_they_are_over(client):
    open_one, closed = client.items("/api/v1/gaps")
    assert open_one["camera"] == closed["camera"] == "bridge-01"
    assert (open_one["cause"], open_one["state"]) == ("unreachable", "open") and "to" not in open_one
    assert (closed["cause"], closed["state"]) == ("slow-network", "closed")
    assert closed["to_us"] - closed["from_us"] == 10_000_000
    assert client.items("/api/v1/gaps?state=open") == [open_one]
    assert client.items("/api/v1/gaps?camera=gate-07") == []
    assert client.items(f"/api/v1/gaps?to={closed['to_us']}") == [closed]


def test_a_malformed_question_is_a_problem_that_names_it(client):
    queries = {"limit=0": "limit", "limit=1001": "limit", "limit=x": "limit", "from=yesterday": "from",
               "to=": "to", "from=5&to=5": "from", "camera=../x": "camera", "kind=face": "kind",
               "state=sleeping": "state", "near=1,2": "near", "division=x": "division", "cursor=nonsense": "cursor",
               "cursor=" + "0" * 48 + "'": "cursor", "cursor=" + "9" * 300: "cursor", "form=1": "form",
               "camera": "camera", "camera=a&camera=b": "camera", "Camera=a": "Camera",
               "limit=%ff": "limit", "%ff=1": "", "camera=gate-07%00x": "camera", "camera%00x=gate-07": "camera"}
    for query, name in queries.items():
        answer = client.get("/api/v1/events?" + query)
        assert answer.status == 400 and name in answer.json()["detail"], query
    assert client.get("/api/v1/clips?kind=motion").status == 400
    assert client.get("/api/v1/gaps?state=recording").status == 400
    for path in ("cameras?division=640323101", "stream?sicne=5", "stream?since=1&since=2", "stream?since=1%002"):
        assert client.get("/api/v1/" + path).status == 400, path


def test_a_malformed_id_is_a_problem_and_an_unknown_one_is_not_found(client):
    for noun in ("events/{}", "events/{}/snapshot", "events/{}/thumbnail", "clips/{}", "clips/{}/media"):
        for bad in ("1", NO_ID[:-1], NO_ID + "0", "g" * 36, "a" * 500, "%ff%fe"):
            assert client.get("/api/v1/" + noun.format(bad)).status == 400, bad
        for unknown in (NO_ID, "%00", "..%2f..%2findex.db"):
            assert client.get("/api/v1/" + noun.format(unknown)).status == 404, unknown


def test_a_camera_tells_what_the_registry_knows_of_it(client):
    cameras = {camera["id"]: camera for camera in client.get("/api/v1/cameras").json()["items"]}
    known = {"heading_deg": 135, "fov_deg": 90, "range_m": 60, "height_m": 6, "device_id": "64032300001310000007",
             "site_class": "class-1", "owner_unit": "Public security", "maintenance_unit": "Wires & Co.",
             "zones": {"masks": [{"polygon": [[0, 0], [1, 0], [1, 0.1]]}]}, "retention_days": 90}
    assert {name: cameras["gate-07"][name] for name in known} == known
    assert not set(known) & set(cameras["market-02"])


def test_cameras_have_their_state_and_no_secret(client):
    answer = client.get("/api/v1/cameras")
    status = {camera["id"]: (camera["status"], camera["reason"]) for camera in answer.json()["items"]}
    assert status == {"gate-07": ("online", ""), "market-02": ("unknown", ""),
                      "bridge-01": ("offline", "nobody answers at this address")}
    for secret in (b"s3cr3t", b"hunter2", b"viewer"):
        assert secret not in answer.body


def test_a_camera_that_is_online_tells_how_it_is_analysed_and_why(client):
    cameras = {camera["id"]: camera for camera in client.get("/api/v1/cameras").json()["items"]}
    assert cameras["gate-07"]["analysis"] == {"level": "gate", "decoded_share": 0.07, "audits": 41, "judged_events": 18,
                                              "miss_rate": 0, "miss_rate_high": 0.12}
    assert "analysis" not in cameras["market-02"] and "analysis" not in cameras["bridge-01"]


def test_a_camera_that_delivers_tells_how_it_does_just_now(client):
    cameras = {camera["id"]: camera for camera in client.get("/api/v1/cameras").json()["items"]}
    signs = ("frame_rate", "bit_rate", "key_age_us", "reconnects", "clock_offset_us")
    assert [cameras["gate-07"][name] for name in signs] == [24.99, 3e6, 1500000, 2, -120000]
    assert not set(signs) & (set(cameras["market-02"]) | set(cameras["bridge-01"]))


# --- looking -------------------------------------------------------------------------------------

def test_media_is_the_file_byte_for_byte(host, client, clip):
    expected = media_file(host, clip, ".mp4").read_bytes()
    path, size = f"/api/v1/clips/{clip['id']}/media", len(expected)
    whole = client.get(path)
    assert (whole.status, whole.type, whole.body) == (200, "video/mp4", expected)
    assert whole.headers["accept-ranges"] == "bytes" and "private" in whole.headers["cache-control"]
    ranges = {"bytes=0-": (0, size - 1), "bytes=0-0": (0, 0), "bytes=100-4199": (100, 4199), "bytes=-500": (size - 500, size - 1),
              f"bytes={size - 1}-": (size - 1, size - 1), f"bytes=7-{size + 999}": (7, size - 1),
              f"bytes=-{size + 5}": (0, size - 1), "bytes=65530-131080": (65530, 131080)}
    for header, (first, last) in ranges.items():
        part = client.get(path, Range=header)
        assert (part.status, part.body) == (206, expected[first:last + 1]), header
        assert part.headers["content-range"] == f"bytes {first}-{last}/{size}"
    for header in ("bytes=5-2", "bytes=0-1,5-6", "lines=1-2", "bytes=x-y"):
        assert client.get(path, Range=header).body == expected
    assert client.get(path, Range="bytes=0-1", If_Range='"x"').body == expected


def test_a_range_beyond_the_end_says_how_long_the_file_is(host, client, clip):
    size = media_file(host, clip, ".mp4").stat().st_size
    for header in (f"bytes={size}-", "bytes=99999999999999999999-", "bytes=-0"):
        answer = client.get(f"/api/v1/clips/{clip['id']}/media", Range=header)
        assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{size}")


def test_a_clip_that_is_recording_gives_what_there_is_so_far(host, client):
    event, clip = host.ask("open")
    found = client.get("/api/v1/clips/" + clip).json()
    file = media_file(host, found, ".mp4")
    path = f"/api/v1/clips/{clip}/media"
    assert found["state"] == "recording" and client.get(path).body == file.read_bytes()
    with file.open("ab") as out:
        out.write(b"more")
    assert client.get(path).body == file.read_bytes()
    assert client.get(path, Range="bytes=-4").body == b"more"
    answer = client.get(f"/api/v1/events/{event}/snapshot")
    assert answer.status == 404 and "no snapshot yet" in answer.json()["detail"]


@pytest.mark.parametrize("noun", ["media", "timeline"])
def test_a_range_names_its_camera_and_its_times(client, noun):
    path = f"/api/v1/clips/{noun}"
    for query, name in [("", "camera"), ("?camera=gate-07&to=2", "from"), ("?camera=gate-07&from=1", "to"),
                        ("?camera=gate-07&from=0&to=86400000001", "to"),
                        ("?camera=gate-07&from=-9223372036854775807&to=9223372036854775807", "from"), ("?camera=gate-07&limit=1", "limit")]:
        answer = client.get(path + query)
        assert answer.status == 400 and answer.json()["detail"].startswith(name + ":"), answer.body
    assert client.get(path + "?camera=gate-07&from=1&to=2").status == 404


def test_media_that_is_missing_is_said_to_be(own_host):
    client = Client(own_host).sign_in()
    clip = client.items("/api/v1/clips")[0]
    event = client.items("/api/v1/events")[0]
    media_file(own_host, clip, ".mp4").unlink()
    media_file(own_host, event, ".jpg").unlink()
    for path in (f"/api/v1/clips/{clip['id']}/media", f"/api/v1/events/{event['id']}/snapshot"):
        answer = client.get(path)
        assert answer.status == 404 and "missing" in answer.json()["detail"]
        assert own_host.store.encode() not in answer.body


def test_pictures_are_the_files(host, client):
    event = client.items("/api/v1/events?state=closed&limit=1")[0]
    for noun, suffix in (("snapshot", ".jpg"), ("thumbnail", ".thumb.jpg")):
        answer = client.get(f"/api/v1/events/{event['id']}/{noun}")
        assert (answer.status, answer.type) == (200, "image/jpeg")
        assert answer.body == media_file(host, event, suffix).read_bytes()


def test_every_look_leaves_its_row_and_a_players_parts_are_one_look(host):
    client = Client(host).sign_in()
    event = client.items("/api/v1/events?state=closed&limit=2")[1]
    clip = client.get("/api/v1/events/" + event["id"]).json()["clips"][0]
    before = len(audit_rows(host, object=clip["id"]))
    media = f"/api/v1/clips/{clip['id']}/media"
    client.request("HEAD", media)
    assert len(audit_rows(host, object=clip["id"])) == before
    for header in ("bytes=0-", "bytes=1000-", "bytes=-100"):
        client.get(media, Range=header)
    rows = audit_rows(host, object=clip["id"])
    assert len(rows) == before + 1 and rows[-1][1:] == ("clip.media", clip["id"], clip["camera"], "127.0.0.1")
    Client(host).sign_in().get(media, Range="bytes=0-")
    assert len(audit_rows(host, object=clip["id"])) == before + 2
    client.get(f"/api/v1/events/{event['id']}/thumbnail")
    assert audit_rows(host, object=event["id"]) == []
    client.get(f"/api/v1/events/{event['id']}/snapshot")
    assert [row[1] for row in audit_rows(host, object=event["id"])] == ["event.snapshot"]


def test_without_an_audit_row_no_footage_is_shown(own_host):
    client = Client(own_host).sign_in()
    clip, event = client.items("/api/v1/clips")[0], client.items("/api/v1/events")[0]
    with sqlite3.connect(f"{own_host.store}/console.db") as db:
        db.execute("DROP TABLE audit")
    for path in (f"/api/v1/clips/{clip['id']}/media", f"/api/v1/events/{event['id']}/snapshot"):
        answer = client.get(path)
        assert answer.status == 503 and "audit" in answer.json()["detail"]


# --- the page, machines, manners -----------------------------------------------------------------

def test_the_page_and_its_assets_are_served_to_everybody(host):
    page = Client(host).get("/")
    assert page.status == 200 and page.type == "text/html" and b"Gridwatch" in page.body
    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["content-security-policy"].startswith("default-src 'self';")
    script = Client(host).get("/assets/index-B7Fq.js")
    assert (script.status, script.type) == (200, "text/javascript")
    assert "immutable" in script.headers["cache-control"]
    icon = Client(host).get("/favicon.svg")
    assert icon.type == "image/svg+xml" and "max-age=3600" in icon.headers["cache-control"]


def test_no_path_leads_out_of_the_page(host):
    for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/../../secret.txt", "/.hidden",
                 "/assets/%2e%2e/%2e%2e/secret.txt", "//etc/passwd", "/link.txt", "/assets", "/assets/", "/secret.txt",
                 "/index.html%00.js", "/%00", "/%ff", "/..\\secret.txt", host.store + "/console.db"):
        answer = Client(host).get(path)
        # A path cut off at its zero byte is the page again, which is no secret.
        assert answer.status == 404 or answer.body == Client(host).get("/").body, path
        assert b"not for the web" not in answer.body and b"hidden" not in answer.body


def test_without_a_page_the_root_says_what_to_do(own_host, monkeypatch, tmp_path):
    host = ConsoleHost("--events", 0, "--web", tmp_path)
    try:
        answer = Client(host).get("/")
        assert answer.status == 404 and answer.type == "text/plain" and b"not installed" in answer.body
    finally:
        host.close()


def test_health_readiness_and_metrics_need_no_session(host):
    client = Client(host)
    assert client.get("/healthz").body == b"ok\n"
    assert client.get("/readyz").status == 200
    host.ask("sick")
    answer = client.get("/readyz")
    assert answer.status == 503 and b"no worker" in answer.body
    host.ask("well")
    text = client.get("/metrics").body.decode()
    names = {line.partition(" ")[0].partition("{")[0] for line in text.splitlines() if not line.startswith("#")}
    assert {"gridwatch_build_info", "gridwatch_console_requests_total", "gridwatch_console_event_streams",
            "gridwatch_index_head", "gridwatch_made_up_events"} <= names


def test_head_is_get_without_its_body(host, client, clip):
    for path in ("/healthz", "/", "/api/v1/events", f"/api/v1/clips/{clip['id']}/media", "/api/v1/cameras"):
        get, head = client.get(path), client.request("HEAD", path, {"Range": "bytes=0-1"})
        assert (head.status, head.body, head.type) == (200, b"", get.type)
        assert head.headers["content-length"] == get.headers["content-length"]


def test_nothing_follows_a_head_of_the_stream(host, client):
    url = urllib.parse.urlsplit(host.address)
    token = client.headers["Authorization"]
    with socket.create_connection((url.hostname, url.port), timeout=10) as line:
        line.sendall(f"HEAD /api/v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n"
                     "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        said = b"".join(iter(lambda: line.recv(4096), b""))
    assert b"text/event-stream" in said
    assert said.split(b"\r\n\r\n")[1].startswith(b"HTTP/1.1 200 OK") and said.endswith(b"\r\n\r\nok\n")


def test_a_method_that_a_path_has_not_is_told_which_it_has(client):
    for method in ("PUT", "POST", "DELETE", "OPTIONS", "PATCH"):
        for path in ("/api/v1/events", f"/api/v1/clips/{NO_ID}/media", "/healthz", "/"):
            answer = client.request(method, path)
            assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert client.request("PUT", "/api/v1/session").headers["allow"] == "POST, GET, HEAD, DELETE"


def test_a_path_that_is_none_is_a_problem(client):
    for path in ("/api/v1", "/api/v1/", "/api/v1/eventz", "/api/v2/events", "/api/v1/events/", "/api/"):
        answer = client.get(path)
        assert answer.status == 404 and answer.type == "application/problem+json"


def test_no_answer_names_the_store(host, client, clip):
    for path in ("/api/v1/events", "/api/v1/clips", "/api/v1/cameras", "/metrics", "/readyz", f"/api/v1/clips/{clip['id']}"):
        assert host.store.encode() not in client.get(path).body


def test_garbage_on_the_line_leaves_the_console_well(host):
    for garbage in (b"\0\0\0\0\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"A" * 70000,
                    b"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
                    b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n" + b"x" * 9000):
        connection = http.client.HTTPConnection(host.netloc, timeout=5)
        connection.connect()
        connection.sock.sendall(garbage)
        connection.close()
    assert Client(host).get("/healthz").status == 200


def test_one_address_cannot_take_every_connection(own_host):
    name, _, port = own_host.netloc.rpartition(":")
    sockets = [socket.create_connection((name, int(port)), timeout=5) for _ in range(210)]
    for one in sockets:
        one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    answered = sum(is_answered(one) for one in sockets)
    for one in sockets:
        one.close()
    assert answered == 200
    time.sleep(1)
    assert Client(own_host).get("/healthz").status == 200


def is_answered(connection):
    try:
        return connection.recv(12) == b"HTTP/1.1 200"
    except ConnectionResetError:
        return False


def test_many_clients_at_once_are_all_answered(host, client):
    wrong = []

    def ask():
        for _ in range(10):
            if client.get("/api/v1/events?limit=10").status != 200:
                wrong.append(1)
    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_login_code_or_token_is_in_no_log(own_host):
    client = Client(own_host)
    code = own_host.new_code()
    token = client.open_session(code).json()["token"]
    client.get("/api/v1/events", Authorization="Bearer " + token)
    log = own_host.close()
    assert "opened session" in log and code not in log and token not in log
