"""docs/sbom.cdx.json: the bill of materials of what is shipped, in CycloneDX, for tools that look for known holes.

The hashes of Python packages are not in it: there is one for each platform, and the lock file has them all.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings

from shop.tools.papers.licences import SCRIPTS, licence
from shop.tools.papers.locked import (
    RUNTIME,
    TRACES,
    VENDORED,
    Package,
    Script,
    needed_by,
    normal,
    scripts,
    shipped,
    wanted,
)

SHOP = "shop"


def document() -> str:
    """The same parts give the same document: it has no date, and its number is made of what it says."""
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6

    shop = Component(name=SHOP, type=ComponentType.APPLICATION, bom_ref=SHOP)
    bom = Bom()
    bom.metadata.component = shop
    parts = {name: _component(package) for name, package in shipped().items()}
    files = [_script(one) for one in scripts()]
    bom.components.update([*parts.values(), *files])
    direct = [parts[normal(name)] for name in wanted(RUNTIME) | wanted(TRACES) if normal(name) in parts]
    bom.register_dependency(shop, [*direct, *files])
    for name, part in parts.items():
        bom.register_dependency(part, [parts[other] for other in sorted(needed_by(name) & parts.keys())])
    made: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    made["metadata"].pop("timestamp", None)
    made["metadata"].pop("tools", None)
    made.pop("serialNumber", None)
    digest = json.dumps(made, sort_keys=True)
    made["serialNumber"] = f"urn:uuid:{uuid5(NAMESPACE_URL, digest)}"
    return json.dumps(made, indent=1, sort_keys=True) + "\n"


def flaws(text: str) -> str:
    """What CycloneDX's own schema says against a document; empty: nothing."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return "" if found is None else str(found)[:500]


def _component(package: Package) -> Any:
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        bom_ref=package.name,
        purl=PackageURL("pypi", None, package.name, package.version),
        licenses=[_licence(licence(package.name))],
    )


def _script(one: Script) -> Any:
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    content = (Path(settings.BASE_DIR) / VENDORED.parent / one.file).read_bytes()
    return Component(
        name=one.file,
        version=one.version,
        type=ComponentType.FILE,
        bom_ref=one.file,
        purl=PackageURL("npm", None, one.package, one.version),
        licenses=[_licence(SCRIPTS[one.package])],
        hashes=[_sha256(hashlib.sha256(content).hexdigest())],
    )


def _licence(said: str) -> Any:
    from cyclonedx.contrib.license.factories import LicenseFactory

    return LicenseFactory().make_from_string(said)


def _sha256(digest: str) -> Any:
    from cyclonedx.model import HashAlgorithm, HashType

    return HashType(alg=HashAlgorithm.SHA_256, content=digest)
