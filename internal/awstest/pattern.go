package awstest

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/relight-aws/relight/internal/pattern"
)

// testMetricFilter returns which of some messages a filter pattern matches. It takes
// 1 to 50 messages, which need not be in any log group. Source: CloudWatch Logs API
// Reference, TestMetricFilter.
func testMetricFilter(_ *request, in *cloudwatchlogs.TestMetricFilterInput) (*cloudwatchlogs.TestMetricFilterOutput, error) {
	if n := len(in.LogEventMessages); n < 1 || n > 50 {
		return nil, refuse("InvalidParameterException", "%d messages", n)
	}
	p, err := pattern.Parse(aws.ToString(in.FilterPattern))
	if err != nil {
		return nil, refuse("InvalidParameterException", "Invalid metric filter pattern: %v", err)
	}
	out := &cloudwatchlogs.TestMetricFilterOutput{}
	for i, message := range in.LogEventMessages {
		if p.Matches(message) {
			out.Matches = append(out.Matches, types.MetricFilterMatchRecord{EventNumber: int64(i + 1), EventMessage: aws.String(message)})
		}
	}
	return out, nil
}
