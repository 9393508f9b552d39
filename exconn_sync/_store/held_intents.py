"""What there is to tell of new orders while their own threads put their intents into the journal."""

from __future__ import annotations

from exconn_sync._store.told import Told
from exconn_sync.model.ids import ClientOrderId


class HeldIntents:
    """An order is told once the journal has its intent, and before anything else that becomes known of it.

    Where a journal takes so long that something else becomes known first, as that the order is in doubt, both are left
    to whoever tells, the intent in front. Not thread-safe: the store's lock guards it.
    """

    def __init__(self) -> None:
        self._held: dict[ClientOrderId, Told] = {}

    def hold(self, told: Told) -> None:
        """Keep back what there is to tell of a new order."""
        self._held.update(dict.fromkeys(told.records, told))

    def kept(self, told: Told) -> list[Told]:
        """Return what is to be told now that its intent needs no keeping; nothing where that was left to others."""
        is_held = [self._held.pop(name, None) for name in told.records] == [told]
        if is_held:
            told.facts.clear()
        return [told] if is_held else []

    def before(self, told: Told) -> list[Told]:
        """Return what has to be told before this."""
        return [held for name in told.records if (held := self._held.pop(name, None)) is not None]
