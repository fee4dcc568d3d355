"""The catalogue is as the code says, is valid, and describes what was stored and what is sent."""

from __future__ import annotations

import gzip
import json
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import pytest
import yaml
from django.conf import settings
from django.core.management import CommandError, call_command

from shop.messaging.commands import Commanded, call, published
from shop.messaging.events import Ref, from_payload, registry, to_payload
from shop.tools.catalogue import asyncapi, schemas
from shop.tools.catalogue.commands import example_arguments
from shop.tools.catalogue.files import FILES, stale, write

ROOT = Path(settings.BASE_DIR)
SAMPLES = json.loads((ROOT / "tests" / "contracts" / "events.json").read_text())
# As @asyncapi/specs 6.11.1 has it, schemas/3.0.0-without-$id.json (Apache-2.0).
ASYNCAPI = ROOT / "tests" / "contracts" / "asyncapi-3.0.0.json.gz"


@cache
def known() -> dict[str, schemas.Schema]:
    return schemas.schemas()


def fits(name: str, payload: Any) -> bool:
    schema = {"$ref": f"#/$defs/{name}", "$defs": known()}
    return bool(jsonschema.Draft202012Validator(schema).is_valid(payload))


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(asyncapi.document())
    return found


def test_what_is_in_the_repository_is_as_the_code_says() -> None:
    assert stale() == [], "The catalogue is out of date. Run: python manage.py events"


def test_the_command_writes_what_is_out_of_date_and_says_so(tmp_path: Path, settings: Any) -> None:
    (tmp_path / "docs").mkdir()
    settings.BASE_DIR = tmp_path
    with pytest.raises(CommandError, match=r"docs/events\.md.*Run: python manage\.py events"):
        call_command("events", "--check")
    out = StringIO()
    call_command("events", stdout=out)
    assert all(name in out.getvalue() for name in FILES)
    call_command("events", "--check", stdout=out)
    (tmp_path / "docs" / "events.md").write_text("something else")
    assert write() == ["docs/events.md"]


def test_the_asyncapi_document_is_valid(described: dict[str, Any]) -> None:
    schema = json.loads(gzip.decompress(ASYNCAPI.read_bytes()))
    validator = jsonschema.Draft7Validator(schema)
    assert [error.json_path for error in validator.iter_errors(described)] == []
    assert list(validator.iter_errors({**described, "channels": "none"})) != []


def test_every_reference_of_the_asyncapi_document_leads_somewhere(described: dict[str, Any]) -> None:
    def references(part: Any) -> list[str]:
        if isinstance(part, list):
            return [found for one in part for found in references(one)]
        if isinstance(part, dict):
            own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
            return own + [found for one in part.values() for found in references(one)]
        return []

    for reference in references(described):
        place: Any = described
        for name in reference.removeprefix("#/").split("/"):
            assert name in place, reference
            place = place[name]


def test_every_event_and_every_command_is_described(described: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "events.md").read_text()
    names = {event.__name__ for event in schemas.events()}
    assert set(described["components"]["messages"]) == names | set(published)
    assert all(f"### {name}\n" in page for name in names)
    assert all(f"| `{name}` |" in page for name in published)
    receiving = {
        name for name, operation in described["operations"].items() if operation["action"] == "receive"
    }
    assert set(published) < receiving


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_what_was_ever_stored_and_what_is_sent_now_fit_the_schema(name: str) -> None:
    event = registry[name]
    for payload in [*SAMPLES[name], schemas.example(known()[name])]:
        assert fits(name, payload)
        assert fits(name, to_payload(from_payload(event, payload)))
    assert not fits(name, {**SAMPLES[name][0], "ref": "S-1"})


@pytest.mark.parametrize("name", sorted(published))
def test_what_a_command_carries_fits_its_schema(name: str, described: dict[str, Any]) -> None:
    payload = described["components"]["messages"][name]["payload"]
    validator = jsonschema.Draft7Validator({**payload, "components": described["components"]})
    ref = Ref(id=UUID(schemas.ID), number="S-1", style=settings.STYLES[0])
    _, *more = example_arguments(published[name])
    for arguments in (example_arguments(published[name]), list(call(name, [ref], *more).args)):
        assert validator.is_valid(arguments)
    assert not validator.is_valid([[["no id"]]])


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_field_says_what_it_means(name: str) -> None:
    for field, schema in known()[name]["properties"].items():
        assert schema.get("description"), (
            f"{name}.{field}: give it a Meta(description=…) in {registry[name].__module__}"
        )
    assert all(part["description"] for part in known()[Commanded.__name__]["prefixItems"])
