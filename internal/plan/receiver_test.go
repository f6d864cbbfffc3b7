package plan_test

import (
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

// What keeps messages from a subscriber is a finding about it, and about the topic
// if no other subscriber receives them.
func TestReceivers(t *testing.T) {
	const (
		send     = `{"Action":"sqs:SendMessage","Condition":{"ArnEquals":{"aws:SourceArn":"` + topic + `"}},"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Resource":"arn:aws:sqs:us-east-1:111122223333:oncall"}`
		unheard  = "[topic-unheard] topic " + topic + ": relight cannot show that any of its subscribers receives every message. Check filter policies (aws sns get-subscription-attributes) and the policies of queues and functions, or configure a subscriber."
		closed   = "[subscriber-queue-closed] subscriber sqs arn:aws:sqs:us-east-1:111122223333:oncall: nothing reaches it: its policy does not allow sns.amazonaws.com sqs:SendMessage. Remove what denies it, if anything does, and add this statement to the queue's policy with aws sqs set-queue-attributes: " + send + "."
		missing  = "[subscriber-queue-missing] subscriber sqs arn:aws:sqs:us-east-1:111122223333:oncall: nothing reaches it: its queue does not exist, or relight has no access to it. Create the queue again with a policy that admits the topic, or configure another subscriber. If the queue exists, find out what keeps relight from reading its attributes."
		unread   = "subscriber sqs arn:aws:sqs:us-east-1:444455556666:oncall: its policy is account 444455556666's, so relight cannot read it"
		function = "arn:aws:lambda:eu-west-1:111122223333:function:pager:live"
		permit   = "[subscriber-function-closed] subscriber lambda " + function + ": nothing reaches it: it does not exist, or has no policy. Remove what denies it, if anything does, and admit the topic: " +
			"aws lambda add-permission --region eu-west-1 --function-name " + function + " --statement-id "
	)
	open := policyOf(send)
	abroad := catalog.Subscriber{Protocol: "sqs", Endpoint: strings.Replace(queue.Endpoint, "111122223333", "444455556666", 1)}
	on := func(who catalog.Subscriber, r plan.Receiver) plan.Subscription {
		s := subscribed(who)
		r.ARN = who.Endpoint
		s.Receiver = &r
		return s
	}
	stranger := catalog.Subscriber{Protocol: "sms", Endpoint: "+15555550100"}
	unproven := subscribed(stranger)
	unproven.Unproven = true
	filtered := on(queue, plan.Receiver{})
	filtered.Filter = `{"a":["b"]}`
	waiting := plan.Subscription{Protocol: "email", Endpoint: mailbox.Endpoint, Pending: true}
	pager := catalog.Subscriber{Protocol: "lambda", Endpoint: function}
	tests := map[string]struct {
		want     catalog.Subscriber
		subs     []plan.Subscription
		actions  int
		findings []string
		skips    []string
		held     int
	}{
		"open":                     {want: queue, subs: []plan.Subscription{on(queue, plan.Receiver{Policy: open})}, held: 2},
		"closed":                   {want: queue, subs: []plan.Subscription{on(queue, plan.Receiver{})}, findings: []string{closed, unheard}, held: 1},
		"missing":                  {want: queue, subs: []plan.Subscription{on(queue, plan.Receiver{Missing: true})}, findings: []string{missing, unheard}, held: 1},
		"closed, another receives": {want: queue, subs: []plan.Subscription{on(queue, plan.Receiver{}), subscribed(stranger)}, findings: []string{closed}, held: 1},
		"closed, another may not":  {want: queue, subs: []plan.Subscription{on(queue, plan.Receiver{}), unproven}, findings: []string{closed, unheard}, held: 1},
		"closed, another waits":    {want: queue, subs: []plan.Subscription{on(queue, plan.Receiver{}), waiting}, findings: []string{closed, unheard}, held: 1},
		"closed and filtered":      {want: queue, subs: []plan.Subscription{filtered}, actions: 1, findings: []string{closed, unheard}, held: 1},
		"of another account":       {want: abroad, subs: []plan.Subscription{on(abroad, plan.Receiver{})}, skips: []string{unread}, held: 2},
		"another is not needed":    {want: queue, subs: []plan.Subscription{on(queue, plan.Receiver{Policy: open}), unproven}, held: 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := policy(t)
			want.Subscribers = []catalog.Subscriber{tt.want}
			p := of(t, want, topics(func(s *plan.TopicState) { s.Subscriptions = tt.subs }))
			says(t, "findings", p.Findings, tt.findings...)
			says(t, "skips", p.Skips, tt.skips...)
			if len(p.Actions) != tt.actions || p.Healthy != tt.held {
				t.Errorf("%d actions, %d held; want %d, %d", len(p.Actions), p.Healthy, tt.actions, tt.held)
			}
		})
	}
	want := policy(t)
	want.Subscribers = []catalog.Subscriber{pager}
	p := of(t, want, topics(func(s *plan.TopicState) { s.Subscriptions = []plan.Subscription{on(pager, plan.Receiver{})} }))
	if got := p.Findings[0].String(); !strings.HasPrefix(got, permit) || !strings.HasSuffix(got, " --action lambda:InvokeFunction --principal sns.amazonaws.com --source-arn "+topic+".") {
		t.Errorf("finding %q", got)
	}
}
