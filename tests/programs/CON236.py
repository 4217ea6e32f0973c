# was broken: hot
# prints: cold
import threading

is_hot = threading.Event()


def serve():
    if is_hot:
        print("hot")
    else:
        print("cold")


serve()
