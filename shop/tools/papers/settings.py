"""docs/settings.md: every variable, as shop/settings.py reads it, with the comment that stands above it there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from django.conf import settings

from shop.base.environment import Setting

SETTINGS_PY = Path(settings.BASE_DIR) / "shop" / "settings.py"
PART = re.compile(r"# --- (.+?) -+$")
# What is read elsewhere, by one program each.
ELSEWHERE = {
    "SEED_<ROLE>_PASSWORD": "`seed`: the password of whom it makes in this role, such as SEED_ADMIN_PASSWORD, and of "
    "the customer demo, SEED_DEMO_PASSWORD; `up` makes them up",
    "SANDBOX_SLOW_SECONDS": "the sandboxes: for how long a slow answer takes (2)",
    "SANDBOX_DOWN_SECONDS": "the sandboxes: for how long a provider is down when it is asked to be (5)",
    "MESSAGING_POINTS": "tests: a module that acts at named points of every process; empty in production",
    "NO_COLOR": "commands: no colours, whatever the terminal can do; CI and TERM=dumb do the same",
    "DJANGO_SETTINGS_MODULE": "Django: other settings than shop.settings",
    "FLOWER_BASIC_AUTH": "Flower: user:password; `up` makes one up",
    "FLOWER_COOKIE_SECRET": "Flower: what its sessions are signed with; `up` makes one up",
}
HEAD = """# Settings

All settings come from the environment. One that is wrong ends whichever process reads it with exit code 2 and a sentence
that says what it may be; all that are wrong are named at once. This page is made by `python manage.py papers` of what
`shop/settings.py` says, and a test keeps it so. `python manage.py doctor` looks at how they go together.

`make run` and `manage.py up` need none of them. A number or a choice may not be empty; an address, a text, a switch or a
folder that is empty is as if it were not set.
"""


def page() -> str:
    lines, begun = [HEAD], ""
    about = comments(SETTINGS_PY.read_text())
    for setting in settings.ENVIRONMENT.known.values():
        part, comment = about[source_of(setting, about)]
        if part != begun:
            lines += [
                "",
                f"## {part}",
                "",
                "| variable | default | what it is for | what it may be |",
                "|---|---|---|---|",
            ]
            begun = part
        default = f"`{setting.default}`" if setting.default else ""
        cells = (f"`{setting.name}`", default, comment, setting.allowed)
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    lines += ["", "## Read elsewhere", "", "| variable | who reads it, and what for |", "|---|---|"]
    lines += [f"| `{name}` | {what} |" for name, what in ELSEWHERE.items()]
    return "\n".join(lines) + "\n"


def source_of(setting: Setting, about: Mapping[str, tuple[str, str]]) -> str:
    """How the source calls it: the variables of apps have one line for all."""
    return setting.name if setting.name in about else setting.name[setting.name.index("_") :]


def comments(source: str) -> dict[str, tuple[str, str]]:
    """By variable: the part of the file it stands in, and the comment right above it."""
    found: dict[str, tuple[str, str]] = {}
    part, comment = "", ""
    for line in source.splitlines():
        text = line.strip()
        if heading := PART.match(text):
            part, comment = heading[1].partition(":")[0], ""
        elif text.startswith("# "):
            comment = f"{comment} {text[2:]}".strip()
        else:
            for name in _read_on(text):
                found[name] = part, comment
            comment = comment if text.endswith("(") else ""
    return found


def _read_on(line: str) -> Iterator[str]:
    """What a line of the settings reads from the environment, on it or begun on the one before."""
    for match in re.finditer(r'(?:env\.\w+\(|^)f?"(?:\{[^}]*\})?([A-Z_0-9]+)"(?!:)', line):
        yield match[1]
