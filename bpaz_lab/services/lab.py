"""The laboratory: what an installation has, put together.

Making one costs nothing and opens nothing. It gets ready at the first request, and tries again at the
next one where the database was away, so that nothing here ever keeps Jupyter from starting.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bpaz_lab.accounts.capability import Capabilities
from bpaz_lab.accounts.passwords import Passwords
from bpaz_lab.accounts.tokens import Tokens
from bpaz_lab.errors import StoreUnavailable
from bpaz_lab.services.keeper import Keeper
from bpaz_lab.services.live import Live
from bpaz_lab.services.pulse import Pulse
from bpaz_lab.store.caller import Caller
from bpaz_lab.store.database import Database
from bpaz_lab.store.repositories.data_keys import DataKeys
from bpaz_lab.store.repositories.users import passwords_kept
from bpaz_lab.vault.keys import KeyRing
from bpaz_lab.vault.vault import Vault

if TYPE_CHECKING:
    from bpaz_lab.services.kernel import Kernels
    from bpaz_lab.services.runner import Runner
    from bpaz_lab.settings import Settings


@dataclass(frozen=True)
class Secrets:
    """What needs the keys of the installation."""

    ring: KeyRing
    vault: Vault
    tokens: Tokens
    passwords: Passwords


@dataclass
class Lab:
    """What an installation has.

    Attributes:
        settings: Its settings.
        database: Where it remembers.
        live: The events of executions as they come.
        keeper: Stores them.
        capabilities: What kernels may do.
        pulse: When each execution was last heard of.
        runner: Runs executions in kernels; None where there is no server.
        kernels: Knows the server's kernels; None where there is no server.
        server_id: Names this process among those that share the database.
    """

    settings: Settings
    database: Database
    live: Live
    keeper: Keeper
    capabilities: Capabilities = field(default_factory=Capabilities)
    pulse: Pulse = field(default_factory=Pulse)
    runner: Runner | None = None
    kernels: Kernels | None = None
    server_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    _secrets: Secrets | None = None
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    def of(cls, settings: Settings) -> Lab:
        """The laboratory of these settings; opens nothing yet.

        Raises:
            SettingsError: The database's URL is none.
        """
        database, live = Database.of(settings), Live(settings.event_queue)
        return cls(settings, database, live, Keeper(database, live))

    async def ready(self) -> None:
        """Opens the database and reads the keys, the first time and until it works.

        Raises:
            StoreError: The database cannot be reached, or its tables are of another version.
            SettingsError: A key is malformed.
        """
        if self._secrets is None:
            async with self._starting:
                await self._open()

    async def _open(self) -> None:
        if self._secrets is not None:  # another request was first
            return
        await self.database.start()
        async with self.database.session(read_only=True) as session:
            locked = await DataKeys(session, Caller()).any() or await passwords_kept(session)
        settings = self.settings
        ring = await asyncio.to_thread(KeyRing.read, settings, locked=locked)
        self._secrets = Secrets(ring, Vault(ring), Tokens(ring.tokens, settings), Passwords(ring.pepper))

    async def close(self) -> None:
        """Ends what is running and closes the database; may be called more than once."""
        if self.runner is not None:
            await self.runner.close()
        await self.keeper.close()
        await self.database.close()
        self._secrets = None

    @property
    def secrets(self) -> Secrets:
        """What needs the keys.

        Raises:
            StoreUnavailable: The laboratory is not ready.
        """
        if self._secrets is None:
            raise StoreUnavailable("the laboratory is not open", hint="Try again in a moment.")
        return self._secrets

    @property
    def ring(self) -> KeyRing:
        """The keys."""
        return self.secrets.ring

    @property
    def vault(self) -> Vault:
        """Locks and unlocks secrets."""
        return self.secrets.vault

    @property
    def tokens(self) -> Tokens:
        """Signs and checks access tokens."""
        return self.secrets.tokens

    @property
    def passwords(self) -> Passwords:
        """Hashes and checks passwords."""
        return self.secrets.passwords
