"""Set up whatever is missing, then check everything: `python3 tools/test.py`.

That is ruff, mypy and pytest; all of them run, and one that fails fails the whole.
With arguments it is pytest with these arguments: `python3 tools/test.py test/unit -k rooms`.
"""

import sys

if sys.version_info < (3, 10):
    this = "%s (%s)" % (sys.version.split()[0], sys.executable)
    sys.exit("CryptoChat needs Python 3.10 or later; this is " + this)

import os

import checks
import environment

if __name__ == "__main__":
    environment.prepare("test")
    os.chdir(str(environment.ROOT))
    if len(sys.argv) > 1:
        environment.become("-m", "pytest", *sys.argv[1:])
    failed = checks.run_all(str(environment.PYTHON))
    if failed:
        sys.exit("Failed: " + ", ".join(failed))
