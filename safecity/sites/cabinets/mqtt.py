"""Cabinets over MQTT (OASIS MQTT 3.1.1): `PREFIX/SITE/cabinet`, a JSON message each.

The broker says who may write where: give each site a user that may publish below its own code only. What cannot be read
is counted and said once a site, and never stops the rest.
"""

import asyncio
import json
import ssl
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import aiomqtt
import structlog

from safecity.platform.errors import Invalid, Problem
from safecity.platform.settings import CabinetsSettings
from safecity.sites.cabinets.service import Cabinets

log = structlog.get_logger()

AGAIN_AFTER_S = 5.0
LOOK_EVERY_S = 0.5
MAX_WAITING = 1000  # messages; the broker keeps what we do not take
MAX_REMEMBERED = 500
CLIENT = "safecity-cabinets"


class MqttListener:
    """One connection to the broker, kept up for ever."""

    def __init__(self, cabinets: Cabinets, settings: CabinetsSettings, *, secrets_dir: Path) -> None:
        self._cabinets = cabinets
        self._settings = settings
        self._secrets_dir = secrets_dir
        self._complained: OrderedDict[str, None] = OrderedDict()
        self.taken = 0
        self.refused = 0

    def run(self, stop: threading.Event) -> None:
        """Listen until stopped; a broker that is away is asked again each few seconds."""
        asyncio.run(self._run(stop))

    async def _run(self, stop: threading.Event) -> None:
        was_there = True
        while not stop.is_set():
            try:
                async with self._client() as client:
                    log.info("sites.broker_reached")
                    was_there = True
                    await client.subscribe(f"{self._settings.topic}/+/cabinet", qos=1)
                    await self._listen(client, stop)
            except (aiomqtt.MqttError, OSError, Problem) as error:
                if was_there:
                    log.warning("sites.broker_away", kind=type(error).__name__, problem=str(error))
                was_there = False
                await asyncio.sleep(AGAIN_AFTER_S if not stop.is_set() else 0)

    def _client(self) -> aiomqtt.Client:
        assert self._settings.broker is not None
        user, password = self._sign_in()
        return aiomqtt.Client(
            self._settings.broker,
            self._settings.port,
            username=user,
            password=password,
            identifier=CLIENT,
            clean_session=False,
            max_queued_incoming_messages=MAX_WAITING,
            tls_context=ssl.create_default_context(cafile=self._cafile()) if self._settings.tls else None,
        )

    def _cafile(self) -> str | None:
        return None if self._settings.ca_file is None else str(self._settings.ca_file)

    def _sign_in(self) -> tuple[str | None, str | None]:
        """User and password from DATA/secrets/mqtt.json, which nobody but its owner may read."""
        path = self._secrets_dir / "mqtt.json"
        try:
            said: object = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None, None
        except ValueError as error:
            raise Invalid(f'{path} must be JSON: {{"user": ..., "password": ...}}', code="sites.mqtt_secret") from error
        fields = cast("dict[str, str]", said) if isinstance(said, dict) else {}
        return fields.get("user"), fields.get("password")

    async def _listen(self, client: aiomqtt.Client, stop: threading.Event) -> None:
        messages = aiter(client.messages)
        waiting: asyncio.Task[aiomqtt.Message] | None = None
        try:
            while not stop.is_set():
                waiting = waiting or asyncio.ensure_future(_next(messages))
                done, _ = await asyncio.wait({waiting}, timeout=LOOK_EVERY_S)
                if done:
                    message = waiting.result()
                    waiting = None
                    await asyncio.to_thread(self._take, str(message.topic), message.payload)
        finally:
            if waiting is not None:
                waiting.cancel()

    def _take(self, topic: str, payload: object) -> None:
        code = topic.split("/")[-2]
        try:
            self._cabinets.take(code, payload if isinstance(payload, bytes) else str(payload).encode())
            self.taken += 1
        except Problem as problem:
            self.refused += 1
            if code not in self._complained:
                log.warning("sites.cabinet_message_refused", site=code[:60], code=problem.code)
            self._complained[code] = None
            while len(self._complained) > MAX_REMEMBERED:
                self._complained.popitem(last=False)


async def _next(messages: AsyncIterator[aiomqtt.Message]) -> aiomqtt.Message:
    return await anext(messages)
