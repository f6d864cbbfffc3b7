package app_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

const (
	theirVPC   = "vpc-0a1b2c3d4e5f60099"
	theirGroup = "network-flow-logs"
)

// A step is one call from the life of a short-lived stack, and its event.
type step struct {
	name  string
	do    func(*world)
	event string // "" for a call that is not watched
}

// comeAndGo is a recorded sequence of a stack that was created and deleted
// within six minutes, with a VPC that has its own flow log and log group.
var comeAndGo = []step{
	{"CreateLogGroup", func(w *world) { w.createGroup(home, theirGroup) }, call("aws.logs", "CreateLogGroup", `"requestParameters":{"logGroupName":"`+theirGroup+`"}`)},
	{"CreateVpc", func(w *world) { w.AddVPC(home, theirVPC) }, call("aws.ec2", "CreateVpc", `"responseElements":{"vpc":{"vpcId":"`+theirVPC+`"}}`)},
	{"CreateFlowLogs", func(w *world) { w.createFlowLog(home, theirVPC, "ALL", theirGroup) }, ""},
	{"DeleteFlowLogs", func(w *world) {
		for _, id := range w.FlowLogs(home, theirVPC) {
			if out := must(w.EC2.DescribeFlowLogs(w.t.Context(), &ec2.DescribeFlowLogsInput{FlowLogIds: []string{id}})); aws.ToString(out.FlowLogs[0].LogGroupName) == theirGroup {
				must(w.EC2.DeleteFlowLogs(w.t.Context(), &ec2.DeleteFlowLogsInput{FlowLogIds: []string{id}}))
			}
		}
	}, call("aws.ec2", "DeleteFlowLogs", `"requestParameters":{"DeleteFlowLogsRequest":{"FlowLogId":{"content":"fl-1","tag":1}}}`)},
	{"DeleteVpc", func(w *world) {
		must(w.EC2.DeleteVpc(w.t.Context(), &ec2.DeleteVpcInput{VpcId: aws.String(theirVPC)}))
	}, call("aws.ec2", "DeleteVpc", `"requestParameters":{"vpcId":"`+theirVPC+`"}`)},
	{"DeleteLogGroup", func(w *world) { w.deleteGroup(home, theirGroup) }, call("aws.logs", "DeleteLogGroup", `"requestParameters":{"logGroupName":"`+theirGroup+`"}`)},
}

// call returns the event of a call.
func call(source, name, fields string) string {
	return fmt.Sprintf(`{"id":"e","detail-type":%q,"source":%q,"account":%q,"region":%q,"detail":{"eventName":%q,%s}}`,
		catalog.APICall, source, account, home, name, fields)
}

// outlives runs a test for both possible behaviours of AWS, because no document
// says whether the flow logs of a deleted VPC are deleted too.
func outlives(t *testing.T, test func(t *testing.T, outlive bool)) {
	for _, outlive := range []bool{false, true} {
		t.Run("flow logs outlive their VPC="+strconv.FormatBool(outlive), func(t *testing.T) { test(t, outlive) })
	}
}

// A short-lived stack leaves nothing of relight's behind, and relight does not
// restore what the stack deleted. The events reach relight as the calls are
// made.
func TestTeardown(t *testing.T) {
	t.Parallel()
	outlives(t, func(t *testing.T, outlive bool) {
		w := healthy(t, "")
		if outlive {
			w.Doubt("flow-logs-go-with-their-vpc")
		}
		before := w.State()
		for _, s := range comeAndGo {
			s.do(w)
			if s.event == "" {
				continue
			}
			if again, errs := w.send([]byte(s.event), true); len(again)+len(errs) > 0 {
				t.Errorf("%s: %v, %v", s.name, again, errs)
			}
			if logged := len(w.FlowLogs(home, theirVPC)) > 0; s.name == "DeleteFlowLogs" && !logged {
				t.Error("the VPC was left without a flow log")
			}
		}
		if diff := cmp.Diff(before, w.State()); diff != "" {
			t.Errorf("left behind (-before +after):\n%s", diff)
		}
		if s := w.sweep(app.Request{}); s.Planned != 0 {
			t.Errorf("a sweep afterwards plans %+v", s)
		}
	})
}

// The events of a deleted stack may arrive early or late, twice or in another
// order, and still lead to the same result.
func TestTeardownInAnyOrder(t *testing.T) {
	t.Parallel()
	outlives(t, func(t *testing.T, outlive bool) {
		rapid.Check(t, func(rt *rapid.T) {
			w := healthy(t, few)
			if outlive {
				w.Doubt("flow-logs-go-with-their-vpc")
			}
			before := w.State()
			var due []string
			deliver := func() {
				i := rapid.IntRange(0, len(due)-1).Draw(rt, "event")
				event := due[i]
				if !rapid.Bool().Draw(rt, "comes again") {
					due = slices.Delete(due, i, i+1)
				}
				if again, errs := w.send([]byte(event), true); len(again)+len(errs) > 0 {
					rt.Fatalf("%s: %v, %v", event, again, errs)
				}
			}
			swap := rapid.Bool().Draw(rt, "the group goes before the VPC")
			steps := slices.Clone(comeAndGo)
			if n := len(steps); swap {
				steps[n-1], steps[n-2] = steps[n-2], steps[n-1]
			}
			for _, s := range steps {
				s.do(w)
				if s.event != "" {
					due = append(due, s.event)
				}
				for len(due) > 0 && rapid.Bool().Draw(rt, "an event comes") {
					deliver()
				}
			}
			for n := 0; len(due) > 0 && n < 20; n++ {
				deliver()
			}
			if diff := cmp.Diff(before, w.State()); diff != "" {
				rt.Errorf("left behind (-before +after):\n%s", diff)
			}
		})
	})
}

// If all events of a deleted stack are lost, the sweep finds what is left.
func TestTeardownUnheard(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.Doubt("flow-logs-go-with-their-vpc")
	before := w.State()
	for _, s := range comeAndGo {
		if s.do(w); s.name == "DeleteFlowLogs" {
			w.sweep(app.Request{})
		}
	}
	if n := len(w.FlowLogs(home, theirVPC)); n != 1 {
		t.Fatalf("%d flow logs outlive the VPC, want relight's", n)
	}
	w.AddVPC(home, "vpc-9") // somebody else's flow log stays although its VPC is deleted
	w.createFlowLog(home, "vpc-9", "ALL", flowLogGroup)
	must(w.EC2.DeleteVpc(t.Context(), &ec2.DeleteVpcInput{VpcId: aws.String("vpc-9")}))
	w.Lag(2)
	w.AddVPC(home, "vpc-8") // two reads do not show it although it exists
	w.createOurs("vpc-8", "REJECT")

	w.Deny("DescribeVpcs")
	w.sweep(app.Request{})
	if len(w.FlowLogs(home, theirVPC)) != 1 {
		t.Error("relight treated a VPC that it could not read as deleted")
	}
	w.Allow("DescribeVpcs")
	w.sweep(app.Request{})
	if n := len(w.FlowLogs(home, "vpc-9")); n != 1 {
		t.Errorf("%d flow logs of somebody else's left, want 1", n)
	}
	if n := len(w.FlowLogs(home, "vpc-8")); n != 1 {
		t.Errorf("%d flow logs on a VPC that EC2 shows late, want 1", n)
	}
	after := without(w.State(), home+" vpc vpc-8", home+" flow-log vpc-8 REJECT cloud-watch-logs "+flowLogGroup+" ", home+" flow-log vpc-9 ALL cloud-watch-logs "+flowLogGroup+" ")
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("left behind (-before +after):\n%s", diff)
	}
}

// An event names a VPC as deleted although it exists. relight keeps the VPC's
// flow log.
func TestForgedTeardown(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	before := w.State()
	w.send([]byte(call("aws.ec2", "DeleteVpc", `"requestParameters":{"vpcId":"vpc-1"}`)), true)
	w.send([]byte(call("aws.ec2", "DeleteVpc", `"requestParameters":null`)), true)
	if diff := cmp.Diff(before, w.State()); diff != "" {
		t.Errorf("changed (-before +after):\n%s", diff)
	}
}

// relight deletes its own flow log only in a sweep, and only if it has seen
// that another flow log does the same work.
func TestSurplus(t *testing.T) {
	t.Parallel()
	bucket := func(w *world) {
		must(w.EC2.CreateFlowLogs(w.t.Context(), &ec2.CreateFlowLogsInput{
			ResourceIds: []string{"vpc-1"}, ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: "ALL",
			LogDestinationType: ec2types.LogDestinationTypeS3, LogDestination: aws.String("arn:aws:s3:::bucket"),
		}))
	}
	group := func(days int32) func(*world) {
		return func(w *world) {
			w.createGroup(home, theirGroup)
			w.putRetention(home, theirGroup, days)
			w.createFlowLog(home, "vpc-1", "ALL", theirGroup)
		}
	}
	theirs := func(group string) func(*world) {
		return func(w *world) { w.createFlowLog(home, "vpc-1", "ALL", group) }
	}
	later := (*world).anHour
	tests := []struct {
		name   string
		config string
		do     []func(*world)
		goes   bool
	}{
		{"another in the group of the configuration", "", []func(*world){theirs(flowLogGroup), later}, true},
		{"another in the group of the configuration, for less than an hour", "", []func(*world){theirs(flowLogGroup), func(w *world) { w.now = w.now.Add(59 * time.Minute) }}, false},
		{"another in the group of the configuration, a moment ago", "", []func(*world){theirs(flowLogGroup)}, false},
		{"another in a group that anybody could make", "", []func(*world){group(365), later}, false},
		{"another in a group kept too short", "", []func(*world){group(30), later}, false},
		{"another in a deleted group", "", []func(*world){group(365), later, func(w *world) { w.deleteGroup(home, theirGroup) }}, false},
		{"another that records less", "", []func(*world){func(w *world) { w.createFlowLog(home, "vpc-1", "ACCEPT", flowLogGroup) }, later}, false},
		{"another in a bucket that may be anybody's", "", []func(*world){bucket, later}, false},
		{"another in a bucket of an allowed type", `{"flowLogs":{"destinations":["cloud-watch-logs","s3"]}}`, []func(*world){bucket, later}, false},
		{"another in a bucket that the configuration adopts", `{"adopt":{"flowLogs":["arn:aws:s3:::bucket"]}}`, []func(*world){bucket, later}, true},
		{"another in a bucket that the configuration adopts, a moment ago", `{"adopt":{"flowLogs":["arn:aws:s3:::bucket"]}}`, []func(*world){bucket}, false},
		{"ours alone", "", []func(*world){later}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := healthy(t, tt.config)
			ours := w.FlowLogs(home, "vpc-1")[0]
			for _, do := range tt.do {
				do(w)
			}
			w.send([]byte(call("aws.ec2", "DeleteFlowLogs", `"requestParameters":null`)), true)
			if !slices.Contains(w.FlowLogs(home, "vpc-1"), ours) {
				t.Error("an event's run deleted it")
			}
			had := len(w.FlowLogs(home, "vpc-1"))
			w.sweep(app.Request{})
			if gone := !slices.Contains(w.FlowLogs(home, "vpc-1"), ours); gone != tt.goes {
				t.Errorf("relight's flow log is deleted: %t, want %t", gone, tt.goes)
			}
			if n := len(w.FlowLogs(home, "vpc-1")); tt.goes && n != had-1 {
				t.Errorf("%d flow logs left of %d", n, had)
			}
			if gaps := w.gaps(); slices.Contains(gaps, "vpc-1") {
				t.Error("the VPC has no flow log")
			}
			before := w.State()
			w.send([]byte(call("aws.ec2", "DeleteFlowLogs", `"requestParameters":null`)), true) // its own echo
			if s := w.sweep(app.Request{}); s.Planned != 0 || !cmp.Equal(before, w.State()) {
				t.Errorf("a second sweep plans %+v", s)
			}
		})
	}
}

// If the policy asks for more, the sweep keeps the old flow log until the new
// one delivers, and then deletes it.
func TestSuperseded(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	old := w.FlowLogs(home, "vpc-1")[0]
	w.anHour()
	w.config.FlowLogs.TrafficType = "ALL"
	for sweep, want := range []int{2, 2, 1} {
		if sweep == 2 {
			w.anHour()
		}
		w.sweep(app.Request{})
		if has := w.FlowLogs(home, "vpc-1"); len(has) != want || slices.Contains(has, old) != (sweep < 2) {
			t.Errorf("sweep %d: flow logs %v, want %d, the old one %s among them: %t", sweep, has, want, old, sweep < 2)
		}
	}
	if s := w.sweep(app.Request{}); s.Planned != 0 {
		t.Errorf("a last sweep plans %+v", s)
	}
}

// If relight's flow log and another are both too weak and the VPC has no room
// for more, relight deletes nothing, and the finding says which flow log people
// can delete.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.createFlowLog(home, "vpc-1", "ACCEPT", theirGroup)
	w.anHour()
	w.config.FlowLogs.TrafficType = "ALL"
	had := w.FlowLogs(home, "vpc-1")
	told := len(w.Messages())
	s := w.sweep(app.Request{Regions: []string{home}, Kinds: []catalog.Kind{catalog.FlowLogs}})
	if diff := cmp.Diff(had, w.FlowLogs(home, "vpc-1")); diff != "" {
		t.Errorf("flow logs (-before +after):\n%s", diff)
	}
	if f := s.Reports[0].Findings; len(f) != 1 || f[0].Subject != "vpc-1" || !strings.Contains(f[0].Remedy, "Delete "+had[1]) {
		t.Errorf("findings %+v, want one that says to delete %s", f, had[1])
	}
	w.send([]byte(call("aws.ec2", "DeleteFlowLogs", `"requestParameters":null`)), true)
	if m := w.Messages()[told:]; len(m) == 0 || !strings.Contains(m[len(m)-1].Text, "no room for another") {
		t.Errorf("messages %+v, want one about the VPC without room", m)
	}
}

// relight may not delete log groups, so the log group of its own flow logs
// stays in a region that had none before.
func TestTeardownLeavesTheGroup(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.AddRegion("ap-south-1", "opted-in")
	w.AddVPC("ap-south-1", "vpc-7")
	w.Doubt("flow-logs-go-with-their-vpc")
	w.sweep(app.Request{})
	must(w.In("ap-south-1").EC2.DeleteVpc(t.Context(), &ec2.DeleteVpcInput{VpcId: aws.String("vpc-7")}))
	w.sweep(app.Request{})
	if n := len(w.FlowLogs("ap-south-1", "vpc-7")); n != 0 {
		t.Errorf("%d flow logs left", n)
	}
	groups := must(w.In("ap-south-1").Logs.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{}))
	if len(groups.LogGroups) != 1 || *groups.LogGroups[0].LogGroupName != flowLogGroup {
		t.Errorf("log groups %+v, want relight's own", groups.LogGroups)
	}
}
