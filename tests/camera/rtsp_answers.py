# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of an RTSP server: requests taken apart, descriptions (SDP), passwords (RFC 2617, 7616)."""
import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field

KINDS = {"video": 96, "audio": 8, "metadata": 107, "mjpeg": 26}  # RTP payload types


@dataclass
class Request:
    method: str
    uri: str
    headers: dict  # lower-case names
    body: bytes = b""

    @classmethod
    def parse(cls, head):
        lines = head.decode("utf-8", "replace").splitlines()
        method, uri = (lines[0].split() + ["", ""])[:2]
        headers = {name.strip().lower(): value.strip() for name, _, value in
                   (line.partition(":") for line in lines[1:]) if name}
        return cls(method, uri, headers)


def fmtp(film, behaviour):
    """The line that tells the parameter sets; "" when the description has none."""
    if "description" not in behaviour.sets_in:
        return ""
    sets = [base64.b64encode(unit).decode() for unit in film.parameter_sets]
    if behaviour.sprop is not None:
        sets = [behaviour.sprop] * len(sets)
    if film.codec == "h264":
        return f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={','.join(sets)}\r\n"
    names = ["sprop-vps", "sprop-sps", "sprop-pps"]
    return "a=fmtp:96 " + ";".join(f"{name}={unit}" for name, unit in zip(names, sets)) + "\r\n"


def describe_track(kind, number, film, behaviour):
    media = {
        "video": ("video", f"a=rtpmap:96 {film.codec.upper()}/90000\r\n" + fmtp(film, behaviour)
                  + f"a=framerate:{behaviour.declared_fps}\r\n"),
        "audio": ("audio", "a=rtpmap:8 PCMA/8000\r\n"),
        "metadata": ("application", "a=rtpmap:107 vnd.onvif.metadata/90000\r\n"),
        "mjpeg": ("video", "a=rtpmap:26 JPEG/90000\r\n"),
    }
    name, lines = media[kind]
    return f"m={name} 0 RTP/AVP {KINDS[kind]}\r\n{lines}a=control:{behaviour.control_base}track{number}\r\n"


def describe(film, behaviour):
    tracks = "".join(describe_track(kind, number, film, behaviour)
                     for number, kind in enumerate(behaviour.tracks, 1))
    return ("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=bad camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
            f"a=control:{behaviour.control_base or '*'}\r\na=range:npt=now-\r\n{tracks}")


# --- passwords -----------------------------------------------------------------------------------

HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
# scheme: (algorithms offered, quality of protection)
DIGESTS = {"digest": (["MD5"], None), "digest-auth": (["MD5"], "auth"), "digest-sha256": (["SHA-256"], "auth"),
           "several": (["SHA-256", "MD5"], None)}


@dataclass
class Guard:
    """Asks for a password as one scheme does: basic, a key of DIGESTS, or never (whatever comes is
    wrong). "several" begins with a scheme that nobody knows, and offers basic last."""
    scheme: str
    user: str
    password: str
    nonce: str = field(default_factory=lambda: secrets.token_hex(8))

    def challenges(self, stale=False):
        lines = ['WWW-Authenticate: Negotiate realm="unknown"'] if self.scheme == "several" else []
        algorithms, quality = DIGESTS.get(self.scheme, (["MD5"] if self.scheme == "never" else [], None))
        for algorithm in algorithms:
            line = f'WWW-Authenticate: Digest realm="bad, camera", nonce="{self.nonce}", algorithm={algorithm}'
            lines.append(line + (f', qop="{quality}"' if quality else "") + (", stale=true" if stale else ""))
        if self.scheme in ("basic", "several"):
            lines.append('WWW-Authenticate: Basic realm="bad camera"')
        return lines

    def allows(self, request):
        kind, _, words = request.headers.get("authorization", "").partition(" ")
        if self.scheme == "never":
            return False
        if kind == "Basic" and self.scheme in ("basic", "several"):
            return base64.b64decode(words).decode() == f"{self.user}:{self.password}"
        return kind == "Digest" and self.scheme in DIGESTS and self.is_right(request, fields(words))

    def is_right(self, request, said):
        hashing = HASHES.get(said.get("algorithm", "MD5"))
        algorithms, quality = DIGESTS[self.scheme]
        if not hashing or said.get("algorithm", "MD5") not in algorithms or said.get("nonce") != self.nonce:
            return False

        def digest(*words):
            return hashing(":".join(words).encode()).hexdigest()
        first = digest(self.user, said.get("realm", ""), self.password)
        second = digest(request.method, said.get("uri", ""))
        if quality:
            middle = [said.get("nc", ""), said.get("cnonce", ""), said.get("qop", "")]
            return all(middle) and said.get("response") == digest(first, self.nonce, *middle, second)
        return said.get("response") == digest(first, self.nonce, second)


def fields(words):
    """name=value and name="value" of an Authorization line."""
    found = re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]*))', words)
    return {name: quoted or plain for name, quoted, plain in found}
