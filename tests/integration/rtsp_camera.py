# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""RTSP servers as child processes: this project's (tests/camera) and one it did not write."""
import contextlib
import os
import pathlib
import re
import select
import signal
import socket
import struct
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = "/usr/bin/python3"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def read_line(process, deadline_s):
    """One line of a process's standard output, or an assertion after that time or at its end."""
    deadline = time.monotonic() + deadline_s
    while True:
        ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        assert ready, f"{process.args[0]} said nothing for {deadline_s} s"
        line = process.stdout.readline()
        assert line, f"{process.args[0]} ended with {process.wait()}"
        return line.decode().strip()


class RtspServer:
    """`tests/camera/rtsp_server.py` serving {name: file}; a context manager."""

    def __init__(self, cameras, port=0, login=None, method="digest", audio=None, live=False):
        arguments = [PYTHON, str(ROOT / "tests/camera/rtsp_server.py"), "--port", str(port)]
        arguments += ["--login", method] if login else []
        arguments += ["--audio", audio] if audio else []
        arguments += ["--live"] if live else []
        arguments += [f"{name}={path}" for name, path in cameras.items()]
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if login:
            self.process.stdin.write(f"{login[0]}\n{login[1]}\n".encode())
        self.process.stdin.close()
        word, self.port = read_line(self.process, 20).split()
        assert word == "ready"
        self.port = int(self.port)

    def url(self, name, login=None):
        user = f"{login[0]}:{login[1]}@" if login else ""
        return f"rtsp://{user}127.0.0.1:{self.port}/{name}"

    def freeze(self):
        """Sends nothing any more, closes nothing: a camera that hangs."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def rtp_payloads(unit, most=1400):
    if len(unit) <= most:
        return [unit]
    cuts = range(1, len(unit), most)
    return [bytes([unit[0] & 0xe0 | 28,
                   unit[0] & 0x1f | (0x80 if at == 1 else 0) | (0x40 if at == cuts[-1] else 0)])
            + unit[at:at + most] for at in cuts]


def h264_pictures(path):
    """The pictures of a file with one slice each, as lists of NAL units."""
    stream = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-c", "copy", "-f", "h264", "-"],
                            capture_output=True, check=True).stdout
    pictures = [[]]
    for unit in re.split(b"\0*\0\0\1", stream)[1:]:
        pictures[-1].append(unit)
        if unit[0] & 0x1f in (1, 5):
            pictures.append([])
    return pictures[:-1]


def sender_report(camera_s, rtp_time):
    """An RTCP sender report within the RTSP connection (RFC 3550, 6.4.1)."""
    ntp = int((camera_s + 2208988800) * 2**32)
    return struct.pack(">BBHBBHIQIII", 0x24, 1, 28, 0x80, 200, 6, 1, ntp, rtp_time, 0, 0)


def read_head(stream):
    """The lines of the next request; receiver reports before it (RFC 2326, 10.12) are passed over."""
    head = []
    while byte := stream.read(1):
        if byte == b"$" and not head:
            _, size = struct.unpack(">BH", stream.read(3))
            stream.read(size)
            continue
        line = (byte + stream.readline()).decode().strip()
        if not line:
            return head
        head.append(line)
    return []


class ScriptedCamera:
    """Answers each RTSP method always the same: {method: (status line, more lines, body)}. After PLAY
    it sends the H.264 NAL units, a list for each picture, ten pictures a second. clock_s: it tells its
    clock once a second, so much ahead of ours; None: it tells none. ticks: what it counts per picture;
    9000 is right."""

    def __init__(self, answers, pictures=(), clock_s=None, ticks=9000):
        self.answers = answers
        self.pictures = pictures
        self.clock_s = clock_s
        self.ticks = ticks
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"rtsp://127.0.0.1:{self.server.getsockname()[1]}/gate"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        with connection, connection.makefile("rb") as lines, contextlib.suppress(OSError):
            while head := read_head(lines):
                sequence = next(line for line in head if line.lower().startswith("cseq"))
                status, more, body = self.answers.get(head[0].split()[0], ("200 OK", [], ""))
                length = [f"Content-Length: {len(body)}"] if body else []
                answer = [f"RTSP/1.0 {status}", sequence, *more, *length, "", body]
                connection.sendall("\r\n".join(answer).encode())
                if head[0].startswith("PLAY"):
                    threading.Thread(target=self.play, args=(connection,), daemon=True).start()

    def play(self, connection):
        """RTP between the answers (RFC 2326, 10.12), large NAL units in pieces (RFC 6184, 5.8)."""
        packets = 0
        for number, units in enumerate(self.pictures):
            if self.clock_s is not None and number % 10 == 0:
                with contextlib.suppress(OSError):
                    connection.sendall(sender_report(time.time() + self.clock_s, number * self.ticks))
            pieces = [piece for unit in units for piece in rtp_payloads(unit)]
            for piece in pieces:
                mark = 0x80 if piece is pieces[-1] else 0
                header = struct.pack(">BBHII", 0x80, mark | 96, packets & 0xffff, number * self.ticks, 1)
                try:
                    connection.sendall(struct.pack(">BBH", 0x24, 0, 12 + len(piece)) + header + piece)
                except OSError:
                    return
                packets += 1
            time.sleep(0.1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.close()


def shared_folder():
    """Real footage and a foreign RTSP server, where a machine has them; else None."""
    folder = pathlib.Path(os.environ.get("GRIDWATCH_SHARED", ROOT.parent / "shared"))
    return folder if (folder / "tools/rtsp-cams.py").is_file() else None


class ForeignRtspServer(RtspServer):
    """An RTSP server that this project did not write, with footage of real cameras."""

    def __init__(self, names, seconds=300, login=None):
        folder = shared_folder()
        self.port = free_port()
        arguments = [PYTHON, str(folder / "tools/rtsp-cams.py"), "--port", str(self.port),
                     "--seconds", str(seconds)]
        arguments += ["--user", login[0], "--password", login[1]] if login else []
        arguments += [f"{name}={folder}/footage/{name}.mp4" for name in names]
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE)
        assert read_line(self.process, 60) == "ready"
