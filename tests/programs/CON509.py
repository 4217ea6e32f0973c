import multiprocessing


def count(cups):
    cups.value += 1


def serve():
    cups = multiprocessing.Value("i", 0)
    for _ in range(2):
        waiter = multiprocessing.Process(target=count, args=(cups,))
        waiter.start()
        waiter.join(10)
    print(cups.value)


if __name__ == "__main__":
    serve()
