package e2e

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/audit"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab"
	"github.com/relight-aws/relight/internal/lab/tap"
)

// TestAudit breaks one link after the other while the functions receive no events. The
// command names that link, and only that one; a sweep repairs it.
func TestAudit(t *testing.T) {
	s := shared
	s.drain(t)
	s.listening(t, false)
	defer s.listening(t, true)
	defer s.purge(t)
	cli := build(t)

	begin := time.Now()
	rep := s.audit(t, cli, 0)
	calls := s.Cloud.Tap.Calls(func(c tap.Call) bool { return c.Role == "" && !c.Time.Before(begin) })
	byRegion := map[string]int{}
	for _, c := range calls {
		byRegion[c.Region]++
	}
	t.Logf("%d regions, %d checks, calls by region: %v, in the home region %s", len(rep.Regions), len(rep.Checks), byRegion,
		names(slices.DeleteFunc(calls, func(c tap.Call) bool { return c.Region != lab.Region })))
	if n := rep.Totals[audit.Pass]; n < 15+len(s.Customer.VPCs[lab.Region]) || n != len(rep.Checks) {
		t.Errorf("%d of %d checks pass", n, len(rep.Checks))
	}

	s.inRounds(t, cli, func(round map[string]harm, rep audit.Report) {
		found := map[string]bool{}
		for _, c := range rep.Checks {
			want := audit.Link("")
			for name, r := range round {
				if (c.Control == r.of || r.of == trails && c.Control != flowLogs) && (c.Status == audit.Fail || r.of != flowLogs) {
					want = r.link
					if c.Broken == r.link && (c.Status == audit.Fail) == (r.link != "") {
						found[name] = true
					}
				}
			}
			if c.Broken != want || want != "" && c.Status != audit.Fail {
				t.Errorf("after %v, %s %s is %s at the link %q, want %q: %s", sortedKeys(round), c.Control, c.Resource, c.Status, c.Broken, want, c.Problem)
			}
			broken := slices.DeleteFunc(slices.Clone(c.Steps), func(s audit.Step) bool { return s.Status == audit.Pass || s.Status == audit.NotReached })
			if len(broken) > 1 || c.Status == audit.Fail && c.Command == "" {
				t.Errorf("after %v, %s names %d links, command %q", sortedKeys(round), c.Control, len(broken), c.Command)
			}
		}
		if len(found) != len(round) {
			t.Errorf("after %v, only %v are as expected", sortedKeys(round), found)
		}
	})
	if rep := s.audit(t, cli, 0); !rep.Passed() {
		t.Errorf("at the end: %v", rep.Totals)
	}
}

// What a harm is of, if it is of no single control.
const trails, flowLogs = "all controls", catalog.FlowLogsCheck

// A harm is what an audit finds after an attack.
type harm struct {
	of   string     // the control, trails for each of them, or flowLogs for those of some VPCs
	link audit.Link // that is broken; "" if the audit passes
}

// rounds returns harms by attack. Those of one round do not cover each other.
func rounds() []map[string]harm {
	return []map[string]harm{
		{"cloudtrail StopLogging": {trails, audit.Logging}, "ec2 DeleteFlowLogs, one": {flowLogs, audit.FlowLog}},
		{"cloudtrail DeleteTrail": {trails, audit.Trail}, "logs PutRetentionPolicy, a day, flow logs'": {flowLogs, audit.Retention}},
		{"cloudtrail UpdateTrail, stripped": {trails, audit.Trail}},
		{"cloudtrail PutEventSelectors, no management events": {trails, audit.Events}},
		{"cloudtrail PutEventSelectors, only reads, and none of KMS": {trails, audit.Events}},
		{"logs DeleteLogGroup, the trail's": {trails, audit.LogGroup}, "logs DeleteLogGroup, the flow logs'": {flowLogs, audit.Destination}},
		{
			"logs DeleteMetricFilter, one":                   {"root-usage", audit.Filter},
			"logs PutMetricFilter, another pattern":          {"iam-changes", audit.Filter},
			"logs PutMetricFilter, a field selection":        {"vpc-changes", audit.Filter},
			"logs PutMetricFilter, counting nothing":         {"nacl-changes", audit.Filter},
			"monitoring PutMetricAlarm, a dimension":         {"network-gateway-changes", audit.Alarm},
			"monitoring PutMetricAlarm, a threshold of 1000": {"config-changes", audit.Alarm},
			"monitoring DisableAlarmActions, one":            {"cloudtrail-changes", audit.Actions},
			"monitoring PutMetricAlarm, notifying nobody":    {"s3-bucket-policy-changes", audit.Actions},
		},
		{
			"monitoring PutMetricAlarm, in another namespace": {"iam-changes", audit.Alarm},
			"logs PutMetricFilter, all events at once":        {"vpc-changes", audit.Filter},
			"logs DeleteMetricFilter, of security groups":     {"security-group-changes", audit.Filter},
			"logs PutMetricFilter, clauses in another order":  {"root-usage", ""},
			"logs PutMetricFilter, no event source":           {"route-table-changes", ""},
			"logs PutMetricFilter, three events less":         {"organizations-changes", ""},
		},
		{"monitoring DeleteAlarms, one": {"root-usage", audit.Alarm}, "ec2 DeleteFlowLogs, a narrower one in its place": {flowLogs, audit.FlowLog}},
		{"sns DeleteTopic": {trails, audit.Topic}},
		{"sns SetTopicAttributes, a policy without alarms": {trails, audit.Topic}},
		{"kms DisableKey, the topic's": {trails, audit.Topic}},
		{"sns Unsubscribe, the mail": {trails, audit.Subscriber}, "sns Unsubscribe, the queue": {trails, audit.Subscriber}},
	}
}

// inRounds carries out the attacks, calls judge with the audit after each round, and
// restores the account. The functions have to receive no events, and no schedule starts
// a sweep meanwhile.
func (s stage) inRounds(t *testing.T, cli string, judge func(round map[string]harm, rep audit.Report)) {
	t.Helper()
	if err := s.Cloud.Emulator.Schedules(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Cloud.Emulator.Schedules(context.WithoutCancel(t.Context()), true); err != nil {
			t.Error(err)
		}
	}()
	for _, round := range rounds() {
		for _, name := range sortedKeys(round) {
			region := lab.Region
			for _, at := range lab.Attacks() {
				if at.Name == name {
					region = at.Region
				}
			}
			attack(name)(t, s.Customer.Intruder.In(region))
		}
		judge(round, s.audit(t, cli, 2))
		// The next round shows what is left. The sweep has the subscribers of the
		// deployment, and the owner of the mailbox confirms.
		s.relight(t, cli, s.Cloud.Root(), 0, "backfill")
		if err := s.Cloud.ConfirmSubscriptions(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// audit runs the command and reads its report.
func (s stage) audit(t *testing.T, cli string, code int) (rep audit.Report) {
	t.Helper()
	out := s.relight(t, cli, s.Cloud.Root(), code, "audit", "-o", "json")
	if err := json.Unmarshal([]byte(out), &rep); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	return rep
}
