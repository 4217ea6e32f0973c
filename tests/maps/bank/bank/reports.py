seen = 0


def summarise(amounts):
    global seen
    seen += 1
    return sum(amounts)
