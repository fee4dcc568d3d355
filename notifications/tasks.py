"""Notifications' commands."""

from notifications import services
from shop.messaging.commands import command

command(services.send_confirmation)
command(services.send_cancellation_notice)
