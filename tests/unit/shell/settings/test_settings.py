"""Settings are read once, wholly checked, and never give a secret away."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from streams.shell.settings.settings import SETTINGS, Settings, SettingsError, help_table


def _problems(**environ: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({f"CONCIERGE_{name}": value for name, value in environ.items()})
    return caught.value.problems


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_env({}) == Settings()


def test_variables_of_others_are_ignored() -> None:
    assert Settings.from_env({"HOME": "/", "CONCIERGE_REQUIRE_KAFKA": "1"}) == Settings()


def test_values_are_read_as_what_they_are() -> None:
    settings = Settings.from_env(
        {
            "CONCIERGE_KAFKA": "a:1,b:2",
            "CONCIERGE_HTTP_PORT": "0",
            "CONCIERGE_ROLES": "decide, learn",
        }
    )
    assert settings.bootstrap == "a:1,b:2"
    assert settings.http_port == 0
    assert settings.roles == ("decide", "learn")


def test_a_misspelt_variable_is_an_error_that_names_its_neighbour() -> None:
    [problem] = _problems(CHECKPOINT_INTERVAL="5")
    assert problem.startswith("CONCIERGE_CHECKPOINT_INTERVAL: there is no such setting")
    assert "CONCIERGE_CHECKPOINT_INTERVAL_MS" in problem


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("HTTP_PORT", "http", "a whole number from 0 to 65535"),
        ("HTTP_PORT", "65536", "a whole number from 0 to 65535"),
        ("KEEP_SNAPSHOTS", "1", "a whole number from 2 to 1000"),
        ("CLOCK", "sundial", "one of wall, off"),
        ("ROLES", "decide,dream", "any of intake, decide, learn"),
        ("ROLES", "", "any of intake, decide, learn"),
    ],
)
def test_a_bad_value_is_named_with_its_variable_and_what_is_allowed(
    name: str, value: str, allowed: str
) -> None:
    assert _problems(**{name: value}) == [f'CONCIERGE_{name}="{value}": allowed is {allowed}']


def test_all_problems_are_reported_at_once() -> None:
    assert len(_problems(HTTP_PORT="x", CLOCK="x", TYPO="x")) == 3


def test_a_value_built_in_code_is_checked_too() -> None:
    with pytest.raises(SettingsError, match="CONCIERGE_CLOCK"):
        dataclasses.replace(Settings(), clock="sundial")


def test_a_secret_can_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "salt"
    file.write_text("pepper\n", encoding="utf-8")
    assert Settings.from_env({"CONCIERGE_SALT_FILE": str(file)}).salt == "pepper"


def test_a_secret_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    [problem] = _problems(SALT_FILE=str(tmp_path / "none"))
    assert "cannot be read" in problem


def test_a_secret_given_twice_is_an_error(tmp_path: Path) -> None:
    [problem] = _problems(SALT="a", SALT_FILE=str(tmp_path))
    assert "keep one" in problem


def test_what_is_no_secret_has_no_file_variant() -> None:
    [problem] = _problems(CLOCK_FILE="x")
    assert "there is no such setting" in problem


def test_no_secret_is_shown_anywhere() -> None:
    settings = Settings(
        salt="hush1",
        http_token="hush2",
        kafka_protocol="SASL_SSL",
        kafka_username="me",
        kafka_password="hush3",
        kafka_cert_file="c",
        kafka_key_file="k",
        kafka_key_password="hush5",
        schema_registry_user="me",
        schema_registry_password="hush4",
    )
    assert "hush" not in repr(settings) + str(settings.display()) + help_table()


def test_an_error_about_secrets_does_not_tell_them() -> None:
    assert "hush" not in str(_problems(KAFKA_PROTOCOL="SASL_SSL", KAFKA_PASSWORD="hush"))
    assert "hush" not in str(_problems(SCHEMA_REGISTRY_URL="http://me:hush@registry"))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.4", "example.org"])
def test_pages_open_to_other_machines_need_a_token(host: str) -> None:
    [problem] = _problems(HTTP_HOST=host)
    assert "CONCIERGE_HTTP_TOKEN" in problem
    assert Settings(http_host=host, http_token="t").http_host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    assert Settings(http_host=host).http_token == ""


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"KAFKA": " "}, "at least one broker"),
        ({"SALT": ""}, "draws need a seed"),
        ({"FAILPOINT": "decide:commit:1"}, "CONCIERGE_TEST_FAULTS=yes"),
        ({"DELIVERY_TIMEOUT_MS": "30000"}, "must be below CONCIERGE_SESSION_TIMEOUT_MS=30000"),
        ({"SESSION_TIMEOUT_MS": "15000"}, "must be below CONCIERGE_SESSION_TIMEOUT_MS=15000"),
        ({"KAFKA_PROTOCOL": "SASL_PLAINTEXT"}, "CONCIERGE_KAFKA_USERNAME"),
        ({"KAFKA_PROTOCOL": "SSL", "KAFKA_CERT_FILE": "c.pem"}, "CONCIERGE_KAFKA_KEY_FILE"),
        ({"KAFKA_USERNAME": "me"}, "sends no login"),
        ({"KAFKA_PASSWORD": "hush"}, "sends no login"),
        ({"KAFKA_CA_FILE": "ca.pem"}, "is not encrypted"),
        ({"KAFKA_KEY_PASSWORD": "hush"}, "CONCIERGE_KAFKA_KEY_FILE"),
        ({"SCHEMA_REGISTRY_USER": "me"}, "CONCIERGE_SCHEMA_REGISTRY_PASSWORD"),
        ({"SCHEMA_REGISTRY_PASSWORD": "hush"}, "CONCIERGE_SCHEMA_REGISTRY_USER"),
        ({"SCHEMA_REGISTRY_CA_FILE": "ca.pem"}, "write https://"),
        ({"APP_ID": "a/b"}, "letters, digits"),
        ({"APP_ID": ""}, "need a name"),
        ({"APP_ID": "a" * 201}, "at most 200"),
        ({"APP_ID": "x", "TOPIC_PREFIX": "über."}, "letters, digits"),
        ({"INSTANCE_ID": "pod 1"}, "letters, digits"),
        ({"HTTP_TOKEN": "two words"}, "a header cannot carry"),
        ({"HTTP_TOKEN": "zwölf"}, "a header cannot carry"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    environ: dict[str, str], words: str
) -> None:
    [problem] = _problems(**environ)
    assert words in problem


@pytest.mark.parametrize(
    "address",
    [
        "broker",
        "broker:",
        ":9092",
        "a:1,b",
        "a:1, b:2",
        "::1:9092",
        "a:0",
        "a:65536",
        "a:x",
        "kafka://a:1",
    ],
)
def test_an_address_that_no_broker_can_have_is_refused_and_shown(address: str) -> None:
    [problem] = _problems(KAFKA=address)
    assert problem.startswith("CONCIERGE_KAFKA: ")
    assert "host:port" in problem


@pytest.mark.parametrize("address", ["a:1", "10.0.0.1:9092,b.example.org:9093", "[::1]:9092"])
def test_addresses_of_brokers_are_taken(address: str) -> None:
    assert Settings(bootstrap=address).bootstrap == address


@pytest.mark.parametrize(
    "url", ["registry", "registry:8081", "http://", "http://r:port", "ftp://r", "http://r /x"]
)
def test_an_address_that_no_registry_can_have_is_refused_and_shown(url: str) -> None:
    [problem] = _problems(SCHEMA_REGISTRY_URL=url)
    assert problem.startswith(f'CONCIERGE_SCHEMA_REGISTRY_URL="{url}" is not an address')


@pytest.mark.parametrize(
    "url", ["http://r", "https://r:8081/apis/ccompat/v7", "http://a:1,http://b:2"]
)
def test_addresses_of_registries_are_taken(url: str) -> None:
    assert Settings(schema_registry_url=url).schema_registry_url == url


def test_every_setting_is_explained() -> None:
    table = help_table()
    for each in SETTINGS:
        assert f"`{each.env}`" in table
        assert each.help.endswith(".")
        assert each.unit or not each.env.endswith("_MS")
