package plan

import (
	"cmp"
	"fmt"
	"maps"

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

// An ask is a call on a resource, as the policy of the resource sees it.
type ask struct {
	caller           caller
	action, resource string
	call             iampolicy.Call
}

// A caller is a service of AWS, or roles of the account.
type caller struct {
	name string // the service's principal, or what people call the roles
	role string // ARN with wildcards; "" for a service
}

func service(principal string) caller { return caller{name: principal} }

// of returns whether a statement is about a caller.
func (c caller) of(st iampolicy.Statement) iampolicy.Verdict {
	if c.role != "" {
		return st.AppliesToRole(c.role)
	}
	return st.AppliesTo(c.name)
}

// effect returns whether a statement has an effect on a call. It is the only judge
// of a statement, of relight's topic and of any other, of their keys, and of the
// queues and functions that receive their messages.
func effect(st iampolicy.Statement, effect string, a ask) iampolicy.Verdict {
	if st.Effect != effect || !st.Covers(a.action) {
		return iampolicy.Never
	}
	return min(a.caller.of(st), st.On(a.resource), st.Holds(a.call))
}

// keepsOut returns why a policy keeps CloudWatch from a call, or "". What cannot be
// judged counts against the policy: a statement that may deny denies, and one that
// may allow does not allow. An alarm of relight's own costs little, and an alarm
// that nobody hears costs much.
func keepsOut(d iampolicy.Document, a ask) string {
	why := shuts(d, a)
	if why == "" && allowed(d, a) == iampolicy.Maybe {
		return "its policy allows " + a.caller.name + " " + a.action + " only under a condition that relight cannot judge"
	}
	return why
}

// shuts returns why a policy keeps a service from a call, or "". A statement that
// may deny denies, and one that may allow allows.
func shuts(d iampolicy.Document, a ask) string {
	denial := refuses(d, a)
	if denial == "" && allowed(d, a) == iampolicy.Never {
		return "its policy does not allow " + a.caller.name + " " + a.action
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
		return "its policy denies " + a.caller.name + " " + a.action
	case iampolicy.Maybe:
		return "its policy can deny " + a.caller.name + " " + a.action
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

// ofAccount is what is known of the calls that a principal of the topic's account
// makes itself: its ARN, and that no service makes them for it. Neither a network
// nor a device of MFA nor an organisation is known. Source: IAM User Guide, "AWS
// global condition context keys".
func ofAccount(principal, kind, resource string) iampolicy.Call {
	at := arnOf(resource)
	call := iampolicy.Call{
		"aws:securetransport": iampolicy.Has("true"), "aws:requestedregion": iampolicy.Has(at.Region), "aws:resourceaccount": iampolicy.Has(at.AccountID),
		"aws:principalisawsservice": iampolicy.Has("false"), "aws:viaawsservice": iampolicy.Has("false"),
		"aws:principalaccount": iampolicy.Has(at.AccountID), "aws:principalarn": iampolicy.Has(principal), "aws:principaltype": iampolicy.Has(kind),
		"aws:sourceowner": iampolicy.Has(at.AccountID), "kms:calleraccount": iampolicy.Has(at.AccountID),
	}
	for _, name := range []string{"aws:principalservicename", "aws:principalservicenameslist", "aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths", "aws:calledvia"} {
		call[name] = iampolicy.Lacks()
	}
	return call
}

// owner is what people call the root of relight's account, who puts right what
// relight cannot.
const owner = "the account's owner"

// topicUse lists what relight's roles, and the owner of the account, do with
// relight's topic.
var topicUse = []string{"sns:Publish", "sns:GetTopicAttributes", "sns:SetTopicAttributes", "sns:Subscribe", "sns:ListSubscriptionsByTopic"}

// neededBy are the calls of everybody who needs relight's topic: of CloudWatch, of
// relight's roles and of the account's owner.
func neededBy(want catalog.Desired) []ask {
	asks := []ask{publishes(want.Topic, "*")}
	for _, c := range accountCallers(want, want.Topic) {
		for _, action := range topicUse {
			a := ask{c.caller, action, want.Topic, maps.Clone(c.call)}
			if action != "sns:Subscribe" {
				a.call["sns:protocol"], a.call["sns:endpoint"] = iampolicy.Lacks(), iampolicy.Lacks()
			}
			asks = append(asks, a)
		}
	}
	return asks
}

// farTopicKeepsOut returns why the policy of an owner's topic keeps relight's roles
// from publishing to it, or "". In relight's own account a role's own policy suffices,
// and in another account the topic's policy has to allow it too. Source: IAM User
// Guide, "Cross-account policy evaluation logic".
func farTopicKeepsOut(want catalog.Desired, text string) string {
	roles, at := accountCallers(want, want.Topic)[0], arnOf(want.FarTopic)
	call := maps.Clone(roles.call)
	call["aws:requestedregion"], call["aws:resourceaccount"] = iampolicy.Has(at.Region), iampolicy.Has(at.AccountID)
	call["sns:protocol"], call["sns:endpoint"] = iampolicy.Lacks(), iampolicy.Lacks()
	by := shuts
	if at.AccountID == arnOf(want.Topic).AccountID {
		by = refuses
	}
	return judge(text, by, ask{roles.caller, "sns:Publish", want.FarTopic, call})
}

// accountCallers are relight's roles, which CloudFormation names after the stack,
// and the account's root, each with what is known of its calls on a resource.
func accountCallers(want catalog.Desired, resource string) []struct {
	caller
	call iampolicy.Call
} {
	at := arnOf(want.Topic)
	iam := "arn:" + at.Partition + ":iam::" + at.AccountID + ":"
	roles := iam + "role/" + want.StackName() + "-*"
	return []struct {
		caller
		call iampolicy.Call
	}{
		{caller{"relight's roles", roles}, ofAccount(roles, "AssumedRole", resource)},
		{caller{owner, iam + "root"}, ofAccount(iam+"root", "Account", resource)},
	}
}

// shutsOut returns whom a Deny keeps from what they need of relight's topic, or "". A
// Deny under conditions of which relight does not know whether they hold counts:
// whoever writes one chooses the conditions.
func shutsOut(st iampolicy.Statement, asks []ask) string {
	for _, a := range asks {
		if effect(st, iampolicy.Deny, a) != iampolicy.Never {
			return a.caller.name + " " + a.action
		}
	}
	return ""
}

// sparing is the condition under which a Deny in the policy of relight's topic
// hits neither AWS services nor the topic's account.
func sparing(topic string) string {
	return fmt.Sprintf(`{"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}, "StringNotEquals": {"aws:PrincipalAccount": %q}}`, arnOf(topic).AccountID)
}

// publishes is the call with which CloudWatch publishes to a topic for an alarm,
// "*" for any.
func publishes(topic, alarm string) ask {
	return ask{service(catalog.AlarmService), "sns:Publish", topic, publishing(topic, alarm)}
}

// keyUse lists the actions that a service needs to send a message to a topic or
// queue that a key encrypts. The policy has to say kms:GenerateDataKey*; SNS and SQS
// call kms:GenerateDataKey. Sources: Amazon SNS Developer Guide, "Managing Amazon SNS
// encryption keys and costs" and "Enabling server-side encryption (SSE) for an Amazon
// SNS topic with an encrypted Amazon SQS queue subscribed"; recorded 2026-09-23
// (radkawar/stackd), for topics.
var keyUse = []string{"kms:Decrypt", "kms:GenerateDataKey"}

// keepOutOfKey returns whom the policy of relight's key keeps from what they need
// of it: CloudWatch, relight's roles, which use it through SNS and make it work
// again, and the owner of the account. A key's policy has to admit the principals of
// the account too, or to leave it to IAM policies. Source: KMS Developer Guide,
// "Default key policy".
func keepOutOfKey(want catalog.Desired, text string) (denials []string) {
	d, err := iampolicy.Parse(text)
	if err != nil {
		return []string{"its policy cannot be read: " + err.Error()}
	}
	first := func(asks ...ask) {
		for _, a := range asks {
			if why := keepsOut(d, a); why != "" {
				denials = append(denials, why)
				return
			}
		}
	}
	first(usesKey(catalog.AlarmService, want.TopicKey, usingKey(want.Topic, "*"))...)
	for _, c := range accountCallers(want, want.TopicKey) {
		var asks []ask
		for _, action := range keyUse {
			if c.name == owner { // who sends no messages
				break
			}
			a := ask{c.caller, action, want.TopicKey, maps.Clone(c.call)}
			a.call["kms:viaservice"] = iampolicy.Has("sns." + arnOf(want.TopicKey).Region + ".*") // the domain differs between partitions
			a.call["kms:encryptioncontext:aws:sns:topicarn"], a.call["kms:encryptioncontextkeys"] = iampolicy.Has(want.Topic), iampolicy.Has("aws:sns:topicArn")
			asks = append(asks, a)
		}
		for _, action := range keyCare {
			a := ask{c.caller, action, want.TopicKey, maps.Clone(c.call)}
			a.call["kms:viaservice"] = iampolicy.Lacks()
			asks = append(asks, a)
		}
		first(asks...)
	}
	return denials
}

// keyCare lists what relight's roles and the account's owner do to know a key and
// to make it work again.
var keyCare = []string{"kms:DescribeKey", "kms:GetKeyPolicy", "kms:EnableKey", "kms:CancelKeyDeletion"}

// AdmitsToKey returns why the policy of a topic's key keeps CloudWatch from using
// the key for an alarm, "*" for any, or "".
func AdmitsToKey(text, key, topic, alarm string) string {
	return judge(text, keepsOut, usesKey(catalog.AlarmService, key, usingKey(topic, alarm))...)
}

// groupKeyUse lists what CloudWatch Logs does with the key of a log group. Source:
// CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS KMS".
var groupKeyUse = []string{"kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"}

// keyShutsOut returns how the policy of a log group's key keeps CloudWatch Logs, or
// the account's owner, from using it, or "". A condition that cannot be judged counts
// against a Deny and not against an Allow: a key that works must not be a finding in
// every account.
func keyShutsOut(text, key, region, group string) string {
	at := arnOf(key)
	why := ""
	for _, principal := range []string{"logs." + region + "." + dnsSuffix(at.Partition), "logs.amazonaws.com"} {
		call := ofService(principal, key)
		call["kms:encryptioncontext:aws:logs:arn"], call["kms:encryptioncontextkeys"] = iampolicy.Has(group), iampolicy.Has("aws:logs:arn")
		call["aws:sourceaccount"], call["aws:sourcearn"] = iampolicy.MayHave(at.AccountID), iampolicy.MayHave(group)
		var asks []ask
		for _, action := range groupKeyUse {
			asks = append(asks, ask{service(principal), action, key, call})
		}
		denial := judge(text, shuts, asks...)
		if denial == "" {
			root := "arn:" + at.Partition + ":iam::" + at.AccountID + ":root"
			return judge(text, refuses, ask{caller{owner, root}, "kms:Decrypt", key, ofAccount(root, "Account", key)})
		}
		why = cmp.Or(why, denial) // of the principal that AWS documents
	}
	return why
}

// dnsSuffix returns the end of the names of a partition's service principals that
// have a region in them. Source: as of groupKeyUse, and AWS General Reference.
func dnsSuffix(partition string) string {
	if partition == "aws-cn" {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// usesKey are the calls with which a service uses a key.
func usesKey(principal, key string, call iampolicy.Call) (asks []ask) {
	for _, action := range keyUse {
		asks = append(asks, ask{service(principal), action, key, call})
	}
	return asks
}
