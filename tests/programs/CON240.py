# was broken: Error
# prints: tea
import threading

lock = threading.Lock()


def serve():
    with lock.acquire():
        print("tea")


serve()
