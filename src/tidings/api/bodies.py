"""What callers send, read so that every fault has a sentence: JSON bodies, forms, and the texts of a query.

What is always true: a value that leaves here holds only text that any database can store (no NUL, no lone surrogate),
only numbers of 64 bits, and at most `DEPTH` levels. Whatever is not so is `Invalid`, named as far as it can be; it is
never a traceback. Bodies are small and mostly innocent, so the raw bytes are looked at first, and only what could hold
one of these faults is decoded a second time and walked.

Two oddities of real clients are at home here (contract section 4.5): no body at all is `{}`, and so is `[]` where an
object is wanted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast
from urllib.parse import parse_qsl

import msgspec

from tidings.errors import Invalid

T = TypeVar("T")

DEPTH = 64  # levels of lists and objects; Podio's deepest body has about eight
LEAST_INTEGER, GREATEST_INTEGER = -(2**63), 2**63 - 1

FORM = "application/x-www-form-urlencoded"


def read_body(raw: bytes, shape: type[T], *, content_type: str = "") -> T:
    """`raw` as `shape`, a type that msgspec knows. Raises `Invalid`, naming the field that is wrong.

    The content type is not insisted on; it only makes the sentence better when `raw` is no JSON.
    """
    try:
        value = _decode(raw, shape)
    except msgspec.ValidationError as error:
        raise _named(error) from None
    except msgspec.DecodeError as error:
        raise Invalid(_not_json(str(error), content_type)) from None
    except UnicodeDecodeError:
        raise Invalid("The body is not valid UTF-8 text") from None
    except RecursionError:
        raise _too_deep() from None
    _refuse_hidden_faults(raw)
    return value


@cache
def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape)


def _decode(raw: bytes, shape: type[T]) -> T:
    decode: Callable[[bytes], T] = _decoder(cast(Any, shape)).decode
    if not raw or raw.isspace():
        return decode(b"{}")
    try:
        return decode(raw)
    except msgspec.ValidationError:
        if raw.translate(None, b" \t\r\n") != b"[]":
            raise
        return decode(b"{}")


# --- sentences ---------------------------------------------------------------------------------------------------------

_AT = re.compile(r"(?P<fault>.*?)(?: - at `(?P<key>key` in `)?\$(?P<path>[^`]*)`)?", re.DOTALL)
_EXPECTED = re.compile(r"Expected `(?P<wanted>[^`]*)`(?P<bound> [^,]*)?(?:, got `(?P<given>[^`]*)`)?")
_WORDS = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list", "object": "an object"}
_MISSING = "Object missing required field `"
_UNKNOWN = "Object contains unknown field `"


def _named(error: msgspec.ValidationError) -> Invalid:
    """What msgspec complains of, as a sentence that begins with the field, and the field as a parameter."""
    match = _AT.fullmatch(str(error))
    assert match is not None  # the pattern takes any text
    fault, path = match["fault"], (match["path"] or "").removeprefix(".")
    for start, ending in ((_MISSING, "is missing"), (_UNKNOWN, "is not a field of this")):
        if fault.startswith(start):
            path = f"{path}.{fault.removeprefix(start).removesuffix('`')}".removeprefix(".")
            return Invalid(f"{path}: {ending}", parameters={"field": path})
    subject = f"a key of {path or 'the body'}" if match["key"] else path or "The body"
    return Invalid(f"{subject}: {_sentence(fault)}", parameters={"field": path} if path else {})


def _sentence(fault: str) -> str:
    match = _EXPECTED.fullmatch(fault)
    if match is None:
        return fault[:1].lower() + fault[1:]
    wanted = " or ".join(_WORDS.get(word, word) for word in match["wanted"].split(" | "))
    given = f", not {_WORDS.get(match['given'], match['given'])}" if match["given"] else ""
    return f"must be {wanted}{match['bound'] or ''}{given}"


def _not_json(fault: str, content_type: str) -> str:
    if content_type.lower().startswith((FORM, "multipart/form-data")):
        return "The body is a form; this operation takes JSON"
    return f"The body is not JSON: {fault.removeprefix('JSON is malformed: ')}"


def _too_deep() -> Invalid:
    return Invalid(f"The body is nested more than {DEPTH} levels deep")


# --- what msgspec lets pass --------------------------------------------------------------------------------------------

_LONG_NUMBER = re.compile(rb"[0-9](?:[0-9]{18}|[eE]\+?[0-9]{3})")
_decode_anything = msgspec.json.Decoder().decode


def _refuse_hidden_faults(raw: bytes) -> None:
    """Refuse what decoded well and still must not go further, also in fields that nobody reads."""
    try:
        if b"\\u" in raw or raw.count(b"[") + raw.count(b"{") > DEPTH or _LONG_NUMBER.search(raw):
            _walk(_decode_anything(raw))
        elif not raw.isascii():
            raw.decode("utf-8")
    except msgspec.DecodeError as error:
        raise Invalid(_not_json(str(error), "")) from None
    except UnicodeDecodeError:
        raise Invalid("The body is not valid UTF-8 text") from None
    except RecursionError:
        raise _too_deep() from None


def _walk(value: object) -> None:
    """Go through `value` one level at a time, so that depth costs no stack."""
    level: list[tuple[str, object]] = [("", value)]
    for _ in range(DEPTH + 1):
        level = [child for path, parent in level for child in _children(path, parent)]
        if not level:
            return
    raise _too_deep()


def _children(path: str, value: object) -> list[tuple[str, object]]:
    match value:
        case str() if "\0" in value:
            raise Invalid(f"{path or 'The body'}: must not contain a NUL character", parameters={"field": path} if path else {})
        case bool() | None:
            return []
        case int() if not LEAST_INTEGER <= value <= GREATEST_INTEGER:
            raise Invalid(f"{path or 'The body'}: the number is too large", parameters={"field": path} if path else {})
        case list():
            return [(f"{path}[{index}]", child) for index, child in enumerate(value)]
        case dict():
            return [(_joined(path, key), child) for key, child in value.items()]
        case _:
            return []


def _joined(path: str, key: str) -> str:
    if "\0" in key:
        raise Invalid(f"{path or 'The body'}: a name in it contains a NUL character", parameters={"field": path} if path else {})
    return f"{path}.{key[:60]}" if path else key[:60]


# --- forms and queries -------------------------------------------------------------------------------------------------


def read_pairs(raw: bytes, where: str) -> list[tuple[str, str]]:
    """The pairs of a form or a query, empty values kept. Raises `Invalid` for bytes that are not clean UTF-8 text.

    `where` is how the sentence calls it: "The query".
    """
    try:
        pairs = parse_qsl(raw.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=1000)
    except UnicodeDecodeError:
        raise Invalid(f"{where} is not valid UTF-8 text") from None
    except ValueError:
        raise Invalid(f"{where} has more than 1000 parameters") from None
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            clean = name.replace("\0", "")[:60]
            raise Invalid(f"{clean}: must not contain a NUL character", parameters={"field": clean})
    return pairs


def read_query(raw: bytes, shape: type[T]) -> T:
    """The query as `shape`, a Struct: flags are true, false, 1 or 0, in any case (contract section 6.1).

    A parameter without a value counts as not given where it is no text, and of one that is repeated the last stands. Raises
    `Invalid`, naming the one that is wrong.
    """
    if not raw:
        return msgspec.convert({}, shape)
    given = {name: value for name, value in read_pairs(raw, "The query") if value or name in _texts(cast(Any, shape))}
    try:
        return msgspec.convert(given, shape, strict=False)
    except msgspec.ValidationError as error:
        raise _named(error) from None


@cache
def _texts(shape: Any) -> frozenset[str]:
    """The parameters that take any text, and so the empty one."""
    (taken,) = msgspec.inspect.multi_type_info([shape])
    assert isinstance(taken, msgspec.inspect.StructType)
    return frozenset(field.encode_name for field in taken.fields if _takes_text(field.type))


def _takes_text(taken: msgspec.inspect.Type) -> bool:
    if isinstance(taken, msgspec.inspect.UnionType):
        return any(_takes_text(each) for each in taken.types)
    return isinstance(taken, msgspec.inspect.StrType) or (isinstance(taken, msgspec.inspect.Metadata) and _takes_text(taken.type))
