package app_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
)

// besideOthers returns an account after its first sweep, which found filters, alarms
// and a flow log of others and relies on them.
func besideOthers(t *testing.T) *world {
	t.Helper()
	return copied(t, "beside others", "", func(t *testing.T, configuration string) *world {
		t.Helper()
		w := deploy(t, configuration)
		for i, c := range catalog.Controls()[:4] {
			name := fmt.Sprintf("their-%d", i)
			w.putFilter(trailGroup, filterOf(name, c.Pattern, "theirs", name))
			w.putAlarm(alarmOn(name, "theirs", name, w.topic))
		}
		w.createGroup(home, theirGroup)
		w.putRetention(home, theirGroup, 3653)
		w.createFlowLog(home, "vpc-1", "ALL", theirGroup)
		w.PageSize(0)
		w.sweep(app.Request{})
		w.anHour()
		w.sweep(app.Request{})
		return w
	})
}

// readsBefore is what event runs read before relight remembered retentions and what
// it adopted, as this test counted it: sample, kind, reads where relight is alone, and
// where it relies on what others made; "-" is not counted, because the sample's call
// is about something that does not exist there.
const readsBefore = "testdata/reads.txt"

// grown says why a run reads one call more than it did.
var grown = []struct {
	kind catalog.Kind
	op   string
	why  string
}{
	{catalog.LogGroups, "GetParameterHistory", "the longest retention that a sweep has seen, and whether others' filters count"},
	{catalog.FlowLogs, "GetParameterHistory", "the longest retention that a sweep has seen, and whether others' flow logs count"},
	{catalog.Alarms, "GetParameterHistory", "whether others' alarms and their topics count"},
	{catalog.Trails, "DescribeLogGroups", "the key may be that of the trail's log group"},
}

// newly says why a kind looks at events that it did not look at, and the most reads.
var newly = []struct {
	kind catalog.Kind
	call string // prefix of the samples; "" for any
	most int
	why  string
}{
	{catalog.FlowLogs, "PutTransformer", 1, "the group may be that of flow logs"},
	{catalog.FlowLogs, "PutKeyPolicy", 1, "the key may be that of a log group of flow logs"},
	{catalog.FlowLogs, "DisableKey", 1, "the key may be that of a log group of flow logs"},
	{catalog.FlowLogs, "ScheduleKeyDeletion", 1, "the key may be that of a log group of flow logs"},
	{catalog.Trails, "PutRolePolicy.echo", 2, "the role may be the trail's; an echo is checked twice"},
	{catalog.Trails, "UpdateAssumeRolePolicy.echo", 2, "the role may be the trail's; an echo is checked twice"},
	{catalog.Trails, "DeleteRole.null-parameters", 3, "the event does not say which role, so the trail's own is read"},
	{catalog.Trails, "", 1, "the role or policy may be the trail's"},
}

// What a run reads for an event has grown by at most one call, and only where grown
// says why.
func TestReadsOfEvents(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(readsBefore)
	if err != nil {
		t.Fatal(err)
	}
	before := map[string]map[catalog.Kind][]string{}
	for lines := bufio.NewScanner(bytes.NewReader(raw)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if before[f[0]] == nil {
			before[f[0]] = map[catalog.Kind][]string{}
		}
		before[f[0]][catalog.Kind(f[1])] = f[2:]
	}
	for name, of := range before {
		for i, beside := range []string{"", ", beside others"} {
			world := func(t *testing.T) *world {
				t.Helper()
				if i == 0 {
					return healthy(t, "")
				}
				return besideOthers(t)
			}
			t.Run(name+beside, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := world(t)
					w.PageSize(0)
					if a := harmOf(name); a.do != nil {
						for _, at := range of {
							if at[i] == "-" {
								t.SkipNow()
							}
						}
						a.do(w)
					}
					for _, k := range catalog.Kinds() {
						had := 0
						if was := of[k]; was != nil {
							had, _ = strconv.Atoi(was[i])
						}
						checkReads(t, w, name, k, had, of[k] != nil)
					}
				})
			})
		}
	}
}

// checkReads checks what one kind's run reads for a sample, of which it read so many
// calls before, if it looked at the sample at all.
func checkReads(t *testing.T, w *world, name string, k catalog.Kind, had int, looked bool) {
	t.Helper()
	if k == catalog.Guard { // it is new
		return
	}
	mine := w.Calls()
	_, _ = w.app(catalog.Function(k)).HandleEvent(t.Context(), events.Read(name))
	used := w.Calls().Since(mine)
	n := reads(used)
	switch {
	case n <= had:
	case looked && n == had+1:
		for _, g := range grown {
			if g.kind == k && used[g.op] > 0 {
				return
			}
		}
		t.Errorf("%s reads %d calls, was %d, and nothing says why: %v", k, n, had, used)
	case !looked:
		for _, g := range newly {
			if g.kind == k && strings.HasPrefix(name, g.call) {
				if n > g.most {
					t.Errorf("%s reads %d calls %v, want at most %d", k, n, used, g.most)
				}
				return
			}
		}
		t.Errorf("%s reads %v, which it did not look at, and nothing says why", k, used)
	default:
		t.Errorf("%s reads %d calls, was %d: %v", k, n, had, used)
	}
}

// reads counts the calls that change nothing.
func reads(calls awstest.Calls) (n int) {
	for op, k := range calls {
		for _, verb := range []string{"Get", "List", "Describe"} {
			if strings.HasPrefix(op, verb) {
				n += k
			}
		}
	}
	return n
}
