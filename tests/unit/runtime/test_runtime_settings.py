"""One file, each value also by environment, every mistake told at once and no secret told at all."""

from pathlib import Path

import pytest
from signing_keys import private_key_pem, unfit_pem

from runtime.errors import UsageError
from runtime.settings import Settings, load, parse_database_url

TOML = """
[commerce]
url = "mysql://reader@db:3307/shop"
[commerce.config]
"general/locale/weight_unit" = "kgs"
[kafka]
partitions = 3
[kafka.client]
"security.protocol" = "SASL_SSL"
[targets.optimizer]
url = "https://target/tenant"
[targets.optimizer.batch]
products = 50
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(environ: dict[str, str], config_file: Path | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        load(config_file, environ)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_without_anything_the_defaults_stand() -> None:
    """No file and no variable is a valid configuration."""
    assert load(None, {}) == Settings()


def test_the_file_is_read_and_the_environment_laid_over_it(tmp_path: Path) -> None:
    """Sections stay whole where the environment sets one of their values."""
    settings = load(write(tmp_path, TOML), {"COMMERCE_SYNC__KAFKA__PARTITIONS": "7", "OTHER": "x"})

    assert settings.kafka.partitions == 7
    assert settings.kafka.client == {"security.protocol": "SASL_SSL"}
    assert (settings.commerce.address.host, settings.commerce.address.port) == ("db", 3307)
    assert settings.targets["optimizer"].batch_items_max("products") == 50


def test_the_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    """An argument wins over the variable."""
    named = write(tmp_path, "[kafka]\npartitions = 5")
    other = tmp_path / "other.toml"
    other.write_text("[kafka]\npartitions = 6", encoding="utf-8")

    assert load(None, {"COMMERCE_SYNC_CONFIG": str(named)}).kafka.partitions == 5
    assert load(other, {"COMMERCE_SYNC_CONFIG": str(named)}).kafka.partitions == 6


def test_a_whole_target_can_come_by_environment() -> None:
    """Feeds are separated by commas."""
    settings = load(
        None,
        {
            "COMMERCE_SYNC__TARGETS__SHOP__URL": "https://target",
            "COMMERCE_SYNC__TARGETS__SHOP__FEEDS": "prices, PRICEBOOKS, prices",
            "COMMERCE_SYNC__TARGETS__SHOP__BUDGET__REQUESTS_PER_MINUTE": "9",
        },
    )

    assert settings.targets["shop"].sent_feeds == ("prices", "priceBooks")
    assert settings.targets["shop"].budget.requests_per_minute == 9


def test_the_batch_of_a_feed_is_named_in_any_case() -> None:
    """By environment a name has only one."""
    settings = load(
        None,
        {"COMMERCE_SYNC__TARGETS__A__URL": "https://t", "COMMERCE_SYNC__TARGETS__A__BATCH__PRICEBOOKS": "7"},
    )

    assert settings.targets["a"].batch_items_max("priceBooks") == 7


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        (
            "BATCH__PRODUCT",
            "7",
            (
                "targets.a: batch.product: dialect optimizer sends no such feed; correct the spelling or "
                "remove it; it sends productAttributes, categories, products, priceBooks, prices"
            ),
        ),
        ("BATCH__PRICES", "0", "targets.a.batch.prices = '0': Input should be greater than or equal to 1"),
        (
            "READ_URL",
            "me:secret@host/items?key=hidden",
            "targets.a.read_url = '...@host/items': is no web address: write http(s)://host:port/path",
        ),
        (
            "AUTH__TOKEN_URL",
            "https://host:port/token",
            (
                "targets.a.auth.token_url = 'https://host:port/token': is no web address: write "
                "http(s)://host:port/path"
            ),
        ),
        ("URL", "", "targets.a.url = '': String should have at least 1 character"),
    ],
)
def test_a_target_s_setting_that_cannot_be_meant_is_refused(name: str, value: str, told: str) -> None:
    """A batch that no feed has, a request of nothing, an address that no request can be sent to."""
    given = {"COMMERCE_SYNC__TARGETS__A__URL": "https://t", f"COMMERCE_SYNC__TARGETS__A__{name}": value}

    assert refusal(given) == told


def test_addresses_of_services_are_web_addresses() -> None:
    """Connect's and the registry's too."""
    told = refusal(
        {
            "COMMERCE_SYNC__CAPTURE__CONNECT_URL": "connect:8083",
            "COMMERCE_SYNC__KAFKA__SCHEMA_REGISTRY_URL": "http://",
        }
    )

    assert told == (
        "capture.connect_url = 'connect:8083': is no web address: write http(s)://host:port/path; "
        "kafka.schema_registry_url = 'http://': is no web address: write http(s)://host:port/path"
    )


def test_a_target_s_name_is_a_part_of_topics_names(tmp_path: Path) -> None:
    """What Kafka would refuse later is refused at once."""
    told = refusal({}, write(tmp_path, '[targets."a b"]\nurl = "https://t"'))

    assert told.startswith("targets.a b")
    assert "should match pattern" in told


def test_a_target_s_name_fits_into_the_ledger(tmp_path: Path) -> None:
    """Databases other than SQLite would refuse each batch."""
    told = refusal({}, write(tmp_path, f'[targets.{"a" * 65}]\nurl = "https://t"'))

    assert "at most 64 characters" in told


def test_a_target_without_an_address_is_told(tmp_path: Path) -> None:
    """The setting and what to do."""
    told = refusal({}, write(tmp_path, '[targets.a]\ndialect = "optimizer"'))

    assert told == "targets.a.url is not set: add it"


def test_a_section_is_no_single_value(tmp_path: Path) -> None:
    """Told as TOML has it."""
    told = refusal({}, write(tmp_path, 'kafka = "host:9092"'))

    assert told == (
        "kafka = 'host:9092': is a section, no single value: write [kafka] and its settings below"
    )


def test_numbers_and_flags_of_toml_are_what_their_readers_write(tmp_path: Path) -> None:
    """librdkafka's flags are words, those of Commerce 1 and 0."""
    text = """
[kafka.client]
"socket.timeout.ms" = 10000
"socket.keepalive.enable" = true
[commerce.config]
"catalog/price/scope" = 1
"cataloginventory/options/show_out_of_stock" = false
"""
    settings = load(write(tmp_path, text), {})

    assert settings.kafka.client == {"socket.timeout.ms": "10000", "socket.keepalive.enable": "true"}
    assert settings.commerce.config == {
        "catalog/price/scope": "1",
        "cataloginventory/options/show_out_of_stock": "0",
    }


def test_keys_with_separators_of_their_own_come_by_environment() -> None:
    """`kafka.client` has dots, `commerce.config` slashes."""
    settings = load(
        None,
        {
            "COMMERCE_SYNC__KAFKA__CLIENT__SECURITY_PROTOCOL": "SASL_SSL",
            "COMMERCE_SYNC__KAFKA__CLIENT__SASL_PASSWORD": "x",
            "COMMERCE_SYNC__COMMERCE__CONFIG__GENERAL__LOCALE__WEIGHT_UNIT": "lbs",
        },
    )

    assert settings.kafka.client == {"security.protocol": "SASL_SSL", "sasl.password": "x"}
    assert settings.commerce.config == {"general/locale/weight_unit": "lbs"}


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("COMMERCE_SYNC__KAFKA__PARTITION", "kafka.partition"),
        ("COMMERCE_SYNC__KAFKAS__PARTITIONS", "kafkas"),
        ("COMMERCE_SYNC__COMMERCE__CONFIGS", "commerce.configs"),
    ],
)
def test_an_unknown_variable_is_an_error(variable: str, name: str) -> None:
    """A misspelt setting must not be a default in silence."""
    assert refusal({variable: "4"}) == f"{name}: unknown setting; check the spelling"


def test_an_unknown_key_of_the_file_is_an_error(tmp_path: Path) -> None:
    """Also deep inside a target."""
    path = write(tmp_path, '[targets.a]\nurl = "https://t"\n[targets.a.auth]\nclient = "x"')

    assert refusal({}, path) == "targets.a.auth.client: unknown setting; check the spelling"


def test_every_mistake_is_told_at_once() -> None:
    """One run, one list."""
    told = refusal(
        {
            "COMMERCE_SYNC__KAFKA__PARTITIONS": "none",
            "COMMERCE_SYNC__HTTP__METRICS_PORT": "70000",
            "COMMERCE_SYNC__BUILDER__ECHO": "1",
        }
    )

    assert told.split("; ") == [
        "kafka.partitions = 'none': Input should be a valid integer, unable to parse string as an integer",
        "builder.echo: unknown setting",
        "check the spelling",
        "http.metrics_port = '70000': Input should be less than or equal to 65535",
    ]


def test_secrets_are_never_shown() -> None:
    """Neither by repr nor by str, wherever they stand."""
    environ = {
        "COMMERCE_SYNC__COMMERCE__PASSWORD": "hidden-1",
        "COMMERCE_SYNC__COMMERCE__REPLICA_URL": "mysql://u:hidden-2@db/shop",
        "COMMERCE_SYNC__CAPTURE__PASSWORD": "hidden-3",
        "COMMERCE_SYNC__TARGETS__A__URL": "https://target",
        "COMMERCE_SYNC__TARGETS__A__AUTH__CLIENT_SECRET": "hidden-4",
        "COMMERCE_SYNC__KAFKA__CLIENT__SASL_PASSWORD": "hidden-5",
        "COMMERCE_SYNC__LEDGER__URL": "postgresql://u:hidden-6@db/ledger",
        "COMMERCE_SYNC__KAFKA__SCHEMA_REGISTRY_URL": "https://u:hidden-7@registry",
        "COMMERCE_SYNC__COMMERCE__URL": "mysql://u:hidden-8@db/shop",
    }

    settings = load(None, environ)

    shown = f"{settings!r} {settings} {settings.commerce.address!r} {settings.commerce.read_address!r}"
    assert "hidden" not in shown
    assert settings.commerce.read_address.password.get_secret_value() == "hidden-1"


@pytest.mark.parametrize(
    "environ",
    [
        {"COMMERCE_SYNC__COMMERCE__URL": "postgres://u:hidden@db/shop"},
        {"COMMERCE_SYNC__COMMERCE__URL": "mysql://u:hidden@db"},
        {"COMMERCE_SYNC__COMMERCE__URL": "mysql://u:hidden@db:port/shop"},
        {"COMMERCE_SYNC__COMMERCE__URL": "mysql:/u:hidden@and@hidden@db/shop"},
        {"COMMERCE_SYNC__COMMERCE__REPLICA_URL": "jdbc:mysql://db/shop?password=hidden"},
        {"COMMERCE_SYNC__COMMERCE__PASSWORD__X": "hidden"},
        {"COMMERCE_SYNC__TARGETS__A__AUTH__CLIENT_SECRET__X": "hidden"},
        {"COMMERCE_SYNC__KAFKA__CLIENT": "hidden"},
    ],
)
def test_an_error_never_shows_a_secret(environ: dict[str, str]) -> None:
    """The setting is named, its value is not."""
    told = refusal(environ)

    assert "hidden" not in told
    assert told.startswith(("commerce.", "targets.A", "targets.a", "kafka.client"))


def test_a_secret_may_be_read_from_a_file(tmp_path: Path) -> None:
    """Surrounding white space is none of it."""
    secret = tmp_path / "secret"
    secret.write_text("  from-file\n", encoding="utf-8")
    path = write(tmp_path, f'[commerce]\npassword_file = "{secret}"')

    settings = load(path, {"COMMERCE_SYNC__CAPTURE__PASSWORD_FILE": str(secret)})

    assert settings.commerce.password is not None
    assert settings.capture.password is not None
    assert settings.commerce.password.get_secret_value() == "from-file"
    assert settings.capture.password.get_secret_value() == "from-file"


def test_a_secret_by_environment_wins_over_the_file_s(tmp_path: Path) -> None:
    """In both forms; a file that is not used need not exist."""
    secret = tmp_path / "secret"
    secret.write_text("from-file", encoding="utf-8")
    by_file = write(tmp_path, '[commerce]\npassword_file = "/nowhere"')
    by_value = tmp_path / "value.toml"
    by_value.write_text('[commerce]\npassword = "from-toml"', encoding="utf-8")

    one = load(by_file, {"COMMERCE_SYNC__COMMERCE__PASSWORD": "from-environment"}).commerce.password
    other = load(by_value, {"COMMERCE_SYNC__COMMERCE__PASSWORD_FILE": str(secret)}).commerce.password

    assert one is not None and one.get_secret_value() == "from-environment"
    assert other is not None and other.get_secret_value() == "from-file"


def test_a_secret_s_file_that_is_missing_is_named() -> None:
    """The setting, the path and the cause."""
    told = refusal({"COMMERCE_SYNC__CAPTURE__PASSWORD_FILE": "/nowhere/secret"})

    assert told == "capture: password_file = /nowhere/secret cannot be read (No such file or directory)"


def test_a_file_that_is_missing_or_no_toml_is_named(tmp_path: Path) -> None:
    """Exit code 2 and one sentence."""
    assert refusal({}, tmp_path / "none.toml") == (
        f"--config {tmp_path / 'none.toml'} cannot be read: No such file or directory"
    )
    assert refusal({"COMMERCE_SYNC_CONFIG": "/nowhere.toml"}) == (
        "COMMERCE_SYNC_CONFIG /nowhere.toml cannot be read: No such file or directory"
    )
    assert refusal({}, write(tmp_path, "kafka =")).startswith(
        f"--config {tmp_path / 'settings.toml'} is no valid TOML: "
    )


def test_a_value_is_no_section(tmp_path: Path) -> None:
    """The variable that asks for it is named."""
    told = refusal({"COMMERCE_SYNC__KAFKA__PARTITIONS__X": "1"}, write(tmp_path, TOML))

    assert told == "COMMERCE_SYNC__KAFKA__PARTITIONS__X: 'partitions' is a single value, not a section"


def test_an_unknown_feed_is_named() -> None:
    """With what the dialect can send."""
    told = refusal(
        {"COMMERCE_SYNC__TARGETS__A__URL": "https://t", "COMMERCE_SYNC__TARGETS__A__FEEDS": "stock"}
    )

    assert told == (
        "targets.a: feeds: stock cannot be sent by dialect optimizer, whose service has no route for it: "
        "remove it; there are routes for productAttributes, categories, products, priceBooks, prices"
    )


def test_a_target_is_sent_every_feed_of_its_dialect_in_order() -> None:
    """What others refer to comes first: books before prices, categories before products."""
    environ = {"COMMERCE_SYNC__TARGETS__O__URL": "https://t", **SAAS}

    targets = load(None, environ).targets

    assert targets["o"].sent_feeds == ("productAttributes", "categories", "products", "priceBooks", "prices")
    assert targets["a"].sent_feeds == (
        *("scopesWebsite", "scopesCustomerGroup", "productAttributes", "categories", "products"),
        *("variants", "productOverrides", "prices"),
    )


SAAS = {
    "COMMERCE_SYNC__TARGETS__A__URL": "https://t/feeds",
    "COMMERCE_SYNC__TARGETS__A__DIALECT": "saas",
    "COMMERCE_SYNC__TARGETS__A__AUTH__API_KEY": "public",
    "COMMERCE_SYNC__TARGETS__A__AUTH__PRIVATE_KEY": private_key_pem(),
    "COMMERCE_SYNC__TARGETS__A__AUTH__ENVIRONMENT_ID": "space-1",
}
AUTH = "COMMERCE_SYNC__TARGETS__A__AUTH__"


def test_a_saas_target_has_a_key_pair_and_an_allowance_of_its_own(tmp_path: Path) -> None:
    """What is set of the budget stands, what is not is the service's; the key may stand in a file."""
    file = tmp_path / "private.pem"
    file.write_text(private_key_pem(), encoding="utf-8")
    environ = {name: value for name, value in SAAS.items() if name != f"{AUTH}PRIVATE_KEY"}
    environ |= {
        f"{AUTH}PRIVATE_KEY_FILE": str(file),
        "COMMERCE_SYNC__TARGETS__A__BUDGET__PRODUCTS_PER_DAY": "7",
    }

    target = load(None, environ).targets["a"]

    assert (target.auth.api_key, target.auth.environment_id) == ("public", "space-1")
    assert target.auth.private_key.get_secret_value() == private_key_pem().strip()
    assert (target.budget.requests_per_minute, target.budget.products_per_day) == (120, 7)
    assert "PRIVATE" not in repr(target)


def test_an_optimizer_target_keeps_its_allowance() -> None:
    budget = load(None, {"COMMERCE_SYNC__TARGETS__A__URL": "https://t"}).targets["a"].budget

    assert (budget.requests_per_minute, budget.products_per_day) == (300, 100_000)


@pytest.mark.parametrize("name", ["CLIENT_ID", "CLIENT_SECRET"])
def test_an_optimizer_target_with_half_of_its_credentials_is_refused(name: str) -> None:
    """No token would ever be given; without an address for tokens requests go without one."""
    given = {AUTH + "TOKEN_URL": "https://t/token", AUTH + "CLIENT_ID": "me", AUTH + "CLIENT_SECRET": "hush"}
    address = {"COMMERCE_SYNC__TARGETS__A__URL": "https://t"}

    told = refusal({**address, **given, AUTH + name: ""})

    assert told == f"targets.a: auth.{name.lower()} is not set: token_url gives no token without it"
    assert load(None, {**address, **given}).targets["a"].auth.client_id == "me"
    assert load(None, {**address, AUTH + name: "x"}).targets["a"].auth.token_url == ""


@pytest.mark.parametrize("name", ["API_KEY", "PRIVATE_KEY", "ENVIRONMENT_ID"])
def test_a_saas_target_without_a_credential_is_refused(name: str) -> None:
    """Its requests could only fail."""
    told = refusal({**SAAS, AUTH + name: ""})

    assert told == (
        f"targets.a: auth.{name.lower()} is not set: dialect saas needs api_key, private_key, environment_id "
        "(or private_key_file)"
    )


@pytest.mark.parametrize("dialect", ["saas", "optimizer"])
def test_a_credential_of_the_other_service_is_refused(dialect: str) -> None:
    """It was meant for something, and would be ignored."""
    other = {"saas": "CLIENT_ID", "optimizer": "API_KEY"}[dialect]
    environ = SAAS if dialect == "saas" else {"COMMERCE_SYNC__TARGETS__A__URL": "https://t"}

    told = refusal({**environ, AUTH + other: "x"})

    assert told.startswith(
        f"targets.a: auth.{other.lower()} means nothing to dialect {dialect}, which takes "
    )


@pytest.mark.parametrize("kind", ["rubbish", "public", "short", "elliptic", "locked"])
def test_a_private_key_that_cannot_sign_is_refused_unseen(kind: str) -> None:
    told = refusal({**SAAS, f"{AUTH}PRIVATE_KEY": unfit_pem(kind)})

    assert told == (
        "targets.a.auth.private_key: no RSA private key of 2048 bits or more in PEM form without a "
        "passphrase: give the one whose public half belongs to api_key"
    )


def test_an_environment_id_is_a_part_of_a_path() -> None:
    told = refusal({**SAAS, f"{AUTH}ENVIRONMENT_ID": "../other"})

    assert told.startswith("targets.a.auth.environment_id = '../other': ")


def test_a_feed_without_a_route_is_refused_with_those_that_have_one() -> None:
    told = refusal({**SAAS, "COMMERCE_SYNC__TARGETS__A__FEEDS": "products, inventoryStockStatus"})

    assert told == (
        "targets.a: feeds: inventoryStockStatus cannot be sent by dialect saas, whose service has no route "
        "for it: remove it; there are routes for scopesWebsite, scopesCustomerGroup, productAttributes, "
        "categories, products, variants, productOverrides, prices"
    )


def test_a_database_address_is_taken_apart() -> None:
    """Special characters are written as %XX; 3306 is the port when none is given."""
    address = parse_database_url("mariadb://us%40er:pa%2Fss@db/shop")

    assert (address.scheme, address.user, address.host, address.port, address.database) == (
        "mariadb",
        "us@er",
        "db",
        3306,
        "shop",
    )
    assert address.password.get_secret_value() == "pa/ss"


def test_the_replica_is_read_when_given_and_the_primary_is_captured() -> None:
    """Promise 6."""
    environ = {"COMMERCE_SYNC__COMMERCE__REPLICA_URL": "mysql://u@replica/shop"}
    commerce = load(None, environ).commerce

    assert (commerce.address.host, commerce.read_address.host) == ("localhost", "replica")
