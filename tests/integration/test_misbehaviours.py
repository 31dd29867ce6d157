# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every misbehaviour of tests/camera/misbehaviours.py, a row each, all at once on two sites: one that prefers
TCP, and one that prefers UDP, for the rows that are about that.

A row is judged by what the site told (states, reasons, gaps) and by the numbers of the pictures in its
clips, against the ledger of the camera that sent them (ledger_judge.py). What each row is about and what
the product does about it is in docs/design/misbehaviours.md.
"""
import concurrent.futures
import contextlib
import csv
import io
import re
import time
from dataclasses import dataclass, field

import pytest

from bad_camera import BadCamera
from camera_ledger import wall_us
from gridwatch_site import Site, probe_frames, wait_for
from ledger_judge import SECOND, judge_films, judge_gaps, judge_numbers, judge_times, usable, without_begin
from misbehaviours import MISBEHAVIOURS
from numbered_film import FILMS, FPS, read_clip
from rtsp_camera import ROOT

WATCH_S = 38
STALL_S = 3
TAIL_US = 1_000_000  # what was sent so shortly before the end may be missing
BATCH, BETWEEN_S = 12, 0.5  # cameras are added by so many at once
SITES = ("tcp", "udp")       # what they prefer


@dataclass
class Row:
    camera: str              # its misbehaviour
    fact: str                # what the row proves, and its id
    status: str = "online"   # at the end
    reason: str = ""         # of that status; a pattern
    told: str = None         # a reason with which it was offline in between
    cause: str = "-"         # of its gaps; none are expected without
    first_cause: str = ".*"  # of the gap before its first picture
    ahead_s: float = 0       # capture times are so much ahead of the true ones
    within_s: float = 0.15   # of the ledger's capture times
    uneven_s: float = 0.04   # by which one duration may be off
    begins_s: float = 0      # so long after its first picture some may be missing, or foreign
    settles_s: float = 0     # after its first picture; times are judged from then on
    fps: float = FPS
    by_arrival: bool = True  # capture times follow arrival, not the camera's word
    site: str = "tcp"        # the transport that its site prefers
    transport: str = None    # over which its pictures must have come


def recorded(camera, fact, **options):
    return Row(camera, fact, **options)


def refused(camera, fact, cause, reason):
    return Row(camera, fact, status="offline", reason=reason, cause=cause)


DISCONNECTED = {"cause": "disconnected", "told": "ended|cut|closed"}
STALLED = {"cause": "stalled", "told": "no pictures"}
# What the network lost may be a fault of the camera's state, but not of its encoding.
LOST = {"cause": "slow-network", "status": "online|degraded", "reason": "^$|lost"}
ROWS = [
    recorded("well", "a_camera_that_does_nothing_wrong_is_recorded_whole_without_a_gap"),
    # The connection.
    recorded("stalls", "a_stall_is_one_gap_and_the_camera_is_recorded_again", **STALLED),
    recorded("stalls-in-picture", "half_a_picture_before_a_stall_is_not_recorded", **STALLED),
    recorded("freezes", "a_camera_that_hangs_wholly_is_recorded_from_its_thaw_on", **STALLED),
    recorded("closes", "a_closed_connection_is_a_gap_to_the_next_keyframe_and_no_more", **DISCONNECTED),
    recorded("closes-in-picture", "half_a_picture_before_a_close_is_not_recorded", **DISCONNECTED),
    recorded("resets", "a_reset_connection_loses_no_picture_that_was_sent", **DISCONNECTED),
    recorded("refuses", "a_camera_that_refuses_for_a_time_keeps_the_cause_it_went_away_for", **DISCONNECTED),
    recorded("reboots", "a_camera_that_rebooted_is_recorded_with_its_new_numbers", **DISCONNECTED),
    recorded("ends-each-8-s", "sessions_that_end_all_the_time_lose_only_the_time_between", status="online|offline",
             **DISCONNECTED),
    recorded("says-goodbye", "a_goodbye_ends_the_session_without_waiting_for_a_stall", **DISCONNECTED),
    refused("never-answers", "a_camera_that_never_answers_is_unreachable", "unreachable", "no answer"),
    Row("never-lets-go", "a_camera_that_never_lets_go_is_left_all_the_same", status="online", **STALLED),
    recorded("trickles", "pictures_in_tiny_pieces_are_whole"),
    # Passwords.
    refused("refuses-password", "a_refused_password_is_unauthorised", "unauthorised", "password"),
    recorded("digest", "digest_logins_work"),
    recorded("digest-auth", "digest_logins_with_qop_work"),
    recorded("digest-sha256", "digest_logins_with_sha256_work"),
    recorded("basic", "basic_logins_work"),
    recorded("several-challenges", "of_several_challenges_a_known_one_is_taken"),
    recorded("stale-nonce", "a_stale_nonce_in_a_keep_alive_does_not_end_the_session"),
    # Answers.
    refused("answers-453", "too_many_viewers_is_refused", "refused", "many|at once|refused"),
    refused("answers-503", "an_overloaded_camera_is_refused", "refused", "at once|busy|serve"),
    refused("answers-404", "an_absent_stream_is_unusable", "unusable", "stream"),
    recorded("tcp-refused", "a_camera_without_tcp_is_pulled_by_udp", transport="udp"),
    recorded("udp-refused", "a_camera_without_udp_is_pulled_by_tcp", site="udp", transport="tcp"),
    recorded("both-ways", "udp_is_taken_where_the_site_prefers_it", site="udp", transport="udp"),
    recorded("udp-lossy", "tcp_is_taken_where_udp_loses_too_much", site="udp", transport="tcp", **LOST),
    recorded("other-channels", "the_channels_that_the_camera_gives_count"),
    recorded("wrong-cseq", "answers_with_a_wrong_number_are_answers"),
    recorded("no-cseq", "answers_without_a_number_are_answers"),
    recorded("zero-lengths", "a_length_of_nothing_is_nothing"),
    recorded("lying-length", "a_description_behind_a_length_of_zero_is_read"),
    recorded("bare-lines", "bare_line_ends_and_small_letters_are_read"),
    recorded("internal-address", "a_camera_is_asked_where_the_registry_has_it_whatever_address_it_names"),
    recorded("media-before-answer", "pictures_before_the_answer_to_play_are_recorded"),
    recorded("asks-back", "a_camera_that_asks_in_the_stream_is_answered"),
    recorded("short-session", "a_session_of_four_seconds_is_kept_alive"),
    recorded("no-get-parameter", "options_keep_a_session_alive_where_get_parameter_is_unknown"),
    recorded("redirects", "a_redirect_to_another_port_of_the_camera_is_followed"),
    refused("redirects-elsewhere", "a_redirect_to_loopback_is_not_followed", "unusable", "redirect"),
    refused("redirects-in-circle", "a_redirect_in_a_circle_ends", "unusable", "redirect"),
    refused("endless-headers", "endless_headers_are_unusable", "unusable", "."),
    refused("endless-header-line", "an_endless_header_line_is_unusable", "unusable", "."),
    refused("endless-description", "an_endless_description_is_unusable", "unusable", "."),
    refused("huge-length", "an_absurd_length_is_unusable", "unusable", "."),
    refused("negative-length", "a_negative_length_is_unusable", "unusable", "."),
    refused("garbage-answer", "random_bytes_are_unusable", "unusable", "."),
    refused("web-server", "a_web_server_is_unusable", "unusable", "."),
    recorded("tls", "rtsp_over_tls_is_recorded"),
    # What it offers.
    recorded("h265", "h265_is_recorded"),
    recorded("audio-and-metadata", "tracks_beside_the_video_are_not_even_set_up"),
    refused("only-audio", "a_camera_without_video_is_unusable", "unusable", "video"),
    refused("only-mjpeg", "a_camera_with_mjpeg_alone_is_unusable", "unusable", "H.264"),
    recorded("sets-in-description", "parameter_sets_of_the_description_suffice"),
    recorded("sets-in-stream", "parameter_sets_of_the_stream_suffice"),
    recorded("broken-sets", "broken_parameter_sets_in_the_description_do_not_matter"),
    recorded("wrong-sets", "wrong_parameter_sets_in_the_description_do_not_matter"),
    recorded("h265-sets-in-stream", "parameter_sets_of_an_h265_stream_suffice"),
    refused("huge-picture", "pictures_of_16384_pixels_are_unusable", "unusable", "."),
    # Pictures.
    recorded("no-keyframe", "recording_begins_with_the_first_keyframe_and_the_time_before_is_a_gap",
             first_cause="stalled|unusable"),
    recorded("b-frames", "b_frames_keep_their_order_and_times", within_s=0.35),
    recorded("h265-b-frames", "b_frames_of_h265_keep_their_order_and_times", within_s=0.35),
    recorded("slices", "pictures_in_slices_are_whole"),
    recorded("h265-slices", "pictures_in_slices_of_h265_are_whole"),
    recorded("resolution-change", "another_resolution_begins_a_clip_and_loses_nothing"),
    recorded("parameter-change", "other_parameters_of_the_same_size_begin_a_clip_and_lose_nothing"),
    recorded("codec-change", "another_codec_begins_a_clip", **DISCONNECTED),
    # RTP.
    recorded("aggregated", "aggregated_packets_are_taken_apart"),
    recorded("h265-aggregated", "aggregated_packets_of_h265_are_taken_apart"),
    recorded("no-marker", "pictures_end_without_a_marker_too"),
    recorded("every-marker", "a_marker_in_each_packet_ends_no_picture"),
    recorded("new-ssrc", "a_new_ssrc_loses_nothing"),
    recorded("two-ssrc", "a_second_source_is_not_mixed_in", begins_s=2, status="online|degraded"),
    recorded("wraps", "wraps_of_timestamps_and_sequence_numbers_are_no_jumps"),
    recorded("lost-packets", "lost_packets_cost_the_pictures_to_the_next_keyframe_and_are_told", **LOST),
    recorded("udp-loss", "lost_datagrams_cost_the_pictures_to_the_next_keyframe_and_are_told",
             transport="udp", **LOST),
    recorded("udp-reorders", "datagrams_are_put_in_order", transport="udp"),
    recorded("garbage-between", "bytes_between_packets_lose_no_picture"),
    # Time.
    recorded("clock-right", "capture_times_follow_a_clock_that_is_right", by_arrival=False),
    recorded("clock-near", "capture_times_follow_a_clock_that_is_nearly_right", ahead_s=0.8, settles_s=9,
             by_arrival=False),
    recorded("clock-hours-off", "a_clock_that_is_hours_off_is_told_and_not_followed", status="degraded",
             reason="clock"),
    recorded("clock-jumps", "a_clock_that_jumps_is_told_and_loses_nothing", status="degraded", reason="clock"),
    recorded("ticks-jump-ahead", "timestamps_that_jump_ahead_lose_nothing", settles_s=12),
    recorded("ticks-jump-back", "timestamps_that_jump_back_lose_nothing", settles_s=12),
    recorded("ticks-frozen", "frozen_timestamps_are_replaced_by_arrival", settles_s=8, uneven_s=0.1),
    recorded("wrong-rate", "timestamps_at_a_wrong_rate_are_corrected_from_arrival", settles_s=15, uneven_s=0.06,
             within_s=0.4, fps=15),
]


@dataclass
class Outcome:
    """What was seen of the cameras of a site."""
    cameras: dict                               # name: BadCamera
    added_us: dict = field(default_factory=dict)
    until_us: int = 0                           # the end of what is judged
    rows: dict = field(default_factory=dict)    # name: camera as the API shows it at the end
    told: dict = field(default_factory=dict)    # name: [(kind, reason, since_us)] of the bus
    gaps: dict = field(default_factory=dict)    # name: items
    clips: dict = field(default_factory=dict)   # name: rows of its clips, by start
    files: dict = field(default_factory=dict)   # clip id: path
    workers: tuple = ()                         # process ids before and after
    resident_kib: list = field(default_factory=list)
    left_s: float = 0                           # how long it took to leave all cameras


def sheet(cameras, enabled):
    """The registry's sheet for these cameras (docs/ref/cameras-sheet.md)."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["id", "record_url", "record", "enabled"])
    writer.writerows([name, camera.login_url, "continuous", enabled] for name, camera in cameras.items())
    return text.getvalue()


def import_sheet(site, cameras, enabled):
    path = site.folder / "cameras.csv"
    path.write_text(sheet(cameras, enabled), encoding="utf-8")
    site.run("camera import", path)


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def watch(site, outcome):
    """Runs the cameras' scripts to their end, then asks the site for all that it knows."""
    bus = site.subscribe("camera/")
    before = sorted(site.workers())
    names = list(outcome.cameras)
    for at in range(0, len(names), BATCH):
        batch = names[at:at + BATCH]
        outcome.added_us |= dict.fromkeys(batch, wall_us())
        import_sheet(site, {name: outcome.cameras[name] for name in batch}, "yes")
        time.sleep(BETWEEN_S)
    time.sleep(WATCH_S)
    outcome.resident_kib = [resident_kib(pid) for pid in site.workers()]
    outcome.until_us = wall_us() - TAIL_US
    outcome.rows = {row["id"]: row for row in site.get("/cameras")["items"]}
    outcome.gaps = {name: site.get(f"/gaps?camera={name}&limit=1000")["items"] for name in outcome.cameras}
    outcome.workers = (before, sorted(site.workers()))
    begin = time.monotonic()
    import_sheet(site, outcome.cameras, "no")
    wait_for("all clips closed", lambda: not site.clips(state="recording"), 20)
    outcome.left_s = time.monotonic() - begin
    outcome.clips = {name: sorted(site.clips(camera=name, limit=1000), key=lambda clip: clip["start_us"])
                     for name in outcome.cameras}
    outcome.files = {clip["id"]: site.clip_file(clip) for clips in outcome.clips.values() for clip in clips}
    while message := bus.receive(0.3):
        if "camera" in message.data:
            outcome.told.setdefault(message.data["camera"], []).append(
                (message.kind.rsplit(".", 1)[1], message.data.get("reason", ""), message.data.get("since_us", 0)))


def run_site(stack, films, transport):
    """Each camera has an address of its own, as real ones have. The site's store stays until the stack ends."""
    site = Site(f"camera:\n  stall: {STALL_S}s\n  transport: {transport}\nanalysis:\n  level: off\n")
    stack.callback(site.close)
    names = [row.camera for row in ROWS if row.site == transport]
    network = f"127.0.{1 + SITES.index(transport)}"
    with contextlib.ExitStack() as running:
        cameras = {name: running.enter_context(BadCamera(films, MISBEHAVIOURS[name][1], host=f"{network}.{number}"))
                   for number, name in enumerate(names, 1)}
        seen = Outcome(cameras)
        site.start()
        watch(site, seen)
        site.stop()
    return seen


@pytest.fixture(scope="module")
def outcomes(program, films):
    """What was seen on each site."""
    assert program
    for name in FILMS:
        films.get(name)  # encoded before the clock runs
    with contextlib.ExitStack() as stack, concurrent.futures.ThreadPoolExecutor(len(SITES)) as pool:
        yield list(pool.map(lambda transport: run_site(stack, films, transport), SITES))


def find(outcomes, camera):
    """The outcome of the site that had that camera."""
    return next(outcome for outcome in outcomes if camera in outcome.cameras)


def judge_state(row, outcome):
    """What was told of the camera, in the API and on the bus."""
    shown, told = outcome.rows[row.camera], outcome.told.get(row.camera, [])
    complaints = []
    if not re.fullmatch(row.status, shown["status"]) or not re.search(row.reason, shown.get("reason") or ""):
        complaints.append(f"{shown['status']} ({shown.get('reason')}) at the end, not {row.status} ({row.reason})")
    offline = [reason for kind, reason, since_us in told if kind == "offline" and since_us < outcome.until_us]
    if row.told and not any(re.search(row.told, reason) for reason in offline):
        complaints.append(f"never told offline for {row.told!r}: {told}")
    if row.status != "offline" and not row.told and offline:
        complaints.append(f"told offline for nothing: {offline}")
    return complaints


def judge_transport(row, outcome):
    if not row.transport:
        return []
    setups = [asked for asked in outcome.cameras[row.camera].asked if asked.method == "SETUP"]
    over = ["tcp" if "TCP" in asked.headers["transport"] else "udp" for asked in setups]
    return [] if over[-1:] == [row.transport] else [f"set up over {over}, {row.transport} should be the last"]


def judge_clips(row, outcome):
    """The pictures in the clips, their times, and whether they decode."""
    ledger, rows = outcome.cameras[row.camera].ledger, outcome.clips[row.camera]
    if row.status == "offline":
        return [f"{len(rows)} clips of a camera that cannot be recorded"] if rows else []
    if not usable(ledger):
        return ["nobody played it"]
    clips = [read_clip(outcome.files[clip["id"]]) for clip in rows]
    settled = without_begin(clips, ledger, row)
    complaints = judge_numbers(settled, ledger, row, outcome.until_us)
    complaints += judge_times(settled, ledger, row) + judge_films(settled, ledger)
    for clip, pictures in zip(rows, clips):
        if clip["frames"] != len(pictures):
            complaints.append(f"the index says {clip['frames']} pictures, the file has {len(pictures)}")
        if len(probe_frames(outcome.files[clip["id"]])) != len(pictures):
            complaints.append(f"not every picture decodes in the clip that begins with {pictures[0].number}")
    return complaints


def judge_gap_list(row, outcome):
    return judge_gaps(outcome.gaps[row.camera], outcome.cameras[row.camera].ledger, row, outcome.added_us[row.camera],
                      outcome.until_us)


@pytest.mark.parametrize("row", ROWS, ids=[row.fact for row in ROWS])
def test_misbehaviour(outcomes, row):
    outcome = find(outcomes, row.camera)
    complaints = [*judge_state(row, outcome), *judge_transport(row, outcome), *judge_clips(row, outcome),
                  *judge_gap_list(row, outcome)]
    assert not complaints, "\n  ".join([f"{row.camera}:", *complaints])


def test_every_misbehaviour_of_the_camera_has_a_row():
    assert [row.camera for row in ROWS] == list(MISBEHAVIOURS)
    assert len({row.fact for row in ROWS}) == len(ROWS) >= 45


def test_the_document_has_a_line_for_each_row():
    text = (ROOT / "docs/design/misbehaviours.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `([\w-]+)` \| (.+?) \| .+ \| ([\w-]*) ?\| `(\w+)` \|$", text, re.M)
    assert lines == [(row.camera, MISBEHAVIOURS[row.camera][0], "" if row.cause == "-" else row.cause, row.fact)
                     for row in ROWS]


def test_no_camera_takes_a_worker_with_it_or_fills_its_memory(outcomes):
    for outcome in outcomes:
        before, after = outcome.workers
        assert before == after
        assert max(outcome.resident_kib) < 1024 * 1024, "with what the sanitizers take"


def test_all_cameras_are_left_at_once_whatever_they_do(outcomes):
    for outcome in outcomes:
        assert outcome.left_s < 10


def test_nothing_but_the_video_is_set_up(outcomes):
    asked = find(outcomes, "audio-and-metadata").cameras["audio-and-metadata"].asked
    assert {request.uri.rsplit("/", 1)[1] for request in asked if request.method == "SETUP"} == {"track3"}


def test_a_redirect_is_followed_to_the_same_camera_only(outcomes):
    def behind(name):
        return [asked for asked in find(outcomes, name).cameras[name].asked if asked.door == 1]
    assert behind("redirects") and not behind("redirects-elsewhere")


@pytest.mark.parametrize("camera", ["stalls", "freezes", "stalls-in-picture"])
def test_a_stall_is_told_within_a_second_of_its_deadline(outcomes, camera):
    outcome = find(outcomes, camera)
    # All of them fail after their 100th picture or soon after, on their first connection.
    last_us = max(sent.sent_us for sent in outcome.cameras[camera].ledger if sent.number < 104 and sent.complete
                  and sent.connection == 0)
    told_us = min(since_us for kind, _, since_us in outcome.told[camera] if kind == "offline")
    assert STALL_S - 0.2 < (told_us - last_us) / SECOND < STALL_S + 1
