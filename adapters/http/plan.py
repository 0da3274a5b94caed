"""One verb, ready to be carried out: its section with every template parsed and checked.

Whatever can be wrong with a section is found here, at load: a name that nothing fills, a value
that the card shows and the request does not send, a look-up that cannot tell.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final, TypeVar

from adapters.http.config import (
    AskSection,
    ByValue,
    FixedAudience,
    InspectSection,
    UndoSection,
    VerbSection,
)
from adapters.http.params import ParamsSchema, SchemaRefused, params_schema
from adapters.http.path import ResourcePattern, Target, parse_resource, parse_target
from adapters.http.template import (
    Name,
    Template,
    TemplateInvalid,
    Tree,
    parse_template,
    parse_tree,
    spelled,
    templates,
)
from bot.core.verbs import Kind, Reach

T = TypeVar("T")

#: What an undo calls the target's own id or link for what was written.
REFERENCE: Final[Name] = ("reference",)


@dataclass(frozen=True, slots=True, kw_only=True)
class AudiencePlan:
    reach: Reach
    who: Template
    readers: int | Template | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    section: InspectSection
    target: Target
    matches: Mapping[str, Template]


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoPlan:
    section: UndoSection
    resource: Template
    params: Tree

    @property
    def names(self) -> frozenset[Name]:
        found = (self.resource, *templates(self.params))
        return frozenset(name for template in found for name in template.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one verb does. Without ``of`` the audience is the only one in ``audiences``."""

    section: VerbSection
    params: ParamsSchema
    resource: ResourcePattern
    target: Target
    body: Tree
    inspections: Sequence[Inspection]
    before: Tree
    etag: Template | None
    of: Template | None
    audiences: Mapping[str, AudiencePlan]
    effect: Template
    says_target: Template | None
    lookup: Target | None
    where: Mapping[str, Template]
    undo: UndoPlan | None


def plan_verb(section: VerbSection, *, place: str) -> Plan | list[str]:
    """Return the plan of *section*, or everything that is wrong with it, each a sentence."""
    reading = _Reading(place)
    plan = reading.plan(section)
    if plan is not None:
        _Check(plan, reading).all()
    return plan if plan is not None and not reading.problems else reading.problems


class _Reading:
    """Parses the templates of one section and collects what is wrong with them."""

    def __init__(self, place: str) -> None:
        self.problems: list[str] = []
        self._place = place

    def problem(self, where: str, words: str) -> None:
        self.problems.append(f"{self._place}.{where}: {words}")

    def plan(self, section: VerbSection) -> Plan | None:
        say, lookup, of = section.say, section.lookup, None
        params = self._read("params", lambda: params_schema(section.params))
        resource = self._read("resource", lambda: parse_resource(section.resource))
        target = self._target("request", section.request.path, section.request.query)
        body = self._read("request.body", lambda: parse_tree(section.request.body))
        inspections = [
            Inspection(
                section=ask,
                target=asked,
                matches=self._many(f"inspect[{at}].matches", ask.matches),
            )
            for at, ask in enumerate(section.inspect)
            if (asked := self._ask(f"inspect[{at}]", ask))
        ]
        before = self._read("before", lambda: parse_tree(section.before))
        etag = self._optional("etag", section.etag)
        if isinstance(section.audience, ByValue):
            of = self._text("audience.of", section.audience.of)
            audiences = {
                case: audience
                for case, fixed in section.audience.cases.items()
                if (audience := self._audience(f"audience.cases.{case}", fixed))
            }
        else:
            only = self._audience("audience", section.audience)
            audiences = {"": only} if only else {}
        effect = self._text("say.effect", say.effect)
        says_target = self._optional("say.target", say.target)
        where = self._many("lookup.found.where", lookup.found.where) if lookup else {}
        asked = self._ask("lookup", lookup) if lookup else None
        undo = self._undo(section.undo) if section.undo else None
        if self.problems or not (params and resource and target and effect):
            return None
        return Plan(
            section=section,
            params=params,
            resource=resource,
            target=target,
            body=body,
            inspections=inspections,
            before=before,
            etag=etag,
            of=of,
            audiences=audiences,
            effect=effect,
            says_target=says_target,
            lookup=asked,
            where=where,
            undo=undo,
        )

    def _undo(self, section: UndoSection) -> UndoPlan | None:
        resource = self._text("undo.resource", section.resource)
        params = self._read("undo.params", lambda: parse_tree(dict(section.params)))
        return UndoPlan(section=section, resource=resource, params=params) if resource else None

    def _read(self, where: str, parse: Callable[[], T]) -> T | None:
        try:
            return parse()
        except (TemplateInvalid, SchemaRefused) as error:
            self.problem(where, str(error))
            return None

    def _text(self, where: str, text: str) -> Template | None:
        return self._read(where, lambda: parse_template(text))

    def _optional(self, where: str, text: str | None) -> Template | None:
        return None if text is None else self._text(where, text)

    def _many(self, where: str, texts: Mapping[str, str]) -> Mapping[str, Template]:
        read = {name: self._text(f"{where}.{name}", text) for name, text in texts.items()}
        return {name: template for name, template in read.items() if template}

    def _target(self, where: str, path: str, query: Mapping[str, str]) -> Target | None:
        return self._read(where, lambda: parse_target(path, query))

    def _ask(self, where: str, section: AskSection) -> Target | None:
        return self._target(where, section.path, section.query)

    def _audience(self, where: str, section: FixedAudience) -> AudiencePlan | None:
        who = self._text(f"{where}.who", section.who)
        readers = section.readers
        counted = self._text(f"{where}.readers", readers) if isinstance(readers, str) else readers
        return AudiencePlan(reach=section.reach, who=who, readers=counted) if who else None


@unique
class _Place(Enum):
    """What a template must have a value for."""

    WORDS = "words"  #: for people: what is not there is said to be not known
    VALUE = "value"  #: one name alone may be absent, and is left out then
    TEXT = "text"  #: always


class _Check:
    """Finds names that nothing fills, and values that go nowhere."""

    def __init__(self, plan: Plan, reading: _Reading) -> None:
        self._plan = plan
        self._problem = reading.problem
        self._seen = [name for ask in plan.inspections for name in ask.section.take]

    def all(self) -> None:
        plan = self._plan
        sent = ("params", "resource", "key")
        self._target("request", plan.target, sent)
        self._names("request.body", templates(plan.body), sent, _Place.VALUE)
        for at, ask in enumerate(plan.inspections):
            self._target(f"inspect[{at}]", ask.target, ("params", "resource"))
            matched = ask.matches.values()
            self._names(f"inspect[{at}].matches", matched, ("params", "resource"), _Place.VALUE)
            in_body = [source for source in ask.section.take.values() if isinstance(source, str)]
            if ask.section.method == "HEAD" and (in_body or ask.matches):
                self._problem(f"inspect[{at}]", "HEAD is answered without a body: use GET")
        observed = ("params", "resource", "seen")
        self._names("before", templates(plan.before), ("seen",), _Place.WORDS)
        self._values_stay_whole()
        self._names("etag", filter(None, [plan.etag]), ("seen",), _Place.WORDS)
        self._names("audience.of", filter(None, [plan.of]), observed, _Place.WORDS)
        for audience in plan.audiences.values():
            self._names("audience.who", [audience.who], observed, _Place.WORDS)
            if isinstance(audience.readers, Template):
                self._names("audience.readers", [audience.readers], ("seen",), _Place.WORDS)
        said = filter(None, [plan.effect, plan.says_target])
        self._names("say", said, ("params", "resource", "before"), _Place.WORDS)
        if plan.lookup:
            self._target("lookup", plan.lookup, sent)
            self._names("lookup.found.where", plan.where.values(), sent, _Place.VALUE)
            self._tells_apart(plan.lookup)
            self._lookup_has_a_body()
        if plan.undo:
            self._undo_is_known(plan.undo)
        self._nothing_is_taken_twice()
        self._everything_is_sent()
        self._etag_is_observed()

    def _target(self, where: str, target: Target, roots: Sequence[str]) -> None:
        self._names(f"{where}.path", target.in_path, roots, _Place.TEXT)
        self._names(f"{where}.query", target.query.values(), roots, _Place.VALUE)

    def _names(
        self, where: str, found: Iterable[Template], roots: Sequence[str], place: _Place
    ) -> None:
        for template in found:
            for name in template.names:
                if name[0] not in roots or not self._exists(name):
                    self._problem(where, f"nothing is called {spelled(name)} here")
                elif place is not _Place.WORDS and not self._is_ready(name, template, place):
                    self._problem(
                        where,
                        f"{spelled(name)} is written into a text: the schema of params has to"
                        " require it and to say that it is a string, number or boolean",
                    )

    def _exists(self, name: Name) -> bool:
        root, rest = name[0], name[1:]
        match root:
            case "params":
                return self._plan.params.knows(rest)
            case "resource":
                return len(rest) == 1 and rest[0] in self._plan.resource.names
            case "seen":
                return bool(rest) and rest[0] in self._seen
            case "before":
                return self._plan.section.before is not None
            case _:
                return not rest

    def _is_ready(self, name: Name, template: Template, place: _Place) -> bool:
        if name[0] != "params" or (place is _Place.VALUE and template.whole is not None):
            return True
        return self._plan.params.always_has_text(name[1:])

    def _values_stay_whole(self) -> None:
        for template in templates(self._plan.before):
            if template.whole is None and any(True for _ in template.names):
                self._problem("before", "a value stands alone here, as in {seen.title}")

    def _tells_apart(self, lookup: Target) -> None:
        asked = {name for template in self._in(lookup) for name in template.names}
        gone = self._plan.section.kind is Kind.DESTRUCTIVE
        if not (gone or self._plan.where or ("key",) in asked):
            self._problem(
                "lookup",
                "an answer alone does not prove that this effect happened: ask by {key}, or say"
                " under found.where what the answer must hold",
            )

    def _lookup_has_a_body(self) -> None:
        lookup = self._plan.section.lookup
        if lookup is None or lookup.method != "HEAD":
            return
        found = lookup.found
        if found.where or found.each is not None or found.reference is not None:
            self._problem("lookup", "HEAD is answered without a body: use GET")

    def _undo_is_known(self, undo: UndoPlan) -> None:
        known = ("params", "resource", "reference")
        self._names("undo.resource", [undo.resource], known, _Place.TEXT)
        self._names("undo.params", templates(undo.params), known, _Place.VALUE)
        if REFERENCE in undo.names and self._plan.section.reference is None:
            self._problem("undo", "{reference} is not known: say where it is under reference")

    def _nothing_is_taken_twice(self) -> None:
        for name in sorted({name for name in self._seen if self._seen.count(name) > 1}):
            self._problem("inspect", f"{name} is taken twice: give one of them another name")

    def _everything_is_sent(self) -> None:
        plan = self._plan
        sent = {
            name
            for template in (*self._in(plan.target), *templates(plan.body))
            for name in template.names
        }
        params = frozenset(name[1:] for name in sent if name[0] == "params")
        for name in plan.params.not_in(params):
            words = spelled(("params", *name))
            self._problem(
                "request", f"{words} is shown to people but never sent: use it, or do not allow it"
            )
        for ask in plan.inspections:
            sent.update(name for template in ask.matches.values() for name in template.names)
        for part in sorted(
            plan.resource.names - {name[1] for name in sent if name[0] == "resource"}
        ):
            words = spelled(("resource", part))
            self._problem(
                "request",
                f"{words} is shown to people but never sent: use it, check it under"
                " inspect.matches, or leave it out of the resource",
            )

    def _etag_is_observed(self) -> None:
        if self._plan.etag and not any(True for _ in self._plan.etag.names):
            self._problem("etag", "an etag is observed, not declared: write {seen.NAME}")

    @staticmethod
    def _in(target: Target) -> Iterable[Template]:
        return (*target.in_path, *target.query.values())
