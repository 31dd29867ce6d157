# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bad camera's side of one RTSP connection: its requests, its answers, and the ways its media goes."""
import contextlib
import ctypes
import socket
import struct
import threading
import time

import rtp_packing as packing
from behaviour import Ended
from camera_ledger import Asked, wall_us
from camera_player import Player
from rtsp_answers import Request, describe


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
        self.player = None             # the thread that sends, once it plays

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
            camera.new_guard()
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
        self.player = threading.Thread(target=Player(self).run, daemon=True)
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

    def check_timeout(self):
        behaviour = self.camera.behaviour
        timeout_s = behaviour.session_timeout_s or behaviour.silent_timeout_s
        if timeout_s and time.monotonic() - self.alive_at > 1.25 * timeout_s:
            self.close()
            raise Ended

    def send_media(self, kind, packets, control=False):
        """The way that this track was set up for; nowhere when it was not."""
        if kind in self.ports:
            sockets, ports = self.ports[kind]
            for packet in packets:
                sockets[control].sendto(packet, (self.peer, ports[control]))
        elif kind in self.channels and packets:
            channel = self.channels[kind] + control
            self.send(b"".join(packing.interleave(channel, packet) for packet in packets))

    def send_half(self, kind, packets):
        """The first half of their bytes."""
        if kind in self.channels:
            data = b"".join(packing.interleave(self.channels[kind], packet) for packet in packets)
            self.send(data[:len(data) // 2])


def disconnect(sock):
    """Ends a TCP connection by RST while others still hold its descriptor."""
    libc = ctypes.CDLL(None, use_errno=True)
    address = struct.pack("H14x", socket.AF_UNSPEC)
    libc.connect(sock.fileno(), address, len(address))
