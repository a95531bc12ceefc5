"""The house rules as functions over source text, so that each can be broken in a test and seen to fail."""

import ast
import functools
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent
PACKAGE = REPOSITORY / "safecity"
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50
MAX_PARAMETERS = 6
MAX_POSITIONAL = 2
MAX_POSITIONAL_PRIVATE = 4
NOT_COUNTED = {"self", "cls", "connection"}  # what stands first by convention, not by choice
BANNED_STEMS = re.compile(r"^(utils?|helpers?|commons?|managers?|misc|tools)$|_(utils?|helpers?|manager)$")
# SafeCity never recognises, re-identifies, profiles, scores or predicts people: not even a name for it may exist.
BANNED_IDENTITY = re.compile(
    r"face_?(recogni|match|embed|id\b|search)|person_?(search|watchlist|ident|embed|score)|re_?identif|gait_|"
    r"biometric|suspect_?score|predictive_?polic|emotion_|watchlist_of_person|people_?search",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One place that breaks one rule."""

    rule: str
    place: str
    what: str


def sources(root: Path = PACKAGE) -> Iterator[Path]:
    """Every Python file of the package that people wrote."""
    for path in sorted(root.rglob("*.py")):
        if "__pycache__" not in path.parts and "page" not in path.relative_to(root).parts[:2]:
            yield path


@functools.lru_cache(maxsize=1)
def _parse(text: str) -> ast.Module:
    return ast.parse(text)


def check_size(place: str, text: str) -> Iterator[Breach]:
    """Files, functions and parameter lists stay small."""
    lines = text.count("\n") + 1
    if lines > MAX_FILE_LINES + 1:
        yield Breach(rule="file-size", place=place, what=f"{lines} lines, at most {MAX_FILE_LINES}")
    for node in ast.walk(_parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _check_function(f"{place}:{node.name}", node)


def _check_function(place: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Breach]:
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if lines > MAX_FUNCTION_LINES:
        yield Breach(rule="function-size", place=place, what=f"{lines} lines, at most {MAX_FUNCTION_LINES}")
    if node.name.startswith("__") and node.name != "__init__":
        return
    positional = [item.arg for item in (*node.args.posonlyargs, *node.args.args)]
    while positional and positional[0] in NOT_COUNTED:
        positional = positional[1:]
    count = len(positional) + len(node.args.kwonlyargs)
    if count > MAX_PARAMETERS:
        yield Breach(rule="parameters", place=place, what=f"{count} parameters, at most {MAX_PARAMETERS}")
    # A decorated function is called by its framework, by name; a private one is read beside its only callers.
    limit = MAX_POSITIONAL_PRIVATE if node.name.startswith("_") and node.name != "__init__" else MAX_POSITIONAL
    if len(positional) > limit and not node.decorator_list:
        what = f"{len(positional)} positional parameters, keyword-only after {limit}"
        yield Breach(rule="keyword-only", place=place, what=what)


def check_names(place: str, text: str) -> Iterator[Breach]:
    """No catch-all modules, and no word for recognising people."""
    if BANNED_STEMS.search(Path(place).stem) or any(BANNED_STEMS.search(part) for part in Path(place).parts[:-1]):
        yield Breach(rule="catch-all-name", place=place, what="say what it is for instead")
    for node in ast.walk(_parse(text)):
        name = getattr(node, "name", None) or getattr(node, "id", None) or getattr(node, "arg", None)
        if isinstance(name, str) and BANNED_IDENTITY.search(name):
            yield Breach(rule="identity", place=f"{place}:{name}", what="SafeCity does not recognise people")


def check_blind_except(place: str, text: str) -> Iterator[Breach]:
    """A blind except hides faults; only the named places may have one."""
    for node in ast.walk(_parse(text)):
        if isinstance(node, ast.ExceptHandler):
            names = {item.id for item in ast.walk(node.type) if isinstance(item, ast.Name)} if node.type else {"bare"}
            if names & {"bare", "Exception", "BaseException"}:
                yield Breach(rule="blind-except", place=place, what=f"line {node.lineno}")


def check_docstrings(place: str, text: str) -> Iterator[Breach]:
    """Every module and public function says what its name cannot."""
    tree = _parse(text)
    if ast.get_docstring(tree) is None:
        yield Breach(rule="docstring", place=place, what="the module has none")
    for node in tree.body:
        is_public = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[0] != "_"
        if is_public and ast.get_docstring(node) is None:
            yield Breach(rule="docstring", place=f"{place}:{node.name}", what="has none")


CHECKS = (check_size, check_names, check_blind_except, check_docstrings)


@functools.cache
def breaches() -> tuple[Breach, ...]:
    """Every breach in the package."""
    found: list[Breach] = []
    for path in sources():
        place = str(path.relative_to(REPOSITORY))
        text = path.read_text()
        for check in CHECKS:
            found.extend(check(place, text))
    return tuple(found)


def exceptions() -> dict[str, dict[str, str]]:
    """The named exceptions: rule -> place -> reason."""
    return tomllib.loads((Path(__file__).parent / "exceptions.toml").read_text())
