package app_test

import (
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

// Marks of an account that is not this one, or that an earlier version wrote, are
// dropped: nothing would ever delete them.
func TestForeignMarksAreDropped(t *testing.T) {
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
