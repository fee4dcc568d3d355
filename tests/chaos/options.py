"""What is to be measured. Read before Django's settings are, as some figures need servers of their own."""

from __future__ import annotations

import argparse
import secrets

SERVICES = ("orders", "inventory", "payments", "shipping", "notifications")
# Each figure with its own options and their defaults; ``rate``: orders a second, both styles together.
FIGURES: dict[str, dict[str, object]] = {
    "faults": {"rate": 100.0, "rounds": 2, "only": ""},
    "killed": {"rate": 100.0, "kills": 20},
    "flushed": {"rate": 100.0},
    "away": {"rate": 30.0, "seconds": 600.0, "provider": "payments"},
    "frozen": {"rate": 100.0, "seconds": 60.0, "service": ",".join(SERVICES)},
    "database": {"rate": 30.0, "seconds": 60.0, "app": "inventory"},
}
APART = ("inventory", "payments", "shipping", "notifications")  # without that of orders nothing is accepted
PROVIDERS = ("payments", "carrier")


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.chaos", description=__doc__)
    add = parser.add_argument
    add("--seed", type=int, default=secrets.randbelow(2**32))
    add(
        "--figure",
        choices=FIGURES,
        default="faults",
        help="default: every kind of fault, one after the other",
    )
    add("--rate", type=float, metavar="R", help="orders placed in a second, half of them in each style")
    add("--rounds", type=int, metavar="N", help="faults: of all of them, in another sequence")
    add("--only", metavar="TEXT", help="faults: only those whose name has it; no storm")
    add("--kills", type=int, metavar="N", help="killed: how often the busiest worker is")
    add("--seconds", type=float, metavar="S", help="away, frozen, database: for how long")
    add("--provider", choices=PROVIDERS, help="away: whose provider")
    add("--service", metavar="NAME,…", help="frozen: of which services a worker is, one after the other")
    add("--app", choices=APART, help="database: whose")
    options = parser.parse_args(argv)
    own = FIGURES[options.figure]
    for name in sorted({name for figure in FIGURES.values() for name in figure}):
        if getattr(options, name) is None:
            setattr(options, name, own.get(name))
        elif name not in own:
            having = " or ".join(figure for figure, names in FIGURES.items() if name in names)
            parser.error(f"--{name} goes with --figure {having}, not with {options.figure}")
    if any((getattr(options, name) or 0) < 0 for name in ("rate", "rounds", "kills", "seconds")):
        parser.error("numbers must not be below zero")
    if not options.rate:
        parser.error("--rate must be above zero: a shop without orders has nothing to heal")
    if options.figure == "killed" and not options.kills:
        parser.error("--kills must be above zero")
    options.service = options.service.split(",") if options.service else []
    if unknown := set(options.service) - set(SERVICES):
        parser.error(f"there is no service {', '.join(sorted(unknown))}; there are {', '.join(SERVICES)}")
    return options
