import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.ids import BUCKETS, InvalidId, bucket_of, derive_id, new_id, parse, shard_of

MS = st.integers(0, 2**48 - 1)
BUCKET = st.integers(0, BUCKETS - 1)
ENTROPY = st.binary(min_size=9, max_size=16)
KNOWN = "lst_" + "0" * 26


@given(MS, BUCKET, ENTROPY)
def test_an_id_says_its_time_and_bucket(ms: int, bucket: int, entropy: bytes) -> None:
    text = new_id("lst", now_ms=ms, bucket=bucket, entropy=entropy)
    assert len(text) == 4 + 26
    parts = parse(text, "lst")
    assert (parts.ms, parts.bucket) == (ms, bucket)
    assert parts.random == int.from_bytes(entropy[:9]) >> 2
    assert bucket_of(text) == bucket
    assert shard_of(text) == bucket >> 8
    assert 0 <= shard_of(text) < 16


@given(st.tuples(MS, BUCKET, ENTROPY), st.tuples(MS, BUCKET, ENTROPY))
def test_text_order_is_time_order_then_bucket_order(
    a: tuple[int, int, bytes], b: tuple[int, int, bytes]
) -> None:
    one, two = (new_id("evt", now_ms=m, bucket=k, entropy=e) for m, k, e in (a, b))
    assert (one < two) == (
        (*a[:2], int.from_bytes(a[2][:9]) >> 2) < (*b[:2], int.from_bytes(b[2][:9]) >> 2)
    )


def test_ids_of_one_instant_differ() -> None:
    assert len({new_id("usr", now_ms=1) for _ in range(1000)}) == 1000


@given(MS, BUCKET, st.text())
def test_a_derived_id_is_always_the_same(ms: int, bucket: int, seed: str) -> None:
    seed = seed.encode(errors="ignore").decode()
    one = derive_id("bkg", now_ms=ms, bucket=bucket, seed=seed)
    assert one == derive_id("bkg", now_ms=ms, bucket=bucket, seed=seed)
    assert one != derive_id("bkg", now_ms=ms, bucket=bucket, seed=seed + "x")
    assert bucket_of(one) == bucket


def test_a_derived_id_depends_on_its_prefix() -> None:
    assert (
        parse(derive_id("bkg", now_ms=1, bucket=1, seed="s"), "bkg").random
        != parse(derive_id("pay", now_ms=1, bucket=1, seed="s"), "pay").random
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lst",
        "lst_",
        "lst_" + "0" * 25,
        "lst_" + "0" * 27,
        "lst_" + "0" * 25 + "u",
        "lst_" + "0" * 25 + "l",
        "lst_" + "0" * 25 + "A",
        "lst_" + "0" * 25 + "\u0661",
        "LST_" + "0" * 26,
        "_" + "0" * 26,
        "l1t_" + "0" * 26,
        "lst_" + "0" * 26 + "\n",
        " lst_" + "0" * 26,
    ],
)
def test_what_is_not_exactly_an_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidId):
        parse(text, "lst")
    with pytest.raises(InvalidId):
        bucket_of(text)


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        parts = parse(text, "lst")
    except InvalidId:
        return
    assert text.startswith("lst_")
    assert parts.bucket == bucket_of(text)


def test_an_id_of_another_kind_is_refused() -> None:
    with pytest.raises(InvalidId, match="usr_"):
        parse(KNOWN, "usr")


@pytest.mark.parametrize(
    ("prefix", "ms", "bucket", "entropy"),
    [
        ("", 0, 0, b"0" * 9),
        ("LST", 0, 0, b"0" * 9),
        ("l_t", 0, 0, b"0" * 9),
        ("lst", -1, 0, b"0" * 9),
        ("lst", 2**48, 0, b"0" * 9),
        ("lst", 0, -1, b"0" * 9),
        ("lst", 0, 4096, b"0" * 9),
        ("lst", 0, 0, b"0" * 8),
    ],
)
def test_an_id_that_cannot_be_is_a_mistake_of_ours(
    prefix: str, ms: int, bucket: int, entropy: bytes
) -> None:
    with pytest.raises(ValueError, match=r"prefix|range|entropy"):
        new_id(prefix, now_ms=ms, bucket=bucket, entropy=entropy)
