# was broken: TypeError
# prints: tea
import asyncio


async def serve():
    loop = asyncio.get_running_loop()
    await asyncio.sleep(0, loop=loop)
    print("tea")


asyncio.run(serve())
