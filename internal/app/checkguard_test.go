package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/catalog"
)

// Whoever cuts the schedules and keeps events from the guard has cut both paths to
// it. An event that reaches any other function has the guard checked all the same,
// and the schedules are back without a sweep and without an event about them.
func TestEventsCheckTheGuard(t *testing.T) {
	t.Parallel()
	const anyEvent = "DeleteMetricFilter.ours.json"
	schedules := func(w *world) {
		w.deleteSchedule()
		w.removeSchedule("relight-unannounced-sweep")
	}
	tests := []struct {
		name    string
		config  string
		cut     func(*world)
		invoked []string
		whole   bool   // everything is restored
		message string // that people get; "" for none
	}{
		{name: "nothing cut", cut: func(*world) {}, invoked: []string{"guard"}, whole: true},
		{name: "schedules", cut: schedules, invoked: []string{"guard"}, whole: true, message: "schedule " + sweepSchedule},
		{name: "schedules and the guard's rule", cut: func(w *world) { schedules(w); w.disableRule(guardRule) }, invoked: []string{"guard"}, whole: true, message: "rule " + guardRule},
		{name: "schedules and the guard's function", cut: func(w *world) { schedules(w); w.limit("relight-guard") }, invoked: []string{"guard", "backfill"}, whole: true, message: "removed reserved concurrency of function relight-guard"},
		{name: "the sweep's function", cut: func(w *world) { schedules(w); w.limit("relight-backfill"); w.disableRule(guardRule) }, invoked: []string{"guard"}, whole: true, message: "removed reserved concurrency of function relight-backfill"},
		{name: "both functions", cut: func(w *world) { w.limit("relight-guard"); w.limit("relight-backfill") }, invoked: []string{"guard", "backfill"}, message: "nothing checks it: the guard's function did not answer"},
		{name: "guard off", config: `{"modes":{"guard":"off"}}`, cut: func(*world) {}, whole: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, tt.config)
			w.checks = true
			before, told := w.State(), len(w.Messages())
			tt.cut(w)
			function := w.app("loggroups")
			handle := func() {
				if _, err := function.HandleEvent(t.Context(), batch(events.Read(anyEvent))); err != nil {
					t.Fatal(err)
				}
			}
			handle()
			if diff := cmp.Diff(tt.invoked, w.invoked); diff != "" {
				t.Errorf("invoked (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, w.State()); (diff == "") != tt.whole {
				t.Errorf("restored is %t, want %t:\n%s", diff == "", tt.whole, diff)
			}
			var texts []string
			for _, m := range w.Messages()[told:] {
				texts = append(texts, m.Text)
			}
			if text := strings.Join(texts, "\n"); (text == "") != (tt.message == "") || !strings.Contains(text, tt.message) {
				t.Errorf("messages %q, want %q", text, tt.message)
			}

			// The next batches of the interval ask for no further check.
			w.now = w.now.Add(14 * time.Minute)
			handle()
			if diff := cmp.Diff(tt.invoked, w.invoked); diff != "" {
				t.Errorf("invoked within the interval (-want +got):\n%s", diff)
			}
			w.now = w.now.Add(time.Minute)
			handle()
			if tt.invoked != nil && len(w.invoked) == len(tt.invoked) {
				t.Error("nothing was invoked in the next interval")
			}
		})
	}
}

// The guard's own function and the sweep's check the stack themselves.
func TestWhoChecksTheGuard(t *testing.T) {
	t.Parallel()
	for _, f := range catalog.Functions() {
		w := healthy(t, "")
		w.checks = true
		if f != catalog.Backfill {
			if _, err := w.app(f).HandleEvent(t.Context(), events.Read("DisableRule.ours.json")); err != nil {
				t.Fatal(err)
			}
		} else if _, err := w.app(f).HandleBackfill(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if got, want := len(w.invoked) > 0, f != catalog.Backfill && f != catalog.Function(catalog.Guard); got != want {
			t.Errorf("%s had the guard checked: %t, want %t", f, got, want)
		}
	}
}

// In a storm that uses up the concurrency of Lambda nobody has cut anything: nobody is
// notified, and the next batch asks again.
func TestNoRoomToCheckTheGuard(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.checks, w.crowded = true, true
	told, function := len(w.Messages()), w.app("loggroups")
	for asked := 2; asked <= 4; asked += 2 { // the guard's function, and the sweep's
		if _, err := function.HandleEvent(t.Context(), batch(events.Read("DeleteMetricFilter.ours.json"))); err != nil {
			t.Fatal(err)
		}
		if len(w.invoked) != asked || len(w.Messages()) != told {
			t.Errorf("%d invocations and %d messages, want %d and none", len(w.invoked), len(w.Messages())-told, asked)
		}
	}
}
