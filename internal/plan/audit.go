package plan

import "github.com/relight-aws/relight/internal/catalog"

// Watches returns why an alarm does not watch a control's metric at least as closely
// as the benchmark asks, or "" if it does. It considers neither whether its actions
// are enabled nor whom they notify.
func Watches(c catalog.Control, m Metric, a Alarm) string {
	a.ActionsEnabled = true
	return weaker(c, m, a, anybody)
}

// Satisfies returns why a flow log does not satisfy the policy, or "" if it does. It
// does not consider whether the flow log delivers.
func Satisfies(want catalog.FlowLogSpec, fl FlowLog) string { return satisfies(want, fl) }
