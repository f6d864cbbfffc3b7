package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/audit"
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

	const trails, flowLogs = "all controls", "vpc-flow-logs"
	for _, row := range []struct {
		attacks []string
		of      string // the control, or trails for each of them
		link    audit.Link
	}{
		{[]string{"cloudtrail StopLogging"}, trails, audit.Logging},
		{[]string{"cloudtrail DeleteTrail"}, trails, audit.Trail},
		{[]string{"cloudtrail UpdateTrail, stripped"}, trails, audit.Trail},
		{[]string{"cloudtrail PutEventSelectors, no management events"}, trails, audit.Events},
		{[]string{"cloudtrail PutEventSelectors, only reads, and none of KMS"}, trails, audit.Events},
		{[]string{"logs DeleteLogGroup, the trail's"}, trails, audit.LogGroup},
		{[]string{"logs DeleteMetricFilter, one"}, "root-usage", audit.Filter},
		{[]string{"logs PutMetricFilter, another pattern"}, "iam-changes", audit.Filter},
		{[]string{"logs PutMetricFilter, a field selection"}, "vpc-changes", audit.Filter},
		{[]string{"logs PutMetricFilter, counting nothing"}, "nacl-changes", audit.Filter},
		{[]string{"monitoring DeleteAlarms, one"}, "root-usage", audit.Alarm},
		{[]string{"monitoring PutMetricAlarm, a dimension"}, "network-gateway-changes", audit.Alarm},
		{[]string{"monitoring PutMetricAlarm, a threshold of 1000"}, "config-changes", audit.Alarm},
		{[]string{"monitoring DisableAlarmActions, one"}, "cloudtrail-changes", audit.Actions},
		{[]string{"monitoring PutMetricAlarm, notifying nobody"}, "s3-bucket-policy-changes", audit.Actions},
		{[]string{"sns DeleteTopic"}, trails, audit.Topic},
		{[]string{"sns SetTopicAttributes, a policy without alarms"}, trails, audit.Topic},
		{[]string{"kms DisableKey, the topic's"}, trails, audit.Topic},
		{[]string{"sns Unsubscribe, the mail", "sns Unsubscribe, the queue"}, trails, audit.Subscriber},
		{[]string{"ec2 DeleteFlowLogs, one"}, flowLogs, audit.FlowLog},
		{[]string{"ec2 DeleteFlowLogs, a narrower one in its place"}, flowLogs, audit.FlowLog},
		{[]string{"logs PutRetentionPolicy, a day, flow logs'"}, flowLogs, audit.Retention},
		{[]string{"logs DeleteLogGroup, the flow logs'"}, flowLogs, audit.Destination},
	} {
		for _, name := range row.attacks {
			region := lab.Region
			for _, at := range lab.Attacks() {
				if at.Name == name {
					region = at.Region
				}
			}
			attack(name)(t, s.Customer.Intruder.In(region))
		}
		name := strings.Join(row.attacks, " and ")
		rep := s.audit(t, cli, 2)
		n := 0
		for _, c := range rep.Checks {
			mine := c.Control == row.of || row.of == trails && c.Control != flowLogs
			switch {
			case c.Status == audit.Fail && c.Broken == row.link && mine:
				n++
			case c.Status != audit.Pass:
				t.Errorf("%s: %s %s is %s at the link %q, want only %q of %s: %s", name, c.Control, c.Resource, c.Status, c.Broken, row.link, row.of, c.Problem)
			}
			failed := slices.DeleteFunc(slices.Clone(c.Steps), func(s audit.Step) bool { return s.Status == audit.Pass || s.Status == audit.NotReached })
			if len(failed) > 1 || c.Status == audit.Fail && c.Command == "" {
				t.Errorf("%s: %s names %d links, command %q", name, c.Control, len(failed), c.Command)
			}
		}
		if n == 0 {
			t.Errorf("%s: no check fails at %q", name, row.link)
		}
		applied := s.relight(t, cli, s.Cloud.Root(), 0, "backfill")       // with the subscribers of the deployment
		if err := s.Cloud.ConfirmSubscriptions(t.Context()); err != nil { // the owner of the mailbox does
			t.Fatal(err)
		}
		if rep := s.audit(t, cli, -1); !rep.Passed() {
			t.Fatalf("after %s, a sweep left %v:\n%s", name, rep.Totals, applied)
		}
	}
}

// audit runs the command and reads its report.
func (s stage) audit(t *testing.T, cli string, code int) (rep audit.Report) {
	t.Helper()
	out := s.relight(t, cli, s.Cloud.Root(), code, "audit", "-o", "json")
	if err := json.Unmarshal([]byte(out), &rep); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	return rep
}
