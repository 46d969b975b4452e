"""The size gate: each way to be wrong is seen, and what is right passes."""

import ast
from pathlib import Path

import pytest

from tools import check_sizes
from tools.check_sizes import Listed, Size


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def function(name: str, lines: int) -> str:
    return f"def {name}() -> None:\n" + "    pass\n" * (lines - 1)


def entry(kind: str, name: str, lines: int, reason: str = "it is one table") -> str:
    return f'[[{kind}]]\nname = "{name}"\nlines = {lines}\nreason = "{reason}"\n'


def test_what_is_at_its_limit_passes(tmp_path: Path) -> None:
    write(tmp_path, "src/headrace/a.py", function("f", 40))
    write(tmp_path, "src/headrace/b.py", "x = 1\n" * 400)

    assert check_sizes.main(tmp_path) == 0


@pytest.mark.parametrize("folder", ["src/headrace", "tools", "benchmarks"])
def test_a_function_over_its_limit_fails(tmp_path: Path, folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, f"{folder}/a.py", function("f", 41))

    assert check_sizes.main(tmp_path) == 1
    assert capsys.readouterr().err == f"{folder}/a.py::f: 41 lines, a function has at most 40\n"


@pytest.mark.parametrize("folder", ["src/headrace", "tools", "benchmarks", "tests/unit"])
def test_a_module_over_its_limit_fails(tmp_path: Path, folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, f"{folder}/a.py", "x = 1\n" * 401)

    assert check_sizes.main(tmp_path) == 1
    assert capsys.readouterr().err == f"{folder}/a.py: 401 lines, a module has at most 400\n"


def test_a_long_function_of_a_test_passes(tmp_path: Path) -> None:
    write(tmp_path, "tests/unit/test_a.py", function("test_a", 60))

    assert check_sizes.main(tmp_path) == 0


def test_a_reviewed_function_passes_at_its_figure(tmp_path: Path) -> None:
    write(tmp_path, "src/headrace/a.py", function("f", 50))
    write(tmp_path, "tools/sizes.toml", entry("function", "src/headrace/a.py::f", 50))

    assert check_sizes.main(tmp_path) == 0


@pytest.mark.parametrize(
    ("lines", "listed", "says"),
    [
        (51, 50, "src/headrace/a.py::f: has grown from 50 to 51 lines"),
        (49, 50, "src/headrace/a.py::f: has become smaller; lower its figure from 50 to 49"),
        (40, 50, "src/headrace/a.py::f: 40 lines, within the limit now; remove the entry"),
    ],
)
def test_a_figure_that_is_not_todays_fails(
    tmp_path: Path, lines: int, listed: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "src/headrace/a.py", function("f", lines))
    write(tmp_path, "tools/sizes.toml", entry("function", "src/headrace/a.py::f", listed))

    assert check_sizes.main(tmp_path) == 1
    assert capsys.readouterr().err == f"{says}\n"


def test_an_entry_for_nothing_fails() -> None:
    gone = Listed("module", "src/headrace/gone.py", 500, "it was one table")

    assert list(check_sizes.problems((), (gone,))) == [
        "src/headrace/gone.py: listed, but there is no such module; remove the entry"
    ]


def test_an_entry_of_the_other_kind_excuses_nothing() -> None:
    found = (Size("module", "src/headrace/a.py", 401),)
    listed = (Listed("function", "src/headrace/a.py", 401, "it is one table"),)

    assert list(check_sizes.problems(found, listed)) == [
        "src/headrace/a.py: 401 lines, a module has at most 400",
        "src/headrace/a.py: listed, but there is no such function; remove the entry",
    ]


def test_an_entry_without_a_reason_fails() -> None:
    found = (Size("module", "src/headrace/a.py", 401),)
    listed = check_sizes.read_list(entry("module", "src/headrace/a.py", 401, reason=" "))

    assert list(check_sizes.problems(found, listed)) == ["src/headrace/a.py: listed without a reason"]


def test_an_entry_that_stands_twice_fails() -> None:
    found = (Size("module", "src/headrace/a.py", 401),)
    once = Listed("module", "src/headrace/a.py", 401, "it is one table")

    assert list(check_sizes.problems(found, (once, once))) == ["tools/sizes.toml: the same name stands there twice"]


def test_a_table_that_is_no_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no such table: class"):
        check_sizes.read_list(entry("class", "src/headrace/a.py::A", 401))


def test_methods_and_inner_functions_are_measured_by_their_full_name() -> None:
    text = "class A:\n  @property\n  def f(self) -> int:\n    def g() -> int:\n      return 1\n    return g()\n"

    assert list(check_sizes.function_sizes("a.py", ast.parse(text))) == [
        Size("function", "a.py::A.f", 4),
        Size("function", "a.py::A.f.g", 2),
    ]


def test_two_functions_of_one_name_are_measured_as_the_longer_one() -> None:
    found = (Size("function", "a.py::A.f", 3), Size("function", "a.py::A.f", 41), Size("function", "a.py::A.f", 5))

    assert list(check_sizes.problems(found, ())) == ["a.py::A.f: 41 lines, a function has at most 40"]
