"""Signals where Python drops or replaces what a handler raises: in callbacks, finalizers and ``__set_name__``.

A command went on with its work and ended with code 0, ignoring every later SIGTERM, or with the code of another error.
"""

import os
import signal
import sys
import time
import weakref

import click

from muge_fast.cli.errors import usage_errors
from muge_fast.cli.main import main

MEMORY = 1 << 30
CODES = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGINT: 130}


class Object:
    pass


def in_callback(send):
    weakref_target = Object()
    reference = weakref.ref(weakref_target, lambda _: send())
    del weakref_target
    return reference


def in_finalizer(send):
    class Finalized:
        def __del__(self):
            send()

    Finalized()


def in_generator(send):
    def generate():
        try:
            yield
        finally:
            send()

    next(generate())


def in_set_name(send):
    class Field:
        def __set_name__(self, owner, name):
            send()

    type("Owner", (), {"field": Field()})


def in_cleanup(send):
    try:
        raise ValueError("x")
    finally:
        send()


def in_unrelated_error(send):
    try:
        send()
    except BaseException:  # noqa: BLE001 - as a package would
        raise ValueError("x")  # noqa: B904


PLACES = (in_callback, in_finalizer, in_generator, in_set_name, in_cleanup, in_unrelated_error)


def code_of(place, number):
    """Return the exit code of a command in which a signal comes."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 2)
    # A background process of a shell ignores SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv[0] = "muge-fast"

    @click.command()
    def wait():
        with usage_errors():
            place(lambda: signal.raise_signal(number))
            time.sleep(5)

    main.commands = {"wait": wait}
    try:
        main(["wait"])
    except SystemExit as ended:
        os._exit(ended.code)
    os._exit(99)


def attack():
    for place in PLACES:
        for number, code in CODES.items():
            assert code_of(place, number) == code, (place, number, code)
