package plan_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

// A kind that was not read is not empty: planning it would make everything
// again.
func TestUnobservedIsAnError(t *testing.T) {
	states := []plan.State{
		nil, &plan.DeliveryRoleState{}, &plan.FlowLogState{}, &plan.TrailState{}, &plan.LogGroupState{}, &plan.TopicState{}, &plan.AlarmState{}, &plan.GuardState{},
	}
	for _, kind := range catalog.Kinds() {
		if !slices.ContainsFunc(states, func(s plan.State) bool { return s != nil && s.Kind() == kind }) {
			t.Errorf("there is no state of %s here: add it", kind)
		}
	}
	for _, kind := range append(catalog.Kinds(), "no such kind") {
		for _, state := range states {
			p, err := plan.Of(kind, policy(t), plan.Observed{State: state})
			if observed := state != nil && state.Kind() == kind; (err == nil) != observed {
				t.Errorf("plan of %s with only %T observed: %v", kind, state, err)
			}
			if err != nil && (len(p.Actions) > 0 || !strings.Contains(err.Error(), string(kind))) {
				t.Errorf("plan of %s with only %T observed: %v, actions %v", kind, state, err, p.Actions)
			}
		}
	}
}

// What others lean on comes first.
func TestOrderOfActions(t *testing.T) {
	want := policy(t)
	theirs := with(ours, func(fl *plan.FlowLog) { fl.LogGroup, fl.Ours = "a-short", false })
	missing := with(ours, func(fl *plan.FlowLog) { fl.LogGroup, fl.Ours = "z-missing", false })
	got := flowLogs(want,
		plan.Network{ID: "vpc-3", Owner: account},
		plan.Network{ID: "vpc-2", Owner: account, FlowLogs: []plan.FlowLog{missing}},
		plan.Network{ID: "vpc-1", Owner: account, FlowLogs: []plan.FlowLog{theirs}},
		plan.Network{ID: "vpc-0", Owner: account},
	)
	got.State.(*plan.FlowLogState).LogGroups = map[string]plan.LogGroup{"a-short": {Name: "a-short", RetentionDays: 1}}
	says(t, "actions", of(t, want, got).Actions,
		"create log-group relight-flow-logs with 365 days of retention (it does not exist; flow logs need it)",
		"create log-group z-missing with 365 days of retention (it does not exist; flow logs need it)",
		"raise retention of log-group a-short to 365 days (it keeps logs for 1 day; flow logs need 365)",
		"create flow-log on vpc-0 to relight-flow-logs (no flow log covers REJECT)",
		"create flow-log on vpc-3 to relight-flow-logs (no flow log covers REJECT)")
}

// The properties below hold for whatever is observed: equal states give equal
// plans in whatever order they were listed; a plan applied leaves nothing to
// do; it changes nothing that is not ours, shortens no retention, and gives a
// reason for everything.

func TestAnyFlowLogs(t *testing.T) {
	want := policy(t)
	rapid.Check(t, func(r *rapid.T) {
		var vpcs []plan.Network
		for i := range rapid.IntRange(0, 6).Draw(r, "VPCs") {
			vpc := plan.Network{ID: fmt.Sprintf("vpc-%d", i), Owner: rapid.SampledFrom([]string{account, account, other}).Draw(r, "owner")}
			if rapid.Bool().Draw(r, "logged") { // the second slot stays free: a full VPC is not relight's to mend
				vpc.FlowLogs = []plan.FlowLog{anyFlowLog(r, vpc.ID)}
			}
			vpcs = append(vpcs, vpc)
		}
		got := flowLogs(want, vpcs...)
		got.State.(*plan.FlowLogState).LogGroups = map[string]plan.LogGroup{}
		for _, name := range []string{"relight-flow-logs", "owner-logs", "aws-controltower/x"} {
			if rapid.Bool().Draw(r, name+" exists") {
				got.State.(*plan.FlowLogState).LogGroups[name] = plan.LogGroup{Name: name, RetentionDays: rapid.SampledFrom([]int32{0, 1, 365, 400}).Draw(r, "days")}
			}
		}
		shuffled := clone(got)
		shuffled.State.(*plan.FlowLogState).Networks = rapid.Permutation(got.State.(*plan.FlowLogState).Networks).Draw(r, "VPCs shuffled")
		after := holds(t, r, want, got, shuffled)
		for name, g := range got.State.(*plan.FlowLogState).LogGroups {
			longer(r, g, after.State.(*plan.FlowLogState).LogGroups[name])
		}
		for i, vpc := range got.State.(*plan.FlowLogState).Networks {
			if is := after.State.(*plan.FlowLogState).Networks[i].FlowLogs[:len(vpc.FlowLogs)]; !slices.Equal(vpc.FlowLogs, is) {
				r.Errorf("flow logs of %s were %+v, now %+v", vpc.ID, vpc.FlowLogs, is)
			}
			if vpc.Owner != account && len(after.State.(*plan.FlowLogState).Networks[i].FlowLogs) > len(vpc.FlowLogs) {
				r.Errorf("%s is not ours, and got a flow log", vpc.ID)
			}
		}
	})
}

func anyFlowLog(r *rapid.T, vpc string) plan.FlowLog {
	fl := plan.FlowLog{
		ID:          "fl-of-" + vpc,
		Status:      rapid.SampledFrom([]string{"ACTIVE", "ACTIVE", "CREATING"}).Draw(r, "status"),
		Delivery:    rapid.SampledFrom([]string{"", "SUCCESS", "FAILED"}).Draw(r, "delivery"),
		TrafficType: rapid.SampledFrom([]string{"ALL", "REJECT", "ACCEPT"}).Draw(r, "traffic"),
		Format:      rapid.SampledFrom([]string{catalog.DefaultFlowLogFormat, catalog.DefaultFlowLogFormat, "${version}"}).Draw(r, "format"),
		Destination: rapid.SampledFrom([]string{catalog.ToCloudWatchLogs, catalog.ToS3}).Draw(r, "destination"),
		Ours:        rapid.Bool().Draw(r, "ours"),
	}
	if fl.Destination == catalog.ToCloudWatchLogs {
		fl.LogGroup = rapid.SampledFrom([]string{"relight-flow-logs", "owner-logs", "aws-controltower/x"}).Draw(r, "log group")
	}
	return fl
}

func TestAnyLogGroup(t *testing.T) {
	want := policy(t)
	rapid.Check(t, func(r *rapid.T) {
		got := logGroup(anyFilters(r, want)...)
		got.State.(*plan.LogGroupState).Group.RetentionDays = rapid.SampledFrom([]int32{0, 1, 365, 400}).Draw(r, "days")
		if rapid.Bool().Draw(r, "missing") {
			got.State.(*plan.LogGroupState).Exists, got.State.(*plan.LogGroupState).Group, got.State.(*plan.LogGroupState).Filters = false, plan.LogGroup{}, nil
		}
		shuffled := clone(got)
		shuffled.State.(*plan.LogGroupState).Filters = rapid.Permutation(got.State.(*plan.LogGroupState).Filters).Draw(r, "filters shuffled")
		after := holds(t, r, want, got, shuffled)
		if got.State.(*plan.LogGroupState).Exists {
			longer(r, got.State.(*plan.LogGroupState).Group, after.State.(*plan.LogGroupState).Group)
		}
		for _, f := range got.State.(*plan.LogGroupState).Filters {
			kept := func(g plan.Filter) bool { return g.Name == f.Name && cmp.Equal(f, g) }
			if !strings.HasPrefix(f.Name, want.Prefix+"-") && !slices.ContainsFunc(after.State.(*plan.LogGroupState).Filters, kept) {
				r.Errorf("filter %s is not ours, and changed", f.Name)
			}
		}
		for _, c := range want.Controls {
			if !slices.ContainsFunc(after.State.(*plan.LogGroupState).Filters, func(f plan.Filter) bool { return plan.Measures(c, f) == "" }) {
				r.Errorf("nothing measures %s", c.ID)
			}
		}
	})
}

// anyFilters returns ours and theirs, sound and weak, of some controls.
func anyFilters(r *rapid.T, want catalog.Desired) []plan.Filter {
	changes := []func(*plan.Filter){func(*plan.Filter) {}}
	for _, name := range slices.Sorted(maps.Keys(weakFilters)) {
		changes = append(changes, weakFilters[name].change)
	}
	for _, name := range slices.Sorted(maps.Keys(soundFilters)) {
		changes = append(changes, soundFilters[name])
	}
	var filters []plan.Filter
	for _, c := range want.Controls {
		if rapid.Bool().Draw(r, c.ID+" is ours") {
			filters = append(filters, with(filterFor(want, c), rapid.SampledFrom(changes).Draw(r, "change")))
		}
		for i := range rapid.IntRange(0, 2).Draw(r, "theirs") {
			f := with(theirFilter(c), rapid.SampledFrom(changes).Draw(r, "change"))
			f.Name = fmt.Sprintf("%s-%d", c.ID, i)
			filters = append(filters, f)
		}
	}
	return filters
}

func TestAnyAlarms(t *testing.T) {
	want := policy(t)
	changes := []func(*plan.Alarm){func(*plan.Alarm) {}}
	for _, name := range slices.Sorted(maps.Keys(weakAlarms)) {
		changes = append(changes, weakAlarms[name].change)
	}
	for _, name := range slices.Sorted(maps.Keys(otherAlarms)) {
		changes = append(changes, otherAlarms[name].change)
	}
	for _, name := range slices.Sorted(maps.Keys(soundAlarms)) {
		changes = append(changes, soundAlarms[name])
	}
	rapid.Check(t, func(r *rapid.T) {
		got := alarms(anyFilters(r, want))
		got.State.(*plan.AlarmState).Topics[theirTopic] = plan.Topic{Exists: true, Admits: true, Confirmed: rapid.IntRange(0, 1).Draw(r, "confirmed")}
		if rapid.Bool().Draw(r, "named") {
			got = named([]string{want.Name(want.Controls[0].ID), want.Name(want.Controls[1].ID), "checkout-latency"})
		}
		for i, c := range want.Controls {
			for _, a := range []plan.Alarm{alarmFor(want, c), theirAlarm(want, c), with(theirAlarm(want, c), func(a *plan.Alarm) {
				a.Name = plan.AlarmName(want, c, plan.Metric{Namespace: a.Namespace, Name: a.Metric})
			})} {
				if a.Name == "root" {
					a.Name = fmt.Sprintf("theirs-%d", i)
				}
				if rapid.Bool().Draw(r, a.Name) {
					got.State.(*plan.AlarmState).Alarms[a.Name] = with(a, rapid.SampledFrom(changes).Draw(r, "change"))
				}
			}
		}
		shuffled := clone(got)
		shuffled.State.(*plan.AlarmState).Filters = rapid.Permutation(got.State.(*plan.AlarmState).Filters).Draw(r, "filters shuffled")
		after := holds(t, r, want, got, shuffled)
		if p, _ := plan.Of(got.State.Kind(), want, got); got.State.(*plan.AlarmState).Full && p.Healthy+len(p.Actions)+len(p.Findings) < len(want.Controls) {
			r.Errorf("%d held, %d actions and %d findings for %d controls", p.Healthy, len(p.Actions), len(p.Findings), len(want.Controls))
		}
		for name, a := range got.State.(*plan.AlarmState).Alarms {
			if diff := cmp.Diff(a, after.State.(*plan.AlarmState).Alarms[name]); diff != "" && !strings.HasPrefix(name, want.Prefix+"-") {
				r.Errorf("alarm %s is not ours, and changed:\n%s", name, diff)
			}
			var lost []string
			for _, action := range a.AlarmActions {
				if !slices.Contains(after.State.(*plan.AlarmState).Alarms[name].AlarmActions, action) {
					lost = append(lost, action)
				}
			}
			if full := len(a.AlarmActions) == catalog.ActionsPerState && !slices.Contains(a.AlarmActions, topic); len(lost) > 1 || len(lost) == 1 && !full {
				r.Errorf("alarm %s lost its actions %v", name, lost)
			}
		}
	})
}

// holds checks what must be true of any plan and returns the state after it.
func holds(t *testing.T, r *rapid.T, want catalog.Desired, got, shuffled plan.Observed) plan.Observed {
	r.Helper()
	p, err := plan.Of(got.State.Kind(), want, got)
	if err != nil {
		r.Fatal(err)
	}
	if same, _ := plan.Of(shuffled.State.Kind(), want, shuffled); !cmp.Equal(p, same) {
		r.Errorf("the order of what was observed matters:\n%s", cmp.Diff(p, same))
	}
	seen := map[string]bool{}
	for _, a := range p.Actions {
		key := fmt.Sprintf("%T %s", a, a.Step().Target)
		if seen[key] {
			r.Errorf("planned twice: %s", a.Step())
		}
		seen[key] = true
		if line := a.Step().String(); !strings.HasSuffix(line, ")") || strings.HasSuffix(line, "()") || strings.Contains(line, "\n") {
			r.Errorf("no line with a reason: %q", line)
		}
	}
	after := apply(t, got, p)
	if again, _ := plan.Of(after.State.Kind(), want, after); len(again.Actions) > 0 {
		r.Errorf("after %v\nthere is still to do: %v", p.Actions, again.Actions)
	}
	return after
}

// longer fails if a log group keeps its events for a shorter time than before.
func longer(r *rapid.T, was, is plan.LogGroup) {
	r.Helper()
	if was.RetentionDays == 0 && is.RetentionDays != 0 || is.RetentionDays != 0 && is.RetentionDays < was.RetentionDays {
		r.Errorf("log group %s was kept %d days, now %d", was.Name, was.RetentionDays, is.RetentionDays)
	}
}
