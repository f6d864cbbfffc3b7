package lifecycle

import (
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/relight-aws/relight/internal/lab"
)

// A changed configuration shows as such before it is deployed, reaches the account with the
// next sweep, and leaves what it no longer wants to a person.
func redeploys(s *scene) {
	t := s.t
	exempt := s.Customer.VPCs[lab.Region][1]
	flowLogs, _ := lab.Config()["flowLogs"].(map[string]any)
	flowLogs = maps.Clone(flowLogs)
	flowLogs["exemptVpcs"] = []string{exempt}
	changes := map[string]any{
		"flowLogs": flowLogs,
		"controls": map[string]any{"iam-changes": map[string]any{"threshold": 5}, "vpc-changes": map[string]any{"disabled": true}},
	}
	diff := must(s.Cloud.Diff(t.Context(), must(lab.Checkout()), changes))
	for _, want := range []string{"relight:controls.iam-changes.threshold", "relight:controls.vpc-changes.disabled", "relight:flowLogs.exemptVpcs", exempt} {
		if !strings.Contains(diff, want) {
			t.Errorf("cdk diff does not show %s", want)
		}
	}
	if t.Failed() {
		t.Fatal(diff)
	}
	s.change(changes)
	s.await("the threshold is raised", func() bool { return s.threshold("relight-iam-changes") == 5 })
	s.settle()

	listed := []string{
		"- delete alarm relight-root-usage (it is on a metric that does not measure the control root-usage)", // the owner's filter does, since accept
		"- delete alarm relight-vpc-changes (the control vpc-changes is disabled)",
		"- delete metric-filter relight-vpc-changes of " + s.Customer.TrailLogGroup + " (the control vpc-changes is disabled)",
		" of " + exempt + " (it is relight's own, and " + exempt + " is exempt by configuration)",
	}
	for _, out := range []string{s.deployed(0, "plan"), s.deployed(0, "backfill")} {
		for _, want := range append(listed, "4 no longer wanted") {
			if !strings.Contains(out, want) {
				t.Errorf("it does not say %q:\n%s", want, out)
			}
		}
	}
	if s.threshold("relight-vpc-changes") == 0 {
		t.Error("a sweep deleted the alarm of a disabled control")
	}
	s.relight(1, "apply", "--yes", "--prune") // --config names another configuration than the deployed one
	s.deployed(0, "apply", "--yes", "--prune")
	s.settle()
	out := s.deployed(0, "plan")
	// The event of the deletion names only relight-root-usage, and a check of one alarm does not
	// read that another one makes it needless: relight may have restored it. See docs/cli.md.
	back := strings.Contains(out, "1 no longer wanted") && strings.Contains(out, "- delete alarm relight-root-usage ")
	if s.threshold("relight-vpc-changes") != 0 || strings.Contains(out, "no longer wanted") && !back || strings.Contains(out, "relight-vpc-changes") {
		t.Errorf("after pruning:\n%s", out)
	}
}

// threshold returns the threshold of an alarm, or 0 if there is none of that name.
func (s *scene) threshold(alarm string) float64 {
	s.t.Helper()
	out := must(s.root.CloudWatch.DescribeAlarms(s.t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{alarm}}))
	if len(out.MetricAlarms) == 0 {
		return 0
	}
	return *out.MetricAlarms[0].Threshold
}
