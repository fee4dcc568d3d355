"""docs/licences.md: under which licence each part is, as the part itself says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import metadata

from shop.tools.papers.locked import DEVELOPMENT, RUNTIME, SHIPPED, Package, locked, scripts

UNKNOWN = "unknown"
# What packages say that do not say it by SPDX's names.
SAID = {
    "MIT License": "MIT",
    "BSD License": "BSD",
    "New BSD": "BSD-3-Clause",
    "BSD 3-Clause OR Apache-2.0": "BSD-3-Clause OR Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "3-Clause BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
}
SPDX = re.compile(r"(MIT|BSD|ISC|0BSD|PSF-2\.0|Apache-2\.0|MPL-2\.0|BSD-[23]-Clause)( (AND|OR) [\w.-]+)*")
# Packages that only some computers get, and one whose metadata does not say; looked up where they are published.
ELSEWHERE = {
    "async-timeout": "Apache-2.0",
    "tzdata": "Apache-2.0",
    "colorama": "BSD-3-Clause",
    "exceptiongroup": "MIT",
}
# Shipped although it is LGPL, and why that is taken.
TAKEN = {
    "psycopg": "used unchanged, as a library of its own that anybody can replace",
    "psycopg-binary": "the same, with libpq beside it",
}
SCRIPTS = {"htmx.org": "0BSD", "htmx-ext-sse": "0BSD", "uplot": "MIT"}
# JavaScript within the packages: (what, in which, licence).
WITHIN = (
    ("Swagger UI", "drf-spectacular-sidecar", "Apache-2.0"),
    ("Redoc", "drf-spectacular-sidecar", "MIT"),
    ("jQuery, Select2, XRegExp", "django (admin)", "MIT"),
)
# Libraries that wheels for Linux carry beside their own code, by the beginning of the file's name. They are loaded as
# shared libraries, unchanged.
NATIVE = {
    **dict.fromkeys(
        ("libXau", "libxcb", "libbrotli", "libharfbuzz", "liblcms2", "libcom_err", "libgssapi"), "MIT"
    ),
    **dict.fromkeys(("libk5crypto", "libkrb5", "libnghttp", "libngtcp2", "libpsl", "libsfparse"), "MIT"),
    **dict.fromkeys(("libsharpyuv", "libwebp", "libzstd", "libssh2"), "BSD-3-Clause"),
    **dict.fromkeys(("libavif", "libopenjp2"), "BSD-2-Clause"),
    **dict.fromkeys(("libcrypto", "libssl"), "Apache-2.0"),
    **dict.fromkeys(("libpq", "libecpg", "libpgtypes"), "PostgreSQL"),
    **dict.fromkeys(("liblber", "libldap"), "OLDAP-2.8"),
    **dict.fromkeys(("libcrypt", "libkeyutils"), "LGPL-2.1-or-later"),
    **dict.fromkeys(("libidn2", "libunistring"), "LGPL-3.0-or-later OR GPL-2.0-or-later"),
    "libfreetype": "FTL",
    "libjpeg": "IJG AND BSD-3-Clause",
    "liblzma": "0BSD",
    "libpng16": "libpng-2.0",
    "libtiff": "libtiff",
    "libsasl2": "BSD-4-Clause",
    "libcurl": "curl",
}
NATIVE_HEAD = """Some wheels carry shared libraries beside their own code, in a folder `PACKAGE.libs`. Those under LGPL
(libcrypt and libkeyutils in psycopg-binary, libidn2 and libunistring in pycurl) are loaded unchanged, and anybody can
replace them."""
HEAD = """# Licences

What is installed and shipped, and under which licence, as each part says itself. Made by `python manage.py papers` of the
lock files and of what is installed; a test keeps it so, and fails at a package that is under GPL, AGPL or LGPL and not
under another licence as well, but for those that [decision 24](decisions/24-psycopg-is-lgpl.md) takes.

pycurl is `LGPL-2.1-only OR MIT`, and taken under MIT.
"""


def page() -> str:
    shipped, runtime = locked(SHIPPED), locked(RUNTIME)
    development = [one for name, one in locked(DEVELOPMENT).items() if name not in shipped]
    lines = [
        HEAD,
        "## Python packages that are shipped",
        "",
        "| package | version | licence | |",
        "|---|---|---|---|",
    ]
    lines += [_row(one, "" if name in runtime else "for traces") for name, one in shipped.items()]
    lines += ["", "## JavaScript and CSS that is shipped", "", "| what | in | licence |", "|---|---|---|"]
    lines += [
        f"| {one.package} {one.version} | `shop/static/shop/vendor/{one.file}` | {SCRIPTS[one.package]} |"
        for one in scripts()
    ]
    lines += [f"| {what} | {where} | {licence} |" for what, where, licence in WITHIN]
    lines += [
        "",
        "## Libraries in the wheels for Linux",
        "",
        NATIVE_HEAD,
        "",
        "| library | licence |",
        "|---|---|",
    ]
    lines += [f"| {name} | {licence} |" for name, licence in sorted(NATIVE.items())]
    lines += ["", "## Only for tests and checks", "", "| package | version | licence |", "|---|---|---|"]
    lines += [_row(one) for one in development]
    return "\n".join(lines) + "\n"


def licence(name: str) -> str:
    """As the package says it: an SPDX expression, or "BSD" where it does not say which."""
    try:
        about = metadata.metadata(name).json
    except metadata.PackageNotFoundError:
        return ELSEWHERE.get(name, UNKNOWN)
    if expression := about.get("license_expression"):
        return str(expression)
    said = str(about.get("license") or "").strip()
    said = SAID.get(said, said)
    classified = [
        str(one).rpartition(" :: ")[2] for one in about.get("classifier") or [] if "License ::" in one
    ]
    known = [SAID[one] for one in classified if one in SAID]
    if SPDX.fullmatch(said) and (said != "BSD" or not known):
        return said
    return " OR ".join(sorted(known)) or (said if said and len(said) < 40 else ELSEWHERE.get(name, UNKNOWN))


def is_copyleft(expression: str) -> bool:
    """Whether none of the licences one may choose is without GPL, AGPL or LGPL."""
    return all("GPL" in alternative for alternative in expression.split(" OR "))


def not_to_be_shipped(packages: Iterable[Package]) -> list[str]:
    return [
        f"{one.name} is under {licence(one.name)}"
        for one in packages
        if one.name not in TAKEN and (is_copyleft(found := licence(one.name)) or found == UNKNOWN)
    ]


def _row(one: Package, note: str | None = None) -> str:
    """``note``: of what is shipped."""
    cells = [one.name, one.version, licence(one.name)]
    if note is not None:
        cells.append(TAKEN.get(one.name, f"where `{one.marker}`" if one.marker else note))
    return f"| {' | '.join(cells)} |"
