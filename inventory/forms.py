"""What people type about products and deliveries, checked."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect

from inventory.models import Product, Stock, Warehouse
from shop.base.money import DECIMALS

MOST_AT_ONCE = 100_000
MOST_ON_HAND = 1_000_000_000  # well within the column


class ProductForm(forms.ModelForm):
    """The price as people write it; the row keeps minor units."""

    price = forms.DecimalField(min_value=0, max_digits=12, help_text="Such as 12.50.")

    class Meta:
        model = Product
        fields = ("sku", "name", "currency", "on_sale")
        widgets = {"currency": forms.Select(choices=[(code, code) for code in sorted(DECIMALS)])}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            decimals = DECIMALS.get(self.instance.currency, 2)
            self.fields["price"].initial = Decimal(self.instance.price_minor).scaleb(-decimals)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        price: Decimal | None = cleaned.get("price")
        currency = cleaned.get("currency") or self.instance.currency
        if currency not in DECIMALS:
            self.add_error("currency", f"The shop takes {', '.join(sorted(DECIMALS))}.")
        elif price is not None:
            minor = price.scaleb(DECIMALS[currency])
            if minor != int(minor):
                self.add_error("price", f"{currency} has {DECIMALS[currency]} decimals.")
            self.instance.price_minor = int(minor)
        return cleaned


class ProductSelect(AutocompleteSelect):
    """Django's, which breaks on a key that is no number before the field can say so."""

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        return super().optgroups(name, [key for key in value if key.isdecimal()], attr)


class ReceiveStockForm(forms.Form):
    product = forms.ModelChoiceField(
        Product.objects.all(), widget=ProductSelect(Stock._meta.get_field("product"), admin.site)
    )
    warehouse = forms.ModelChoiceField(Warehouse.objects.all())
    quantity = forms.IntegerField(
        min_value=1, max_value=MOST_AT_ONCE, help_text=f"Units that came in, up to {MOST_AT_ONCE:,}."
    )
    note = forms.CharField(max_length=100, required=False, help_text="Such as the delivery note's number.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.keys() >= {"product", "warehouse", "quantity"}:
            place = Stock.objects.filter(product=cleaned["product"], warehouse=cleaned["warehouse"]).first()
            if place and place.on_hand + cleaned["quantity"] > MOST_ON_HAND:
                self.add_error("quantity", f"There would be more than {MOST_ON_HAND:,} units on hand.")
        return cleaned
