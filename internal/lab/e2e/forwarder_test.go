package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab"
)

// TestForwarderCuts cuts rules of the forwarder in the second region, and their
// targets. The forwarder sends the events of that, so relight restores them at once.
// If the rule that sends those events is cut first, a sweep does.
func TestForwarderCuts(t *testing.T) {
	s := shared
	s.drain(t)
	want := s.snapshot(t)
	intruder := s.Customer.Intruder.In(lab.SecondRegion)
	tells, flowLogs := s.Prefix+"-forward-events-calls", s.Prefix+"-forward-ec2-calls"
	for _, tt := range []struct {
		name  string
		rules []string // in the order of the cuts
		sweep bool
	}{
		{"by an event", []string{flowLogs}, false},
		{"by a sweep", []string{tells, flowLogs}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.drain(t)
			if _, err := s.Customer.Mail(t.Context(), s.Cloud.Root()); err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			for _, rule := range tt.rules {
				if _, err := intruder.Events.DisableRule(t.Context(), &eventbridge.DisableRuleInput{Name: aws.String(rule)}); err != nil {
					t.Fatal(err)
				}
				if _, err := intruder.Events.RemoveTargets(t.Context(), &eventbridge.RemoveTargetsInput{Rule: aws.String(rule), Ids: []string{catalog.TargetID}}); err != nil {
					t.Fatal(err)
				}
			}
			if tt.sweep {
				s.drain(t)
				if missing := s.snapshot(t).Diff(want); len(missing) == 0 {
					t.Error("an event restored the rules, although the rule that sends it is cut")
				}
				s.invoke(t, catalog.Backfill, map[string]any{})
			}
			var mail strings.Builder
			for end := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
				messages, err := s.Customer.Mail(t.Context(), s.Cloud.Root())
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range messages {
					mail.WriteString(m.Raw)
				}
				missing := s.snapshot(t).Diff(want)
				for _, rule := range tt.rules {
					for _, says := range []string{"put rule " + rule, "point rule " + rule + " at bus " + s.Prefix} {
						if !strings.Contains(mail.String(), says) {
							missing = append(missing, "a message that says "+says)
						}
					}
				}
				if len(missing) == 0 {
					t.Logf("restored %s after %.1f s", tt.name, time.Since(begin).Seconds())
					return
				}
				if time.Now().After(end) {
					t.Fatalf("missing: %v\nmessages: %s", missing, mail.String())
				}
			}
		})
	}
}
