"""A desk without a store: it keeps what chats asked of it, and can be told how to answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from bot.core.actors import Agent, Person, person_actor
from bot.core.approval import Choice, Decision
from bot.core.card import Button, Card, FullViewPage, build_card, full_view
from bot.core.errors import KeyturnError, NotAuthenticated, NotFound, NotPermitted
from bot.core.halts import Halt, HaltScope, HaltTarget, halt_id_of
from bot.core.ids import AgentId, HaltId, PersonId, ProposalId
from bot.core.pressed import NotRecorded, Pressed, Recorded
from bot.core.proposal import Outcome, Proposal, Result, Viewed
from bot.core.states import TERMINAL, State
from bot.core.status import status_line
from bot.ports.clock import Clock
from bot.ports.desk import Click, HistoryEntry, Inbox
