"""Text that a database holds as UTF-8 although it is none: read all the same.

Servers take surrogates (half of a character, as programs write that think in UTF-16), and tables whose bytes
were imported past the server hold anything. Two halves become their character; what else is wrong becomes
U+FFFD, as everywhere else where text is read that is none.
"""

import codecs
import re
from typing import Final

ENCODING: Final = "utf8_mended"
_HANDLER: Final = "mend"
_SURROGATE: Final = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")


def _mend(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    half = _SURROGATE.match(error.object, error.start)
    if half is None:
        return "\ufffd", error.end
    return half[0].decode("utf-8", "surrogatepass"), half.end()


def decode(data: bytes, errors: str = "strict") -> tuple[str, int]:
    """As a codec does it: the text and how many bytes were read."""
    try:
        return str(data, "utf-8"), len(data)
    except UnicodeDecodeError:
        text = str(data, "utf-8", _HANDLER)
    # Halves that stand side by side are one character in UTF-16; a single one is none.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"), len(data)


def _search(name: str) -> codecs.CodecInfo | None:
    if name != ENCODING:
        return None
    return codecs.CodecInfo(codecs.utf_8_encode, decode, name=ENCODING)  # type: ignore[arg-type]


codecs.register_error(_HANDLER, _mend)
codecs.register(_search)
