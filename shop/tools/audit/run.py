"""The audit as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shop.tools.audit import agreement, endings, mails, money, parcels, stock
from shop.tools.audit.cases import Case, gather
from shop.tools.audit.findings import Promise, Report, Violation
from shop.tools.audit.ledgers import read_ledgers, unaccounted

Check = Callable[[Case], Iterator[str]]
Progress = Callable[[Report], None]

CHECKS: dict[Promise, Check] = {
    Promise.STOCK: stock.check_order,
    Promise.MONEY: money.check_order,
    Promise.ENDINGS: endings.check_order,
    Promise.PARCELS: parcels.check_order,
    Promise.MAILS: mails.check_order,
    Promise.AGREEMENT: agreement.check_order,
}
AGAINST_A_LEDGER = (Promise.MONEY, Promise.PARCELS)


def audit(newest: int | None = None, progress: Progress = lambda report: None) -> Report:
    """Check every promise. Reads only, and may run while the shop does.

    ``newest``: only of so many orders, the latest ones; in a shop with millions of them all take very long.
    ``progress`` is shown the report as it grows.

    Raises:
        Fault: a provider can't be asked.
    """
    report = Report()
    ledgers = read_ledgers()
    report.left_out = ledgers.without_books
    checks = {promise: check for promise, check in CHECKS.items() if promise not in report.left_out}
    for cases in gather(ledgers, newest):
        for case in cases:
            report.orders += 1
            report.in_flight += case.in_flight
            report.parked += endings.waits_for_a_person(case)
            for promise, check in checks.items():
                if case.ended_meanwhile and promise in AGAINST_A_LEDGER:
                    continue
                report.checked[promise]["orders"] += 1
                report.violations += [Violation(promise, sentence) for sentence in check(case)]
        progress(report)
    stock.check_rows(report)
    mails.check_mailbox(report)
    if newest is None:
        agreement.check_strays(report)
        report.violations += unaccounted(ledgers)
    if Promise.MONEY in checks:
        report.checked[Promise.MONEY]["charges in the provider's ledger"] = ledgers.charges
    if Promise.PARCELS in checks:
        report.checked[Promise.PARCELS]["labels in the carrier's ledger"] = ledgers.labels
    report.violations.sort(key=lambda violation: list(Promise).index(violation.promise))
    return report
