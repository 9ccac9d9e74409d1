"""The .sql format: what is accepted, and what each broken file is told."""

from pathlib import Path

import pytest

from mesh.data.sql import Query, SqlFileError, all_queries, load, schema_of

GOOD = """-- name: count_nights
-- Count the nights of a listing.
-- $1 listing id
SELECT count(*) FROM {shard}.nights  -- trailing remark
WHERE listing_id = $1 AND tags <> '{}';

-- name: add_night
-- Add one night.
INSERT INTO {shard}.nights VALUES ($1)
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "nights.sql"
    path.write_text(text, "utf-8")
    return path


def test_a_query_has_one_text_per_shard_and_keeps_other_braces(tmp_path: Path) -> None:
    query = load(write(tmp_path, GOOD)).count_nights
    assert query.purpose == "Count the nights of a listing. $1 listing id"
    assert len(query.text_by_shard) == 16
    assert query.text_by_shard[7] == (
        "SELECT count(*) FROM shard_07.nights  -- trailing remark\n"
        "WHERE listing_id = $1 AND tags <> '{}'"
    )


def test_queries_are_found_by_name_and_counted(tmp_path: Path) -> None:
    queries = load(write(tmp_path, GOOD))
    assert [query.name for query in queries] == ["count_nights", "add_night"]
    assert len(queries) == 2
    with pytest.raises(AttributeError, match=r"nights\.sql has no query named 'drop_night'"):
        _ = queries.drop_night


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("SELECT 1\n-- name: a\n-- Why.\nSELECT 1", "text before the first"),
        ("-- nothing here\n", "text before the first"),
        ("\n", "no '-- name:' line"),
        ("-- name: BadName\n-- Why.\nSELECT 1", "lower_snake"),
        ("-- name:\n-- Why.\nSELECT 1", "lower_snake"),
        ("-- name: a\nSELECT 1", "purpose"),
        ("-- name: a\n--\nSELECT 1", "purpose"),
        ("-- name: a\n-- Why.\n;", "no SQL"),
        ("-- name: a\n-- Why.\nSELECT 1\n-- name: a\n-- Why.\nSELECT 2", "a second query"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(SqlFileError, match=complaint) as caught:
        load(write(tmp_path, text))
    assert "nights.sql" in str(caught.value)


def test_all_queries_leaves_migrations_out(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "1_expand_nights.sql").write_text("CREATE TABLE nights ()")
    assert [query.name for query in all_queries(tmp_path)] == ["count_nights", "add_night"]


def test_a_query_made_in_code_is_the_same_thing() -> None:
    query = Query.of("ping", "Ask for a row.", "SELECT 1 FROM {shard}.t")
    assert query.text_by_shard[15] == f"SELECT 1 FROM {schema_of(15)}.t"
