"""The catalogue over REST: products on sale, with what is free of each."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters.rest_framework import CharFilter, FilterSet
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny

from inventory.catalogue import found, on_sale
from inventory.models import Product
from shop.base.api.fields import LINE, NO_CONTROL, VISIBLE_LINE, Fits
from shop.base.api.openapi import documented, published
from shop.base.api.pages import Pages
from shop.base.api.tokens import ApiToken
from shop.base.api.views import NamedList
from shop.base.brakes.braked import Braked
from shop.base.money import show

PRODUCT = {
    "sku": "MUG-RED",
    "name": "Mug, red",
    "price_minor": 850,
    "currency": "GBP",
    "price": "GBP 8.50",
    "available": 120,
}


class ProductPages(Pages):
    ordering = "sku"
    shown_at = "products/"


class ProductFilter(FilterSet):  # type: ignore[misc]  # the library is untyped
    search = published(
        CharFilter(method="find", strip=False, max_length=100, validators=[Fits(VISIBLE_LINE, NO_CONTROL)]),
        "Part of a SKU or a name.",
        minLength=1,
        maxLength=100,
        pattern=VISIBLE_LINE,
    )
    sku = published(
        CharFilter("sku", strip=False, max_length=40, validators=[Fits(LINE, NO_CONTROL)]),
        "The one with this SKU.",
        minLength=1,
        maxLength=40,
        pattern=LINE,
    )

    def find(self, queryset: QuerySet[Product], name: str, value: str) -> QuerySet[Product]:
        return found(queryset, value)


class ProductSerializer(serializers.ModelSerializer[Product]):
    price = serializers.SerializerMethodField(help_text="For people.")
    available = serializers.IntegerField(help_text="Units free to be ordered, in all warehouses together.")

    class Meta:
        model = Product
        fields = ["sku", "name", "price_minor", "currency", "price", "available"]

    def get_price(self, product: Product) -> str:
        return show(product.price_minor, product.currency)


class Products(NamedList, Braked, ListAPIView):
    authentication_classes = [ApiToken]
    permission_classes = [AllowAny]
    serializer_class = ProductSerializer
    pagination_class = ProductPages
    filterset_class = ProductFilter
    queryset = on_sale()

    @extend_schema(
        operation_id="list_products",
        summary="List the products on sale",
        tags=["products"],
        responses={
            200: OpenApiResponse(ProductSerializer(many=True), "A page of them."),
            **documented(401, 429, at="/api/v1/products/"),
        },
        examples=[OpenApiExample("a page", PRODUCT, response_only=True, status_codes=["200"])],
    )
    def get(self, request, *args, **kwargs):  # type: ignore[no-untyped-def]
        """The products on sale, by SKU. No login is needed."""
        return super().get(request, *args, **kwargs)
