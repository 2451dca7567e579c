from __future__ import annotations

import pytest

from spriteface.errors import OptionError
from spriteface.options import (
    ExtractOptions,
    PortraitOptions,
    parse_box,
    parse_color,
    parse_pair,
    parse_sheet,
)
from spriteface.types import Box


def test_round_trip() -> None:
    options = PortraitOptions(size=512, seed=7, traits={"hair": "afro"}, lock=("skin",))
    assert PortraitOptions.from_json(options.to_json()) == options
    extract = ExtractOptions(scale=(2.0, 3.0), box=Box(1, 2, 3, 4), key=(255, 0, 255))
    assert ExtractOptions.from_json(extract.to_json()) == extract


@pytest.mark.parametrize(
    "bad", [{"size": 1}, {"seed": -1}, {"faithful": 2.0}, {"candidates": 0}, {"colour": 1}]
)
def test_bad_values_name_the_option(bad: dict[str, object]) -> None:
    with pytest.raises(OptionError, match=next(iter(bad))):
        PortraitOptions.from_json(bad)


def test_parsers() -> None:
    assert parse_pair("3", "scale") == (3.0, 3.0)
    assert parse_pair("3x2.5", "scale") == (3.0, 2.5)
    assert parse_box("1,2,3,4") == Box(1, 2, 3, 4)
    assert parse_sheet("16x24") == (16, 24, 0, 0)
    assert parse_sheet("16x24+1+2") == (16, 24, 1, 2)
    assert parse_color("#ff00fe") == (255, 0, 254)


@pytest.mark.parametrize(
    ("parse", "text"), [(parse_box, "1,2,3"), (parse_sheet, "16"), (parse_color, "pink")]
)
def test_parsers_refuse(parse: object, text: str) -> None:
    assert callable(parse)
    with pytest.raises(OptionError):
        parse(text)
