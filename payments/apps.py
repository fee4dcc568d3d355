from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        from payments.gateway import gateway

        gateway()  # a wrong PAYMENTS_GATEWAY is said at startup, not by the first order
