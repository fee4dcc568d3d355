from django.apps import AppConfig


class ShippingConfig(AppConfig):
    name = "shipping"

    def ready(self) -> None:
        from shipping.carrier import carrier

        carrier()  # a wrong CARRIER is said at startup, not by the first order
