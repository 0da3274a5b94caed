"""A cookie of this site alone, which scripts cannot read."""

from dataclasses import dataclass
from typing import Self

from aiohttp import web


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    name: str
    secure: bool
    max_age_s: float

    @classmethod
    def named(cls, name: str, *, secure: bool, max_age_s: float) -> Self:
        """Return the cookie called *name*, bound to the host where the site is *secure*."""
        # A browser takes a __Host- cookie only over https, for "/", and from no sister domain.
        full_name = f"__Host-{name}" if secure else name
        return cls(name=full_name, secure=secure, max_age_s=max_age_s)

    def read(self, request: web.Request) -> str:
        return request.cookies.get(self.name, "")

    def give(self, response: web.StreamResponse, token: str) -> None:
        # Lax, so that a link to a card in a mail or another chat opens signed in. It lets no
        # other site act: pages change nothing, and actions check Origin and a form secret.
        response.set_cookie(
            self.name,
            token,
            max_age=int(self.max_age_s),
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="Lax",
        )

    def drop(self, response: web.StreamResponse) -> None:
        response.del_cookie(self.name, path="/", secure=self.secure, httponly=True, samesite="Lax")
