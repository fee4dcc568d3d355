"""Who buys: somebody logged in, or a guest.

A guest is an account that nobody can log in to. It is made with the guest's first order, and only the session that
placed that knows its name; whoever joins in that session gets it, with its orders.
"""

from __future__ import annotations

from uuid import UUID, uuid4

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from orders.models import Order

GUEST = "guest"  # in the session: the guest's name


def remember_guest(request: HttpRequest) -> None:
    """Before the form is sent: however often it is sent then, the same guest sends it."""
    if not request.user.is_authenticated and GUEST not in request.session:
        request.session[GUEST] = f"guest-{uuid4().hex}"


def customer_id(request: HttpRequest) -> int:
    """Of who places an order just now."""
    if request.user.is_authenticated:
        return int(request.user.pk)
    remember_guest(request)
    guest = guest_of(request)
    if guest is None:  # two forms at once make one, without a conflict
        made = User(username=request.session[GUEST], password=make_password(None))
        User.objects.bulk_create([made], ignore_conflicts=True)
        guest = User.objects.get(username=made.username)
    return guest.pk


def guest_of(request: HttpRequest) -> User | None:
    """Who bought in this session without being logged in."""
    name = request.session.get(GUEST)
    return User.objects.filter(username=name).first() if name else None


def orders_of(request: HttpRequest) -> QuerySet[Order]:
    """All that are this person's."""
    guest = guest_of(request)
    people = {person.pk for person in (request.user, guest) if person and person.pk}
    return Order.objects.filter(customer_id__in=people) if people else Order.objects.none()


def is_staff(request: HttpRequest) -> bool:
    """Whether this person sees everybody's orders, in the admin too."""
    user = request.user
    return user.is_authenticated and user.is_staff and user.has_perm("orders.view_order")


def visible_order(request: HttpRequest, order_id: UUID) -> Order:
    """The order, if it is this person's or they are staff.

    Raises:
        Http404: there is none, or it is another's.
    """
    orders = Order.objects.all() if is_staff(request) else orders_of(request)
    return get_object_or_404(orders.select_related("saga"), uuid=order_id)


def owned_order(request: HttpRequest, order_id: UUID) -> Order:
    """The order, if it is this person's own.

    Raises:
        Http404: as above.
    """
    return get_object_or_404(orders_of(request).select_related("saga"), uuid=order_id)
