"""What `keyturn.yaml` may say, and how everything wrong with it is told."""

import stat
from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path

import pytest

from bot.core.errors import SettingsInvalid
from bot.secret_refs import SecretRefs, is_placeholder
from bot.service.caps import Caps
from bot.settings import CapsSection, Settings, load

LEAST = "deployment: berlin\ndata_dir: .\npolicy: policy.yaml\n"


def loaded(folder: Path, text: str) -> Settings:
    file = folder / "keyturn.yaml"
    file.write_text(text)
    return load(file, {})


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(SettingsInvalid) as caught:
        loaded(folder, text)
    return list(caught.value.problems)


def test_the_least_that_is_needed_stays_on_this_machine(tmp_path: Path):
    settings = loaded(tmp_path, LEAST)
    assert all(listener.is_loopback for _, listener in settings.listeners.by_name())
    assert settings.listeners.admin.tcp is None
    assert settings.url_for_people == "http://127.0.0.1:8081"
    assert settings.store.type == "sqlite"
    assert list(settings.chats) == ["web"]
    assert settings.all_caps == Caps()


def test_paths_are_relative_to_the_file_not_to_where_the_command_runs(tmp_path: Path):
    settings = loaded(tmp_path, LEAST.replace("data_dir: .", "data_dir: data"))
    assert settings.data_dir == tmp_path / "data"
    assert settings.policy == tmp_path / "policy.yaml"
    assert settings.admin_socket == tmp_path / "data/admin.sock"


def test_every_cap_of_the_gate_can_be_set():
    assert list(CapsSection.model_fields) == [field.name for field in fields(Caps)]
    assert Caps(**CapsSection().model_dump()) == Caps()


def test_a_cap_that_is_set_is_the_cap_of_the_gate(tmp_path: Path):
    settings = loaded(tmp_path, LEAST + "caps: {waits_per_agent: 3}\n")
    assert settings.all_caps == Caps(waits_per_agent=3)


def test_hosts_of_webhooks_are_names_and_addresses(tmp_path: Path):
    hosts = ("tickets.inside", "127.0.0.1", "fd00::8", "tickets")
    settings = loaded(tmp_path, LEAST + f"webhooks: {{private_hosts: {list(hosts)}}}\n")
    assert settings.webhooks.private_hosts == hosts


def test_address_ranges_are_read(tmp_path: Path):
    settings = loaded(tmp_path, LEAST + "trusted_proxies: [10.0.0.0/8, 'fd00::/8']\n")
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("colour: blue", "colour: is not a setting. Remove it."),
        ("publik_url: x", "publik_url: is not a setting. Write public_url."),
        ("caps: {waits_totl: 3}", "caps.waits_totl: is not a setting. Write waits_total."),
        ("listeners: {agents: {prot: 1}}", "listeners.agents.prot: is not a setting. Write port."),
        ("listeners: {agents: {port: 0}}", "listeners.agents.port: 0 is out of range."),
        ("listeners: {agents: {port: '80'}}", "listeners.agents.port: 80 is not a whole number."),
        ("listeners: {agents: {tls: {cert: a}}}", "listeners.agents.tls.key: is missing. Add it."),
        ("caps: {waits_total: 0}", "caps.waits_total: 0 is out of range."),
        ("caps: {waits_total: true}", "caps.waits_total: True is not a whole number."),
        ("log: {level: loud}", "log.level: loud is not a choice."),
        ("log: text", "log: text is not a section."),
        ("trusted_proxies: [everywhere]", "trusted_proxies.0: everywhere is not an address range."),
        ("trusted_proxies: 10.0.0.0/8", "trusted_proxies: 10.0.0.0/8 is not a list."),
        *(
            (f"webhooks: {{private_hosts: ['{host}']}}", f"webhooks.private_hosts.0: {host} is not")
            for host in ("10.0.0.8:8080", "http://inside", "127.1", "Inside.Net", "10.0.0.0/8")
        ),
        ("connectors: {Tickets: {}}", "connectors.Tickets: Tickets is not a name."),
        ("public_url: keyturn", "public_url: is not an address."),
        ("public_url: http://keyturn.net", "public_url: sends sign-in links and sessions"),
        ("public_url: https://keyturn.net/inbox", "public_url: has more than a host and a port."),
        ("public_url: https://keyturn.example.com", "public_url: is an example."),
        (
            "connectors: {x: {type: http, headers: {X-Team: '<team>'}}}",
            "connectors.x.headers.X-Team: this is an example value.",
        ),
        ("listeners: {agents: {host: 0.0.0.0, port: 80}}", "listeners.agents.tls: 0.0.0.0 can be"),
        (
            "listeners: {agents: {port: 9}, people: {port: 9}}",
            "listeners.people.port: 9 is the port of agents too.",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_what_to_do(tmp_path: Path, line: str, told: str):
    found = problems(tmp_path, LEAST + line + "\n")
    assert len(found) == 1
    assert found[0].startswith(f"line 4, {told}")
    assert found[0].endswith(".")
    assert found[0].count(". ") >= 1


def test_all_that_is_wrong_is_told_in_the_order_of_the_file(tmp_path: Path):
    found = problems(
        tmp_path,
        "log: {level: loud}\nlisteners: {people: {port: 70000}}\npublic_url: x\nstore: 3\n",
    )
    assert [one.split(":")[0] for one in found] == [
        "deployment",
        "data_dir",
        "policy",
        "line 1, log.level",
        "line 2, listeners.people.port",
        "line 3, public_url",
        "line 4, store",
    ]


@pytest.mark.parametrize(
    "text",
    ["", "- a\n- b\n", "a: [\n", "deployment: a\ndeployment: b\n", "a: &x 1\nb: *x\n", "a: !!x 1"],
    ids=["empty", "list", "no YAML", "key twice", "alias", "tag"],
)
def test_what_is_no_mapping_of_plain_values_is_refused(tmp_path: Path, text: str):
    assert problems(tmp_path, text)


def test_the_admin_listener_is_never_in_the_clear_for_others(tmp_path: Path):
    text = LEAST + (
        "trusted_proxies: [10.0.0.0/8]\npublic_url: https://keyturn.net\n"
        "listeners: {people: {host: 0.0.0.0, port: 81}, admin: {host: 0.0.0.0, port: 82}}\n"
    )
    assert [one.split(":")[0] for one in problems(tmp_path, text)] == [
        "line 6, listeners.admin.tls"
    ]


def test_people_elsewhere_need_an_address(tmp_path: Path):
    text = LEAST + (
        "trusted_proxies: [10.0.0.0/8]\nlisteners: {people: {host: 0.0.0.0, port: 81}}\n"
    )
    assert problems(tmp_path, text)[0].startswith("public_url: is missing")


def test_a_private_key_that_others_may_read_is_refused(tmp_path: Path):
    (tmp_path / "a.pem").write_text("")
    (tmp_path / "a.key").write_text("")
    (tmp_path / "a.key").chmod(0o640)
    text = LEAST + "listeners: {agents: {port: 8443, tls: {cert: a.pem, key: a.key}}}\n"
    (told,) = problems(tmp_path, text)
    assert "listeners.agents.tls.key" in told
    assert "chmod 600" in told
    (tmp_path / "a.key").chmod(0o600)
    (told,) = problems(tmp_path, text)
    assert "certificate and key cannot be used" in told


def test_settings_that_are_not_there_say_how_to_make_some(tmp_path: Path):
    with pytest.raises(SettingsInvalid) as caught:
        load(tmp_path / "keyturn.yaml", {})
    assert "keyturn init" in caught.value.remedy


def test_the_environment_is_not_shown_with_the_settings(tmp_path: Path):
    file = tmp_path / "keyturn.yaml"
    file.write_text(LEAST)
    assert "s3cr3t-value" not in repr(load(file, {"TOKEN": "s3cr3t-value"}))


class TestSecretReferences:
    def test_a_variable_and_a_file_are_read(self, tmp_path: Path):
        file = tmp_path / "token"
        file.write_text("from-the-file\n")
        file.chmod(stat.S_IRUSR | stat.S_IWUSR)
        secrets = SecretRefs({"T": " from-the-variable "}, folder=tmp_path)
        assert secrets("env:T") == "from-the-variable"
        assert secrets("file:token") == "from-the-file"

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
    def test_a_file_that_others_may_read_is_refused(self, tmp_path: Path, mode: int):
        file = tmp_path / "token"
        file.write_text("from-the-file")
        file.chmod(mode)
        with pytest.raises(SettingsInvalid, match="read by others") as caught:
            SecretRefs({}, folder=tmp_path)("file:token")
        assert "from-the-file" not in str(caught.value.problems)

    @pytest.mark.parametrize("reference", ["hunter2", "env:", "vault:x", "", "hunter2:x"])
    def test_a_credential_in_place_of_a_reference_is_not_repeated(
        self, tmp_path: Path, reference: str
    ):
        with pytest.raises(SettingsInvalid) as caught:
            SecretRefs({}, folder=tmp_path)(reference)
        assert "hunter2" not in f"{caught.value} {caught.value.problems}"

    @pytest.mark.parametrize(
        ("environment", "reference"),
        [({}, "env:T"), ({"T": "  "}, "env:T"), ({}, "file:missing"), ({}, "file:.")],
    )
    def test_what_holds_nothing_is_refused(
        self, tmp_path: Path, environment: dict[str, str], reference: str
    ):
        with pytest.raises(SettingsInvalid):
            SecretRefs(environment, folder=tmp_path)(reference)

    @pytest.mark.parametrize(
        "value",
        ["changeme", "CHANGE-ME-NOW", "<your token>", "xxxxxxxx", "your-api-key", "${TOKEN}"],
    )
    def test_an_example_is_known_as_one(self, value: str):
        assert is_placeholder(value)

    @pytest.mark.parametrize("value", ["xoxb-1234", "tickets.your-company.net", "yours", "a<b>c"])
    def test_what_could_be_meant_is_no_example(self, value: str):
        assert not is_placeholder(value)
