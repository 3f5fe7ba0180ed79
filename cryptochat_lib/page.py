"""The page's static files, read once at the start.

Only what stands in the table can be asked for, so no path leads out of the
folder. In a checkout the folder is `web/` beside the package; in an installed
wheel it is inside it. `vendor/vue.js` is put there when CryptoChat is set up.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .errors import StartupError
from .routing import Reply

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_NEEDED = ("index.html", "vendor/vue.js")


def read_files() -> Mapping[tuple[str, ...], Reply]:
    """The reply for each path of the page, by the path's segments; StartupError if a file is missing."""
    package = Path(__file__).resolve().parent
    folder = next((f for f in (package / "web", package.parent / "web") if f.is_dir()), package / "web")
    for name in _NEEDED:
        if not (folder / name).is_file():
            raise StartupError(
                f"the page is not complete: {folder / name} is missing. Set CryptoChat up as its README says"
            )
    files: dict[tuple[str, ...], Reply] = {}
    for path in folder.rglob("*"):
        if path.suffix in _TYPES and path.is_file() and "node_modules" not in path.parts:
            segments = path.relative_to(folder).parts
            files[segments] = Reply(200, path.read_bytes(), _TYPES[path.suffix])
    files[("",)] = files[("index.html",)]
    return files
