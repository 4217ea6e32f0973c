# was broken: tea in the main thread
# prints: tea in a thread of its own
import threading


def pour(drink):
    is_main = threading.current_thread() is threading.main_thread()
    print(drink, "in the main thread" if is_main else "in a thread of its own")


def serve():
    thread = threading.Thread(target=pour("tea"))
    thread.start()
    thread.join()


serve()
