from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ShopConfig(AppConfig):
    """Connects every app's parts once all models are loaded: commands, subscriptions, answers to look-ups."""

    name = "shop"

    def ready(self) -> None:
        import shop.celery  # noqa: F401  (the app shared tasks belong to)
        from shop.messaging import checks  # noqa: F401  (registers the system checks)
        from shop.messaging.discretion import install

        install()
        autodiscover_modules(
            "answers", "people", "foresight", "tasks", "progress", "orchestration", "choreography"
        )
