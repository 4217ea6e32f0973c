# was broken: RuntimeError
# prints: tea
import threading


class Kettle(threading.Thread):
    def __init__(self, drink):
        """Boil for one drink."""
        self.drink = drink

    def run(self):
        print(self.drink)


kettle = Kettle("tea")
kettle.start()
kettle.join()
