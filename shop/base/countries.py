"""The countries of the world by their codes in ISO 3166-1: where the shop sends to, however an order comes in."""

from django_countries import countries

COUNTRIES: dict[str, str] = {code: str(name) for code, name in countries}  # by name
NO_SUCH_COUNTRY = "There is no such country: a code of ISO 3166-1 is wanted, two capital letters such as GB."
