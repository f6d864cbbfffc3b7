package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/app"
)

// An alarm that somebody lets go for a moment, so that it is never in ALARM for a
// whole day, is reported: its history adds up. One call for each alarm that is in ALARM,
// and none for others.
func TestAlarmHeldAgainAndAgain(t *testing.T) {
	t.Parallel()
	const stuckAgain = "alarm relight-root-usage: it was in ALARM for more than a day of the last two"
	for name, tt := range map[string]struct {
		on, off time.Duration // in turn, for three days
		sweep   time.Duration // after that, in ALARM
		want    bool
	}{
		"a minute short of a day":         {24*time.Hour - time.Minute, time.Minute, 23 * time.Hour, true},
		"the same, just set again":        {24*time.Hour - time.Minute, time.Minute, time.Minute, true},
		"hours, and minutes between":      {3 * time.Hour, 5 * time.Minute, time.Hour, true},
		"minutes, and minutes between":    {10 * time.Minute, 10 * time.Minute, time.Minute, false},
		"once a day for an hour":          {time.Hour, 23 * time.Hour, time.Minute, false},
		"long ago":                        {24*time.Hour - time.Minute, 60 * time.Hour, time.Minute, false},
		"more changes than a sweep reads": {59 * time.Second, time.Second, time.Second, false}, // each of them notified somebody
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, few)
			w.PageSize(0)
			for begin := w.now; w.now.Sub(begin) < 72*time.Hour; {
				w.setState(rootUsage, "ALARM")
				w.now = w.now.Add(tt.on)
				w.setState(rootUsage, "OK")
				w.now = w.now.Add(tt.off)
			}
			quiet := w.Calls()
			w.sweep(app.Request{})
			if n := w.Calls().Since(quiet)["DescribeAlarmHistory"]; n != 0 {
				t.Errorf("%d histories read while no alarm is in ALARM", n)
			}
			w.setState(rootUsage, "ALARM")
			w.now = w.now.Add(tt.sweep)
			ringing := w.Calls()
			if got := findings(w.sweep(app.Request{})); strings.Contains(got, stuckAgain) != tt.want {
				t.Errorf("findings %q", got)
			}
			if n := w.Calls().Since(ringing)["DescribeAlarmHistory"]; n < 1 || n > 3 {
				t.Errorf("%d calls for one alarm in ALARM", n)
			}
		})
	}
}

// A sweep that may not read histories says so and restores everything else.
func TestAlarmHistoryDenied(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	w.setState(rootUsage, "ALARM")
	w.now = w.now.Add(time.Minute)
	w.Deny("DescribeAlarmHistory")
	w.deleteAlarms("relight-cloudtrail-changes")
	if s := w.sweep(app.Request{}); s.Repaired != 1 || !strings.Contains(findings(s), "relight cannot read how long they were in ALARM before") {
		t.Errorf("%d repaired, findings %q", s.Repaired, findings(s))
	}
}
