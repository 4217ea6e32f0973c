# was broken: False
# prints: True
import threading

locks = [threading.Lock()] * 2


def serve():
    with locks[0]:
        is_free = locks[1].acquire(blocking=False)
        print(is_free)
        if is_free:
            locks[1].release()


serve()
