# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""RTSP servers as child processes: this project's (tests/camera) and one it did not write."""
import os
import pathlib
import select
import signal
import socket
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


class ScriptedCamera:
    """Answers each RTSP method always the same: {method: (status line, more lines, body)}."""

    def __init__(self, answers):
        self.answers = answers
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
        with connection, connection.makefile("rb") as lines:
            while head := list(iter(lambda: lines.readline().decode().strip(), "")):
                sequence = next(line for line in head if line.lower().startswith("cseq"))
                status, more, body = self.answers.get(head[0].split()[0], ("200 OK", [], ""))
                length = [f"Content-Length: {len(body)}"] if body else []
                answer = [f"RTSP/1.0 {status}", sequence, *more, *length, "", body]
                connection.sendall("\r\n".join(answer).encode())

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
