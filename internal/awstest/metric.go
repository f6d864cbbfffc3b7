package awstest

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// putMetricData stores single values with a time. It does not change the states of
// alarms. Source: CloudWatch API Reference, PutMetricData.
func putMetricData(c *request, in *cloudwatch.PutMetricDataInput) error {
	for _, d := range in.MetricData {
		if d.Value == nil || d.Timestamp == nil {
			return refuse("InvalidParameterValue", "this account takes single values with a time")
		}
		key := *in.Namespace + " " + *d.MetricName
		if c.metrics == nil {
			c.metrics = map[string][]types.MetricDatum{}
		}
		c.metrics[key] = append(c.metrics[key], d)
		c.wrote(key)
	}
	return nil
}

// count adds to one of SNS's metrics of a topic. Source: Amazon SNS Developer Guide,
// "Monitoring Amazon SNS topics using CloudWatch".
func (c *request) count(topic, metric string) {
	at, now := "AWS/SNS "+metric+" "+topic[strings.LastIndex(topic, ":")+1:], c.now()
	if c.metrics == nil {
		c.metrics = map[string][]types.MetricDatum{}
	}
	c.metrics[at] = append(c.metrics[at], types.MetricDatum{Value: aws.Float64(1), Timestamp: &now})
}

// getMetricData returns the smallest value of each period that has values, for
// metrics without dimensions, or the sum for those with one. Source: CloudWatch API
// Reference, GetMetricData.
func getMetricData(c *request, in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
	out := &cloudwatch.GetMetricDataOutput{}
	if len(in.MetricDataQueries) > 500 {
		return nil, refuse("ValidationError", "a call takes 500 queries")
	}
	for _, q := range in.MetricDataQueries {
		key, of, sum := "", q.MetricStat, false
		switch {
		case of != nil && aws.ToString(of.Stat) == "Minimum" && len(of.Metric.Dimensions) == 0:
			key = *of.Metric.Namespace + " " + *of.Metric.MetricName
		case of != nil && aws.ToString(of.Stat) == "Sum" && len(of.Metric.Dimensions) == 1:
			key, sum = *of.Metric.Namespace+" "+*of.Metric.MetricName+" "+*of.Metric.Dimensions[0].Value, true
		default:
			return nil, refuse("ValidationError", "this account knows neither the statistic nor the dimensions")
		}
		least := map[time.Time]float64{}
		period := time.Duration(*q.MetricStat.Period) * time.Second
		for _, d := range c.metrics[key] {
			if d.Timestamp.Before(*in.StartTime) || !d.Timestamp.Before(*in.EndTime) {
				continue
			}
			at := d.Timestamp.Truncate(period)
			if v, known := least[at]; sum {
				least[at] = v + *d.Value
			} else if !known || *d.Value < v {
				least[at] = *d.Value
			}
		}
		result := types.MetricDataResult{Id: q.Id, Label: q.MetricStat.Metric.MetricName, StatusCode: types.StatusCodeComplete}
		for at, v := range least {
			result.Timestamps, result.Values = append(result.Timestamps, at), append(result.Values, v)
		}
		out.MetricDataResults = append(out.MetricDataResults, result)
	}
	return out, nil
}

// metricOperations are the operations that this file answers.
var metricOperations = []operation{
	act[cloudwatch.PutMetricDataOutput](putMetricData),
	handle(getMetricData),
}
