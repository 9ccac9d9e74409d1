"""The servicers: convert in, one flow, convert out."""

from dataclasses import dataclass
from typing import Any, Final

from google.api import httpbody_pb2
from staymesh.accounts.v1 import accounts_pb2 as pb
from staymesh.accounts.v1 import accounts_pb2_grpc as rpc

from accounts_svc import convert
from accounts_svc.flows.get_user import GetUser
from accounts_svc.flows.import_users import ImportUsers
from accounts_svc.flows.log_in import LogIn
from accounts_svc.flows.log_out import LogOut
from accounts_svc.flows.sign_up import Applicant, SignUp
from accounts_svc.flows.verify_email import VerifyEmail

SIGNED_UP: Final = "Check your mail: it says how to go on."


@dataclass(frozen=True, kw_only=True)
class Flows:
    """Every verb of the service."""

    sign_up: SignUp
    verify_email: VerifyEmail
    log_in: LogIn
    log_out: LogOut
    get_user: GetUser
    import_users: ImportUsers


class AuthServicer(rpc.AuthServiceServicer):
    """Signing up and in."""

    def __init__(self, flows: Flows, jwks: bytes) -> None:
        self._flows = flows
        self._jwks = jwks

    async def SignUp(self, request: pb.SignUpRequest, _context: Any) -> pb.SignUpResponse:
        """Make an account; the answer is the same for a taken address."""
        applicant = Applicant(
            email=request.email,
            password=request.password,
            first_name=request.first_name,
            last_name=request.last_name,
            host=request.host,
        )
        await self._flows.sign_up(applicant)
        return pb.SignUpResponse(message=SIGNED_UP)

    async def VerifyEmail(
        self, request: pb.VerifyEmailRequest, _context: Any
    ) -> pb.VerifyEmailResponse:
        """Take a mailed token as proof of the address."""
        return pb.VerifyEmailResponse(user_id=await self._flows.verify_email(request.token))

    async def LogIn(self, request: pb.LogInRequest, _context: Any) -> pb.LogInResponse:
        """Give an access token."""
        done = await self._flows.log_in(request.email, request.password)
        return pb.LogInResponse(
            access_token=done.access_token,
            token_type="Bearer",  # noqa: S106  (the name of a scheme)
            expires_in_seconds=int(done.life.total_seconds()),
            user=convert.user(done.user),
        )

    async def LogOut(self, _request: pb.LogOutRequest, _context: Any) -> pb.LogOutResponse:
        """End the caller's session."""
        await self._flows.log_out()
        return pb.LogOutResponse()

    async def GetKeys(self, _request: pb.GetKeysRequest, _context: Any) -> httpbody_pb2.HttpBody:
        """Publish the keys that access tokens are signed with."""
        return httpbody_pb2.HttpBody(content_type="application/json", data=self._jwks)


class UserServicer(rpc.UserServiceServicer):
    """Profiles."""

    def __init__(self, flows: Flows) -> None:
        self._flows = flows

    async def GetUser(self, request: pb.GetUserRequest, _context: Any) -> pb.User:
        """Show the caller their own profile."""
        return convert.user(await self._flows.get_user(request.user_id))

    async def ImportUsers(
        self, request: pb.ImportUsersRequest, _context: Any
    ) -> pb.ImportUsersResponse:
        """Load people from elsewhere."""
        people = [convert.imported(user) for user in request.users]
        done = await self._flows.import_users(request.source, people)
        return pb.ImportUsersResponse(user_ids=done.user_ids, created=done.created)
