import threading


def pour():
    print(threading.currentThread().name, threading.activeCount())


def serve():
    thread = threading.Thread(target=pour)
    thread.setName("kettle")
    thread.setDaemon(True)
    print(thread.isDaemon(), thread.getName())
    thread.start()
    thread.join()


serve()
