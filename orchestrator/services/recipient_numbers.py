"""Phone numbers as they stand in people's files: to E.164, and to the time zones that they may lie in."""

import re
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import timezone

from orchestrator.domain.number_spelling import other_spelling

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_NOISE = re.compile(r"[\s\u200b-\u200f\u202a-\u202e\u2060\ufeff.()\-\u2013/]+")
_LONGEST_COUNTRY_CODE: Final = 3
_ZONE_PREFIX: Final = 9
"""A plus sign and eight digits: longer than any prefix that decides a zone."""

_LONGEST_GIVEN: Final = 40


def to_e164(given: str, region: str) -> str:
    """Give the number in E.164 form, empty where there is no such number.

    `region` (ISO 3166) is that of numbers without a country code. A number without a plus sign that is none of the
    region's is read with its country code: spreadsheets drop the sign.
    """
    bare = _NOISE.sub("", given[:_LONGEST_GIVEN])
    if bare.startswith("00"):
        bare = "+" + bare[2:]
    if bare.startswith("+"):
        return bare if is_possible(bare) else ""
    if not (bare.isascii() and bare.isdecimal()):
        return ""
    return _of_region(bare, region) or (f"+{bare}" if is_possible(f"+{bare}") else "")


def is_possible(number: str) -> bool:
    """Tell whether an E.164 number has a length that its country has. Numbers of the usual form need no parsing."""
    if not _E164.fullmatch(number):
        return False
    return _has_usual_length(number) or _is_possible_for_library(number) or bool(other_spelling(number))


def zones_of(number: str) -> tuple[str, ...]:
    """Give the IANA names of the zones that an E.164 number may lie in; none where that is not known."""
    return _zones(number[:_ZONE_PREFIX], len(number))


def is_region(region: str) -> bool:
    """Tell whether a region is one that numbers are known of."""
    return region in phonenumbers.SUPPORTED_REGIONS


def _of_region(digits: str, region: str) -> str:
    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return ""
    # Local numbers without an area code are possible, but reach nobody from abroad.
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return ""
    written: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return written if _E164.fullmatch(written) else ""


def _has_usual_length(number: str) -> bool:
    for digits in range(1, _LONGEST_COUNTRY_CODE + 1):
        lengths = _lengths(int(number[1 : 1 + digits]))
        if lengths:
            return len(number) - 1 - digits in lengths
    return False


def _is_possible_for_library(number: str) -> bool:
    try:
        return bool(phonenumbers.is_possible_number(phonenumbers.parse(number, None)))
    except phonenumbers.NumberParseException:
        return False


@lru_cache(maxsize=2048)
def _lengths(country_code: int) -> frozenset[int]:
    """The lengths of a country's numbers without its code; empty where no country has the code."""
    region = phonenumbers.region_code_for_country_code(country_code)
    metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
    described = metadata.general_desc if metadata else None
    if described is None:
        return frozenset()
    return frozenset((*described.possible_length, *described.possible_length_local_only)) - {-1}


@lru_cache(maxsize=100_000)
def _zones(prefix: str, length: int) -> tuple[str, ...]:
    try:
        number = phonenumbers.parse(prefix.ljust(length, "1"), None)
    except phonenumbers.NumberParseException:
        return ()
    zones: tuple[str, ...] = timezone.time_zones_for_geographical_number(number)
    return tuple(zone for zone in zones if zone != timezone.UNKNOWN_TIMEZONE)
