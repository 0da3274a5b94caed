"""What other people's programs make of our files; run with their own interpreter, it tells in JSON.

``python others.py FILE``, where FILE holds: the log's key, checkpoints of it from old to new with
the consistency proofs between them, one entry with its inclusion proof, and a forged checkpoint.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import aics_tlog
from witness_log import WitnessService

NOW = 1_800_000_000


def cosigned(witness: Any, given: dict[str, Any]) -> tuple[list[list[Any]], str]:
    """Return what the witness answers to each checkpoint, and the last one with its signature."""
    origin, _, _ = given["key"].partition("+")
    witness.add_log(origin, given["key"])
    answers, old = [], 0
    for one in given["checkpoints"]:
        body = "".join([f"old {old}\n", *(f"{h}\n" for h in one["proof"]), "\n", one["note"]])
        status, answer = witness.handle_add_checkpoint(body, NOW)
        answers.append([status, answer])
        old = one["size"]
    return answers, given["checkpoints"][-1]["note"] + answers[-1][1]


def main() -> None:
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    witness = WitnessService.new("witness.example/w1", bytes(range(32)))
    answers, note = cosigned(witness, given)
    forged = f"old {given['checkpoints'][-1]['size']}\n\n{given['forged']}"
    refused, _ = witness.handle_add_checkpoint(forged, NOW)

    log = aics_tlog.parse_vkey(given["key"])
    checkpoint = aics_tlog.parse_checkpoint(aics_tlog.parse_note(note).text)
    entry = given["entry"]
    aics = {
        "signed": bool(aics_tlog.verify_note(aics_tlog.parse_note(note), [log])),
        "forged": bool(aics_tlog.verify_note(aics_tlog.parse_note(given["forged"]), [log])),
        "size": checkpoint.size,
        "included": aics_tlog.verify_leaf_inclusion(
            entry["body"].encode(),
            entry["index"],
            checkpoint.size,
            [base64.b64decode(step) for step in entry["proof"]],
            base64.b64decode(given["root"]),
        ),
        "root": aics_tlog.MerkleTree([b.encode() for b in given["bodies"]]).root().hex(),
    }
    sys.stdout.write(
        json.dumps(
            {
                "answers": answers,
                "refused": refused,
                "note": note,
                "witness": witness.vkey(),
                "aics": aics,
            }
        )
    )


if __name__ == "__main__":
    main()
