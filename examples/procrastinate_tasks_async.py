"""Collect sales by tasks of Procrastinate: with a PostgreSQL, and any number of workers on any number of machines.

The task is short, idempotent and scheduled. If a worker is killed, Procrastinate doesn't run its task again: the next
scheduled one takes over the leases of the items and continues where the killed one stopped. So the task needs no lock,
which a killed one would keep. The queueing lock keeps tasks from piling up while no worker runs.

pip install procrastinate
export DATABASE_URL=postgresql://user@host/market SCAPI_TOKEN=...
cd examples
procrastinate --app=procrastinate_tasks_async.app schema --apply
procrastinate --app=procrastinate_tasks_async.app worker
"""

import os

from procrastinate import App, PsycopgConnector

from scapi import AppClient, Collector, Store
from scapi.pacing import PostgresBudget

DATABASE_URL = os.environ.get("DATABASE_URL", "postgresql://localhost/market")
ITEMS = os.environ.get("ITEMS", "zyv9 kqgy 319k").split()

app = App(connector=PsycopgConnector(conninfo=DATABASE_URL))
budget = PostgresBudget(DATABASE_URL)


@app.periodic(cron="*/5 * * * *")
@app.task(name="collect", queueing_lock="collect")
async def collect(timestamp: int) -> None:
    async with AppClient.from_env(budget=budget) as client, Store(DATABASE_URL) as store:
        await Collector(client, store, ITEMS, region=["ru", "eu"], since="all").once()
