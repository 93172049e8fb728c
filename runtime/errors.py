"""Every failure of the project and the decision that goes with it."""


class CommerceSyncError(Exception):
    """A failure a person can read: one sentence naming the setting, the value and the mend."""

    exit_code = 1


class NotFine(CommerceSyncError):
    """The thing asked about is not fine (a check failed, a difference was found). Exit code 1."""


class UsageError(CommerceSyncError):
    """The command line or the configuration is wrong. Exit code 2."""

    exit_code = 2


class Unreachable(CommerceSyncError):
    """Something needed cannot be reached: database, broker, Connect, target. Exit code 3."""

    exit_code = 3


class Transient(CommerceSyncError):
    """The same bytes will pass later: wait and try again."""

    exit_code = 3

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Waiting(Transient):
    """Nothing is wrong, it is only not our turn yet (an allowance refills); no reason for a warning."""


class UnreadableText(Transient):
    """A text that is called UTF-8 and is none: the next read mends it."""


class BehindFloor(Transient):
    """The server that is read is behind another one that was read before."""


class Poison(CommerceSyncError):
    """These bytes will never pass: park them with the reason and go on."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class Fault(CommerceSyncError):
    """A promise of ours is broken: stop, commit nothing."""


class Doubt(Fault):
    """A transaction ended without our knowing how: start over and check what it left."""

    exit_code = 70
