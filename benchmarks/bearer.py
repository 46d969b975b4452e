"""What does it cost a request to be checked, with the issuer's keys at hand?

    python -m benchmarks.bearer [--runs 2000] [--save]

A token, and a key in `Authorization-PSK`, are handed to the gate of NexusOne's dialect as requests hand them, over a
database of its own. `--save` keeps the figures as benchmarks/results/bearer.json.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median, quantiles

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks import machine
from benchmarks.figures import Bar
from benchmarks.workloads import HERE
from headrace.api.call import Server
from headrace.api.nx1.admission import Admission
from headrace.api.nx1.gate import Caller
from headrace.auth import tokens
from headrace.auth.bearer import Rules
from headrace.auth.keyset import KeySet
from headrace.clock import SystemClock
from headrace.core import psks
from headrace.core.psks import Holder
from headrace.db import Database
from headrace.settings import load_settings

QUESTION = "What does it cost a request to be checked, with the issuer's keys at hand?"
RESULT = HERE / "results" / "bearer.json"
MINIMUM_RUNS = 2000
MOST_MS = 1.0
ISSUER, AUDIENCE = "https://sso.example.org/realms/main", "headrace"
ROLES = ("nx1_ingest", "nx1_monitor")
TITLES = {"RS256": "a token, RS256", "ES256": "a token, ES256", "key": "a key in Authorization-PSK"}


def admission(folder: Path) -> tuple[Admission, dict[str, dict[str, str]]]:
    """The gate's check, and the headers that pass it."""
    clock = SystemClock()
    database = Database.open(f"sqlite:///{folder / 'headrace.db'}", clock=clock)
    database.upgrade()
    server = Server(database, clock, load_settings({"data": str(folder)}, {}, folder))
    said = tokens.claims(issuer=ISSUER, audience=AUDIENCE, client_id="bench", name="ann", roles=ROLES)
    said["exp"] = int(clock.now().timestamp()) + 3600
    ours, other = tokens.new_key(), ec.generate_private_key(ec.SECP256R1())
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(other.public_key()))
    keys = KeySet(lambda: [ours.public, {**public, "kid": "ec", "alg": "ES256", "use": "sig"}], clock=clock)
    with database.transaction() as con:
        _, key = psks.create(con, Holder("main", "ann", frozenset(ROLES)), now=clock.now())
    rules = Rules(ISSUER, AUDIENCE, (tokens.OWNER_CLAIM,), (tokens.ROLES_CLAIM,))
    rs256 = tokens.sign(said, kid=ours.kid, private=ours.private)
    es256 = jwt.encode(said, other, algorithm="ES256", headers={"kid": "ec"})
    return Admission(server, rules, keys), {
        "RS256": {"authorization": f"Bearer {rs256}"},
        "ES256": {"authorization": f"Bearer {es256}"},
        "key": {"authorization-psk": key},
    }


def taken(admit: Admission, headers: Mapping[str, str], runs: int) -> list[float]:
    """Milliseconds of each check, after the first ones."""
    found = []
    for number in range(runs + 100):
        since = time.perf_counter()
        caller = admit(headers)
        took = (time.perf_counter() - since) * 1000
        assert isinstance(caller, Caller)
        if number >= 100:
            found.append(took)
    return found


def bars(checks: Mapping[str, Mapping[str, float]]) -> dict[str, Bar]:
    """The bar of each way."""
    return {name: Bar(TITLES[name], MOST_MS, each["median_ms"], "ms") for name, each in checks.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=QUESTION)
    parser.add_argument("--runs", type=int, default=MINIMUM_RUNS)
    parser.add_argument("--save", action="store_true", help=f"keep the figures as results/{RESULT.name}")
    given = parser.parse_args()
    if given.save and given.runs < MINIMUM_RUNS:
        parser.error(f"--save is for at least {MINIMUM_RUNS} runs")
    with tempfile.TemporaryDirectory() as folder:
        admit, sent = admission(Path(folder))
        figures = {name: taken(admit, headers, given.runs) for name, headers in sent.items()}
        admit.server.database.dispose()
    told = {name: {"median_ms": median(each), "p99_ms": quantiles(each, n=100)[-1]} for name, each in figures.items()}
    for name, each in told.items():
        print(f"{TITLES[name]:30} median {each['median_ms']:.3f} ms, 99 of 100 below {each['p99_ms']:.3f} ms")
    print("\n".join(map(str, bars(told).values())))
    if given.save:
        result = {
            "date": machine.today(),
            "machine": machine.description(),
            "versions": machine.versions("headrace", "pyjwt", "cryptography"),
            "runs": given.runs,
            "checks": told,
        }
        RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
