"""Workers that need no network: a process of its own imports this file and the standard library."""

import os
import signal
import time


def answering(number, listening, pipe):
    """Tells who connects the number of its process, until the pipe is closed."""
    listening.settimeout(0.05)
    pipe.send(12.0)
    while not pipe.poll(0):
        try:
            connection, _ = listening.accept()
        except TimeoutError:
            continue
        with connection:
            connection.sendall(str(os.getpid()).encode())


def alone(number, listening, pipe):
    """Answers as the first one, and dies as any other."""
    if number:
        os._exit(9)
    answering(number, listening, pipe)


def shortlived(number, listening, pipe):
    """Begins, and dies."""
    pipe.send(12.0)
    os._exit(9)


def refusing(number, listening, pipe):
    """Has said why it can't."""
    os._exit(2)


def killed(number, listening, pipe):
    """As where memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


def stubborn(number, listening, pipe):
    """Does not end."""
    pipe.send(12.0)
    time.sleep(600)
