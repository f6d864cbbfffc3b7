package app_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

// few is a configuration that enables only six controls: enough of them to
// affect each other, for a third of the work.
var few = func() string {
	off := map[string]map[string]bool{}
	for _, c := range catalog.Controls()[6:] {
		off[c.ID] = map[string]bool{"disabled": true}
	}
	return string(must(json.Marshal(map[string]any{"controls": off})))
}()

// One sweep converges from any state of an account. It deletes only flow logs
// of relight's own that another flow log has replaced, and changes nothing that
// belongs to somebody else. Its plan depends only on the account.
func TestSweepOfAnyAccount(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := deployed(t, few)
		w.PageSize(0)
		if rapid.Bool().Draw(rt, "swept before") {
			w.sweep(app.Request{})
		}
		disturb(rt, w)
		w.PageSize(rapid.IntRange(0, 5).Draw(rt, "page size"))
		before := w.State()

		plan := w.sweep(app.Request{Mode: "plan"})
		if diff := cmp.Diff(plan.Reports, w.sweep(app.Request{Mode: "plan"}).Reports); diff != "" {
			rt.Fatalf("two plans of one account differ:\n%s", diff)
		}
		s := w.sweep(app.Request{})
		if s.Unrestored != 0 {
			rt.Fatalf("%d unrestored: %+v", s.Unrestored, s)
		}
		after := w.State()
		for _, harm := range harmed(before, after) {
			rt.Error(harm)
		}
		if gaps := w.gaps(); slices.ContainsFunc(gaps, func(g string) bool { return g == "audit" || strings.HasPrefix(g, "vpc-") && g != "vpc-changes" }) {
			rt.Errorf("not protected: %v", gaps)
		}
		writes := len(w.Writes())
		if w.sweep(app.Request{}); len(w.Writes()) > writes { // deletes what the repair of a group made redundant, and remembers the trail
			for _, write := range w.Writes()[writes:] {
				if write.Op != "DeleteFlowLogs" && write.Op != "PutParameter" {
					rt.Errorf("a second sweep wrote %s", write)
				}
			}
		}
		writes = len(w.Writes())
		if s := w.sweep(app.Request{}); s.Planned != 0 || len(w.Writes()) != writes {
			rt.Fatalf("a last sweep plans %d actions and writes %v: %+v", s.Planned, w.Writes()[writes:], s)
		}
	})
}

// harmed returns what a sweep may not have done between two states of an
// account.
func harmed(before, after map[string]string) (harms []string) {
	for _, key := range slices.Sorted(maps.Keys(before)) {
		switch {
		case after[key] == "" && (!strings.Contains(key, " flow-log ") || !strings.Contains(before[key], `"relight":"relight"`)): // a flow log of relight's own may be redundant
			harms = append(harms, key+" was removed")
		case after[key] == "":
		case after[key] != before[key] && !mayChange(key):
			harms = append(harms, key+" was changed from "+before[key]+" to "+after[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(after)) {
		if before[key] == "" && key != trailKey && !strings.Contains(key, "relight-") && !strings.Contains(key, " log-group ") {
			harms = append(harms, key+" was created")
		}
	}
	return harms
}

// mayChange reports whether a sweep may change a resource: one of relight's
// own, the trail, or a log group's retention.
func mayChange(key string) bool {
	return key == trailKey || strings.Contains(key, " alarm relight-") || strings.Contains(key, " metric-filter "+trailGroup+" relight-") || strings.Contains(key, " log-group ") || strings.HasSuffix(key, ":relight-alerts")
}

// disturb makes random changes, as attackers and owners do. It leaves every VPC
// a free slot or a flow log that counts, because otherwise no sweep can restore
// the VPC.
func disturb(rt *rapid.T, w *world) {
	coin := func(name string) bool { return rapid.Bool().Draw(rt, name) }
	more := rapid.IntRange(0, 3).Draw(rt, "more VPCs")
	for i := range more {
		w.AddVPC(home, "vpc-more-"+strconv.Itoa(i))
	}
	for _, vpc := range []string{"vpc-1", "vpc-2", "vpc-more-0"} {
		if vpc == "vpc-more-0" && more == 0 {
			continue
		}
		if coin("delete the flow logs of " + vpc) {
			w.deleteFlowLogs(home, vpc)
		}
		if coin("another flow log on " + vpc) {
			traffic := rapid.SampledFrom(ec2types.TrafficTypeAll.Values()).Draw(rt, "traffic")
			w.createFlowLog(home, vpc, string(traffic), "theirs-"+rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "group"))
			if coin("its delivery fails") && len(w.FlowLogs(home, vpc)) == 1 {
				w.FailDelivery(home, vpc, "Access error")
			}
		}
	}
	if coin("an hour passes") {
		w.anHour()
	}
	switch rapid.SampledFrom([]string{"leave", "delete", "shut", "key", "unsubscribe", "filter"}).Draw(rt, "topic") {
	case "delete":
		w.deleteTopic()
	case "shut":
		w.setTopic("Policy", `{"Version":"2012-10-17","Statement":[]}`)
	case "key":
		w.setTopic("KmsMasterKeyId", "")
	case "unsubscribe":
		w.unsubscribe(oncall)
	case "filter":
		w.setSubscription(oncall, "FilterPolicy", `{"none":["of these"]}`)
	}
	state := w.State()
	w.updateTrail(cloudtrail.UpdateTrailInput{Name: aws.String("app-trail"), EnableLogFileValidation: aws.Bool(coin("validation of another trail"))})
	harms := []string{"nothing", "stop", "narrow"}
	if _, swept := state[home+" alarm "+rootUsage]; swept { // relight cannot restore what it never saw
		harms = append(harms, "strip", "delete")
	}
	switch rapid.SampledFrom(harms).Draw(rt, "trail") {
	case "stop":
		w.stopLogging("audit")
	case "narrow":
		w.putSelectors("audit", cloudtrailtypes.EventSelector{ReadWriteType: "ReadOnly"})
	case "strip":
		w.updateTrail(stripped)
	case "delete":
		w.deleteTrail("audit")
	}
	for _, group := range []string{"theirs-a", flowLogGroup, trailGroup} {
		_, exists := state[home+" log-group "+group]
		switch {
		case !exists && coin("create "+group):
			w.createGroup(home, group)
			exists = true
		case exists && rapid.IntRange(0, 3).Draw(rt, "delete "+group) == 0:
			w.deleteGroup(home, group)
			exists = false
		}
		if exists && coin("retention of "+group) {
			w.putRetention(home, group, rapid.SampledFrom(catalog.RetentionDays).Draw(rt, "days"))
		}
	}
	state = w.State()
	kinds := []string{"leave", "delete", "weaken", "theirs"}
	for _, c := range catalog.Controls()[:6] {
		name := "relight-" + c.ID
		if _, exists := state[home+" log-group "+trailGroup]; exists {
			_, ours := state[home+" metric-filter "+trailGroup+" "+name]
			switch rapid.SampledFrom(kinds).Draw(rt, "filter of "+c.ID) {
			case "delete":
				if ours {
					filterDeleted(name).do(w)
				}
			case "weaken":
				if ours {
					w.changeFilter(name, narrowings[rapid.SampledFrom(slices.Sorted(maps.Keys(narrowings))).Draw(rt, "how")])
				}
			case "theirs":
				w.putFilter(trailGroup, filterOf("their-"+c.ID, strings.ReplaceAll(c.Pattern, " && ", "  &&\t"), "theirs", c.ID))
			}
		}
		ours := slices.Contains(w.Alarms(home), name)
		switch rapid.SampledFrom(kinds).Draw(rt, "alarm of "+c.ID) {
		case "delete":
			w.deleteAlarms(name)
		case "weaken":
			if ours {
				w.changeAlarm(name, weakenings[rapid.SampledFrom(slices.Sorted(maps.Keys(weakenings))).Draw(rt, "how")])
			}
		case "theirs":
			in := alarmOn("their-"+c.ID, "theirs", c.ID, w.AddTopic(home, "theirs", rapid.IntRange(0, 1).Draw(rt, "subscribers")))
			in.ActionsEnabled = aws.Bool(coin("their alarm speaks"))
			w.putAlarm(in)
		}
	}
}
