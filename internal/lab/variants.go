package lab

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/relight-aws/relight/internal/catalog"
)

// Variants returns attacks that auditors judge differently. The demo does not have
// them: each calls what another attack calls already.
func Variants() []Attack {
	return []Attack{
		heals("monitoring PutMetricAlarm, in another namespace", Region, disableTools).by(putAlarm("iam-changes", func(in *cloudwatch.PutMetricAlarmInput) {
			in.Namespace = aws.String("elsewhere")
		})),
		// Every event name of the control is there, and no event has all of them.
		heals("logs PutMetricFilter, all events at once", Region, disableTools).by(rewriteFilter("vpc-changes", func(pattern string) string {
			return strings.ReplaceAll(pattern, "||", "&&")
		})),
		heals("logs PutMetricFilter, clauses in another order", Region, disableTools).by(rewriteFilter("root-usage", func(string) string {
			return `{ $.eventType != "AwsServiceEvent" && $.userIdentity.invokedBy NOT EXISTS && $.userIdentity.type = "Root" }`
		})),
		// As Security Hub prints it: for the calls of any service that have these names.
		heals("logs PutMetricFilter, no event source", Region, disableTools).by(rewriteFilter("route-table-changes", func(string) string {
			controls := catalog.Controls()
			twin := slices.IndexFunc(controls, func(c catalog.Control) bool { return c.ID == "route-table-changes-securityhub" })
			return controls[twin].Pattern
		})),
		// These three are not in the benchmark, as its mappings print it.
		heals("logs PutMetricFilter, three events less", Region, disableTools).by(rewriteFilter("organizations-changes", func(pattern string) string {
			for _, name := range []string{"CancelHandshake", "CreateOrganization", "EnableAllFeatures"} {
				pattern = strings.ReplaceAll(pattern, ` || ($.eventName = "`+name+`")`, "")
			}
			return pattern
		})),
		// Security Hub's filter stays: it has the events of older benchmarks.
		heals("logs DeleteMetricFilter, of security groups", Region, disableTools,
			cli("logs", "DeleteMetricFilter", input{"logGroupName": "${trail-log-group}", "filterName": "${prefix}-security-group-changes"})),
	}
}

// rewriteFilter overwrites the pattern of a control's filter.
func rewriteFilter(control string, change func(pattern string) string) doer {
	return putFilter(control, func(in *cloudwatchlogs.PutMetricFilterInput) {
		in.FilterPattern = aws.String(change(aws.ToString(in.FilterPattern)))
	})
}
