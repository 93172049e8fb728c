"""The dialect of a target. Pure."""

from consumers.sink.dialects import Dialect
from consumers.sink.dialects.optimizer import OptimizerDialect
from consumers.sink.dialects.saas import SaasDialect
from runtime.settings import TargetSettings


def dialect_of(target: TargetSettings) -> Dialect:
    match target.dialect:
        case "optimizer":
            return OptimizerDialect()
        case "saas":
            return SaasDialect(target.auth.environment_id)
