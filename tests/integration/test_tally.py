# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The counting of tests/run: what fails must be seen, however it fails."""
import json
import sys

from rtsp_camera import ROOT

sys.path.insert(0, str(ROOT / "tests"))
import tally  # noqa: E402


def entry(result, text):
    return json.dumps({"name": "x", "result": result, "stdout": text, "stderr": ""})


def test_cases_of_a_c_test_are_counted_one_by_one():
    text = "[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\n[  SKIPPED ] b\n"
    assert tally.count_suite("cmocka", entry("OK", text), 0) == (1, 0, 1)


def test_a_failed_case_is_counted_once():
    text = ("[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\n[  FAILED  ] b\n"
            "[  FAILED  ] tests: 1 test(s), listed below:\n[  FAILED  ] b\n")
    assert tally.count_suite("cmocka", entry("FAIL", text), 1) == (1, 1, 0)


def test_a_crash_between_cases_is_a_failure():
    text = "[ RUN      ] a\n[       OK ] a\n"
    assert tally.count_suite("cmocka", entry("FAIL", text), 1) == (1, 1, 0)
    assert tally.count_suite("cmocka", entry("TIMEOUT", text + "[ RUN      ] b\n"), 1) == (1, 1, 0)


def test_a_suite_without_results_is_a_failure():
    for kind in ("cmocka", "junit", "tap"):
        assert tally.count_suite(kind, "", 0) == (0, 1, 0)
        assert tally.count_suite(kind, "", 134) == (0, 1, 0)


def test_an_exit_code_that_no_case_explains_is_a_failure():
    passed = "<testsuites><testsuite><testcase name='a'/></testsuite></testsuites>"
    assert tally.count_suite("junit", passed, 0) == (1, 0, 0)
    assert tally.count_suite("junit", passed, 3) == (1, 1, 0)


def test_pytest_results_are_told_apart():
    text = ("<testsuites><testsuite><testcase name='a'/><testcase name='b'><failure/></testcase>"
            "<testcase name='c'><skipped/></testcase><testcase name='d'><error/></testcase>"
            "</testsuite></testsuites>")
    assert tally.count_suite("junit", text, 1) == (1, 2, 1)


def test_node_totals_are_read_from_the_end_of_its_tap():
    text = "TAP version 13\n# tests 5\n# suites 1\n# pass 3\n# fail 1\n# cancelled 0\n# skipped 1\n# todo 0\n"
    assert tally.count_suite("tap", text, 1) == (3, 1, 1)


def test_the_last_line_adds_the_suites_up():
    assert tally.summary(["unit 3 0 0", "web 4 0 0"]) == ("7 passed, 0 failed", 0)
    assert tally.summary(["unit 3 1 2"]) == ("3 passed, 1 failed, 2 skipped", 1)
    assert tally.summary([]) == ("0 passed, 1 failed", 1)
