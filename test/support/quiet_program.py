"""A program without a network behind the page: whom it sees and what it answers is set by a test.

    with QuietProgram(machine, folder) as program:
        page = chromium.open(program)
        program.see(person(reachability="silent", trouble="refused"))

`given` are the bodies of `POST /api/contacts`, in their order; each is answered with `answer`, a
CONTACT, or raised if it is an error.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from lab import Namespace
from stand_in import StandIn

from cryptochat_lib.errors import CryptoChatError
from cryptochat_lib.routing import Reply, Request, Route, json_reply

BOB = "22222222-2222-8222-8222-222222222222"


def ago(seconds: float) -> str:
    return (datetime.now(timezone.utc) - timedelta(seconds=seconds)).isoformat()


def person(uuid: str = BOB, **fields: Any) -> dict[str, Any]:
    """A USER: Bob, whom we know, and who is there."""
    return {
        "uuid": uuid,
        "username": "Bob",
        "username_verified": True,
        "fingerprint": "ab" * 20,
        "fingerprint_sha256": "ab" * 32,
        "safety_number": " ".join(["12345"] * 12),
        "status": "verified",
        "online": True,
        "reachability": "reachable",
        "seen": None,
        "trouble": None,
        "pending": False,
        "resembles": None,
        "comparison": None,
        "conflict": None,
        **fields,
    }


def contact(**fields: Any) -> dict[str, Any]:
    """A CONTACT: an address that the user has added."""
    return {
        "id": "c1",
        "uuid": None,
        "by": "address",
        "addresses": ["10.0.0.5:4242"],
        "state": "looking",
        "reason": None,
        "added": ago(5),
        **fields,
    }


class QuietProgram(StandIn):
    """Runs for as long as it is entered."""

    def __init__(self, machine: Namespace, folder: Path) -> None:
        super().__init__(
            machine,
            folder,
            Route("GET", "/api/info", lambda _: json_reply(200, self.info)),
            Route("GET", "/api/users", lambda _: json_reply(200, {"users": []})),
            Route("GET", "/api/rooms", lambda _: json_reply(200, {"rooms": []})),
            Route("GET", "/api/read", lambda _: json_reply(200, {"rooms": []})),
            Route("GET", "/api/contacts", lambda _: json_reply(200, {"contacts": self.contacts})),
            Route("POST", "/api/contacts", self._add),
            Route("DELETE", "/api/contacts/{id}", self._remove),
            Route("GET", "/api/code", lambda _: json_reply(200, self.code)),
            Route("GET", "/api/doctor", lambda _: json_reply(200, self.doctor())),
        )
        self.info = person("11111111-1111-8111-8111-111111111111", username="Ada", clone=None)
        self.contacts: list[dict[str, Any]] = []
        self.given: list[dict[str, Any]] = []
        self.answer: dict[str, Any] | CryptoChatError = contact()
        self.removed: list[str] = []
        self.code = {"code": "CRYPTOCHAT:AAAA", "link": "http://x/#add=AAAA", "addresses": [], "qr": ["1"]}
        self.findings: list[dict[str, Any]] = []
        self.visible: list[str] = []
        self.examined = 0
        self._answers = threading.Event()
        self._answers.set()

    @contextmanager
    def thinking(self) -> Iterator[None]:
        """Meanwhile the doctor gives no answer."""
        self._answers.clear()
        try:
            yield
        finally:
            self._answers.set()

    def see(self, *people: dict[str, Any]) -> None:
        self.tell("users", {"users": people, "gone": []})

    def doctor(self) -> dict[str, Any]:
        self.examined += 1
        self._answers.wait(10)
        report = f"report {self.examined}"
        return {"findings": self.findings, "visible": self.visible, "report": report}

    def _add(self, request: Request) -> Reply:
        self.given.append(json.loads(request.body))
        if isinstance(self.answer, CryptoChatError):
            raise self.answer
        return json_reply(202, self.answer)

    def _remove(self, request: Request) -> Reply:
        self.removed.append(request.params["id"])
        return Reply(204)
