import copy

import pytest

from mesh.errors import CLASS_OF, Conflict, Invalid, Kind, MeshError, NotFound, Violation


class ListingGone(NotFound):
    """A service's own error."""

    reason = "LISTING_GONE"


def test_every_kind_has_a_class_of_its_own() -> None:
    assert set(CLASS_OF) == set(Kind)
    assert len(set(CLASS_OF.values())) == len(Kind)
    for kind, cls in CLASS_OF.items():
        assert cls.kind is kind
        assert cls.reason.isupper()


def test_a_subclass_keeps_its_kind_and_brings_its_reason() -> None:
    error = ListingGone("no such listing", metadata={"listing_id": "lst_1"})
    assert (error.kind, error.reason) == (Kind.NOT_FOUND, "LISTING_GONE")
    assert error.metadata == {"listing_id": "lst_1"}
    assert str(error) == "no such listing"
    assert not error.violations


def test_without_a_text_the_reason_is_the_text() -> None:
    assert str(ListingGone()) == "listing gone"


def test_one_error_can_have_a_reason_of_its_own() -> None:
    assert Conflict("x", reason="PRICE_MOVED").reason == "PRICE_MOVED"
    assert Conflict.reason == "CONFLICT"


def test_violations_name_fields() -> None:
    error = Invalid(violations=[("stay.guests", "at least 1")])
    assert error.violations == (Violation("stay.guests", "at least 1"),)


def test_metadata_is_not_shared_with_the_caller() -> None:
    given = {"a": "1"}
    error = MeshError("x", metadata=given)
    given["a"] = "2"
    assert error.metadata == {"a": "1"}


def test_an_error_can_be_copied() -> None:
    error = ListingGone("gone", metadata={"a": "1"}, violations=[("f", "d")])
    twin = copy.copy(error)
    assert vars(twin) == vars(error)
    with pytest.raises(ListingGone):
        raise twin
