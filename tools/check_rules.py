"""The house's rules that an import contract can not see, read from the syntax tree.

- plan: `headrace.plan` imports the standard library and itself, nothing else.
- pure: the modules that decide (plan, sqltext, recurrence, supervisor, states, signature_v2) do no I/O.
- async: `async def` stands in api/app.py, in middleware and in event streaming only.
- heavy: a heavy library is imported at the top of a module only in the one place that is made for it.
- sleep: a test waits for a thing, never for time to pass; only tests/support may sleep.
- clock: the pure modules, the node types and the unit tests are told the time, they never read it.
"""

import ast
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PURE_PACKAGES = ("headrace.plan", "headrace.sqltext", "headrace.recurrence")
PURE_MODULES = ("supervisor", "states", "signature_v2")
ASYNC_MODULES = ("middleware", "streaming")

# Where a heavy library may be imported as the module itself is: a module, a package, or modules beginning so.
HEAVY_HOMES: dict[str, tuple[str, ...]] = {
    "boto3": ("headrace.stores.objects",),
    "botocore": ("headrace.stores.objects",),
    "duckdb": ("headrace.engines.duckdb",),
    "numpy": (),
    "pandas": (),
    "psycopg": ("headrace.db", "headrace.stores.postgresql"),
    "pyarrow": (),
    "pymysql": ("headrace.stores.mysql",),
    "pysail": ("headrace.engines.spark",),
    "pyspark": ("headrace.engines.spark",),
    "rich": (),
    # Commands that need no server load neither the use cases over its tables nor its queue.
    "sqlalchemy": (
        "headrace.db",
        "headrace.core.audit",
        "headrace.core.clients",
        "headrace.core.conditions",
        "headrace.core.dashboard",
        "headrace.core.data_grants",
        "headrace.core.executions",
        "headrace.core.feeds",
        "headrace.core.figures",
        "headrace.core.job_figures",
        "headrace.core.job_rows",
        "headrace.core.jobs",
        "headrace.core.keys",
        "headrace.core.objects",
        "headrace.core.outbox",
        "headrace.core.psks",
        "headrace.core.repeats",
        "headrace.core.retention",
        "headrace.core.revisions",
        "headrace.core.rights",
        "headrace.core.signing",
        "headrace.core.ticks",
        "headrace.core.triggers",
        "headrace.core.uploads",
        "headrace.core.warehouse",
        "headrace.core.workflow_advance",
        "headrace.core.workflow_runs",
        "headrace.core.workflows",
        "headrace.execution.queue",
        "headrace.execution.queue_rows",
        "headrace.execution.traces",
    ),
    "sqlglot": ("headrace.sqltext", "headrace.engines.sql"),
}

IO_MODULES = frozenset(
    [
        "aiohttp",
        "asyncio",
        "boto3",
        "botocore",
        "duckdb",
        "fcntl",
        "fileinput",
        "ftplib",
        "glob",
        "headrace.clock",
        "headrace.db",
        "headrace.stores",
        "http",
        "httpx",
        "io",
        "logging",
        "mmap",
        "multiprocessing",
        "os",
        "pathlib.Path",
        "psycopg",
        "pymysql",
        "pyspark",
        "requests",
        "select",
        "selectors",
        "shutil",
        "signal",
        "smtplib",
        "socket",
        "socketserver",
        "sqlalchemy",
        "sqlite3",
        "ssl",
        "subprocess",
        "tempfile",
        "threading",
        "time",
        "urllib.request",
        "urllib3",
    ]
)
IO_CALLS = frozenset({"breakpoint", "input", "open", "print"})
CLOCKS = frozenset(
    {f"datetime.datetime.{name}" for name in ("now", "today", "utcnow")}
    | {"datetime.date.today"}
    | {f"time.{name}{unit}" for name in ("time", "monotonic", "perf_counter", "process_time") for unit in ("", "_ns")}
    | {"time.clock_gettime", "time.clock_gettime_ns", "time.ctime", "time.gmtime", "time.localtime"}
)
SLEEPS = frozenset({"time.sleep", "asyncio.sleep"})


@dataclass(frozen=True, slots=True)
class Source:
    """One file: where it is, what it is called when imported, what stands in it."""

    path: str
    module: str
    tree: ast.Module


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that is broken, and where."""

    rule: str
    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


def imported(node: ast.AST) -> tuple[str, ...]:
    """The full names that an import statement brings; nothing for another node."""
    match node:
        case ast.Import(names=names):
            return tuple(alias.name for alias in names)
        case ast.ImportFrom(module=str(module), names=names, level=0):
            return tuple(f"{module}.{alias.name}" for alias in names)
        case _:
            return ()


def aliases(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for: `from time import sleep as nap` gives `nap: time.sleep`."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    root = alias.name.split(".")[0]
                    known[alias.asname or root] = alias.name if alias.asname else root
            case ast.ImportFrom(module=str(module), names=names, level=0):
                for alias in names:
                    known[alias.asname or alias.name] = f"{module}.{alias.name}"
            case _:
                pass
    return known


def full_name(node: ast.AST, known: dict[str, str]) -> str | None:
    """The full name of what an expression refers to, when it comes from an import."""
    match node:
        case ast.Name(id=name):
            return known.get(name)
        case ast.Attribute(value=value, attr=attr):
            owner = full_name(value, known)
            return f"{owner}.{attr}" if owner else None
        case _:
            return None


def within(name: str, packages: Iterable[str]) -> bool:
    """Whether a name is one of these, or stands inside one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def references(source: Source, forbidden: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Where a file names one of these, called or handed on."""
    known = aliases(source.tree)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name | ast.Attribute) and (name := full_name(node, known)) in forbidden and name:
            yield node.lineno, name


def plan_stands_alone(source: Source) -> Iterator[Finding]:
    """`plan` imports the standard library and itself."""
    if not within(source.module, ("headrace.plan",)):
        return
    for node in ast.walk(source.tree):
        for name in imported(node):
            if name.split(".")[0] not in sys.stdlib_module_names and not within(name, ("headrace.plan",)):
                yield Finding("plan", source.path, _line(node), f"plan imports {name}")


def is_pure(module: str) -> bool:
    """Whether a module is one that is told everything and touches nothing."""
    return within(module, PURE_PACKAGES) or (within(module, ("headrace",)) and module.split(".")[-1] in PURE_MODULES)


def pure_stays_pure(source: Source) -> Iterator[Finding]:
    """What decides does no I/O."""
    if not is_pure(source.module):
        return
    for node in ast.walk(source.tree):
        for name in imported(node):
            if within(name, IO_MODULES):
                yield Finding("pure", source.path, _line(node), f"imports {name}")
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in IO_CALLS:
                yield Finding("pure", source.path, node.lineno, f"calls {name}()")
            case ast.Attribute(attr="read_text" | "read_bytes" | "write_text" | "write_bytes" as name):
                yield Finding("pure", source.path, node.lineno, f"uses a file: {name}")
            case _:
                pass
    for line, name in references(source, frozenset({"pathlib.Path"})):
        yield Finding("pure", source.path, line, f"touches files: {name}")


def may_be_async(module: str) -> bool:
    """Whether a module is one of the few places of the other colour."""
    parts = module.split(".")
    return module == "headrace.api.app" or (
        within(module, ("headrace.api",)) and any(part in ASYNC_MODULES for part in parts)
    )


def one_colour(source: Source) -> Iterator[Finding]:
    """`async def` stands at the edge only."""
    if not within(source.module, ("headrace",)) or may_be_async(source.module):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.AsyncFunctionDef):
            yield Finding("async", source.path, node.lineno, f"async def {node.name}")


def run_on_import(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Every node that runs when the module is imported: not inside a function, not for type checkers alone."""
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                continue
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                yield from run_on_import(node.orelse)
            case _:
                yield node
                yield from run_on_import(ast.iter_child_nodes(node))


def heavy_is_late(source: Source) -> Iterator[Finding]:
    """A heavy library is imported inside the function that needs it, or in its own module."""
    if not within(source.module, ("headrace",)):
        return
    for node in run_on_import(source.tree.body):
        for name in imported(node):
            library = name.split(".")[0]
            homes = HEAVY_HOMES.get(library)
            if homes is not None and not any(source.module.startswith(home) for home in homes):
                message = f"imports {library} at the top; import it inside the function that needs it"
                yield Finding("heavy", source.path, _line(node), message)


def tests_wait_for_things(source: Source) -> Iterator[Finding]:
    """A test never sleeps."""
    if within(source.module, ("tests",)) and not within(source.module, ("tests.support",)):
        for line, name in references(source, SLEEPS):
            yield Finding("sleep", source.path, line, f"{name}: wait for the thing itself, with a limit")


def the_time_is_told(source: Source) -> Iterator[Finding]:
    """What is pure, the node types and the unit tests are told the time."""
    if is_pure(source.module) or within(source.module, ("headrace.nodes", "tests.unit")):
        for line, name in references(source, CLOCKS):
            yield Finding("clock", source.path, line, f"reads the clock: {name}")


RULES: tuple[Callable[[Source], Iterator[Finding]], ...] = (
    plan_stands_alone,
    pure_stays_pure,
    one_colour,
    heavy_is_late,
    tests_wait_for_things,
    the_time_is_told,
)


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))


def parse(path: str, text: str) -> Source:
    """A file's text as something to check; `src/headrace/plan/__init__.py` is the module `headrace.plan`."""
    parts = path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").split("/")
    return Source(path=path, module=".".join(parts), tree=ast.parse(text, path))


def findings(source: Source) -> tuple[Finding, ...]:
    """All that one file breaks, in the order of its lines."""
    found = {finding for rule in RULES for finding in rule(source)}
    return tuple(sorted(found, key=lambda finding: (finding.line, finding.rule, finding.message)))


def main(root: Path) -> int:
    """Print what is wrong; 1 when there is something."""
    files = (file for folder in ("src", "tests") for file in sorted((root / folder).rglob("*.py")))
    sources = (parse(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")) for file in files)
    wrong = [finding for source in sources for finding in findings(source)]
    for finding in wrong:
        print(finding, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[1]))
