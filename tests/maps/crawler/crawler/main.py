import asyncio
import signal

from crawler.pages import Pages
from crawler.store import Store, make_store

stopping = False


def stop(signum, frame):
    global stopping
    stopping = True


async def crawl(urls):
    pages = Pages(4)
    tasks = [asyncio.create_task(pages.fetch(url)) for url in urls]
    await asyncio.gather(*tasks)
    loop = asyncio.get_running_loop()
    store = make_store()
    saved = loop.run_in_executor(None, store.save, pages.found)
    loop.call_later(5, store.flush)
    await saved


def main():
    signal.signal(signal.SIGTERM, stop)
    asyncio.run(crawl(["a", "b"]))
