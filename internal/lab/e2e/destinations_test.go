package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/lab"
)

// TestShutBucket takes the policy off the bucket of relight's own flow logs. The message
// about it has the whole statement that the policy needs.
func TestShutBucket(t *testing.T) {
	s := shared
	s.drain(t)
	if _, err := s.Customer.Mail(t.Context(), s.Cloud.Root()); err != nil {
		t.Fatal(err)
	}
	for _, at := range lab.Attacks() {
		if at.Name != "s3 DeleteBucketPolicy, of the flow logs' bucket" {
			continue
		}
		attack(at.Name)(t, s.Customer.Intruder.In(lab.Region))
		defer func() {
			if err := s.root.Make(t.Context(), s.Target(lab.Region), at.Undo...); err != nil {
				t.Error(err)
			}
			s.drain(t)
		}()
	}
	var mail strings.Builder
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		messages, err := s.Customer.Mail(t.Context(), s.Cloud.Root())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			mail.WriteString(m.Message)
		}
		missing := ""
		for _, says := range []string{"bucket " + lab.FlowLogBucket, "delivery.logs.amazonaws.com", `"s3:GetBucketAcl"`, `"Sid":"AWSLogDeliveryWrite"}.`} {
			if !strings.Contains(mail.String(), says) {
				missing = says
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("no message says %q: %s", missing, mail.String())
		}
	}
}
