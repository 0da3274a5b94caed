"""Our own policy by itself: it holds whatever the SDK before it lets through."""

from typing import Any

import pytest

from adapters.teams.admission import Admission, tenant_of
from adapters.teams.config import SERVICE_HOSTS
from adapters.teams.hosts import ServiceHosts
from adapters.teams.testing.issuer import APP_ID, TENANT
from adapters.teams.transport import NotGenuine
from tests.teams.listener import DANA, SERVICE_URL, Json

OTHER = "99999999-0000-4000-8000-00000000beef"
CLAIMS: Json = {
    "iss": "https://api.botframework.com",
    "aud": APP_ID,
    "serviceurl": SERVICE_URL,
    "exp": 2_000_000_000,
}
ACTIVITY: Json = {
    "channelId": "msteams",
    "serviceUrl": SERVICE_URL,
    "from": {"aadObjectId": DANA},
    "conversation": {"tenantId": TENANT},
    "channelData": {"tenant": {"id": TENANT}},
}
POLICY = Admission(
    app_id=APP_ID,
    tenants=frozenset({TENANT}),
    hosts=ServiceHosts(SERVICE_HOSTS, service_url=SERVICE_URL),
)


def without(value: Json, name: str) -> Json:
    return {key: member for key, member in value.items() if key != name}


def test_what_teams_sends_is_admitted() -> None:
    POLICY.admit(CLAIMS, ACTIVITY)


@pytest.mark.parametrize("name", CLAIMS)
def test_each_claim_is_needed(name: str) -> None:
    with pytest.raises(NotGenuine):
        POLICY.admit(without(CLAIMS, name), ACTIVITY)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        # The successor of the SDK takes these for our audience, left as it comes.
        ("iss", f"https://sts.windows.net/{TENANT}/"),
        ("iss", f"https://login.microsoftonline.com/{TENANT}/v2.0"),
        ("iss", "https://api.botframework.com/"),
        ("iss", ["https://api.botframework.com"]),
        ("aud", OTHER),
        ("aud", [APP_ID]),
        ("serviceurl", SERVICE_URL.rstrip("/")),
        ("exp", "2000000000"),
        ("exp", True),
    ],
)
def test_no_other_claim_will_do(name: str, value: Any) -> None:
    with pytest.raises(NotGenuine):
        POLICY.admit({**CLAIMS, name: value}, ACTIVITY)


@pytest.mark.parametrize("name", ["channelId", "serviceUrl", "from"])
def test_each_member_is_needed(name: str) -> None:
    with pytest.raises(NotGenuine):
        POLICY.admit(CLAIMS, without(ACTIVITY, name))


def test_an_address_that_neither_names_is_no_address() -> None:
    with pytest.raises(NotGenuine):
        POLICY.admit(without(CLAIMS, "serviceurl"), without(ACTIVITY, "serviceUrl"))
    with pytest.raises(NotGenuine):
        POLICY.admit({**CLAIMS, "serviceurl": ""}, {**ACTIVITY, "serviceUrl": ""})


@pytest.mark.parametrize(
    ("beside", "inside", "tenant"),
    [
        (TENANT, TENANT, TENANT),
        (TENANT.upper(), TENANT, TENANT),
        (TENANT, None, TENANT),
        (None, TENANT, TENANT),
        (TENANT, OTHER, None),
        (OTHER, TENANT, None),
        (TENANT, "", None),
        (TENANT, 7, None),
        (None, None, None),
        ("acme", "acme", None),
        (f"{TENANT}\n", None, None),
    ],
)
def test_there_is_a_tenant_where_every_place_agrees(
    beside: Any, inside: Any, tenant: str | None
) -> None:
    said = {"channelData": {"tenant": {"id": beside}}, "conversation": {"tenantId": inside}}
    assert tenant_of(said) == tenant


@pytest.mark.parametrize(
    ("url", "is_admitted"),
    [
        ("https://smba.trafficmanager.net/teams/", True),
        ("https://smba.trafficmanager.net:443/emea/", True),
        ("https://SMBA.trafficmanager.net/emea/", True),
        ("https://smba.infra.gov.teams.microsoft.us/teams", True),
        ("http://smba.trafficmanager.net/teams/", False),
        ("https://smba.trafficmanager.net:8443/", False),
        ("https://smba.trafficmanager.net:99999/", False),
        ("https://somebody@smba.trafficmanager.net/", False),
        ("https://smba.trafficmanager.net/?to=elsewhere", False),
        ("https://smba.trafficmanager.net/#elsewhere", False),
        ("https://smba.trafficmanager.net.example.org/", False),
        ("https://example.org/smba.trafficmanager.net", False),
        ("https://smba.trafficmanager.net\\@example.org/", False),
        ("https://smba.trafficmanager.net /", False),
        ("https://smba.tr\u0430fficmanager.net/", False),
        ("//smba.trafficmanager.net/", False),
        ("http://127.0.0.1:3978/", False),
        ("http://localhost/", False),
        ("https://[::1]/", False),
        ("https://[smba.trafficmanager.net/", False),
        (f"https://smba.trafficmanager.net/{'x' * 300}", False),
        ("", False),
        (None, False),
        (["https://smba.trafficmanager.net/"], False),
    ],
)
def test_the_token_is_for_known_hosts_over_tls(url: Any, *, is_admitted: bool) -> None:
    assert POLICY.hosts.admits(url) is is_admitted


def test_this_machine_is_admitted_where_it_is_the_connector() -> None:
    hosts = ServiceHosts(SERVICE_HOSTS, service_url="http://127.0.0.1:3979/teams/")
    assert hosts.admits("http://127.0.0.1:56150/_connector")
    assert hosts.admits("http://localhost:56150/_connector")
    assert not hosts.admits("http://192.168.1.7/teams/")
    assert not hosts.admits("ftp://127.0.0.1/")
