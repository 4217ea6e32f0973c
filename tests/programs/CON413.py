# was broken: TypeError
# prints: tea
import asyncio


async def brew(drink):
    return drink


async def serve():
    done, _ = await asyncio.wait([brew("tea")])
    print(*(task.result() for task in done))


asyncio.run(serve())
