"""Elasticsearch: partial answers are marked, failed documents are not hidden."""

from collections.abc import AsyncIterator

import pytest

from mesh.data.elastic import Elastic, IndexRefused, IndexUnavailable
from mesh.ids import new_id

MATCH_ALL: dict[str, object] = {"query": {"match_all": {}}}


@pytest.fixture
async def elastic(elasticsearch_url: str) -> AsyncIterator[Elastic]:
    async with Elastic.open(elasticsearch_url) as opened:
        yield opened


async def make(elastic: Elastic, prefix: str, kind: str) -> str:
    index = new_id(prefix, now_ms=0)
    mappings = {"properties": {"n": {"type": kind}}}
    assert await elastic.ensure_index(index, {"mappings": mappings})
    return index


def put(index: str, n: object, version: int) -> list[dict[str, object]]:
    action = {"_index": index, "_id": str(n), "version": version, "version_type": "external"}
    return [{"index": action}, {"n": n}]


async def test_what_is_written_is_found(elastic: Elastic) -> None:
    index = await make(elastic, "one", "long")
    assert await elastic.bulk(put(index, 1, 1) + put(index, 2, 1)) == 2
    await elastic.refresh(index)
    found = await elastic.search(index, {"sort": [{"n": "desc"}]})
    assert [hit["_source"]["n"] for hit in found.hits] == [2, 1]
    assert (found.total, found.partial) == (2, False)


async def test_an_older_version_is_not_written_and_is_no_failure(elastic: Elastic) -> None:
    index = await make(elastic, "one", "long")
    await elastic.bulk(put(index, 1, 5))
    assert await elastic.bulk(put(index, 1, 4) + put(index, 2, 1)) == 1
    assert await elastic.bulk([]) == 0


async def test_an_answer_without_some_shards_is_marked_partial(elastic: Elastic) -> None:
    """Sorting by a text field fails on the shards of the index that has one."""
    well, ill = await make(elastic, "par", "long"), await make(elastic, "par", "text")
    await elastic.bulk(put(well, 1, 1) + put(ill, "x", 1))
    await elastic.refresh(f"{well},{ill}")
    found = await elastic.search(f"{well},{ill}", {"sort": [{"n": "asc"}]})
    assert found.partial
    assert [hit["_source"]["n"] for hit in found.hits] == [1]


async def test_a_document_that_does_not_fit_is_told(elastic: Elastic) -> None:
    index = await make(elastic, "one", "long")
    with pytest.raises(IndexRefused, match="1 of 2 documents"):
        await elastic.bulk(put(index, 1, 1) + put(index, "not a number", 1))


async def test_an_index_is_made_once(elastic: Elastic) -> None:
    index = await make(elastic, "one", "long")
    assert not await elastic.ensure_index(index, {})


async def test_no_index_yet_is_unavailable_and_a_bad_query_is_a_bug(elastic: Elastic) -> None:
    with pytest.raises(IndexUnavailable):
        await elastic.search("no-such-index", MATCH_ALL)
    index = await make(elastic, "one", "long")
    for _ in range(5):  # beyond what opens the breaker
        with pytest.raises(IndexRefused):
            await elastic.search(index, {"query": {"nonsense": {}}})
    await elastic.ready()


async def test_no_node_is_unavailable() -> None:
    async with Elastic.open("http://127.0.0.1:1") as nobody:
        for _ in range(5):
            with pytest.raises(IndexUnavailable):
                await nobody.search("any", MATCH_ALL)
        with pytest.raises(IndexUnavailable):
            await nobody.ready()
