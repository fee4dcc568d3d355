"""Notifications' commands."""

from notifications import services
from shop.messaging.commands import command

command("notifications.send_confirmation")(services.send_confirmation)
command("notifications.send_cancellation_notice")(services.send_cancellation_notice)
