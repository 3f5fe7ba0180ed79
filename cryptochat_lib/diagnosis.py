"""What an examination comes to: the findings, what strangers can see of us, and a report to copy.

The findings and what can be seen name things as they are: they are for the user alone. The report is
for others, who are to help. So it is made of its own findings, in which people are numbered, and
has no names, rooms, messages, UUIDs, fingerprints, keys, tokens or paths: nobody has to read it
through before it is pasted somewhere. Names and addresses of interfaces stay, and it says so.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import link_findings, peer_findings
from .finding import GOOD, NOTICE, PROBLEM, Call, Examined, Finding, Person, ago
from .mdns_health import LinkHealth

_RULES = (
    link_findings.network,
    link_findings.links,
    link_findings.others_heard,
    peer_findings.multicast,
    peer_findings.coming_in,
    peer_findings.trouble,
    peer_findings.there,
    peer_findings.clock,
    peer_findings.clone,
)
_WORST_FIRST = (PROBLEM, NOTICE, GOOD)


@dataclass(frozen=True)
class Shown:
    """What we show of ourselves. `name`: None if it is left out."""

    uuid: str
    fingerprint_sha256: str
    name: str | None
    rooms: tuple[str, ...]
    addresses: tuple[str, ...]
    port: int


def find(examined: Examined, call: Call) -> list[Finding]:
    """Everything there is to say, the worst first."""
    found = [
        Finding(
            "cannot-tell",
            PROBLEM,
            f"Something could not be examined: {what}.",
            "Start CryptoChat again; its log says what failed.",
            {"what": what},
        )
        for what in examined.unknown
    ]
    found += [finding for rule in _RULES for finding in rule(examined, call)]
    if all(finding.level == GOOD for finding in found):
        found.insert(0, Finding("all-is-well", GOOD, "All is well."))
    return sorted(found, key=lambda finding: _WORST_FIRST.index(finding.level))


def visible(shown: Shown) -> list[str]:
    """What anybody on this network can learn, and what not, in plain words."""
    rooms = ", ".join(f"“{room}”" for room in shown.rooms)
    addresses = ", ".join(shown.addresses)
    return [
        f"That this computer runs CryptoChat, as {shown.uuid}. That stays the same for ever: whoever has seen"
        " it once knows it again on any network.",
        f"Where it is: {addresses or 'no address now'}, port {shown.port}.",
        f"Your name: “{shown.name}”." if shown.name else "Not your name: you leave it out.",
        f"The names of the rooms that you are in: {rooms}." if rooms else "That you are in no room.",
        "When you come and go, join a room and leave one.",
        "With which computers this one talks, when and how much: who listens on the network sees that data"
        " goes, not what it says.",
        "Your certificate, by connecting to that port: its fingerprint begins with"
        f" {shown.fingerprint_sha256[:16]}.",
        "Not what you write or receive, not in which room, not whom you have verified, and not your history.",
    ]


def by_number(people: Sequence[Person]) -> Call:
    """Calls these people by a number each."""
    numbers = {id(one): number for number, one in enumerate(people, 1)}
    return lambda one: f"peer {numbers[id(one)]}"


def report(examined: Examined, versions: Sequence[str]) -> str:
    """Text for somebody who is to help."""
    lines = [
        "CryptoChat examined itself. People are numbered; names, rooms, messages, identifiers and keys are"
        " left out. Interfaces and their addresses are named.",
        "",
        *versions,
        f"port {examined.port}, rooms: {examined.rooms}, people: {len(examined.people)}",
        "",
        *(_interface(link, examined.now) for link in examined.links),
        "",
    ]
    for finding in find(examined, by_number(examined.people)):
        lines.append(f"[{finding.level}] {finding.code}: {finding.text}")
        if finding.advice is not None:
            lines.append(f"    {finding.advice}")
    return "\n".join(lines) + "\n"


def _interface(link: LinkHealth, now: float) -> str:
    words = [
        "open" if link.open else f"not open ({link.trouble})",
        "connected" if link.connected else "not connected",
        "announced" if link.announced else "not announced",
        f"sent {_when(link.sent, now)}",
        f"came back {_when(link.returned, now)}",
        f"{link.heard} packets of others, last {_when(link.heard_at, now)}",
    ]
    if link.error is not None:
        words.append(f"error in sending: {link.error}")
    return f"{link.name} ({', '.join(link.addresses) or 'no address'}): {', '.join(words)}"


def _when(moment: float | None, now: float) -> str:
    return "never" if moment is None else ago(now - moment)
