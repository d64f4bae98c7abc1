"""`python -m oncue.simulator --port N`."""

import argparse

from oncue.simulator.app import Config
from oncue.simulator.serve import end_unless_held, run

parser = argparse.ArgumentParser(prog="python -m oncue.simulator")
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=4010)
parser.add_argument("--pace", type=float, default=0.0)
parser.add_argument("--while-held", action="store_true", help="end when standard input is closed")
given = parser.parse_args()
if given.while_held:
    end_unless_held()
run(given.host, given.port, Config(pace=given.pace))
