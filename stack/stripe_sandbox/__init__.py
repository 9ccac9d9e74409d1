"""A small Stripe on this machine: stateful, durable, and exact in the calls that we make.

It keeps payment intents, refunds and idempotency keys in one SQLite file, so it survives a kill as
Stripe would. What it answers follows Stripe's API reference; `tests/integration/payments_svc` runs
one contract suite against it, and against Stripe itself when STRIPE_TEST_KEY is set. Not modelled:
charges as objects, customers, webhooks, fees.
"""
