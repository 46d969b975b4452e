"""The page of settings."""

from headrace.settings import CONFIG, FILE, SETTINGS, Setting
from tools.reference.markdown import code, generated, inline, table


def page() -> str:
    """Every setting with its name, variable, default, form and meaning."""
    return generated(
        "Settings",
        "A setting has one value for a run. The first of these that has one gives it:",
        "1. a flag: `--set NAME=VALUE`, or the setting's own flag where a command has one (`--storage`, `--threads`, "
        "`--memory-limit`), which beats `--set`;\n"
        "2. the environment variable;\n"
        f"3. the TOML file: `{FILE}` in the current folder, or the file that `{CONFIG}` names;\n"
        "4. the default.",
        "`headrace settings` shows what is in force, and from where. A name that does not exist in a flag or in the "
        "file, and a value that can't be, are errors with exit code 2.",
        table(
            ("name", "environment", "default", "value", "what it is"),
            [
                (f"`{s.name}`", f"`{s.variable}`", inline(_default(s)) if _default(s) else "", _form(s), s.help)
                for s in SETTINGS
            ],
        ),
        "## The file",
        "One line for each setting, `name = value`:",
        code('storage = "/data/buckets"\nthreads = 4\nmemory_limit = "4GB"\nread_back = true', "toml"),
        source="headrace.settings",
    )


def _default(setting: Setting) -> str:
    value = setting.default
    return str(value).lower() if isinstance(value, bool) else str(value)


def _form(setting: Setting) -> str:
    """What its value may be, in the words of the error for one that it can't be."""
    try:
        setting.read("?")
    except ValueError as error:
        return str(error)
    return "a text"
