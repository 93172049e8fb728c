"""Kafka, Connect and the targets: does each answer, and does it take what we bring?"""

import time
from collections.abc import Mapping
from typing import Final, Literal

import requests

from commerce_sync.checks.verdicts import Finding
from consumers.sink.dialects.optimizer import OptimizerDialect
from consumers.sink.dialects.saas import SaasDialect
from consumers.sink.sign import Signer
from producers.connectors.connect import Connect
from producers.connectors.declare import declare
from runtime.errors import CommerceSyncError, Unreachable
from runtime.kafka import admin_client, require_broker
from runtime.settings import Settings, TargetSettings
from schemas.topics import TopicNames

TOKEN_S_MAX: Final = 10.0

Verdict = tuple[Literal["ok", "not ok", "unreachable"], str]

# By dialect: what lets a request in, what to correct where it does not, and what else a path is made of.
_PROOFS: Final = {
    "optimizer": ("token", "auth.scope, or let the account into this tenant", ", the tenant in it included"),
    "saas": (
        "key and the signature",
        "auth.api_key, auth.private_key or this machine's clock",
        ", or auth.environment_id",
    ),
}


def kafka_findings(settings: Settings) -> list[Finding]:
    """Ask for the brokers."""
    try:
        require_broker(settings.kafka, timeout_s=5)
        brokers = len(admin_client(settings.kafka).list_topics(timeout=5).brokers)
    except CommerceSyncError as error:
        return [_finding("kafka", error)]
    wanted = settings.kafka.replication_factor
    if brokers < wanted:
        sentence = (
            f"kafka.replication_factor = {wanted} is more than the brokers in the cluster ({brokers}): "
            "set it to their number or less, or start the missing ones"
        )
        return [Finding("kafka", "not ok", sentence)]
    return [Finding("kafka", "ok", f"{settings.kafka.bootstrap_servers}, brokers: {brokers}")]


def connect_findings(settings: Settings, connector_class: str | None) -> list[Finding]:
    """Ask a worker whether it would take the connector; it logs in to the database to find out.

    Args:
        connector_class: None when the database could not say what it is.
    """
    connect = Connect(settings.capture.connect_url)
    try:
        classes = connect.plugin_classes()
        found = Finding("connect", "ok", connect.url)
        if connector_class is None:
            return [found]
        if connector_class not in classes:
            sentence = (
                f"capture.connect_url = {connect.url}: the worker has no plugin "
                f"{connector_class}: put Debezium's connector on its plugin.path and restart it"
            )
            return [Finding("connect", "not ok", sentence)]
        wanted = declare(settings, TopicNames(settings.kafka.topic_prefix), connector_class)
        refusals = connect.validate(wanted)
    except CommerceSyncError as error:
        return [_finding("connect", error)]
    if not refusals:
        return [found, Finding("connector", "ok", "Connect takes the configuration and reaches the database")]
    return [
        found,
        *(Finding("connector", "not ok", _refusal(refusal.name, refusal.reason)) for refusal in refusals),
    ]


def target_findings(name: str, target: TargetSettings) -> list[Finding]:
    """Try the credentials as the sink will: for a token, and for a request without items."""
    check = f"target {name}"
    if target.dialect == "saas":
        headers = Signer(target.auth, time.time).headers()
        path = SaasDialect(target.auth.environment_id).path(target.sent_feeds[0], "upsert")
        return [Finding(check, *_request_verdict(name, target, path, headers))]
    path = OptimizerDialect().path(target.sent_feeds[0], "upsert")
    setting = f"targets.{name}.auth"
    if not target.auth.token_url:
        warning = f"{setting}.token_url is empty: requests are sent without a token"
        verdict = _request_verdict(name, target, path, {})
        # Let in without a token, as a service behind a gateway of one's own.
        return [Finding(check, "warning", warning)] if verdict[0] == "ok" else [Finding(check, *verdict)]
    verdict, token = _token(setting, target)
    if verdict[0] != "ok":
        return [Finding(check, *verdict)]
    return [Finding(check, *_request_verdict(name, target, path, {"Authorization": f"Bearer {token}"}))]


def _token(setting: str, target: TargetSettings) -> tuple[Verdict, str]:
    auth = target.auth
    form = {
        "grant_type": "client_credentials",
        "client_id": auth.client_id,
        "client_secret": auth.client_secret.get_secret_value(),
        "scope": auth.scope,
    }
    try:
        # A redirect would carry the secret elsewhere.
        answer = requests.post(auth.token_url, data=form, timeout=TOKEN_S_MAX, allow_redirects=False)
    except (requests.RequestException, ValueError) as error:
        sentence = (
            f"{setting}.token_url = {auth.token_url} cannot be reached ({type(error).__name__}): "
            "correct the address or open the way to it"
        )
        return ("unreachable", sentence), ""
    token = _token_in(answer)
    return judge_token_answer(setting, auth.token_url, answer.status_code, bool(token)), token


def _request_verdict(name: str, target: TargetSettings, path: str, headers: Mapping[str, str]) -> Verdict:
    setting = f"targets.{name}"
    try:
        answer = requests.post(
            target.url.rstrip("/") + path,
            data=b"[]",
            headers={"Content-Type": "application/json", **headers},
            timeout=TOKEN_S_MAX,
            allow_redirects=False,
        )
    except (requests.RequestException, ValueError) as error:
        return "unreachable", (
            f"{setting}.url = {target.url} cannot be reached ({type(error).__name__}): "
            "correct the address or open the way to it"
        )
    return judge_request_answer(setting, target, answer.status_code)


def judge_request_answer(setting: str, target: TargetSettings, status: int) -> Verdict:
    """Judge the answer to a request that holds no items: who gets to say so was let in."""
    proof, mend, place = _PROOFS[target.dialect]
    if status in {200, 202, 400}:
        return "ok", f"{target.url} answers, and takes the {proof}"
    if status in {401, 403}:
        return "not ok", f"{setting}: the service refuses the {proof} ({status}): correct {mend}"
    if status >= 500 or status == 429:
        return "unreachable", f"{setting}.url = {target.url} answers {status}: try again later"
    return "not ok", f"{setting}.url = {target.url} answers {status}: correct it{place}"


def judge_token_answer(setting: str, token_url: str, status: int, holds_token: bool) -> Verdict:
    """Judge a token endpoint's answer."""
    if status == 200 and holds_token:
        return "ok", "the credentials give a token"
    if status in {400, 401, 403}:
        return "not ok", (
            f"{setting}: the token endpoint refuses these credentials ({status}): correct client_id, "
            "client_secret or scope"
        )
    if status >= 500 or status == 429:
        return "unreachable", f"{setting}.token_url = {token_url} answers {status}: try again later"
    return "not ok", f"{setting}.token_url = {token_url} gives no token ({status}): correct the address"


def _token_in(answer: requests.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return ""
    return str(body.get("access_token") or "") if isinstance(body, dict) else ""


def _refusal(name: str, reason: str) -> str:
    mends = {
        "exactly.once.support": "set exactly.once.source.support=enabled in every worker's configuration",
        "database.hostname": "see that the worker reaches commerce.url's host, and that "
        "capture.password_placeholder names the password of capture.user on the worker",
    }
    return f"{name}: {reason.rstrip('.')}: {mends.get(name, 'correct the setting it is made from')}"


def _finding(check: str, error: CommerceSyncError) -> Finding:
    return Finding(check, "unreachable" if isinstance(error, Unreachable) else "not ok", str(error))
