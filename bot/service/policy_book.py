"""The policy in force: read from its row, replaced only by one that loads."""

from bot.core.actors import Actor
from bot.core.errors import StoreUnavailable
from bot.core.leaf import LeafDraft
from bot.core.policy import Policy
from bot.core.policy_file import parse_policy
from bot.core.policy_version import PolicyVersion
from bot.core.step import Ask, Replay, Snapshot, Step, Transition
from bot.ports.queries import ActivePolicy
from bot.ports.store import Store


class PolicyBook:
    """Holds the compiled form of the policy row, for this process."""

    def __init__(self, store: Store, policy: Policy) -> None:
        self._store = store
        self._current = policy

    @property
    def current(self) -> Policy:
        return self._current

    async def activate(self, text: str, *, actor: Actor) -> Policy:
        """Put *text* in force, as a row and a leaf; the same text again changes nothing.

        Raises:
            PolicyInvalid: *text* does not load; the old policy stays.
            StoreUnavailable: it could not be recorded; the old policy stays.
        """
        policy = parse_policy(text)
        await self._store.transact(Ask(), lambda snapshot: _activate(snapshot, policy, actor))
        self._current = policy
        return policy

    async def refresh(self) -> Policy:
        """Load the policy that is in force in the store, after somebody else changed it."""
        version = await self._store.read(ActivePolicy())
        if version is None:
            raise StoreUnavailable("No policy is in force.")
        if version.digest != self._current.digest:
            self._current = parse_policy(version.text)
        return self._current


def _activate(snapshot: Snapshot, policy: Policy, actor: Actor) -> Step[None]:
    if snapshot.policy_digest == policy.digest:
        return Replay(None)
    version = PolicyVersion(digest=policy.digest, text=policy.text, activated_at=snapshot.now)
    return Transition(
        value=None,
        puts=(version,),
        leaves=(
            LeafDraft(
                type="policy.activated",
                actor=actor,
                clear={"before": snapshot.policy_digest, "digest": policy.digest},
            ),
        ),
    )
