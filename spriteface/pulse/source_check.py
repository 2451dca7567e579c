"""A look at Python source that a checkpoint carries, without running it.

NVIDIA's files hold, beside each network's tensors, the source of its module, which NVIDIA's own
loader runs. We never do, so hostile source can't hurt here; but a file with such source is meant
to hurt somebody, and a good citizen says so instead of installing its weights. The check reads
the syntax tree: which modules are imported, and which names can reach out of numerical code.
Everything that NVIDIA's published networks use is on the list; anything else is refused by name.
"""

from __future__ import annotations

import ast
import warnings
from functools import lru_cache

MAX_LENGTH = 1 << 20  # the longest published one has 80,000 characters

IMPORTS = frozenset(
    [
        "abc",
        "collections",
        "contextlib",
        "copy",
        "dataclasses",
        "dnnlib",
        "enum",
        "functools",
        "itertools",
        "math",
        "numbers",
        "numpy",
        "operator",
        "random",
        "re",
        "scipy",
        "string",
        "tensorflow",
        "torch",
        "torch_utils",
        "torchvision",
        "training",
        "types",
        "typing",
        "uuid",
        "warnings",
    ]
)
NAMES = frozenset(
    [
        "__builtins__",
        "__import__",
        "__loader__",
        "__spec__",
        "breakpoint",
        "compile",
        "delattr",
        "eval",
        "exec",
        "exit",
        "input",
        "locals",
        "memoryview",
        "open",
        "quit",
        "vars",
    ]
)
# what leads out of the imported packages: to files, processes, the network, other code
ATTRIBUTES = frozenset(
    [
        "builtins",
        "call_func_by_name",
        "cpp_extension",
        "ctypes",
        "ctypeslib",
        "distutils",
        "f2py",
        "fromfile",
        "fromregex",
        "genfromtxt",
        "get_obj_by_name",
        "hub",
        "importlib",
        "inspect",
        "io",
        "load",
        "load_library",
        "load_op_library",
        "loadtxt",
        "memmap",
        "open_memmap",
        "open_url",
        "os",
        "pathlib",
        "pickle",
        "popen",
        "py_func",
        "save",
        "savetxt",
        "savez",
        "shutil",
        "socket",
        "subprocess",
        "sys",
        "system",
        "tofile",
    ]
)
_DUNDERS = frozenset(
    [
        "__all__",
        "__call__",
        "__class__",
        "__dict__",
        "__doc__",
        "__file__",
        "__init__",
        "__iter__",
        "__len__",
        "__module__",
        "__name__",
        "__repr__",
        "__setattr__",
        "__getattr__",
        "__getattribute__",
        "__getitem__",
        "__version__",
    ]
)


@lru_cache(maxsize=64)
def objection(source: str) -> str:
    """What in `source` no published network has, in words; "" if nothing.

    `source` is parsed, never run or compiled.
    """
    if len(source) > MAX_LENGTH:
        return f"{len(source):,} characters of source"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its invalid escapes and the like
            tree = ast.parse(source.removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "source that can't be parsed"
    for node in ast.walk(tree):
        found = _of_node(node)
        if found:
            return found
    return ""


def _of_node(node: ast.AST) -> str:
    match node:
        case ast.Import(names=names):
            return next(filter(None, (_of_import(alias.name) for alias in names)), "")
        case ast.ImportFrom(module=module, level=level, names=names):
            if level == 0 and (found := _of_import(module or "")):
                return found
            taken = [alias.name for alias in names if alias.name in ATTRIBUTES | NAMES]
            return f"import of {module}.{taken[0]}" if taken else ""
        case ast.Name(id=name) if name in NAMES:
            return f"use of {name}"
        case ast.Attribute(attr=name) if name in ATTRIBUTES:
            return f"use of .{name}"
        case ast.Attribute(attr=name) if name.startswith("__") and name not in _DUNDERS:
            return f"use of .{name}"
        case ast.Constant(value=str(text)) if text in ("eval", "exec", "system") or _hidden(text):
            return f"use of {text!r}"
    return ""


def _hidden(text: str) -> bool:
    """Whether a string is a name that lookups by string would be after."""
    return text.startswith("__") and text.endswith("__") and text not in _DUNDERS


def _of_import(module: str) -> str:
    parts = module.split(".")
    if parts[0] not in IMPORTS or ATTRIBUTES & set(parts):
        return f"import of {module}"
    return ""
