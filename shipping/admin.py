"""Shipments and parcels in the admin, with the parcels' labels as PDF."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import slugify

from orders.lookups import DeliveryAddress
from shipping.models import DeadLetter, Inbox, Incident, Outbox, Parcel, Shipment
from shop.base.admin.boxes import DeadLetterAdmin, InboxAdmin, IncidentAdmin, OutboxAdmin
from shop.base.admin.cells import BACK, BAD, GOOD, NOTHING, WAIT, StateColumn
from shop.base.admin.filters import StateFilter, dated
from shop.base.admin.rows import OfAnOrderAdmin
from shop.base.lookups import ask

admin.site.register(Outbox, OutboxAdmin)
admin.site.register(DeadLetter, DeadLetterAdmin)
admin.site.register(Incident, IncidentAdmin)
admin.site.register(Inbox, InboxAdmin)


State = Shipment.State


def label_of(parcel: Parcel) -> str:
    """A link to a parcel's label, if it has one."""
    if not parcel.tracking:
        return ""
    return format_html('<a href="{}">PDF</a>', reverse("admin:shipping_parcel_label", args=[parcel.pk]))


@admin.register(Shipment)
class ShipmentAdmin(StateColumn, OfAnOrderAdmin):
    tones = {
        State.PLANNED: WAIT,
        State.LABELLED: GOOD,
        State.HANDING_OVER: WAIT,
        State.HANDED_OVER: GOOD,
        State.FAILING: BAD,
        State.FAILED: BAD,
        State.STOPPING: BACK,
        State.STOPPED: BACK,
        State.HELD: WAIT,
    }
    list_display = ("order", "shown_state", "reason", "cancellation", "changed")
    list_display_links = ("shown_state",)
    list_filter = (StateFilter, "refused_cancellation", ("updated_at", dated("changed")))
    fields = ("order", "order_id", "shown_state", "reason", "cancellation", "changed", "parcels")
    nothing_here = (
        "The parcels of each order stand here together, from when they are planned. There are none yet."
    )

    @admin.display(description="cancellation", ordering="refused_cancellation")
    def cancellation(self, shipment: Shipment) -> str:
        return "came too late" if shipment.refused_cancellation else NOTHING

    @admin.display(description="parcels")
    def parcels(self, shipment: Shipment) -> str:
        return format_html_join(
            "",
            '<p><a href="{}">From {}</a>: {}{} {}</p>',
            (
                (
                    reverse("admin:shipping_parcel_change", args=[parcel.pk]),
                    parcel.warehouse,
                    parcel.get_state_display().lower(),
                    f", {parcel.tracking}" if parcel.tracking else "",
                    label_of(parcel),
                )
                for parcel in shipment.parcels.order_by("warehouse")
            ),
        )

    def sentence(self, row: Any) -> str:
        return f"Parcels of {row.number}: {self.words_of(row)}"


@admin.register(Parcel)
class ParcelAdmin(StateColumn, OfAnOrderAdmin):
    tones = {
        Parcel.State.PLANNED: WAIT,
        Parcel.State.LABELLED: GOOD,
        Parcel.State.HANDED_OVER: GOOD,
        Parcel.State.VOID: BACK,
    }
    list_display = ("order", "warehouse", "shown_state", "tracking", "label_link")
    list_display_links = ("shown_state",)
    list_filter = (StateFilter,)
    list_select_related = ("shipment",)
    ordering = ("-id",)
    search_by = "shipment_id"
    search_fields = ("shipment__number",)
    fields = ("order", "warehouse", "shown_state", "tracking", "label_link", "key")
    nothing_here = "Each parcel stands here from when it is planned, with its label. There are none yet."

    def sentence(self, row: Any) -> str:
        return f"Parcel of {row.shipment.number} from {row.warehouse}: {self.words_of(row)}"

    @admin.display(description="label")
    def label_link(self, parcel: Parcel) -> str:
        return label_of(parcel) or NOTHING

    @admin.display(description="order", ordering="shipment_id")
    def order(self, parcel: Parcel) -> str:
        return super().order(parcel.shipment)

    def get_urls(self) -> list[URLPattern]:
        views = [
            path("<int:pk>/label.pdf", self.admin_site.admin_view(self.label), name="shipping_parcel_label"),
            path(
                "of/<uuid:order_id>/<path:warehouse>/label.pdf",
                self.admin_site.admin_view(self.label_of),
                name="shipping_parcel_label_of",
            ),
        ]
        return views + super().get_urls()

    def label(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._pdf(request, pk=pk)

    def label_of(self, request: HttpRequest, order_id: UUID, warehouse: str) -> HttpResponse:
        return self._pdf(request, shipment=order_id, warehouse=warehouse)

    def _pdf(self, request: HttpRequest, **which: object) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        parcel = get_object_or_404(Parcel.objects.select_related("shipment"), **which)
        address = ask(DeliveryAddress, [parcel.shipment_id]).get(parcel.shipment_id)
        if not parcel.tracking or address is None:
            why = "an address" if parcel.tracking else "a tracking number"
            self.message_user(
                request, f"The parcel {parcel} has no label: it has not got {why}.", messages.WARNING
            )
            return HttpResponseRedirect(reverse("admin:shipping_parcel_change", args=[parcel.pk]))
        from shipping.labels import ParcelLabel, draw  # with reportlab, 10 MB, only where a label is drawn

        label = ParcelLabel(
            address=address,
            order_number=parcel.shipment.number,
            warehouse=parcel.warehouse,
            tracking=parcel.tracking,
            void=parcel.state == Parcel.State.VOID,
        )
        name = slugify(f"{label.order_number} {label.warehouse}") or "label"
        return HttpResponse(
            draw(label),
            content_type="application/pdf",
            headers={"Content-Disposition": f'inline; filename="{name}.pdf"'},
        )
