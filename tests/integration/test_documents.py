# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What documents name exists: paths, links and verbs."""
import os
import re
import subprocess

import pytest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
FOLDERS = ("core", "ingest", "analyze", "storage", "bus", "console", "app", "deploy", "tests", "docs")
# `folder/name`, `folder/name.ext`, `folder/`: what looks like a path of the repository.
PATH = re.compile(r"^(?:%s)/[\w./-]*$" % "|".join(FOLDERS))
# Made by building or running, so not there in a fresh checkout.
MADE = ("console/web/dist", "tests/results", "build")


def tracked(pattern):
    listing = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern], cwd=ROOT,
                             capture_output=True, text=True, check=True)
    return sorted(set(listing.stdout.split()))


def documents():
    return tracked("*.md")


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def named_paths(text):
    """Paths in backticks, in prose and tables; fenced blocks are programs and pictures."""
    prose = re.sub(r"```.*?```", "", text, flags=re.S)
    for quoted in re.findall(r"`([^`\n]+)`", prose):
        path = quoted.split("#")[0].rstrip(":")
        if PATH.match(path) and not path.startswith(MADE):
            yield path


def links(text):
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target) and not target.startswith("#"):
            yield target.split("#")[0]


def named_verbs(text):
    return set(re.findall(r"\bgridwatch ([a-z][a-z-]+)\b", " ".join(re.findall(r"`([^`]+)`", text))))


def program_verbs():
    return set(re.findall(r'\{"([a-z-]+)", gw_verb_', read("app/main.c")))


@pytest.mark.parametrize("name", documents())
def test_every_path_that_a_document_names_exists(name):
    missing = [path for path in named_paths(read(name)) if not os.path.exists(os.path.join(ROOT, path))]
    assert not missing, f"{name} names what is not there: {missing}"


@pytest.mark.parametrize("name", documents())
def test_every_link_of_a_document_leads_somewhere(name):
    folder = os.path.dirname(os.path.join(ROOT, name))
    missing = [target for target in links(read(name)) if not os.path.exists(os.path.join(folder, target))]
    assert not missing, f"{name} links to what is not there: {missing}"


@pytest.mark.parametrize("name", documents())
def test_every_verb_that_a_document_names_is_a_verb(name):
    unknown = named_verbs(read(name)) - program_verbs()
    assert not unknown, f"{name} names verbs that gridwatch does not have: {sorted(unknown)}"


def test_the_checks_notice_what_is_missing():
    text = "See `core/gone.h`, `core/event.h:` and [x](nowhere.md#a); run `gridwatch fly --far`.\n```\n`app/no.c`\n```"
    assert list(named_paths(text)) == ["core/gone.h", "core/event.h"]
    assert list(links(text)) == ["nowhere.md"]
    assert named_verbs(text) - program_verbs() == {"fly"}


def test_every_source_file_says_its_licence():
    sources = [name for ext in ("*.c", "*.h", "*.py", "*.ts", "*.vue", "meson.build") for name in tracked(ext)]
    silent = [name for name in sources if "SPDX-License-Identifier: GPL-3.0-or-later" not in read(name)[:400]]
    assert not silent


def test_includes_point_one_way():
    allowed = {"core": {"core"}, "ingest": {"core", "ingest"}, "analyze": {"core", "analyze"},
               "storage": {"core", "storage"}, "bus": {"core", "bus"},
               "console": {"core", "ingest", "analyze", "storage", "bus", "console"}}
    wrong = []
    for folder, may in allowed.items():
        for name in tracked(f"{folder}/*.[ch]"):
            for target in re.findall(r'#include "(\w+)/', read(name)):
                if target not in may:
                    wrong.append(f"{name} includes {target}/")
    assert not wrong
