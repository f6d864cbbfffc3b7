package plan

import (
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/iampolicy"
)

// A Receiver is what was observed of the queue or function behind a subscription.
type Receiver struct {
	ARN       string // of the queue or function, or of a version or alias of the function
	Missing   bool   // there is no such queue, or relight has no access to it: SQS does not tell these apart
	Policy    string // JSON; "" for none, and for a function that does not exist
	Whole     string // policy of the function of which ARN is a version or alias, JSON; "" for none
	Key       string // what encrypts the queue: an ARN, or a name that KMS or relight does not resolve; "" for SQS's own key or none
	KeyState  string // as KMS calls it; "" if it was not read
	KeyPolicy string // JSON
}

// awsQueueKey is the alias of the key that AWS manages for the queues of an
// account. Its policy cannot admit SNS. Source: Amazon SNS Developer Guide, "Enabling
// server-side encryption (SSE) for an Amazon SNS topic with an encrypted Amazon SQS
// queue subscribed".
const awsQueueKey = "alias/aws/sqs"

// IsAWSQueueKey reports whether a queue's key is the one that AWS manages.
func IsAWSQueueKey(key string) bool { return strings.HasSuffix(key, awsQueueKey) }

// Unknown returns why it cannot be known whether a receiver lets a topic in, or "":
// the policies of other accounts cannot be read.
func (r Receiver) Unknown(topic string) string {
	account := arnOf(topic).AccountID
	if owner := arnOf(r.ARN).AccountID; owner != account {
		return "its policy is account " + owner + "'s, so relight cannot read it"
	}
	if owner := arnOf(r.Key).AccountID; owner != "" && owner != account {
		return "the policy of its key is account " + owner + "'s, so relight cannot read it"
	}
	return ""
}

// Deaf returns findings that say why a receiver does not let the messages of a
// topic in, each with what lets them in. It returns none if it does, or if nothing
// is known.
func (r Receiver) Deaf(topic string) (findings []Finding) {
	at, from := arnOf(r.ARN), arnOf(topic)
	service := catalog.Deliverer(from.Region, at.Region)
	subscriber := at.Service + " " + r.ARN
	find := func(code Code, values Args) { findings = append(findings, NewFinding(code, values)) }
	switch {
	case at.AccountID != from.AccountID:
	case at.Service == "lambda":
		if denial := r.functionKeepsOut(service, topic); denial != "" {
			find(SubscriberFunctionClosed, Args{
				"subscriber": subscriber, "denial": denial, "region": at.Region, "function": r.ARN, "id": "relight-" + short(topic), "service": service, "topic": topic,
			})
		}
	case r.Missing:
		find(SubscriberQueueMissing, Args{"subscriber": subscriber})
	default:
		call := delivering(service, r.ARN, topic)
		call["aws:sourceaccount"] = iampolicy.Has(from.AccountID)
		if denial := judge(r.Policy, shuts, ask{caller{name: service}, "sqs:SendMessage", r.ARN, call}); denial != "" {
			find(SubscriberQueueClosed, Args{"subscriber": subscriber, "denial": denial, "statement": sends(service, r.ARN, topic)})
		}
		if denial := r.keyKeepsOut(service, topic); denial != "" {
			find(SubscriberKeyClosed, Args{"subscriber": subscriber, "key": r.Key, "denial": denial, "statement": encrypts(service)})
		}
	}
	return findings
}

// delivering is what is known of a call with which SNS delivers a message of a
// topic. It names the topic; whether it names the topic's account is documented for
// queues alone. Sources: Amazon SNS Developer Guide, "Subscribing an Amazon SQS queue
// to an Amazon SNS topic"; AWS Lambda Developer Guide, "Granting Lambda function
// access to AWS services".
func delivering(service, resource, topic string) iampolicy.Call {
	call := ofService(service, resource)
	call["aws:sourcearn"], call["aws:sourceaccount"] = iampolicy.Has(topic), iampolicy.MayHave(arnOf(topic).AccountID)
	call["lambda:eventsourcetoken"], call["lambda:functionurlauthtype"] = iampolicy.Lacks(), iampolicy.Lacks() // of other callers
	return call
}

// functionKeepsOut returns why a function, version or alias keeps a topic out, or
// "". Each has a policy of its own, and what that of the whole function allows does
// not count for a version or alias. Whether what it denies counts is assumed: it
// does here.
func (r Receiver) functionKeepsOut(service, topic string) string {
	if r.Policy == "" {
		return "it does not exist, or has no policy"
	}
	a := ask{caller{name: service}, "lambda:InvokeFunction", r.ARN, delivering(service, r.ARN, topic)}
	if denial := judge(r.Policy, shuts, a); denial != "" || r.Whole == "" {
		return denial
	}
	return judge(r.Whole, refuses, a)
}

// keyKeepsOut returns why the key of a queue keeps SNS out, or "". AWS documents the
// principal and the actions; whether the calls name the topic and its account is not
// documented. Source: as of awsQueueKey.
func (r Receiver) keyKeepsOut(service, topic string) string {
	switch {
	case IsAWSQueueKey(r.Key):
		return "SNS may not use a key that AWS manages"
	case r.KeyState == "": // there is none, or relight cannot read it
		return ""
	case r.KeyState != KeyEnabled:
		return "the key's state is " + r.KeyState
	}
	call := delivering(service, r.Key, topic)
	call["aws:sourcearn"] = iampolicy.MayHave(topic)
	denial := judge(r.KeyPolicy, shuts, usesKey(service, r.Key, call)...)
	return strings.Replace(denial, "its policy", "the key's policy", 1)
}

// sends returns the statement of a queue's policy that admits a topic. Source:
// Amazon SNS Developer Guide, "Subscribing an Amazon SQS queue to an Amazon SNS topic".
func sends(service, queue, topic string) string {
	return iampolicy.NewStatement(map[string]any{
		"Effect": iampolicy.Allow, "Principal": map[string]string{"Service": service}, "Action": "sqs:SendMessage", "Resource": queue,
		"Condition": map[string]any{"ArnEquals": map[string]string{"aws:SourceArn": topic}},
	}).String()
}

// encrypts returns the statement of a key's policy that lets SNS send to the
// queues that the key encrypts. Source: as of awsQueueKey.
func encrypts(service string) string {
	return iampolicy.NewStatement(map[string]any{
		"Effect": iampolicy.Allow, "Principal": map[string]string{"Service": service}, "Action": []string{"kms:Decrypt", "kms:GenerateDataKey*"}, "Resource": "*",
	}).String()
}
