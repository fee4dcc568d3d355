"""Notifications' commands, and what of its tables is deleted when it is old."""

from notifications import services
from notifications.models import Mail
from shop.messaging.commands import command
from shop.messaging.pruning import History, prunes

command(services.send_confirmation, within=30)  # they ask the mail server
command(services.send_cancellation_notice, within=30)
prunes(History(Mail, keep="MAILS", at="at"))
