import asyncio
import time


async def brew(drink):
    print("brewing", drink)
    time.sleep(0.01)
    print(drink)
    return drink


async def serve():
    return [await brew(drink) for drink in ("tea", "coffee")]


print(*asyncio.run(serve()))
