"""A schema registry in memory, as far as the pipeline asks one."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# Where a real one runs, such as http://127.0.0.1:8080/apis/ccompat/v7 of an Apicurio Registry.
REAL = "COMMERCE_SYNC_TEST_REGISTRY"


class FakeRegistry:
    """Schemas by subject and by id; a subject that is set to BACKWARD takes only what reads the last one.

    Of compatibility it knows the one rule that matters here: a new field needs a default.
    """

    def __init__(self) -> None:
        self.subjects: dict[str, list[str]] = {}
        self.backward: set[str] = set()
        self.ids: list[str] = []
        self.answers: list[tuple[int, str]] = []
        self.asked: list[str] = []

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        self.asked.append(f"{method} {path}")
        _, kind, name, *_ = path.split("/")
        if kind == "config":
            self.backward.add(name)
            return 200, body
        if kind == "subjects":
            return self._register(name, body["schema"])
        number = int(path.rpartition("/")[2])
        if not 0 < number <= len(self.ids):
            return 404, {"error_code": 40403, "message": "Schema not found"}
        return 200, {"schema": self.ids[number - 1]}

    def _register(self, subject: str, schema: str) -> tuple[int, Any]:
        versions = self.subjects.setdefault(subject, [])
        if subject in self.backward and versions and not _reads(schema, versions[-1]):
            return 409, {"error_code": 409, "message": "Schema being registered is incompatible"}
        if schema not in versions:
            versions.append(schema)
        if schema not in self.ids:
            self.ids.append(schema)
        return 200, {"id": self.ids.index(schema) + 1}


def _reads(new: str, old: str) -> bool:
    known = {field["name"] for field in json.loads(old)["fields"]}
    return all(field["name"] in known or "default" in field for field in json.loads(new)["fields"])


@contextmanager
def serving(registry: FakeRegistry) -> Iterator[str]:
    """Its address while it runs; `answers` go before what it would say itself."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            if registry.answers:
                code, text = registry.answers.pop(0)
            else:
                code, answer = registry.answer(self.command, self.path, body)
                text = json.dumps(answer)
            self.send_response(code)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do_PUT = _do

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on standard error."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def any_registry() -> Iterator[str]:
    """The address of the real one where one is given, else of one in memory."""
    if real := os.environ.get(REAL):
        yield real
        return
    with serving(FakeRegistry()) as address:
        yield address
