"""A whole service process for the tests: `python echo_service.py [migrate|idle|crash]`."""

import asyncio
from collections.abc import Sequence

from echo import Echo, facts, mount, say

from mesh.aio.finish import finish
from mesh.app import App, Mount, ServiceSettings, main


class Held:
    """A handler whose call `hold` lasts until `release`; `held` says whether there is one."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.held = False

    async def __call__(self, request):
        if request.text == "hold":
            self.held = True
            await self.release.wait()
        elif request.text == "held":
            return facts(str(self.held))
        elif request.text == "release":
            self.release.set()
        return await say(request)


async def build(settings: ServiceSettings, app: App) -> Sequence[Mount]:
    async def worker() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            # Still open: what build opened is closed after the workers have ended.
            await finish(asyncio.sleep(0, print("worker ended", flush=True)))

    app.callback(lambda: print("closed", flush=True))
    app.background("worker", worker())
    return [mount(Echo(Held()))]


async def idle(settings: ServiceSettings, app: App) -> Sequence[Mount]:
    return []


async def crash(settings: ServiceSettings, app: App) -> Sequence[Mount]:
    async def worker() -> None:
        raise RuntimeError("the worker broke")

    app.background("worker", worker())
    return []


async def stuck(settings: ServiceSettings, app: App) -> Sequence[Mount]:
    app.callback(lambda: print("closed", flush=True))
    print("building", flush=True)
    await asyncio.Event().wait()
    raise AssertionError


if __name__ == "__main__":
    main(
        build,
        ServiceSettings,
        migrate=lambda settings: print(f"migrated {settings.service_name}"),
        roles={"idle": idle, "crash": crash, "stuck": stuck},
    )
