package app

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
)

// A scope waits only for the kinds on which its kind depends, in every region.
// The requested kinds and their order make no difference.
func TestOrder(t *testing.T) {
	t.Parallel()
	const runTime = time.Minute
	tests := map[string]struct {
		kinds   []catalog.Kind
		regions int // of a regional kind; the others have one
		minutes int // the whole sweep
		alarms  int // until the alarms are done; 0 if they are not in the sweep
	}{
		"one region":                {catalog.Kinds(), 1, 3, 3}, // trails, log groups, alarms; topics, delivery role and flow logs run at the same time
		"without the kind between":  {[]catalog.Kind{catalog.Alarms, catalog.Trails}, 1, 2, 2},
		"alone":                     {[]catalog.Kind{catalog.Alarms}, 1, 1, 1},
		"more regions than at once": {[]catalog.Kind{catalog.FlowLogs}, 2*regionsAtOnce + 1, 3, 0},
		"beside many regions":       {catalog.Kinds(), 4 * regionsAtOnce, 5, 3}, // alarms do not wait for the flow logs of every region
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var scopes []remedy.Scope
				for _, k := range slices.Backward(tt.kinds) {
					regions := 1
					if k.Regional() {
						regions = tt.regions
					}
					for r := range regions {
						scopes = append(scopes, remedy.Scope{Region: string(rune('a' + r)), Kind: k})
					}
				}
				var mu sync.Mutex
				begun := time.Now()
				started, ended := map[catalog.Kind]time.Time{}, map[catalog.Kind]time.Time{}
				inOrder(scopes, func(i int) {
					k := scopes[i].Kind
					mu.Lock()
					if started[k].IsZero() {
						started[k] = time.Now()
					}
					mu.Unlock()
					time.Sleep(runTime)
					mu.Lock()
					ended[k] = time.Now()
					mu.Unlock()
				})
				for k := range started {
					for _, before := range k.After() {
						if started[k].Before(ended[before]) {
							t.Errorf("%s began before %s was done", k, before)
						}
					}
				}
				if got := ended[catalog.Alarms].Sub(begun); tt.alarms > 0 && got != time.Duration(tt.alarms)*runTime {
					t.Errorf("alarms are done after %s, want %d minutes", got, tt.alarms)
				}
				if got := time.Since(begun); got != time.Duration(tt.minutes)*runTime || len(ended) != len(tt.kinds) {
					t.Errorf("%d kinds in %s, want %d in %d minutes", len(ended), got, len(tt.kinds), tt.minutes)
				}
			})
		})
	}
}

// What a function remembers of the events that it reported early does not grow for
// ever, and the latest are not lost.
func TestRecent(t *testing.T) {
	t.Parallel()
	var r recent
	for i := range 2 * mostEarly {
		r.add(strconv.Itoa(i))
		if oldest := max(0, i-mostEarly+1); !r.has(strconv.Itoa(i)) || !r.has(strconv.Itoa(oldest)) {
			t.Fatalf("after %d keys, the last or number %d is lost", i+1, oldest)
		}
	}
	if len(r.keys) != mostEarly || r.has("0") {
		t.Errorf("%d keys, want %d without the first", len(r.keys), mostEarly)
	}
}
