"""Records in pydantic's models and in FastAPI, which the library itself never imports."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import httpx
import pytest

from scapi.enums import Alliance, ClanRank, Quality
from scapi.exceptions import ScApiException
from scapi.models import (
    AuctionLot,
    AuctionPrice,
    CharacterProfile,
    ClanAffiliation,
    ClanInfo,
    ClanMember,
    Listing,
    RateLimit,
    Rejected,
    SaleEvent,
    UserToken,
    WatchError,
)

pydantic = pytest.importorskip("pydantic", reason="pydantic is not installed")

T0 = datetime(2026, 8, 5, tzinfo=UTC)
SALE = AuctionPrice(amount=1, price=5, time=T0, additional={"qlt": 3})
PROFILE = CharacterProfile(
    uuid="u",
    name="ZIV",
    clan=ClanAffiliation(
        info=ClanInfo(uuid="c", name="Crows", alliance=Alliance("monolith")),
        member=ClanMember(name="ZIV", rank=ClanRank.LEADER),
    ),
)
PAGE = Listing([SALE], total=7, limit=1, rejected=[Rejected(1, {"amount": "x"}, "odd")], model=AuctionPrice)


class Bag(pydantic.BaseModel):  # type: ignore[misc, name-defined]  # pydantic may be absent
    sale: AuctionPrice
    profile: CharacterProfile | None = None
    quality: Quality = Quality.RARE
    sales: list[AuctionPrice] = []
    page: Listing[AuctionPrice] | None = None


BAG = Bag(sale=SALE, profile=PROFILE, sales=[SALE], page=PAGE, quality=Quality(9))


def test_a_record_is_a_field_that_goes_to_json_and_comes_back() -> None:
    assert BAG.sale is SALE
    assert BAG.page is PAGE
    again = Bag.model_validate_json(BAG.model_dump_json())
    assert again == BAG
    assert (again.page.total, again.page.rejected, type(again.page)) == (7, PAGE.rejected, Listing)
    assert Bag.model_validate(BAG.model_dump()) == BAG
    assert BAG.model_dump()["profile"] == PROFILE.to_dict()
    assert pydantic.TypeAdapter(list[AuctionPrice]).validate_python([SALE]) == [SALE]


@pytest.mark.parametrize("wire", [False, True])
def test_a_record_is_read_by_either_kind_of_names(*, wire: bool) -> None:
    lot = AuctionLot(item_id="zyv9", amount=1, start_time=T0)
    assert pydantic.TypeAdapter(AuctionLot).validate_json(lot.to_json(wire=wire)) == lot


@pytest.mark.parametrize("raw", [{"amount": "many", "price": 5, "time": "2026-08-05T00:00:00Z"}, 5, "x", None, []])
def test_what_is_no_record_is_an_error_of_pydantic(raw: Any) -> None:
    with pytest.raises(pydantic.ValidationError, match="Expected"):
        Bag.model_validate({"sale": raw})


def test_the_schema_names_every_record_and_lets_open_sets_be_open() -> None:
    schema = Bag.model_json_schema()
    found = schema["$defs"]
    assert set(found) == {
        "AuctionPrice", "CharacterProfile", "ClanAffiliation", "ClanInfo", "ClanMember", "Statistic",
        "Listing_AuctionPrice",
    }  # fmt: skip
    assert found["AuctionPrice"]["required"] == ["amount", "price", "time"]
    assert found["AuctionPrice"]["properties"]["time"]["format"] == "date-time"
    assert found["ClanInfo"]["properties"]["alliance"]["anyOf"][0] == {
        "type": "string",
        "examples": [alliance.value for alliance in Alliance],
    }
    assert schema["properties"]["quality"]["type"] == "integer"
    assert Bag.model_json_schema(mode="serialization")["$defs"].keys() == found.keys()


async def test_a_route_of_fastapi_returns_records_and_documents_them() -> None:
    fastapi = pytest.importorskip("fastapi", reason="fastapi is not installed")
    app = fastapi.FastAPI()

    async def sales() -> list[AuctionPrice]:
        return PAGE

    async def page() -> Listing[AuctionPrice]:
        return PAGE

    async def bag(sale: AuctionPrice) -> Bag:
        return Bag(sale=sale, page=PAGE)

    # The annotations of functions inside of a test can't be found by their names.
    app.get("/sales", response_model=list[AuctionPrice])(sales)
    app.get("/page", response_model=Listing[AuctionPrice])(page)
    bag.__annotations__ = {"sale": Annotated[AuctionPrice, fastapi.Body()], "return": Bag}
    app.post("/bag")(bag)
    row = {"amount": 1, "price": 5, "time": "2026-08-05T00:00:00Z", "additional": {"qlt": 3}}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        assert (await client.get("/sales")).json() == [row]
        answer = (await client.get("/page")).json()
        assert answer["rows"] == [row]
        assert (answer["total"], answer["next_offset"], answer["rejected"]) == (7, 2, [[1, {"amount": "x"}, "odd"]])
        posted = await client.post("/bag", json=SALE.to_dict(wire=True))
        assert posted.json()["sale"] == row
        assert (await client.post("/bag", json={"price": 1})).status_code == 422
        documented = (await client.get("/openapi.json")).json()
    schemas = documented["components"]["schemas"]
    assert {"AuctionPrice", "Listing_AuctionPrice", "Bag", "ClanMember"} <= set(schemas)
    route = documented["paths"]["/sales"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert route["items"] == {"$ref": "#/components/schemas/AuctionPrice"}


def test_events_and_errors_go_into_json_too() -> None:
    class Log(pydantic.BaseModel):  # type: ignore[misc, name-defined]  # pydantic may be absent
        events: list[Any]
        sold: SaleEvent
        failed: WatchError | None = None
        left: RateLimit = RateLimit()

    failed = WatchError(region="ru", error=ScApiException("no"), failures=1, wait=2.0)
    log = Log(events=[], sold=SaleEvent(region="ru", item_id="kqgy", sale=SALE), failed=failed)
    sold = {"kind": "sold", "region": "ru", "item_id": "kqgy", "sale": SALE.to_dict()}
    assert log.model_dump()["sold"] == sold
    written = json.loads(log.model_dump_json())
    assert written["failed"]["error"] == {"type": "ScApiException", "message": "no"}
    assert written["left"] == {"limit": None, "remaining": None, "reset": None}
    assert {"SaleEvent", "WatchError", "RateLimit"} <= set(Log.model_json_schema()["$defs"])
    with pytest.raises(pydantic.ValidationError, match="no ScApiException can be read from JSON"):
        Log.model_validate_json(log.model_dump_json())


def test_a_token_is_held_but_never_written() -> None:
    class Account(pydantic.BaseModel):  # type: ignore[misc, name-defined]  # pydantic may be absent
        token: UserToken

    token = UserToken(access_token="eyJ.secret", refresh_token="r3fresh", expires_in=5, expires_at=T0)
    account = Account(token=token)
    assert account.token is token
    assert "secret" not in repr(account)
    with pytest.raises(Exception, match="serialize") as caught:
        account.model_dump_json()
    assert "secret" not in repr(caught.value)


def test_the_library_does_not_import_pydantic() -> None:
    program = "import sys, scapi.models, scapi.sync; scapi.sync.AppClient; print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "False\n"
