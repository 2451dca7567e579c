"""Importing stays light: a subprocess looks at what got loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "pygame", "numba", "scipy", "PIL")


@pytest.mark.parametrize("code", ["import spriteface", "import spriteface.cli"])
def test_import_is_light(code: str) -> None:
    probe = f"{code}\nimport sys\nprint([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_is_light() -> None:
    probe = (
        "import sys\nsys.argv = ['spriteface', '--help']\n"
        "from spriteface.cli import main\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code\n"
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_unknown_attribute() -> None:
    import spriteface

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = spriteface.nothing
