"""What the edge refuses, in the one error shape, and what it lets through."""

import pytest

LISTING = "/api/v1/listings/lst_00000000000000000000000000"


def _reason(response) -> str:
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert set(body) == {"code", "message", "details"}
    info = body["details"][0]
    assert info["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
    assert info["domain"] == "staymesh"
    return info["reason"]


async def test_a_body_reaches_the_service_as_the_contract_says(edge) -> None:
    body = {
        "listing": {"title": "A", "basePrice": {"currencyCode": "USD", "units": "120"}},
        "updateMask": "title,basePrice",
    }
    answer = await edge.client.put(LISTING, json=body, headers=edge.token())
    assert answer.status_code == 200
    request = edge.asked[0]
    assert request.listing.base_price.units == 120
    assert list(request.update_mask.paths) == ["title", "base_price"]


async def test_query_parameters_become_the_request(edge) -> None:
    url = "/api/v1/search?location=Albany&checkIn=2030-01-01&guests=2&amenities=wifi&amenities=pool"
    assert (await edge.client.get(url)).status_code == 200
    assert edge.asked[0].guests == 2
    assert list(edge.asked[0].amenities) == ["wifi", "pool"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"listing":{"titel":"a"}}', "UNKNOWN_FIELD"),
        ('{"listing":{"basePrice":{"unit":1}}}', "UNKNOWN_FIELD"),
        ('{"listing":[{"x":1}]}', "UNKNOWN_FIELD"),
        ('{"listing":', "MALFORMED_JSON"),
        ('{"listing":{}} trailing', "MALFORMED_JSON"),
        ("[" * 100, "JSON_TOO_DEEP"),
        ("title=a", "MALFORMED_JSON"),
        ('{"listing":{"title":3}}', "MALFORMED_REQUEST"),
    ],
)
async def test_a_body_that_the_contract_does_not_know_is_refused(edge, body, reason) -> None:
    answer = await edge.client.put(LISTING, content=body, headers=edge.token())
    assert answer.status_code == 400
    assert _reason(answer) == reason
    assert edge.asked == []


async def test_escapes_and_unicode_in_strings_are_no_fault(edge) -> None:
    body = r'{"listing":{"title":"a \"quoted\" \\ {\u00e9} ünï [x]","maxGuests":4}}'
    answer = await edge.client.put(LISTING, content=body.encode(), headers=edge.token())
    assert answer.status_code == 200
    assert edge.asked[0].listing.title == 'a "quoted" \\ {é} ünï [x]'


@pytest.mark.parametrize(
    ("method", "url", "status", "reason"),
    [
        ("GET", "/nothing", 404, "NO_SUCH_PATH"),
        ("POST", LISTING, 404, "NO_SUCH_PATH"),
        ("GET", "/api/v1/search?bogus=1", 400, "MALFORMED_REQUEST"),
        ("GET", "/api/v1/search?guests=many", 400, "MALFORMED_REQUEST"),
        ("GET", "/api/v1%2flistings/x", 400, "MALFORMED_REQUEST"),
        ("GET", f"{LISTING}/reviews", 503, "UNAVAILABLE"),
        ("PUT", LISTING, 401, "UNAUTHENTICATED"),
        ("GET", "/staymesh.booking.v1.ListingService/GetListing", 404, "NO_SUCH_PATH"),
    ],
)
async def test_envoys_own_answers_have_the_one_shape(edge, method, url, status, reason) -> None:
    answer = await edge.client.request(method, url)
    assert answer.status_code == status
    assert _reason(answer) == reason


async def test_a_body_over_the_limit_is_refused(edge) -> None:
    answer = await edge.client.put(LISTING, content=b"a" * (2 << 20), headers=edge.token())
    assert (answer.status_code, _reason(answer)) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize("claims", [{"exp": 1}, {"iss": "https://other"}, {"aud": "other"}])
async def test_a_wrong_token_is_refused_even_where_none_is_needed(edge, claims) -> None:
    answer = await edge.client.get(LISTING, headers=edge.token(**claims))
    assert (answer.status_code, _reason(answer)) == (401, "UNAUTHENTICATED")


async def test_names_that_the_mesh_sets_are_taken_off_what_comes_in(edge) -> None:
    forged = {"x-staymesh-service": "forged", "x-edge-fault": "1"}
    assert (await edge.client.get(LISTING, headers=forged)).status_code == 200
    assert not set(forged) & set(edge.asked[0])
    refused = await edge.client.put(LISTING, json={}, headers=forged)
    assert (refused.status_code, _reason(refused)) == (401, "UNAUTHENTICATED")


async def test_the_openapi_document_and_the_keys_are_served(edge) -> None:
    document = await edge.client.get("/openapi.json")
    assert document.json()["openapi"] == "3.1.0"
    assert (await edge.client.get("/.well-known/jwks.json")).json() == {"keys": []}


async def test_an_error_of_a_service_arrives_with_its_details(edge) -> None:
    answer = await edge.client.delete(LISTING, headers=edge.token())
    assert (answer.status_code, _reason(answer)) == (404, "LISTING_NOT_FOUND")
