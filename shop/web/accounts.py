"""Logging in to the REST API: a token for a username and a password."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from knox.models import AuthToken
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.base.api.openapi import documented
from shop.base.api.parsing import Body, JsonBody
from shop.base.api.tokens import ApiToken
from shop.base.brakes.braked import Braked, TooMany
from shop.web.guesses import sentence, wait_of


class LoginSerializer(Body):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True)


class TokenSerializer(serializers.Serializer):
    token = serializers.CharField(help_text="To be sent as `Authorization: Token …`.")
    expiry = serializers.DateTimeField()


class Login(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]
    parser_classes = [JsonBody]

    @extend_schema(
        operation_id="login",
        tags=["account"],
        auth=[],
        request=LoginSerializer,
        responses={200: TokenSerializer, **documented(400, 401, 413, 415, 429)},
        examples=[
            OpenApiExample("login", {"username": "demo", "password": "its password"}, request_only=True)
        ],
    )
    def post(self, request: Request) -> Response:
        """A token for a username and its password. It expires; log in again then."""
        body = LoginSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user = authenticate(request._request, **body.validated_data)
        if wait := wait_of(request._request):
            raise TooMany(wait, sentence(wait))
        if user is None:
            raise AuthenticationFailed("Username and password don't go together.")
        AuthToken.objects.filter(user=user, expiry__lt=timezone.now()).delete()
        row, token = AuthToken.objects.create(user=user)
        user_logged_in.send(sender=type(user), request=request._request, user=user)
        return Response(
            TokenSerializer({"token": token, "expiry": row.expiry}).data,
            headers={"Cache-Control": "no-store"},
        )

    def get_authenticate_header(self, request: Request) -> str:
        """Without it DRF makes each 401 a 403, since this address asks for no token."""
        return "Token"


class Logout(Braked):
    authentication_classes = [ApiToken]
    permission_classes = [IsAuthenticated]
    parser_classes = [JsonBody]

    @extend_schema(
        operation_id="logout",
        tags=["account"],
        request=None,
        responses={204: OpenApiResponse(description="The token is void."), **documented(401, 429)},
    )
    def post(self, request: Request) -> Response:
        """Make the token of this request void."""
        token: Any = request.auth
        token.delete()
        user_logged_out.send(sender=type(request.user), request=request._request, user=request.user)
        return Response(status=204)
