# was broken: TypeError
# prints: tea
import threading


def pour(drink):
    print(drink)


def serve():
    thread = threading.Thread(target=pour, args=("tea"))
    thread.start()
    thread.join()


serve()
