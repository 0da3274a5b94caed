"""``Prefer: wait=N`` (RFC 7240): how long a caller would rather wait than ask again."""

from aiohttp import web

MAX_WAIT_S = 50


def wait_s(request: web.Request) -> int:
    """Return for how many seconds the caller wants to wait, at most :data:`MAX_WAIT_S`.

    A malformed or unknown preference is ignored, as RFC 7240, 2 demands.
    """
    if "Prefer" not in request.headers:
        return 0
    for header in request.headers.getall("Prefer"):
        for preference in header.split(","):
            name, _, value = preference.partition(";")[0].partition("=")
            seconds = value.strip().strip('"')
            # The length first: the number is only compared, and int() of many digits is slow.
            if name.strip().lower() == "wait" and seconds.isascii() and seconds.isdigit():
                return min(int(seconds[:9]), MAX_WAIT_S)
    return 0


def applied(seconds: int) -> dict[str, str]:
    """Return the header that tells how long the caller could have waited."""
    return {"Preference-Applied": f"wait={seconds}"}
