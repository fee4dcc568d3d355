"""The catalogue over REST: products on sale, with what is free of each."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters.rest_framework import CharFilter, FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny

from inventory.catalogue import found, on_sale
from inventory.models import Product
from shop.base.api.openapi import documented
from shop.base.api.pages import Pages
from shop.base.api.tokens import ApiToken
from shop.base.brakes.braked import Braked
from shop.base.money import show


class ProductPages(Pages):
    ordering = "sku"


class ProductFilter(FilterSet):  # type: ignore[misc]  # the library is untyped
    search = CharFilter(method="find", max_length=100, label="Part of a SKU or a name.")

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


class Products(Braked, ListAPIView):
    authentication_classes = [ApiToken]
    permission_classes = [AllowAny]
    serializer_class = ProductSerializer
    pagination_class = ProductPages
    filterset_class = ProductFilter
    queryset = on_sale()

    @extend_schema(
        operation_id="list_products",
        tags=["products"],
        responses={200: ProductSerializer(many=True), **documented(400, 401, 429)},
    )
    def get(self, request, *args, **kwargs):  # type: ignore[no-untyped-def]
        """The products on sale, by SKU. No login is needed."""
        return super().get(request, *args, **kwargs)
