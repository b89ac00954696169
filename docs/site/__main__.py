"""Builds the site into `site/`: `.venv/bin/python -m docs.site`, or `make docs`."""

from __future__ import annotations

import argparse
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from docs.site.building import NotBuilt, build
from docs.site.pages import ROOT


def main() -> None:
    """Builds, and says where the site is, or what is wrong with it."""
    parser = argparse.ArgumentParser(prog="python -m docs.site", description=__doc__)
    parser.add_argument("--into", type=Path, default=ROOT / "site", help="the folder of the site")
    parser.add_argument("--repository", help="URL of the repository's page, for source files")
    parser.add_argument(
        "--serve", type=int, nargs="?", const=8001, metavar="PORT", help="show it at a port, 8001"
    )
    words = parser.parse_args()
    try:
        build(words.into, words.repository)
    except NotBuilt as reason:
        raise SystemExit(f"The site was not built:\n{reason}") from None
    print(f"Site    {words.into / 'index.html'}")
    if words.serve is not None:
        _serve(words.into, words.serve)


def _serve(site: Path, port: int) -> None:
    handler = partial(SimpleHTTPRequestHandler, directory=site)
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"Browse  http://127.0.0.1:{server.server_port}", flush=True)
        with suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main()
