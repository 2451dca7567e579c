"""Build spriteface.aseprite-extension: a zip whose bytes depend on nothing but the files in it.

    python tools/build_aseprite_extension.py [-o dist/spriteface.aseprite-extension]

Entries are sorted, dated 1980, of one mode and stored, not compressed, so any Python on any system
makes the same file. `hatch_build.py` puts the same bytes into the wheel.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "plugins/aseprite"
NAME = "spriteface.aseprite-extension"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest date a zip can hold


class BuildError(ValueError):
    """The extension's folder doesn't fit together."""


def package_version(root: Path = ROOT) -> str:
    found = re.search(r'"([^"]+)"', (root / "spriteface/_version.py").read_text("utf-8"))
    if found is None:
        raise BuildError("spriteface/_version.py names no version")
    return found[1]


def extension_files(source: Path = SOURCE, root: Path = ROOT) -> dict[str, bytes]:
    """What the extension is made of, by name in the zip.

    Raises:
        BuildError: package.json lacks something, names a file that is not there, or a version
            other than the package's.
    """
    package = json.loads((source / "package.json").read_text("utf-8"))
    missing = {"name", "displayName", "version", "author", "license", "contributes"} - set(package)
    if missing:
        raise BuildError(f"package.json lacks {', '.join(sorted(missing))}")
    if package["version"] != package_version(root):
        raise BuildError(f"package.json says {package['version']}, not {package_version(root)}")
    for script in package["contributes"]["scripts"]:
        if not (source / script["path"]).is_file():
            raise BuildError(f"package.json names {script['path']}, which is not there")
    files = {path.name: _text(path) for path in source.glob("*.lua")}
    files["package.json"] = _text(source / "package.json")
    files["LICENSE"] = _text(root / "LICENSE")
    return dict(sorted(files.items()))


def _text(path: Path) -> bytes:
    """A text file with the same line ends wherever it was checked out."""
    return path.read_bytes().replace(b"\r\n", b"\n")


def build(source: Path = SOURCE, root: Path = ROOT) -> bytes:
    """The extension's bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in extension_files(source, root).items():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3  # Unix, also where built on Windows
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the Aseprite extension.")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist" / NAME)
    output: Path = parser.parse_args().output
    data = build()
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(data)
    print(f"{output}: {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
