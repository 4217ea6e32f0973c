import atexit
import queue
import threading
from concurrent.futures import ProcessPoolExecutor

from bank import accounts
from bank.reports import summarise

orders = queue.Queue()


class Teller(threading.Thread):
    """Pays what is ordered. Each one counts for itself."""

    def __init__(self):
        super().__init__(daemon=True)
        self.served = 0

    def run(self):
        while True:
            name, amount = orders.get()
            accounts.pay(name, amount)
            self.served += 1


def sweep():
    accounts.settle()


def main():
    for _ in range(4):
        Teller().start()
    sweeper = threading.Timer(60.0, sweep)
    sweeper.daemon = True
    sweeper.start()
    atexit.register(accounts.archive)
    with ProcessPoolExecutor() as pool:
        print(list(pool.map(summarise, [[1, 2], [3]])))


if __name__ == "__main__":
    main()
