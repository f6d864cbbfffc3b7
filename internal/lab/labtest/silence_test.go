package labtest

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// An alarm that treats missing data as breaching rings after its periods without
// data, whatever the same metric of another function does, and is OK while data comes.
func TestSilenceRings(t *testing.T) {
	c := cloudwatch.NewFromConfig(config("eu-west-2"))
	dimension := func(name string) []types.Dimension {
		return []types.Dimension{{Name: aws.String("Function"), Value: aws.String(name)}}
	}
	for _, name := range []string{"silent", "alive"} {
		_, err := c.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
			AlarmName: aws.String(name), Namespace: aws.String("quiet"), MetricName: aws.String("Sweeps"), Dimensions: dimension(name),
			Statistic: types.StatisticSum, Period: aws.Int32(10), EvaluationPeriods: aws.Int32(2), Threshold: aws.Float64(1),
			ComparisonOperator: types.ComparisonOperatorLessThanThreshold, TreatMissingData: aws.String("breaching"),
		})
		must(t, err)
	}
	states := func() map[string]types.StateValue {
		out, err := c.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"silent", "alive"}})
		must(t, err)
		got := map[string]types.StateValue{}
		for _, a := range out.MetricAlarms {
			got[*a.AlarmName] = a.StateValue
		}
		return got
	}
	put := func() {
		cli(t, "eu-west-2", "cloudwatch", "put-metric-data", "--namespace", "quiet", "--metric-name", "Sweeps", "--dimensions", "Function=alive", "--value", "1")
	}
	for end := time.Now().Add(25 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Second) {
		put()
		if s := states(); s["alive"] == types.StateValueAlarm {
			t.Fatalf("%v although its metric has data", s)
		}
	}
	if s := states(); s["silent"] != types.StateValueAlarm || s["alive"] != types.StateValueOk {
		t.Errorf("%v, want the silent one in ALARM", s)
	}
}
