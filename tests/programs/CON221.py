# was broken: False
# prints: True
import threading

lock = threading.Lock()
served = []


def serve(drink):
    lock.acquire()
    served.append(drink.title())
    lock.release()


try:
    serve(None)
except AttributeError:
    pass
print(lock.acquire(timeout=0.1))
