package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
)

const findingsMemory = "/relight/memory/findings"

// The first sweep that has a finding notifies people of it. Later sweeps do so
// again only if the finding went away and came back, whatever other findings
// there are.
func TestNews(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	told := func(what string, want string) {
		t.Helper()
		before := len(w.Messages())
		w.sweep(app.Request{})
		mail := w.Messages()[before:]
		switch {
		case want == "" && len(mail) > 0:
			t.Errorf("%s: messages %+v, want none", what, mail)
		case want != "" && (len(mail) != 1 || !strings.Contains(mail[0].Text, want)):
			t.Errorf("%s: messages %+v, want one with %q", what, mail, want)
		}
	}
	told("nothing found", "")
	other := w.AddTrailTo("zweite", "second-trail")
	told("a second trail", "other trails qualify too")
	told("again", "")
	w.FailDelivery(home, "vpc-1", "Access error")
	told("a failed delivery beside it", "its delivery is FAILED")
	told("both again", "")
	w.RemoveTrail(other)
	told("one mended", "")
	must(w.Logs.DeleteLogGroup(t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String("second-trail")}))
	w.AddTrailTo("zweite", "second-trail")
	told("and back", "other trails qualify too")

	w.FailDelivery(home, "vpc-2", "Access error")
	w.Deny("GetParameterHistory")
	told("the marks are unreadable", "")
	w.Allow("GetParameterHistory")
	told("and readable again", "fl-")
	must(awstest.NewClients(w.ConfigOf(sessionOf(catalog.Backfill))).SSM.PutParameter(t.Context(), &ssm.PutParameterInput{Name: aws.String(findingsMemory), Value: aws.String("{"), Overwrite: aws.Bool(true)}))
	told("the marks are not valid", "other trails qualify too")
	told("and mended", "")
}

// A finding in a notification that could not be sent stays news.
func TestUnsentNewsIsNewAgain(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.FailDelivery(home, "vpc-1", "Access error")
	w.Deny("Publish")
	w.sweep(app.Request{})
	w.Allow("Publish")
	before := len(w.Messages())
	w.sweep(app.Request{})
	if got := len(w.Messages()) - before; got != 1 {
		t.Errorf("%d messages once they can be sent, want 1", got)
	}
}

// What a sweep cannot restore, or cannot read, people learn from that sweep, and once:
// two sweeps in a row raise the alarm, and what is about nothing but an event would
// otherwise be said by nobody until then. What may be gone by the next sweep is left to
// the alarm.
func TestFailuresAreNews(t *testing.T) {
	t.Parallel()
	deny := func(w *world, call string) { w.Deny(call) }
	busy := func(w *world, call string) { w.Fail(call, slices.Repeat([]string{"RequestLimitExceeded"}, 100)...) }
	for call, tt := range map[string]struct {
		harm  func(*world)
		fails func(w *world, call string)
		says  string // "" for no message
	}{
		"PutMetricFilter": {func(w *world) {
			must(w.Logs.DeleteMetricFilter(w.t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{
				LogGroupName: aws.String(trailGroup), FilterName: aws.String("relight-root-usage"),
			}))
		}, deny, "NOT restored: metric filter relight-root-usage"},
		"DescribeMetricFilters": {func(*world) {}, deny, "observe 111122223333/us-east-1/loggroups"},
		"DescribeVpcs":          {func(*world) {}, busy, ""},
	} {
		t.Run(call, func(t *testing.T) {
			w := healthy(t, "")
			tt.harm(w)
			tt.fails(w, call)
			for sweep := range 3 {
				before := len(w.Messages())
				w.sweep(app.Request{})
				mail := w.Messages()[before:]
				if first := sweep == 0 && tt.says != ""; first != (len(mail) > 0) || first && !strings.Contains(mail[0].Text, tt.says) {
					t.Errorf("sweep %d: messages %+v", sweep, mail)
				}
			}
			w.Allow(call)
			w.sweep(app.Request{})
			tt.harm(w)
			tt.fails(w, call)
			before := len(w.Messages())
			w.sweep(app.Request{})
			if got := len(w.Messages()) - before; (got > 0) != (tt.says != "") {
				t.Errorf("%d messages when it fails again", got)
			}
		})
	}
}

// Marks of an account that is not this one, or that an earlier version wrote, are
// dropped: nothing would ever delete them.
func TestForeignMarksAreDropped(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.AddTrailTo("zweite", "second-trail")
	must(awstest.NewClients(w.ConfigOf(sessionOf(catalog.Backfill))).SSM.PutParameter(t.Context(), &ssm.PutParameterInput{
		Name: aws.String(findingsMemory), Value: aws.String(`{"trails/us-east-1":["00000000"],"444455556666/us-east-1/trails":["00000000"]}`),
		Type: types.ParameterTypeString, Overwrite: aws.Bool(true),
	}))
	w.sweep(app.Request{})
	got := aws.ToString(must(w.SSM.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String(findingsMemory)})).Parameter.Value)
	if strings.Contains(got, "00000000") || !strings.Contains(got, `"111122223333/us-east-1/trails"`) {
		t.Errorf("marks %s, want those of this account's trails only", got)
	}
}
