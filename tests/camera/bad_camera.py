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
import struct
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import rtp_packing as packing  # noqa: E402
from behaviour import Behaviour, Ended  # noqa: E402
from numbered_film import Films, number_unit  # noqa: E402
from rtsp_answers import KINDS, Guard, Request, describe  # noqa: E402

USER, PASSWORD = "viewer", "p@ss: w/rd"


@dataclass
class Sent:
    """One picture, as it left the camera."""
    number: int
    connection: int
    capture_us: int  # wall: when it was taken, by the true clock
    sent_us: int     # wall: when its last packet was handed to the network
    key: bool
    complete: bool   # False: packets of it are missing
    film: str
    stray: bool = False  # of the second source


@dataclass
class Asked:
    """One request."""
    connection: int
    wall_us: int
    method: str
    uri: str
    headers: dict
    door: int  # 0: the camera's own port; 1: where it redirects to


def wall_us():
    return time.time_ns() // 1000


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
        login = self.behaviour.login
        self.guard = Guard(login, USER, PASSWORD) if login else None
        self.nonce_since = time.monotonic()
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


class Connection:
    """One client. A thread reads its requests; another one sends once it plays."""

    def __init__(self, camera, plain, number, door):
        self.camera, self.number, self.door = camera, number, door
        self.socket = plain
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.peer = plain.getpeername()[0]
        self.writing = threading.Lock()
        self.gone = threading.Event()  # no more can come or go
        self.channels = {}             # track kind: first channel
        self.ports = {}                # track kind: (sockets, ports of the client)
        self.alive_at = time.monotonic()
        self.cut_next = None           # what to do in the middle of the next picture
        self.player = None
        self.sent_packets = self.sent_bytes = 0
        self.film = self.film_name = None
        self.place = 0

    # --- the wire ---

    def send(self, data):
        with self.writing:
            if self.camera.behaviour.trickled:
                for at in range(0, len(data), 90):
                    self.socket.sendall(data[at:at + 90])
                    time.sleep(0.002)
            else:
                self.socket.sendall(data)

    def close(self):
        self.gone.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.close_udp()

    def reset(self):
        """RST instead of FIN."""
        self.gone.set()
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # The reader holds the descriptor: only a disconnect (AF_UNSPEC) sends the RST at once.
            disconnect(self.socket)
        self.close_udp()

    def close_udp(self):
        for sockets, _ in self.ports.values():
            for each in sockets:
                each.close()

    def rest(self, seconds):
        """Does nothing for so long; shorter only when the connection ends."""
        if self.gone.wait(seconds):
            raise Ended

    def receive(self):
        """The next request, None at the end. What the client sends on channels is skipped."""
        while True:
            while self.buffer[:1] == b"$" and len(self.buffer) >= 4:
                length = 4 + struct.unpack_from(">H", self.buffer, 2)[0]
                if len(self.buffer) < length:
                    break
                self.buffer = self.buffer[length:]
            if self.buffer[:1] != b"$" and b"\r\n\r\n" in self.buffer:
                head, _, rest = self.buffer.partition(b"\r\n\r\n")
                request = Request.parse(head)
                length = int(request.headers.get("content-length", 0))
                if len(rest) >= length:
                    request.body, self.buffer = rest[:length], rest[length:]
                    return request
            if self.camera.is_frozen() or (self.player and self.camera.behaviour.never_lets_go):
                self.gone.wait(0.05)
                if self.gone.is_set():
                    return None
                continue
            data = self.socket.recv(65536)
            if not data:
                return None
            self.buffer += data

    # --- requests ---

    def serve(self):
        self.buffer = b""
        try:
            if self.camera.context:
                self.socket = self.camera.context.wrap_socket(self.socket, server_side=True)
            while request := self.receive():
                self.camera.asked.append(Asked(self.number, wall_us(), request.method, request.uri, request.headers,
                                               self.door))
                if not request.method.startswith("RTSP/"):  # an answer to one of ours
                    self.handle(request)
        except (OSError, Ended):
            pass
        finally:
            self.gone.set()
            if self.player:
                self.player.join()
            self.close_udp()
            self.socket.close()

    def handle(self, request):
        behaviour, camera = self.camera.behaviour, self.camera
        if camera.is_frozen():
            self.rest(camera.frozen_until - time.monotonic())
        if not behaviour.wait_for_answer:
            return
        if request.method in behaviour.raw:
            for piece in behaviour.raw[request.method](self, request):
                self.send(piece)
        elif request.method in behaviour.status:
            self.answer(request, behaviour.status[request.method])
        elif behaviour.redirect and self.door == 0 and request.method == "DESCRIBE":
            self.answer(request, "302 Moved Temporarily", [f"Location: {self.elsewhere()}"])
        elif camera.guard and request.method != "OPTIONS" and not self.is_allowed(request):
            pass
        else:
            if request.method in behaviour.kept_alive_by:
                self.alive_at = time.monotonic()
            getattr(self, "handle_" + request.method.lower(), self.handle_unknown)(request)

    def elsewhere(self):
        if self.camera.behaviour.redirect == "circle":
            return self.camera.url
        host, port = self.camera.listeners[1].getsockname()
        return f"rtsp://{host}:{port}/live"

    def is_allowed(self, request):
        """Whether the password is right; has answered when it is not."""
        camera, stale = self.camera, False
        life_s = camera.behaviour.nonce_s
        if life_s and time.monotonic() - camera.nonce_since > life_s:
            stale = "authorization" in request.headers
            camera.guard = Guard(camera.behaviour.login, USER, PASSWORD)
            camera.nonce_since = time.monotonic()
        if camera.guard.allows(request):
            return True
        self.answer(request, "401 Unauthorized", camera.guard.challenges(stale))
        return False

    def answer(self, request, status="200 OK", lines=(), body=""):
        behaviour = self.camera.behaviour
        head = [f"RTSP/1.0 {status}"]
        sequence = request.headers.get("cseq", "0")
        if behaviour.sequence != "none":
            head.append(f"CSeq: {int(sequence) + 100 if behaviour.sequence == 'wrong' else sequence}")
        head += lines
        if behaviour.lying_length or (behaviour.zero_lengths and not body):
            head.append("Content-Length: 0")
        elif body:
            head.append(f"Content-Length: {len(body)}")
        end = "\r\n"
        if behaviour.bare_lines:
            end = "\n"
            head = head[:1] + [name.lower() + colon + value for name, colon, value in
                               (line.partition(":") for line in head[1:])]
        self.send((end.join(head) + end + end + body).encode())

    def handle_unknown(self, request):
        self.answer(request, "501 Not Implemented")

    def handle_options(self, request):
        self.answer(request, lines=["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"])

    def handle_get_parameter(self, request):
        self.answer(request, lines=[self.session_line()])

    handle_set_parameter = handle_get_parameter

    def handle_describe(self, request):
        camera = self.camera
        base = camera.behaviour.content_base or request.uri.rstrip("/") + "/"
        film = camera.films.get(camera.behaviour.film)
        self.answer(request, lines=["Content-Type: application/sdp", f"Content-Base: {base}"],
                    body=describe(film, camera.behaviour))

    def session_line(self):
        timeout_s = self.camera.behaviour.session_timeout_s
        return "Session: 4711" + (f";timeout={timeout_s:g}" if timeout_s else "")

    def handle_setup(self, request):
        behaviour = self.camera.behaviour
        kind = next((kind for number, kind in enumerate(behaviour.tracks, 1)
                     if request.uri.endswith(f"/track{number}")), None)
        asked = request.headers.get("transport", "")
        udp = "TCP" not in asked.upper()
        if not kind:
            self.answer(request, "404 Not Found")
        elif ("udp" if udp else "tcp") not in behaviour.transports or "multicast" in asked:
            self.answer(request, "461 Unsupported Transport")
        else:
            transport = self.open_udp(kind, asked) if udp else self.open_channels(kind, asked)
            self.answer(request, lines=[f"Transport: {transport};ssrc={self.camera.ssrc:08X}", self.session_line()])

    def open_channels(self, kind, asked):
        wanted = [word.split("=")[1] for word in asked.split(";") if word.startswith("interleaved=")]
        first = int(wanted[0].split("-")[0]) if wanted else 2 * len(self.channels)
        if self.camera.behaviour.channels_from is not None:
            first = self.camera.behaviour.channels_from + 2 * len(self.channels)
        self.channels[kind] = first
        return f"RTP/AVP/TCP;unicast;interleaved={first}-{first + 1}"

    def open_udp(self, kind, asked):
        wanted = next(word.split("=")[1] for word in asked.split(";") if word.startswith("client_port="))
        ports = [int(port) for port in wanted.split("-")]
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for each in sockets:
            each.bind((self.camera.host, 0))
        self.ports[kind] = (sockets, ports)
        own = "-".join(str(each.getsockname()[1]) for each in sockets)
        return f"RTP/AVP;unicast;client_port={wanted};server_port={own}"

    def handle_play(self, request):
        self.alive_at = time.monotonic()
        self.player = threading.Thread(target=self.play, daemon=True)
        if self.camera.behaviour.media_before_answer:
            self.player.start()
            self.rest(0.25)
        self.answer(request, lines=[self.session_line(), "Range: npt=now-"])
        if not self.camera.behaviour.media_before_answer:
            self.player.start()

    def handle_teardown(self, request):
        self.answer(request)
        self.close()

    # --- media ---

    def play(self):
        """Sends pictures, and does what the script says between them, to the end of the connection."""
        due = time.monotonic()
        reported = 0.0
        try:
            while not self.gone.is_set():
                for action in self.camera.next_actions():
                    before = time.monotonic()
                    action(self.camera, self)
                    due += max(0.0, time.monotonic() - before - 0.02)
                if self.camera.is_frozen():
                    self.rest(self.camera.frozen_until - time.monotonic() + 0.2)
                    due = time.monotonic()
                self.check_timeout()
                if self.camera.behaviour.report_offset_s is not None and due >= reported:
                    self.report(due)
                    reported = due + self.camera.behaviour.reports_every_s
                self.send_next(due)
                due += 1 / self.camera.behaviour.pictures_per_s
                self.rest(max(0.0, due - time.monotonic()))
        except (OSError, Ended, ValueError):
            pass
        finally:
            self.gone.set()
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)

    def check_timeout(self):
        behaviour = self.camera.behaviour
        timeout_s = behaviour.session_timeout_s or behaviour.silent_timeout_s
        if timeout_s and time.monotonic() - self.alive_at > 1.25 * timeout_s:
            self.close()
            raise Ended

    def pick(self):
        """The next picture of the film; a new film begins with a keyframe, where the old one has one."""
        camera = self.camera
        name = camera.behaviour.film
        if not self.film:
            self.film, self.film_name, self.place = camera.films.get(name), name, 0
        elif name != self.film_name and self.film.pictures[self.place].key:
            self.film, self.film_name, self.place = camera.films.get(name), name, 0
        if camera.seconds() < camera.behaviour.no_key_for_s and self.film.pictures[self.place].key:
            self.place += 1
        place, picture = self.place, self.film.pictures[self.place]
        self.place = (self.place + 1) % len(self.film.pictures)
        return place, picture

    def send_next(self, due):
        camera, behaviour = self.camera, self.camera.behaviour
        place, picture = self.pick()
        # A picture is sent once the one shown `delay` after it has been taken.
        captured = due + (picture.shown - place - self.film.delay) / behaviour.pictures_per_s
        number = camera.take_number()
        units = [number_unit(self.film.codec, number), *picture.slices]
        if picture.key and "stream" in behaviour.sets_in:
            units = [*self.film.parameter_sets, *units]
        ticks = self.ticks_of(captured, number + picture.shown - place)
        payloads = packing.pack(self.film.codec, units, behaviour.most, behaviour.aggregated)
        complete = self.send_payloads(payloads, ticks, picture.key)
        now, now_us = time.monotonic(), wall_us()
        camera.ledger.append(Sent(number, self.number, now_us - round((now - captured) * 1e6), now_us, picture.key,
                                  complete, self.film_name))
        if behaviour.second_source and number % 3 == 1:
            self.send_stray(picture, ticks)
        self.send_others(ticks)
        if self.cut_next:
            action, self.cut_next = self.cut_next, None
            action(camera, self)

    def ticks_of(self, captured, count):
        camera = self.camera
        if camera.behaviour.ticks == "frozen":
            return camera.first_ticks
        if camera.behaviour.ticks != "right":
            return camera.first_ticks + count * camera.behaviour.ticks
        return camera.first_ticks + round((captured - camera.began) * packing.RATE)

    def send_payloads(self, payloads, ticks, key):
        """One picture. Returns whether all of it was sent."""
        camera, behaviour = self.camera, self.camera.behaviour
        packets, complete = [], True
        for place, payload in enumerate(payloads):
            last = place == len(payloads) - 1
            marker = {"right": last, "never": False, "every": True}[behaviour.marker]
            packet = packing.rtp(payload, KINDS["video"], camera.sequence, ticks, camera.ssrc, marker)
            camera.sequence += 1
            if self.loses(place, len(payloads), key):
                complete = False
                continue
            packets.append(packet)
        if behaviour.reordered:
            packets = [packet for at in range(0, len(packets), 2) for packet in reversed(packets[at:at + 2])]
        if self.cut_next:
            self.send_half("video", packets)
            return False
        self.sent_packets += len(packets)
        self.sent_bytes += sum(len(packet) - 12 for packet in packets)
        self.send_media("video", packets)
        return complete

    def loses(self, place, count, key):
        """Whether this packet of a picture never arrives."""
        camera = self.camera
        every = camera.behaviour.loses_by_udp
        if every and self.ports and not key and camera.pictures > 20 and camera.sequence % every == 0:
            return True
        if camera.lose > 0 and (place < count - 1 or count == 1):
            camera.lose -= 1
            return True
        return False

    def send_media(self, kind, packets, control=False):
        if kind in self.ports:
            sockets, ports = self.ports[kind]
            for packet in packets:
                sockets[control].sendto(packet, (self.peer, ports[control]))
        elif kind in self.channels and packets:
            channel = self.channels[kind] + control
            self.send(b"".join(packing.interleave(channel, packet) for packet in packets))

    def send_half(self, kind, packets):
        if kind in self.channels:
            data = b"".join(packing.interleave(self.channels[kind], packet) for packet in packets)
            self.send(data[:len(data) // 2])

    def send_stray(self, picture, ticks):
        """A picture of the second source: numbered far away, on the same channel."""
        units = [number_unit(self.film.codec, 1 << 30), *picture.slices]
        payloads = packing.pack(self.film.codec, units, self.camera.behaviour.most)
        self.send_media("video", [packing.rtp(payload, KINDS["video"], at, ticks ^ 0x5555, 0x5742a11, at == len(payloads) - 1)
                                  for at, payload in enumerate(payloads)])

    def send_others(self, ticks):
        """A tenth of a second of the tracks beside the video, for clients that set them up."""
        camera = self.camera
        if "audio" in self.channels or "audio" in self.ports:
            self.send_media("audio", [packing.rtp(b"\xd5" * 800, KINDS["audio"], camera.sequence,
                                                  camera.pictures * 800, 0xa0d10, False)])
        if "metadata" in self.channels or "metadata" in self.ports:
            self.send_media("metadata", [packing.rtp(b"<tt:MetadataStream/>", KINDS["metadata"], camera.sequence, ticks,
                                                     0x3e7a, True)])

    def report(self, due):
        camera = self.camera
        told_us = wall_us() + round((due - time.monotonic() + camera.behaviour.report_offset_s) * 1e6)
        self.send_media("video", [packing.sender_report(camera.ssrc, told_us, self.ticks_of(due, camera.pictures),
                                                        self.sent_packets, self.sent_bytes)], control=True)


def disconnect(sock):
    """Ends a TCP connection by RST while others still hold its descriptor."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    address = struct.pack("H14x", socket.AF_UNSPEC)
    libc.connect(sock.fileno(), address, len(address))


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
