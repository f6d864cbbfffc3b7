package app_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
)

// A round is a group of calls none of which waits for another. These are the most rounds
// before an event's harm is undone, by the prefix of the samples and the kind that undoes
// it. Where relight has to recall whether it relies on what others made, or has to ask
// whether it is paused, that may take more. The figures of every other sample are in
// docs/figures/events.txt.
var rounds = []struct {
	samples string
	kind    catalog.Kind
	most    int
	more    int // beside others, or where somebody may pause relight
}{
	{"CreateVpc.", catalog.FlowLogs, 3, 0},
	{"CreateDefaultVpc.", catalog.FlowLogs, 3, 0},
	{"DeleteFlowLogs.", catalog.FlowLogs, 3, 0},
	{"DeleteAlarms.", catalog.Alarms, 2, 0},
	{"PutMetricAlarm.", catalog.Alarms, 2, 0},
	{"DisableAlarmActions.", catalog.Alarms, 2, 0},
	{"AlarmChange.", catalog.Alarms, 2, 0},
	{"PutMetricFilter.", catalog.LogGroups, 2, 1},
	{"DeleteMetricFilter.", catalog.LogGroups, 2, 1},
	{"DeleteTopic.", catalog.Topics, 2, 0},
	{"SetTopicAttributes.", catalog.Topics, 2, 0},
	{"RemovePermission.ours", catalog.Topics, 2, 0},
	{"Unsubscribe.", catalog.Topics, 2, 0},
	{"SetSubscriptionAttributes.", catalog.Topics, 2, 0},
}

// What AWS takes time for is calls that wait for one another. Here each call takes one
// tick of virtual time, and nothing else takes any: the tick in which the first
// restoring call begins is the number of rounds before it, in the function that makes
// it. The restoring call is not counted, nor is what comes after it, such as the
// observation that verifies it. Only events that name what they are about have a limit.
func TestRounds(t *testing.T) {
	t.Parallel()
	for _, tt := range rounds {
		counted := false
		for name, a := range harms {
			if a.do == nil || a.config != "" || !strings.HasPrefix(name, tt.samples) || tt.kind != catalog.FlowLogs && nameless(name) {
				continue
			}
			counted = true
			for in, world := range map[string]func(*testing.T) *world{
				"alone":         func(t *testing.T) *world { t.Helper(); return healthy(t, "") },
				"beside others": besideOthers,
				"pausable":      func(t *testing.T) *world { t.Helper(); return healthy(t, pausable) },
			} {
				t.Run(name+" "+in, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						most := tt.most
						if in != "alone" {
							most += tt.more
						}
						w := world(t)
						w.PageSize(0)
						if !w.has(a) {
							return
						}
						if n := w.roundsUntilRestored(tt.kind, events.Read(name)); n < 0 || n > most {
							t.Errorf("%d rounds, want at most %d", n, most)
						}
					})
				})
			}
		}
		if !counted {
			t.Errorf("no sample begins with %s", tt.samples)
		}
	}
}

// nameless reports whether a sample does not name, or not alone, something that relight
// restores.
func nameless(sample string) bool {
	return slices.ContainsFunc([]string{".null-", ".oversized.", ".no-name.", ".mixed.", ".foreign.", ".extra-action."}, func(part string) bool { return strings.Contains(sample, part) })
}

// has carries out an attack, and reports whether the account has what it is about.
func (w *world) has(a attack) (done bool) {
	defer func() { done = recover() == nil }()
	a.do(w)
	return true
}

// roundsUntilRestored passes an event to the function of a kind. It returns how many
// rounds come before the first call that restores something, or -1 if none does.
func (w *world) roundsUntilRestored(k catalog.Kind, event []byte) int {
	w.t.Helper()
	n, began := -1, time.Now()
	w.Latency = tick
	w.Watch = func(c awstest.Call) {
		if len(c.Writes) > 0 && n < 0 {
			n = int(c.Began.Sub(began) / tick)
		}
	}
	if _, err := w.app(catalog.Function(k)).HandleEvent(w.t.Context(), batch(event)); err != nil {
		w.t.Error(err)
	}
	return n
}
