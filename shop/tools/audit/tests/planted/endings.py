"""Orders that nobody takes up again."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from inventory.models import Inbox
from orders.models import Saga
from shop.tools.audit.tests.planted.world import World, planted


@planted
def a_parked_saga(world: World) -> list[str]:
    Saga.objects.filter(order=world.running).update(state="parked", deadline=None, last_error="carrier: no")
    return [f"{world.running.number} waits for a person since it was paid: carrier: no"]


@planted
def a_parked_delivery(world: World) -> list[str]:
    Inbox.objects.create(
        event_id=uuid4(),
        receiver="inventory.dispatch_stock",
        type="OrderShipped",
        order_id=world.completed.uuid,
        number=world.completed.number,
        state="parked",
        error="ValueError: no",
    )
    who = f"{world.completed.number} waits for a person"
    return [f"{who}: inventory.dispatch_stock gave up on OrderShipped: ValueError: no"]


@planted
def no_deadline(world: World) -> list[str]:
    Saga.objects.filter(order=world.running).update(deadline=None)
    return [f"{world.running.number} is neither at an end nor has it a deadline."]


@planted
def long_past_its_deadline(world: World) -> list[str]:
    Saga.objects.filter(order=world.running).update(deadline=timezone.now() - timedelta(seconds=31))
    return [f"{world.running.number} is 3[1-9] s past its deadline."]


@planted
def no_saga(world: World) -> list[str]:
    Saga.objects.filter(order=world.running).delete()
    return [f"{world.running.number} has no saga."]
