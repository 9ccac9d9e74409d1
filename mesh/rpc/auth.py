"""May this caller call this method? One function of the policy and of two headers."""

from typing import NamedTuple

from mesh.aio.context import Principal
from mesh.errors import Forbidden, Unauthenticated
from mesh.rpc.identity import ServiceTokens, TokenInvalid, UserTokens
from mesh.rpc.policy import Caller, MethodPolicy

AUTHORIZATION = "authorization"
SERVICE_HEADER = "x-staymesh-service"

_ROLE_OF = {Caller.HOST: "host", Caller.ADMIN: "admin"}


class TokenRequired(Unauthenticated):
    """The method is for signed-in people and nobody is signed in."""

    reason = "TOKEN_REQUIRED"


class RoleRequired(Forbidden):
    """The person is signed in and lacks the role."""

    reason = "ROLE_REQUIRED"


class ServiceOnly(Forbidden):
    """The method is for other parts of the mesh."""

    reason = "SERVICE_ONLY"


class Admitted(NamedTuple):
    """Who is calling: a person, by this token, or a service, or both, or nobody."""

    principal: Principal | None
    token: str | None
    service: str | None


class Authenticator:
    """Read the identities of a call. A header that is there and wrong is refused everywhere.

    A service calling on behalf of a person sends both headers; the person is the one who is
    authorized, except where the method is for services.
    """

    def __init__(self, users: UserTokens, services: ServiceTokens) -> None:
        self._users = users
        self._services = services

    def admit(
        self, policy: MethodPolicy, authorization: str | None, service_token: str | None
    ) -> Admitted:
        """Return who is calling.

        Raise Unauthenticated when a token is missing or wrong, Forbidden when it is not enough.
        """
        service = None if service_token is None else self._services.verify(service_token)
        principal = token = None
        if authorization is not None:
            token = bearer(authorization)
            principal = self._users.verify(token)
        if policy.caller is Caller.SERVICE:
            if service is None:
                raise ServiceOnly("this method is for services")
        elif policy.caller is not Caller.PUBLIC:
            if principal is None:
                raise TokenRequired("sign in first")
            role = _ROLE_OF.get(policy.caller)
            if role is not None and role not in principal.roles:
                raise RoleRequired(f"this needs the role {role}", metadata={"role": role})
        return Admitted(principal, token, service)


def bearer(authorization: str) -> str:
    """Return the token of an `authorization` header. Raise TokenInvalid on any other scheme."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenInvalid("authorization is `Bearer <token>`")
    return token.strip()
