"""JSON as it is stored."""

import json

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.store.json_text import dump_json

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
leaves = st.none() | st.booleans() | st.integers() | texts
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20)


@given(values)
def test_what_is_written_reads_the_same(value: object) -> None:
    assert json.loads(dump_json(value)) == value


def test_nul_is_replaced_and_what_only_looks_like_it_is_kept() -> None:
    value = {"a\0b": ["c\0", "\\u0000", 1, None]}

    assert json.loads(dump_json(value)) == {"a\ufffdb": ["c\ufffd", "\\u0000", 1, None]}


def test_it_is_compact_and_readable() -> None:
    assert dump_json({"name": "São Paulo", "n": [1, 2]}) == '{"name":"São Paulo","n":[1,2]}'
