"""Every verb of every connector, and whether params fit what a verb declares."""

from collections.abc import Mapping, Sequence
from typing import cast

import jsonschema_rs

from bot.core.canonical import Json
from bot.core.errors import InvalidInput, SettingsInvalid, UnknownVerb
from bot.core.secret_scan import marks_secrets
from bot.core.verbs import Verb
from bot.ports.connector import Connector


class Connectors:
    """The connectors that the configuration names. Each verb belongs to exactly one.

    Raises:
        SettingsInvalid: two connectors declare the same verb, or an undo names none.
    """

    def __init__(self, connectors: Sequence[Connector]) -> None:
        self._by_name = {connector.name: connector for connector in connectors}
        self._by_verb: dict[str, Connector] = {}
        self._verbs: dict[str, Verb] = {}
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}
        self._secret_schemas: dict[str, Mapping[str, Json]] = {}
        problems = []
        for connector in connectors:
            for name, verb in connector.verbs.items():
                if name in self._verbs:
                    other = self._by_verb[name].name
                    problems.append(
                        f"connectors.{connector.name}.verbs.{name}: connector '{other}' declares "
                        "the same verb. Rename one of them."
                    )
                    continue
                self._by_verb[name] = connector
                self._verbs[name] = verb
                if marks_secrets(verb.params_schema):
                    self._secret_schemas[name] = verb.params_schema
                self._validators[name] = jsonschema_rs.Draft202012Validator(
                    dict(verb.params_schema)
                )
        for name, verb in self._verbs.items():
            if verb.undo is not None and verb.undo.verb not in self._by_verb[name].verbs:
                problems.append(
                    f"connectors.{verb.connector}.verbs.{name}.undo: this connector has no verb "
                    f"'{verb.undo.verb}'. Declare it, or name another one."
                )
        if problems:
            raise SettingsInvalid("The connectors do not fit together.", problems=problems)

    @property
    def verbs(self) -> Mapping[str, Verb]:
        return self._verbs

    @property
    def names(self) -> Sequence[str]:
        return tuple(self._by_name)

    def verb(self, name: str) -> Verb:
        """Return the verb called *name*.

        Raises:
            UnknownVerb: nobody declares it.
        """
        try:
            return self._verbs[name]
        except KeyError:
            raise UnknownVerb(
                f"No connector declares the verb '{name}'.", field="/action/verb"
            ) from None

    def of_verb(self, name: str) -> Connector:
        """Return the connector that carries out *name*.

        Raises:
            UnknownVerb: nobody declares it.
        """
        self.verb(name)
        return self._by_verb[name]

    def named(self, name: str) -> Connector | None:
        return self._by_name.get(name)

    def validate(self, verb: str, params: Mapping[str, Json]) -> None:
        """Check *params* against the schema of *verb*.

        Raises:
            InvalidInput: they do not fit; ``field`` points to the first place that does not.
        """
        validator = self._validators[verb]
        value = cast("dict[str, object]", params)
        if validator.is_valid(value):
            return
        error = next(validator.iter_errors(value))
        place = "".join(f"/{part}" for part in error.instance_path)
        raise InvalidInput(
            f"The params of '{verb}' do not fit its schema: {error.message}",
            field=f"/action/params{place}",
            remedy="GET /v1/verbs shows the schema of each verb.",
        )

    def secret_schema(self, verb: str) -> Mapping[str, Json] | None:
        """Return the schema of *verb* if it marks some params as secret."""
        return self._secret_schemas.get(verb)

    async def close(self) -> None:
        for connector in self._by_name.values():
            await connector.close()
