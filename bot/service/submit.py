"""An agent proposes an action."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import assert_never

from bot.core.actors import Agent, agent_actor
from bot.core.canonical import Digest, Json
from bot.core.errors import Conflict, InvalidInput, NotPermitted, SecretInProposal
from bot.core.frozen import frozen
from bot.core.ids import ID_ENTROPY_BYTES, PersonId, ProposalId, proposal_id
from bot.core.leaf import SALT_BYTES
from bot.core.policy import Deny, Verdict
from bot.core.proposal import Action, Mode, Rationale, action_digest, rationale_value
from bot.core.secret_scan import SecretFound, find_secrets
from bot.core.step import Ask, IdempotencyRef, Refusal, Replay, Snapshot, Step, Transition
from bot.core.transitions import submission
from bot.core.transitions.submission import Draft, Judged, PendingCaps, Submitted
from bot.core.verbs import Facts, Preview, Verb
from bot.ports.connector import Connector
from bot.ports.queries import ProposalByKey
from bot.service.gate import Gate
from bot.service.standing import standing_chat

MIN_EXPIRES_S = 10
MAX_EXPIRES_S = 30 * 24 * 3600


@frozen
class SubmitRequest:
    """One proposal as the agent sent it; ``request_digest`` is over the whole parsed body."""

    action: Action
    on_behalf_of: PersonId | None = None
    mode: Mode = Mode.EXECUTE
    audience: str | None = None
    rationale: Rationale = field(default_factory=Rationale)
    etag: str | None = None
    expires_in_s: int | None = None
    supersedes: ProposalId | None = None
    correlation: str | None = None
    idempotency_key: str
    request_digest: Digest


@frozen
class DryRun:
    """What would happen; nothing was kept and nobody was asked."""

    verdict: Verdict
    facts: Facts
    preview: Preview
    action_digest: Digest


class Submit:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._standing = standing_chat(gate.chats)
        self._caps = PendingCaps(
            per_agent=gate.caps.pending_per_agent, per_principal=gate.caps.pending_per_principal
        )

    async def submit(self, agent: Agent, request: SubmitRequest) -> Submitted:
        """Hold, allow or deny what *agent* proposes; the same key and body again is the same.

        Raises:
            InvalidInput: the action does not fit its verb, or holds a secret.
            NotPermitted: outside what the agent may propose, or for whom.
            Conflict: the target has changed since the agent read it.
            TooMany: too many proposals wait.
            Unavailable: stopped, or it cannot be recorded.
            UpstreamFailed: the target could not be asked.
        """
        gate = self._gate
        refuse_secrets(request)
        verb = gate.connectors.verb(request.action.verb)
        if verb.inspects:
            earlier = await gate.store.read(ProposalByKey(agent.id, request.idempotency_key))
            if earlier is not None:
                return _replayed(submission.replay(earlier, request.request_digest))
        draft = await self._draft(agent, request, verb)
        ask = Ask(
            agent=agent.id,
            person=draft.principal,
            proposals=() if draft.supersedes is None else (draft.supersedes,),
            idempotency=IdempotencyRef(agent=agent.id, key=draft.idempotency_key),
            pending_of_agent=agent.id,
            pending_of_principal=draft.principal,
        )
        submitted = await gate.commit(ask, self._step(draft))
        proposal = submitted.proposal
        gate.tally.count("submitted", "replayed" if submitted.replayed else proposal.state)
        if proposal.deliveries and not submitted.replayed:
            gate.tally.count("delivered", "")
            if self._standing is not None:
                self._standing.chat.look_again(proposal.principal)
        return submitted

    async def dry_run(self, agent: Agent, request: SubmitRequest) -> DryRun:
        """Return what :meth:`submit` would come to, asking the target but keeping nothing.

        What the target holds now is left out: an agent must not read through Keyturn.
        """
        gate = self._gate
        refuse_secrets(request)
        verb = gate.connectors.verb(request.action.verb)
        draft = await self._draft(agent, request, verb)
        policy = gate.policies.current
        facts = Facts(audience=draft.facts.audience)
        return DryRun(
            verdict=submission.verdict_on(draft, agent=agent, policy=policy),
            facts=facts,
            preview=gate.connectors.of_verb(verb.name).preview(draft.action, facts),
            action_digest=action_digest(draft.action_bytes),
        )

    def _step(self, draft: Draft) -> Callable[[Snapshot], Step[Submitted]]:
        gate = self._gate

        def step(snapshot: Snapshot) -> Step[Submitted]:
            return submission.submit(
                snapshot,
                draft,
                policy=gate.policies.current,
                deployment=gate.deployment,
                caps=self._caps,
            )

        return step

    async def _draft(self, agent: Agent, request: SubmitRequest, verb: Verb) -> Draft:
        action = request.action
        if not agent.may_propose(verb.name):
            raise NotPermitted(
                f"This agent may not propose '{verb.name}'.",
                remedy="GET /v1/verbs lists what it may propose.",
            )
        require_mode(verb, request)
        principal = principal_of(agent, request.on_behalf_of)
        refuse_marked(action.params, schema=self._gate.connectors.secret_schema(verb.name))
        self._gate.connectors.validate(verb.name, action.params)
        expires_in_s = request.expires_in_s
        if expires_in_s is not None and not MIN_EXPIRES_S <= expires_in_s <= MAX_EXPIRES_S:
            raise InvalidInput(
                f"expires_in_s has to be from {MIN_EXPIRES_S} to {MAX_EXPIRES_S} seconds.",
                field="/expires_in_s",
            )
        connector = self._gate.connectors.of_verb(verb.name)
        entropy = self._gate.entropy(ID_ENTROPY_BYTES + SALT_BYTES)
        draft = Draft(
            id=proposal_id(self._gate.clock.now(), entropy[:ID_ENTROPY_BYTES]),
            salt=entropy[ID_ENTROPY_BYTES:].hex(),
            agent=agent,
            proposer=agent_actor(agent.id),
            principal=principal,
            mode=request.mode,
            audience=request.audience,
            action=action,
            action_bytes=action.canonical(),
            verb=verb,
            facts=Facts(),
            preview=_NO_PREVIEW,
            rationale=request.rationale,
            etag=request.etag,
            correlation=request.correlation,
            idempotency_key=request.idempotency_key,
            request_digest=request.request_digest,
            expires_in_s=expires_in_s,
            supersedes=request.supersedes,
            standing=None if self._standing is None else self._standing.shows,
        )
        return await observe(self._gate, draft, connector)


async def observe(gate: Gate, draft: Draft, connector: Connector) -> Draft:
    """Return *draft* with what the connector observes and would show.

    A denied action is never looked at: an agent must not make Keyturn ask for what it may
    not have itself.

    Raises:
        Conflict: the target is no longer at the state the agent named.
    """
    policy = gate.policies.current
    verdict = submission.verdict_on(draft, agent=draft.agent, policy=policy)
    if isinstance(verdict, Deny):
        facts = Facts()
    else:
        facts = await connector.inspect(draft.action)
        if draft.etag is not None and facts.etag is not None and draft.etag != facts.etag:
            raise Conflict(
                "The resource has changed since the agent read it.",
                remedy="Read the resource again, then propose with its new etag.",
            )
    return replace(
        draft,
        facts=facts,
        preview=connector.preview(draft.action, facts),
        judged=Judged(policy=policy, verdict=verdict),
    )


def principal_of(agent: Agent, asked: PersonId | None) -> PersonId:
    """Return for whom *agent* acts: never anybody it is not bound to.

    Raises:
        NotPermitted: it is not bound to *asked*, or to nobody.
        InvalidInput: it is bound to several and did not say which.
    """
    if asked is not None:
        if asked not in agent.principals:
            raise NotPermitted(
                "This agent may not act for that person.",
                remedy="GET /v1/whoami lists the people it may act for.",
            )
        return asked
    if len(agent.principals) == 1:
        return agent.principals[0]
    if not agent.principals:
        raise NotPermitted("This agent is not bound to anybody it could act for.")
    raise InvalidInput(
        "This agent acts for several people: say for whom.",
        field="/on_behalf_of",
        remedy="Set on_behalf_of to one of the ids that GET /v1/whoami lists.",
    )


def require_mode(verb: Verb, request: SubmitRequest) -> None:
    """Check that *verb* is for the mode and audience that *request* asks for.

    Raises:
        InvalidInput: it is carried out here and not released, or the other way round.
    """
    released = verb.release
    if released is None and request.mode is Mode.RELEASE:
        raise InvalidInput(
            f"'{verb.name}' is carried out by Keyturn and never released.",
            field="/mode",
            remedy="Leave mode and audience out.",
        )
    if released is not None and request.mode is Mode.EXECUTE:
        raise InvalidInput(
            f"Keyturn cannot carry out '{verb.name}': it is released.",
            field="/mode",
            remedy=f'Send "mode": "release" and "audience": "{released.audience}".',
        )
    audience = None if released is None else released.audience
    if request.audience != audience:
        raise InvalidInput(
            f"'{verb.name}' is not for this audience.",
            field="/audience",
            remedy="Leave it out: Keyturn carries this out itself."
            if audience is None
            else f'Send "audience": "{audience}".',
        )


def refuse_secrets(request: SubmitRequest) -> None:
    """Check that nothing in the request looks like a secret.

    Raises:
        SecretInProposal: naming the places, never the values.
    """
    action = request.action
    # At once: most of what a look costs is to find that there is nothing.
    everything: Json = {
        "action": {"verb": action.verb, "resource": action.resource, "params": action.params},
        "rationale": rationale_value(request.rationale),
        "correlation": request.correlation,
        "audience": request.audience,
        "preconditions": {"etag": request.etag},
        _KEY_HEADER: request.idempotency_key,
    }
    _refuse([secret for secret in find_secrets(everything) if secret != _KEY_LIKE_MAILGUN])


def refuse_marked(params: Mapping[str, Json], *, schema: Mapping[str, Json] | None) -> None:
    """Check that *params* hold nothing that their verb's *schema* marks as secret.

    Raises:
        SecretInProposal: naming the places, never the values.
    """
    if schema is not None:
        found = find_secrets(params, schema=schema)
        _refuse([replace(secret, path=f"/action/params{secret.path}") for secret in found])


def _refuse(found: Sequence[SecretFound]) -> None:
    if not found:
        return
    names = [
        "the header Idempotency-Key" if secret.path == f"/{_KEY_HEADER}" else secret.path
        for secret in found
    ]
    places = ", ".join(f"{name} ({secret.kind})" for name, secret in zip(names, found, strict=True))
    field = found[0].path if names[0] == found[0].path else None
    raise SecretInProposal(f"What looks like a secret is at: {places}.", field=field)


def _replayed(step: Step[Submitted]) -> Submitted:
    match step:
        case Replay(value=value):
            return value
        case Refusal(error=error):
            raise error
        case Transition(value=value):
            return value
        case _:
            assert_never(step)


_KEY_HEADER = "Idempotency-Key"
#: "key-" and a random number in hexadecimal is what many programs make for the header.
_KEY_LIKE_MAILGUN = SecretFound(path=f"/{_KEY_HEADER}", kind="mailgun")
_NO_PREVIEW = Preview(effect="", target="", reversible="")
