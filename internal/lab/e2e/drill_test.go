package e2e

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab"
)

// TestDrill makes a drill from a terminal: in a healthy account, in which people
// receive the alarm's message and no word of an attack, and with a subscriber's queue
// that no longer admits the topics.
func TestDrill(t *testing.T) {
	s := shared
	s.drain(t)
	w := s.ways(t)
	cli := build(t)
	texts := map[string]string{}
	s.carried(t, w, texts)
	clear(texts)
	out := s.relight(t, cli, s.Cloud.Root(), 0, "drill", "--wait", "20s")
	for _, c := range catalog.Controls() {
		if !strings.Contains(out, "+ filter "+s.Prefix+"-"+c.ID+"\n") {
			t.Errorf("the drill does not say that %s answered:\n%s", c.ID, out)
		}
	}
	s.drain(t)
	s.carried(t, w, texts)
	for _, topic := range []string{w.topic, w.last} {
		if !strings.Contains(out, "+ subscribers of "+topic) || strings.Count(texts[topic], "relight drill: nothing happened") != 1 || strings.Contains(texts[topic], "SetAlarmState") {
			t.Errorf("of %s, the drill says:\n%s\nand people received %q", topic, out, texts[topic])
		}
	}

	url := aws.String(strings.TrimSuffix(w.events, "-events")) // of the mailbox
	got, err := s.root.SQS.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []sqstypes.QueueAttributeName{"Policy"}})
	if err != nil {
		t.Fatal(err)
	}
	set := func(policy string) {
		if _, err := s.root.SQS.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"Policy": policy}}); err != nil {
			t.Fatal(err)
		}
	}
	set(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sqs:SendMessage","Resource":"` + lab.MailboxARN + `"}]}`)
	out = s.relight(t, cli, s.Cloud.Root(), 2, "drill", "--wait", "5s")
	set(got.Attributes["Policy"])
	if !strings.Contains(out, "x subscribers of "+w.topic+": SNS could not deliver 1 messages") || !strings.Contains(out, "! [drill-silent] subscribers of "+w.topic) {
		t.Errorf("the mailbox takes nothing, and the drill says:\n%s", out)
	}
}
