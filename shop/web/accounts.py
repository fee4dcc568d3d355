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

from shop.base.api.fields import Secret, Text
from shop.base.api.openapi import documented, problem
from shop.base.api.parsing import Body, JsonBody
from shop.base.api.tokens import ApiToken
from shop.base.api.views import Named
from shop.base.brakes.braked import Braked, TooMany
from shop.web.guesses import sentence, wait_of

LOGIN = "/api/v1/login/"
WRONG = "Username and password don't go together."
TOKEN = {
    "token": "0f9b1c5e7a2d4c68b3e1f0a9d8c7b6a5f4e3d2c1b0a99887766554433221100f",
    "expiry": "2026-11-05T20:15:00Z",
}


class LoginSerializer(Body):
    """Who logs in."""

    username = Text(max_length=150)
    password = Secret(max_length=1000)


class TokenSerializer(serializers.Serializer):
    token = serializers.CharField(help_text="To be sent as `Authorization: Token …`.")
    expiry = serializers.DateTimeField()


class Login(Named):
    authentication_classes = []
    permission_classes = [AllowAny]
    parser_classes = [JsonBody]

    @extend_schema(
        operation_id="login",
        tags=["account"],
        auth=[],
        request=LoginSerializer,
        summary="Log in",
        responses={
            200: OpenApiResponse(TokenSerializer, "A token."),
            **documented(413, 415, 429, at=LOGIN, told={401: "The username or the password is wrong."}),
        },
        examples=[
            OpenApiExample("login", {"username": "demo", "password": "its password"}, request_only=True),
            OpenApiExample("a token", TOKEN, response_only=True, status_codes=["200"]),
            problem(401, WRONG, LOGIN, called="a wrong password"),
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
            raise AuthenticationFailed(WRONG)
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


class Logout(Named, Braked):
    takes_nothing = True
    authentication_classes = [ApiToken]
    permission_classes = [IsAuthenticated]
    parser_classes = [JsonBody]

    @extend_schema(
        operation_id="logout",
        tags=["account"],
        request=None,
        summary="Log out",
        responses={
            204: OpenApiResponse(description="The token is void."),
            **documented(401, 413, 415, 429, at="/api/v1/logout/"),
        },
    )
    def post(self, request: Request) -> Response:
        """Make the token of this request void."""
        token: Any = request.auth
        token.delete()
        user_logged_out.send(sender=type(request.user), request=request._request, user=request.user)
        return Response(status=204)
