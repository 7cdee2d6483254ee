"""Has doudi make a random draw over the API, and draws again with hashlib alone.

usage: draw.py PROTO_FOLDER HOST:PORT   with tokens in TOKEN_UNIT_HEAD and TOKEN_AUDITOR
"""

import hashlib
import pathlib
import random
import sys
import tempfile
import uuid

import grpc

from walk import bearer, make_stubs

GRADES = ["A", "B", "C", "D"]
RATIOS = {"A": 5, "B": 17, "C": 33, "D": 61}
OFFICERS = ["LNB-0001", "LNB-0002", "LNB-0003"]
PER_VISIT = 2


def lines(rows: list[list[str]]) -> bytes:
    return "".join(" ".join(row) + "\n" for row in rows).encode()


def draw(seed: bytes, pool: dict[str, tuple[str, list[str]]]) -> list[list[str]]:
    """What is drawn: an enterprise, its grade or "-", its officers; by enterprise."""

    def rank(label: str, name: str) -> tuple[bytes, str]:
        return hashlib.sha256(b"\0".join([seed, label.encode(), name.encode()])).digest(), name

    result = []
    for grade in GRADES:
        alike = [name for name, (known, _) in pool.items() if (known if known != "-" else "B") == grade]
        alike.sort(key=lambda name: rank(grade, name))
        for name in alike[: (len(alike) * RATIOS[grade] + 50) // 100]:
            known, avoid = pool[name]
            free = sorted(set(OFFICERS) - set(avoid), key=lambda officer: rank(name, officer))
            result.append([name, known, *free[:PER_VISIT]])
    return sorted(result)


def main(address: str) -> None:
    from doudi.v1 import draw_service_pb2 as pb
    from doudi.v1 import draw_service_pb2_grpc, enterprise_pb2

    def grade(word: str) -> int:
        return enterprise_pb2.CreditGrade.Value("CREDIT_GRADE_" + ("UNSPECIFIED" if word == "-" else word))

    def command() -> str:
        return str(uuid.uuid4())

    chance = random.Random(7)
    pool = {
        f"L-{number:04}": (chance.choice([*GRADES, "-"]), sorted(chance.sample(OFFICERS, chance.randint(0, 1))))
        for number in range(500)
    }
    draws = draw_service_pb2_grpc.DrawServiceStub(grpc.insecure_channel(address))
    head = bearer("unit_head")
    ratios = pb.DrawRatios(**{f"{word.lower()}_percent": percent for word, percent in RATIOS.items()})
    opening = pb.OpenDrawRequest(
        command_id=command(), title="双随机抽查", ratios=ratios, officers=OFFICERS, officers_per_visit=PER_VISIT
    )
    draw_id = draws.OpenDraw(opening, metadata=head).draw_id
    names = list(pool)
    chance.shuffle(names)
    for start in range(0, len(names), 130):
        candidates = [
            pb.DrawCandidate(enterprise_id=name, grade=grade(pool[name][0]), avoid=pool[name][1])
            for name in names[start : start + 130]
        ]
        added = pb.AddCandidatesRequest(command_id=command(), draw_id=draw_id, candidates=candidates)
        draws.AddCandidates(added, metadata=head)
    draws.MakeDraw(pb.MakeDrawRequest(command_id=command(), draw_id=draw_id), metadata=head)

    # From here on everything is done with what an auditor is shown.
    audit = bearer("auditor")
    made = draws.GetDraw(pb.GetDrawRequest(draw_id=draw_id), metadata=audit).draw
    rows = [["ratios", *(str(RATIOS[word]) for word in GRADES)], ["per_visit", str(PER_VISIT)]]
    rows += [["officer", officer] for officer in OFFICERS]
    rows += [["candidate", name, known, *avoid] for name, (known, avoid) in sorted(pool.items())]
    assert hashlib.sha256(lines(rows)).hexdigest() == made.pool_digest, "the pool differs"
    expected = draw(bytes.fromhex(made.seed), pool)
    assert hashlib.sha256(lines(expected)).hexdigest() == made.result_digest, "the result differs"

    shown, token = [], ""
    while True:
        asked = pb.ListDrawnRequest(draw_id=draw_id, page_size=60, page_token=token)
        page = draws.ListDrawn(asked, metadata=audit)
        shown += [(found.enterprise_id, found.grade, list(found.officers)) for found in page.drawn]
        token = page.next_page_token
        if not token:
            break
    assert shown == [(name, grade(known), officers) for name, known, *officers in expected], "the list differs"
    print(f"draw: ok, {len(shown)} of {len(pool)}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        make_stubs(pathlib.Path(sys.argv[1]).resolve(), folder)
        main(sys.argv[2])
