"""`spriteface view` on the command line: what it hands to the window."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from spriteface.cli.view import view

pytest.importorskip("pygame")


@pytest.mark.parametrize(("arguments", "people"), [([], 3), (["--candidates", "1"], 1)])
def test_several_people_are_shown_unless_one_is_asked_for(
    arguments: list[str], people: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr("spriteface.viewer.app.main", lambda path, **rest: given.update(rest))
    done = CliRunner().invoke(view, arguments)
    assert done.exit_code == 0, done.output
    assert given["portrait"].candidates == people
