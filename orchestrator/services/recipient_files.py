"""Reading recipients out of CSV and XLSX files, row by row: memory does not grow with the file."""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, islice
from typing import IO, Any, Final
from xml.etree.ElementTree import ParseError

from orchestrator.domain.campaign.template import LONGEST_FIELD_NAME, is_field_name
from orchestrator.domain.errors import IMPORT_UNREADABLE, PonteError
from orchestrator.services.recipient_numbers import to_e164

MOST_ROWS: Final = 5_000_000
MOST_COLUMNS: Final = 60
LONGEST_VALUE: Final = 500
LONGEST_NAME: Final = 200

_MOST_UNPACKED_BYTES: Final = 2 * 1024**3
"""An XLSX is an archive: one that unpacks to more was made to harm."""

_PHONE_COLUMNS: Final = frozenset(
    {
        *("phone_number", "phone", "number", "mobile", "cell", "tel", "whatsapp", "to"),
        *("telefone", "celular", "numero", "fone", "telefono", "movil", "telephone", "portable"),
    }
)
_NAME_COLUMNS: Final = frozenset({"name", "full_name", "nome", "nome_completo", "nombre", "nom"})
_NO_FIELD: Final = re.compile(r"[^a-z0-9]+")
_DELIMITERS: Final = ",;\t|"
_GIVEN_CHARACTERS: Final = 60


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a file. `number` is E.164, empty where `given` is none; `values` have a value each."""

    line: int
    given: str
    number: str
    name: str
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Columns:
    phone: int
    name: int | None
    fields: tuple[tuple[int, str], ...]


def read_rows(file: IO[bytes], region: str) -> Iterator[Row]:
    """Yield the recipients of a file that is XLSX or else CSV, in UTF-8 with any usual delimiter.

    The first row names the columns: one of phone_number, phone, telefone and the like, a name, and own fields. Without
    such a row the first column is the number and the second the name. Lines count from 1, the heading among them.
    Raises PonteError(IMPORT_UNREADABLE), also in the middle.
    """
    with _told():
        is_archive = file.read(4) == b"PK\x03\x04"
        file.seek(0)
        cells = _xlsx_cells(file) if is_archive else _csv_cells(file)
        first = next(cells, None)
        if first is None:
            raise PonteError(IMPORT_UNREADABLE, "The file has no lines.")
        columns = _columns(first[1])
        if columns is None:
            columns = _without_heading(first[1], region)
            cells = chain([first], cells)
        for line, row in islice(cells, MOST_ROWS + 1):
            if line > MOST_ROWS:
                raise PonteError(IMPORT_UNREADABLE, f"The file has more than {MOST_ROWS} lines; split it.")
            if any(row):
                yield _row(line, row, columns, region)


def field_name(heading: str) -> str:
    """Turn a column's heading into a variable's name: `Order No.` is order_no. Empty where nothing is left of it."""
    plain = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode().lower()
    name = _NO_FIELD.sub("_", plain).strip("_")[:LONGEST_FIELD_NAME].rstrip("_")
    return name if is_field_name(name) else f"f_{name}"[:LONGEST_FIELD_NAME] if name else ""


def make_row(line: int, given: str, name: str, values: dict[str, str], region: str) -> Row:
    """Make a row of what was given, cut to what is kept."""
    return Row(
        line,
        given[:_GIVEN_CHARACTERS],
        to_e164(given, region),
        name.strip()[:LONGEST_NAME],
        {key: value.strip()[:LONGEST_VALUE] for key, value in values.items() if value.strip()},
    )


def _row(line: int, cells: Sequence[str], columns: _Columns, region: str) -> Row:
    def at(position: int | None) -> str:
        return cells[position] if position is not None and position < len(cells) else ""

    values = {name: at(position) for position, name in columns.fields}
    return make_row(line, at(columns.phone).strip(), at(columns.name), values, region)


def _columns(heading: Sequence[str]) -> _Columns | None:
    if len(heading) > MOST_COLUMNS:
        raise PonteError(IMPORT_UNREADABLE, f"The file has more than {MOST_COLUMNS} columns.")
    names = [field_name(cell) for cell in heading]
    phone = next((position for position, name in enumerate(names) if name in _PHONE_COLUMNS), None)
    if phone is None:
        return None
    name_at = next((position for position, name in enumerate(names) if name in _NAME_COLUMNS), None)
    taken = {phone, name_at}
    fields = tuple((position, name) for position, name in enumerate(names) if position not in taken and name)
    return _Columns(phone, name_at, fields)


def _without_heading(first: Sequence[str], region: str) -> _Columns:
    if not first or not to_e164(first[0], region):
        raise PonteError(
            IMPORT_UNREADABLE,
            "The first line names no column phone_number (or phone, telefone, celular, number, whatsapp).",
        )
    return _Columns(0, 1 if len(first) > 1 else None, ())


def _csv_cells(file: IO[bytes]) -> Iterator[tuple[int, list[str]]]:
    lines = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        heading = lines.readline(1 << 16)
        delimiter = max(_DELIMITERS, key=heading.count)
        lines.seek(0)
        reader = csv.reader(lines, delimiter=delimiter)
        for row in reader:
            yield reader.line_num, row
    finally:
        # The caller's file stays open; where it was closed already, there is nothing to let go of.
        with suppress(ValueError):
            lines.detach()


def _xlsx_cells(file: IO[bytes]) -> Iterator[tuple[int, list[str]]]:
    with zipfile.ZipFile(file) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > _MOST_UNPACKED_BYTES:
            raise PonteError(IMPORT_UNREADABLE, "The workbook unpacks to more than 2 GiB; save it as CSV.")
    # Here, since it takes a tenth of a second to import and most processes never read a workbook.
    from openpyxl import load_workbook

    workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    try:
        for line, row in enumerate(workbook.worksheets[0].iter_rows(values_only=True), start=1):
            yield line, [_cell(value) for value in row]
    finally:
        workbook.close()


def _cell(value: Any) -> str:
    """Spreadsheets keep phone numbers as numbers, which lose their plus sign and gain a fraction."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


@contextmanager
def _told() -> Iterator[None]:
    """Say in one sentence what is wrong with a file."""
    try:
        yield
    except UnicodeDecodeError:
        raise PonteError(
            IMPORT_UNREADABLE, "The file is not UTF-8; save it as 'CSV UTF-8' or as XLSX."
        ) from None
    except csv.Error as error:
        raise PonteError(IMPORT_UNREADABLE, f"The file is not valid CSV: {error}.") from None
    except (zipfile.BadZipFile, ParseError, KeyError, ValueError, IndexError, OSError) as error:
        raise PonteError(
            IMPORT_UNREADABLE, f"The workbook is damaged ({type(error).__name__}); save it anew."
        ) from None
