"""What was booked. Every thread of the bank books here."""

import threading


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.entries = []
        self.total = 0

    def book(self, amount):
        with self.lock:
            self.entries.append(amount)
            self.total += amount

    def undo(self):
        with self.lock:
            self.total -= self.entries.pop()

    def balance(self):
        return self.total

    def clear(self):
        self.entries.clear()


ledger = Ledger()
