# was broken: RuntimeError
# prints: tea coffee
import threading
import time


class Menu:
    def __init__(self):
        self.drinks = {"tea", "coffee"}

    def open(self):
        shower = threading.Thread(target=self.show)
        shower.start()
        time.sleep(0.1)
        self.add("milk")
        shower.join()

    def add(self, drink):
        self.drinks.add(drink)

    def show(self):
        shown = []
        for drink in self.drinks:
            shown.append(drink)
            time.sleep(0.2)
        print(*sorted(shown, reverse=True))


Menu().open()
