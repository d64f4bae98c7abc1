"""`python -m oncue.simulator --port N`."""

import argparse

from oncue.simulator.app import Config
from oncue.simulator.serve import run

parser = argparse.ArgumentParser(prog="python -m oncue.simulator")
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=4010)
parser.add_argument("--pace", type=float, default=0.0)
given = parser.parse_args()
run(given.host, given.port, Config(pace=given.pace))
