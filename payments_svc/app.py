"""The composition root: opens what the process needs and wires it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from staymesh.payments.v1 import payments_pb2_grpc as rpc

from mesh import app as mesh_app
from mesh.aio import Keyed
from mesh.app import App, Mount
from mesh.bus import Producer
from mesh.clock import Clock
from mesh.data import migrate
from mesh.data.outbox import Relay
from mesh.data.postgres import PostgresSettings, Shards
from payments_svc.clients import stripe
from payments_svc.clients.patient import PatientProcessor
from payments_svc.clients.processor import Processor
from payments_svc.config import PaymentsSettings
from payments_svc.flows.authorize_payment import AuthorizePayment
from payments_svc.flows.failures import NoteFailures
from payments_svc.flows.get_payment import GetPayment
from payments_svc.flows.learn import Learn
from payments_svc.flows.outcome import FindOutcome
from payments_svc.flows.recover import Recover
from payments_svc.flows.settle_cancellation import SettleCancellation
from payments_svc.service import Flows, PaymentServicer
from payments_svc.store.failed_payments import FailedPayments
from payments_svc.store.payments import Payments

MIGRATIONS: Final = Path(__file__).parent / "store" / "migrations"
PAYMENTS: Final = "staymesh.payments.v1.PaymentService"


@dataclass(frozen=True, kw_only=True)
class Service:
    """What the process serves, and what it does by itself."""

    flows: Flows
    recover: Recover

    def mounts(self) -> Sequence[Mount]:
        """Return the servicer, behind its contract."""
        return (
            Mount(PaymentServicer(self.flows), rpc.add_PaymentServiceServicer_to_server, PAYMENTS),
        )


def postgres(settings: PaymentsSettings) -> PostgresSettings:
    """Return where our database is."""
    return PostgresSettings(url=settings.database_url, application_name="payments")


def wire(shards: Shards, *, processor: Processor, clock: Clock) -> Service:
    """Put stores, flows and workers together."""
    payments, locks = Payments(shards), Keyed[str]()
    learn = Learn(payments=payments, clock=clock)
    outcome = FindOutcome(processor=processor, clock=clock)
    failures = NoteFailures(failed_payments=FailedPayments(shards), clock=clock)
    settle = SettleCancellation(
        payments=payments,
        processor=processor,
        outcome=outcome,
        learn=learn,
        failures=failures,
        locks=locks,
        clock=clock,
    )
    flows = Flows(
        authorize_payment=AuthorizePayment(
            payments=payments,
            processor=processor,
            outcome=outcome,
            learn=learn,
            failures=failures,
            locks=locks,
            clock=clock,
        ),
        get_payment=GetPayment(payments=payments, outcome=outcome, learn=learn),
        settle_cancellation=settle,
    )
    recover = Recover(
        payments=payments,
        outcome=outcome,
        learn=learn,
        settle=settle,
        failures=failures,
        locks=locks,
        clock=clock,
    )
    return Service(flows=flows, recover=recover)


async def build(settings: PaymentsSettings, app: App) -> Sequence[Mount]:
    """Open the database, Kafka and the card processor; start the workers."""
    shards = await app.enter_async_context(await Shards.open(postgres(settings)))
    producer = await app.enter_async_context(Producer(settings.kafka_url))
    processor = await app.enter_async_context(
        stripe.connect(
            settings.stripe_url,
            settings.stripe_key.get_secret_value(),
            settings.stripe_timeout_seconds,
        )
    )
    service = wire(shards, processor=PatientProcessor(processor), clock=app.clock)
    app.background("relay", Relay(shards, producer).run())
    app.background("recover", service.recover.forever(settings.recover_every_seconds))
    return service.mounts()


def main() -> None:
    """Serve, or migrate."""
    mesh_app.main(
        build,
        PaymentsSettings,
        migrate=lambda settings: migrate.run(postgres(settings), MIGRATIONS),
    )
