"""Settings: one TOML file, each value also by environment; built once at start and handed down."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from runtime.errors import UsageError
from schemas.entities import FEEDS
from schemas.services import optimizer, saas

ENVIRONMENT_PREFIX: Final = "COMMERCE_SYNC__"
CONFIG_VARIABLE: Final = "COMMERCE_SYNC_CONFIG"

Dialect = Literal["optimizer", "saas"]
# Feeds that each service has a route for, in the order in which it should hear of them first.
DIALECT_FEEDS: Final[dict[Dialect, tuple[str, ...]]] = {
    "optimizer": tuple(optimizer.FEED_RESOURCES),
    "saas": tuple(feed for feed in FEEDS if feed in saas.FEEDS),
}
# 100 where nothing is said.
DIALECT_BATCH: Final = {
    "optimizer": {"products": 100, "priceBooks": 500, "prices": 500},
    "saas": {"products": 100, "prices": 500},
}
# Where a service's allowance is another than the optimizer's, which BudgetSettings has.
DIALECT_BUDGET: Final[dict[str, dict[str, int]]] = {
    "optimizer": {},
    "saas": {"requests_per_minute": 120, "products_per_minute": 10_000, "products_per_day": 0},
}
DIALECT_AUTH: Final[dict[Dialect, tuple[str, ...]]] = {
    "optimizer": ("token_url", "client_id", "client_secret", "scope"),
    "saas": ("api_key", "private_key", "environment_id"),
}
TARGET_NAME_MAX: Final = 64
_RSA_BITS_MIN: Final = 2048


class Section(BaseModel):
    """Base of every section: unknown keys are errors, values do not change after start."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SecretSection(Section):
    """A section whose `X` secrets may also be given as `X_file`."""

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        resolved = dict(values)
        for name in list(resolved):
            secret = name.removesuffix("_file")
            if secret == name or secret not in cls.model_fields:
                continue
            path = Path(str(resolved.pop(name)))
            try:
                resolved.setdefault(secret, path.read_text(encoding="utf-8").strip())
            except OSError as error:
                message = f"{name} = {path} cannot be read ({error.strerror})"
                raise ValueError(message) from error
        return resolved


class DatabaseAddress(Section):
    """A parsed `mysql://user@host:port/database` address."""

    scheme: Literal["mysql", "mariadb"]
    user: str
    password: SecretStr
    host: str
    port: int
    database: str


def parse_database_url(url: str, password: SecretStr | None = None) -> DatabaseAddress:
    """Split a database address.

    Raises:
        ValueError: the scheme is not mysql or mariadb, or user, host or database is missing.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"mysql", "mariadb"}:
        message = f"'{parts.scheme}' is no known scheme: write mysql://user@host:3306/database"
        raise ValueError(message)
    if not _port_is_one(parts):
        message = "the port is no number up to 65535: write mysql://user@host:3306/database"
        raise ValueError(message)
    database = parts.path.lstrip("/")
    if not (parts.hostname and parts.username and re.fullmatch(r"[^/`]+", database)):
        message = "user, host and database are needed: write mysql://user@host:3306/database"
        raise ValueError(message)
    return DatabaseAddress(
        scheme="mariadb" if parts.scheme == "mariadb" else "mysql",
        user=unquote(parts.username),
        password=password or SecretStr(unquote(parts.password or "")),
        host=parts.hostname,
        port=parts.port or 3306,
        database=unquote(database),
    )


def _port_is_one(parts: SplitResult) -> bool:
    """Whether the port of an address is absent or a port."""
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def _require_web_address(url: str) -> str:
    """Refuse, before anything is started, what no request can be sent to; empty means not given."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    if url and not (parts.scheme in {"http", "https"} and parts.hostname and _port_is_one(parts)):
        message = "is no web address: write http(s)://host:port/path"
        raise ValueError(message)
    return url


WebAddress = Annotated[str, AfterValidator(_require_web_address)]


def _text_of_toml(value: Any) -> Any:
    """TOML's numbers as they are written; who reads these values wants text."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _text_of_client(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else _text_of_toml(value)


def _text_of_config(value: Any) -> Any:
    return str(int(value)) if isinstance(value, bool) else _text_of_toml(value)


class CommerceSettings(SecretSection):
    """The shop's database, read by the builder and the router's look-ups."""

    # An address may hold a password, so it is not shown.
    url: str = Field(default="mysql://commerce_sync@localhost:3306/magento", repr=False)
    replica_url: str = Field(default="", repr=False)
    password: SecretStr | None = None
    table_prefix: str = Field(default="", pattern=r"^[A-Za-z0-9_]*$")
    media_base_url: str = ""
    # Commerce writes a flag as 1 or 0.
    config: dict[str, Annotated[str, BeforeValidator(_text_of_config)]] = {}

    @field_validator("url", "replica_url")
    @classmethod
    def _address_is_whole(cls, url: str) -> str:
        if url:
            parse_database_url(url)
        return url

    @property
    def address(self) -> DatabaseAddress:
        """The primary: the connector's source, and what is read when no replica is given."""
        return parse_database_url(self.url, self.password)

    @property
    def read_address(self) -> DatabaseAddress:
        return parse_database_url(self.replica_url or self.url, self.password)


class CaptureSettings(SecretSection):
    """Kafka Connect and the account its connector reads the binlog with."""

    # User and password may stand in it.
    connect_url: WebAddress = Field(default="http://localhost:8083", repr=False)
    connector: str = "commerce"
    user: str = "debezium"
    password: SecretStr | None = None
    # How the Connect worker itself finds the password: a config provider placeholder.
    password_placeholder: str = "${file:/run/secrets/connect.properties:database.password}"
    poll_interval_ms: int = Field(default=20, ge=1)
    server_id: int | None = None


class KafkaSettings(Section):
    """The broker and how topics are made."""

    bootstrap_servers: str = "localhost:9092"
    topic_prefix: str = Field(default="commerce-sync", pattern=r"^[a-z0-9][a-z0-9.-]*$")
    partitions: int = Field(default=12, ge=1, le=1000)
    replication_factor: int = Field(default=3, ge=1)
    schema_registry_url: WebAddress = Field(default="", repr=False)
    # Holds sasl.password and the like. librdkafka writes a flag as true or false.
    client: dict[str, Annotated[str, BeforeValidator(_text_of_client)]] = Field(default={}, repr=False)


class AuthSettings(SecretSection):
    """Credentials of a target: IMS client credentials (optimizer), or a key pair and environment (saas)."""

    token_url: WebAddress = ""
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    scope: str = "openid,AdobeID,profile,email,commerce.aco.ingestion"

    api_key: str = ""
    private_key: SecretStr = SecretStr("")
    # A part of every path.
    environment_id: str = Field(default="", pattern=r"^[A-Za-z0-9_-]*$")

    @field_validator("private_key")
    @classmethod
    def _private_key_signs(cls, private_key: SecretStr) -> SecretStr:
        if private_key.get_secret_value():
            _require_rsa_key(private_key.get_secret_value())
        return private_key


def _require_rsa_key(pem: str) -> None:
    """Raise ValueError, without a word of the key, unless RS256 can sign with it."""
    # Half of what the other settings take together to load; most installations need none of it.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey) or key.key_size < _RSA_BITS_MIN:
        message = (
            f"no RSA private key of {_RSA_BITS_MIN} bits or more in PEM form without a passphrase: "
            "give the one whose public half belongs to api_key"
        )
        raise ValueError(message)


class BudgetSettings(Section):
    """The service's allowance; 0 means none is kept."""

    requests_per_minute: int = Field(default=300, ge=0)
    products_per_minute: int = Field(default=1000, ge=0)
    prices_per_minute: int = Field(default=50_000, ge=0)
    products_per_day: int = Field(default=100_000, ge=0)


class TargetSettings(Section):
    """One ingestion service."""

    dialect: Dialect = "optimizer"
    url: WebAddress = Field(min_length=1)
    feeds: tuple[str, ...] = ()
    retry_s: float = Field(default=300, gt=0)
    request_timeout_s: float = Field(default=30, gt=0)
    settle_s: float = Field(default=120, ge=0)
    # More of the last items failing than this: the fault is not theirs, and sending stops. 100: never.
    dead_letter_guard_percent: int = Field(default=50, ge=1, le=100)
    read_url: WebAddress = ""
    auth: AuthSettings = AuthSettings()
    budget: BudgetSettings = BudgetSettings()
    # Items of one request, by feed.
    batch: dict[str, Annotated[int, Field(ge=1)]] = {}

    @field_validator("feeds", mode="before")
    @classmethod
    def _feeds_from_text(cls, feeds: Any) -> Any:
        """Names in any case, each once."""
        names = feeds.split(",") if isinstance(feeds, str) else feeds
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
            return names
        return tuple(dict.fromkeys(_feed_name(name) for name in names))

    @field_validator("batch", mode="before")
    @classmethod
    def _batch_by_feed(cls, batch: Any) -> Any:
        """Names in any case: by environment they have only one."""
        return (
            {_feed_name(name): items for name, items in batch.items()} if isinstance(batch, dict) else batch
        )

    @model_validator(mode="before")
    @classmethod
    def _budget_of_dialect(cls, values: Any) -> Any:
        """What is not set is the dialect's allowance."""
        if not isinstance(values, dict) or not isinstance(values.get("budget", {}), dict):
            return values
        usual = DIALECT_BUDGET.get(str(values.get("dialect", "optimizer")), {})
        return {**values, "budget": {**usual, **values.get("budget", {})}}

    @model_validator(mode="after")
    def _feeds_are_known(self) -> Self:
        served = DIALECT_FEEDS[self.dialect]
        unserved = [feed for feed in self.feeds if feed not in served]
        if unserved:
            message = (
                f"feeds: {', '.join(unserved)} cannot be sent by dialect {self.dialect}, whose service has "
                f"no route for it: remove it; there are routes for {', '.join(served)}"
            )
            raise ValueError(message)
        unknown = [feed for feed in self.batch if feed not in served]
        if unknown:
            message = (
                f"batch.{unknown[0]}: dialect {self.dialect} sends no such feed; correct the spelling or "
                f"remove it; it sends {', '.join(served)}"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _auth_is_of_dialect(self) -> Self:
        """A secret set for the wrong service must not be ignored in silence."""
        taken = DIALECT_AUTH[self.dialect]
        foreign = sorted(self.auth.model_fields_set.difference(taken))
        if foreign:
            message = (
                f"auth.{foreign[0]} means nothing to dialect {self.dialect}, which takes "
                f"{', '.join(taken)}: remove it, or set dialect"
            )
            raise ValueError(message)
        missing = [name for name in taken if not _is_set(getattr(self.auth, name))]
        if missing and self.dialect == "saas":
            message = (
                f"auth.{missing[0]} is not set: dialect saas needs {', '.join(taken)} (or private_key_file)"
            )
            raise ValueError(message)
        if self.auth.token_url and (lacking := {"client_id", "client_secret"}.intersection(missing)):
            message = f"auth.{min(lacking)} is not set: token_url gives no token without it"
            raise ValueError(message)
        return self

    @property
    def sent_feeds(self) -> tuple[str, ...]:
        return self.feeds or DIALECT_FEEDS[self.dialect]

    def batch_items_max(self, feed: str) -> int:
        return self.batch.get(feed, DIALECT_BATCH[self.dialect].get(feed, 100))


class BuilderSettings(Section):
    """How entities are built."""

    delete_guard_percent: int = Field(default=10, ge=1, le=100)
    echo_s: float = Field(default=2, gt=0)
    batch_entities_max: int = Field(default=500, ge=1, le=5000)
    position_wait_s: float = Field(default=10, gt=0)


class AuditSettings(Section):
    """How fast the role `audit` goes through the catalog; 0: there is no such role."""

    entities_per_minute: int = Field(default=0, ge=0)


class LedgerSettings(SecretSection):
    """Where statuses are kept for people: a file, or a database of its own."""

    # An address may hold a password, so it is not shown.
    url: str = Field(default="sqlite:///var/ledger.db", repr=False)
    password: SecretStr | None = None

    @field_validator("url")
    @classmethod
    def _address_is_whole(cls, url: str) -> str:
        if not re.match(r"sqlite:///.|(postgresql|mysql|mariadb)://[^/]+/[^/]+$", url):
            message = "write sqlite:///file, or postgresql://, mysql:// or mariadb://user@host:port/database"
            raise ValueError(message)
        return url


class HttpSettings(Section):
    """Where roles and the dashboard listen. Process n listens on metrics_port + n."""

    host: str = "127.0.0.1"
    metrics_port: int = Field(default=9300, ge=0, le=65535)
    dashboard_port: int = Field(default=8300, ge=0, le=65535)


class Settings(Section):
    """Everything. `load` reports every wrong value at once."""

    commerce: CommerceSettings = CommerceSettings()
    capture: CaptureSettings = CaptureSettings()
    kafka: KafkaSettings = KafkaSettings()
    # A target's name is part of topics' names, and a column of the ledger.
    targets: dict[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=TARGET_NAME_MAX)],
        TargetSettings,
    ] = {}
    builder: BuilderSettings = BuilderSettings()
    ledger: LedgerSettings = LedgerSettings()
    audit: AuditSettings = AuditSettings()
    http: HttpSettings = HttpSettings()


def _feed_name(name: str) -> str:
    """A feed's own name for a name in any case; an unknown one stays as it is."""
    known = {feed.lower(): feed for feed in FEEDS}
    return known.get(name.strip().lower(), name.strip())


def _is_set(value: str | SecretStr) -> bool:
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


def load(config_file: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the file, lay the environment over it, and check the whole.

    Args:
        config_file: TOML; None means the file named by COMMERCE_SYNC_CONFIG, or none.
        environ: defaults to the process's own.

    Raises:
        UsageError: naming every setting that is wrong, its value (secrets hidden) and what is allowed.
    """
    environ = os.environ if environ is None else environ
    source = "--config"
    if config_file is None and environ.get(CONFIG_VARIABLE):
        config_file, source = Path(environ[CONFIG_VARIABLE]), CONFIG_VARIABLE
    values = _from_file(config_file, source) if config_file else {}
    for name, value in environ.items():
        if name.startswith(ENVIRONMENT_PREFIX):
            _lay_over(values, name, value)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise UsageError("; ".join(_sentence(detail) for detail in error.errors())) from None


def _from_file(config_file: Path, source: str) -> dict[str, Any]:
    """`source` is the option or variable that named the file."""
    try:
        return tomllib.loads(config_file.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{source} {config_file} cannot be read: {error.strerror}"
        raise UsageError(message) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{source} {config_file} is no valid TOML: {error}"
        raise UsageError(message) from None


def _lay_over(values: dict[str, Any], name: str, value: str) -> None:
    path = [part.lower() for part in name.removeprefix(ENVIRONMENT_PREFIX).split("__")]
    # Keys of these two tables have separators of their own, which an environment name cannot hold.
    if path[:2] == ["kafka", "client"] and len(path) > 2:
        path = ["kafka", "client", ".".join(path[2:]).replace("_", ".")]
    elif path[:2] == ["commerce", "config"] and len(path) > 2:
        path = ["commerce", "config", "/".join(path[2:])]
    section = values
    for part in path[:-1]:
        section = section.setdefault(part, {})
        if not isinstance(section, dict):
            message = f"{name}: '{part}' is a single value, not a section"
            raise UsageError(message)
    # A secret by environment wins over a file named in the configuration, and the other way round.
    section.pop(path[-1].removesuffix("_file") if path[-1].endswith("_file") else path[-1] + "_file", None)
    section[path[-1]] = value


def _sentence(detail: Any) -> str:
    where = ".".join(str(part) for part in detail["loc"] if part != "[key]")
    kind = detail["type"]
    if kind == "extra_forbidden":
        return f"{where}: unknown setting; check the spelling"
    if kind == "missing":
        return f"{where} is not set: add it"
    value = _shown(where, detail["input"])
    if kind in {"model_type", "dict_type"}:
        return f"{where}{value}: is a section, no single value: write [{where}] and its settings below"
    return f"{where}{value}: {detail['msg'].removeprefix('Value error, ')}"


def _shown(where: str, value: Any) -> str:
    """A wrong value as it is told; nothing where it may be a secret, an address without its user."""
    if isinstance(value, dict | list) or re.search("password|secret|key|client", where):
        return ""
    if "url" in where:
        # What stands before the last @ is user and password, also where the rest is misspelt.
        value = re.sub(r"^([a-z]+://)?.*@", r"\1...@", str(value), flags=re.DOTALL).partition("?")[0]
    return f" = {value!r}"
