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

// ofAlarm is what is known of the calls that CloudWatch makes for an alarm of
// the account, whatever they are for. An alarm is no principal of the account or
// of its organisation, and comes from none of its networks. Sources: IAM User
// Guide, "AWS global condition context keys"; AWS blog and whitepaper on data
// perimeters, which exempt AWS services by aws:PrincipalIsAWSService.
func ofAlarm(resource string) iampolicy.Call {
	at := arnOf(resource)
	call := iampolicy.Call{
		"aws:securetransport": iampolicy.Has("true"), "aws:requestedregion": iampolicy.Has(at.Region), "aws:resourceaccount": iampolicy.Has(at.AccountID),
		"aws:principalisawsservice": iampolicy.Has("true"), "aws:principalservicename": iampolicy.Has(catalog.AlarmService),
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
	call := ofAlarm(topic)
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
	call := ofAlarm(topic)
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

// effect returns whether a statement has an effect on an action of CloudWatch on
// a resource. It is the only judge of a statement, of relight's topic and of
// any other, and of their keys.
func effect(st iampolicy.Statement, effect, action, resource string, call iampolicy.Call) iampolicy.Verdict {
	if st.Effect != effect || !st.Covers(action) {
		return iampolicy.Never
	}
	return min(st.AppliesTo(catalog.AlarmService), st.On(resource), st.Holds(call))
}

// keepsOut returns why a policy keeps CloudWatch from an action on a resource,
// or "". What cannot be judged counts against the policy: a statement that may
// deny denies, and one that may allow does not allow. An alarm of relight's own
// costs little, and an alarm that nobody hears costs much.
func keepsOut(d iampolicy.Document, action, resource string, call iampolicy.Call) string {
	allowed, denied := iampolicy.Never, iampolicy.Never
	for _, st := range d.Statements {
		allowed = max(allowed, effect(st, iampolicy.Allow, action, resource, call))
		denied = max(denied, effect(st, iampolicy.Deny, action, resource, call))
	}
	what := catalog.AlarmService + " " + action
	switch {
	case denied == iampolicy.Always:
		return "its policy denies " + what
	case denied == iampolicy.Maybe:
		return "its policy can deny " + what
	case allowed == iampolicy.Never:
		return "its policy does not allow " + what
	case allowed == iampolicy.Maybe:
		return "its policy allows " + what + " only under a condition that relight cannot judge"
	}
	return ""
}

// AdmitsAlarm returns why the policy of any topic keeps CloudWatch from
// publishing to it for an alarm of its account, or "".
func AdmitsAlarm(text, topic, alarm string) string {
	d, err := iampolicy.Parse(text)
	if err != nil {
		return "its policy cannot be read: " + err.Error()
	}
	return keepsOut(d, "sns:Publish", topic, publishing(topic, alarm))
}

// keyUse lists the actions that CloudWatch needs to publish to a topic that a key
// encrypts. The policy has to say kms:GenerateDataKey*; SNS calls kms:GenerateDataKey.
// Sources: Amazon SNS Developer Guide, "Managing Amazon SNS encryption keys and
// costs"; recorded 2026-09-23 (radkawar/stackd).
var keyUse = []string{"kms:Decrypt", "kms:GenerateDataKey"}

// AdmitsToKey returns why the policy of a topic's key keeps CloudWatch from using
// the key for an alarm, "*" for any, or "".
func AdmitsToKey(text, key, topic, alarm string) string {
	d, err := iampolicy.Parse(text)
	if err != nil {
		return "its policy cannot be read: " + err.Error()
	}
	for _, action := range keyUse {
		if why := keepsOut(d, action, key, usingKey(topic, alarm)); why != "" {
			return why
		}
	}
	return ""
}
