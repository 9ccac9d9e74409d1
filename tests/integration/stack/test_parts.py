"""Each real part does its work once the stack says it is ready."""

import asyncpg
import redis.asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from elasticsearch import AsyncElasticsearch


async def test_a_fresh_database_has_the_extensions_and_takes_a_serializable_write(
    fresh_database: str,
) -> None:
    connection = await asyncpg.connect(fresh_database)
    try:
        names = await connection.fetch("SELECT extname FROM pg_extension")
        assert {"btree_gist", "cube", "earthdistance", "pg_trgm"} <= {row[0] for row in names}
        async with connection.transaction(isolation="serializable"):
            await connection.execute("CREATE TABLE nights (night date PRIMARY KEY)")
            await connection.execute("INSERT INTO nights VALUES ('2030-01-01')")
        assert await connection.fetchval("SELECT count(*) FROM nights") == 1
    finally:
        await connection.close()


async def test_valkey_keeps_a_value(valkey_url: str) -> None:
    async with redis.asyncio.from_url(valkey_url) as client:
        await client.set("stack:test", "kept")
        assert await client.get("stack:test") == b"kept"


async def test_kafka_acknowledges_a_record(kafka_bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic("stack.test", 1, 1)])
    finally:
        await admin.close()
    async with AIOKafkaProducer(
        bootstrap_servers=kafka_bootstrap, enable_idempotence=True
    ) as producer:
        record = await producer.send_and_wait("stack.test", b"hello")
    assert record.offset == 0


async def test_elasticsearch_finds_folded_text(elasticsearch_url: str) -> None:
    async with AsyncElasticsearch(elasticsearch_url) as client:
        assert (await client.info())["version"]["number"].startswith("9.")
        analysis = {"analyzer": {"folded": {"tokenizer": "standard", "filter": ["asciifolding"]}}}
        await client.indices.create(
            index="stack-test",
            settings={"analysis": analysis, "number_of_replicas": 0},
            mappings={"properties": {"city": {"type": "text", "analyzer": "folded"}}},
        )
        await client.index(index="stack-test", document={"city": "Zürich"}, refresh=True)
        found = await client.search(index="stack-test", query={"match": {"city": "Zurich"}})
        assert found["hits"]["total"]["value"] == 1
