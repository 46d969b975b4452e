"""Writes the reference pages that the code tells better than people: nodes, settings, commands, reports, conformance.

`make generate` writes them again; with `--check` nothing is written, and what is stale is named.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a script finds what lies beside it, not its package

from tools.reference import cli, conformance, nodes, properties, report, settings

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = "docs/reference"
NODES = f"{REFERENCE}/nodes"


def pages() -> dict[str, str]:
    """Every generated page by its path in the repository."""
    return {
        **{f"{NODES}/{name}.md": text for name, text in nodes.pages().items()},
        **{f"{REFERENCE}/{name}.md": text for name, text in conformance.pages().items()},
        f"{REFERENCE}/settings.md": settings.page(),
        f"{REFERENCE}/cli.md": cli.page(),
        f"{REFERENCE}/report.md": report.page(),
        f"{REFERENCE}/properties.md": properties.page(),
    }


def stale(root: Path, wanted: Mapping[str, str]) -> Iterator[str]:
    """What differs from the wanted pages, a line each."""
    for path, text in wanted.items():
        file = root / path
        if not file.exists():
            yield f"{path}: is missing"
        elif file.read_text(encoding="utf-8") != text:
            yield f"{path}: is stale"
    for path in _left_over(root, wanted):
        yield f"{path}: belongs to no node type"


def write(root: Path, wanted: Mapping[str, str]) -> None:
    """Write all pages, and remove those of node types that are gone."""
    for path, text in wanted.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for path in _left_over(root, wanted):
        (root / path).unlink()


def _left_over(root: Path, wanted: Mapping[str, str]) -> list[str]:
    found = sorted(file.relative_to(root).as_posix() for file in (root / NODES).glob("*.md"))
    return [path for path in found if path not in wanted]


def main(arguments: Sequence[str] = (), *, root: Path = ROOT) -> int:
    wanted = pages()
    if "--check" not in arguments:
        write(root, wanted)
        return 0
    found = list(stale(root, wanted))
    for line in found:
        print(line, file=sys.stderr)
    if found:
        print("write them again: make generate", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
