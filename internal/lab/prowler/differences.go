package prowler

import (
	"slices"

	"github.com/relight-aws/relight/internal/catalog"
)

// A Difference is a known contradiction: what both say after an attack of the lab.
type Difference struct {
	Attack    string
	Questions []string // in each of them
	Prowler   Verdict
	Relight   Verdict
	Why       string
}

// Differences returns every known contradiction. Where both agree, there is no row.
func Differences() []Difference {
	const (
		trailUnread  = "Prowler's check of a control reads nothing of the trail but its log group. Its checks of the trail fail."
		topicUnread  = "Prowler does not follow the alarm to its topic and the subscribers."
		filterUnread = "Prowler reads the filter's pattern and the names of its metric, and nothing else of it."
		alarmUnread  = "Prowler's check of a control reads the alarm's metric and region, and nothing else of it."
		anyFlowLog   = "Prowler passes any flow log of the VPC."
	)
	lax := func(attack, question, why string) Difference {
		return Difference{attack, []string{question}, Pass, Fail, why}
	}
	all := func(attack, why string) Difference { return Difference{attack, Controls(), Pass, Fail, why} }
	strict := func(attack, question, why string) Difference {
		return Difference{attack, []string{question}, Fail, Pass, why}
	}
	return []Difference{
		all("cloudtrail StopLogging", trailUnread),
		all("cloudtrail PutEventSelectors, no management events", trailUnread),
		all("cloudtrail PutEventSelectors, only reads, and none of KMS", trailUnread),
		lax("logs DeleteLogGroup, the trail's", logGroup,
			"Prowler passes a trail that delivered within the last day, and reads no error of its delivery. Its checks of the controls fail."),
		lax("logs DeleteLogGroup, the flow logs'", catalog.FlowLogsCheck, anyFlowLog),
		lax("logs PutRetentionPolicy, a day, flow logs'", catalog.FlowLogsCheck, anyFlowLog+" Its check of the retention fails."),
		lax("ec2 DeleteFlowLogs, a narrower one in its place", catalog.FlowLogsCheck, anyFlowLog+" This one records accepted traffic alone."),
		lax("logs PutMetricFilter, a field selection", "vpc-changes", filterUnread),
		lax("logs PutMetricFilter, counting nothing", "nacl-changes", filterUnread),
		lax("logs PutMetricFilter, all events at once", "vpc-changes",
			"Prowler searches the pattern for the names of the events, and does not evaluate it."),
		strict("logs PutMetricFilter, clauses in another order", "root-usage",
			"Prowler wants the three clauses of this control in one order."),
		strict("logs PutMetricFilter, no event source", "route-table-changes",
			"Prowler wants the event source in the pattern. Without it, the filter matches no fewer events."),
		strict("logs PutMetricFilter, three events less", "organizations-changes",
			"Prowler wants `CancelHandshake`, `CreateOrganization` and `EnableAllFeatures`, which the published texts of the benchmark do not have."),
		lax("logs DeleteMetricFilter, of security groups", "security-group-changes",
			"Prowler wants the events of older benchmarks. Without `ModifySecurityGroupRules`, Security Hub's filter is too little for CIS 5.0."),
		lax("monitoring PutMetricAlarm, a dimension", "network-gateway-changes", alarmUnread),
		lax("monitoring PutMetricAlarm, a threshold of 1000", "config-changes", alarmUnread),
		lax("monitoring DisableAlarmActions, one", "cloudtrail-changes", alarmUnread+" Its check of the alarm's actions fails."),
		lax("monitoring PutMetricAlarm, notifying nobody", "s3-bucket-policy-changes", alarmUnread+" Its check of the alarm's actions fails."),
		all("sns DeleteTopic", topicUnread),
		all("sns SetTopicAttributes, a policy without alarms", topicUnread),
		all("kms DisableKey, the topic's", topicUnread),
		all("sns Unsubscribe, the mail", "The queue's subscription is gone too. "+topicUnread),
	}
}

// Known returns the difference that explains an answer after some attacks, and false
// if none does.
func Known(a Answer, attacks []string) (Difference, bool) {
	all := Differences()
	i := slices.IndexFunc(all, func(d Difference) bool {
		return slices.Contains(attacks, d.Attack) && slices.Contains(d.Questions, a.Question) && d.Prowler == a.Prowler && d.Relight == a.Relight
	})
	if i < 0 {
		return Difference{}, false
	}
	return all[i], true
}

// A Run is a recorded comparison.
type Run struct {
	Version string  `json:"prowler"`
	Date    string  `json:"date"`
	States  []State `json:"states"`
}

// A State is the account after some attacks; without attacks, healthy.
type State struct {
	Attacks   []string `json:"attacks,omitempty"`
	Agreed    int      `json:"agreed"`
	Differ    []Answer `json:"differ,omitempty"`
	Unreached int      `json:"unreached,omitempty"` // questions about links that relight's chains do not reach
	Seconds   int      `json:"seconds"`             // of Prowler
}
