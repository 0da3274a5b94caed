"""Why Entra gives no token, and which setting that is about. Pure."""

from typing import Final

from adapters.teams.transport import ConnectorRefused

#: Entra's number, the key it is about ("" for the credential's own), what it says, what to do.
_ENTRA: Final = {
    "AADSTS700016": (
        "app_id",
        "Entra knows no such app in the tenant",
        "Copy the Application (client) ID of the bot, and see that tenant is where it stands.",
    ),
    "AADSTS7000229": (
        "app_id",
        "the app has no service principal in the tenant",
        "Make one: in Entra, under Enterprise applications.",
    ),
    "AADSTS7000215": (
        "",
        "it is not the app's client secret",
        "Copy the Value of the secret, not its ID; it is shown once. Or make a new one.",
    ),
    "AADSTS7000222": ("", "it has expired", "Make a new client secret in Entra, and restart."),
    "AADSTS700027": (
        "",
        "Entra does not know this certificate as the app's",
        "Upload it to the app in Entra, under Certificates & secrets.",
    ),
    "AADSTS90002": ("tenant", "Entra knows no such tenant", "Copy the Directory (tenant) ID."),
    "invalid_tenant": ("tenant", "Entra knows no such tenant", "Copy the Directory (tenant) ID."),
}


def what_entra_says(error: ConnectorRefused) -> tuple[str, str, str]:
    """Return the key ("" for the credential's own), what is wrong, and what to do."""
    for number in (*error.message.split(), error.code):
        if number in _ENTRA:
            return _ENTRA[number]
    named = error.message or error.code
    what = f"Entra does not accept it ({named})"
    return "", what, "Look the number up in Entra's sign-in log of the app."
