# was broken: milk
# prints: tea coffee
import asyncio


async def serve():
    loop = asyncio.get_running_loop()
    served = []
    for drink in ("tea", "coffee"):
        loop.call_soon(lambda: served.append(drink))
    drink = "milk"
    await asyncio.sleep(0)
    print(*served)


asyncio.run(serve())
