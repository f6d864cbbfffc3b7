package e2e

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab"
	"github.com/relight-aws/relight/internal/lab/tap"
)

// TestEchoIsSilent carries out heals of each sort, waits until every write of
// relight's was delivered as an event and every queue has drained, and then
// counts: relight made no write except the restoring ones.
func TestEchoIsSilent(t *testing.T) {
	s := shared
	tests := []struct {
		attack string
		want   map[string]int
	}{
		{"ec2 CreateVpc", map[string]int{"CreateFlowLogs": 1}},
		{"logs DeleteLogGroup, the trail's", map[string]int{"CreateLogGroup": 1, "PutRetentionPolicy": 1, "PutMetricFilter": len(catalog.Controls())}},
		{"logs DeleteMetricFilter, one", map[string]int{"PutMetricFilter": 1}},
		{"logs PutLogGroupDeletionProtection, off, flow logs'", map[string]int{"PutLogGroupDeletionProtection": 1}},
		{"monitoring DeleteAlarms, one", map[string]int{"PutMetricAlarm": 1}},
		{"cloudtrail UpdateTrail, stripped", map[string]int{"UpdateTrail": 1}},
		{"cloudtrail DeleteTrail", map[string]int{"CreateTrail": 1, "PutEventSelectors": 1, "StartLogging": 1}},
		{"sns DeleteTopic", map[string]int{"CreateTopic": 1, "Subscribe": 2}},
		{"iam DeleteRole, with its policies", map[string]int{"CreateRole": 1, "PutRolePolicy": 1}},
	}
	defer func() {
		if err := s.Cloud.ConfirmSubscriptions(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	for _, tt := range tests {
		t.Run(tt.attack, func(t *testing.T) {
			s.drain(t)
			since := time.Now()
			s.listening(t, false) // the calls of one attack form one batch
			attack(tt.attack)(t, s.Customer.Intruder.In(lab.Region))
			s.listening(t, true)
			s.drain(t)
			delivered := map[string]bool{}
			for _, e := range s.Cloud.Tap.Events() {
				delivered[e.ID] = true
			}
			got := map[string]int{}
			for _, c := range s.Cloud.Tap.Calls(func(c tap.Call) bool {
				_, ours := s.Deployment.Functions[c.Role]
				return ours && c.Write && !c.Time.Before(since)
			}) {
				got[c.Operation]++
				if len(c.EventIDs) == 0 || !delivered[c.EventIDs[0]] {
					t.Errorf("%s was not seen as an event", c.Operation)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDemo carries out the demo's attacks. While the functions receive no
// events, the plain AWS CLI has to name a broken link; once they receive events again,
// they have to heal every attack. An attack that is only reported need not break a link.
func TestDemo(t *testing.T) {
	s := shared
	s.drain(t)
	begin := time.Now()
	unbroken := false // the AWS CLI found nothing broken after the last attack
	s.Meanwhile = func(ctx context.Context, at lab.Attack) error {
		if at.Reported || at.Unseen {
			return nil
		}
		defer s.listening(t, true)
		broken, err := s.Verify(ctx)
		if err != nil {
			return err
		}
		unbroken = len(broken) == 0
		return nil
	}
	defer func() { s.Meanwhile = nil }()
	healed, reported := 0, 0
	attacks := lab.Attacks()
	for _, at := range attacks {
		unbroken = false
		heal := s.carryOut(t, at)
		if heal.Why == lab.OnlySweep {
			heal = s.carryOut(t, at)
		}
		if unbroken {
			t.Errorf("%s in %s: the AWS CLI finds nothing broken", at.Name, at.Region)
		}
		switch {
		case heal.Healed:
			healed++
		case heal.Reported:
			reported++
		default:
			t.Errorf("%s in %s: %s", at.Name, at.Region, heal.Why)
			s.listening(t, true)
		}
	}
	s.drain(t)
	if broken, err := s.Verify(t.Context()); err != nil || len(broken) > 0 {
		t.Errorf("after the attacks, the AWS CLI finds these broken links: %v, %v", broken, err)
	}
	t.Logf("healed %d and reported %d of %d", healed, reported, len(attacks))
	inSecond := 0
	for _, at := range attacks {
		if at.Region == lab.SecondRegion {
			inSecond++
		}
	}
	if len(attacks) < 14 || inSecond < 2 {
		t.Errorf("%d attacks, %d of them in %s; want at least 14 and 2", len(attacks), inSecond, lab.SecondRegion)
	}
	const alsoKnownAs = "PutBucketLifecycleConfiguration" // the tap uses the name in real records: PutBucketLifecycle
	for _, c := range catalog.Calls {
		if c.Name != "" && c.Name != alsoKnownAs && !s.attackedWith(c.Name, begin) {
			t.Errorf("no attack called %s", c.Name)
		}
	}
}

// carryOut attacks. If the attack has to break a link, the functions receive no events
// until the AWS CLI has looked.
func (s stage) carryOut(t *testing.T, at lab.Attack) lab.Heal {
	t.Helper()
	s.delivered(t)
	if !at.Reported && !at.Unseen {
		s.listening(t, false)
	}
	heal, err := s.Attack(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	return heal
}

func (s stage) attackedWith(name string, since time.Time) bool {
	return len(s.Cloud.Tap.Calls(func(c tap.Call) bool {
		return strings.Contains(c.Principal, ":user/intruder") && c.Operation == name && c.ErrorCode == "" && !c.Time.Before(since)
	})) > 0
}

// TestUnreadable puts an unreadable message beside a readable one: only the
// first reaches the dead-letter queue, and the second leads to a repair.
func TestUnreadable(t *testing.T) {
	s := shared
	s.drain(t)
	url := s.queues(t)["alarms"]
	beneath := s.Cloud.Beneath().In(lab.Region) // relight would restore what others change
	set := func(seconds int) {
		in := &sqs.SetQueueAttributesInput{QueueUrl: aws.String(url), Attributes: map[string]string{"VisibilityTimeout": strconv.Itoa(seconds)}}
		if _, err := beneath.SQS.SetQueueAttributes(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	attributes := func() map[string]string {
		out, err := s.root.SQS.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: aws.String(url), AttributeNames: []sqstypes.QueueAttributeName{"RedrivePolicy", "VisibilityTimeout"}})
		if err != nil {
			t.Fatal(err)
		}
		return out.Attributes
	}
	defer set(catalog.VisibilitySeconds)
	var redrive struct{ DeadLetterTargetArn string }
	if err := json.Unmarshal([]byte(attributes()["RedrivePolicy"]), &redrive); err != nil {
		t.Fatal(err)
	}
	dead, err := s.root.SQS.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(lastPart(redrive.DeadLetterTargetArn))})
	if err != nil {
		t.Fatal(err)
	}
	const short = 1 // seconds; 6 minutes as deployed, of which five deliveries would take half an hour
	// died puts both messages into the queue. It returns false if a check of relight's own
	// stack restored the visibility timeout before the dead-letter queue had one of them.
	died := func() bool {
		set(short)
		s.listening(t, false)
		attack("monitoring DeleteAlarms, one")(t, s.Customer.Intruder.In(lab.Region))
		if err := s.Cloud.Tap.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.root.SQS.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String(url), MessageBody: aws.String("{not JSON")}); err != nil {
			t.Fatal(err)
		}
		s.listening(t, true)
		deadline := time.Now().Add(time.Minute)
		for n := 0; n == 0; n, _ = s.depth(t, aws.ToString(dead.QueueUrl)) {
			if attributes()["VisibilityTimeout"] != strconv.Itoa(short) {
				s.purge(t)
				return false
			}
			if time.Now().After(deadline) {
				t.Fatal("the message did not reach the dead-letter queue in a minute")
			}
			time.Sleep(250 * time.Millisecond)
		}
		return true
	}
	for tries := 1; !died(); tries++ {
		if tries == 2 {
			t.Fatal("the queue's visibility timeout was restored twice in a row")
		}
	}
	bodies := s.receiveAll(t, aws.ToString(dead.QueueUrl))
	if len(bodies) != 1 || bodies[0] != "{not JSON" {
		t.Errorf("dead letters %q, want the unreadable one alone", bodies)
	}
	s.drain(t)
	if broken, err := s.Verify(t.Context()); err != nil || len(broken) > 0 {
		t.Errorf("the other alarm was not healed: %v, %v", broken, err)
	}
}

// TestLostEvent deletes an alarm whose event is lost. The run for the next
// event about any alarm finds that the alarm is gone.
func TestLostEvent(t *testing.T) {
	s := shared
	s.drain(t)
	s.listening(t, false)
	attack("monitoring DeleteAlarms, one")(t, s.Customer.Intruder.In(lab.Region))
	s.purge(t)
	s.listening(t, true)
	deleteForeignAlarm(t, s.Customer.Intruder.In(lab.Region))
	s.drain(t)
	if broken, err := s.Verify(t.Context()); err != nil || len(broken) > 0 {
		t.Errorf("left broken: %v, %v", broken, err)
	}
}
