"""What happens on a day: a queue of events, in the order of time and, at the same second, of their making."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from uuid import UUID

from app.dispatch.batch import waits
from app.dispatch.offers import MAX_ATTEMPTS
from app.matching.times import LEAD
from scripts.simulator.choosing import Choice, Choosing, Found
from scripts.simulator.city import City
from scripts.simulator.diary import Diary, Entry
from scripts.simulator.ledger import Case, measures
from scripts.simulator.people import NOTICED_AFTER, People
from scripts.simulator.policy import GRAB, Policy
from scripts.simulator.pool import Pool

AGAIN_AFTER = 300
"""Orders nobody could take are tried again so many seconds later, as dispatch's sweep does."""
MIDNIGHT = 24 * 3600


class Day:
    """One city, one policy, one seed. `run` lives the day and says what it came to."""

    def __init__(self, city: City, policy: Policy, seed: int) -> None:
        self._city, self._policy = city, policy
        self._people = People(seed)
        self.diaries = {carer.id: Diary(carer) for carer in city.carers}
        self.cases = {wish.id: Case(wish) for wish in city.wishes}
        self._choosing = Choosing(city, policy, self.diaries)
        self._pool = Pool(policy.batch, policy.weight_of)
        self._batched: set[UUID] = set()
        self._queue: list[tuple[int, int, Callable[[int], None]]] = []
        self._made = 0

    def run(self) -> dict[str, float]:
        """Live the day; the measures of `ledger`."""
        for wish in self._city.wishes:
            self._at(wish.placed, lambda now, case=self.cases[wish.id]: self._placed(case, now))
            if (cancels := self._people.cancels(wish)) is not None:
                self._at(cancels, lambda now, case=self.cases[wish.id]: self._cancelled(case))
        for diary in self.diaries.values():
            if (ill := self._people.falls_ill(diary.carer)) is not None:
                self._at(ill, lambda now, diary=diary: self._ill(diary, now))
        if self._policy.batch is not None and self._city.wishes:
            self._at(self._city.wishes[0].placed, self._tick)
        while self._queue:
            now, _, event = heappop(self._queue)
            event(now)
        worked = [diary.worked for diary in self.diaries.values()]
        return measures(self._city, list(self.cases.values()), worked, len(self._batched))

    def _at(self, when: int, event: Callable[[int], None]) -> None:
        self._made += 1
        heappush(self._queue, (when, self._made, event))

    # How an order finds somebody.

    def _placed(self, case: Case, now: int) -> None:
        self._pool.arrived(case.wish, now)
        self._dispatch(case, now)

    def _dispatch(self, case: Case, now: int) -> None:
        """At once, or with the next batch if its service competes."""
        if not case.open or case.booked is not None:
            return
        if self._waits(case, now):
            case.pooled_since = now if case.pooled_since is None else case.pooled_since
            self._batched.add(case.wish.id)
            self._pool.add(case)
            return
        if case.attempts >= MAX_ATTEMPTS:
            return
        found = self._choosing.find(case.wish, case.excluded, now)
        self._pool.searched(case.wish, len(found.choices), now)
        if found.choices:
            self._offer(case, found, now)
        elif now < MIDNIGHT and self._choosing.starts(case.wish, now):
            turn = case.turn
            self._at(now + AGAIN_AFTER, lambda then: self._dispatch(case, then) if case.turn == turn else None)

    def _waits(self, case: Case, now: int) -> bool:
        if self._policy.batch is None:
            return False
        wish = case.wish
        until = max(wish.wanted_from, now + LEAD[wish.urgency].total_seconds()) - now
        waited = 0 if case.pooled_since is None else now - case.pooled_since
        batching = self._pool.batching(wish, now)
        return waits(batching, wish.urgency, waited, until, self._policy.batch) and case.attempts < MAX_ATTEMPTS

    def _tick(self, now: int) -> None:
        assert self._policy.batch is not None
        for case, found in self._pool.assigned(self._choosing, now):
            self._offer(case, found, now)
        for case in self._pool.overdue(lambda one: self._waits(one, now)):
            self._dispatch(case, now)
        if now < MIDNIGHT and any(case.open for case in self.cases.values()):
            self._at(now + self._policy.batch.seconds, self._tick)

    # Offers and answers.

    def _offer(self, case: Case, found: Found, now: int) -> None:
        case.attempts += 1
        if self._policy.mode == GRAB:
            self._ask_several(case, found, now)
            return
        choice = found.choices[0]
        self._hold(case, choice, found.starts)
        answer, turn = self._people.answer(case.wish.id, choice.provider), case.turn
        after = self._policy.accept_minutes * 60 if answer.accepts is None else answer.after
        after = min(after, self._policy.accept_minutes * 60)
        accepts = bool(answer.accepts) and answer.after < self._policy.accept_minutes * 60
        self._at(now + after, lambda then: self._answered(case, choice, found.starts, accepts, turn, then))

    def _answered(self, case: Case, choice: Choice, starts: int, accepts: bool, turn: int, now: int) -> None:
        if case.turn != turn:
            return
        if accepts:
            self._accepted(case, choice, starts, now)
            return
        self._release(case)
        case.excluded.add(choice.provider)
        self._dispatch(case, now)

    def _ask_several(self, case: Case, found: Found, now: int) -> None:
        """The best caregiver of each of the `reach` best providers; nobody is held until one accepts."""
        best: dict[UUID, Choice] = {}
        for choice in found.choices:
            best.setdefault(choice.provider, choice)
        asked, turn = list(best.values())[: self._policy.reach], case.turn
        for choice in asked:
            answer = self._people.answer(case.wish.id, choice.provider)
            if answer.accepts and answer.after < self._policy.accept_minutes * 60:
                self._at(
                    now + answer.after, lambda then, one=choice: self._grabbed(case, one, found.starts, turn, then)
                )
        deadline = now + self._policy.accept_minutes * 60
        self._at(deadline, lambda then: self._nobody_grabbed(case, asked, turn, then))

    def _grabbed(self, case: Case, choice: Choice, starts: int, turn: int, now: int) -> None:
        diary = self.diaries[choice.carer]
        visit_ends = starts + case.wish.minutes * 60
        if case.turn == turn and case.open and diary.fits(choice.begin, starts, choice.end, visit_ends):
            self._hold(case, choice, starts)
            self._accepted(case, choice, starts, now)

    def _nobody_grabbed(self, case: Case, asked: list[Choice], turn: int, now: int) -> None:
        if case.turn == turn and case.booked is None and case.open:
            case.turn += 1
            case.excluded.update(choice.provider for choice in asked)
            self._dispatch(case, now)

    def _hold(self, case: Case, choice: Choice, starts: int) -> None:
        wish = case.wish
        entry = Entry(choice.begin, choice.end, starts, wish.id, (wish.lng, wish.lat), wish.minutes)
        self.diaries[choice.carer].add(entry)
        case.turn += 1
        case.booked = choice.carer

    def _accepted(self, case: Case, choice: Choice, starts: int, now: int) -> None:
        promise = (choice.carer, starts)
        if case.promised is not None and case.promised != promise:
            case.changes += 1
        case.promised = promise
        if case.accepted_after is None:
            case.accepted_after = now - case.wish.placed
        turn = case.turn
        self._at(max(now, choice.begin), lambda then: self._departs(case, turn, then))

    def _release(self, case: Case) -> None:
        if case.booked is not None:
            self.diaries[case.booked].drop(case.wish.id)
            case.booked = None
        case.turn += 1

    # The visit, and what goes wrong.

    def _departs(self, case: Case, turn: int, now: int) -> None:
        if case.turn != turn or not case.open or case.booked is None or case.promised is None:
            return
        diary, (_, starts) = self.diaries[case.booked], case.promised
        if not self._people.shows_up(case.booked, case.wish.id):
            self._at(starts + NOTICED_AFTER, lambda then: self._missed(case, turn, then))
            return
        leaves = max(now, diary.free_from)
        trip = self._people.trip(diary.carer, diary.at, case.wish, leaves)
        case.begun = max(starts, leaves + trip.seconds)
        case.served_by, case.km, case.late = case.booked, trip.km, case.begun - starts
        ends = case.begun + self._people.stays(case.wish)
        diary.at, diary.free_from = (case.wish.lng, case.wish.lat), ends
        diary.worked += ends - leaves

    def _missed(self, case: Case, turn: int, now: int) -> None:
        """Nobody came: the order goes to others, the same provider excluded."""
        if case.turn == turn and case.booked is not None:
            case.excluded.add(self.diaries[case.booked].carer.provider)
            self._release(case)
            self._dispatch(case, now)

    def _ill(self, diary: Diary, now: int) -> None:
        """Whatever has not begun goes to others; her provider may still send somebody else."""
        diary.absent_from = now
        for entry in list(diary.entries):
            case = self.cases[entry.order]
            if case.open:
                self._release(case)
                self._dispatch(case, now)

    def _cancelled(self, case: Case) -> None:
        if case.open:
            case.cancelled = True
            self._release(case)
