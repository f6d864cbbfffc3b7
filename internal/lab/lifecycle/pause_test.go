package lifecycle

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/relight-aws/relight/internal/lab"
)

// In a pause, attacks are reported and nothing is written; at its end everything is
// restored, whether somebody ends it or it runs out. What an intruder writes pauses nothing.
func TestPause(t *testing.T) {
	s := open(t)
	s.vpc = s.Customer.VPCs[lab.Region][0]
	root := "arn:aws:iam::" + lab.Account + ":root"
	s.deployWith(map[string]any{"pause": map[string]any{"by": []any{root}}})
	s.mail()
	intruder := s.Customer.Intruder.In(lab.Region)

	text := fmt.Sprintf(`{"schema_version":1,"until":%q,"reason":"maintenance"}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	must(intruder.SSM.PutParameter(t.Context(), &ssm.PutParameterInput{Name: aws.String("/relight/pause"), Value: &text, Type: ssmtypes.ParameterTypeString}))
	s.deleteOurs(intruder)
	s.await("an intruder pauses relight", func() bool { return s.hasFilter() && s.hasAlarm() })
	s.sent("an intruder pauses relight", "Notice: PutParameter of /relight/pause", "[pause-refused]")
	if out := s.as(s.Customer.Intruder, 1, "pause", "--for", "1h", "--reason", "x"); !strings.Contains(out, "may not pause relight") {
		t.Error(out)
	}

	attacks := func() {
		t.Helper()
		s.deleteOurs(intruder)
		must(intruder.EC2.DeleteFlowLogs(t.Context(), &ec2.DeleteFlowLogsInput{FlowLogIds: s.flowLogs()}))
		must(intruder.CloudTrail.StopLogging(t.Context(), &cloudtrail.StopLoggingInput{Name: aws.String(lab.TrailName)}))
		s.settle()
	}
	unrestored := func(when string) {
		t.Helper()
		s.want(when, false, false, 0)
		if *must(s.root.CloudTrail.GetTrailStatus(t.Context(), &cloudtrail.GetTrailStatusInput{Name: aws.String(lab.TrailName)})).IsLogging {
			t.Errorf("%s: the trail logs", when)
		}
	}
	restored := func(when string) {
		t.Helper()
		s.await(when, func() bool { broken, err := s.Verify(t.Context()); return err == nil && len(broken) == 0 })
		s.want(when, true, true, 1)
	}

	if out := s.deployed(0, "pause", "--for", "2h", "--reason", "moving the VPCs"); !strings.Contains(out, " by "+root+": moving the VPCs (everything but topics and guard)") {
		t.Error(out)
	}
	paused := []string{"Paused: until ", " by " + root + ": moving the VPCs"}
	s.sent("the pause", paused...)
	attacks()
	s.sent("attacks in the pause", append(paused, "NOT restored, because relight is paused: alarm "+ours, s.vpc, "logging of trail")...)
	unrestored("attacks in the pause")
	s.deployed(0, "backfill")
	if out := s.deployed(2, "plan"); !strings.Contains(out, "paused until ") {
		t.Error(out)
	}
	unrestored("a sweep in the pause")
	if out := s.deployed(0, "resume"); !strings.Contains(out, "resumed: relight was paused until ") {
		t.Error(out)
	}
	restored("relight resume")
	s.sent("relight resume", "No longer paused: until ", "Restored: ")
	s.deployed(0, "plan")

	begin := time.Now()
	s.deployed(0, "pause", "--for", "1m", "--reason", "a short one")
	attacks()
	unrestored("attacks in the short pause")
	time.Sleep(time.Until(begin.Add(time.Minute + 2*time.Second)))
	s.deployed(0, "backfill") // a sweep, as the schedule makes one within 15 minutes
	restored("the end of the short pause")
	s.sent("the end of the short pause", "No longer paused: until ", "a short one")
}

// sent waits until people were notified of something.
func (s *scene) sent(when string, want ...string) {
	s.t.Helper()
	var mail strings.Builder
	missing := func() (left []string) {
		for _, w := range want {
			if !strings.Contains(mail.String(), w) {
				left = append(left, w)
			}
		}
		return left
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(250 * time.Millisecond) {
		mail.WriteString(s.mail() + "\n")
		switch left := missing(); {
		case len(left) == 0:
			return
		case time.Now().After(end):
			s.t.Errorf("%s: nobody was notified of %q; the messages:\n%s", when, left, mail.String())
			return
		}
	}
}
