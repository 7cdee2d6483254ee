"""Counts working days and working time with the package chinese-calendar, which knows nothing of doudi.

usage: calendar_oracle.py SEED COUNT

Prints one line for every day of 2024 to 2026, and COUNT lines for each of the three questions:

    day DATE 0|1                 whether people work on it
    due DATE DAYS DATE           the last of so many working days, counted from the day after
    worked INSTANT INSTANT N     the seconds worked between two instants, at 09-12 and 13-17
    after INSTANT N INSTANT      the earliest instant by which so many seconds were worked
"""

import datetime
import random
import sys

try:
    import chinese_calendar
except ImportError:
    sys.exit("chinese-calendar is not in this Python: run deploy/bootstrap.sh --python")

FIRST, LAST = datetime.date(2024, 1, 1), datetime.date(2026, 12, 31)
DAY = datetime.timedelta(days=1)
HOURS = [(9, 12), (13, 17)]


def days(first: datetime.date, last: datetime.date):
    while first <= last:
        yield first
        first += DAY


WORKDAYS = [day for day in days(FIRST, LAST) if chinese_calendar.is_workday(day)]
# Every interval in which people work, in order.
SHIFTS = [
    (datetime.datetime.combine(day, datetime.time(begin)), datetime.datetime.combine(day, datetime.time(end)))
    for day in WORKDAYS
    for begin, end in HOURS
]


def seconds(span: datetime.timedelta) -> int:
    return span.days * 86400 + span.seconds


def due(start: datetime.date, count: int) -> datetime.date | None:
    """The count-th working day after start; none where that lies beyond the published years."""
    after = [day for day in WORKDAYS if day > start]
    if count == 0:
        return start
    return after[count - 1] if count <= len(after) else None


def worked(start: datetime.datetime, end: datetime.datetime) -> int:
    nothing = datetime.timedelta()
    spans = (min(end, to) - max(start, begin) for begin, to in SHIFTS)
    return sum(seconds(max(span, nothing)) for span in spans)


def after(start: datetime.datetime, amount: int) -> datetime.datetime | None:
    if amount == 0:
        return start
    for begin, to in SHIFTS:
        begin = max(begin, start)
        available = seconds(to - begin)
        if available <= 0:
            continue
        if amount <= available:
            return begin + datetime.timedelta(seconds=amount)
        amount -= available
    return None


def main(seed: int, count: int) -> None:
    chance = random.Random(seed)
    length = (LAST - FIRST).days

    def some_day() -> datetime.date:
        return FIRST + chance.randint(0, length) * DAY

    def some_instant() -> datetime.datetime:
        midnight = datetime.datetime.combine(some_day(), datetime.time())
        return midnight + datetime.timedelta(seconds=chance.randrange(86400))

    for day in days(FIRST, LAST):
        print("day", day, int(chinese_calendar.is_workday(day)))
    for _ in range(count):
        start, allowance = some_day(), chance.randint(0, 90)
        if (on := due(start, allowance)) is not None:
            print("due", start, allowance, on)
    for _ in range(count):
        start, end = some_instant(), some_instant()
        print("worked", start.isoformat(), end.isoformat(), worked(start, end))
    for _ in range(count):
        start, amount = some_instant(), chance.randint(0, 90 * 7 * 3600)
        if (at := after(start, amount)) is not None:
            print("after", start.isoformat(), amount, at.isoformat())


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
