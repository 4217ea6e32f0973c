# was broken: AssertionError
# prints: tea
import threading


def pour():
    print("tea")


def serve():
    thread = threading.Thread(pour)
    thread.start()
    thread.join()


serve()
