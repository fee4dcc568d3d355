"""What goes out of an order's timeline."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from orders.api.beside import Beside, worked
from orders.api.waiting import told
from orders.models import TimelineEntry
from orders.telling.happenings import asked_by


class ParcelSerializer(serializers.Serializer):
    warehouse = serializers.CharField(help_text="From where it comes.")
    tracking = serializers.CharField(help_text="The carrier's number.")


class TimelineEntrySerializer(serializers.ModelSerializer[TimelineEntry]):
    id = serializers.UUIDField(source="event_id", help_text="Of the event.")
    cause = serializers.UUIDField(
        allow_null=True,
        help_text="The event it followed from; null: somebody asked for it, or its time had come.",
    )
    event = serializers.CharField(help_text="What happened, such as `OrderCreated`.")
    text = serializers.SerializerMethodField()
    by = serializers.SerializerMethodField(help_text="Who acted: `customer`, `staff`, or `system`.")
    reason = serializers.SerializerMethodField(
        help_text="Of a refusal or a cancellation: why, such as `out of stock`; else empty."
    )
    parcels = serializers.SerializerMethodField(
        help_text="Those it tells of that have a label, with the carrier's numbers."
    )
    waited_s = serializers.SerializerMethodField(
        help_text="Seconds between its cause and the work on it, in the outbox and in the queue; null: not known."
    )
    worked_s = serializers.SerializerMethodField(
        help_text="Seconds of work, without those at a provider; null: not known."
    )
    outside_s = serializers.FloatField(
        source="outside",
        allow_null=True,
        help_text="Seconds in which a provider was waited for; null: not known.",
    )

    class Meta:
        model = TimelineEntry
        fields = [
            *("id", "cause", "at", "service", "event", "kind", "text", "by", "reason", "parcels"),
            *("waited_s", "worked_s", "outside_s"),
        ]

    @property
    def _beside(self) -> Beside:
        found: Beside = self.context.get("beside") or Beside()
        return found

    def get_text(self, entry: TimelineEntry) -> str:
        return told(entry, for_staff=self.context["request"].user.is_staff)

    def get_by(self, entry: TimelineEntry) -> str:
        return asked_by(entry)

    def get_reason(self, entry: TimelineEntry) -> str:
        return self._beside.reason_of(entry)

    @extend_schema_field(ParcelSerializer(many=True))
    def get_parcels(self, entry: TimelineEntry) -> list[dict[str, str]]:
        return self._beside.parcels_of(entry)

    def get_waited_s(self, entry: TimelineEntry) -> float | None:
        return self._beside.waited(entry)

    def get_worked_s(self, entry: TimelineEntry) -> float | None:
        return worked(entry)
