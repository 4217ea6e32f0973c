# prints: A VISITOR; nobody
import threading
import time


class Door:
    def __init__(self):
        self.lock = threading.Lock()
        self.visitor = None

    def start(self):
        thread = threading.Thread(target=self.run)
        thread.start()
        return thread

    def run(self):
        with self.lock:
            self.visitor = "a visitor"
        time.sleep(0.05)
        with self.lock:
            self.visitor = None

    def show(self):
        if self.visitor is not None:
            print(self.visitor.upper(), end="; ")


door = Door()
thread = door.start()
time.sleep(0.02)
door.show()
thread.join()
door.show()
print("nobody")
