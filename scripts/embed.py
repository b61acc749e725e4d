#!/usr/bin/env python3
"""Makes the C table of the web files that the gateway serves from memory (gateway/web/asset.h).

usage: embed.py [--require] OUTPUT SDK_DIST WIDGET_DIST CONSOLE_DIST

A dist folder that is not there is left out, or with --require ends the build. The output is only
written when it changes, so it may run in every build.
"""
import argparse
import base64
import gzip
import hashlib
import json
import sys
from pathlib import Path

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
PACKED = {".ico", ".png", ".webp", ".woff2"}  # gzip gains nothing
CLIENT = {"index.js": "client.js", "holdline.umd.js": "client.umd.js"}
WIDGET_PATTERNS = ("*.js", "*.css", "locales/*.js")
FILE_BYTES_MAX = 4 * 1024 * 1024


def sdk_files(sdk, widget):
    """Name below /sdk/v1/ -> content."""
    files = {}
    for source, name in CLIENT.items():
        if (sdk / source).is_file():
            files[name] = (sdk / source).read_bytes()
    for pattern in WIDGET_PATTERNS:
        for path in sorted(widget.glob(pattern)):
            files[path.relative_to(widget).as_posix()] = path.read_bytes()
    return files


def console_files(console):
    """Name below /console/ -> content."""
    return {path.relative_to(console).as_posix(): path.read_bytes()
            for path in sorted(console.rglob("*"))
            if path.is_file() and path.suffix in TYPES and not path.name.startswith(".")}


def release_of(files):
    """One name for these very files: they refer to one another, so they are pinned together."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\n{len(files[name])}\n".encode())
        digest.update(files[name])
    return digest.hexdigest()[:12]


def hashes_of(files, release):
    """The body of /sdk/v1/hashes.json."""
    listed = {}
    for name in sorted(files):
        digest = base64.b64encode(hashlib.sha384(files[name]).digest()).decode()
        listed[name] = {"url": f"/sdk/v1/{release}/{name}", "integrity": f"sha384-{digest}",
                        "bytes": len(files[name]), "gzip_bytes": len(pack(files[name]))}
    return json.dumps({"release": release, "files": listed}, indent=1).encode() + b"\n"


def pack(content):
    return gzip.compress(content, 9, mtime=0)


def kind_of_console(name):
    if name.endswith(".html"):
        return "HL_ASSET_CONSOLE_PAGE"
    return "HL_ASSET_CONSOLE_HASHED" if name.startswith("assets/") else "HL_ASSET_CONSOLE_FILE"


class Table:
    """Rows of the C table; equal contents stand in it once."""

    def __init__(self):
        self.rows = []
        self.blobs = {}
        self.source = []

    def blob(self, content):
        if content not in self.blobs:
            name = f"blob_{len(self.blobs)}"
            self.blobs[content] = name
            lines = ("".join(f"{byte}," for byte in content[i:i + 32])
                     for i in range(0, len(content), 32))
            body = "\n".join(lines)
            self.source.append(f"static const unsigned char {name}[] = {{\n{body}\n}};\n")
        return self.blobs[content]

    def add(self, path, kind, content):
        suffix = Path(path).suffix
        if len(content) > FILE_BYTES_MAX or not content:
            sys.exit(f"embed.py: {path} has {len(content)} bytes")
        packed = b"" if suffix in PACKED else pack(content)
        if len(packed) >= len(content):
            packed = b""
        etag = hashlib.sha256(content).hexdigest()[:16]
        packed_text = f"{self.blob(packed)}, sizeof({self.blob(packed)})" if packed else "NULL, 0"
        name = self.blob(content)
        self.rows.append((path.encode(), f'    {{"{path}", "{TYPES[suffix]}", {kind}, "{etag}",\n'
                          f"     {name}, sizeof({name}), {packed_text}}},\n"))

    def text(self):
        rows = [row for _, row in sorted(self.rows)] or ["    {0},\n"]
        return ("/* Made by scripts/embed.py out of the web files that were built. */\n"
                '#include "gateway/web/asset.h"\n\n#include <stddef.h>\n\n'
                + "".join(self.source)
                + "static const struct hl_asset items[] = {\n" + "".join(rows) + "};\n\n"
                "const struct hl_asset_set hl_assets_embedded = "
                f"{{.n_items = {len(self.rows)}, .items = items}};\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--require", action="store_true")
    parser.add_argument("output", type=Path)
    parser.add_argument("dists", nargs=3, type=Path)
    arguments = parser.parse_args()
    for dist in arguments.dists:
        if arguments.require and not dist.is_dir():
            sys.exit(f"embed.py: {dist} is not built: npm run build")
    sdk, widget, console = arguments.dists
    table = Table()
    files = sdk_files(sdk, widget)
    if files:
        release = release_of(files)
        for name, content in files.items():
            table.add(f"/sdk/v1/{name}", "HL_ASSET_SDK", content)
            table.add(f"/sdk/v1/{release}/{name}", "HL_ASSET_SDK_PINNED", content)
        table.add("/sdk/v1/hashes.json", "HL_ASSET_SDK", hashes_of(files, release))
    for name, content in console_files(console).items():
        table.add(f"/console/{name}", kind_of_console(name), content)
    text = table.text()
    if not arguments.output.is_file() or arguments.output.read_text() != text:
        arguments.output.write_text(text)


main()
