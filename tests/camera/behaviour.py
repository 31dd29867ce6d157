# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a bad camera behaves: what it always does (Behaviour), and what it does when (rules, actions).

An action is a function of (camera, connection), run by the thread that sends, between two pictures.
Behaviour("h265", script=[after(30, stall(8)), at(20, close())]) is a camera that stops for 8 s after
its 30th picture and closes 20 s after its first one.
"""
import random
import time
from dataclasses import dataclass, field

import rtp_packing as packing


@dataclass
class Behaviour:
    # What it offers.
    film: str = "plain"
    tracks: tuple = ("video",)
    declared_fps: float = 10
    sets_in: tuple = ("description", "stream")  # where parameter sets are told
    sprop: str = None                           # told in the description instead of the right ones

    # RTSP.
    transports: tuple = ("tcp", "udp")
    status: dict = field(default_factory=dict)  # {method: "453 Not Enough Bandwidth"}
    raw: dict = field(default_factory=dict)     # {method: function that yields bytes to send, then silence}
    login: str = None                           # a scheme of rtsp_answers.Guard
    nonce_s: float = None                       # so long a nonce is good
    wait_for_answer: bool = True                # False: accepts and says nothing, ever
    sequence: str = "right"                     # "wrong", "none": the CSeq of its answers
    zero_lengths: bool = False                  # Content-Length: 0 in answers without a body
    lying_length: bool = False                  # and in those that have one
    bare_lines: bool = False                    # lower-case header names, LF alone at line ends
    control_base: str = ""                      # in front of the tracks' names in the description
    content_base: str = None                    # instead of its own URL
    channels_from: int = None                   # first channel it gives, whatever was asked for
    session_timeout_s: float = None             # told, and the connection closed after it...
    kept_alive_by: tuple = ("GET_PARAMETER", "OPTIONS", "SET_PARAMETER")  # ...unless one of these comes
    silent_timeout_s: float = None              # the same without telling
    redirect: str = None                        # "port", "elsewhere", "circle"
    tls: bool = False
    media_before_answer: bool = False           # PLAY is answered behind the first pictures
    never_lets_go: bool = False                 # reads and closes nothing once it plays

    # RTP.
    pictures_per_s: float = 10
    most: int = 500                             # bytes of payload
    aggregated: bool = False
    marker: str = "right"                       # "never", "every"
    first_sequence: int = None
    first_ticks: int = None
    ticks: str = "right"                        # "frozen", or so many per picture
    no_key_for_s: float = 0
    report_offset_s: float = None               # sender reports tell a clock so much ahead; None: none are sent
    reports_every_s: float = 2
    second_source: bool = False                 # another SSRC sends beside the first
    reordered: bool = False                     # packets in pairs, the second one first
    trickled: bool = False                      # in pieces of some bytes
    loses_by_udp: int = 0                       # one packet of so many, after 2 s, in no keyframe
    script: list = field(default_factory=list)


@dataclass
class Rule:
    """When to do it: after so many pictures, or so many seconds after the first one; again each so many
    seconds or pictures when again is set."""
    action: callable
    pictures: int = None
    seconds: float = None
    again: bool = False
    due: float = None

    def __post_init__(self):
        self.due = self.pictures if self.seconds is None else self.seconds

    def is_due(self, pictures, seconds):
        if self.due is None or (pictures if self.seconds is None else seconds) < self.due:
            return False
        step = self.pictures if self.seconds is None else self.seconds
        self.due = self.due + step if self.again else None
        return True


def after(pictures, action):
    return Rule(action, pictures=pictures)


def at(seconds, action):
    return Rule(action, seconds=seconds)


def every(seconds, action):
    return Rule(action, seconds=seconds, again=True)


def every_pictures(pictures, action):
    return Rule(action, pictures=pictures, again=True)


class Ended(Exception):
    """This connection is over."""


# --- actions -------------------------------------------------------------------------------------


def stall(seconds):
    """Sends nothing on this connection for so long, and closes nothing."""
    return lambda camera, connection: connection.rest(seconds)


def freeze(seconds):
    """The whole camera hangs: it takes connections, and neither reads nor writes."""
    def act(camera, connection):
        camera.frozen_until = time.monotonic() + seconds
        connection.rest(seconds + 0.2)  # then the reader has noticed that its client left meanwhile
    return act


def close(camera, connection):
    connection.close()
    raise Ended


def reset(camera, connection):
    connection.reset()
    raise Ended


def say_goodbye(camera, connection):
    """RTCP BYE; the connection stays."""
    connection.send_media("video", [packing.goodbye(camera.ssrc)], control=True)


def in_picture(action):
    """Does it when half of the next picture has been sent."""
    def act(camera, connection):
        connection.cut_next = action
    return act


def refuse(seconds, ending=close):
    """Ends the connection; nobody listens for so long."""
    def act(camera, connection):
        camera.refuse(seconds)
        ending(camera, connection)
    return act


def reboot(seconds):
    """Cut off, absent, and back with another SSRC, other sequence numbers and timestamps."""
    def act(camera, connection):
        camera.new_source()
        refuse(seconds, reset)(camera, connection)
    return act


def change(**knobs):
    """Behaves otherwise from now on. A film changes at its next keyframe."""
    def act(camera, connection):
        for name, value in knobs.items():
            setattr(camera.behaviour, name, value)
    return act


def jump(seconds):
    """Its media clock jumps."""
    def act(camera, connection):
        camera.first_ticks += round(seconds * 90000)
    return act


def both(*actions):
    def act(camera, connection):
        for action in actions:
            action(camera, connection)
    return act


def new_ssrc(camera, connection):
    camera.ssrc = random.getrandbits(32)


def lose(packets):
    """So many RTP packets are left out, counted but never sent."""
    def act(camera, connection):
        camera.lose += packets
    return act


def send_bytes(data):
    return lambda camera, connection: connection.send(data)


def request(method, *lines, body=""):
    """The camera asks something of its client in the middle of the stream."""
    def act(camera, connection):
        more = [*lines, f"Content-Length: {len(body)}"] if body else lines
        connection.send("\r\n".join([f"{method} {camera.url} RTSP/1.0", "CSeq: 77", *more, "", body]).encode())
    return act

