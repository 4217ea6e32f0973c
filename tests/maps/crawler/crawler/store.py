import threading
from functools import wraps


def synchronized(method):
    @wraps(method)
    def locked(self, *args):
        with self._lock:
            return method(self, *args)

    return locked


class Store:
    def __init__(self, lock):
        self._lock = lock
        self._rows = {}
        self._dirty = False

    @synchronized
    def save(self, rows):
        self._rows.update(rows)
        self._dirty = True

    @synchronized
    def flush(self):
        if self._dirty:
            self._dirty = False
            self._rows.clear()

    def wait(self):
        if self._lock.acquire(timeout=1):
            self._lock.release()


def make_lock():
    return threading.Lock()


def make_store():
    return Store(make_lock())


registry_lock = make_lock()
