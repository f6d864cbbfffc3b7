package app_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	hubtypes "github.com/aws/aws-sdk-go-v2/service/securityhub/types"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/publish"
)

const publishing = `{"audit":{"securityHub":{}}}`

// publisher returns what the deployed function runs, and its log.
func (w *world) publisher() (*publish.Publisher, *bytes.Buffer) {
	var out bytes.Buffer
	return publish.New(app.Options{
		Function: catalog.Auditor, Config: w.config, Deployment: w.deploymentOf(home, catalog.Auditor), AWS: w.ConfigOf(sessionOf(catalog.Auditor)),
		Log: slog.New(slog.NewJSONHandler(&out, nil)), Now: w.Now,
	}), &out
}

// published publishes an audit a minute later than the last one, and returns the findings
// that Security Hub has, by control and VPC.
func (w *world) published() (publish.Result, map[string]hubtypes.AwsSecurityFinding) {
	w.t.Helper()
	w.now = w.now.Add(time.Minute)
	p, _ := w.publisher()
	res, err := p.Handle(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	found := map[string]hubtypes.AwsSecurityFinding{}
	for id, f := range w.Findings() {
		parts := strings.SplitN(id, "/", 4) // relight, account, region
		found[parts[3]] = f
	}
	return res, found
}

// A check that passes is archived, one that fails is active, and what is repaired is
// archived again. It is one finding all the time.
func TestPublish(t *testing.T) {
	t.Parallel()
	w := healthy(t, publishing)
	w.EnableSecurityHub()
	before := w.State()
	res, found := w.published()
	if res.Active != 0 || res.Imported != res.Findings || res.Imported != len(found) || res.Imported < 15 {
		t.Fatalf("%+v, %d findings", res, len(found))
	}
	for name, f := range found {
		if f.RecordState != hubtypes.RecordStateArchived || f.Compliance.Status != hubtypes.ComplianceStatusPassed {
			t.Errorf("%s is %s and %s", name, f.RecordState, f.Compliance.Status)
		}
	}
	was := found["root-usage"]
	must(w.CloudWatch.DisableAlarmActions(t.Context(), &cloudwatch.DisableAlarmActionsInput{AlarmNames: []string{"relight-root-usage"}}))
	res, found = w.published()
	for name, f := range found {
		if broken := f.RecordState == hubtypes.RecordStateActive; broken != (name == "root-usage") {
			t.Errorf("%s is %s and %s", name, f.RecordState, f.Compliance.Status)
		}
	}
	f := found["root-usage"]
	if res.Active != 1 || f.Compliance.Status != hubtypes.ComplianceStatusFailed || f.Workflow.Status != hubtypes.WorkflowStatusNew || !strings.Contains(aws.ToString(f.Description), "relight-root-usage are disabled") ||
		aws.ToString(f.CreatedAt) != aws.ToString(was.CreatedAt) || aws.ToString(f.UpdatedAt) <= aws.ToString(was.UpdatedAt) {
		t.Errorf("%+v; %s %s %s, created %s", res, f.Compliance.Status, f.Workflow.Status, aws.ToString(f.Description), aws.ToString(f.CreatedAt))
	}
	w.sweep(app.Request{})
	if res, found = w.published(); res.Active != 0 || found["root-usage"].RecordState != hubtypes.RecordStateArchived || found["root-usage"].Compliance.Status != hubtypes.ComplianceStatusPassed {
		t.Errorf("%+v, %s", res, found["root-usage"].RecordState)
	}
	w.same(before)
}

// same checks that the account is as it was.
func (w *world) same(before map[string]string) {
	w.t.Helper()
	now := w.State()
	for name, was := range before {
		if now[name] != was {
			w.t.Errorf("%s was %s, and is %s", name, was, now[name])
		}
	}
	for name := range now {
		if _, known := before[name]; !known {
			w.t.Errorf("%s is new", name)
		}
	}
}

// What could not be read is active, and says which permission is missing.
func TestPublishUnknown(t *testing.T) {
	t.Parallel()
	w := healthy(t, publishing)
	w.EnableSecurityHub()
	w.Deny("DescribeAlarms")
	_, found := w.published()
	if f := found["root-usage"]; f.RecordState != hubtypes.RecordStateActive || f.Compliance.Status != hubtypes.ComplianceStatusWarning || !strings.Contains(aws.ToString(f.Description), "cloudwatch:DescribeAlarms") {
		t.Errorf("%s %s: %s", f.RecordState, f.Compliance.Status, aws.ToString(f.Description))
	}
}

// The function fails, and its log says why, unless Security Hub took every finding.
func TestPublishFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		harm func(*world)
		says string
		ctx  func(context.Context) (context.Context, context.CancelFunc)
	}{
		"not enabled": {harm: func(*world) {}, says: "aws securityhub enable-security-hub --region " + home},
		"refused in-band": {harm: func(w *world) {
			w.EnableSecurityHub()
			w.Refuse("relight/"+account+"/"+home+"/root-usage", "InvalidInput")
		}, says: "1 of "},
		"no time": {harm: func(w *world) { w.EnableSecurityHub() }, says: "audit: ", ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithDeadline(ctx, time.Now())
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := healthy(t, publishing)
			tt.harm(w)
			p, log := w.publisher()
			ctx := t.Context()
			if tt.ctx != nil {
				var cancel context.CancelFunc
				ctx, cancel = tt.ctx(ctx)
				defer cancel()
			}
			_, err := p.Handle(ctx)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want an error that says %q", err, tt.says)
			}
			if !strings.Contains(log.String(), `"level":"ERROR"`) {
				t.Errorf("the log is %s", log)
			}
		})
	}
}

// relight restores the alarms on audits, and the guard sees what was done to the function
// in its turn with the others. That costs a sweep no call.
func TestAuditorIsGuarded(t *testing.T) {
	t.Parallel()
	w := healthy(t, publishing)
	w.anHour()
	w.anHour()
	plain := healthy(t, "{}")
	plain.anHour()
	plain.anHour()
	calls := func(w *world) int {
		w.PageSize(0) // as AWS pages
		before := w.Calls()
		if s := w.sweep(app.Request{}); s.Findings != 0 || s.Planned != 0 {
			t.Errorf("a sweep has %v", codes(s))
		}
		return w.Calls().Since(before).Total()
	}
	if with, without := calls(w), calls(plain); with != without {
		t.Errorf("%d calls with audits, %d without", with, without)
	}
	alarms := []string{"relight-audit-errors", "relight-audit-not-started"}
	must(w.CloudWatch.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: alarms}))
	if s := w.sweep(app.Request{}); s.Repaired != len(alarms) {
		t.Errorf("%d restored, want the alarms", s.Repaired)
	}
	w.putCode("relight-audit", "another")
	if got, want := w.changedFunctions(everyTurn+2), []string{"function relight-audit: code"}; !slices.Equal(got, want) {
		t.Errorf("changed %v, want %v", got, want)
	}
}
