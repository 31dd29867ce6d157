# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Gridwatch site for a test: `gridwatch serve` on its own store and its own free ports."""
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import zmq

from rtsp_camera import ROOT, read_line

BINARY = os.environ.get("GRIDWATCH_BINARY", str(ROOT / "build-tests/app/gridwatch"))
FINDINGS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "Assertion `")


def wait_for(what, condition, deadline_s, every_s=0.05):
    """Polls until the condition holds; returns what it gave."""
    deadline = time.monotonic() + deadline_s
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, f"not within {deadline_s} s: {what}"
        time.sleep(every_s)


def run(*arguments, stdin=None, timeout=60):
    """The program with these arguments, to its end; sanitizers must be silent."""
    done = subprocess.run([BINARY, *map(str, arguments)], input=stdin, text=True, timeout=timeout,
                          capture_output=True, check=False)
    assert_clean(done.stderr)
    return done


def assert_clean(log):
    found = [line for line in log.splitlines() if any(finding in line for finding in FINDINGS)]
    assert not found, "\n".join(found) + "\n" + log[-6000:]


class Message:
    """One message of the bus."""

    def __init__(self, frames):
        self.received_us = time.time_ns() // 1000
        self.topic = frames[0].decode()
        self.epoch, self.seq = struct.unpack(">QQ", frames[1])
        self.envelope = json.loads(frames[2])
        self.thumbnail = frames[3] if len(frames) > 3 else None
        self.text = b"".join(frames[:3])

    @property
    def kind(self):
        return self.envelope["type"]

    @property
    def data(self):
        return self.envelope["data"]


class Subscriber:
    """A plain pyzmq subscriber."""

    def __init__(self, endpoint, *prefixes):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.SUB)
        for prefix in prefixes or ("",):
            self.socket.setsockopt_string(zmq.SUBSCRIBE, prefix)
        self.socket.connect(endpoint)

    def receive(self, deadline_s):
        """The next message, None after that time."""
        if not self.socket.poll(max(0, deadline_s) * 1000):
            return None
        return Message(self.socket.recv_multipart())

    def wait_for(self, kind, deadline_s, camera=None):
        """The next message whose kind ends so; skips others."""
        deadline = time.monotonic() + deadline_s
        while True:
            message = self.receive(deadline - time.monotonic())
            assert message, f"no {kind} on the bus within {deadline_s} s"
            if message.kind.endswith(kind) and camera in (None, message.data.get("camera")):
                return message

    def drain(self):
        """Forgets what has come until now."""
        while self.receive(0):
            pass

    def close(self):
        self.context.destroy(linger=0)


class Site:
    """Runs from start() to stop(); the store outlives both until close()."""

    def __init__(self, options=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gridwatch-test."))
        self.store = self.folder / "store"
        self.config = self.folder / "gridwatch.yaml"
        self.config.write_text(
            f"store: {self.store}\nconsole:\n  listen: 127.0.0.1:0\nbus:\n  listen: 127.0.0.1:0\n"
            "site:\n  division: '640323'\n" + options, encoding="utf-8")
        self.log_path = self.folder / "log"
        self.process = None
        self.addresses = {}
        self.token = None
        self.subscribers = []

    def start(self, *arguments):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([BINARY, "serve", "-c", self.config, *arguments],
                                            stdout=subprocess.PIPE, stderr=log)
        while (line := read_line(self.process, 30)) != "ready":
            word, _, self.addresses[word] = line.partition(" ")
        self.token = None
        return self

    def run(self, verb, *arguments, **options):
        """A verb of the command line on this site, which must succeed."""
        words = verb.split()
        done = run(*words, "-c", self.config, *arguments, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def add_camera(self, camera, url, record=None, detect_url=None):
        arguments = ["--id", camera] + (["--record", record] if record else [])
        arguments += ["--detect-url", detect_url] if detect_url else []
        self.run("camera add", *arguments, "-", stdin=url + "\n")

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    # --- the API ---

    def request(self, path, method="GET", body=None, headers=None):
        """(status, headers, bytes) of one request."""
        request = urllib.request.Request(self.addresses["console"] + path, method=method,
                                         data=json.dumps(body).encode() if body else None)
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", "Bearer " + self.token)
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.headers, answer.read()

    def login(self):
        code = self.addresses["login"].rsplit("/", 1)[1]
        status, _, body = self.request("/api/v1/session", "POST", {"code": code})
        assert status == 200, body
        self.token = json.loads(body)["token"]

    def get(self, path):
        """The JSON at a path of the API."""
        if not self.token:
            self.login()
        status, _, body = self.request("/api/v1" + path)
        assert status == 200, (path, status, body)
        return json.loads(body)

    def camera(self, camera):
        return next(item for item in self.get("/cameras")["items"] if item["id"] == camera)

    def wait_for_status(self, camera, status, deadline_s):
        """The camera as the API shows it once it is "online" or "offline"."""
        def there():
            row = self.camera(camera)
            return row["status"] == status and row
        return wait_for(f"{camera} {status}", there, deadline_s)

    def events(self, **filters):
        return self.get("/events?" + "&".join(f"{k}={v}" for k, v in filters.items()))["items"]

    def clips(self, **filters):
        return self.get("/clips?" + "&".join(f"{k}={v}" for k, v in filters.items()))["items"]

    def clip_file(self, clip):
        """Its file, found by the id that its name ends with."""
        found = list((self.store / "media").rglob(f"*{clip['id']}*.mp4"))
        assert len(found) == 1, found
        return found[0]

    def subscribe(self, *prefixes):
        subscriber = Subscriber(self.addresses["bus"], *prefixes)
        self.subscribers.append(subscriber)
        # The first heartbeat (one a second) says that the subscription has arrived.
        subscriber.socket.setsockopt_string(zmq.SUBSCRIBE, "heartbeat")
        assert subscriber.receive(5), "no heartbeat"
        return subscriber

    # --- processes ---

    def workers(self):
        """Process ids of the workers."""
        children = subprocess.run(["pgrep", "-P", str(self.process.pid), "-f", "gridwatch.* worker"],
                                  capture_output=True, text=True, check=False).stdout.split()
        return [int(child) for child in children]

    def kill(self):
        """The machine loses power, as far as processes can tell."""
        for pid in [*self.workers(), self.process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.process.stdout.close()
        self.process = None

    def stop(self, deadline_s=15):
        """SIGTERM; returns how long it took. Exit code and sanitizers must be clean."""
        if not self.process:
            return 0
        process, self.process = self.process, None
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"no end {deadline_s} s after SIGTERM\n{self.log()[-3000:]}") from None
        finally:
            process.stdout.close()
        took = time.monotonic() - begin
        assert_clean(self.log())
        assert code == 0, (code, self.log()[-3000:])
        return took

    def close(self):
        for subscriber in self.subscribers:
            subscriber.close()
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def probe_frames(path):
    """Every frame of a clip as ffprobe decodes it; not one complaint is allowed."""
    done = subprocess.run(["ffprobe", "-v", "warning", "-err_detect", "explode", "-show_frames", "-select_streams",
                           "v", "-of", "json", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return json.loads(done.stdout)["frames"]
