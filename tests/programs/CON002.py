drinks = ["tea", "coffee"]  # conclint: ignore


def serve(drink):
    # conclint: ignore  once there was a thread here
    print(drink)


for name in drinks:
    serve(name)  # as they are ordered  # conclint: ignore
