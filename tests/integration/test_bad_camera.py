# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bad camera does what it says, as programs see it that are not ours: ffmpeg and ffprobe as clients,
and sockets. What test_misbehaviours.py concludes rests on this."""
import concurrent.futures
import contextlib
import dataclasses
import json
import re
import socket
import ssl
import struct
import subprocess
import time

import pytest

from bad_camera import PASSWORD, USER, BadCamera
from behaviour import (Behaviour, after, change, close, freeze, in_picture, jump, lose, new_ssrc, reboot, refuse, reset,
                       stall)
from gridwatch_site import wait_for
from misbehaviours import MISBEHAVIOURS
from numbered_film import FPS, escape, find_number, number_unit, read_packets, read_stream, unescape
from rtsp_camera import ROOT

SECOND = 1_000_000
QUICK = ["-analyzeduration", "500000"]  # how long ffmpeg looks at a stream before it begins


@pytest.fixture
def make_bad_camera(opened, films):
    """make_bad_camera(behaviour or name) -> running BadCamera."""
    def make(behaviour, **options):
        if isinstance(behaviour, str):
            behaviour = MISBEHAVIOURS[behaviour][1]
        return opened.enter_context(BadCamera(films, behaviour, **options))
    return make


def pull(camera, seconds=3, transport="tcp", muxer="h264"):
    """What ffmpeg takes from it in so many seconds of film, as the bytes of that muxer."""
    command = ["ffmpeg", "-v", "error", *QUICK, "-rtsp_transport", transport, "-i", camera.login_url, "-t", str(seconds),
               "-map", "0:v", "-c", "copy", "-f", muxer, "-"]
    return subprocess.run(command, capture_output=True, timeout=60, check=False).stdout


def sent_numbers(camera):
    return [sent.number for sent in camera.ledger]


class Client:
    """The least that one needs to say to a camera, and raw access to what it answers."""

    def __init__(self, camera):
        self.camera = camera
        self.socket = socket.create_connection((camera.host, camera.port), timeout=10)
        if camera.behaviour.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)
        self.buffer = b""
        self.sequence = 0

    def fill(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self.buffer += data

    def ask(self, method, path="", *lines):
        """(status line, header text, body)."""
        self.sequence += 1
        self.socket.sendall("\r\n".join([f"{method} {self.camera.url}{path} RTSP/1.0", f"CSeq: {self.sequence}", *lines,
                                         "", ""]).encode())
        while True:
            head = re.search(rb"RTSP/1\.0 .*?(\r?\n)\1", self.buffer, re.S)
            if head:
                break
            self.fill()
        text = head.group().decode()
        length = re.search(r"(?im)^content-length: *(\d+)", text)
        end = head.end() + (int(length.group(1)) if length else 0)
        while len(self.buffer) < end:
            self.fill()
        body, self.buffer = self.buffer[head.end():end], self.buffer[:head.start()] + self.buffer[end:]
        return text.splitlines()[0], text, body.decode()

    def play(self):
        self.ask("DESCRIBE")
        answer = self.ask("SETUP", "/track1", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        self.ask("PLAY", "", "Session: 4711")
        return answer

    def packets(self, count, seconds=10):
        """The next packets as (channel, bytes)."""
        found, deadline = [], time.monotonic() + seconds
        while len(found) < count:
            assert time.monotonic() < deadline, f"{len(found)} packets in {seconds} s"
            while len(self.buffer) < 4 or len(self.buffer) < 4 + struct.unpack_from(">H", self.buffer, 2)[0]:
                self.fill()
            length = 4 + struct.unpack_from(">H", self.buffer, 2)[0]
            assert self.buffer[:1] == b"$", self.buffer[:40]
            found.append((self.buffer[1], self.buffer[4:length]))
            self.buffer = self.buffer[length:]
        return found

    def close(self):
        self.socket.close()


@pytest.fixture
def connect(opened):
    """connect(camera) -> Client."""
    def make(camera):
        client = Client(camera)
        opened.callback(client.close)
        return client
    return make


def rtp_fields(packet):
    """(marker, sequence, ticks, ssrc) of an RTP packet."""
    _, kind, sequence, ticks, ssrc = struct.unpack_from(">BBHII", packet)
    return kind >> 7, sequence, ticks, ssrc


def until_end(client, seconds=10):
    """Reads to the end of the connection; returns what ended it: "FIN" or "RST"."""
    client.socket.settimeout(seconds)
    try:
        while client.socket.recv(65536):
            pass
        return "FIN"
    except ConnectionResetError:
        return "RST"


# --- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 1, 0x000001, 0x00000300, 0x01000001, 2**32 - 1])
@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_every_number_survives_emulation_prevention(codec, number):
    unit = number_unit(codec, number)
    assert not re.search(b"\0\0[\0-\2]", unit)
    assert find_number([b"\x65abc", unit]) == number
    raw = bytes(4) + struct.pack(">I", number) + bytes(3)
    assert unescape(escape(raw)) == raw


# (misbehaviour, how ffmpeg asks for it)
PULLED = [*((name, "tcp") for name in (
    "well", "b-frames", "slices", "aggregated", "h265", "h265-b-frames", "h265-slices", "h265-aggregated", "trickles",
    "no-marker", "every-marker", "wraps", "new-ssrc", "sets-in-stream", "sets-in-description", "audio-and-metadata",
    "other-channels", "bare-lines", "internal-address", "redirects", "tls", "zero-lengths", "asks-back",
    "udp-refused")),
    ("well", "udp"), ("tcp-refused", "udp"), ("udp-reorders", "udp")]


@pytest.fixture(scope="module")
def pulled(films):
    """{(misbehaviour, transport): (numbers that ffmpeg received, ledger)}; all at once, since each takes its time."""
    def take(name, transport):
        codec = "h265" if name.startswith("h265") else "h264"
        with BadCamera(films, MISBEHAVIOURS[name][1]) as camera:
            stream = pull(camera, 2, transport, "hevc" if codec == "h265" else codec)
            return read_stream(stream, codec), camera.ledger
    for name, _ in PULLED:
        films.get(MISBEHAVIOURS[name][1].film)
    with concurrent.futures.ThreadPoolExecutor(len(PULLED)) as pool:
        return dict(zip(PULLED, pool.map(lambda case: take(*case), PULLED)))


@pytest.mark.parametrize("name, transport", PULLED)
def test_a_foreign_client_receives_exactly_what_the_ledger_says(pulled, name, transport):
    got, ledger = pulled[name, transport]
    assert len(got) >= 15
    assert got == [sent.number for sent in ledger][:len(got)]
    assert all(sent.complete for sent in ledger)


def shown_times(url, seconds):
    """When ffprobe shows each picture that it decodes; no complaint is allowed. The first may have no time."""
    done = subprocess.run(["ffprobe", "-v", "warning", "-err_detect", "explode", *QUICK, "-rtsp_transport", "tcp",
                           "-read_intervals", f"%+{seconds}", "-show_entries", "frame=pts_time", "-of", "json", url],
                          capture_output=True, check=True, timeout=60)
    assert not done.stderr
    return [float(frame["pts_time"]) for frame in json.loads(done.stdout)["frames"] if "pts_time" in frame]


def assert_even(times):
    assert all(abs(later - before - 1 / FPS) < 0.01 for before, later in zip(times, times[1:]))


def test_its_film_is_endless_and_its_pictures_decode(make_bad_camera, films):
    times = shown_times(make_bad_camera("well").url, 6)
    assert len(times) > len(films.get("plain").pictures)
    assert_even(times)


def test_the_numbers_of_a_file_can_be_read(make_bad_camera, tmp_path):
    camera = make_bad_camera("well")
    path = tmp_path / "film.mp4"
    subprocess.run(["ffmpeg", "-v", "error", *QUICK, "-rtsp_transport", "tcp", "-i", camera.url, "-t", "3", "-c",
                    "copy", str(path)], check=True, capture_output=True)
    numbers = [find_number(packet.units) for packet in read_packets(path)]
    assert len(numbers) >= 25 and numbers == sent_numbers(camera)[:len(numbers)]


@pytest.mark.parametrize("name", ["b-frames", "h265-b-frames"])
def test_pictures_that_are_sent_out_of_order_are_shown_in_the_order_taken(make_bad_camera, name):
    camera = make_bad_camera(name)
    times = shown_times(camera.url, 2)
    assert len(times) > 10
    assert_even(times)
    taken = [sent.capture_us for sent in camera.ledger[:20]]
    assert taken != sorted(taken)
    steps = [later - before for before, later in zip(sorted(taken), sorted(taken)[1:])]
    assert all(step == pytest.approx(SECOND / FPS, abs=10_000) for step in steps)


# --- the connection ------------------------------------------------------------------------------


@pytest.mark.parametrize("action, ending", [(close, "FIN"), (reset, "RST"), (in_picture(close), "FIN")])
def test_it_ends_a_connection_as_told_after_the_picture_told(make_bad_camera, connect, action, ending):
    camera = make_bad_camera(Behaviour(script=[after(5, action)]))
    client = connect(camera)
    client.play()
    assert until_end(client) == ending
    complete = [sent.number for sent in camera.ledger if sent.complete]
    assert complete == [0, 1, 2, 3, 4]


def test_it_stalls_on_one_connection_and_serves_another(make_bad_camera, connect):
    camera = make_bad_camera(Behaviour(script=[after(5, stall(30))]))
    first, second = connect(camera), connect(camera)
    first.play()
    wait_for("five pictures", lambda: camera.pictures == 5, 5)
    time.sleep(0.5)
    assert camera.pictures == 5
    second.play()
    wait_for("more pictures", lambda: camera.pictures > 8, 5)
    assert {sent.connection for sent in camera.ledger[5:]} == {1}


def test_a_frozen_camera_takes_connections_and_answers_none_until_it_thaws(make_bad_camera, connect):
    camera = make_bad_camera(Behaviour(script=[after(5, freeze(1.5))]))
    connect(camera).play()
    wait_for("five pictures", lambda: camera.pictures == 5, 5)
    time.sleep(0.1)
    second = connect(camera)
    begin = time.monotonic()
    assert "200" in second.ask("OPTIONS")[0]
    assert 0.9 < time.monotonic() - begin < 1.6
    wait_for("goes on", lambda: camera.pictures > 7, 5)


def test_while_it_refuses_nobody_listens_and_then_it_is_back_on_its_port(make_bad_camera, connect):
    camera = make_bad_camera(Behaviour(script=[after(3, refuse(1.0))]))
    client = connect(camera)
    client.play()
    assert until_end(client) == "FIN"
    with pytest.raises(ConnectionRefusedError):
        connect(camera)
    time.sleep(1.2)
    connect(camera).play()
    wait_for("goes on", lambda: camera.pictures > 5, 5)
    assert [sent.number for sent in camera.ledger][:6] == [0, 1, 2, 3, 4, 5]


def test_after_a_reboot_its_rtp_numbers_are_others(make_bad_camera, connect):
    camera = make_bad_camera(Behaviour(script=[after(3, reboot(0.3))]))
    client = connect(camera)
    client.play()
    _, sequence, ticks, ssrc = rtp_fields(client.packets(1)[0][1])
    assert until_end(client) == "RST"
    time.sleep(0.5)
    client = connect(camera)
    client.play()
    _, other_sequence, other_ticks, other_ssrc = rtp_fields(client.packets(1)[0][1])
    assert other_ssrc != ssrc and abs(other_ticks - ticks) > 90_000 * 10
    assert other_sequence != sequence


@pytest.mark.parametrize("scheme, right", [("basic", True), ("digest", True), ("digest-auth", True), ("several", True),
                                           ("never", False)])
def test_it_asks_for_a_password_and_knows_the_right_one(make_bad_camera, scheme, right):
    camera = make_bad_camera(Behaviour(login=scheme))
    assert bool(pull(camera, 1)) == right
    wrong = camera.login_url.replace("p%40ss", "other")
    done = subprocess.run(["ffprobe", "-v", "error", *QUICK, "-rtsp_transport", "tcp", wrong], capture_output=True,
                          check=False)
    assert done.returncode and b"401" in done.stderr


def test_it_takes_a_sha256_digest_that_is_right_and_no_other(make_bad_camera, connect):
    import hashlib
    camera = make_bad_camera(Behaviour(login="digest-sha256"))
    client = connect(camera)
    status, text, _ = client.ask("DESCRIBE")
    nonce = re.search('nonce="(.*?)"', text).group(1)
    assert "401" in status and "algorithm=SHA-256" in text

    def digest(text):
        return hashlib.sha256(text.encode()).hexdigest()

    def login(password):
        first = digest(f"{USER}:bad, camera:{password}")
        second = digest(f"DESCRIBE:{camera.url}")
        response = digest(f"{first}:{nonce}:00000001:abcd:auth:{second}")
        return (f'Authorization: Digest username="{USER}", realm="bad, camera", nonce="{nonce}", uri="{camera.url}", '
                f'algorithm=SHA-256, qop=auth, nc=00000001, cnonce="abcd", response="{response}"')
    assert "401" in client.ask("DESCRIBE", "", login("other"))[0]
    assert "200" in client.ask("DESCRIBE", "", login(PASSWORD))[0]


def test_a_nonce_becomes_stale_and_is_said_to(make_bad_camera, connect):
    camera = make_bad_camera(Behaviour(login="digest", nonce_s=0.2))
    client = connect(camera)
    _, first, _ = client.ask("DESCRIBE")
    assert "stale" not in first
    time.sleep(0.3)
    status, again, _ = client.ask("GET_PARAMETER", "", 'Authorization: Digest username="viewer", nonce="old"')
    assert "401" in status and "stale=true" in again
    assert re.search('nonce="(.*?)"', first).group(1) != re.search('nonce="(.*?)"', again).group(1)


@pytest.mark.parametrize("kept_by, refused, lives", [
    ("GET_PARAMETER", "OPTIONS", True), ("OPTIONS", "GET_PARAMETER", True), ("OPTIONS", None, False)])
def test_a_short_session_lives_by_the_right_request_only(make_bad_camera, connect, kept_by, refused, lives):
    status = {"GET_PARAMETER": "501 Not Implemented"} if refused == "GET_PARAMETER" else {}
    camera = make_bad_camera(Behaviour(session_timeout_s=0.8, kept_alive_by=(kept_by,), status=status))
    client = connect(camera)
    assert ";timeout=0.8" in client.play()[1]
    for _ in range(4):
        time.sleep(0.4)
        with contextlib.suppress(OSError, EOFError):
            client.ask(kept_by if lives else "GET_PARAMETER")
    assert camera.connections[0].gone.is_set() != lives


@pytest.mark.parametrize("name, said", [("answers-453", "453"), ("answers-503", "503"), ("answers-404", "404"),
                                        ("tcp-refused", "461"), ("redirects", "302")])
def test_it_refuses_with_the_words_told(make_bad_camera, connect, name, said):
    client = connect(make_bad_camera(name))
    statuses = [client.ask("DESCRIBE")[0],
                client.ask("SETUP", "/track1", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")[0]]
    assert any(said in status for status in statuses)


def test_a_redirect_names_a_port_that_serves_or_a_host_that_is_another(make_bad_camera, connect):
    for name, there in [("redirects", "127.0.0.1"), ("redirects-elsewhere", "127.0.0.2"),
                        ("redirects-in-circle", "127.0.0.1")]:
        camera = make_bad_camera(name)
        _, text, _ = connect(camera).ask("DESCRIBE")
        host, port = re.search(r"Location: rtsp://([\d.]+):(\d+)/live", text).groups()
        assert host == there
        assert (int(port) == camera.port) == (name == "redirects-in-circle")
        socket.create_connection((host, int(port)), timeout=2).close()


@pytest.mark.parametrize("name", ["endless-headers", "endless-header-line", "endless-description"])
def test_its_endless_answers_do_not_end(make_bad_camera, connect, name):
    client = connect(make_bad_camera(name))
    client.socket.sendall(b"DESCRIBE rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\n\r\n")
    got = 0
    while got < 3_000_000:
        got += len(client.socket.recv(65536))


# --- RTP -----------------------------------------------------------------------------------------


def media(client, count):
    """The next RTP packets of the video."""
    return [rtp_fields(packet) for channel, packet in client.packets(count) if channel == 0]


def test_marker_bits_are_as_told(make_bad_camera, connect):
    for name, marks in [("well", {0, 1}), ("no-marker", {0}), ("every-marker", {1})]:
        client = connect(make_bad_camera(name))
        client.play()
        assert {fields[0] for fields in media(client, 20)} == marks


def test_sequence_numbers_and_timestamps_wrap(make_bad_camera, connect):
    client = connect(make_bad_camera(Behaviour(first_sequence=65_530, first_ticks=2**32 - 30_000)))
    client.play()
    packets = media(client, 40)
    sequences, ticks = [fields[1] for fields in packets], [fields[2] for fields in packets]
    assert sequences == [(65_530 + at) % 65_536 for at in range(40)]
    assert min(ticks) < 90_000 < 2**32 - 90_000 < max(ticks)


def test_timestamps_are_frozen_run_wrong_or_jump(make_bad_camera, connect):
    def steps(behaviour):
        client = connect(make_bad_camera(behaviour))
        client.play()
        ticks = list(dict.fromkeys(fields[2] for fields in media(client, 40)))
        return [(after_ - before) % 2**32 for before, after_ in zip(ticks, ticks[1:])]
    assert steps("ticks-frozen") == []
    assert set(steps("wrong-rate")) == {3600}
    jumping = steps(Behaviour(script=[after(4, jump(3600))]))
    assert [step for step in jumping if step > 90_000] == [pytest.approx(3600 * 90_000 + 9000, abs=20)]
    assert all(step == pytest.approx(9000, abs=20) for step in jumping if step < 90_000)


def test_lost_packets_leave_holes_in_the_sequence_and_incomplete_pictures_in_the_ledger(make_bad_camera, connect):
    camera = make_bad_camera(Behaviour(most=100, script=[after(2, lose(1))]))
    client = connect(camera)
    client.play()
    sequences = [fields[1] for fields in media(client, 80)]
    holes = sum((after_ - before) % 65_536 - 1 for before, after_ in zip(sequences, sequences[1:]))
    assert holes == 1
    assert [sent.number for sent in camera.ledger if not sent.complete] == [2]


def test_another_ssrc_and_a_second_one_are_seen(make_bad_camera, connect):
    client = connect(make_bad_camera(Behaviour(script=[after(3, new_ssrc)])))
    client.play()
    ssrcs = [fields[3] for fields in media(client, 40)]
    assert len(set(ssrcs)) == 2 and ssrcs == sorted(ssrcs, key=ssrcs.index)
    client = connect(make_bad_camera("two-ssrc"))
    client.play()
    ssrcs = [fields[3] for fields in media(client, 40)]
    assert len(set(ssrcs)) == 2 and ssrcs != sorted(ssrcs, key=ssrcs.index)


def test_sender_reports_tell_the_clock_told_at_the_timestamps_sent(make_bad_camera, connect):
    camera = make_bad_camera("clock-hours-off")
    client = connect(camera)
    client.play()
    received = client.packets(5)
    wait_for("the first picture", lambda: camera.ledger, 5)
    [report, *_] = [packet for channel, packet in received if channel == 1]
    first = next(rtp_fields(packet) for channel, packet in received if channel == 0)
    kind, ssrc, seconds, fraction, ticks = struct.unpack_from(">xBxxIIII", report)
    assert kind == 200 and ssrc == first[3]
    told_us = (seconds - 2208988800) * SECOND + (fraction * SECOND >> 32)
    taken_us = told_us + ((first[2] - ticks + 2**31) % 2**32 - 2**31) * SECOND // 90_000
    assert taken_us == pytest.approx(camera.ledger[0].capture_us - 7200 * SECOND, abs=5000)


def test_a_new_film_begins_at_a_keyframe_and_loses_none(make_bad_camera):
    camera = make_bad_camera(Behaviour(script=[after(13, change(film="big"))]))
    got = read_stream(pull(camera, 4), "h264")
    assert got == sent_numbers(camera)[:len(got)]
    films = [sent.film for sent in camera.ledger]
    assert films.index("big") == 20 and camera.ledger[20].key and set(films[20:]) == {"big"}


def test_it_sends_no_keyframe_for_the_time_told(make_bad_camera, connect):
    camera = make_bad_camera(Behaviour(no_key_for_s=1.5))
    connect(camera).play()
    wait_for("a keyframe", lambda: any(sent.key for sent in camera.ledger), 10)
    assert camera.seconds() >= 1.5


# --- by hand -------------------------------------------------------------------------------------


def test_every_misbehaviour_can_be_started_by_hand_and_is_described():
    program = [str(ROOT / "tests/camera/bad_camera.py")]
    listed = subprocess.run([*program, "--list"], capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in listed.splitlines()] == list(MISBEHAVIOURS)
    with subprocess.Popen([*program, "--ledger", "well"], stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip()
            subprocess.run(["ffmpeg", "-v", "error", *QUICK, "-rtsp_transport", "tcp", "-i", url, "-t", "1", "-f",
                            "null", "-"], check=True, timeout=30, capture_output=True)
            assert json.loads(process.stdout.readline())["number"] == 0
        finally:
            process.terminate()


def test_behaviours_are_copied_so_that_a_script_runs_for_each_camera(make_bad_camera, connect):
    behaviour = Behaviour(script=[after(2, close)])
    for _ in range(2):
        client = connect(make_bad_camera(behaviour))
        client.play()
        assert until_end(client) == "FIN"
    assert dataclasses.asdict(behaviour)["film"] == "plain"
