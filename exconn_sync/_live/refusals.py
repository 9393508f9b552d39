"""Topics that the exchange refuses to bring (fault F046)."""

from __future__ import annotations

from exconn_sync._live.pipeline import Pipeline
from exconn_sync.errors import ExconnError
from exconn_sync.model.wire import Topic


class Refusals:
    """What is refused on the connection that counts, each told once an episode. Session's thread only, ``shown`` aside.

    An episode lasts until the topic is subscribed, is given up, or is wanted by somebody new, over as many connections
    as it takes: asking again and again is no reason to tell again and again.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._told: set[Topic] = set()
        # Replaced whole: any thread may read it.
        self.shown: dict[Topic, str] = {}
        """Why each topic is refused at present."""

    def note(self, topic: Topic, error: ExconnError) -> None:
        """The exchange refuses a topic."""
        self.shown = {**self.shown, topic: error.message}
        if topic not in self._told:
            self._told.add(topic)
            self._pipeline.error(topic.name, error)

    def over(self, topic: Topic) -> None:
        """A topic is subscribed, or given up, or wanted by somebody who has heard nothing yet."""
        self._told.discard(topic)
        if topic in self.shown:
            self.shown = {each: why for each, why in self.shown.items() if each != topic}

    def lost(self) -> None:
        """The connection is lost: whether the next one is refused the same is not known yet."""
        self.shown = {}
