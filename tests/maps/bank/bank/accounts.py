import threading

from bank.ledger import ledger

accounts_lock = threading.RLock()
accounts = {}
payments = 0


def pay(name, amount):
    global payments
    with accounts_lock:
        accounts[name] = accounts.get(name, 0) - amount
        ledger.book(amount)
    payments += 1


def settle():
    with ledger.lock:
        with accounts_lock:
            accounts.clear()


def archive():
    return dict(accounts)
