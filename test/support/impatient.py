"""The program, for which 6 s of silence are long, not 120: `impatient.py OPTIONS`, as `cryptochat.py`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cryptochat
from cryptochat_lib import app
from cryptochat_lib.limits import Limits

SILENCE_SECONDS = 6.0

if __name__ == "__main__":
    with mock.patch.object(app, "Limits", partial(Limits, silence_seconds=SILENCE_SECONDS)):
        sys.exit(cryptochat.main())
