"""How many requests a key may send: a bucket of tokens each, filled at a steady rate. Told the time."""

from collections import OrderedDict

_MOST_KEYS = 10_000


class Throttle:
    """Buckets by key, each full at first. Used from one thread."""

    def __init__(self, rate: float, *, burst: float) -> None:
        self._rate = rate
        self._burst = max(burst, 1.0)
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def admits(self, key: str, *, seconds: float) -> bool:
        """Whether a request passes now; if so it has taken its token. A rate of 0 lets everything pass."""
        if self._rate <= 0:
            return True
        level = self.left(key, seconds=seconds)
        admitted = level >= 1
        self._levels[key] = (level - 1 if admitted else level, seconds)
        self._levels.move_to_end(key)
        if len(self._levels) > _MOST_KEYS:
            self._levels.popitem(last=False)  # forgotten is full again: kinder than memory without end
        return admitted

    def left(self, key: str, *, seconds: float) -> float:
        """How many tokens there are now."""
        level, since = self._levels.get(key, (self._burst, seconds))
        return min(self._burst, level + max(seconds - since, 0.0) * self._rate)
