# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Video files as RTSP cameras that never end, by gst-rtsp-server.

The compressed pictures of a file are read once into memory and played in a loop under time stamps
that go on counting, so that the loop's end looks to a client like any other keyframe. Needs Debian's
python3-gi, gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-{base,good,bad} and ffmpeg.
"""
import signal
import subprocess
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

Gst.init(None)

# ffprobe's codec name -> the parser, its caps and the payloader. `config-interval` belongs on the
# parser only: on the payloader it would put parameter sets between the slices of one picture.
CODECS = {
    "h264": ("h264parse", "video/x-h264,stream-format=byte-stream,alignment=au", "rtph264pay"),
    "hevc": ("h265parse", "video/x-h265,stream-format=byte-stream,alignment=au", "rtph265pay"),
}
# What a repeated picture shares with the first; its time stamps are its own.
PICTURE = Gst.BufferCopyFlags.FLAGS | Gst.BufferCopyFlags.MEMORY
# The test tone that a camera with audio sends beside its pictures.
AUDIO = {
    "pcma": "audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay name=pay1 pt=8",
    "aac": "audio/x-raw,rate=16000,channels=1 ! voaacenc ! aacparse ! rtpmp4gpay name=pay1 pt=97",
}


def probe(path):
    """The codec of a file's first video track, and how long it lasts in seconds."""
    answer = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
         "stream=codec_name:format=duration", "-of", "default=nw=1:nk=1", path],
        capture_output=True, text=True, check=True).stdout.split()
    return answer[0], float(answer[1])


class Footage:
    """A file's compressed pictures in decoding order, and what plays them."""

    def __init__(self, path):
        codec, seconds = probe(path)
        parser, caps, self.payloader = CODECS[codec]
        self.parser, self.caps = parser, caps
        self.period = int(seconds * Gst.SECOND)
        self.pictures = list(self._read(path))
        self.start = self.pictures[0].dts

    def _read(self, path):
        pipeline = Gst.parse_launch(f"filesrc name=file ! qtdemux ! {self.parser} config-interval=-1 ! "
                                    f"{self.caps} ! appsink name=sink sync=false")
        pipeline.get_by_name("file").set_property("location", path)
        pipeline.set_state(Gst.State.PLAYING)
        sink = pipeline.get_by_name("sink")
        while sample := sink.emit("pull-sample"):
            yield sample.get_buffer()
        pipeline.set_state(Gst.State.NULL)

    def first_keyframe(self, after):
        """The number of the first keyframe at or after this time in the loop."""
        after += self.start
        for number, picture in enumerate(self.pictures):
            if picture.dts >= after and not picture.has_flags(Gst.BufferFlags.DELTA_UNIT):
                return number
        return 0


class Player:
    """Feeds one client's (or all clients') source with the loop, under growing time stamps."""

    def __init__(self, footage, first):
        self.footage, self.next = footage, first
        self.offset = -footage.pictures[first].dts

    def feed(self, source, _length):
        picture = self.footage.pictures[self.next]
        copy = picture.copy_region(PICTURE, 0, picture.get_size())
        copy.dts = picture.dts + self.offset
        copy.pts = picture.pts + self.offset
        self.next += 1
        if self.next == len(self.footage.pictures):
            self.next = 0
            self.offset += self.footage.period
        source.emit("push-buffer", copy)


class Cameras:
    """An RTSP server on the loopback address."""

    def __init__(self, port):
        self.server = GstRtspServer.RTSPServer()
        self.server.set_address("127.0.0.1")
        self.server.set_service(str(port))
        self.footage = {}
        self.started = time.monotonic()
        self.locked = False

    def require_login(self, user, password, method):
        """From now on every camera asks for this user: "digest" or "basic"."""
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        if method == "digest":
            auth.set_supported_methods(2)
            auth.add_digest(user, password, token)
        else:
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
        self.server.set_auth(auth)
        self.locked = True

    def add(self, name, path, live=True, audio=None):
        """rtsp://127.0.0.1:PORT/NAME. live: clients join what is going on, as with a real camera;
        otherwise each client sees the file from its start."""
        if path not in self.footage:
            self.footage[path] = Footage(path)
        footage = self.footage[path]
        tone = f"audiotestsrc is-live=true wave=ticks ! {AUDIO[audio]}" if audio else ""
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f"( appsrc name=loop format=time max-bytes=65536 caps={footage.caps} ! "
                           f"{footage.parser} ! {footage.payloader} name=pay0 pt=96 {tone} )")
        factory.set_shared(live)
        factory.connect("media-configure", self._configure, footage, live)
        if self.locked:
            permissions = GstRtspServer.RTSPPermissions()
            for what in ("access", "construct"):
                permissions.add_permission_for_role("viewer", "media.factory." + what, True)
            factory.set_permissions(permissions)
        self.server.get_mount_points().add_factory("/" + name, factory)

    def _configure(self, _factory, media, footage, live):
        place = 0
        if live:
            uptime = int((time.monotonic() - self.started) * Gst.SECOND)
            place = footage.first_keyframe(uptime % footage.period)
        source = media.get_element().get_by_name_recurse_up("loop")
        source.connect("need-data", Player(footage, place).feed)

    def serve(self):
        """Binds, and returns the port (0: it is taken)."""
        if self.server.attach(None) == 0:
            return 0
        return self.server.get_bound_port()


def run():
    """Serves until SIGTERM or SIGINT."""
    loop = GLib.MainLoop()
    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, loop.quit)
    loop.run()
