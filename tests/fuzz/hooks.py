"""What schemathesis can't know from the OpenAPI page, for it is data and no description; it loads this by itself.

What is on sale, which IP addresses are public, where a page begins: so that what is valid by the page really is. And a
token to throw away for each logging out, as all others are still to be of use afterwards.
"""

from __future__ import annotations

import json
import os
from itertools import count
from pathlib import Path
from typing import Any

import schemathesis

WORLD: dict[str, Any] = json.loads(Path(os.environ["FUZZ_WORLD"]).read_text())
LOGOUT = "/api/v1/logout/"
HELD = {f"Token {token}" for token in WORLD["tokens"].values()}
_spent = count()


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    schemas = raw_schema["components"]["schemas"]
    schemas["WantedLineRequest"]["properties"]["sku"]["enum"] = WORLD["skus"]
    schemas["CurrencyEnum"]["enum"] = WORLD["currencies"]
    schemas["RegisterRequest"]["properties"]["url"]["pattern"] = WORLD["servers"]
    for path, cursors in WORLD["cursors"].items():
        parameters = raw_schema["paths"][path]["get"]["parameters"]
        (cursor,) = (found for found in parameters if found["name"] == "cursor")
        cursor["schema"]["enum"] = cursors


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Only where the case is sent as somebody who is logged in."""
    if case.path == LOGOUT and case.headers.get("Authorization") in HELD:
        case.headers["Authorization"] = f"Token {WORLD['spare'][next(_spent) % len(WORLD['spare'])]}"
