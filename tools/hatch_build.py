"""The wheel carries the Aseprite extension as a file that Aseprite can add by itself."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ExtensionHook(BuildHookInterface):  # type: ignore[misc,type-arg,unused-ignore]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":  # a checkout has plugins/ itself
            return
        builder = _builder(Path(self.root))
        made = Path(self.root) / "build" / builder.NAME
        made.parent.mkdir(exist_ok=True)
        made.write_bytes(builder.build())
        build_data["force_include"][str(made)] = f"spriteface/_plugins/{builder.NAME}"


def _builder(root: Path) -> ModuleType:
    path = root / "tools/build_aseprite_extension.py"
    spec = importlib.util.spec_from_file_location("build_aseprite_extension", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
