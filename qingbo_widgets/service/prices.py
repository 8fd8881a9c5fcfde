"""``PriceFinder``: the price of a request, from the first of the service's three sources that has one."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

                return ask(request)
            except QingboError as error:
                if not _is_about_the_request(error):
                    self._silent_until[name] = self._clock() + _LATER
