# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What sends a bad camera's pictures over a connection, and does what its script says between them."""
import contextlib
import socket
import time

import rtp_packing as packing
from behaviour import Ended
from camera_ledger import Sent, wall_us
from numbered_film import number_unit
from rtsp_answers import KINDS

STRAY_NUMBER, STRAY_SSRC = 1 << 30, 0x5742a11


class Player:
    """run() is the body of a thread."""

    def __init__(self, connection):
        self.connection, self.camera = connection, connection.camera
        self.film = self.film_name = None
        self.place = 0  # in the film, of the next picture
        self.sent_packets = self.sent_bytes = self.stray_packets = 0

    def run(self):
        """Sends pictures, and does what the script says between them, to the end of the connection."""
        due = time.monotonic()
        reported = 0.0
        try:
            while not self.connection.gone.is_set():
                for action in self.camera.next_actions():
                    before = time.monotonic()
                    action(self.camera, self.connection)
                    due += max(0.0, time.monotonic() - before - 0.02)
                if self.camera.is_frozen():
                    self.connection.rest(self.camera.frozen_until - time.monotonic() + 0.2)
                    due = time.monotonic()
                self.connection.check_timeout()
                if self.camera.behaviour.report_offset_s is not None and due >= reported:
                    self.report(due)
                    reported = due + self.camera.behaviour.reports_every_s
                self.send_next(due)
                due += 1 / self.camera.behaviour.pictures_per_s
                self.connection.rest(max(0.0, due - time.monotonic()))
        except (OSError, Ended):
            pass
        finally:
            self.connection.gone.set()
            with contextlib.suppress(OSError):
                self.connection.socket.shutdown(socket.SHUT_RDWR)

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
        capture_us = now_us - round((now - captured) * 1e6)
        camera.ledger.append(Sent(number, self.connection.number, capture_us, now_us, picture.key, complete,
                                  self.film_name))
        if behaviour.second_source and number % 3 == 1:
            self.send_stray(picture, ticks)
        self.send_others(ticks)
        if self.connection.cut_next:
            action, self.connection.cut_next = self.connection.cut_next, None
            action(camera, self.connection)

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
        if self.connection.cut_next:
            self.connection.send_half("video", packets)
            return False
        self.sent_packets += len(packets)
        self.sent_bytes += sum(len(packet) - 12 for packet in packets)
        self.connection.send_media("video", packets)
        return complete

    def loses(self, place, count, key):
        """Whether this packet of a picture never arrives."""
        camera = self.camera
        every = camera.behaviour.loses_by_udp
        if every and self.connection.ports and not key and camera.pictures > 20 and camera.sequence % every == 0:
            return True
        if camera.lose > 0 and (place < count - 1 or count == 1):
            camera.lose -= 1
            return True
        return False

    def send_stray(self, picture, ticks):
        """A picture of the second source: numbered far away, on the same channel."""
        units = [number_unit(self.film.codec, STRAY_NUMBER), *picture.slices]
        payloads = packing.pack(self.film.codec, units, self.camera.behaviour.most)
        packets = []
        for payload in payloads:
            self.stray_packets += 1
            packets.append(packing.rtp(payload, KINDS["video"], self.stray_packets, ticks + 12_345, STRAY_SSRC,
                                       payload is payloads[-1]))
        self.connection.send_media("video", packets)

    def send_others(self, ticks):
        """A tenth of a second of the tracks beside the video, for clients that set them up."""
        count = self.camera.pictures
        audio = packing.rtp(b"\xd5" * 800, KINDS["audio"], count, count * 800, 0xa0d10, False)
        metadata = packing.rtp(b"<tt:MetadataStream/>", KINDS["metadata"], count, ticks, 0x3e7a, True)
        self.connection.send_media("audio", [audio])
        self.connection.send_media("metadata", [metadata])

    def report(self, due):
        camera = self.camera
        told_us = wall_us() + round((due - time.monotonic() + camera.behaviour.report_offset_s) * 1e6)
        report = packing.sender_report(camera.ssrc, told_us, self.ticks_of(due, camera.pictures), self.sent_packets,
                                       self.sent_bytes)
        self.connection.send_media("video", [report], control=True)
