"""A jar is used only when its bytes are those that our lock file names."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from stack.errors import StackError
from stack.jars import fetch
from stack.jars.fetch import Jar

GOOD = b"a jar"
JAR = Jar(group="g", artifact="a", version="1", sha256=hashlib.sha256(GOOD).hexdigest())


def client(monkeypatch: pytest.MonkeyPatch, *contents: bytes) -> Callable[[], int]:
    """Have the registry client answer with these contents in turn; return how often it was asked.

    Like the real one it gives back what it has kept, and asks again only when that is gone.
    """
    answers = list(contents)

    def resolve(jar: Jar, store: Path) -> Path:
        path = store / jar.file_name
        if not path.exists():
            store.mkdir(parents=True, exist_ok=True)
            path.write_bytes(answers.pop(0))
        return path

    monkeypatch.setattr(fetch, "_resolve", resolve)
    return lambda: len(contents) - len(answers)


def test_a_good_jar_is_placed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    client(monkeypatch, GOOD)
    fetch.place((JAR,), tmp_path, lambda _: tmp_path / "lib")
    assert (tmp_path / "lib" / "a-1.jar").read_bytes() == GOOD


def test_a_half_written_jar_is_fetched_once_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = client(monkeypatch, GOOD[:2], GOOD)
    fetch.place((JAR,), tmp_path, lambda _: tmp_path / "lib")
    assert asked() == 2


def test_a_jar_with_another_hash_is_never_placed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client(monkeypatch, b"evil", b"evil")
    with pytest.raises(StackError, match="SHA-256 differs"):
        fetch.place((JAR,), tmp_path, lambda _: tmp_path / "lib")
    assert not (tmp_path / "lib").exists()
    assert list((tmp_path / "repository").iterdir()) == []


def test_an_interrupted_build_leaves_nothing_that_looks_finished(tmp_path: Path) -> None:
    finished = fetch.location(tmp_path, "kafka", "recipe")

    def interrupted(draft: Path) -> None:
        (draft / "half").write_text("")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch.build_once(finished, interrupted)
    assert not finished.exists()
    fetch.build_once(finished, lambda draft: (draft / "whole").touch())
    assert [path.name for path in finished.iterdir()] == ["whole"]


def test_a_finished_build_is_not_repeated(tmp_path: Path) -> None:
    finished = fetch.location(tmp_path, "kafka", "recipe")
    built: list[Path] = []
    for _ in range(2):
        fetch.build_once(finished, built.append)
    assert len(built) == 1


def test_another_recipe_is_another_place(tmp_path: Path) -> None:
    places = {fetch.location(tmp_path, "kafka", recipe) for recipe in ("one", "two")}
    assert len(places) == 2


@pytest.mark.parametrize(("name", "count"), [("kafka", 34), ("elasticsearch", 53), ("compiler", 1)])
def test_the_committed_locks_name_each_jar_once_with_its_hash(name: str, count: int) -> None:
    jars = fetch.read_lock(fetch.lock_text(name))
    assert len({jar.file_name for jar in jars}) == len(jars) == count
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in jars)
