import threading

def half(:
