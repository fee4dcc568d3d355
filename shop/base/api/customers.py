"""What the REST API's addresses have in common that are a customer's own: who may ask, how, and as whom."""

from __future__ import annotations

from rest_framework.permissions import IsAuthenticated

from shop.base.api.parsing import JsonBody
from shop.base.api.tokens import ApiToken
from shop.base.api.views import Named
from shop.base.brakes.braked import Braked


class CustomersView(Named, Braked):
    authentication_classes = [ApiToken]
    permission_classes = [IsAuthenticated]
    parser_classes = [JsonBody]

    @property
    def customer_id(self) -> int:
        return int(self.request.user.pk or 0)  # never 0: only those who are logged in get here
