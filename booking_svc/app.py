"""The composition root: opens what the process needs and wires it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from staymesh.booking.v1 import booking_pb2_grpc, listings_pb2_grpc
from staymesh.payments.v1 import payments_pb2_grpc

from booking_svc.clients import ListingFence, PaymentsClient
from booking_svc.config import BookingSettings
from booking_svc.flows.cancel_booking import CancelBooking
from booking_svc.flows.change_calendar import ChangeCalendar
from booking_svc.flows.create_booking import CreateBooking
from booking_svc.flows.create_listing import CreateListing
from booking_svc.flows.create_quote import CreateQuote
from booking_svc.flows.finish_booking import FinishBooking
from booking_svc.flows.get_availability import GetAvailability
from booking_svc.flows.get_booking import GetBooking
from booking_svc.flows.get_listing import GetListing
from booking_svc.flows.hold_stay import HoldStay
from booking_svc.flows.import_listings import ImportListings
from booking_svc.flows.list_bookings import ListBookings
from booking_svc.flows.list_host_listings import ListHostListings
from booking_svc.flows.needs import Fence, Payments
from booking_svc.flows.purge import Purge
from booking_svc.flows.settle_cancellation import SettleCancellation
from booking_svc.flows.sweep import Sweep
from booking_svc.flows.update_listing import UpdateListing
from booking_svc.service import (
    BookingServicer,
    CalendarServicer,
    Flows,
    ListingImportServicer,
    ListingServicer,
)
from booking_svc.store.bookings import Bookings
from booking_svc.store.calendars import Calendars
from booking_svc.store.imports import Imports
from booking_svc.store.listings import Listings
from booking_svc.store.quotes import Quotes
from mesh import app as mesh_app
from mesh.app import App, Mount
from mesh.bus import Producer
from mesh.clock import Clock
from mesh.data import migrate
from mesh.data.fence import Fences
from mesh.data.idempotency import Idempotency
from mesh.data.outbox import Relay
from mesh.data.postgres import PostgresSettings, Shards
from mesh.data.redis import Redis

MIGRATIONS: Final = Path(__file__).parent / "store" / "migrations"


@dataclass(frozen=True, kw_only=True)
class Service:
    """What the process serves, and what it does by itself."""

    flows: Flows
    sweep: Sweep
    purge: Purge
    keys: Idempotency

    def mounts(self) -> Sequence[Mount]:
        """Return the servicers, each behind its contract."""
        package = "staymesh.booking.v1"
        return (
            Mount(
                ListingServicer(self.flows),
                listings_pb2_grpc.add_ListingServiceServicer_to_server,
                f"{package}.ListingService",
                self.keys,
            ),
            Mount(
                CalendarServicer(self.flows),
                listings_pb2_grpc.add_CalendarServiceServicer_to_server,
                f"{package}.CalendarService",
                self.keys,
            ),
            Mount(
                ListingImportServicer(self.flows),
                listings_pb2_grpc.add_ListingImportServiceServicer_to_server,
                f"{package}.ListingImportService",
            ),
            Mount(
                BookingServicer(self.flows),
                booking_pb2_grpc.add_BookingServiceServicer_to_server,
                f"{package}.BookingService",
                self.keys,
            ),
        )


def postgres(settings: BookingSettings) -> PostgresSettings:
    """Return where our database is."""
    return PostgresSettings(url=settings.database_url, application_name="booking")


def wire(shards: Shards, *, payments: Payments, fence: Fence, clock: Clock) -> Service:
    """Put stores, flows and workers together."""
    listings, calendars = Listings(shards), Calendars(shards)
    bookings, quotes, keys = Bookings(shards), Quotes(shards), Idempotency(shards)
    finish = FinishBooking(bookings=bookings, clock=clock)
    settle = SettleCancellation(bookings=bookings, payments=payments, clock=clock)
    flows = Flows(
        create_listing=CreateListing(listings=listings, clock=clock),
        get_listing=GetListing(listings=listings),
        update_listing=UpdateListing(listings=listings, clock=clock),
        list_host_listings=ListHostListings(listings=listings),
        get_availability=GetAvailability(calendars=calendars, clock=clock),
        change_calendar=ChangeCalendar(listings=listings, calendars=calendars, clock=clock),
        import_listings=ImportListings(imports=Imports(shards), clock=clock),
        create_quote=CreateQuote(calendars=calendars, quotes=quotes, clock=clock),
        create_booking=CreateBooking(
            bookings=bookings,
            quotes=quotes,
            hold=HoldStay(calendars=calendars, bookings=bookings, fence=fence, clock=clock),
            payments=payments,
            finish=finish,
            clock=clock,
        ),
        get_booking=GetBooking(bookings=bookings),
        cancel_booking=CancelBooking(bookings=bookings, settle=settle, clock=clock),
        list_bookings=ListBookings(bookings=bookings),
    )
    sweep = Sweep(bookings=bookings, payments=payments, finish=finish, settle=settle, clock=clock)
    return Service(
        flows=flows, sweep=sweep, purge=Purge(quotes=quotes, keys=keys, clock=clock), keys=keys
    )


async def build(settings: BookingSettings, app: App) -> Sequence[Mount]:
    """Open the database, Redis, Kafka and the way to the payment service; start the workers."""
    shards = await app.enter_async_context(await Shards.open(postgres(settings)))
    channel = await app.connect("payments", settings.peer_payments)
    redis = Redis.open(settings.redis_url)
    app.push_async_callback(redis.aclose)
    producer = await app.enter_async_context(Producer(settings.kafka_url))
    service = wire(
        shards,
        payments=PaymentsClient(payments_pb2_grpc.PaymentServiceStub(channel)),
        fence=ListingFence(Fences(redis), Bookings(shards).fence_floor),
        clock=app.clock,
    )
    app.background("relay", Relay(shards, producer).run())
    app.background("sweep", service.sweep.forever(settings.sweep_every_seconds))
    app.background("purge", service.purge.forever(settings.purge_every_seconds))
    return service.mounts()


def main() -> None:
    """Serve, or migrate."""
    mesh_app.main(
        build,
        BookingSettings,
        migrate=lambda settings: migrate.run(postgres(settings), MIGRATIONS),
    )
