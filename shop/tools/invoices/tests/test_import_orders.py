"""Real invoices through the command: what is placed, cancelled, received, and never doubled."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from inventory.models import Product, Receipt, Reservation, Stock
from orders.models import Order, OrderLine, Saga
from shop.tools.invoices.tests.files import DATE, UK, write


def run(*files: Path, **options: Any) -> str:
    out = StringIO()
    call_command("import_orders", *map(str, files), stdout=out, no_wait=True, **options)
    return out.getvalue()


def row(number: str = "1", code: str = "A1", units: int = 2, price: str = "1.50", customer: str = "7") -> str:
    return f"{number},{code},name of {code},{units},{DATE},{price},{customer},{UK}"


def count(text: str, label: str) -> str:
    return next(found.split()[-1] for found in text.splitlines() if found.strip().startswith(f"{label} .."))


@pytest.mark.django_db(databases="__all__")
class TestPlacing:
    def test_each_invoice_is_one_order_with_its_own_prices(self, tmp_path: Path) -> None:
        file = write(tmp_path / "a.csv", row("1"), row("1", "B1", 1, "2.00"), row("2", price="1.25"))
        run(file)
        first, second = Order.objects.order_by("pk")
        assert (first.total_minor, second.total_minor) == (500, 250)
        assert {(o.sku, o.name, o.quantity, o.price_minor) for o in first.lines.all()} == {
            ("A1", "name of A1", 2, 150),
            ("B1", "name of B1", 1, 200),
        }
        assert first.idempotency_key == "invoice-1-orchestration"
        assert (first.email, first.country, first.currency) == ("customer-7@example.invalid", "GB", "GBP")
        assert not User.objects.get(pk=first.customer_id).has_usable_password()

    def test_a_guest_has_an_address_of_the_invoice(self, tmp_path: Path) -> None:
        run(write(tmp_path / "a.csv", row("5", customer="")))
        assert Order.objects.get().email == "guest-5@example.invalid"

    def test_a_product_without_a_description_is_named_as_on_another_line(self, tmp_path: Path) -> None:
        nameless = [f"1,{code},,1,{DATE},1.0,7,{UK}" for code in ("A1", "B1")]
        run(write(tmp_path / "a.csv", *nameless, row("2", "A1")))
        assert dict(Product.objects.values_list("sku", "name")) == {"A1": "name of A1", "B1": "B1"}

    def test_running_again_doubles_neither_orders_nor_stock(self, tmp_path: Path) -> None:
        file = write(tmp_path / "a.csv", row("1"), row("2"))
        run(file)
        text = run(file)
        assert (count(text, "placed now"), count(text, "placed before, left as they are")) == ("0", "2")
        assert (Order.objects.count(), OrderLine.objects.count()) == (2, 2)
        assert [receipt.quantity for receipt in Receipt.objects.all()] == [4]

    def test_the_other_style_places_new_orders_and_receives_their_stock(self, tmp_path: Path) -> None:
        file = write(tmp_path / "a.csv", row("1"))
        run(file)
        reserve_all()
        run(file, style="choreography")
        assert sorted(Order.objects.values_list("style", flat=True)) == ["choreography", "orchestration"]
        assert [receipt.quantity for receipt in Receipt.objects.all()] == [2, 2]

    def test_a_file_named_twice_is_imported_once(self, tmp_path: Path) -> None:
        file = write(tmp_path / "a.csv", row("1"))
        run(file, file)
        assert (Order.objects.count(), Receipt.objects.get().quantity) == (1, 2)

    def test_the_same_number_with_other_content_is_counted(self, tmp_path: Path) -> None:
        text = run(write(tmp_path / "a.csv", row("1")), write(tmp_path / "b.csv", row("1", units=3)))
        assert count(text, "invoice not placed: imported before with other content") == "1"
        assert Order.objects.count() == 1

    def test_limit_is_on_orders(self, tmp_path: Path) -> None:
        file = write(tmp_path / "a.csv", row("1", units=-1), row("2"), row("3"), row("4"))
        text = run(file, limit="2")
        assert (Order.objects.count(), count(text, "invoices and cancellations read")) == (2, "3")
        assert Receipt.objects.get().quantity == 4

    def test_the_products_are_split_over_two_warehouses_the_same_way_each_time(self, tmp_path: Path) -> None:
        run(write(tmp_path / "a.csv", *(row("1", f"{code}") for code in range(20000, 20040))))
        places = dict(Stock.objects.values_list("product__sku", "warehouse__code"))
        assert set(places.values()) == {"LON", "MAN"}
        assert len(places) == Stock.objects.count() == 40
        assert (places["20000"], places["20001"]) == ("MAN", "MAN")

    def test_a_number_of_units_is_received_once_per_product_warehouse_and_style(self, tmp_path: Path) -> None:
        file = write(tmp_path / "a.csv", row("1"))
        for stock in ("5", "5", "7"):
            run(file, stock=stock)
        assert list(Stock.objects.values_list("on_hand", flat=True)) == [7, 7]
        assert list(Receipt.objects.order_by("pk").values_list("quantity", flat=True)) == [5, 5, 2, 2]

    def test_free_stock_is_used_before_more_is_received(self, tmp_path: Path) -> None:
        run(write(tmp_path / "a.csv", row("1")), stock="1")
        run(write(tmp_path / "b.csv", row("2", units=4)))
        assert sum(receipt.quantity for receipt in Receipt.objects.all()) == 4

    def test_a_bad_file_among_good_ones_places_nothing(self, tmp_path: Path) -> None:
        good, bad = write(tmp_path / "a.csv", row("1")), write(tmp_path / "b.csv", "x", header="y")
        with pytest.raises(CommandError, match=r"b\.csv has another header .* Nothing was placed\.$"):
            run(good, bad)
        assert not Order.objects.exists()
        assert not Product.objects.exists()

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"limit": "0"}, "--limit must be a whole number from 1; it is '0'."),
            ({"limit": "many"}, "--limit must be a whole number from 1; it is 'many'."),
            ({"stock": "-1"}, "--stock must be auto or a whole number from 0 to 1,000,000; it is '-1'."),
            ({"timeout": "nan"}, "--timeout must be seconds from 0 to 86,400; it is 'nan'."),
            ({"timeout": "soon"}, "--timeout must be seconds from 0 to 86,400; it is 'soon'."),
        ],
    )
    def test_a_bad_option_is_one_sentence(self, tmp_path: Path, options: dict[str, str], words: str) -> None:
        with pytest.raises(CommandError) as raised:
            run(write(tmp_path / "a.csv", row()), **options)
        assert str(raised.value) == words
        assert not Order.objects.exists()

    def test_waiting_ends_with_the_time_given_and_says_how_many_are_open(self, tmp_path: Path) -> None:
        file = write(tmp_path / "a.csv", row("1"), row("2"))
        with pytest.raises(CommandError, match=r"^2 of 2 orders are not at an end\.$"):
            call_command("import_orders", str(file), timeout="0.1", stdout=StringIO())

    def test_orders_that_have_ended_are_waited_for_no_longer(self, tmp_path: Path) -> None:
        file = write(tmp_path / "a.csv", row("1"), row("2"))
        run(file)
        first, second = Order.objects.order_by("pk")
        end(first, "completed")
        end(second, "cancelled", reason="out of stock: A1")
        out = StringIO()
        call_command("import_orders", str(file), stdout=out)
        assert (count(out.getvalue(), "completed"), count(out.getvalue(), "cancelled: out of stock")) == (
            "1",
            "1",
        )

    def test_parked_orders_are_not_waited_for(self, tmp_path: Path) -> None:
        file = write(tmp_path / "a.csv", row("1"))
        run(file)
        Saga.objects.update(state="parked", deadline=None)
        with pytest.raises(CommandError, match=r"^1 of 1 orders are not at an end\.$"):
            call_command("import_orders", str(file), stdout=StringIO())

    def test_ctrl_c_is_answered_with_the_summary(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupt(*args: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("shop.management.commands.import_orders.wait", interrupt)
        out, err = StringIO(), StringIO()
        with pytest.raises(SystemExit, match="130"):
            call_command("import_orders", str(write(tmp_path / "a.csv", row())), stdout=out, stderr=err)
        assert count(out.getvalue(), "placed now") == "1"
        assert err.getvalue().startswith("Interrupted.")


@pytest.mark.django_db(databases="__all__")
class TestCancellations:
    def test_one_that_names_a_whole_order_cancels_it(self, tmp_path: Path) -> None:
        text = run(write(tmp_path / "a.csv", row("1"), row("C2", units=-2)))
        assert Order.objects.get().status == "cancelling"
        assert count(text, "whole order named, being undone") == "1"

    def test_one_that_comes_when_the_order_has_left_is_too_late(self, tmp_path: Path) -> None:
        run(write(tmp_path / "a.csv", row("1")))
        end(Order.objects.get(), "completed")
        text = run(write(tmp_path / "b.csv", row("C2", units=-2)))
        assert count(text, "whole order named, too late: it had left") == "1"
        assert Order.objects.get().status == "completed"

    def test_one_that_names_part_of_an_order_is_named_and_does_nothing(self, tmp_path: Path) -> None:
        text = run(write(tmp_path / "a.csv", row("1"), row("C2", units=-1)))
        order = Order.objects.get()
        assert order.status == "placed"
        assert f"C2 returns part of order {order.number}." in text

    @pytest.mark.parametrize(
        "cancellation",
        [
            row("C2", units=-3),
            row("C2", "B1", units=-2),
            row("C2", units=-2, customer="8"),
            row("C2", units=-2, customer=""),
            row("C0", units=-2),
        ],
        ids=["more", "another product", "another customer", "no customer", "before the order"],
    )
    def test_one_that_fits_no_order_is_unmatched(self, tmp_path: Path, cancellation: str) -> None:
        text = run(write(tmp_path / "a.csv", row("1"), cancellation))
        assert count(text, "no order of this customer has these goods") == "1"
        assert Order.objects.get().status == "placed"

    def test_one_without_goods_is_counted(self, tmp_path: Path) -> None:
        assert count(run(write(tmp_path / "a.csv", row("C1", "D", units=-1))), "names no goods") == "1"

    def test_the_order_with_exactly_these_goods_goes_first_then_the_latest(self, tmp_path: Path) -> None:
        file = write(tmp_path / "a.csv", row("1"), row("2"), row("3", units=9), row("C4", units=-2))
        run(file)
        statuses = dict(Order.objects.values_list("idempotency_key", "status"))
        assert [statuses[f"invoice-{n}-orchestration"] for n in (1, 2, 3)] == [
            "placed",
            "cancelling",
            "placed",
        ]

    def test_two_of_them_cancel_two_orders(self, tmp_path: Path) -> None:
        run(write(tmp_path / "a.csv", row("1"), row("2"), row("C3", units=-2), row("C4", units=-2)))
        assert set(Order.objects.values_list("status", flat=True)) == {"cancelling"}

    def test_it_touches_only_orders_of_its_own_style(self, tmp_path: Path) -> None:
        run(write(tmp_path / "a.csv", row("1")), style="choreography")
        text = run(write(tmp_path / "b.csv", row("C2", units=-2)))
        assert count(text, "no order of this customer has these goods") == "1"


def end(order: Order, status: str, reason: str = "") -> None:
    Order.objects.filter(pk=order.pk).update(status=status, ended_at=timezone.now())
    Saga.objects.filter(order=order).update(state="ended", deadline=None, reason=reason)


def reserve_all() -> None:
    """As if the workers had set aside everything that is there."""
    for order in Order.objects.all():
        Reservation.objects.create(order_id=order.uuid, number=order.number, state="reserved")
    for stock in Stock.objects.all():
        Stock.objects.filter(pk=stock.pk).update(reserved=stock.on_hand)


@pytest.mark.django_db(databases="__all__")
def test_a_machine_reads_json_and_nothing_else(tmp_path: Path) -> None:
    text = run(write(tmp_path / "a.csv", row("1"), row("2", units=0)), json=True)
    found = json.loads(text)
    assert (found["placed_now"], found["unfinished"], found["all_ended"]) == (1, 1, False)
    assert (found["lines"], found["not_placed"]) == (2, {"nothing left to order": 1})
    assert found["odd_lines"] == {"no_units": 1}
