"""One fuzzer: case after case against one node, until it is told to stop or finds something.

    python fuzzer.py TARGET SEED AIM

AIM is a `target.Aim` as JSON. Case number N of a target and a seed is always made from the same
chance. It says one line at its end, as JSON: how many cases there were and, if a case went wrong, its
number, what was said, in hex, and why. Told to stop by a line on its input, it says instead
what its latest cases said: one of them has upset the node, if the node is.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import select
import sys
import traceback
from collections import deque

from json_bodies import JsonBodies
from looked_at import LookedAt
from mdns_packets import MdnsPackets
from peer_http import PeerHttp
from target import Aim, Target, Wrong
from tls_records import TlsRecords
from ui_http import UiHttp

TARGETS: dict[str, type[Target]] = {
    "raw HTTP at the UI's port": UiHttp,
    "raw HTTP at the peers' port": PeerHttp,
    "TLS records": TlsRecords,
    "mDNS packets": MdnsPackets,
    "JSON bodies": JsonBodies,
    "certificates at the look": LookedAt,
}
_LATEST = 128
_NICE = 10  # the node and who asks it go first


def main(name: str, seed: str, aim: str) -> None:
    os.nice(_NICE)
    target = TARGETS[name](Aim(**json.loads(aim)))
    latest: deque[tuple[int, str]] = deque(maxlen=_LATEST)
    wrong: dict[str, object] = {}
    for number in itertools.count():
        if select.select([sys.stdin], [], [], 0)[0]:
            break
        try:
            target.once(random.Random(f"{seed} {name} {number}"))
        except Wrong as error:
            wrong = {"number": number, "said": target.said.hex(), "why": str(error)}
        except Exception:  # of whatever the node's code raised here, or the fuzzer's own
            wrong = {"number": number, "said": target.said.hex(), "why": traceback.format_exc()}
        latest.append((number, target.said.hex()))
        if wrong:
            break
    shown = getattr(target, "shown", None)
    print(json.dumps({"cases": number, "shown": shown, "wrong": wrong, "latest": list(latest)}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
