"""Errors that end a relay or a worker for good; all others are retried."""


class KafkaRefusal(Exception):
    """The relay or the worker cannot continue."""


class PartitionCountChanged(KafkaRefusal):
    """With another number of partitions the events of an instance would lose their order."""


class ProjectionPaused(KafkaRefusal):
    """A paused projection does not catch up."""
