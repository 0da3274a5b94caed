"""One agent takes all that it can get: it is refused in words, and nobody else notices."""

import asyncio
import resource
import select
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

import pytest

from bot.service.caps import Caps
from tests.hostile.scene import Program, Scene, Someone, faults, playing
from tests.hostile.wire import Answer, statuses

CAPS = Caps()
#: Far more than an answer takes, far less than any time-out.
PROMPTLY_S = 5
WAITS = 10_000
_QUICK = {"requests_per_second": 2_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    scene: Scene
    mallory: Program
    quiet: Program
    dana: Someone
    li: Someone


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    """Everybody under the caps that a deployment begins with, on a system that lets a program
    begin with few open files; only at their pace 10,000 requests would take a minute.
    """
    with ExitStack() as closing_up:
        with files(256):
            playing_it = playing(tmp_path_factory.mktemp("crowd"), caps=_QUICK)
            scene = closing_up.enter_context(playing_it)
        dana, li = scene.person("dana"), scene.person("li")
        yield Crowd(
            scene=scene,
            mallory=scene.agent("mallory", dana, li),
            quiet=scene.agent("quiet", dana, li),
            dana=dana,
            li=li,
        )
        assert not faults(scene.printed), "\n".join(faults(scene.printed))


@contextmanager
def files(soft: int) -> Iterator[None]:
    """Start programs with a limit of *soft* open files, as many systems do."""
    was, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (was, most))


def served_promptly(crowd: Crowd) -> None:
    """The quiet agent proposes, waits, and hears what the person says; nothing of it is slow."""
    scene, began = crowd.scene, time.monotonic()
    proposed = scene.propose(crowd.quiet, text="quiet", on_behalf_of=crowd.dana.id)
    assert proposed.status == 202, proposed.body
    proposal = proposed.json["id"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            scene.agents.ask,
            *("GET", f"/v1/proposals/{proposal}"),
            token=crowd.quiet.token,
            headers={"Prefer": "wait=50"},
        )
        form = scene.card(crowd.dana, proposal)
        scene.press(crowd.dana, proposal, {**form, "note": "no"}, "reject")
        told: Answer = waiting.result()
    assert told.json["state"] == "rejected"
    assert time.monotonic() - began < PROMPTLY_S


@asynccontextmanager
async def connections(
    port: int, count: int
) -> AsyncIterator[Sequence[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]:
    async with AsyncExitStack() as opened:
        made = []
        for _ in range(count):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
            opened.callback(writer.close)
            made.append((reader, writer))
        yield made


async def answers(reader: asyncio.StreamReader, count: int) -> list[bytes]:
    """Return the next *count* answers, heads and bodies."""
    found = []
    for _ in range(count):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        found.append(head + await reader.readexactly(length))
    return found


async def test_ten_thousand_waits(crowd: Crowd):
    """As many as one agent may have are parked; all others are refused, each in words."""
    scene = crowd.scene
    own = scene.propose(crowd.mallory, text="own", on_behalf_of=crowd.li.id).json["id"]
    wait = (
        f"GET /v1/proposals/{own} HTTP/1.1\r\nHost: x\r\nPrefer: wait=50\r\n"
        f"Authorization: Bearer {crowd.mallory.token}\r\n\r\n"
    ).encode()
    stream = wait.replace(own.encode(), own.encode() + b"/events")
    async with (
        asyncio.timeout(60),
        connections(scene.agents.port, CAPS.waits_per_agent) as parked,
        connections(scene.agents.port, 50) as others,
    ):
        for _, writer in parked:
            writer.write(wait)
        await until_waiting(scene, CAPS.waits_per_agent)
        each = WAITS // len(others)
        for _, writer in others:
            writer.write(wait * (each - 1) + stream)
        serving = asyncio.create_task(asyncio.to_thread(served_promptly, crowd))
        refused = await asyncio.gather(*(answers(reader, each) for reader, _ in others))
        await serving
        for answer in (one for many in refused for one in many):
            assert answer.startswith(b"HTTP/1.1 429"), answer
            assert b"Retry-After: 5" in answer
            assert b'"cap":"waits"' in answer
        # Those who did get a place are told when it is over.
        path = f"/v1/proposals/{own}/withdraw"
        await asyncio.to_thread(scene.agents.ask, "POST", path, token=crowd.mallory.token)
        told = await asyncio.gather(*(answers(reader, 1) for reader, _ in parked))
        assert all(one.startswith(b"HTTP/1.1 200") for (one,) in told)


async def until_waiting(scene: Scene, count: int) -> None:
    async with asyncio.timeout(20):
        while True:
            text = (await asyncio.to_thread(scene.operator.ask, "GET", "/metrics")).body
            if f"keyturn_waiting_requests {float(count)}".encode() in text:
                return


async def test_bodies_that_never_come_and_requests_that_never_end(crowd: Crowd):
    """1,000 connections say nothing or begin and stop; each is let go, and none is waited for."""
    scene = crowd.scene
    begun = (
        f"POST /v1/proposals HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {crowd.mallory.token}\r\n"
        "Idempotency-Key: slow\r\nContent-Type: application/json\r\n"
    ).encode()
    async with connections(scene.agents.port, 1_000) as opened:
        for at, (_, writer) in enumerate(opened):
            match at % 5:
                case 0:
                    writer.write(begun + b"Content-Length: 500\r\n\r\n{")
                case 1:
                    writer.write(begun + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n")
                case 2:
                    writer.write(begun)
                case 3:
                    writer.write(b"G")
                case _:
                    pass  # It only opens the connection.
        await asyncio.to_thread(served_promptly, crowd)
        slow = [reader for at, (reader, _) in enumerate(opened) if at % 5 in (0, 1)]
        async with asyncio.timeout(30):
            ended = await asyncio.gather(*(reader.read() for reader in slow))
        # Those that never said how long they are soon use up the rate.
        assert {statuses(came)[0] for came in ended} <= {408, 429}
        assert sum(statuses(came)[0] == 408 for came in ended) > 50
        await asyncio.to_thread(served_promptly, crowd)


async def test_readers_that_take_nothing(crowd: Crowd):
    """Who asks for much and reads none of it fills its own pipe alone."""
    scene = crowd.scene
    ask = (
        "GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {crowd.mallory.token}\r\n\r\n"
    ).encode()
    grown = scene.memory_kib()
    with ExitStack() as opened:
        for _ in range(100):
            one = socket.create_connection(("127.0.0.1", scene.agents.port))
            opened.enter_context(one)
            one.settimeout(0)
            # Both pipes may be full: that is what it wants.
            with suppress(BlockingIOError):
                one.send(ask * 2_000)
        for _ in range(3):
            await asyncio.to_thread(served_promptly, crowd)
        assert scene.memory_kib() - grown < 100_000


def test_one_agent_fills_its_own_share_of_a_persons_inbox(crowd: Crowd):
    scene = crowd.scene
    codes = [
        scene.propose(crowd.mallory, text=f"look {n}", on_behalf_of=crowd.li.id)
        for n in range(CAPS.pending_per_agent + 20)
    ]
    assert [one.status for one in codes[: CAPS.pending_per_agent]] == [202] * CAPS.pending_per_agent
    for refused in codes[CAPS.pending_per_agent :]:
        assert (refused.status, refused.json["cap"]) == (429, "pending_per_agent")
        assert int(refused.headers["Retry-After"]) > 0
    quiet = scene.propose(crowd.quiet, text="mine", on_behalf_of=crowd.li.id)
    assert quiet.status == 202
    inbox = scene.page(crowd.li, "/")
    assert f"/proposals/{quiet.json['id']}" in {a.attributes["href"] for a in inbox.all("a")}
    assert "not recorded" not in scene.press(
        crowd.li, quiet.json["id"], {**scene.card(crowd.li, quiet.json["id"])}, "reject"
    )
    served_promptly(crowd)


def test_many_agents_fill_what_one_person_may_be_asked(crowd: Crowd):
    """Even then the person's pages open, and stopping it takes one press an agent."""
    scene, eve = crowd.scene, crowd.scene.person("eve")
    helpers = [scene.agent(f"helper-{n}", eve) for n in range(5)]
    answers = [
        scene.propose(helper, text=f"look {n}", rationale={"why": "w" * 5_000})
        for helper in helpers
        for n in range(CAPS.pending_per_agent)
    ]
    taken = [one.json["id"] for one in answers if one.status == 202]
    assert len(taken) == CAPS.pending_per_principal
    refused = {one.json["cap"] for one in answers if one.status == 429}
    assert refused == {"pending_per_principal"}
    began = time.monotonic()
    assert "100" in scene.page(eve, "/").text
    assert time.monotonic() - began < PROMPTLY_S
    form = scene.card(eve, taken[0])
    stop = {"form": form["form"], "digest": form["digest"], "reason": "Too much"}
    path = f"/proposals/{taken[0]}/stop"
    stopped = scene.people.ask(
        "POST", path, cookie=eve.session, form={**stop, "scope": "agent_for_principal"}
    )
    assert stopped.status == 303
    assert scene.propose(helpers[0], text="more").status == 503
    served_promptly(crowd)


def test_the_rate_is_counted_before_anything_is_read(crowd: Crowd):
    """Whatever an agent sends: beyond its rate nobody looks at the body."""
    scene = crowd.scene
    greedy = scene.agent("greedy", crowd.li)
    bodies = (b"{", b"[" * 100_000, b'{"action":{}}')
    refused = None
    for at in range(CAPS.submits_per_minute + 50):
        refused = scene.agents.ask(
            "POST",
            "/v1/proposals" + ("?dry_run=true" if at % 2 else ""),
            token=greedy.token,
            headers={"Idempotency-Key": f"greedy-{at}"},
            raw=bodies[at % 3],
        )
        if refused.status == 429:
            break
        assert refused.status == 422
    assert refused is not None
    assert (refused.status, refused.json["cap"]) == (429, "submits_per_minute")
    head = (
        "POST /v1/proposals HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000000\r\n"
        f"Authorization: Bearer {greedy.token}\r\n\r\n"
    ).encode()
    # A body that never comes: who is refused at once was refused without it. Ten more a second
    # are within the rate, and wait for theirs.
    with ExitStack() as opened:
        asked = []
        for _ in range(50):
            one = socket.create_connection(("127.0.0.1", scene.agents.port), timeout=PROMPTLY_S)
            opened.enter_context(one)
            one.sendall(head)
            asked.append(one)
        early: list[socket.socket] = []
        until = time.monotonic() + PROMPTLY_S
        while len(early) < len(asked) // 2 and time.monotonic() < until:
            early = select.select(asked, [], [], 0.1)[0]
        assert all(one.recv(65_536).startswith(b"HTTP/1.1 429") for one in early)
        assert len(early) >= len(asked) // 2
    served_promptly(crowd)
