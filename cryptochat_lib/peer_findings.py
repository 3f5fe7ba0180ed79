"""The rules about others: whether they are there, can be reached, and can reach us; and about ourselves.

    multicast   two who reach each other on one link, but not by mDNS
    coming_in   what others say of their tries to reach us
    trouble     who is announced or added, and does not answer, by the reason
    there       who is there, and what to do if nobody is
    clock       that of this computer, beside those of others
    clone       a copy of our identity

Pure.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from datetime import datetime, timezone

from . import attempts
from .finding import ANSWERED, GOOD, NOTICE, PROBLEM, Call, Examined, Finding, Person, listed, span, who
from .whereabouts import Reach

_CLOCK_SECONDS = 60.0
_YEARS = range(2024, 2100)

_WHY = {
    attempts.REFUSED: (
        "nobody listens there",
        "Ask whether CryptoChat still runs there, and let them start it again.",
    ),
    attempts.TIMED_OUT: (
        "nothing comes back",
        "Let the firewall of that computer allow CryptoChat to be reached; guest networks often keep all"
        " computers apart, and then only another network helps.",
    ),
    attempts.NO_ROUTE: (
        "this computer knows no way there",
        "Check that both are on the same network, or that the VPN between them is up.",
    ),
    attempts.LOST: (
        "the connection breaks off",
        "Try again; if it stays so, something between the two computers ends the connections.",
    ),
    attempts.NO_TLS: (
        "another program answers there, which is not CryptoChat",
        "Let them start CryptoChat again, and tell you its address or contact code.",
    ),
    attempts.TOO_OLD: (
        "it speaks only old versions of TLS",
        "Let them update CryptoChat and Python: it takes TLS 1.3.",
    ),
    attempts.WRONG_KEY: (
        "somebody with another key answers there",
        "Ask them whether they have a new identity; if not, somebody may be pretending to be them.",
    ),
    attempts.NO_SUCH_NAME: (
        "no computer has that name",
        "Check how the name is spelt, or use the address in its place.",
    ),
    attempts.ITSELF: (
        "it is this computer that answers there",
        "Take that address out, and ask them for theirs.",
    ),
    attempts.UNDECIDED: (
        "they are there, and you are not verified with them",
        "Ask them to verify you in their list of people, or to enter your contact code.",
    ),
}
"""For each of `attempts.REASONS`: in words, and what to do."""


def multicast(examined: Examined, call: Call) -> Iterator[Finding]:
    """Of two who reach each other on one link: whether mDNS gets through, too."""
    met = [one for one in examined.people if one.reach is Reach.REACHABLE and one.near]
    neither = [one for one in met if not one.announced and (one.said is None or not one.said.heard_us)]
    unheard = [one for one in met if not one.announced and one not in neither]
    deaf = [one for one in met if one.announced and one.said is not None and not one.said.heard_us]
    advice = "Add people by contact code, and let them add you: that needs no multicast."
    if neither:
        text = f"You and {listed(neither, call)} reach each other, but mDNS does not: multicast is filtered."
        yield Finding("multicast-filtered", PROBLEM, text, advice, who(neither))
    if unheard:
        text = f"You reach {listed(unheard, call)}, but hear no announcement: multicast is filtered one way."
        yield Finding("they-are-not-heard", NOTICE, text, advice, who(unheard))
    if deaf:
        text = f"Your announcement is not heard by {listed(deaf, call)}: multicast is filtered one way."
        yield Finding("you-are-not-heard", NOTICE, text, advice, who(deaf))


def coming_in(examined: Examined, call: Call) -> Iterator[Finding]:
    """What others say of reaching us; without a network that is no longer so."""
    if examined.cut_off:
        return
    by_word: dict[str, list[Person]] = {}
    for one in examined.people:
        if one.said is not None and one.said.reach_us is not None:
            by_word.setdefault(one.said.reach_us, []).append(one)
    answered, shut_out = by_word.pop(ANSWERED, []), by_word.pop(attempts.TIMED_OUT, [])
    port = {"port": examined.port}
    if answered:
        text = f"You can be reached from outside: {listed(answered, call)} could."
        yield Finding("can-be-reached", GOOD, text, values=who(answered) | port)
    if shut_out:
        text = f"A firewall on this computer seems to let nobody in: {listed(shut_out, call)} cannot connect."
        if answered:
            text = f"{listed(shut_out, call)} cannot connect to this computer, though others can."
        yield Finding(
            "shut-off-for-some" if answered else "shut-off",
            NOTICE if answered else PROBLEM,
            text,
            f"Let this computer's firewall allow incoming TCP connections to port {examined.port}; start"
            f" CryptoChat with --addr :{examined.port} to keep that port.",
            who(shut_out) | port,
        )
    for word, people in sorted(by_word.items()):
        if word in attempts.REASONS and word != attempts.UNDECIDED:
            yield Finding(
                "they-fail",
                NOTICE,
                f"{listed(people, call)} could not connect to this computer: {_WHY[word][0]}.",
                "It may be an old address of yours: give them your contact code again.",
                who(people) | {"reason": word},
            )


def trouble(examined: Examined, call: Call) -> Iterator[Finding]:
    """Who should be there, and cannot be reached; whoever has just gone home is no trouble.

    Anybody can announce a stranger, under any name, where nobody is: that is no problem of ours.
    """
    for why, (words, advice) in _WHY.items():
        people = [
            one
            for one in examined.people
            if one.trouble == why and (one.announced or one.added or one.reach is Reach.REACHABLE)
        ]
        ours = [one for one in people if one.verified or one.added]
        strangers = [one for one in people if one not in ours]
        for some in filter(None, (ours, strangers)):
            level = PROBLEM if some is ours and why != attempts.UNDECIDED else NOTICE
            named = listed(some, call)
            text = f"{named[0].upper() if some is strangers else named[0]}{named[1:]}: {words}."
            yield Finding(f"peer-{why}", level, text, advice, who(some) | {"reason": why})


def there(examined: Examined, call: Call) -> Iterator[Finding]:
    """Who is there: reachable, else announced, else nobody, with or without a sign of other computers."""
    if examined.cut_off:
        return
    reachable = [one for one in examined.people if one.reach is Reach.REACHABLE]
    if reachable:
        count = "1 person is" if len(reachable) == 1 else f"{len(reachable)} people are"
        yield Finding(
            "reachable", GOOD, f"{count} reachable: {listed(reachable, call)}.", values=who(reachable)
        )
        return
    here = [one for one in examined.people if one.announced]
    if here:
        if all(one.trouble is None for one in here):
            text = f"Announced, and not in contact with you lately: {listed(here, call)}."
            advice = "Join one of their rooms, or write to them."
            yield Finding("announced-only", NOTICE, text, advice, who(here))
        return
    if not any(link.open for link in examined.links):
        return
    advice = "Run CryptoChat on another computer here, or exchange contact codes."
    if any(link.heard_at is not None for link in examined.links):
        text = "Nobody else runs CryptoChat on this network, as far as can be heard."
        yield Finding("nobody-here", NOTICE, text, advice)
    else:
        text = (
            "Nobody else is announced here, and nothing at all is heard of other computers: you are alone, or"
            " multicast is filtered."
        )
        yield Finding("nobody-heard", NOTICE, text, advice)


def clock(examined: Examined, call: Call) -> Iterator[Finding]:
    """Whether our clock is impossible, or far from those of the people whom we are in contact with."""
    only = "Set the clock; nothing depends on it but the order of the times that are shown."
    year = datetime.fromtimestamp(examined.wall, timezone.utc).year
    if year not in _YEARS:
        text = f"The clock of this computer cannot be right: it says that the year is {year}."
        yield Finding("clock-impossible", NOTICE, text, only, {"year": year})
    people = [one for one in examined.people if one.said is not None]
    if not people:
        return
    offset = statistics.median(one.said.offset_seconds for one in people if one.said is not None)
    if abs(offset) > _CLOCK_SECONDS:
        how = "behind" if offset > 0 else "ahead of"
        whose = "that" if len(people) == 1 else "those"
        text = f"The clock of this computer is {span(abs(offset))} {how} {whose} of {listed(people, call)}."
        yield Finding("clock-differs", NOTICE, text, only, {"seconds": round(offset)})


def clone(examined: Examined, _call: Call) -> Iterator[Finding]:
    """Whether somebody else runs with our identity."""
    if examined.clone is not None:
        yield Finding(
            "copied-identity",
            PROBLEM,
            "A copy of your identity runs on another computer, too.",
            "Stop one of the two and delete its database; if you made no copy, somebody has your key.",
            {"address": examined.clone},
        )
