package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/awsio/prune"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/report"
)

// prune sweeps as relight apply --prune does.
func (w *world) prune() app.Sweep {
	w.t.Helper()
	o := w.options(home, catalog.Backfill)
	o.Silent, o.HandOver = true, false
	o.Pruner = prune.Applier{Cloud: &awsio.Cloud{Config: o.AWS, Want: o.Config.Desired(o.Deployment), Kinds: o.Kinds, Now: o.Now}}
	s, err := app.NewWith(o).Sweep(w.t.Context(), app.Request{}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// unwanted returns what a sweep lists as no longer wanted.
func unwanted(s app.Sweep) (lines []string) {
	for _, r := range s.Reports {
		for _, a := range r.Unwanted {
			lines = append(lines, a.Action)
		}
	}
	slices.Sort(lines)
	return lines
}

// What relight made and the configuration no longer wants is listed by a plan, left by
// every function, and deleted only by a person who asks for it.
func TestPrune(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.config = deployed(t, `{"controls":{"root-usage":{"disabled":true}}}`).config
	w.config.FlowLogs.ExemptVPCs = []string{"vpc-1"} // no ID that a configuration may have
	writes := len(w.Writes())
	s := w.sweep(app.Request{Mode: "plan"})
	lines := unwanted(s)
	if s.Unwanted != 3 || len(lines) != 3 {
		t.Fatalf("a plan lists %d: %q; want filter, alarm and flow log", s.Unwanted, lines)
	}
	for i, want := range []string{"delete alarm " + rootUsage, "delete flow-log fl-", "delete metric-filter " + rootUsage + " of " + trailGroup} {
		if !strings.HasPrefix(lines[i], want) {
			t.Errorf("a plan lists %q, want %q", lines[i], want)
		}
	}
	if w.sweep(app.Request{}); len(w.changes(writes)) > 0 {
		t.Errorf("a sweep writes %v", w.changes(writes))
	}
	if s := w.prune(); s.Unwanted != 0 || len(unwanted(s)) != 3 || s.Unrestored > 0 {
		t.Errorf("pruning leaves %d of %q", s.Unwanted, unwanted(s))
	}
	if w.hasAlarm(rootUsage) || w.hasFilter(rootUsage) || len(w.lines("vpc-1")) > 0 {
		t.Errorf("after pruning: alarm %t, filter %t, flow logs %v", w.hasAlarm(rootUsage), w.hasFilter(rootUsage), w.lines("vpc-1"))
	}
	if s := w.prune(); len(unwanted(s)) > 0 || s.Planned > 0 {
		t.Errorf("a second time it finds %q and plans %d", unwanted(s), s.Planned)
	}
	w.config = deployed(t, "").config
	if s := w.sweep(app.Request{}); s.Repaired != 3 || len(w.gaps()) > 0 {
		t.Errorf("with everything wanted again, a sweep restores %d, and %v is left: pruning took more than it listed", s.Repaired, w.gaps())
	}
}

// While somebody has pointed the trail elsewhere, pruning leaves filters and alarms: what
// looks unwanted then may be what the trail needs.
func TestPruneNeedsAHealthyTrail(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.config = deployed(t, `{"controls":{"root-usage":{"disabled":true}}}`).config
	w.updateTrail(cloudtrail.UpdateTrailInput{Name: aws.String(trailARN), S3KeyPrefix: aws.String("elsewhere")})
	if s := w.prune(); s.Findings == 0 || s.Unwanted != 2 || !w.hasAlarm(rootUsage) || !w.hasFilter(rootUsage) {
		t.Errorf("%d findings, %d unwanted, alarm %t, filter %t", s.Findings, s.Unwanted, w.hasAlarm(rootUsage), w.hasFilter(rootUsage))
	}
}

// Pruning leaves what an owner made under a name of relight's, and says why.
func TestPruneLeavesOthers(t *testing.T) {
	t.Parallel()
	w := healthy(t, `{"controls":{"root-usage":{"disabled":true}}}`)
	w.putAlarm(&cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String(rootUsage), Namespace: aws.String("relight"), MetricName: aws.String(rootUsage), Statistic: "Sum", Period: aws.Int32(60),
		EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1), ComparisonOperator: catalog.AlarmComparison,
	})
	w.putFilter(trailGroup, logstypes.MetricFilter{
		FilterName: aws.String("relight-theirs"), FilterPattern: aws.String("ERROR"),
		MetricTransformations: []logstypes.MetricTransformation{{MetricNamespace: aws.String("theirs"), MetricName: aws.String("errors"), MetricValue: aws.String("1")}},
	})
	s := w.prune()
	if !w.hasAlarm(rootUsage) || !w.hasFilter("relight-theirs") {
		t.Error("it deleted what an owner made")
	}
	if s.Unwanted != 1 || !slices.ContainsFunc(s.Reports, func(r report.View) bool {
		return len(r.Unwanted) == 1 && strings.Contains(r.Unwanted[0].Error, "does not have the tag relight=relight")
	}) {
		t.Errorf("%d left, %v", s.Unwanted, unwanted(s))
	}
}

// Who applies from a terminal notifies people of it like a function, and touches nothing
// that only the sweep may write.
func TestApplyNotifies(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.deleteAlarms(rootUsage)
	told, memories := len(w.Messages()), w.memories()
	o := w.options(home, catalog.Backfill)
	o.HandOver, o.Deployment.Role = false, ""
	s, err := app.NewWith(o).Sweep(t.Context(), app.Request{}, nil)
	if err != nil || s.Unsent != "" || len(w.Messages()) != told+1 || !strings.Contains(w.told(told), rootUsage) {
		t.Errorf("%v, %q, %d messages: %s", err, s.Unsent, len(w.Messages())-told, w.told(told))
	}
	if after := w.memories(); !slices.Equal(after, memories) {
		t.Errorf("memories %v, before %v", after, memories)
	}
	w.deleteAlarms(rootUsage)
	w.Fail("Publish", "AuthorizationError", "AuthorizationError", "AuthorizationError", "AuthorizationError")
	if s, err := app.NewWith(o).Sweep(t.Context(), app.Request{}, nil); err != nil || !strings.Contains(s.Unsent, "AuthorizationError") || !w.hasAlarm(rootUsage) {
		t.Errorf("%v, unsent %q", err, s.Unsent)
	}
}
