"""CryptoChat as it is, but with other limits, or with a profile of its threads.

    python launcher.py [--limit NAME=NUMBER]... [--profile FILE] [--cpu] -- OPTIONS OF CRYPTOCHAT

Everything else is `cryptochat.main`. The profile is written when the program ends.
"""

from __future__ import annotations

import argparse
import functools
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cryptochat
from cryptochat_lib import app
from cryptochat_lib.limits import Limits


def main() -> int:
    parser = argparse.ArgumentParser(description="CryptoChat with other limits, or profiled.")
    parser.add_argument("--limit", action="append", default=[], metavar="NAME=NUMBER")
    parser.add_argument("--profile", type=Path, metavar="FILE")
    parser.add_argument("--cpu", action="store_true", help="profile processor time, not time on the wall")
    parser.add_argument("options", nargs="+")
    given = parser.parse_args()
    pairs = (word.split("=") for word in given.limit)
    limits = Limits(**{name: int(number) for name, number in pairs})
    app.App = functools.partial(app.App, limits=limits)  # type: ignore[misc, assignment]
    if given.profile is None:
        return cryptochat.main(given.options)

    from thread_profiles import ThreadProfiles

    profiles = ThreadProfiles(given.cpu)
    profiles.begin()
    try:
        return cryptochat.main(given.options)
    finally:
        profiles.write(given.profile)


if __name__ == "__main__":
    sys.exit(main())
