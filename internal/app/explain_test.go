package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

// past returns the record of a call, as CloudTrail's event history has it.
func past(at time.Time, source, call, who, parameters, more string) string {
	return fmt.Sprintf(`{"eventID":"h-1","eventSource":%q,"eventName":%q,"eventTime":%q,"awsRegion":%q,"recipientAccountId":%q,"sourceIPAddress":"192.0.2.10","userIdentity":{"arn":%q},"requestParameters":%s%s}`,
		source, call, at.UTC().Format(time.RFC3339), home, account, who, parameters, more)
}

// A sweep that finds drift which no event announced asks CloudTrail's event history for the caller, and
// names the one who made a call on what it restored. Nothing depends on the answer.
func TestSweepNamesTheCaller(t *testing.T) {
	t.Parallel()
	const mallory = "arn:aws:iam::111122223333:user/Mallory"
	const source = "monitoring.amazonaws.com"
	names := `{"alarmNames":["` + rootUsage + `"]}`
	for name, tt := range map[string]struct {
		prepare func(*world)
		actor   string
	}{
		"in the history": {func(w *world) {
			w.AddToHistory("DeleteAlarms", past(w.now.Add(-10*time.Minute), source, "DeleteAlarms", mallory, names, ""))
		}, mallory},
		"under another call": {func(w *world) {
			w.AddToHistory("PutMetricAlarm", past(w.now.Add(-time.Minute), source, "PutMetricAlarm", mallory, `{"alarmName":"`+rootUsage+`"}`, ""))
		}, mallory},
		"not in the history": {func(*world) {}, ""},
		"refused": {func(w *world) {
			w.AddToHistory("DeleteAlarms", past(w.now.Add(-time.Minute), source, "DeleteAlarms", mallory, names, `,"errorCode":"AccessDenied"`))
		}, ""},
		"on something else": {func(w *world) {
			w.AddToHistory("DeleteAlarms", past(w.now.Add(-time.Minute), source, "DeleteAlarms", mallory, `{"alarmNames":["checkout-latency"]}`, ""))
		}, ""},
		"before the last sweep": {func(w *world) {
			w.AddToHistory("DeleteAlarms", past(w.now.Add(-3*time.Hour), source, "DeleteAlarms", mallory, names, ""))
		}, ""},
		"relight's own": {func(w *world) {
			w.AddToHistory("DeleteAlarms", past(w.now.Add(-time.Minute), source, "DeleteAlarms", "arn:aws:sts::111122223333:assumed-role/r/relight-alarms", names, ""))
		}, ""},
		"no record": {func(w *world) { w.AddToHistory("DeleteAlarms", `{"eventSource":`) }, ""},
		"denied":    {func(w *world) { w.Deny("LookupEvents") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := healthy(t, few)
			w.sweep(app.Request{})
			w.anHour()
			w.deleteAlarms(rootUsage)
			tt.prepare(w)
			before := len(w.log.String())
			s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Alarms}})
			if s.Repaired != 1 || s.Unrestored != 0 {
				t.Fatalf("repaired %d, unrestored %d; want 1, 0", s.Repaired, s.Unrestored)
			}
			var actors []string
			for _, r := range s.Reports {
				for _, c := range r.Causes {
					actors = append(actors, c.Actor)
					if !c.Past {
						t.Errorf("%+v is not marked as found in the history", c)
					}
				}
			}
			if got := strings.Join(actors, " "); got != tt.actor {
				t.Errorf("caused by %q, want %q", got, tt.actor)
			}
			if logged := strings.Contains(w.log.String()[before:], `"from_history":true`); logged != (tt.actor != "") {
				t.Errorf("the log says so: %t", logged)
			}
			if said := strings.Contains(w.log.String()[before:], `"msg":"event history"`); said != (name == "denied") {
				t.Errorf("the log says that the history could not be read: %t", said)
			}
		})
	}
}

// A healthy sweep asks the history nothing, and no sweep asks it more than five times.
func TestLookupsAreLimited(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	w.sweep(app.Request{})
	lookups := func() (n int) {
		before := w.Calls()
		w.sweep(app.Request{})
		for op, count := range w.Calls() {
			if op == "LookupEvents" {
				n += count - before[op]
			}
		}
		return n
	}
	if n := lookups(); n != 0 {
		t.Errorf("a healthy sweep asks %d times", n)
	}
	w.deleteAlarms(rootUsage)
	w.stopLogging("audit")
	if n := lookups(); n == 0 || n > 5 {
		t.Errorf("it asks %d times, want at most 5", n)
	}
}

// The calls that a sweep asks for are watched, for the kind.
func TestSuspectsAreWatched(t *testing.T) {
	t.Parallel()
	for _, k := range catalog.Kinds() {
		if len(catalog.Suspects(k)) == 0 {
			t.Errorf("%s has none", k)
		}
		for _, name := range catalog.Suspects(k) {
			found := false
			for _, c := range catalog.Calls {
				for _, of := range c.Kinds {
					found = found || c.Name == name && of == k
				}
			}
			if !found {
				t.Errorf("%s is not watched for %s", name, k)
			}
		}
	}
}
