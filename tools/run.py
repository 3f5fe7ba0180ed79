"""Set up whatever is missing, then be CryptoChat: `python3 tools/run.py [options of cryptochat.py]`.

Needs Python 3.10 or later and, the first time, the network. This file has to parse
where Python is older than that, to say so; the work is in environment.py.
"""

import sys

if sys.version_info < (3, 10):
    this = "%s (%s)" % (sys.version.split()[0], sys.executable)
    sys.exit("CryptoChat needs Python 3.10 or later; this is " + this)

import environment

if __name__ == "__main__":
    environment.prepare()
    environment.become(str(environment.ROOT / "cryptochat.py"), *sys.argv[1:])
