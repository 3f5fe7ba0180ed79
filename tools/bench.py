"""Set up whatever is missing, then measure: `python3 tools/bench.py [--quick] [BENCHMARK]...`.

What is measured, and how, stands in test/bench/benchmarks.py. Needs Linux and root: the nodes
run in network namespaces of their own.
"""

import sys

if sys.version_info < (3, 10):
    this = "%s (%s)" % (sys.version.split()[0], sys.executable)
    sys.exit("CryptoChat needs Python 3.10 or later; this is " + this)

import os

import environment

if __name__ == "__main__":
    environment.prepare("test")
    parts = (environment.ROOT, environment.ROOT / "test/support")
    os.environ["PYTHONPATH"] = os.pathsep.join(map(str, parts))
    environment.become(str(environment.ROOT / "test/bench/benchmarks.py"), *sys.argv[1:])
