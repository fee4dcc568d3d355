"""Orders that nobody takes up again."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from orders.models import Saga
from shop.tools.audit.tests.planted.world import World, planted


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
