"""Catalogue and stock in the admin: products and warehouses are edited, stock is received and never typed over."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join

from inventory.forms import ProductForm, ReceiveStockForm
from inventory.models import (
    DeadLetter,
    Inbox,
    Incident,
    Outbox,
    Product,
    Receipt,
    Reservation,
    Stock,
    Warehouse,
)
from inventory.services import Delivery, receive_stock
from shop.base.admin.boxes import DeadLetterAdmin, InboxAdmin, IncidentAdmin, OutboxAdmin
from shop.base.admin.cells import BACK, BAD, GOOD, WAIT, StateColumn, money, when
from shop.base.admin.filters import StateFilter, dated
from shop.base.admin.rows import Listed, OfAnOrderAdmin, ReadOnlyAdmin

admin.site.register(Outbox, OutboxAdmin)
admin.site.register(DeadLetter, DeadLetterAdmin)
admin.site.register(Incident, IncidentAdmin)
admin.site.register(Inbox, InboxAdmin)


class KeptAdmin(Listed):
    """What other rows point to: it is added and edited, never deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Product)
class ProductAdmin(KeptAdmin):
    form = ProductForm
    list_display = ("sku", "name", "shown_price", "on_sale")
    list_filter = ("on_sale", "currency")
    search_fields = ("sku", "name")
    search_help_text = "A SKU, or words of the name."
    fields = ("sku", "name", "price", "currency", "on_sale")
    nothing_here = (
        "What the shop sells stands here. Add a product, or run `manage.py seed` for a demo catalogue."
    )

    @admin.display(description="price", ordering="price_minor")
    def shown_price(self, product: Product) -> str:
        return money(product.price_minor, product.currency)

    def get_readonly_fields(self, request: HttpRequest, obj: Product | None = None) -> tuple[str, ...]:
        return ("sku", "currency") if obj else ()


@admin.register(Warehouse)
class WarehouseAdmin(KeptAdmin):
    list_display = ("code", "name")
    search_fields = ("code", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Warehouse | None = None) -> tuple[str, ...]:
        return ("code",) if obj else ()


class SoldOutFilter(admin.SimpleListFilter):
    title = "free to sell"
    parameter_name = "free"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("none", "None"), ("some", "Some")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Stock]) -> QuerySet[Stock]:
        if self.value() == "none":
            return queryset.filter(on_hand=F("reserved"))
        return queryset.filter(on_hand__gt=F("reserved")) if self.value() == "some" else queryset


@admin.register(Stock)
class StockAdmin(ReadOnlyAdmin):
    """Stock moves by orders and by deliveries; nobody types a number over it."""

    change_list_template = "admin/inventory/receive_list.html"
    list_display = ("product", "warehouse", "free", "shown_on_hand", "shown_reserved")
    list_filter = ("warehouse", SoldOutFilter)
    list_select_related = ("product", "warehouse")
    ordering = ("product__sku", "warehouse__code")
    search_fields = ("product__sku", "product__name")
    search_help_text = "A SKU, or words of the product's name."
    nouns = ("shelf", "shelves")
    nothing_here = "Units of each product in each warehouse stand here. Receive stock to begin with."
    fields = ("product", "warehouse", "free", "shown_on_hand", "shown_reserved")

    def sentence(self, row: Any) -> str:
        return f"{row.product} in {row.warehouse}: {row.free:,} free to sell"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Stock]:
        stock: QuerySet[Stock] = super().get_queryset(request)
        return stock.annotate(to_sell=F("on_hand") - F("reserved"))

    @admin.display(description="free to sell", ordering="to_sell")
    def free(self, stock: Stock) -> str:
        return f"{stock.free:,}"

    @admin.display(description="on hand", ordering="on_hand")
    def shown_on_hand(self, stock: Stock) -> str:
        return f"{stock.on_hand:,}"

    @admin.display(description="set aside", ordering="reserved")
    def shown_reserved(self, stock: Stock) -> str:
        return f"{stock.reserved:,}"

    def has_receive_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("inventory.add_receipt")

    def get_urls(self) -> list[URLPattern]:
        receive = self.admin_site.admin_view(self.receive)
        return [path("receive/", receive, name="inventory_stock_receive"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may = {"may_receive": self.has_receive_permission(request)}
        return super().changelist_view(request, {**may, **(extra_context or {})})

    def receive(self, request: HttpRequest) -> HttpResponse:
        if not self.has_receive_permission(request):
            raise PermissionDenied
        form = ReceiveStockForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            self._receive(request, form.cleaned_data)
            return HttpResponseRedirect(reverse("admin:inventory_stock_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Receive stock",
            "opts": self.opts,
            "form": form,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/inventory/receive.html", context)

    def _receive(self, request: HttpRequest, wanted: dict[str, Any]) -> None:
        product, warehouse, quantity = wanted["product"], wanted["warehouse"], wanted["quantity"]
        receive_stock([Delivery(product.sku, warehouse.code, quantity)], note=wanted["note"])
        stock = Stock.objects.select_related("product", "warehouse").get(product=product, warehouse=warehouse)
        self.log_change(request, stock, f"Received {quantity} units.")
        self.message_user(
            request,
            f"{quantity:,} of {product} came into {warehouse}; now {stock.on_hand:,} are on hand.",
            messages.SUCCESS,
        )


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    list_display = ("came", "units", "product", "warehouse", "note")
    list_filter = ("stock__warehouse", ("at", dated("came in")))
    list_select_related = ("stock__product", "stock__warehouse")
    search_fields = ("stock__product__sku", "stock__product__name", "note")
    search_help_text = "A SKU, words of the product's name, or of the note."
    fields = ("came", "units", "product", "warehouse", "note")
    nothing_here = "Each delivery that came in is noted here. There was none yet."

    def sentence(self, row: Any) -> str:
        return f"{row.quantity:,} of {row.stock.product} came into {row.stock.warehouse}"

    @admin.display(description="came in", ordering="id")
    def came(self, receipt: Receipt) -> str:
        return when(receipt.at)

    @admin.display(description="units", ordering="quantity")
    def units(self, receipt: Receipt) -> str:
        return f"{receipt.quantity:,}"

    @admin.display(ordering="stock__product__sku")
    def product(self, receipt: Receipt) -> str:
        return str(receipt.stock.product)

    @admin.display(ordering="stock__warehouse__code")
    def warehouse(self, receipt: Receipt) -> str:
        return str(receipt.stock.warehouse)


@admin.register(Reservation)
class ReservationAdmin(StateColumn, OfAnOrderAdmin):
    tones = {
        Reservation.State.RESERVED: WAIT,
        Reservation.State.REJECTED: BAD,
        Reservation.State.RELEASED: BACK,
        Reservation.State.DEPARTED: GOOD,
    }
    list_display = ("order", "shown_state", "reason", "changed")
    list_display_links = ("shown_state",)
    list_filter = (StateFilter, ("updated_at", dated("changed")))
    fields = ("order", "order_id", "shown_state", "reason", "changed", "units")
    nothing_here = "What is set aside for each order stands here. Nothing was yet."

    def sentence(self, row: Any) -> str:
        return f"Stock for {row.number}: {self.words_of(row)}"

    @admin.display(description="units set aside")
    def units(self, reservation: Reservation) -> str:
        lines = reservation.lines.select_related("stock__product", "stock__warehouse").order_by("stock")
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            ((line.quantity, line.stock.product, line.stock.warehouse) for line in lines),
        )
        head = "<tr><th>Units</th><th>Product</th><th>Warehouse</th></tr>"
        return (
            format_html("<table><thead>" + head + "</thead><tbody>{}</tbody></table>", rows)
            if rows
            else "none"
        )
