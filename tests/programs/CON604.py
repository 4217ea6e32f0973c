# was broken: 1 worker left
# prints: 0 workers left
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor


@contextlib.contextmanager
def kitchen():
    executor = ThreadPoolExecutor(1)
    yield executor
    executor.shutdown()


def serve():
    with kitchen() as executor:
        executor.submit(str, "tea")
        raise ValueError


try:
    serve()
except ValueError:
    left = threading.active_count() - 1
    print(left, "worker left" if left == 1 else "workers left")
