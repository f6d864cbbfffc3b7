package app_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

// keepForever removes the retention of a log group.
func (w *world) keepForever(region, group string) {
	w.t.Helper()
	must(w.In(region).Logs.DeleteRetentionPolicy(w.t.Context(), &cloudwatchlogs.DeleteRetentionPolicyInput{LogGroupName: aws.String(group)}))
}

// days returns the retention of a log group; 0 for ever, -1 for none.
func (w *world) days(region, group string) int32 {
	w.t.Helper()
	out := must(w.In(region).Logs.DescribeLogGroups(w.t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String(group)}))
	for _, g := range out.LogGroups {
		if *g.LogGroupName == group {
			return aws.ToInt32(g.RetentionInDays)
		}
	}
	return -1
}

// A log group of relight's or of the trail keeps its logs as long as a sweep has
// ever seen, whatever the policy's least is.
func TestLongestRetentionComesBack(t *testing.T) {
	t.Parallel()
	groups := map[string]struct{ region, group, event string }{
		"the trail's":                 {home, trailGroup, "PutRetentionPolicy.shortened.json"},
		"the flow logs'":              {home, flowLogGroup, "PutRetentionPolicy.flow-logs.json"},
		"the flow logs', only swept ": {second, flowLogGroup, ""},
	}
	for name, g := range groups {
		for _, before := range []int32{0, 3653} {
			for harm, do := range map[string]func(*world){
				"shortened to the policy's": func(w *world) { w.putRetention(g.region, g.group, 365) },
				"shortened a little":        func(w *world) { w.putRetention(g.region, g.group, 1827) },
				"deleted":                   func(w *world) { w.deleteGroup(g.region, g.group) },
				"its memory shortened first": func(w *world) {
					w.putAs(writers["a user"], adoptedMemory, `{"v":1,"groups":{"`+g.region+"/"+g.group+`":365}}`)
					w.putRetention(g.region, g.group, 365)
				},
			} {
				t.Run(name+" "+harm, func(t *testing.T) {
					t.Parallel()
					w := healthy(t, few)
					if before == 0 {
						w.keepForever(g.region, g.group)
					} else {
						w.putRetention(g.region, g.group, before)
					}
					w.sweep(app.Request{})
					do(w)
					told := w.mailOf(func() {
						if g.event == "" {
							w.sweep(app.Request{})
						} else {
							w.send(events.Read(g.event), true)
						}
					})
					if got := w.days(g.region, g.group); got != before || !strings.Contains(told, "log group "+g.group) {
						t.Errorf("it keeps its logs for %d days, want %d; people read %q", got, before, told)
					}
					w.sweep(app.Request{})
					if s := w.sweep(app.Request{}); s.Planned != 0 || s.Findings != 0 {
						t.Errorf("afterwards %+v", s)
					}
				})
			}
		}
	}
}

// An owner's log group is the owner's: that somebody shortened its retention is
// reported until a person accepts it.
func TestShortenedRetentionOfAnOwner(t *testing.T) {
	t.Parallel()
	const group = "vpc-logs"
	w := deployed(t, few)
	w.createGroup(home, group)
	w.createFlowLog(home, "vpc-1", "ALL", group)
	w.sweep(app.Request{})
	w.putRetention(home, group, 400)
	raw := strings.ReplaceAll(string(events.Read("PutRetentionPolicy.flow-logs.json")), flowLogGroup, group)
	if told := w.mailOf(func() { w.send([]byte(raw), true) }); !strings.Contains(told, "it keeps its logs for 400 days; before, it kept them for ever") {
		t.Errorf("people read %q", told)
	}
	for range 2 {
		if s := w.sweep(app.Request{}); s.Findings != 1 || w.days(home, group) != 400 {
			t.Errorf("%+v; %d days", s, w.days(home, group))
		}
	}
	w.acceptRetention(home + "/" + group)
	if s := w.sweep(app.Request{}); s.Findings != 0 {
		t.Errorf("accepted, but %+v", s)
	}
	w.putRetention(home, group, 365)
	if s := w.sweep(app.Request{}); s.Findings != 1 {
		t.Errorf("shortened again, but %+v", s)
	}
}

// A person may shorten a retention that relight would restore.
func TestAcceptRetention(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	w.keepForever(home, trailGroup)
	w.sweep(app.Request{})
	if told := w.mailOf(func() { w.acceptRetention(home + "/" + trailGroup) }); !strings.Contains(told, "forget the retention of log-group "+home+"/"+trailGroup) {
		t.Errorf("people read %q", told)
	}
	w.putRetention(home, trailGroup, 400)
	for range 2 {
		w.sweep(app.Request{})
	}
	if got := w.days(home, trailGroup); got != 400 {
		t.Errorf("it keeps its logs for %d days", got)
	}
	if _, err := w.app(catalog.Backfill).HandleBackfill(t.Context(), json.RawMessage(`{"accept":{"retention":["nowhere"]}}`)); err == nil {
		t.Error("a group that relight does not remember was accepted")
	}
}

func (w *world) acceptRetention(group string) {
	w.t.Helper()
	got := must(w.app(catalog.Backfill).HandleBackfill(w.t.Context(), json.RawMessage(`{"accept":{"retention":["`+group+`"]}}`)))
	if !got.(app.Acceptance).Accepted {
		w.t.Errorf("%+v", got)
	}
}

// A memory of retentions that makes no sense is reported, never overwritten, and
// never taken for an empty one.
func TestUnusableRetentionMemory(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"no JSON": "{", "another version": `{"v":2,"groups":{}}`, "unknown members": `{"v":1,"x":1}`, "packed nonsense": `{"v":1,"packed":"AAAA"}`} {
		w := healthy(t, few)
		w.putAs(sessionOf(catalog.Backfill), adoptedMemory, text)
		s := w.sweep(app.Request{})
		if s.Findings != 1 || !strings.Contains(w.log.String()+strings.Join(codes(s), " "), "memory-unusable") {
			t.Errorf("%s: %+v", name, s)
		}
		if out := w.parameter(adoptedMemory); out != text {
			t.Errorf("%s: overwritten with %s", name, out)
		}
	}
}
