# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The misbehaviours by name: what each is, in words, and the Behaviour of a camera that has it.

Times are made for a site whose `camera.stall` is 3 s and that watches for some 40 s.
"""
import os

from behaviour import (Behaviour, after, at, both, change, close, every, every_pictures, freeze, in_picture, jump, lose,
                       new_ssrc, reboot, refuse, request, reset, say_goodbye, send_bytes, stall)

HOUR_S = 3600


def head(asked, *lines):
    return "\r\n".join(["RTSP/1.0 200 OK", f"CSeq: {asked.headers.get('cseq', 0)}", *lines, ""]).encode()


def endless_headers(connection, asked):
    yield head(asked)
    while not connection.gone.is_set():
        yield b"X-Padding: " + b"a" * 4000 + b"\r\n"


def endless_header_line(connection, asked):
    yield head(asked) + b"X-Padding: "
    while not connection.gone.is_set():
        yield b"a" * 4000


def endless_description(connection, asked):
    yield head(asked, "Content-Type: application/sdp", "Content-Length: 1000000000", "")
    while not connection.gone.is_set():
        yield b"a=tool:" + b"x" * 1000 + b"\r\n"


def huge_length(connection, asked):
    yield head(asked, "Content-Type: application/sdp", "Content-Length: 99999999999", "") + b"v=0\r\n"


def negative_length(connection, asked):
    yield head(asked, "Content-Type: application/sdp", "Content-Length: -1", "") + b"v=0\r\n"


def garbage(connection, asked):
    yield os.urandom(20_000).replace(b"$", b"%")


def web_page(connection, asked):
    yield b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"


SERVER_DESCRIPTION = "v=0\r\no=- 2 2 IN IP4 0.0.0.0\r\ns=anew\r\nt=0 0\r\n"

MISBEHAVIOURS = {
    "well": ("does nothing wrong", Behaviour()),
    # The connection.
    "stalls": ("stops sending for 8 s and closes nothing", Behaviour(script=[after(100, stall(8))])),
    "stalls-in-picture": ("stops for ever in the middle of a picture, once",
                          Behaviour(script=[after(104, in_picture(stall(60)))])),
    "freezes": ("hangs wholly for 8 s: takes connections, answers nothing", Behaviour(script=[after(100, freeze(8))])),
    "closes": ("closes the connection (FIN)", Behaviour(script=[after(95, close)])),
    "closes-in-picture": ("closes it when half a picture was sent", Behaviour(script=[after(95, in_picture(close))])),
    "resets": ("cuts the connection (RST)", Behaviour(script=[after(95, reset)])),
    "refuses": ("closes, and nobody listens for 6 s", Behaviour(script=[after(95, refuse(6))])),
    "reboots": ("cut off, absent for 6 s, back with other RTP numbers", Behaviour(script=[after(95, reboot(6))])),
    "ends-each-8-s": ("every session ends after 8 s", Behaviour(script=[every(8, close)])),
    "says-goodbye": ("sends RTCP BYE and keeps the connection",
                     Behaviour(script=[after(95, both(say_goodbye, stall(60)))])),
    "never-answers": ("takes connections and says nothing", Behaviour(wait_for_answer=False)),
    "never-lets-go": ("stops, and neither reads nor closes when its client leaves",
                      Behaviour(never_lets_go=True, script=[after(60, stall(300))])),
    "trickles": ("sends in pieces of 90 bytes", Behaviour(trickled=True)),
    # Passwords.
    "refuses-password": ("answers 401, whatever comes", Behaviour(login="never")),
    "digest": ("asks for digest, MD5", Behaviour(login="digest")),
    "digest-auth": ("asks for digest, MD5, qop=auth", Behaviour(login="digest-auth")),
    "digest-sha256": ("asks for digest, SHA-256", Behaviour(login="digest-sha256")),
    "basic": ("asks for basic", Behaviour(login="basic")),
    "several-challenges": ("offers an unknown scheme first, then SHA-256, MD5, basic", Behaviour(login="several")),
    "stale-nonce": ("calls the nonce stale in the keep-alives, closes when they fail",
                    Behaviour(login="digest", nonce_s=3, session_timeout_s=6)),
    # Answers.
    "answers-453": ("453 Not Enough Bandwidth to SETUP",
                    Behaviour(status={"SETUP": "453 Not Enough Bandwidth"})),
    "answers-503": ("503 Service Unavailable to DESCRIBE", Behaviour(status={"DESCRIBE": "503 Service Unavailable"})),
    "answers-404": ("404 Not Found to DESCRIBE", Behaviour(status={"DESCRIBE": "404 Not Found"})),
    "tcp-refused": ("461 to TCP: only UDP", Behaviour(transports=("udp",))),
    "udp-refused": ("461 to UDP: only TCP", Behaviour(transports=("tcp",))),
    "both-ways": ("sends either way", Behaviour()),
    "udp-lossy": ("sends either way, but a tenth of what goes by UDP is lost", Behaviour(loses_by_udp=10)),
    "other-channels": ("gives other channel numbers than were asked for", Behaviour(channels_from=4)),
    "wrong-cseq": ("answers with a wrong CSeq", Behaviour(sequence="wrong")),
    "no-cseq": ("answers without CSeq", Behaviour(sequence="none")),
    "zero-lengths": ("says Content-Length: 0 where nothing follows", Behaviour(zero_lengths=True)),
    "lying-length": ("says Content-Length: 0 and sends a description", Behaviour(lying_length=True)),
    "bare-lines": ("lower-case headers, lines end with LF alone", Behaviour(bare_lines=True)),
    "internal-address": ("Content-Base and control name an address inside its own network",
                         Behaviour(content_base="rtsp://192.168.1.108:554/live/",
                                   control_base="rtsp://192.168.1.108:554/live/")),
    "media-before-answer": ("sends pictures before it answers PLAY", Behaviour(media_before_answer=True)),
    "asks-back": ("sends requests of its own in the stream", Behaviour(script=[
        after(25, request("OPTIONS")),
        after(45, request("SET_PARAMETER", "Content-Type: text/parameters", body="a: b\r\n")),
        after(65, request("ANNOUNCE", "Content-Type: application/sdp", body=SERVER_DESCRIPTION))])),
    "short-session": ("closes after 5 s unless GET_PARAMETER comes; says so (timeout=4)",
                      Behaviour(session_timeout_s=4, kept_alive_by=("GET_PARAMETER",))),
    "no-get-parameter": ("the same, but answers 501 to GET_PARAMETER and takes OPTIONS",
                         Behaviour(session_timeout_s=4, kept_alive_by=("OPTIONS",),
                                   status={"GET_PARAMETER": "501 Not Implemented"})),
    "redirects": ("302 to another port of its own", Behaviour(redirect="port")),
    "redirects-elsewhere": ("302 to 127.0.0.2", Behaviour(redirect="elsewhere")),
    "redirects-in-circle": ("302 to itself", Behaviour(redirect="circle")),
    "endless-headers": ("header lines without end", Behaviour(raw={"DESCRIBE": endless_headers})),
    "endless-header-line": ("a header line without end", Behaviour(raw={"DESCRIBE": endless_header_line})),
    "endless-description": ("a description without end", Behaviour(raw={"DESCRIBE": endless_description})),
    "huge-length": ("Content-Length: 99999999999", Behaviour(raw={"DESCRIBE": huge_length})),
    "negative-length": ("Content-Length: -1", Behaviour(raw={"DESCRIBE": negative_length})),
    "garbage-answer": ("bytes at random instead of answers",
                       Behaviour(raw=dict.fromkeys(("OPTIONS", "DESCRIBE"), garbage))),
    "web-server": ("speaks HTTP", Behaviour(raw=dict.fromkeys(("OPTIONS", "DESCRIBE"), web_page))),
    "tls": ("RTSP over TLS, a certificate it signed itself", Behaviour(tls=True)),
    # What it offers.
    "h265": ("sends H.265", Behaviour("h265")),
    "audio-and-metadata": ("G.711 and ONVIF metadata before the video",
                           Behaviour(tracks=("audio", "metadata", "video"))),
    "only-audio": ("has no video", Behaviour(tracks=("audio",))),
    "only-mjpeg": ("has only MJPEG", Behaviour(tracks=("mjpeg",))),
    "sets-in-description": ("tells parameter sets in the description only", Behaviour(sets_in=("description",))),
    "sets-in-stream": ("tells them in the stream only", Behaviour(sets_in=("stream",))),
    "broken-sets": ("the description's parameter sets are broken", Behaviour(sprop="Z!!notbase64")),
    "wrong-sets": ("the description's parameter sets are those of nothing", Behaviour(sprop="Z2QAKP////8=")),
    "h265-sets-in-stream": ("H.265, parameter sets in the stream only", Behaviour("h265", sets_in=("stream",))),
    "huge-picture": ("its SPS says 16384x16384", Behaviour("huge")),
    # Pictures.
    "no-keyframe": ("no keyframe for the first 20 s", Behaviour(no_key_for_s=20)),
    "b-frames": ("B-frames", Behaviour("b-frames")),
    "h265-b-frames": ("H.265 with B-frames", Behaviour("h265-b-frames")),
    "slices": ("three slices per picture", Behaviour("slices")),
    "h265-slices": ("H.265, three slices per picture", Behaviour("h265-slices")),
    "resolution-change": ("another resolution in mid-stream", Behaviour(script=[after(95, change(film="big"))])),
    "parameter-change": ("other parameter sets, same size",
                         Behaviour(script=[after(95, change(film="other-parameters"))])),
    "codec-change": ("closes, and is described as H.265 from then on",
                     Behaviour(script=[after(95, both(change(film="h265"), close))])),
    # RTP.
    "aggregated": ("small NAL units share packets (STAP-A)", Behaviour(aggregated=True, most=1200)),
    "h265-aggregated": ("H.265, small NAL units share packets (AP)", Behaviour("h265", aggregated=True, most=1200)),
    "no-marker": ("never sets the marker bit", Behaviour(marker="never")),
    "every-marker": ("sets the marker bit in every packet", Behaviour(marker="every")),
    "new-ssrc": ("another SSRC each 7 s", Behaviour(script=[every(7, new_ssrc)])),
    "two-ssrc": ("a second source sends on the same channel", Behaviour(second_source=True)),
    "wraps": ("timestamps and sequence numbers wrap", Behaviour(first_sequence=65_400, first_ticks=2**32 - 9 * 90_000)),
    "lost-packets": ("RTP packets are missing, over TCP", Behaviour(script=[after(64, lose(1)), after(147, lose(1))])),
    "udp-loss": ("UDP only, and packets are lost",
                 Behaviour(transports=("udp",), script=[after(64, lose(1)), after(147, lose(2))])),
    "udp-reorders": ("UDP only, and packets change places", Behaviour(transports=("udp",), most=150, reordered=True)),
    "garbage-between": ("bytes that belong to nothing, between packets",
                        Behaviour(script=[every_pictures(45, send_bytes(b"\0\0\xff\xffgarbage\r\n\0"))])),
    # Time.
    "clock-right": ("sender reports tell the right time", Behaviour(report_offset_s=0.0)),
    "clock-near": ("sender reports tell a clock that is 0.8 s ahead", Behaviour(report_offset_s=0.8)),
    "clock-hours-off": ("sender reports tell a clock that is 2 h behind", Behaviour(report_offset_s=-2.0 * HOUR_S)),
    "clock-jumps": ("the clock in its sender reports jumps by 3 h",
                    Behaviour(report_offset_s=0.0, script=[at(12, change(report_offset_s=3.0 * HOUR_S))])),
    "ticks-jump-ahead": ("timestamps jump ahead by 5 h, in the middle of a GOP",
                         Behaviour(script=[after(104, jump(5 * HOUR_S))])),
    "ticks-jump-back": ("timestamps jump back by 2 h, in the middle of a GOP",
                        Behaviour(script=[after(104, jump(-2 * HOUR_S))])),
    "ticks-frozen": ("all pictures have the same timestamp", Behaviour(ticks="frozen")),
    "wrong-rate": ("timestamps count 25 pictures a second, it sends 15",
                   Behaviour(ticks=3600, declared_fps=25, pictures_per_s=15)),
}
