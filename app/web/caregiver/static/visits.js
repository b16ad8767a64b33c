// What a visit looks like with what this telephone has added to it since the centre last told. No page, no storage.
(function (scope) {
  "use strict";
  var STEPS = ["departed", "arrived", "checked_in", "checked_out"];
  var STATE = { departed: "en_route", arrived: "arrived", checked_in: "in_service", checked_out: "ended", failed: "failed" };
  var REACHED = { expected: 0, en_route: 1, arrived: 2, in_service: 3, ended: 4, failed: 4 };
  var AT_ONCE = 3;

  function merged(visit, events) {
    var mine = events.filter(function (one) { return one.order_id === visit.order_id && one.result !== "rejected"; });
    var reached = REACHED[visit.visit_status], state = visit.visit_status;
    mine.forEach(function (one) {
      var step = one.type === "failed" ? 4 : STEPS.indexOf(one.type) + 1;
      if (step > reached) { reached = step; state = STATE[one.type]; }
    });
    return Object.assign({}, visit, {
      state: state,
      next: visit.next.filter(function (step) { return STEPS.indexOf(step) >= reached; }),
      events: mine,
    });
  }

  // Today's visits in the order of the day; at most three stand open, the one under way or chosen first. One that is
  // `over` stands open again, before the others, when it is chosen: to add what was forgotten.
  function arranged(day, events, now, chosen) {
    var today = dateOf(now);
    var all = day.visits.map(function (visit) { return merged(visit, events); });
    var todays = all.filter(function (visit) { return dateOf(visit.starts_at) <= today; });
    var open = todays.filter(function (visit) { return visit.next.length || (!visit.lead && REACHED[visit.state] < 4); });
    var first = open.find(function (v) { return v.order_id === chosen; })
      || open.find(function (v) { return v.next.length && v.state !== "expected"; })
      || open.find(function (v) { return v.next.length; });
    if (first) open = [first].concat(open.filter(function (visit) { return visit !== first; }));
    var over = todays.filter(function (visit) { return open.indexOf(visit) < 0; }), left = open.length;
    var again = over.filter(function (visit) { return visit.order_id === chosen; });
    return { all: all, today: todays, open: again.concat(open).slice(0, AT_ONCE), over: over, left: left };
  }

  function local(at) { return new Date(new Date(at).getTime() + 8 * 3600000).toISOString(); }  // the city's own time
  function dateOf(at) { return local(at).slice(0, 10); }
  function clock(at) { return local(at).slice(11, 16); }

  scope.nuanxian.visits = { arranged: arranged, clock: clock, dateOf: dateOf };
})(self);
