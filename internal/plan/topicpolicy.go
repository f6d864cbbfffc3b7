package plan

import (
	"slices"
	"strings"

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

// mayDeny reports whether a statement can keep an alarm of an account from
// publishing to a topic. It cannot if a condition is known to exclude CloudWatch's
// calls: without TLS, by no AWS service, or from another account.
func mayDeny(st iampolicy.Statement, topic, account string) bool {
	if st.Effect != iampolicy.Deny || !st.Covers("sns:Publish") || !st.AppliesTo(catalog.AlarmService) || !st.On(topic) {
		return false
	}
	for operator, keys := range st.Condition {
		operator = strings.TrimSuffix(strings.ToLower(operator), "ifexists")
		for key, values := range keys {
			switch key = strings.ToLower(key); {
			case operator == "bool" && (key == "aws:securetransport" || key == "aws:principalisawsservice"):
				if !slices.ContainsFunc(values, func(v string) bool { return !strings.EqualFold(v, "false") }) {
					return false
				}
			case operator == "stringnotequals" && key == "aws:sourceaccount" && slices.Contains(values, account),
				operator == "stringequals" && key == "aws:sourceaccount" && !slices.Contains(values, account):
				return false
			}
		}
	}
	return true
}

// admits reports whether a policy allows CloudWatch's alarms an action on a
// resource, "" for any, and whether it denies that unconditionally. An Allow
// with conditions counts, and a Deny with conditions does not: they cannot all
// be judged from here.
func admits(d iampolicy.Document, action, resource string) (allowed, denied bool) {
	for _, st := range d.Statements {
		if st.Covers(action) && st.AppliesTo(catalog.AlarmService) && (resource == "" || st.On(resource)) {
			allowed = allowed || st.Effect == iampolicy.Allow
			denied = denied || st.Effect == iampolicy.Deny && len(st.Condition) == 0
		}
	}
	return allowed, denied
}

// AdmitsAlarms returns why the policy of any topic keeps CloudWatch from
// publishing to it, or "".
func AdmitsAlarms(text string) string {
	d, err := iampolicy.Parse(text)
	if err != nil {
		return "its policy cannot be read"
	}
	switch allowed, denied := admits(d, "sns:Publish", ""); {
	case denied:
		return "its policy denies it"
	case !allowed:
		return "its policy does not name " + catalog.AlarmService
	}
	return ""
}

// keyUse lists the actions that CloudWatch needs to publish to a topic that a key
// encrypts. The policy has to say kms:GenerateDataKey*; SNS calls kms:GenerateDataKey.
// Source: Amazon SNS Developer Guide, "Managing Amazon SNS encryption keys and
// costs".
var keyUse = []string{"kms:Decrypt", "kms:GenerateDataKey"}

// admitsToKey returns why the policy of a topic's key keeps CloudWatch from using
// the key, or "".
func admitsToKey(text, key string) string {
	d, err := iampolicy.Parse(text)
	if err != nil {
		return "its policy cannot be read: " + err.Error()
	}
	for _, action := range keyUse {
		switch allowed, denied := admits(d, action, key); {
		case denied:
			return "its policy denies " + catalog.AlarmService + " " + action
		case !allowed:
			return "its policy does not allow " + catalog.AlarmService + " " + action
		}
	}
	return ""
}
