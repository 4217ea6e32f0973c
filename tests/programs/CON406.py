# was broken: late
# prints: in time
import asyncio
import threading


async def serve():
    loop = asyncio.get_running_loop()
    is_ready = asyncio.Event()

    def boil():
        loop.call_soon(is_ready.set)

    thread = threading.Thread(target=boil)
    thread.start()
    try:
        await asyncio.wait_for(is_ready.wait(), 1)
        print("in time")
    except asyncio.TimeoutError:
        print("late")
    await asyncio.to_thread(thread.join)


asyncio.run(serve(), debug=True)
