"""The build: setup.cfg says what the project is; this adds the step that fetches Vue.

It is a sub-command of `build`, because setuptools runs those for wheels and for
editable installs alike, and lets their failures through. If this machine has no
npm, `setup_requires` asks pip for one (see tools/fetch_vue.py).
"""

import shutil
import sys
from pathlib import Path

from setuptools import Command, setup
from setuptools.command.build import build

sys.path.insert(0, str(Path(__file__).resolve().parent / "tools"))

import fetch_vue


class FetchVue(Command):
    """Put web/vendor/vue.js in place, by web/package-lock.json."""

    description = "fetch Vue for the page"
    user_options = ()

    # As a sub-command it has to have these, and brings nothing to build_lib: build_py does, from web/.
    editable_mode = False
    build_lib = None

    def initialize_options(self):
        """Nothing to choose."""

    def finalize_options(self):
        """Nothing to choose."""

    def run(self):
        try:
            fetch_vue.put_in_place()
        except fetch_vue.NotFetched as error:
            sys.exit(str(error))

    def get_source_files(self):
        return []

    def get_outputs(self):
        return []

    def get_output_mapping(self):
        return {}


class BuildWithVue(build):
    """First the fetch, then everything else; and never on top of an older build."""

    sub_commands = [("fetch_vue", None), *build.sub_commands]  # noqa: RUF012

    def run(self):
        # Left in place, a module that was renamed since would go into the wheel too.
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


setup(
    cmdclass={"build": BuildWithVue, "fetch_vue": FetchVue},
    setup_requires=fetch_vue.build_requirements(),
)
