package plan

import (
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/iampolicy"
)

// topicStatement returns a desired statement of a topic's policy.
func topicStatement(want catalog.TopicStatement, topic string) iampolicy.Statement {
	at := arnOf(topic)
	who := map[string]string{"AWS": "*"} // as CloudFormation writes everybody
	if want.Service != "" {
		who = map[string]string{"Service": want.Service}
	}
	var what any = want.Actions
	if len(want.Actions) == 1 { // as CloudFormation writes it
		what = want.Actions[0]
	}
	return iampolicy.NewStatement(map[string]any{
		"Sid": want.Sid, "Effect": want.Effect, "Principal": who, "Action": what, "Resource": topic,
		"Condition": catalog.ExpandConditions(want.Condition, map[string]string{
			catalog.InPartition: at.Partition, catalog.InRegion: at.Region, catalog.InAccount: at.AccountID, catalog.InTopic: topic,
		}),
	})
}

// ofService is what is known of the calls that a service of AWS makes on a
// resource of the account for an alarm or a topic of the account, whatever they are
// for. Such a caller is no principal of the account or of its organisation, and
// comes from none of its networks. Sources: IAM User Guide, "AWS global condition
// context keys"; AWS blog and whitepaper on data perimeters, which exempt AWS
// services by aws:PrincipalIsAWSService.
func ofService(service, resource string) iampolicy.Call {
	at := arnOf(resource)
	call := iampolicy.Call{
		"aws:securetransport": iampolicy.Has("true"), "aws:requestedregion": iampolicy.Has(at.Region), "aws:resourceaccount": iampolicy.Has(at.AccountID),
		"aws:principalisawsservice": iampolicy.Has("true"), "aws:principalservicename": iampolicy.Has(service),
	}
	for _, name := range []string{
		"aws:principalorgid", "aws:principalorgpaths", "aws:principaltag/*", "aws:username", "aws:multifactorauthpresent", "aws:multifactorauthage",
		"aws:federatedprovider", "aws:tokenissuetime", "aws:ec2instancesourcevpc",
	} {
		call[name] = iampolicy.Lacks()
	}
	for _, name := range []string{
		"aws:principalaccount", "aws:principalarn", "aws:principaltype", "aws:userid", "aws:sourceidentity",
		"aws:sourceip", "aws:vpcsourceip", "aws:sourcevpc", "aws:sourcevpcarn", "aws:sourcevpce", "kms:calleraccount",
	} {
		call[name] = iampolicy.HasOther()
	}
	return call
}

// publishing is what is known of a call with which CloudWatch publishes to a
// topic for an alarm, "*" for any. Every such call names the alarm and its
// account, and AWS:SourceOwner, the number of that account. Sources: Amazon SNS
// Developer Guide, "Example cases for Amazon SNS access control"; the default
// policy of a topic, recorded 2026-02-06 (localstack/localstack).
func publishing(topic, alarm string) iampolicy.Call {
	at := arnOf(topic)
	call := ofService(catalog.AlarmService, topic)
	call["aws:sourceaccount"], call["aws:sourceowner"] = iampolicy.Has(at.AccountID), iampolicy.Has(at.AccountID)
	call["aws:sourcearn"] = iampolicy.Has(alarmARN(topic, alarm))
	call["sns:protocol"], call["sns:endpoint"] = iampolicy.Lacks(), iampolicy.Lacks() // of Subscribe
	return call
}

// usingKey is what is known of a call with which CloudWatch uses the key of a
// topic. It names the topic, the alarm and its account. Sources: Amazon SNS
// Developer Guide, "Managing Amazon SNS encryption keys and costs"; AWS, Modern
// Data Architecture Accelerator, grantCloudWatchAlarmsTopicAccess, which grants
// the key by the alarm and its account.
func usingKey(topic, alarm string) iampolicy.Call {
	at := arnOf(topic)
	call := ofService(catalog.AlarmService, topic)
	call["aws:sourceaccount"], call["aws:sourceowner"] = iampolicy.Has(at.AccountID), iampolicy.Lacks()
	call["aws:sourcearn"] = iampolicy.Has(alarmARN(topic, alarm))
	call["kms:encryptioncontext:aws:sns:topicarn"], call["kms:encryptioncontextkeys"] = iampolicy.Has(topic), iampolicy.Has("aws:sns:topicArn")
	return call
}

// alarmARN returns the ARN of an alarm that may notify a topic: one of the same
// account and region.
func alarmARN(topic, alarm string) string {
	at := arnOf(topic)
	return "arn:" + at.Partition + ":cloudwatch:" + at.Region + ":" + at.AccountID + ":alarm:" + alarm
}

// An ask is a call of a service on a resource, as the policy of the resource sees
// it.
type ask struct {
	service, action, resource string
	call                      iampolicy.Call
}

// effect returns whether a statement has an effect on a call. It is the only judge
// of a statement, of relight's topic and of any other, of their keys, and of the
// queues and functions that receive their messages.
func effect(st iampolicy.Statement, effect string, a ask) iampolicy.Verdict {
	if st.Effect != effect || !st.Covers(a.action) {
		return iampolicy.Never
	}
	return min(st.AppliesTo(a.service), st.On(a.resource), st.Holds(a.call))
}

// keepsOut returns why a policy keeps CloudWatch from a call, or "". What cannot be
// judged counts against the policy: a statement that may deny denies, and one that
// may allow does not allow. An alarm of relight's own costs little, and an alarm
// that nobody hears costs much.
func keepsOut(d iampolicy.Document, a ask) string {
	why := shuts(d, a)
	if why == "" && allowed(d, a) == iampolicy.Maybe {
		return "its policy allows " + a.service + " " + a.action + " only under a condition that relight cannot judge"
	}
	return why
}

// shuts returns why a policy keeps a service from a call, or "". A statement that
// may deny denies, and one that may allow allows.
func shuts(d iampolicy.Document, a ask) string {
	denial := refuses(d, a)
	if denial == "" && allowed(d, a) == iampolicy.Never {
		return "its policy does not allow " + a.service + " " + a.action
	}
	return denial
}

// allowed returns whether a policy allows a call, whatever it denies.
func allowed(d iampolicy.Document, a ask) iampolicy.Verdict {
	best := iampolicy.Never
	for _, st := range d.Statements {
		best = max(best, effect(st, iampolicy.Allow, a))
	}
	return best
}

// refuses returns how a policy denies a call to a service, or "".
func refuses(d iampolicy.Document, a ask) string {
	denied := iampolicy.Never
	for _, st := range d.Statements {
		denied = max(denied, effect(st, iampolicy.Deny, a))
	}
	switch denied {
	case iampolicy.Always:
		return "its policy denies " + a.service + " " + a.action
	case iampolicy.Maybe:
		return "its policy can deny " + a.service + " " + a.action
	}
	return ""
}

// judge returns what a judge says of a policy, or that it cannot be read.
func judge(text string, by func(iampolicy.Document, ask) string, asks ...ask) string {
	d, err := iampolicy.Parse(text)
	if err != nil {
		return "its policy cannot be read: " + err.Error()
	}
	for _, a := range asks {
		if why := by(d, a); why != "" {
			return why
		}
	}
	return ""
}

// AdmitsAlarm returns why the policy of any topic keeps CloudWatch from
// publishing to it for an alarm of its account, or "".
func AdmitsAlarm(text, topic, alarm string) string {
	return judge(text, keepsOut, publishes(topic, alarm))
}

// publishes is the call with which CloudWatch publishes to a topic for an alarm,
// "*" for any.
func publishes(topic, alarm string) ask {
	return ask{catalog.AlarmService, "sns:Publish", topic, publishing(topic, alarm)}
}

// keyUse lists the actions that a service needs to send a message to a topic or
// queue that a key encrypts. The policy has to say kms:GenerateDataKey*; SNS and SQS
// call kms:GenerateDataKey. Sources: Amazon SNS Developer Guide, "Managing Amazon SNS
// encryption keys and costs" and "Enabling server-side encryption (SSE) for an Amazon
// SNS topic with an encrypted Amazon SQS queue subscribed"; recorded 2026-09-23
// (radkawar/stackd), for topics.
var keyUse = []string{"kms:Decrypt", "kms:GenerateDataKey"}

// AdmitsToKey returns why the policy of a topic's key keeps CloudWatch from using
// the key for an alarm, "*" for any, or "".
func AdmitsToKey(text, key, topic, alarm string) string {
	return judge(text, keepsOut, usesKey(catalog.AlarmService, key, usingKey(topic, alarm))...)
}

// usesKey are the calls with which a service uses a key.
func usesKey(service, key string, call iampolicy.Call) (asks []ask) {
	for _, action := range keyUse {
		asks = append(asks, ask{service, action, key, call})
	}
	return asks
}
