#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An RTSP camera that misbehaves on command and remembers what it sent.

usage: bad_camera.py [--host H] [--port N] [--ledger] NAME    serves until it is stopped
       bad_camera.py --list                                   the names, and what each does

Prints the camera's URL. With --ledger it prints each picture that it sent, as a line of JSON. Its
pictures are numbered (numbered_film.py); NAME is a misbehaviour of misbehaviours.py.
"""
import argparse
import contextlib
import copy
import json
import pathlib
import random
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from behaviour import Behaviour  # noqa: E402
from camera_connection import Connection  # noqa: E402
from numbered_film import Films  # noqa: E402
from rtsp_answers import Guard  # noqa: E402

USER, PASSWORD = "viewer", "p@ss: w/rd"


class BadCamera:
    """Listens from construction to stop(); a context manager. Threads of its own."""

    def __init__(self, films, behaviour=None, host="127.0.0.1", port=0):
        self.films = films
        self.behaviour = copy.deepcopy(behaviour or Behaviour())
        self.behaviour.script = [copy.copy(rule) for rule in self.behaviour.script]
        self.lock = threading.RLock()
        self.ledger, self.asked, self.connections = [], [], []
        self.first_sent = None       # monotonic: first picture
        self.pictures = 0            # sent so far; the next one's number
        self.frozen_until = 0.0      # monotonic
        self.refused_until = 0.0
        self.stopping = threading.Event()
        self.lose = 0
        self.began = time.monotonic()
        self.new_source()
        if self.behaviour.first_sequence is not None:
            self.sequence = self.behaviour.first_sequence
        if self.behaviour.first_ticks is not None:
            self.first_ticks = self.behaviour.first_ticks
        self.guard = None
        self.new_guard()
        self.context = make_tls() if self.behaviour.tls else None
        self.host = host
        self.listeners = [self.listen(host, port)]
        self.port = self.listeners[0].getsockname()[1]
        if self.behaviour.redirect in ("port", "elsewhere"):
            self.listeners.append(self.listen(host if self.behaviour.redirect == "port" else "127.0.0.2", 0))
        for door in range(len(self.listeners)):
            threading.Thread(target=self.accept, args=(door,), daemon=True).start()

    @staticmethod
    def listen(host, port):
        return socket.create_server((host, port), backlog=16)

    @property
    def url(self):
        """Without credentials."""
        return f"{'rtsps' if self.behaviour.tls else 'rtsp'}://{self.host}:{self.port}/live"

    @property
    def login_url(self):
        """With them, if it asks for any."""
        return self.url.replace("//", f"//{USER}:p%40ss%3A%20w%2Frd@") if self.guard else self.url

    def new_source(self):
        self.ssrc = random.getrandbits(32)
        self.sequence = random.getrandbits(16)
        self.first_ticks = random.getrandbits(32)

    def new_guard(self):
        """Asks for the password with another nonce."""
        if self.behaviour.login:
            self.guard = Guard(self.behaviour.login, USER, PASSWORD)
        self.nonce_since = time.monotonic()

    def refuse(self, seconds):
        """Nobody listens for so long."""
        self.refused_until = time.monotonic() + seconds
        for listener in self.listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def accept(self, door):
        host, port = self.listeners[door].getsockname()
        while not self.stopping.is_set():
            try:
                plain, _ = self.listeners[door].accept()
            except OSError:
                if self.stopping.wait(max(0, self.refused_until - time.monotonic())):
                    return
                self.listeners[door] = self.listen(host, port)
                continue
            with self.lock:
                connection = Connection(self, plain, len(self.connections), door)
                self.connections.append(connection)
            threading.Thread(target=connection.serve, daemon=True).start()

    def is_frozen(self):
        return time.monotonic() < self.frozen_until

    def seconds(self):
        """Since its first picture."""
        return time.monotonic() - self.first_sent if self.first_sent else 0.0

    def next_actions(self):
        with self.lock:
            pictures, seconds = self.pictures, self.seconds()
            return [rule.action for rule in self.behaviour.script if rule.is_due(pictures, seconds)]

    def take_number(self):
        with self.lock:
            self.first_sent = self.first_sent or time.monotonic()
            self.pictures += 1
            return self.pictures - 1

    def stop(self):
        self.stopping.set()
        self.refuse(0)
        for connection in self.connections:
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def make_tls():
    """A server's side of TLS with a certificate that it signed itself, as cameras have."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(prefix="gridwatch-tls.") as folder:
        key, certificate = f"{folder}/key.pem", f"{folder}/certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                        "-days", "2", "-subj", "/CN=bad camera"], check=True, capture_output=True)
        context.load_cert_chain(certificate, key)
    return context


def print_ledger(camera):
    printed = 0
    while True:
        for sent in camera.ledger[printed:]:
            print(json.dumps(asdict(sent)), flush=True)
            printed += 1
        time.sleep(0.1)


def main():
    from misbehaviours import MISBEHAVIOURS
    parser = argparse.ArgumentParser(usage=argparse.SUPPRESS, description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ledger", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("name", nargs="?", choices=sorted(MISBEHAVIOURS), metavar="NAME")
    arguments = parser.parse_args()
    if arguments.list or not arguments.name:
        for name, (words, _) in MISBEHAVIOURS.items():
            print(f"{name:26} {words}")
        return
    with BadCamera(Films(), MISBEHAVIOURS[arguments.name][1], arguments.host, arguments.port) as camera:
        print(camera.login_url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            print_ledger(camera) if arguments.ledger else threading.Event().wait()


if __name__ == "__main__":
    main()
