"""What the page and scripts can ask for: the routes of the UI server, as a table.

Each route parses what it is given and hands it to the use case that does it. Who may
ask at all is decided before (`ui_server`); what the words mean is in docs/API.md.

Threads: UI workers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import export, json_object, qr, shapes, wire, words
from .chat import Chat
from .clones import Clones
from .contacts import Contacts
from .doctor import Doctor
from .errors import BadRequest, UnknownContact
from .limits import Limits
from .model import PeerId, RoomName, parse_peer_id, parse_room_name
from .people import People
from .profile import Profile
from .roster import Roster
from .routing import JSON, Reply, Request, Route, Routes, dump, json_reply
from .session import Session
from .sse import EventStreams
from .store import Store

_METHODS = ("click", "number", "ceremony")
_LARGEST_ID = 2**62


class UiApi:
    """The routes of the UI server."""

    def __init__(
        self,
        profile: Profile,
        clones: Clones,
        people: People,
        contacts: Contacts,
        chat: Chat,
        roster: Roster,
        store: Store,
        streams: EventStreams,
        session: Session,
        doctor: Doctor,
        limits: Limits,
    ) -> None:
        self._profile = profile
        self._clones = clones
        self._people = people
        self._contacts = contacts
        self._chat = chat
        self._roster = roster
        self._messages = store.messages
        self._streams = streams
        self.session = session
        self._limits = limits
        self.routes = Routes(
            Route("POST", "/api/session", self._open_session),
            Route("POST", "/api/open", self._open_page),
            Route("GET", "/api/info", self._info),
            Route("PUT", "/api/info", self._rename),
            Route("GET", "/api/users", lambda r: json_reply(200, {"users": self._roster.users()})),
            Route("DELETE", "/api/users/{uuid}", self._forget),
            Route("POST", "/api/users/{uuid}/look", self._look),
            Route("POST", "/api/users/{uuid}/verify", self._verify),
            Route("DELETE", "/api/users/{uuid}/verify", self._withdraw),
            Route("POST", "/api/users/{uuid}/comparison", self._compare),
            Route("DELETE", "/api/users/{uuid}/comparison", self._end_comparison),
            Route("GET", "/api/code", self._code),
            Route("GET", "/api/contacts", lambda r: json_reply(200, {"contacts": self._contacts.all()})),
            Route("POST", "/api/contacts", self._add_contact),
            Route("DELETE", "/api/contacts/{id}", self._remove_contact),
            Route("GET", "/rooms", self._rooms),
            Route("GET", "/api/rooms", self._rooms),
            Route("POST", "/api/rooms/{room}", self._join),
            Route("DELETE", "/api/rooms/{room}", self._leave),
            Route("POST", "/api/rooms/{room}/message", self._send),
            Route("GET", "/api/rooms/{room}/messages", self._history),
            Route("DELETE", "/api/rooms/{room}/messages", self._erase),
            Route("GET", "/api/rooms/{room}/messages.jsonl", self._export),
            Route("GET", "/api/read", self._marks),
            Route("PUT", "/api/rooms/{room}/read", self._read),
            Route("GET", "/api/search", self._search),
            Route("GET", "/api/events", self._events),
            Route("GET", "/api/doctor", lambda _request: json_reply(200, doctor.examine())),
        )

    def _open_session(self, request: Request) -> Reply:
        fields = self._fields(request)
        json_object.only(fields, "code")
        return json_reply(200, {"token": self.session.exchange(json_object.text_field(fields, "code"))})

    def _open_page(self, request: Request) -> Reply:
        return json_reply(200, {"file": str(self.session.write_redirect(self.session.url))})

    def _info(self, request: Request) -> Reply:
        clone = self._clones.found
        return json_reply(
            200,
            {
                "uuid": self._profile.uuid,
                "fingerprint": self._profile.certificate.fingerprint,
                "fingerprint_sha256": self._profile.certificate.fingerprint_sha256,
                "username": self._profile.username,
                "clone": clone.shape() if clone else None,
            },
        )

    def _rename(self, request: Request) -> Reply:
        fields = self._fields(request)
        json_object.only(fields, "username")
        self._profile.rename(wire.parse_username(json_object.text_field(fields, "username"), self._limits))
        return self._info(request)

    def _verify(self, request: Request) -> Reply:
        fields = self._fields(request) if request.body else {}
        json_object.only(fields, "fingerprint_sha256", "method")
        method = json_object.text_field(fields, "method", "click")
        if method not in _METHODS:
            raise BadRequest(f"“method” is one of {', '.join(_METHODS)}")
        self._people.verify(_uuid(request), _fingerprint(fields), method)
        return Reply(204)

    def _withdraw(self, request: Request) -> Reply:
        fields = self._fields(request) if request.body else {}
        json_object.only(fields, "fingerprint_sha256")
        self._people.withdraw(_uuid(request), _fingerprint(fields))
        return Reply(204)

    def _compare(self, request: Request) -> Reply:
        fields = self._fields(request) if request.body else {}
        json_object.only(fields, "fingerprint_sha256")
        self._people.compare(_uuid(request), _fingerprint(fields))
        return Reply(202)

    def _end_comparison(self, request: Request) -> Reply:
        self._people.end_comparison(_uuid(request))
        return Reply(204)

    def _look(self, request: Request) -> Reply:
        self._people.look(_uuid(request))
        return Reply(202)

    def _forget(self, request: Request) -> Reply:
        self._people.forget(_uuid(request))
        return Reply(204)

    def _code(self, request: Request) -> Reply:
        code = self._contacts.own_code()
        text = code.encode()
        return json_reply(
            200,
            {
                "code": text,
                "link": code.link(),
                "addresses": [str(endpoint) for endpoint in code.endpoints],
                "qr": qr.rows(text.upper()),
            },
        )

    def _add_contact(self, request: Request) -> Reply:
        fields = self._fields(request)
        json_object.only(fields, "code", "address")
        if len(fields) != 1:
            raise BadRequest("add somebody by “code” or by “address”, one of them")
        if "code" in fields:
            return json_reply(202, self._contacts.add_code(json_object.text_field(fields, "code")))
        return json_reply(202, self._contacts.add_address(json_object.text_field(fields, "address")))

    def _remove_contact(self, request: Request) -> Reply:
        number = request.params["id"]
        if not (number.isascii() and number.isdigit() and len(number) < 20):
            raise UnknownContact()
        self._contacts.remove(int(number))
        return Reply(204)

    def _rooms(self, request: Request) -> Reply:
        return json_reply(200, {"rooms": self._roster.rooms()})

    def _join(self, request: Request) -> Reply:
        self._chat.join(_room(request))
        return Reply(204)

    def _leave(self, request: Request) -> Reply:
        self._chat.leave(_room(request))
        return Reply(204)

    def _send(self, request: Request) -> Reply:
        message = self._chat.send(_room(request), wire.parse_outgoing(self._fields(request), self._limits))
        body = dump(shapes.message(message))
        return Reply(202, body, JSON, then=lambda: self._chat.hand_over(message))

    def _history(self, request: Request) -> Reply:
        query = request.head.query
        before, after, around = (_number(query, name) for name in ("before", "after", "around"))
        if sum(number is not None for number in (before, after, around)) > 1:
            raise BadRequest("ask for “before”, “after” or “around”, for one of them")
        if query.get("kind", "drawing") != "drawing":
            raise BadRequest("“kind” is drawing, or left out")
        room, limit, drawn = _room(request), self._limit(query), "kind" in query
        if around is None:
            page = self._messages.page(room, limit, before, after, drawn)
        else:
            older = self._messages.page(room, limit - limit // 2, before=around + 1, drawn=drawn)
            page = older + self._messages.page(room, limit // 2, after=around, drawn=drawn)
        return json_reply(200, {"messages": [shapes.message(message) for message in page]})

    def _marks(self, request: Request) -> Reply:
        return json_reply(200, {"rooms": [shapes.read_mark(mark) for mark in self._chat.marks()]})

    def _read(self, request: Request) -> Reply:
        fields = self._fields(request)
        json_object.only(fields, "id")
        self._chat.read_to(_room(request), _given(json_object.text_field(fields, "id"), "id"))
        return Reply(204)

    def _search(self, request: Request) -> Reply:
        fields = request.head.query
        if "q" not in fields:
            raise BadRequest("“q” says what to search for")
        query = words.parse_query(fields["q"], self._limits.search_words)
        room = parse_room_name(fields["room"]) if "room" in fields else None
        sender = parse_peer_id(fields["sender"]) if "sender" in fields else None
        found = self._messages.search(query, self._limit(fields), room, sender, _number(fields, "before"))
        marked = [{**shapes.message(one), "marks": words.find(query, one.content)} for one in found]
        return json_reply(200, {"messages": marked})

    def _erase(self, request: Request) -> Reply:
        self._chat.erase(_room(request))
        return Reply(204)

    def _export(self, request: Request) -> Reply:
        return export.reply(self._messages, _room(request))

    def _events(self, request: Request) -> Reply:
        stream = self._streams.open(request.head.query.get("stream"), request.head.one("last-event-id"))
        return Reply(200, content_type="text/event-stream", stream=stream)

    def _limit(self, query: Mapping[str, str]) -> int:
        """How many messages are asked for."""
        limit = _number(query, "limit")
        if limit is None:
            return self._limits.history_default
        if not 1 <= limit <= self._limits.history_most:
            raise BadRequest(f"“limit” is 1 to {self._limits.history_most}")
        return limit

    def _fields(self, request: Request) -> dict[str, Any]:
        return json_object.parse_object(request.body, self._limits)


def _uuid(request: Request) -> PeerId:
    return parse_peer_id(request.params["uuid"])


def _room(request: Request) -> RoomName:
    return parse_room_name(request.params["room"])


def _fingerprint(fields: Mapping[str, Any]) -> str | None:
    return (
        json_object.text_field(fields, "fingerprint_sha256").lower()
        if "fingerprint_sha256" in fields
        else None
    )


def _number(query: Mapping[str, str], name: str) -> int | None:
    """A message's id, or a count, in the query."""
    text = query.get(name)
    return None if text is None else _given(text, name)


def _given(text: str, name: str) -> int:
    """A message's id, or a count, as `name` has it."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) < _LARGEST_ID):
        raise BadRequest(f"“{name}” is not one that we gave")
    return int(text)
