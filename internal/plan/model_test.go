package plan_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
	"github.com/relight-aws/relight/internal/plan"
)

const (
	account  = "111122223333"
	other    = "444455556666"
	region   = "us-east-1"
	trail    = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
	group    = "aws-cloudtrail-logs-111122223333-0a1b2c3d"
	topic    = "arn:aws:sns:us-east-1:111122223333:relight"
	topicKey = "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-5e6f-4a7b-8c9d-0e1f2a3b4c5d"
	role     = "arn:aws:iam::111122223333:role/relight-delivery"
)

// policy returns the desired state of an empty configuration, deployed.
func policy(t testing.TB) catalog.Desired {
	t.Helper()
	c, err := config.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := c.Desired(catalog.Deployment{Account: account, HomeRegion: region, Topic: topic, TopicKey: topicKey, DeliveryRole: role})
	want.StackAlarms = nil // TestStackAlarms has them
	return want
}

// control returns the control that most tables are about, and a policy that
// wants no other.
func control(t testing.TB) (catalog.Desired, catalog.Control) {
	t.Helper()
	want := policy(t)
	i := slices.IndexFunc(want.Controls, func(c catalog.Control) bool { return c.ID == "root-usage" })
	want.Controls = want.Controls[i : i+1]
	return want, want.Controls[0]
}

// of plans a kind, twice: the second plan says whether the first left the
// observed state as it was.
func of(t testing.TB, want catalog.Desired, got plan.Observed) plan.Plan {
	t.Helper()
	p, err := plan.Of(got.State.Kind(), want, got)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := plan.Of(got.State.Kind(), want, got)
	if diff := cmp.Diff(p, again); diff != "" {
		t.Errorf("the same state planned again (-first +second):\n%s", diff)
	}
	for _, f := range p.Findings {
		if placeholder.MatchString(f.Subject + f.Problem + f.Remedy) {
			t.Errorf("a value is missing: %s", f)
		}
	}
	return p
}

func flowLogs(want catalog.Desired, vpcs ...plan.Network) plan.Observed {
	state := &plan.FlowLogState{Networks: vpcs, LogGroups: map[string]plan.LogGroup{}}
	for _, vpc := range vpcs {
		for _, fl := range vpc.FlowLogs {
			if fl.LogGroup != "" {
				state.LogGroups[fl.LogGroup] = plan.LogGroup{Name: fl.LogGroup, RetentionDays: want.FlowLogs.RetentionDays}
			}
		}
	}
	return plan.Observed{Account: account, Region: region, Adopted: everything, State: state}
}

func logGroup(filters ...plan.Filter) plan.Observed {
	return plan.Observed{Account: account, Region: region, Adopted: everything, State: &plan.LogGroupState{
		Trail:   plan.TrailLogs{LogGroup: group},
		Group:   plan.LogGroup{Name: group, Class: catalog.ClassStandard, RetentionDays: 365},
		Exists:  true,
		Filters: filters,
	}}
}

// alarms returns a full observation with a healthy topic.
func alarms(filters []plan.Filter, found ...plan.Alarm) plan.Observed {
	state := &plan.AlarmState{
		Full:    true,
		Trail:   plan.TrailLogs{LogGroup: group},
		Filters: filters,
		Alarms:  map[string]plan.Alarm{},
		Topics:  map[string]plan.Topic{topic: {Exists: true, Admits: true, Confirmed: 1}},
	}
	for _, a := range found {
		state.Alarms[a.Name] = a
	}
	return plan.Observed{Account: account, Region: region, Adopted: everything, State: state}
}

// named returns the observation of an event's names.
func named(names []string, found ...plan.Alarm) plan.Observed {
	state := &plan.AlarmState{Named: names, Alarms: map[string]plan.Alarm{}}
	for _, a := range found {
		state.Alarms[a.Name] = a
	}
	return plan.Observed{Account: account, Region: region, Adopted: everything, State: state}
}

// apply is an account in a few lines: it does to the observed state what a
// plan's actions say, as AWS would. What it hands back is a copy.
func apply(t testing.TB, got plan.Observed, p plan.Plan) plan.Observed {
	t.Helper()
	got = clone(got)
	for _, action := range p.Actions {
		switch a := action.(type) {
		case plan.CreateFlowLog:
			i := slices.IndexFunc(got.State.(*plan.FlowLogState).Networks, func(v plan.Network) bool { return v.ID == a.On })
			vpc := &got.State.(*plan.FlowLogState).Networks[i]
			if len(vpc.FlowLogs) == 2 {
				t.Fatalf("%s: a VPC has room for two flow logs", a.Step())
			}
			vpc.FlowLogs = append(vpc.FlowLogs, plan.FlowLog{
				ID: fmt.Sprintf("fl-%d-of-%s", len(vpc.FlowLogs), a.On), Status: "ACTIVE", TrafficType: a.Spec.TrafficType,
				Format: a.Spec.WantFormat(), Aggregation: a.Spec.Aggregation, Destination: catalog.ToCloudWatchLogs, LogGroup: a.Spec.LogGroup,
				Delivery: "SUCCESS", Role: a.Role, Ours: true,
			})
		case plan.TagFlowLog:
			s := got.State.(*plan.FlowLogState)
			for i := range s.Networks {
				for j := range s.Networks[i].FlowLogs {
					if fl := &s.Networks[i].FlowLogs[j]; fl.ID == a.ID {
						fl.Untagged = false
					}
				}
			}
		case plan.DeleteFlowLog:
			for _, vpcs := range [][]plan.Network{got.State.(*plan.FlowLogState).Networks, got.State.(*plan.FlowLogState).Gone} {
				for i := range vpcs {
					vpcs[i].FlowLogs = slices.DeleteFunc(vpcs[i].FlowLogs, func(fl plan.FlowLog) bool { return fl.ID == a.ID })
				}
			}
		case plan.CreateLogGroup:
			set(got, plan.LogGroup{
				Name: a.Name, Class: catalog.ClassStandard, RetentionDays: a.RetentionDays, KMSKey: a.KMSKey, Protected: a.Protected,
				Ours: a.Tags[catalog.OwnerTag] != "",
			})
		case plan.RaiseRetention:
			g := groupIn(got, a.LogGroup)
			g.RetentionDays = a.Days
			set(got, g)
		case plan.ProtectLogGroup:
			g := groupIn(got, a.LogGroup)
			g.Protected = true
			set(got, g)
		case plan.TagLogGroup:
			g := groupIn(got, a.LogGroup)
			g.Untagged = false
			set(got, g)
		case plan.RemoveLogGroupKey:
			g := groupIn(got, a.LogGroup)
			g.KMSKey = ""
			set(got, g)
		case plan.EncryptLogGroup:
			g := groupIn(got, a.LogGroup)
			g.KMSKey = a.Key
			set(got, g)
		case plan.PutFilter:
			s := got.State.(*plan.LogGroupState)
			s.Filters = append(slices.DeleteFunc(s.Filters, func(f plan.Filter) bool { return f.Name == a.Filter.Name }), a.Filter)
		case plan.PutAlarm:
			if len(a.Alarm.AlarmActions) > catalog.ActionsPerState {
				t.Fatalf("%s: %d actions", a.Step(), len(a.Alarm.AlarmActions))
			}
			got.State.(*plan.AlarmState).Alarms[a.Alarm.Name] = a.Alarm
		case plan.DeleteMuteRule:
			got.State.(*plan.AlarmState).Mutes = slices.DeleteFunc(slices.Clone(got.State.(*plan.AlarmState).Mutes), func(r plan.MuteRule) bool { return r.Name == a.Rule })
		case plan.Unsuppress:
			got.State.(*plan.AlarmState).Composites = slices.DeleteFunc(slices.Clone(got.State.(*plan.AlarmState).Composites), func(c plan.Composite) bool { return c.Name == a.Alarm.Name })
			got.State.(*plan.AlarmState).Composites = append(got.State.(*plan.AlarmState).Composites, a.Alarm)
		default:
			t.Fatalf("the model does not know %T", action)
		}
	}
	return got
}

// groupIn returns a log group of whichever state was observed.
func groupIn(got plan.Observed, name string) plan.LogGroup {
	if _, ok := got.State.(*plan.FlowLogState); ok {
		return got.State.(*plan.FlowLogState).LogGroups[name]
	}
	return got.State.(*plan.LogGroupState).Group
}

// set puts a log group into whichever state was observed.
func set(got plan.Observed, g plan.LogGroup) {
	if _, ok := got.State.(*plan.FlowLogState); ok {
		got.State.(*plan.FlowLogState).LogGroups[g.Name] = g
		return
	}
	got.State.(*plan.LogGroupState).Group, got.State.(*plan.LogGroupState).Exists = g, true
}

func clone(got plan.Observed) plan.Observed {
	switch s := got.State.(type) {
	case *plan.FlowLogState:
		c := *s
		c.Networks, c.Gone, c.LogGroups = slices.Clone(s.Networks), slices.Clone(s.Gone), maps.Clone(s.LogGroups)
		for _, vpcs := range [][]plan.Network{c.Networks, c.Gone} {
			for i := range vpcs {
				vpcs[i].FlowLogs = slices.Clone(vpcs[i].FlowLogs)
			}
		}
		got.State = &c
	case *plan.LogGroupState:
		c := *s
		c.Filters = slices.Clone(s.Filters)
		got.State = &c
	case *plan.AlarmState:
		c := *s
		c.Alarms, c.Filters = maps.Clone(s.Alarms), slices.Clone(s.Filters)
		got.State = &c
	}
	return got
}

// converges fails the test if a plan, applied, leaves something to do, other than
// what the next sweep does.
func converges(t testing.TB, want catalog.Desired, got plan.Observed) {
	t.Helper()
	first := of(t, want, got)
	got = apply(t, got, first)
	next := of(t, want, got)
	if left := plan.Remaining(first, next); len(left) > 0 {
		t.Errorf("after the repair there is still to do: %v", left)
	}
	for range 2 {
		got = apply(t, got, next)
		next = of(t, want, got)
	}
	if len(next.Actions) > 0 {
		t.Errorf("after three repairs there is still to do: %v", next.Actions)
	}
}

// text returns what a list of a plan says.
func text[S any](items []S) []string {
	lines := []string{}
	for _, i := range items {
		if a, ok := any(i).(plan.Action); ok {
			lines = append(lines, a.Step().String())
		} else {
			lines = append(lines, fmt.Sprint(i))
		}
	}
	return lines
}

// says fails the test if a list of a plan says anything else.
func says[S any](t testing.TB, what string, items []S, want ...string) {
	t.Helper()
	if want == nil {
		want = []string{}
	}
	if diff := cmp.Diff(want, text(items)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// everything makes whatever others made count.
var everything = plan.Adopted{All: true}
