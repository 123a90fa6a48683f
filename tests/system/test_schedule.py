"""`stoker schedule next`: held against a calendar that counts every minute."""
import datetime
import json
import os
import random
import subprocess
import zoneinfo

import pytest

from stoker import BINARY

pytestmark = pytest.mark.one_thread

UTC = datetime.timezone.utc
# Where and when clocks change, forward and back.
CHANGES = {"America/New_York": ["2026-03-08", "2026-11-01"], "Europe/Berlin": ["2026-03-29", "2026-10-25"], "Australia/Lord_Howe": ["2026-04-05", "2026-10-04"],
           "America/Santiago": ["2026-04-05", "2026-09-06"], "Asia/Shanghai": ["2026-11-30"], "UTC": ["2028-02-28"], "Asia/Kathmandu": ["2026-12-31"], "Africa/Cairo": ["2026-04-24", "2026-10-29"]}


def schedule(*args, env=None):
    return subprocess.run([BINARY, "schedule", *args], capture_output=True, text=True, timeout=60, env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})})


def members(field, low, high):
    """The values of a field, by the words of crontab(5)."""
    out = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if first == "*":
            values = range(low, high + 1)
        else:
            values = range(int(first), (int(last) if last else high if step else int(first)) + 1)
        out |= set(list(values)[::int(step or 1)])
    return out


def runs(text, zone, after, until):
    """Every minute between, by real time; with what the day leaves out."""
    fields = text.split()
    minutes, hours, days, months = (members(f, *r) for f, r in zip(fields, ((0, 59), (0, 23), (1, 31), (1, 12))))
    weekdays = {d % 7 for d in members(fields[4], 0, 7)}
    follows = fields[1].startswith("*")

    def is_one(t):
        by_day, by_weekday = t.day in days, (t.weekday() + 1) % 7 in weekdays
        day = by_day and by_weekday if fields[2].startswith("*") or fields[4].startswith("*") else by_day or by_weekday
        return t.minute in minutes and t.hour in hours and t.month in months and day

    def local(t):
        return datetime.datetime.fromtimestamp(t, zone)

    t = after // 60 * 60 + 60
    while t <= until:
        here, before = local(t), local(t - 60)
        hit = is_one(here) and (follows or here.fold == 0)
        wall = before.replace(tzinfo=None, fold=0) + datetime.timedelta(minutes=1)
        while not follows and wall < here.replace(tzinfo=None, fold=0):  # left out
            hit = hit or is_one(wall)
            wall += datetime.timedelta(minutes=1)
        if hit:
            yield t
        t += 60


def some_field(r, low, high):
    def value():
        return r.randint(low, high)
    kind = r.random()
    if kind < 0.3:
        return "*"
    if kind < 0.4:
        return f"*/{r.randint(1, high)}"
    if kind < 0.6:
        a, b = sorted((value(), value()))
        return f"{a}-{b}" + (f"/{r.randint(1, 5)}" if r.random() < 0.4 else "")
    return ",".join(str(value()) for _ in range(r.randint(1, 4)))


@pytest.mark.parametrize("zone", CHANGES)
@pytest.mark.parametrize("seed", range(6))
def test_against_every_minute(zone, seed):
    r = random.Random(f"{zone} {seed}")
    tz = zoneinfo.ZoneInfo(zone)
    for _ in range(6):
        day = datetime.datetime.fromisoformat(r.choice(CHANGES[zone])).replace(tzinfo=UTC)
        after = int(day.timestamp()) - 86400 + r.randrange(2 * 86400)
        # the hours around a change come often
        hour = r.choice([some_field(r, 0, 23), "*", "0", "1", "2", "1-3", "0,2,23"])
        text = " ".join((some_field(r, 0, 59), hour, r.choice(["*", "*", some_field(r, 1, 31)]), r.choice(["*", "*", str(day.month)]), r.choice(["*", "*", some_field(r, 0, 7)])))
        want = []
        for t in runs(text, tz, after, after + 5 * 86400):
            want.append(t)
            if len(want) == 12:
                break
        start = datetime.datetime.fromtimestamp(after, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        said = schedule("next", text, "-n", "12", "--from", start, "--json", env={"TZ": zone})
        got = [int(datetime.datetime.fromisoformat(x["utc"].replace("Z", "+00:00")).timestamp()) for x in json.loads(said.stdout)] if said.returncode == 0 else []
        got = [t for t in got if t <= after + 5 * 86400]
        assert got == want, (text, zone, start, [str(datetime.datetime.fromtimestamp(t, tz)) for t in got], [str(datetime.datetime.fromtimestamp(t, tz)) for t in want])
        for x, t in zip(json.loads(said.stdout or "[]"), want):
            assert x["local"] == datetime.datetime.fromtimestamp(t, tz).strftime("%Y-%m-%d %H:%M %a %z")


def test_what_a_person_sees():
    r = schedule("next", "weekdays", "at", "9:00", "-n", "2", "--from", "2026-11-30T12:00:00Z", env={"TZ": "Asia/Shanghai"})
    assert r.returncode == 0 and r.stdout == "2026-12-01 09:00 Tue +0800  2026-12-01T01:00:00.000Z\n2026-12-02 09:00 Wed +0800  2026-12-02T01:00:00.000Z\n"
    assert len(schedule("next", "0 3 * * *").stdout.splitlines()) == 5


@pytest.mark.parametrize("args,words", [
    (["next", "0 24 * * *"], "hour: 24 is out of range (0-23)"), (["next", "soon"], "words like 'daily at 03:00'"), (["next", "0 0 30 2 *"], "never comes within 30 years"),
    (["list"], "at least 2"), (["list", "x"], "say next"), (["next", "daily", "--from", "noon"], "--from 'noon' is no time")])
def test_mistakes(args, words):
    r = schedule(*args)
    assert r.returncode == 2 and (words in r.stderr or args == ["list"]), r.stderr
