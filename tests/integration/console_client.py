# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The console on made-up facts, a client of its API, and docs/ref/openapi.yaml as a judge of answers."""
import http.client
import json
import os
import pathlib
import re
import subprocess
import urllib.parse

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("GRIDWATCH_BINARY", ROOT / "build-tests/app/gridwatch"))
HOST = pathlib.Path(os.environ.get("GRIDWATCH_CONSOLE_HOST", BINARY.parent.parent / "console/console_host"))
API = yaml.safe_load((ROOT / "docs/ref/openapi.yaml").read_text())


class ConsoleHost:
    """tests/integration/console_host.c as a process; obeys one line at a time."""

    def __init__(self, *options):
        self.process = subprocess.Popen([HOST, *map(str, options)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said = {}
        for line in self.process.stdout:
            word, _, rest = line.rstrip("\n").partition(" ")
            said[word] = rest
            if word == "ready":
                break
        assert "ready" in said, self.process.stderr.read()
        self.address, self.login, self.store = said["address"], said["login"], said["store"]
        self.netloc = urllib.parse.urlsplit(self.address).netloc
        self.log = ""

    def ask(self, line):
        """Gives an order and returns the words of its answer after the first."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().split()[1:]

    def new_code(self, order="login"):
        return self.ask(order)[0].rpartition("/")[2]

    def close(self):
        """Ends it as an operator would; returns what it logged."""
        if self.process.poll() is None:
            _, self.log = self.process.communicate("quit\n", timeout=20)
            assert self.process.returncode == 0, self.log
            assert "Sanitizer" not in self.log and "runtime error" not in self.log, self.log
        return self.log


class Answer:
    def __init__(self, response, body):
        self.status, self.body = response.status, body
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.type = self.headers.get("content-type", "").partition(";")[0]

    def json(self):
        return json.loads(self.body)


class Client:
    """One person or program. Every answer is held against the API's description."""

    def __init__(self, host):
        self.host = host
        self.headers = {}

    def request(self, method, path, headers=None, body=None, check=True):
        connection = http.client.HTTPConnection(self.host.netloc, timeout=20)
        try:
            connection.request(method, path, body=body, headers={**self.headers, **(headers or {})})
            response = connection.getresponse()
            answer = Answer(response, response.read())
        finally:
            connection.close()
        if check:
            check_answer(method, path, answer)
        return answer

    def get(self, path, **headers):
        return self.request("GET", path, {name.replace("_", "-"): value for name, value in headers.items()})

    def items(self, path):
        answer = self.get(path)
        assert answer.status == 200, answer.body
        return answer.json()["items"]

    def open_session(self, code, headers=None):
        return self.request("POST", "/api/v1/session", headers, json.dumps({"code": code}))

    def sign_in(self):
        """Signs in with a bearer token."""
        answer = self.open_session(self.host.new_code())
        assert answer.status == 200, answer.body
        self.headers["Authorization"] = "Bearer " + answer.json()["token"]
        return self

    def stream(self, query="", **headers):
        return Stream(self, "/api/v1/stream" + query, {name.replace("_", "-"): value for name, value in headers.items()})


class Stream:
    """A reader of server-sent events, as a browser's EventSource is one."""

    def __init__(self, client, path, headers):
        self.connection = http.client.HTTPConnection(client.host.netloc, timeout=25)
        self.connection.request("GET", path, headers={**client.headers, **headers})
        self.response = self.connection.getresponse()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def blocks(self):
        """The blocks between empty lines, as lists of lines, until the stream ends."""
        lines = []
        for line in self.response:
            text = line.decode().rstrip("\n")
            if text:
                lines.append(text)
            elif lines:
                yield lines
                lines = []

    def facts(self, count):
        """The next facts; each is as docs/ref/api.md says."""
        found = []
        for lines in self.blocks():
            fields = dict(line.split(": ", 1) for line in lines)
            if "data" in fields:
                fact = json.loads(fields["data"])
                check_value(API["components"]["schemas"]["Fact"], fact, "fact")
                assert fields["id"] == str(fact["seq"]) and fields["event"] == fact["kind"]
                found.append(fact)
            if len(found) == count:
                break
        return found


def template_of(path):
    for template in API["paths"]:
        pattern = re.sub(r"\{\w+\}", "[^/]+", template)
        if re.fullmatch(pattern, path.partition("?")[0]):
            return template
    return None


def check_answer(method, path, answer):
    """The answer's status, type and body are among those that the description has for this request."""
    template = template_of(path)
    operations = API["paths"].get(template, {})
    operation = operations.get("get" if method == "HEAD" else method.lower())
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    if not operation: # no such path or method; problems are problems everywhere
        if path.startswith("/api/") and method != "HEAD":
            check_body({"$ref": "#/components/responses/Problem"}, answer, path)
        return
    described = operation["responses"]
    assert str(answer.status) in described, f"{method} {path}: {answer.status} is not described"
    if method != "HEAD":
        check_body(described[str(answer.status)], answer, f"{method} {path}")


def check_body(response, answer, where):
    content = resolve(response).get("content")
    if not content:
        assert answer.body == b"", where
        return
    assert answer.type in content, f"{where}: {answer.type}"
    if answer.type.endswith("json"):
        value = answer.json()
        check_value(content[answer.type]["schema"], value, where)
        if answer.type == "application/problem+json":
            assert value["status"] == answer.status, where


def resolve(node):
    if "$ref" in node:
        found = API
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return found
    return node


TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None)}


def described_names(schema):
    """The properties that a schema and its parts describe; None when it says nothing about them."""
    schema = resolve(schema)
    names = [set(schema["properties"])] if "properties" in schema else []
    names += [part for part in map(described_names, schema.get("allOf", [])) if part]
    return set().union(*names) if names else None


def check_value(schema, value, where, whole=True):
    """The part of JSON Schema that the description uses, and that no property is left undescribed."""
    schema = resolve(schema)
    if whole and isinstance(value, dict) and described_names(schema):
        unknown = set(value) - described_names(schema)
        assert not unknown, f"{where}: {unknown} not described"
    for part in schema.get("allOf", []):
        check_value(part, value, where, whole=False)
    if "type" in schema:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        assert any(isinstance(value, TYPES[name]) for name in types), f"{where}: {value!r} is no {' or '.join(types)}"
        assert "boolean" in types or not isinstance(value, bool), f"{where}: {value!r}"
    if "enum" in schema:
        assert value in schema["enum"], f"{where}: {value!r}"
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        missing = set(schema.get("required", [])) - set(value)
        assert not missing, f"{where}: without {missing}"
        for name, part in value.items():
            if name in properties:
                check_value(properties[name], part, f"{where}.{name}")
    if isinstance(value, list):
        assert schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)), where
        for part in value:
            check_value(schema.get("items", {}), part, where + "[]")
